//! How waiting for a bus ends: by an answer, too late, by a signal, by the peer's end. One C program calls the same functions
//! of the original and of ours, and prints the same.

mod sd_probe;

use sd_probe::{Probe, quiet};
use support::{Sandbox, sandbox};

const PROBE: &str = include_str!("c/wait_probe.c");

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "wait_probe", PROBE)
}

/// What a handler of a signal was called for is told, and that the process was stopped and goes on is not.
#[test]
fn by_a_socket() {
    sandbox!(quiet(), |s| {
        let said = probe(s).compare("$probe socket", &[]);
        let count = |what: &str| said.matches(what).count();
        assert_eq!(count("signal = -4 EINTR,"), 4, "{said}");
        assert_eq!(count(" = -4 "), 4, "{said}");
        assert_eq!(count("stop = 1 "), 4, "{said}");
        assert_eq!(count("silence = -110 ETIMEDOUT"), 1, "{said}");
    });
}

#[test]
fn by_pipes() {
    sandbox!(quiet(), |s| drop(probe(s).compare("$probe pipe", &[])));
}

/// Who shares a descriptor with a bus finds it as the original leaves it; and as much goes through it before anybody reads.
#[test]
fn what_a_descriptor_becomes() {
    sandbox!(quiet(), |s| {
        let said = probe(s).compare("$probe descriptor", &[]);
        assert!(said.contains("waits 0\n"), "{said}");
    });
}
