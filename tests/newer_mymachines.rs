//! nss-mymachines and machined beside those of a newer systemd: each module with each machined.

mod nss_probe;
#[path = "nss_pairs/world.rs"]
mod world;

use std::time::Duration;

use nss_probe::{MODULE, Probe, seconds};
use support::{Daemon, Options, Ready, Sandbox, Via, newer_sandbox, skip};
use world::{Machined, World};

const NEWER: [&str; 2] = ["newer", "/usr/lib/systemd/systemd-machined"];

fn options() -> Options {
    Options::new().machined(None)
}

/// The newer module, loaded by the C library that it came with.
fn theirs(s: &Sandbox) -> Probe<'_> {
    Probe::newer(s, MODULE)
}

#[test]
fn pairs_agree() {
    newer_sandbox!(options(), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        let world = World::new(s);
        world.with(Machined::Theirs, &NEWER, &theirs(s));
        let ours = ["/usr/libexec/switchyard/machined"];
        world.with(Machined::Ours, &ours, &theirs(s));
    });
}

/// What getent says of the container by the newer C library and module.
fn getent(s: &Sandbox, name: &str) -> String {
    let line = format!("newer getent -s hosts:mymachines ahosts {name} | cut -d' ' -f1 | sort -u");
    s.run(&line).ok().replace('\n', " ")
}

#[test]
fn its_getent_finds_our_machines() {
    newer_sandbox!(options(), |s| {
        s.start_machined(support::Which::Ours);
        let web = s.container("web").start();
        s.register(&web, Via::BusRegister);
        let said = getent(s, "web");
        for address in [web.ipv4(), web.ipv6()] {
            assert!(said.contains(&address), "{said}");
        }
        assert_eq!(getent(s, "nope"), "");
        web.kill();
        s.wait_for(|| getent(s, "web").is_empty(), "the machine to be gone");
    });
}

#[test]
fn without_its_machined() {
    newer_sandbox!(options(), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        let ready = Ready::BusName("org.freedesktop.machine1".into());
        let machined = Daemon::start("newer-machined", &NEWER, &[], ready);
        let web = s.container("web").start();
        s.register(&web, Via::BusRegister);
        let ours = Probe::new(s);
        // A link-local address comes when it has been found to be nobody else's.
        let found = || {
            let said = ours.ask("4", "web");
            let expected = format!("SUCCESS errno=0 h_errno=0 ttl=0 name=web {} ", web.ipv4());
            assert!(said.starts_with(&expected), "{said}");
        };
        found();
        // Stopped: what is a machine's can't be had, within the time that a bus is given; what is none costs nothing.
        machined.stop();
        let (said, took) = seconds(|| ours.ask("4", "web"));
        assert!(said.starts_with("UNAVAIL errno=110"), "{said}");
        assert!(took < Duration::from_secs(20).as_secs_f64(), "{took} s");
        assert!(ours.ask("4", "nope").starts_with("NOTFOUND"));
        machined.cont();
        found();
        // Ended: its files stay, and nobody has its name.
        machined.end();
        let said = ours.ask("4", "web");
        assert!(said.starts_with("UNAVAIL"), "{said}");
        assert!(ours.ask("4", "nope").starts_with("NOTFOUND"));
        machined.start_again();
        found();
    });
}
