//! Being told that memory is short, by files and sockets as a service manager names them; and what else sd-event has since 254, which
//! the original beside which the others are tested has not. What is expected here is what Debian's 262 printed.

mod sd_probe;

use std::fs;

use sd_probe::{OURS, Probe, quiet};
use support::{Sandbox, sandbox, skip_for_machine};

const PROBE: &str = include_str!("c/pressure_probe.c");

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "pressure_probe", PROBE)
}

/// The answers of what was called, in their order.
fn answers(said: &str) -> Vec<&str> {
    let answers = said.lines().filter_map(|line| line.split_once(" = "));
    answers.map(|(_, answer)| answer.trim()).collect()
}

#[test]
fn errors() {
    sandbox!(quiet(), |s| {
        let said = probe(s).with(OURS, "$probe errors");
        let expected = [
            "-112 EHOSTDOWN",
            "-74 EBADMSG",
            "-112 EHOSTDOWN",
            "-74 EBADMSG",
            "-2 ENOENT",
            "-21 EISDIR",
            "-25 ENOTTY",
            "-22 EINVAL",
            "0",
            "-16 EBUSY",
            "-16 EBUSY",
            "0",
            "-16 EBUSY",
            "-16 EBUSY",
            "0",
            "-16 EBUSY",
            "-16 EBUSY",
            "-2 ENOENT",
            "-22 EINVAL",
            "-33 EDOM",
            "-33 EDOM",
            "-33 EDOM",
            "-22 EINVAL",
            "-22 EINVAL",
            "-22 EINVAL",
            "0",
            "1",
            "0",
            "0",
            "0",
            "-116 ESTALE",
        ];
        assert_eq!(answers(&said), expected, "{said}");
    });
}

#[test]
fn by_a_fifo() {
    sandbox!(quiet(), |s| {
        let said = probe(s).with(OURS, "$probe fifo");
        assert_eq!(said.matches("told: fifo").count(), 3, "{said}");
        let expected = [
            "0", "0", "1", "1", "0", "1", "1", "0", "1", "0", "1", "0", "0", "1", "1", "-1 EPERM",
            "0", "1", "1",
        ];
        assert_eq!(answers(&said), expected, "{said}");
    });
}

/// Theirs tells without end of a socket that was closed.
#[test]
fn by_a_socket() {
    sandbox!(quiet(), |s| {
        let said = probe(s).with(OURS, "$probe socket");
        assert!(said.contains("\nsome 1 2\n"), "{said}");
        assert_eq!(said.matches("told: socket").count(), 1, "{said}");
        let enabled = "sd_event_source_get_enabled(s, &enabled) = 0";
        assert!(said.trim_end().ends_with(enabled), "{said}");
    });
}

#[test]
fn by_the_kernel() {
    sandbox!(quiet(), |s| {
        let own = fs::OpenOptions::new()
            .write(true)
            .open("/proc/pressure/memory");
        if own.is_err() {
            skip_for_machine!("the kernel does not tell of pressure");
        }
        let said = probe(s).with(OURS, "$probe kernel");
        let expected = [
            "0",
            "-22 EINVAL",
            "-22 EINVAL",
            "0",
            "1",
            "0",
            "-34 ERANGE",
            "-34 ERANGE",
            "-34 ERANGE",
            "-22 EINVAL",
            "1",
            "0",
            "0",
            "-16 EBUSY",
            "-16 EBUSY",
        ];
        assert_eq!(answers(&said), expected, "{said}");
    });
}

#[test]
fn paths_of_watched_files() {
    sandbox!(quiet(), |s| {
        let said = probe(s).with(OURS, "$probe paths");
        let lines: Vec<&str> = said.lines().filter(|line| line.starts_with('/')).collect();
        assert_eq!(lines, ["/tmp/pressure/fifo", "/tmp/pressure"], "{said}");
    });
}
