//! What a connection of sd-bus can be beside a bus's client: a server, a peer, a monitor. One C program calls the same
//! functions of the original and of ours, and prints the same.

mod sd_probe;

use std::fs;
use std::path::Path;
use std::time::Duration;

use sd_probe::{OURS, Probe, quiet};
use support::{Daemon, Sandbox, sandbox, skip_for_machine};

const PROBE: &str = include_str!("c/roles_probe.c");

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "roles_probe", PROBE)
}

#[test]
fn settings() {
    sandbox!(quiet(), |s| drop(probe(s).compare("$probe settings", &[])));
}

/// A server and its client, in one thread: each kind of authentication, then calls both ways, signals, descriptors.
#[test]
fn both_sides() {
    sandbox!(quiet(), |s| {
        let said = probe(s).compare("$probe pair", &[]);
        assert!(said.contains("passed"), "{said}");
        probe(s).compare("$probe direct", &[]);
    });
}

#[test]
fn a_server_of_its_own() {
    sandbox!(quiet(), |s| {
        let said = probe(s).compare("$probe processes", &[]);
        assert!(said.contains("server ended with 7"), "{said}");
    });
}

/// What a server answers to what clients may say, at once or byte by byte; and how long it listens.
#[test]
fn a_server_listens() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.compare("$probe hears", &[]);
        let is_in = |line: &&str| line.ends_with("failed 0 ready 1");
        assert_eq!(said.lines().filter(is_in).count(), 20, "{said}");
        probe.compare("$probe talks", &[]);
        probe.compare("$probe limit", &[]);
        let said = probe.compare("$probe packet", &[]);
        assert_eq!(
            said.matches("hears: /a org.example.A Early").count(),
            2,
            "{said}"
        );
    });
}

/// Nobody comes in without leave. The original takes the question for an identity for leave, and goes on with who does not
/// speak the protocol.
#[test]
fn a_server_lets_in_nobody_else() {
    sandbox!(quiet(), |s| {
        let said = probe(s).with(OURS, "$probe leave");
        assert_eq!(said.lines().count(), 40);
        for line in said.lines() {
            assert!(line.ends_with("failed 1 ready 0"), "{line}");
        }
    });
}

#[test]
fn the_signal_that_it_stands() {
    sandbox!(quiet(), |s| {
        let said = probe(s).compare("$probe connected", &[]);
        assert_eq!(said.matches("Local Connected from").count(), 4, "{said}");
    });
}

/// Looks on while two others speak.
#[test]
fn a_monitor() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        let line = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus $probe";
        let probe = probe(s);
        let said = probe.compare(&format!("{line} monitor"), &[]);
        assert_eq!(said.matches("seen: Add").count(), 3, "{said}");
        // The original answers what it sees, whereupon the bus throws it out.
        let said = probe.with(OURS, &format!("{line} monitor-alone"));
        assert_eq!(said.matches("seen: Add").count(), 3, "{said}");
        let end = "sd_bus_is_open(bus) = 1 \nanswered = 3 \n";
        assert!(said.ends_with(end), "{said}");
    });
}

/// Under valgrind: nothing is read that is not there, nothing is lost.
#[test]
fn memory() {
    sandbox!(quiet().timeout(Duration::from_secs(300)), |s| {
        if s.run("valgrind --version").status != Some(0) {
            skip_for_machine!("there is no valgrind");
        }
        let _bus = open_bus(s);
        let _compiled = probe(s);
        for group in [
            "settings",
            "pair",
            "direct",
            "processes",
            "packet",
            "connected",
            "monitor",
        ] {
            let line = format!(
                "export LD_LIBRARY_PATH={OURS} DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus; \
                 valgrind -q --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=9 \
                 --child-silent-after-fork=yes /tmp/roles_probe {group} 2>&1"
            );
            let checked = s.cmd("sh").args(["-c", &line]);
            checked.timeout(Duration::from_secs(60)).run().ok();
        }
    });
}

/// A bus where everybody may do everything.
fn open_bus(s: &Sandbox) -> Daemon {
    fs::write("/tmp/bus.conf", OPEN_TO_ALL).unwrap();
    let bus = s.spawn(
        "dbus",
        &["dbus-daemon", "--config-file=/tmp/bus.conf", "--nofork"],
    );
    s.wait_for(|| Path::new("/tmp/bus").exists(), "the bus");
    bus
}

const OPEN_TO_ALL: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:path=/tmp/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;
