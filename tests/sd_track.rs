//! Following who is on the bus, by sd-bus beside the original: one C program does the same with both, and prints the same.

mod sd_probe;

use sd_probe::{OURS, Probe, open_bus, quiet};
use support::{Daemon, Sandbox, sandbox};

const PROBE: &str = include_str!("c/track_probe.c");

/// The program beside a bus.
fn probe(s: &Sandbox) -> (Daemon, Probe<'_>) {
    (open_bus(s), Probe::new(s, "track_probe", PROBE))
}

fn line(group: &str) -> String {
    format!("DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus $probe {group}")
}

/// Null and other mistakes, before a connection is begun and after it is over.
#[test]
fn places_that_are_not_there() {
    sandbox!(quiet(), |s| {
        let (_bus, probe) = probe(s);
        probe.compare(&line("nulls"), &[]);
    });
}

/// Names that are added, counted, listed and removed, and the handler that hears of the last.
#[test]
fn names() {
    sandbox!(quiet(), |s| {
        let (_bus, probe) = probe(s);
        let said = probe.compare(&line("names"), &[]);
        assert_eq!(said.matches("emptied: plain").count(), 2, "{said}");
        assert_eq!(said.matches("emptied: recursive").count(), 1, "{said}");
    });
}

/// Names that are given up, that leave with who has them, and that another takes.
#[test]
fn names_that_leave() {
    sandbox!(quiet(), |s| {
        let (_bus, probe) = probe(s);
        let said = probe.compare(&line("leaving"), &[]);
        assert!(said.contains("a name is given up"), "{said}");
    });
}

/// Handlers that free the track they are called for, fill it again, make others, and close the bus.
#[test]
fn handlers() {
    sandbox!(quiet(), |s| {
        let (_bus, probe) = probe(s);
        let said = probe.compare(&line("handlers"), &[]);
        assert!(said.contains("still 0\ndestroyed: self\n"), "{said}");
    });
}

#[test]
fn senders_of_messages() {
    sandbox!(quiet(), |s| {
        let (_bus, probe) = probe(s);
        probe.compare(&line("senders"), &[]);
    });
}

/// The connection is lost, and closed.
#[test]
fn the_end_of_a_connection() {
    sandbox!(quiet(), |s| {
        let (_bus, probe) = probe(s);
        let said = probe.compare(&line("closing"), &[]);
        assert!(said.contains("emptied: two names, count 0"), "{said}");
    });
}

/// A callback frees a track, and the slot of a match, that the same message is for.
#[test]
fn what_is_taken_away_is_not_called() {
    sandbox!(quiet(), |s| {
        let (_bus, probe) = probe(s);
        let said = probe.compare(&line("taken_away"), &[]);
        assert!(!said.contains("changed"), "{said}");
    });
}

#[test]
fn a_process_that_was_forked() {
    sandbox!(quiet(), |s| {
        let (_bus, probe) = probe(s);
        // Theirs makes one with which nothing can be done.
        let said = probe.compare(&line("forked"), &["sd_bus_track_new(bus, &u"]);
        assert!(
            said.contains("&u, emptied, \"another\") = -10 ECHILD"),
            "{said}"
        );
    });
}

/// Theirs calls a handler that answers 0 for ever, and can't follow the bus itself.
#[test]
fn where_the_original_is_weak() {
    sandbox!(quiet(), |s| {
        let (_bus, probe) = probe(s);
        let said = probe.with(OURS, &line("weak"));
        assert_eq!(said.matches("called: once").count(), 2, "{said}");
        assert!(said.contains("\"org.freedesktop.DBus\") = 1 \n"), "{said}");
    });
}
