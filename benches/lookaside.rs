//! Names that the map of resolved knows, through our module; beside it systemd's pair of module and resolved, nscd's cache in shared
//! memory, /etc/hosts, and a module whose answers are constant: what the C library takes for itself. All on one core.
//!
//! The constant module is linked as ours are, without the start files, which nothing of it needs; `getent` finds both by
//! ld.so.cache, as it does where they are installed. Another one is the least that can be loaded, for what a process is made slower
//! by whatever it loads.
//!
//! nscd is the one that no module can be compared with: the C library asks it before it looks at nsswitch.conf, so that it is faster
//! than the constant. The ways are taken in turn, so that whatever else the machine does meets all alike, and compared within each round.

#[path = "goals.rs"]
mod goals;
#[path = "../tests/nss_probe.rs"]
mod nss_probe;
#[path = "../tests/nss_resolve_world.rs"]
mod nss_resolve_world;
#[path = "one_core.rs"]
mod one_core;

use std::{fs, time::Duration};

use goals::Goals;
use nss_probe::compile;
use nss_resolve_world::{MODULE, World, options};
use support::{Command, Daemon, Ready, Sandbox, Which, run_program};

const ROUNDS: usize = 7;
const THREADS: usize = 16;
/// First lookups of fresh processes, in each round.
const FIRST: usize = 40;
const CONSTANT: &str = "libnss_constant.so.2";

/// How a name is looked up.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Ours,
    Systemd,
    Nscd,
    Files,
    Constant,
    Least,
}

use Way::{Constant, Files, Least, Nscd, Ours, Systemd};

const WAYS: [(Way, &str); 6] = [
    (Ours, "switchyard"),
    (Systemd, "systemd"),
    (Nscd, "nscd"),
    (Files, "files"),
    (Constant, "constant"),
    (Least, "least"),
];

/// A figure of each way; the arguments of nss_cost, and what must come of them: status or error, number of addresses.
const COSTS: [(&str, &str, &str); 6] = [
    (
        "entry point, two addresses",
        "entry MODULE name.test",
        "1,2",
    ),
    (
        "entry point, one address",
        "entry MODULE v4only.test",
        "1,1",
    ),
    ("entry point, no such name", "entry MODULE nope.test", "0,0"),
    (
        "getaddrinfo, one address, AF_INET",
        "look 2 v4only.test",
        "0,1",
    ),
    ("getaddrinfo, two addresses", "look 0 name.test", "0,2"),
    ("getaddrinfo, no such name", "look 0 nope.test", "-2,0"),
];
const FIRST_LOOKUP: usize = COSTS.len();
const FROM_THREADS: usize = FIRST_LOOKUP + 1;
const GETENT: usize = FROM_THREADS + 1;

/// By figure: one for each round.
type Figures = [Vec<f64>; GETENT + 1];

fn main() {
    one_core::pin();
    let options = options().timeout(Duration::from_secs(1200));
    std::process::exit(run_program(&options, compare));
}

struct Bench {
    cost: String,
    threads: String,
    time: String,
    figures: [Figures; WAYS.len()],
}

fn compare(s: &Sandbox) -> i32 {
    lay_out(s);
    let source = |name: &str, source: &str| compile(s, name, source, "");
    let mut bench = Bench {
        cost: source("nss_cost", include_str!("../tests/c/nss_cost.c")),
        threads: source("nss_threads", include_str!("../tests/c/nss_threads.c")),
        time: source("nss_time", include_str!("../tests/c/nss_time.c")),
        figures: Default::default(),
    };
    for _ in 0..ROUNDS {
        let world = World::start_of(s, Which::Ours);
        for way in [Ours, Constant, Files, Nscd] {
            bench.measure(way);
        }
        bench.processes();
        world.end(s);
        let world = World::start_of(s, Which::Peer);
        bench.measure(Systemd);
        world.end(s);
    }
    bench.report()
}

