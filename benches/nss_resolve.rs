//! Names that resolved knows already, through systemd's pair of module and resolved, ours, and the two mixed: getaddrinfo,
//! one lookup after the other and from 16 threads, and the module's entry point alone; programs and daemon on one core.
//!
//! Our pair is there twice: sharing what is known, and asked every time.
//!
//! The pairs are taken in turn, so that whatever else the machine does meets all alike. Beside them stands what a bare socket
//! takes: a connection, 100 bytes there and 200 back.

#[path = "goals.rs"]
mod goals;
#[path = "../tests/nss_probe.rs"]
mod nss_probe;
#[path = "../tests/nss_resolve_world.rs"]
mod nss_resolve_world;
#[path = "one_core.rs"]
mod one_core;

use std::fs;

use goals::{Goals, print_floor};
use nss_probe::compile;
use nss_resolve_world::{MODULE, World, options};
use support::{Sandbox, Which, run_program};

const ROUNDS: usize = 7;
const THREADS: usize = 16;
const FROM_THREADS: usize = 20_000;

/// What is measured, and the arguments of nss_time.
const LOOKUPS: [(&str, &str); 4] = [
    ("two addresses, A and AAAA", "look 2000 name.test"),
    ("one address", "look 2000 v4only.test"),
    ("an alias", "look 2000 alias.test"),
    ("no such name", "look 2000 nope.test"),
];

/// Module and daemon.
const PAIRS: [(&str, Which, Which); 5] = [
    ("systemd", Which::Peer, Which::Peer),
    ("switchyard", Which::Ours, Which::Ours),
    ("our module", Which::Ours, Which::Peer),
    ("our daemon", Which::Peer, Which::Ours),
    (UNSHARED, Which::Ours, Which::Ours),
];

/// Our pair, where resolved shares nothing.
const UNSHARED: &str = "unshared";

/// Of one pair.
#[derive(Default)]
struct Figures {
    /// µs, of gethostbyname4_r without what getaddrinfo adds: a question to the kernel, and sorting.
    alone: Vec<f64>,
    /// µs, of each of [`LOOKUPS`].
    times: [Vec<f64>; LOOKUPS.len()],
    /// Lookups a second.
    from_threads: Vec<f64>,
}

fn main() {
    one_core::pin();
    let options = options().timeout(std::time::Duration::from_secs(900));
    std::process::exit(run_program(&options, compare));
}

fn compare(s: &Sandbox) -> i32 {
    let time = compile(s, "nss_time", include_str!("../tests/c/nss_time.c"), "");
    let probe = include_str!("../tests/c/nss_probe.c");
    let probe = compile(s, "nss_probe", probe, "");
    let threads = include_str!("../tests/c/nss_threads.c");
    let threads = compile(s, "nss_threads", threads, "");
    lay_out_modules(s);
    let mut all: Vec<_> = PAIRS.iter().map(|_| Figures::default()).collect();
    let mut trips = Vec::new();
    for _ in 0..ROUNDS {
        trips.push(figure(&s.run(&format!("{time} trip 2000 -")).ok()));
        for (pair, figures) in PAIRS.iter().zip(&mut all) {
            measure(s, *pair, [&probe, &time, &threads], figures);
        }
    }
    println!("median µs of {ROUNDS} rounds");
    print!("{:38}", "");
    PAIRS.iter().for_each(|(name, ..)| print!("{name:>12}"));
    println!("   ours/systemd's");
    line("the entry point alone, of two", &mut all, |figures| {
        &mut figures.alone
    });
    for (at, (what, _)) in LOOKUPS.iter().enumerate() {
        let what = format!("getaddrinfo, {what}");
        line(&what, &mut all, |figures| &mut figures.times[at]);
    }
    let what = format!("{THREADS} threads, lookups a second");
    line(&what, &mut all, |figures| &mut figures.from_threads);
    let mut goals = Goals::default();
    for ((name, ..), figures) in PAIRS.iter().zip(&mut all) {
        if *name == UNSHARED {
            let alone = median(&mut figures.alone);
            goals.at_most("a lookup that asks resolved, µs", alone, 40.0);
        }
    }
    print_floor("a bare socket, µs", median(&mut trips));
    goals.status()
}

/// Each in a folder of its own, found by the same search, so that programs start alike.
fn lay_out_modules(s: &Sandbox) {
    let library = s.run("cc -print-multiarch").ok();
    let path = format!("usr/lib/{}/{MODULE}", library.trim());
    let peers = std::env::var("SWITCHYARD_PEERS").unwrap();
    for (which, module) in [
        (Which::Peer, format!("{peers}/{path}")),
        (Which::Ours, format!("/{path}")),
    ] {
        let dir = folder(which);
        fs::create_dir_all(dir).unwrap();
        std::os::unix::fs::symlink(module, format!("{dir}/{MODULE}")).unwrap();
    }
}

fn folder(which: Which) -> &'static str {
    match which {
        Which::Ours => "/tmp/ours",
        Which::Peer => "/tmp/peer",
    }
}

fn measure(
    s: &Sandbox,
    (name, module, daemon): (&str, Which, Which),
    [probe, time, threads]: [&str; 3],
    figures: &mut Figures,
) {
    let world = match name {
        UNSHARED => World::start_unshared(s),
        _ => World::start_of(s, daemon),
    };
    let file = format!("{}/{MODULE}", folder(module));
    let said = s.run(&format!("{probe} -n 2000 {file} resolve 4 name.test"));
    let said = said.ok();
    let median = said.split("median=").nth(1).unwrap();
    let median = median.split("us").next().unwrap();
    figures.alone.push(median.parse().unwrap());
    let with = format!("LD_LIBRARY_PATH={}", folder(module));
    for ((_, arguments), times) in LOOKUPS.iter().zip(&mut figures.times) {
        times.push(figure(&s.run(&format!("{with} {time} {arguments}")).ok()));
    }
    let line = format!("{with} {threads} {THREADS} {FROM_THREADS} name.test");
    let said = s.run(&line).ok();
    assert!(said.starts_with("0 "), "lookups failed: {said}");
    figures.from_threads.push(figure(&said));
    world.end(s);
}

/// What stands behind the outcome.
fn figure(said: &str) -> f64 {
    let last = said.split_whitespace().last().unwrap();
    last.parse().unwrap()
}

fn line(what: &str, all: &mut [Figures], of: impl Fn(&mut Figures) -> &mut Vec<f64>) {
    let medians: Vec<f64> = all.iter_mut().map(|figures| median(of(figures))).collect();
    print!("{what:38}");
    medians.iter().for_each(|median| print!("{median:12.1}"));
    println!("{:17.3}", medians[1] / medians[0]);
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
