//! Buses in loops of events beside the original: one C program calls the same functions of both, and prints the same.

mod sd_probe;

use sd_probe::{Probe, open_bus, quiet};
use support::{Sandbox, sandbox};

const PROBE: &str = include_str!("c/attach_probe.c");

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "attach_probe", PROBE)
}

/// Which loop a bus has and keeps, what it is told to do at the end, and who it says that it is.
#[test]
fn settings() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.compare("$probe states", &[]);
        assert!(said.contains("gone: third"), "{said}");
        probe.compare("$probe sender", &[]);
    });
}

/// A peer that sends, and hangs up: by a socket or two pipes, with an end of the loop or without.
#[test]
fn a_peer_that_hangs_up() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.compare("$probe disconnect", &[]);
        assert_eq!(said.matches("the loop goes on").count(), 12, "{said}");
        probe.compare("$probe exits", &[]);
    });
}

#[test]
fn what_comes_first() {
    sandbox!(quiet(), |s| {
        let said = probe(s).compare("$probe priority", &[]);
        assert!(said.contains("something else"), "{said}");
    });
}

/// Callbacks that free the bus and the loop, or take one out of the other.
#[test]
fn from_within() {
    sandbox!(quiet(), |s| drop(probe(s).compare("$probe within", &[])));
}

#[test]
fn a_process_that_was_forked() {
    sandbox!(quiet(), |s| {
        // Theirs has only half of the functions say that.
        let known = [
            "sd_bus_detach_event(bus) = ",
            "sd_bus_set_close_on_exit(bus, 0) = ",
            "sd_bus_get_exit_on_disconnect(bus) = ",
        ];
        let said = probe(s).compare("$probe forked", &known);
        assert!(said.contains("the loop goes on"), "{said}");
    });
}

/// A server with a table of methods, a client that calls it and hears its signals, a timer and an end, all in one loop.
#[test]
fn a_program_of_one_loop() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        let line = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus $probe whole";
        let said = probe(s).compare(line, &[]);
        assert!(said.contains("5 answers, 5 signals, 1"), "{said}");
        assert!(said.contains("last: type s Word"), "{said}");
    });
}