/// The modules, each in a folder of its own, found by the same search; and what /etc/hosts has, which no resolved reads.
fn lay_out(s: &Sandbox) {
    let library = s.run("cc -print-multiarch").ok();
    let path = format!("usr/lib/{}/{MODULE}", library.trim());
    let peers = std::env::var("SWITCHYARD_PEERS").unwrap();
    fs::create_dir_all(folder(Systemd)).unwrap();
    fs::create_dir_all(folder(Ours)).unwrap();
    let link = |target: String, way: Way| {
        let name = format!("{}/{MODULE}", folder(way));
        std::os::unix::fs::symlink(target, name).unwrap();
    };
    link(format!("{peers}/{path}"), Systemd);
    link(format!("/{path}"), Ours);
    fs::create_dir_all(folder(Constant)).unwrap();
    let object = format!("{}/{CONSTANT}", folder(Constant));
    fs::write("/tmp/constant.c", include_str!("../tests/c/nss_constant.c")).unwrap();
    let layout =
        "-nostartfiles -Wl,-z,now -Wl,-z,relro -Wl,-z,noseparate-code -Wl,--hash-style=gnu -Wl,-s";
    s.run(&format!(
        "cc -O2 -shared -fPIC {layout} -o {object} /tmp/constant.c"
    ))
    .ok();
    fs::copy(&object, format!("/usr/lib/{}/{CONSTANT}", library.trim())).unwrap();
    fs::write("/tmp/least.c", include_str!("../tests/c/nss_least.c")).unwrap();
    fs::write("/tmp/least.ld", include_str!("../tests/c/nss_least.ld")).unwrap();
    let layout = "-nostdlib -Wl,-T,/tmp/least.ld -Wl,--hash-style=gnu -Wl,--build-id=none -Wl,-s";
    let object = format!("/usr/lib/{}/libnss_least.so.2", library.trim());
    s.run(&format!(
        "cc -O2 -shared -fPIC {layout} -o {object} /tmp/least.c"
    ))
    .ok();
    s.run("ldconfig").ok();
    let hosts = "127.0.0.1 localhost\n192.0.2.10 name.test\n2001:db8::10 name.test\n192.0.2.11 v4only.test\n";
    fs::write("/etc/hosts", hosts).unwrap();
    fs::create_dir_all("/etc/systemd/resolved.conf.d").unwrap();
    fs::write(
        "/etc/systemd/resolved.conf.d/hosts.conf",
        "[Resolve]\nReadEtcHosts=no\n",
    )
    .unwrap();
    fs::write("/etc/nscd.conf", NSCD).unwrap();
}

const NSCD: &str = "\
enable-cache hosts yes
positive-time-to-live hosts 3600
negative-time-to-live hosts 3600
check-files hosts no
persistent hosts no
shared hosts yes
enable-cache passwd no
enable-cache group no
enable-cache services no
enable-cache netgroup no
";

fn folder(way: Way) -> &'static str {
    match way {
        Systemd => "/tmp/peer",
        Constant => "/tmp/constant",
        _ => "/tmp/ours",
    }
}

/// The module of a way, by its path; not for what has none.
fn module(way: Way) -> Option<String> {
    match way {
        Ours | Systemd => Some(format!("{}/{MODULE}", folder(way))),
        Constant => Some(format!("{}/{CONSTANT}", folder(way))),
        Nscd | Files | Least => None,
    }
}

fn use_service(service: &str) {
    fs::write("/etc/nsswitch.conf", format!("hosts: {service}\n")).unwrap();
}

impl Bench {
    fn measure(&mut self, way: Way) {
        use_service(match way {
            Ours | Systemd | Nscd => "resolve",
            Files => "files",
            Constant => "constant",
            Least => "least",
        });
        let nscd = (way == Nscd).then(|| {
            fs::create_dir_all("/run/nscd").unwrap();
            let ready = Ready::Socket("/run/nscd/socket".into());
            Daemon::start("nscd", &["nscd", "--foreground"], &[], ready)
        });
        for (at, (_, arguments, expected)) in COSTS.iter().enumerate() {
            let (what, rest) = arguments.split_once(' ').unwrap();
            let Some(rest) = arguments_of(way, rest) else {
                continue;
            };
            // A batch of about a millisecond.
            let count = if way == Systemd { 20 } else { 200 };
            let line = format!("{} {what} {count} {rest}", self.cost);
            // The first from the name server, the second from the cache, and known from then on.
            (0..2).for_each(|_| drop(self.run(way, &line)));
            let figure = figure(&self.run(way, &line), expected);
            self.add(way, at, figure);
        }
        if let Some(module) = module(way) {
            let line = format!("{} first 1 {module} v4only.test", self.cost);
            let first = (0..FIRST).map(|_| figure(&self.run(way, &line), "1,1"));
            let first = median(&mut first.collect::<Vec<_>>());
            self.add(way, FIRST_LOOKUP, first);
        }
        let lookups = if way == Systemd { 10_000 } else { 100_000 };
        let line = format!("{} {THREADS} {lookups} v4only.test", self.threads);
        let figure = figure(&self.run(way, &line), "0");
        self.add(way, FROM_THREADS, figure);
        if let Some(nscd) = nscd {
            nscd.end();
            fs::remove_dir_all("/run/nscd").unwrap();
        }
    }

