//! What a connection of sd-bus can be beside a bus's client: a server, a peer, a monitor. One C program calls the same
//! functions of the original and of ours, and prints the same.

mod sd_probe;

use sd_probe::{OURS, Probe, by, open_bus, quiet, theirs};
use support::{Sandbox, sandbox, skip_for_machine};

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

/// One side is systemd's library and the other is ours.
#[test]
fn systemd_at_the_other_end() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let theirs = theirs(s);
        for (serve, call) in [
            ("serve", "call"),
            ("serve-anyone", "call"),
            ("serve-anyone", "call-anonymous"),
        ] {
            let between = |server: &str, client: &str| {
                let (server, client_by) = (by(s, server), by(s, client));
                // The program by itself, whichever of both is to run it.
                let line = format!(
                    "p=${{probe##* }}; rm -f /tmp/peer; {server} $p {serve} & \
                     until [ -S /tmp/peer ]; do sleep 0.02; done; {client_by} $p {call}; wait"
                );
                probe.once(client, &line)
            };
            let expected = between(&theirs, &theirs);
            assert!(
                expected.contains("sum 7\nsd_bus") && expected.contains("written 6\n"),
                "{expected}"
            );
            for (server, client) in [(OURS, theirs.as_str()), (&theirs, OURS), (OURS, OURS)] {
                assert_eq!(
                    between(server, client),
                    expected,
                    "{server} {client} {call}"
                );
            }
        }
    });
}

/// With a client in another user namespace.
#[test]
fn a_client_without_a_number() {
    sandbox!(quiet(), |s| {
        if s.run("unshare --user true").status != Some(0) {
            skip_for_machine!("there are no user namespaces");
        }
        let said = probe(s).compare("$probe namespace", &[]);
        assert!(said.ends_with("sum 7\n"), "{said}");
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
        let said = probe.compare("$probe limit", &[]);
        assert!(said.contains("after 90 s: 1"), "{said}");
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
