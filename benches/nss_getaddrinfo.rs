//! getaddrinfo of a container, and `getent`, through systemd's pair of module and machined and through ours, each at a
//! live machined: programs, bus and daemon on one core.
//!
//! What is compared is measured in turn, so that whatever else the machine does meets both alike.

#[path = "../tests/nss_probe.rs"]
mod nss_probe;

use std::fs;

use nss_probe::{MODULE, compile};
use rustix::thread::{CpuSet, sched_setaffinity};
use support::{Daemon, Options, Ready, Sandbox, Via, run_program};

const ROUNDS: usize = 7;

/// getaddrinfo in one process: what is measured, the arguments of nss_time.
const LOOKUPS: [(&str, &str); 3] = [
    ("a container", "look 500 web"),
    ("an unknown name", "look 2000 no-such-machine"),
    ("a name of the internet", "look 2000 www.example.org"),
];

/// `getent` as a process, by mymachines and by files in turn.
const PROCESSES: [(&str, &str); 2] = [
    ("found", "run 40 hosts:mymachines hosts:files -- hosts web"),
    (
        "unknown",
        "run 40 hosts:mymachines hosts:files -- hosts no-such-machine",
    ),
];

fn main() {
    let mut core = CpuSet::new();
    core.set(0);
    // Inherited by everything that starts from here.
    sched_setaffinity(None, &core).unwrap();
    let options = Options::new().machined(None).hosts("mymachines");
    std::process::exit(run_program(&options, compare));
}

fn compare(s: &Sandbox) -> i32 {
    let time = compile(s, "nss_time", include_str!("../tests/c/nss_time.c"), "");
    let web = s.container("web").start();
    fs::write(
        "/etc/hosts",
        "127.0.0.1 localhost\n10.88.0.2 web\nfd00:88::2 web\n",
    )
    .unwrap();
    let library = s.run("cc -print-multiarch").ok();
    let path = format!("usr/lib/{}/{MODULE}", library.trim());
    let peers = std::env::var("SWITCHYARD_PEERS").unwrap();
    let pairs = [
        (
            "systemd",
            "/usr/lib/systemd/systemd-machined",
            format!("{peers}/{path}"),
        ),
        (
            "switchyard",
            "/usr/libexec/switchyard/machined",
            format!("/{path}"),
        ),
    ];
    println!("median µs of {ROUNDS} rounds");
    let mut lookups = [const { Vec::new() }; 2];
    for ((name, program, module), lookups) in pairs.iter().zip(&mut lookups) {
        // Both found by the same search, so that programs start alike.
        let dir = format!("/tmp/{name}");
        fs::create_dir_all(&dir).unwrap();
        std::os::unix::fs::symlink(module, format!("{dir}/{MODULE}")).unwrap();
        let ready = Ready::BusName("org.freedesktop.machine1".into());
        let daemon = Daemon::start(name, &[program], &[], ready);
        s.register(&web, Via::BusRegister);
        let time = format!("LD_LIBRARY_PATH={dir} {time}");
        for (_, arguments) in LOOKUPS {
            let rounds = (0..ROUNDS).map(|_| measure(s, &format!("{time} {arguments}"))[0]);
            lookups.push(median(rounds.collect()));
        }
        for (case, arguments) in PROCESSES {
            let rounds: Vec<_> = (0..ROUNDS)
                .map(|_| measure(s, &format!("{time} {arguments}")))
                .collect();
            let of = |way: usize| median(rounds.iter().map(|round| round[way]).collect());
            let ratio = median(rounds.iter().map(|round| round[0] / round[1]).collect());
            println!(
                "{name:10} getent, {case:8} {:9.1} by mymachines {:9.1} by files, ratio {ratio:.3}",
                of(0),
                of(1)
            );
        }
        s.run("busctl call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager UnregisterMachine s web").ok();
        daemon.end();
    }
    let [theirs, ours] = lookups;
    println!(
        "{:35} {:>9} {:>12} {:>8}",
        "getaddrinfo", "systemd", "switchyard", "ratio"
    );
    for ((case, _), (theirs, ours)) in LOOKUPS.iter().zip(theirs.iter().zip(&ours)) {
        println!("{case:35} {theirs:9.1} {ours:12.1} {:8.3}", ours / theirs);
    }
    0
}

/// The medians that nss_time says.
fn measure(s: &Sandbox, line: &str) -> Vec<f64> {
    let said = s.run(line).ok();
    let figure = |line: &str| line.split_once(' ').unwrap().1.parse().unwrap();
    said.lines().map(figure).collect()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