    /// getent, from its start to its end, by our module and by files in turn: the least time, since a process that is disturbed
    /// tells of the machine.
    fn processes(&mut self) {
        use_service("resolve");
        let ways = "hosts:resolve hosts:files hosts:constant hosts:least -- hosts name.test";
        let line = format!("{} least 60 {ways}", self.time);
        let run = || {
            let run = Command::shell(&line).timeout(Duration::from_secs(60));
            run.run().ok()
        };
        run();
        let said = run();
        for (way, line) in [Ours, Files, Constant, Least].into_iter().zip(said.lines()) {
            self.add(way, GETENT, figure(line, "0"));
        }
    }

    fn run(&self, way: Way, line: &str) -> String {
        let run = Command::shell(line).env("LD_LIBRARY_PATH", folder(way));
        run.timeout(Duration::from_secs(60)).run().ok()
    }

    fn add(&mut self, way: Way, at: usize, figure: f64) {
        self.of(way)[at].push(figure);
    }

    fn of(&mut self, way: Way) -> &mut Figures {
        let at = WAYS.iter().position(|(other, _)| *other == way).unwrap();
        &mut self.figures[at]
    }

    /// The median over all rounds.
    fn median(&mut self, way: Way, at: usize) -> Option<f64> {
        let figures = &mut self.of(way)[at].clone();
        (!figures.is_empty()).then(|| median(figures))
    }

    /// How many times what `other` takes `way` does, round by round.
    fn ratio(&mut self, way: Way, other: Way, at: usize) -> f64 {
        let others = self.of(other)[at].clone();
        let own = &self.of(way)[at];
        let mut ratios: Vec<_> = own.iter().zip(others).map(|(a, b)| a / b).collect();
        median(&mut ratios)
    }

    fn report(&mut self) -> i32 {
        println!("median of {ROUNDS} rounds, µs");
        print!("{:36}", "");
        WAYS.iter().for_each(|(_, name)| print!("{name:>12}"));
        println!();
        let threads = format!("{THREADS} threads, getaddrinfo a second");
        let labels = COSTS.iter().map(|(what, ..)| *what);
        let more = [
            "first lookup, the module loaded",
            &threads,
            "getent hosts, least",
        ];
        for (at, label) in labels.chain(more).enumerate() {
            print!("{label:36}");
            for (way, _) in WAYS {
                match self.median(way, at) {
                    Some(figure) if at == FROM_THREADS => print!("{figure:12.0}"),
                    Some(figure) => print!("{figure:12.3}"),
                    None => print!("{:>12}", "-"),
                }
            }
            println!();
        }
        self.goals().status()
    }

    fn goals(&mut self) -> Goals {
        let mut goals = Goals::default();
        for (at, (what, ..)) in COSTS.iter().enumerate() {
            if what.starts_with("entry") {
                let figure = self.median(Ours, at).unwrap();
                goals.at_most(&format!("{what}, µs"), figure, 0.5);
            } else {
                let ratio = self.ratio(Ours, Constant, at);
                goals.at_most(&format!("{what}, to a constant"), ratio, 1.05);
            }
        }
        let first = self.median(Ours, FIRST_LOOKUP).unwrap();
        goals.at_most("first lookup, µs", first, 25.0);
        let rate = self.median(Ours, FROM_THREADS).unwrap();
        goals.at_least("lookups a second from threads", rate, 100_000.0);
        let ratio = self.ratio(Ours, Files, GETENT);
        goals.at_most("getent hosts, to that by files", ratio, 1.03);
        let ratio = self.ratio(Constant, Files, GETENT);
        goals::print_floor("getent hosts by the constant, to that by files", ratio);
        let ratio = self.ratio(Least, Files, GETENT);
        goals::print_floor("getent hosts by the least, to that by files", ratio);
        goals
    }
}

/// With the module in them, if a way has one.
fn arguments_of(way: Way, arguments: &str) -> Option<String> {
    match module(way) {
        Some(module) => Some(arguments.replace("MODULE", &module)),
        None => (!arguments.contains("MODULE")).then(|| arguments.to_owned()),
    }
}

/// What stands behind the outcome, which is checked.
fn figure(said: &str, expected: &str) -> f64 {
    let (outcome, figure) = said.trim_end().split_once(' ').unwrap();
    assert_eq!(outcome, expected, "{said}");
    figure.parse().unwrap()
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
