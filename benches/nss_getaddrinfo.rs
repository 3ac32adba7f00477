//! getaddrinfo of a container, and `getent`, through systemd's pair of module and machined and through ours, each at a
//! live machined: programs, bus and daemon on one core.
//!
//! What is compared is measured in turn, so that whatever else the machine does meets both alike.

#[path = "goals.rs"]
mod goals;
#[path = "../tests/nss_probe.rs"]
mod nss_probe;
#[path = "one_core.rs"]
mod one_core;

use std::fs;

use goals::Goals;
use nss_probe::{MODULE, compile};
use support::{Daemon, Options, Ready, Sandbox, Via, run_program};

const ROUNDS: usize = 7;

/// getaddrinfo in one process: what is measured, the arguments of nss_time.
const LOOKUPS: [(&str, &str); 4] = [
    ("a container, three addresses", "look 500 web"),
    ("a container, one address", "look 500 one"),
    ("an unknown name", "look 2000 no-such-machine"),
    ("a name of the internet", "look 2000 www.example.org"),
];

/// `getent` as a process, by mymachines and by files in turn.
const PROCESSES: [(&str, &str); 2] = [
    ("found", "40 hosts:mymachines hosts:files -- hosts web"),
    (
        "unknown",
        "40 hosts:mymachines hosts:files -- hosts no-such-machine",
    ),
];

fn main() {
    one_core::pin();
    let options = Options::new().machined(None).hosts("mymachines");
    std::process::exit(run_program(&options, compare));
}

fn compare(s: &Sandbox) -> i32 {
    let time = compile(s, "nss_time", include_str!("../tests/c/nss_time.c"), "");
    let (web, one) = (s.container("web").start(), s.container("one").start());
    s.run(&format!(
        "nsenter -t {} -n ip -6 addr flush dev host0",
        one.leader()
    ))
    .ok();
    let hosts = "10.88.0.2 web\nfd00:88::2 web\nfe80::1%ve-web web\n10.88.1.2 one\n";
    fs::write("/etc/hosts", format!("127.0.0.1 localhost\n{hosts}")).unwrap();
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
    let mut goals = Goals::default();
    println!("median µs of {ROUNDS} rounds");
    let mut lookups = [const { Vec::new() }; 2];
    s.run("cp /etc/nsswitch.conf /tmp && sed -i 's/^hosts:.*/hosts: files/' /etc/nsswitch.conf")
        .ok();
    let files = look_up(s, &time);
    s.run("cp /tmp/nsswitch.conf /etc").ok();
    for ((name, program, module), lookups) in pairs.iter().zip(&mut lookups) {
        // Both found by the same search, so that programs start alike.
        let dir = format!("/tmp/{name}");
        fs::create_dir_all(&dir).unwrap();
        std::os::unix::fs::symlink(module, format!("{dir}/{MODULE}")).unwrap();
        let ready = Ready::BusName("org.freedesktop.machine1".into());
        let daemon = Daemon::start(name, &[program], &[], ready);
        for container in [&web, &one] {
            s.register(container, Via::BusRegister);
        }
        let time = format!("LD_LIBRARY_PATH={dir} {time}");
        *lookups = look_up(s, &time);
        for (case, arguments) in PROCESSES {
            let rounds = |kind: &str| -> Vec<_> {
                let line = format!("{time} {kind} {arguments}");
                (0..ROUNDS).map(|_| measure(s, &line)).collect()
            };
            let (runs, least) = (rounds("run"), rounds("least"));
            let of = |way: usize| median(runs.iter().map(|round| round[way]).collect());
            let ratio = median(runs.iter().map(|round| round[0] / round[1]).collect());
            let least = [0, 1].map(|way| {
                let all = least.iter().map(|round| round[way]);
                all.fold(f64::INFINITY, f64::min)
            });
            println!(
                "{name:10} getent, {case:8} {:9.1} by mymachines {:9.1} by files, ratio {ratio:.3}; least {:.1} and {:.1}, ratio {:.3}",
                of(0),
                of(1),
                least[0],
                least[1],
                least[0] / least[1]
            );
            // The least, since a process that is disturbed tells of the machine.
            if *name == "switchyard" && case == "found" {
                let ratio = least[0] / least[1];
                goals.at_most("getent by mymachines, to that by files", ratio, 1.05);
            }
        }
        for name in ["web", "one"] {
            s.run(&format!("busctl call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager UnregisterMachine s {name}")).ok();
        }
        daemon.end();
    }
    let [theirs, ours] = lookups;
    println!("getaddrinfo of                        systemd   switchyard    ratio   files");
    for (i, (case, _)) in LOOKUPS.iter().enumerate() {
        let (theirs, ours, files) = (theirs[i], ours[i], files[i]);
        let ratio = ours / theirs;
        println!("{case:35} {theirs:9.1} {ours:12.1} {ratio:8.3} {files:7.1}");
    }
    // Of more than one address glibc asks the kernel how far each is, which costs as much as all the rest.
    goals.at_most("getaddrinfo of a container, one address, µs", ours[1], 60.0);
    goals.status()
}

/// The medians of all lookups.
fn look_up(s: &Sandbox, time: &str) -> Vec<f64> {
    let rounds = |arguments: &str| {
        let line = format!("{time} {arguments}");
        median((0..ROUNDS).map(|_| measure(s, &line)[0]).collect())
    };
    LOOKUPS.map(|(_, arguments)| rounds(arguments)).to_vec()
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
