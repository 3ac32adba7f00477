//! How waiting for a bus ends: by an answer, too late, by a signal, by the peer's end. One C program calls the same functions
//! of the original and of ours, and prints the same.

mod sd_probe;

use sd_probe::{OURS, Probe, quiet};
use support::{Sandbox, sandbox};

const PROBE: &str = include_str!("c/wait_probe.c");

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "wait_probe", PROBE)
}

/// That the process was stopped and goes on is not told.
#[test]
fn by_a_socket() {
    sandbox!(quiet(), |s| {
        let said = probe(s).compare("$probe socket", &[]);
        let count = |what: &str| said.matches(what).count();
        assert_eq!(count("stop = 1 "), 4, "{said}");
        assert_eq!(count("silence = -110 ETIMEDOUT"), 1, "{said}");
    });
}

/// A call goes on, and who waits has something to do. 252 answers EINTR to both.
#[test]
fn by_a_handler_of_a_signal() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = if sd_probe::NEWER {
            probe.compare("$probe signals", &[])
        } else {
            probe.with(OURS, "$probe signals")
        };
        let count = |what: &str| said.matches(what).count();
        assert_eq!(count("call signal = 1 "), 2, "{said}");
        assert_eq!(count("wait signal = 1 "), 2, "{said}");
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
