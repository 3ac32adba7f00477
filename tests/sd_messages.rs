//! What a message can beside values, and paths of several names, beside the original's: the same calls, the same answers.

mod sd_probe;

use sd_probe::{OURS, Probe, open_bus, quiet};
use support::{Sandbox, sandbox};

const PROBE: &str = include_str!("c/message_probe.c");
const BUS: &str = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus";

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "message_probe", PROBE)
}

#[test]
fn dumps() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        let probe = probe(s);
        for environment in [
            "",
            "LC_ALL=C",
            "LC_ALL=C.UTF-8 LANG=C",
            "LC_ALL= LANG=C",
            "LC_ALL= LC_CTYPE= LANG=",
            "SYSTEMD_COLORS=1 TERM=xterm",
        ] {
            let line = format!("{BUS} {environment} $probe dump");
            let said = probe.compare(&line, &[]);
            assert!(said.contains("ErrorName="), "{said}");
        }
        for zone in ["UTC", "XYZ-5:45"] {
            let said = probe.compare(&format!("{BUS} TZ={zone} $probe time"), &[]);
            assert!(said.contains("aaa 0000-00-00 00:00:00.000000 "), "{said}");
        }
    });
}

#[test]
fn memory_files() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        // Theirs does not take a file that was sealed before.
        let known = ["sd_bus_message_append_array_memfd(m, 'u', twice"];
        probe(s).compare(&format!("{BUS} $probe memfds"), &known);
    });
}

#[test]
fn lists_and_leftovers() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        let probe = probe(s);
        for group in ["lists", "priorities", "enqueue"] {
            probe.compare(&format!("{BUS} $probe {group}"), &[]);
        }
    });
}

#[test]
fn paths_of_several_names() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        probe(s).compare(&format!("{BUS} $probe paths"), &[]);
    });
}

/// Where the original ends the program: a string out of a memory file is never one that can be read, there.
#[test]
fn misuse() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        let said = probe(s).with(OURS, &format!("{BUS} $probe misuse"));
        for line in ["STRING \"cdefgh\";", "STRING \"no end\";"] {
            assert!(said.contains(line), "{said}");
        }
        assert!(
            said.ends_with("sd_bus_message_read_strv_extend(NULL, &list) = -22 EINVAL\n"),
            "{said}"
        );
    });
}

/// Nothing of a message with secrets stays in memory: not of one that was thrown away, nor of a call and its answer at both ends.
#[test]
fn secrets() {
    sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        let said = probe(s).compare(&format!("{BUS} $probe sensitive"), &[]);
        assert!(said.contains("there 1\n"), "{said}");
        assert!(said.contains("left by a call and its answer 0\n"), "{said}");
    });
}
