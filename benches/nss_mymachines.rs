//! Our nss-mymachines beside systemd's, with either machined: size, dlopen, and one lookup, all on one core.
//!
//! Lookups are those of the entry point `gethostbyname4_r`, in one process, without what getaddrinfo adds. Our machined is there
//! twice: sharing what it knows, and asked every time.

use support::{Daemon, Options, Ready, Sandbox, Via, run_program};

#[path = "goals.rs"]
mod goals;
#[path = "../tests/nss_probe.rs"]
mod nss_probe;
#[path = "one_core.rs"]
mod one_core;

use goals::Goals;
use nss_probe::{Behaviour, FakeDaemon, MACHINED, MODULE, compile};

const LOOKUPS: usize = 2000;
const OPENS: usize = 51;
const OURS: &str = "/usr/libexec/switchyard/machined";
const HOSTS: [&str; 2] = ["web", "no-such-machine"];

fn main() {
    one_core::pin();
    std::process::exit(run_program(&Options::new().machined(None), compare));
}

fn compare(s: &Sandbox) -> i32 {
    let probe = compile(s, "nss_probe", include_str!("../tests/c/nss_probe.c"), "");
    let library = s.run("cc -print-multiarch").ok();
    let path = format!("usr/lib/{}/{MODULE}", library.trim());
    let peers = std::env::var("SWITCHYARD_PEERS").unwrap();
    let modules = [
        ("systemd", format!("{peers}/{path}")),
        ("switchyard", format!("/{path}")),
    ];
    let mut goals = Goals::default();
    for (name, module) in &modules {
        let size = std::fs::metadata(module).unwrap().len();
        let opened = median((0..OPENS).map(|_| {
            let said = s
                .run(&format!(
                    "{probe} -n 2 {module} mymachines 4 no-such-machine"
                ))
                .ok();
            figure(&said, "dlopen=")
        }));
        println!("{name:10} module: {size} bytes, dlopen {opened} µs");
        if *name == "switchyard" {
            goals.at_most("size of the module, kB", size as f64 / 1000.0, 64.0);
            goals.at_most("dlopen of the module, µs", opened, 60.0);
        }
    }
    let web = s.container("web").start();
    for (name, program, lookaside) in [
        ("systemd", "/usr/lib/systemd/systemd-machined", "no"),
        ("switchyard", OURS, "yes"),
        ("unshared", OURS, "no"),
    ] {
        let ready = Ready::BusName("org.freedesktop.machine1".into());
        let shared = [("SWITCHYARD_LOOKASIDE", lookaside)];
        let daemon = Daemon::start(name, &[program], &shared, ready);
        s.register(&web, Via::BusRegister);
        let ours = look_up(s, &probe, &modules, name);
        if name == "switchyard" {
            for (host, time) in HOSTS.iter().zip(ours) {
                goals.at_most(&format!("lookup of {host} in the map, µs"), time, 0.5);
            }
        }
        s.run("busctl call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager UnregisterMachine s web").ok();
        daemon.end();
    }
    // The floor: what the module and the socket cost when the answer is there already.
    let reply = r#"{"parameters":{"addresses":[{"family":2,"address":[10,88,0,2]}],"name":"web"}}"#;
    let _daemon = FakeDaemon::start(MACHINED, Behaviour::reply(reply));
    look_up(s, &probe, &modules[1..], "no");
    goals.status()
}

/// The times of the last of the modules.
fn look_up(s: &Sandbox, probe: &str, modules: &[(&str, String)], machined: &str) -> Vec<f64> {
    let mut times = Vec::new();
    for (name, module) in modules {
        times.clear();
        for host in HOSTS {
            let said = s
                .run(&format!(
                    "{probe} -n {LOOKUPS} {module} mymachines 4 {host}"
                ))
                .ok();
            let (status, _) = said.split_once(' ').unwrap();
            let time = figure(&said, "median=");
            println!("{name:10} module, {machined:10} machined, {host:16} {status:8} {time} µs");
            times.push(time);
        }
    }
    times
}

fn figure(said: &str, key: &str) -> f64 {
    let rest = said.split(key).nth(1).unwrap();
    rest.split("us").next().unwrap().parse().unwrap()
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
