//! Our resolved finds machines by asking machined's hook: programs need no module of machined's.

use std::{
    fs,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use support::{Daemon, Options, Ready, Sandbox, Via, sandbox};

const RESOLVED: &str = "/usr/libexec/switchyard/resolved";
const SOCKET: &str = "/run/systemd/resolve/io.systemd.Resolve";

fn options() -> Options {
    Options::new().hosts("resolve")
}

/// Without a name server: what is not known here is not known.
fn start() -> Daemon {
    fs::create_dir_all("/etc/systemd").unwrap();
    let settings = "[Resolve]\nFallbackDNS=\nLLMNR=no\nMulticastDNS=no\nDNSStubListener=no\n";
    fs::write("/etc/systemd/resolved.conf", settings).unwrap();
    fs::write("/etc/hosts", "192.0.2.77 elsewhere\n").unwrap();
    Daemon::start(
        "resolved",
        &[RESOLVED],
        &[("RUST_BACKTRACE", "1")],
        Ready::Socket(SOCKET.into()),
    )
}

/// The addresses of a name by our module, and how long it took.
fn addresses(s: &Sandbox, name: &str) -> (Vec<String>, Duration) {
    let start = Instant::now();
    let found = s
        .run(&format!("timeout 20 getent ahosts {name} || true"))
        .ok();
    let took = start.elapsed();
    let stream = found.lines().filter(|line| line.contains("STREAM"));
    let first = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    (stream.map(first).collect(), took)
}

fn knows(s: &Sandbox, name: &str) -> bool {
    !addresses(s, name).0.is_empty()
}

#[test]
fn machines_come_and_go() {
    sandbox!(options(), |s| {
        let _resolved = start();
        assert!(!knows(s, "web"));
        let web = s.container("web").start();
        s.register(&web, Via::Varlink);
        let (found, _) = addresses(s, "web");
        assert!(found.contains(&web.ipv4()), "{found:?}");
        assert!(found.contains(&web.ipv6()), "{found:?}");
        assert!(knows(s, "WEB"));
        assert!(!knows(s, "below.web") && !knows(s, "webb"));
        web.kill();
        s.wait_for(|| !knows(s, "web"), "the end of a machine");
    });
}

#[test]
fn a_stopped_machined_delays_only_who_asks_for_machines() {
    sandbox!(options(), |s| {
        let _resolved = start();
        let web = s.container("web").start();
        s.register(&web, Via::Varlink);
        assert!(knows(s, "web"));
        s.machined().stop();
        let (found, took) = addresses(s, "elsewhere");
        assert_eq!(found, ["192.0.2.77"]);
        assert!(took < Duration::from_secs(1), "{took:?}");
        let (found, took) = addresses(s, "web");
        assert!(
            found.is_empty() && took < Duration::from_secs(8),
            "{found:?} {took:?}"
        );
        let (_, took) = addresses(s, "web");
        assert!(
            took < Duration::from_secs(1),
            "it is left alone for a while: {took:?}"
        );
        s.machined().cont();
        s.machined().restart();
        s.wait_for(
            || knows(s, "web"),
            "the machine, by the hook that came back",
        );
        s.machined().kill(Signal::KILL);
        s.machined().wait();
        let (found, took) = addresses(s, "web");
        assert!(
            found.is_empty() && took < Duration::from_secs(1),
            "{found:?} {took:?}"
        );
    });
}
