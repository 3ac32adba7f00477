//! GetMachineAddresses through dbus-daemon, of systemd's machined and of ours: client, bus and daemon on one core.
//!
//! The client is as thin as can be, a blocking socket and a message made once, so that what is measured is the bus and the
//! daemon.

#[path = "../tests/machined_bus_raw.rs"]
mod raw;

use std::time::{Duration, Instant};

use raw::Raw;
use rustix::thread::{CpuSet, sched_setaffinity};
use support::{Daemon, Options, Ready, Sandbox, Via, run_program};
use zbus::Message;

const CALLS: usize = 5000;
const WARM_UP: usize = 200;

fn main() {
    let mut core = CpuSet::new();
    core.set(0);
    // Inherited by everything that starts from here.
    sched_setaffinity(None, &core).unwrap();
    let options = Options::new().machined(None);
    std::process::exit(run_program(&options, compare));
}

fn compare(s: &Sandbox) -> i32 {
    let web = s.container("web").start();
    let programs = [
        ("systemd", "/usr/lib/systemd/systemd-machined"),
        ("switchyard", "/usr/libexec/switchyard/machined"),
    ];
    println!("µs a call, {CALLS} calls           median      p90      p99");
    for (name, program) in programs {
        let ready = Ready::BusName("org.freedesktop.machine1".into());
        let daemon = Daemon::start(name, &[program], &[], ready);
        s.register(&web, Via::BusRegister);
        let mut client = Raw::connect();
        for (member, argument) in [
            ("GetMachineAddresses", Some("web")),
            ("GetMachine", Some("web")),
            ("Ping", None),
        ] {
            let call = message(member, argument);
            let mut times: Vec<Duration> = (0..WARM_UP + CALLS)
                .map(|_| time(&mut client, &call))
                .skip(WARM_UP)
                .collect();
            times.sort_unstable();
            let at = |part: usize| times[times.len() * part / 1000].as_nanos() as f64 / 1000.0;
            println!(
                "{name:10} {member:20} {:8.1} {:8.1} {:8.1}",
                at(500),
                at(900),
                at(990)
            );
        }
        println!("{name:10} memory {} kB", resident(daemon.pid()));
        s.run("busctl call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager UnregisterMachine s web");
        daemon.end();
    }
    0
}

/// The resident memory of a process, in kB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap()
}

fn message(member: &str, argument: Option<&str>) -> Vec<u8> {
    let interface = match argument {
        Some(_) => "org.freedesktop.machine1.Manager",
        None => "org.freedesktop.DBus.Peer",
    };
    let builder = Message::method_call("/org/freedesktop/machine1", member)
        .destination("org.freedesktop.machine1")
        .interface(interface);
    let message = match argument {
        Some(argument) => builder.build(&argument),
        None => builder.build(&()),
    };
    message.unwrap().data().bytes().to_vec()
}

fn time(client: &mut Raw, call: &[u8]) -> Duration {
    let begun = Instant::now();
    client.call(call).unwrap();
    begun.elapsed()
}
