//! What it costs machined to share what it knows: machines that come and go, and questions of nss-mymachines, with the map and
//! with SWITCHYARD_LOOKASIDE=no; daemon and client on one core, in turn, round by round.

#[path = "figures.rs"]
mod figures;
#[path = "goals.rs"]
mod goals;
#[path = "one_core.rs"]
mod one_core;

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use figures::{Figures, compare_with_and_without};
use goals::Goals;
use support::{Daemon, Options, Ready, Sandbox, Via, run_program};

const ROUNDS: usize = 15;
const TIMES: usize = 2_000;
const MACHINED: &str = "/usr/libexec/switchyard/machined";
const MACHINE: &str = "/run/systemd/machine/io.systemd.Machine";
const MACHINES: &str = "/run/switchyard/machined/io.switchyard.Machines";
const KINDS: [&str; 3] = [
    "a machine that comes and goes",
    "ResolveHostname of a container",
    "ResolveHostname, no such name",
];

fn main() {
    one_core::pin();
    let options = Options::new()
        .machined(None)
        .bus(false)
        .timeout(Duration::from_secs(1200));
    std::process::exit(run_program(&options, compare));
}

fn compare(s: &Sandbox) -> i32 {
    let (web, other) = (s.container("web").start(), s.container("other").start());
    let mut figures: [[Figures; 2]; KINDS.len()] = Default::default();
    for round in 0..ROUNDS {
        // Whoever comes first does so every other time.
        for turn in 0..2 {
            let at = (round + turn) % 2;
            let shared = [("SWITCHYARD_LOOKASIDE", ["yes", "no"][at])];
            let daemon = Daemon::start("machined", &[MACHINED], &shared, Ready::Notify);
            if round + turn == 0 {
                s.register(&web, Via::Varlink);
            }
            let pid = daemon.pid();
            let mut machine = Client::new(MACHINE);
            let register = format!(
                r#"{{"method":"io.systemd.Machine.Register","parameters":{{"name":"other","class":"container","leader":{}}}}}"#,
                other.leader()
            );
            let unregister =
                r#"{"method":"io.systemd.Machine.Unregister","parameters":{"name":"other"}}"#;
            figures[0][at].measure(pid, TIMES, || {
                machine.call(&register, r#"{"parameters":"#);
                machine.call(unregister, r#"{"parameters":"#);
            });
            let mut machines = Client::new(MACHINES);
            for (kind, name, expected) in [(1, "web", "addresses"), (2, "nope", "NoSuchMachine")] {
                let call = format!(
                    r#"{{"method":"io.switchyard.Machines.ResolveHostname","parameters":{{"name":"{name}"}}}}"#
                );
                figures[kind][at].measure(pid, 10 * TIMES, || machines.call(&call, expected));
            }
            daemon.end();
        }
    }
    let mut goals = Goals::default();
    figures::print_head("time", ROUNDS, TIMES);
    for (what, of) in KINDS.iter().zip(&figures) {
        compare_with_and_without(what, of, &mut goals);
    }
    goals.status()
}

/// One call after the other over one connection.
struct Client(UnixStream);

impl Client {
    fn new(path: &str) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        Self(stream)
    }

    fn call(&mut self, call: &str, expected: &str) {
        self.0.write_all(call.as_bytes()).unwrap();
        self.0.write_all(b"\0").unwrap();
        let (mut reply, mut length) = ([0; 4096], 0);
        while reply[..length].last() != Some(&0) {
            length += match self.0.read(&mut reply[length..]).unwrap() {
                0 => panic!("machined hung up"),
                count => count,
            };
        }
        let said = String::from_utf8_lossy(&reply[..length]);
        assert!(said.contains(expected), "{said}");
    }
}
