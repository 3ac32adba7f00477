//! Writing to the journal beside the original: one C program writes to a journal of its own, and prints what came there.

mod sd_probe;

use sd_probe::{OURS, Probe, quiet};
use support::{Sandbox, sandbox};

const PROBE: &str = include_str!("c/journal_probe.c");

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "journal_probe", PROBE)
}

#[test]
fn texts() {
    sandbox!(quiet(), |s| {
        let said = probe(s).compare("$probe text", &[]);
        assert!(said.contains("MESSAGE=from elsewhere|PRIORITY=6"), "{said}");
    });
}

#[test]
fn fields() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.compare("$probe fields", &[]);
        assert!(
            said.contains("|D=   42 3.14    ||E=two one|F=ff 10 9 FF|G=end|"),
            "{said}"
        );
        probe.compare("$probe without", &[]);
    });
}

/// What is too long for a datagram comes in a file that nobody can change.
#[test]
fn long_entries() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.compare("$probe big", &[]);
        assert!(said.contains("a file of 20971555, seals f"), "{said}");
        // Theirs fails with more fields than one call of sendmsg(2) takes.
        let said = probe.with(OURS, "$probe many");
        assert!(said.contains("seals f: A0=0|A1=1|"), "{said}");
        assert!(said.contains("|A1999=1999|CODE_FILE="), "{said}");
    });
}

#[test]
fn streams() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.compare("$probe streams", &[]);
        assert!(said.contains("name||6|0|0|0|0|a line|"), "{said}");
        // Theirs has no namespaces yet.
        let said = probe.with(OURS, "$probe namespaces");
        assert!(said.ends_with("\n1\nx||1|1|0|0|0|\n"), "{said}");
    });
}

/// What is written to no journal is as good as written.
#[test]
fn no_journal() {
    sandbox!(quiet(), |s| {
        let said = probe(s).compare("$probe nobody", &[]);
        assert!(said.contains("\"MESSAGE=x\", NULL) = 0"), "{said}");
    });
}

/// One socket serves all entries, also of a child, of threads, with another root and after the journal's restart.
#[test]
fn one_socket() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.compare("$probe kept", &[]);
        assert!(said.contains("come: 1\nabove: 1, flags: 1\n"), "{said}");
        assert!(said.contains("got 40: MESSAGE=another|"), "{said}");
        let said = probe.compare("$probe threads", &[]);
        assert!(said.ends_with("failed: 0\ncome: 1\n"), "{said}");
    });
}

/// Whoever closes the socket gets the next entry to the journal all the same, and what has its number then is left alone.
/// Theirs fails, or writes to it.
#[test]
fn a_socket_that_is_taken_away() {
    sandbox!(quiet(), |s| {
        let said = probe(s).with(OURS, "$probe taken");
        for entry in [
            "first",
            "closed",
            "a socket",
            "the same kind",
            "a file",
            "daemon",
        ] {
            assert!(said.contains(&format!(": MESSAGE={entry}|")), "{said}");
        }
        assert_eq!(said.matches("\nstray: -1, open: 0\ncome: 1\n").count(), 2);
        assert!(said.contains("\nsize: 0\nended with 0\n"), "{said}");
        assert!(
            said.ends_with("|SYSLOG_IDENTIFIER=probe|\ncome: 0\n"),
            "{said}"
        );
    });
}
