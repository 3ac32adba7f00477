//! sd-bus beside the original: one C program calls the same functions of both, and prints the same.

mod sd_probe;

use sd_probe::{OURS, Probe, open_bus, quiet};
use support::{Sandbox, Via, sandbox};

const PROBE: &str = include_str!("c/bus_probe.c");

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "bus_probe", PROBE)
}

#[test]
fn errors() {
    sandbox!(quiet(), |s| drop(probe(s).compare("$probe errors", &[])));
}

#[test]
fn names() {
    sandbox!(quiet(), |s| drop(probe(s).compare("$probe names", &[])));
}

#[test]
fn messages() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        probe.compare("$probe append", &[]);
        probe.compare("$probe containers", &[]);
        probe.compare("$probe read", &[]);
        // Theirs takes a member that begins with a digit, which the D-Bus specification does not allow.
        let members = [
            "1: sd_bus_message_new_method_call(bus, &m, \"a.b\", \"/c\", \"d.e\", t)",
            "1: sd_bus_message_new_signal(bus, &m, \"/c\", \"d.e\", t)",
        ];
        probe.compare("$probe headers", &members);
    });
}

#[test]
fn a_connection_in_each_state() {
    sandbox!(quiet(), |s| {
        // A fork's ECHILD comes first here.
        probe(s).compare("$probe states", &["sd_bus_start(bus) = -1"]);
    });
}

/// Who does not speak D-Bus, or hangs up, ends the connection at once. Theirs is not asked: it waits on after most of these.
#[test]
fn peers_that_lie() {
    sandbox!(quiet(), |s| {
        let said = probe(s).with(OURS, "$probe liars");
        // Silence, and an authentication that is as it should be, end nothing.
        let open = ["0 0: open 1 ended 0", "9 0: open 1 ended 0"];
        for line in said.lines() {
            let is_over = line.ends_with(": open 0 ended 1");
            assert_eq!(is_over, !open.contains(&line), "{said}");
        }
        assert_eq!(said.lines().count(), 28);
    });
}

/// Where the original crashes, or ends the program.
#[test]
fn misuse() {
    sandbox!(quiet(), |s| {
        let said = probe(s).with(OURS, "$probe misuse");
        assert!(
            said.ends_with("append_basic(m, 'i', NULL) = -22 EINVAL\n"),
            "{said}"
        );
    });
}

/// Against the real bus and our machined: calls, errors, properties.
#[test]
fn a_client() {
    sandbox!(|s| {
        let web = s.container("web").start();
        s.register(&web, Via::BusCreate);
        let said = probe(s).compare("$probe client", &[]);
        assert!(said.contains("web container"), "{said}");
    });
}

/// Two that speak with each other by a bus: names, matches, answers to callbacks, a server behind a filter, descriptors.
#[test]
fn peers() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        let line = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus $probe peers";
        let said = probe(s).compare(line, &[]);
        assert!(said.contains("passed"), "{said}");
    });
}

/// Objects with interfaces, called by another process: methods, properties, introspection, signals of changes.
#[test]
fn objects() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        let line = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus $probe objects";
        let said = probe(s).compare(line, &[]);
        assert!(said.contains("<method name=\"Add\">"), "{said}");
    });
}
