//! Our nss-mymachines beside systemd's, with either machined: size, dlopen, and one lookup, all on one core.
//!
//! Lookups are those of the entry point `gethostbyname4_r`, in one process, without what getaddrinfo adds.

use rustix::thread::{CpuSet, sched_setaffinity};
use support::{Daemon, Options, Ready, Sandbox, Via, run_program};

#[path = "goals.rs"]
mod goals;
#[path = "../tests/nss_probe.rs"]
mod nss_probe;

use goals::Goals;
use nss_probe::{Behaviour, FakeDaemon, MACHINED, MODULE, compile};

const LOOKUPS: usize = 2000;
const OPENS: usize = 51;

fn main() {
    let mut core = CpuSet::new();
    core.set(0);
    // Inherited by everything that starts from here.
    sched_setaffinity(None, &core).unwrap();
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
    for (name, program) in [
        ("systemd", "/usr/lib/systemd/systemd-machined"),
        ("switchyard", "/usr/libexec/switchyard/machined"),
    ] {
        let ready = Ready::BusName("org.freedesktop.machine1".into());
        let daemon = Daemon::start(name, &[program], &[], ready);
        s.register(&web, Via::BusRegister);
        look_up(s, &probe, &modules, name);
        s.run("busctl call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager UnregisterMachine s web").ok();
        daemon.end();
    }
    // The floor: what the module and the socket cost when the answer is there already.
    let reply = r#"{"parameters":{"addresses":[{"family":2,"address":[10,88,0,2]}],"name":"web"}}"#;
    let _daemon = FakeDaemon::start(MACHINED, Behaviour::reply(reply));
    look_up(s, &probe, &modules[1..], "no");
    goals.status()
}

fn look_up(s: &Sandbox, probe: &str, modules: &[(&str, String)], machined: &str) {
    for (name, module) in modules {
        for host in ["web", "no-such-machine"] {
            let said = s
                .run(&format!(
                    "{probe} -n {LOOKUPS} {module} mymachines 4 {host}"
                ))
                .ok();
            let (status, _) = said.split_once(' ').unwrap();
            let time = figure(&said, "median=");
            println!("{name:10} module, {machined:10} machined, {host:16} {status:8} {time} µs");
        }
    }
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
