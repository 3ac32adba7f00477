//! sd-event beside the original: one C program goes round in the loops of both, and prints the same.

mod sd_probe;

use sd_probe::{OURS, Probe, quiet};
use support::{Sandbox, sandbox};

const PROBE: &str = include_str!("c/event_probe.c");

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "event_probe", PROBE)
}

/// Compares a group; what is expected shows that the original did what the group is about.
#[track_caller]
fn compare(s: &Sandbox, group: &str, known: &[&str], expected: &[&str]) {
    let said = probe(s).compare(&format!("$probe {group}"), known);
    for expected in expected {
        assert!(said.contains(expected), "{expected}:\n{said}");
    }
}

/// What every function says of no loop, of each kind of source, and of a loop that is over.
#[test]
fn errors() {
    sandbox!(quiet(), |s| {
        // The original lets the flags fall; the kernel says that there are none such.
        let flags = "sd_event_source_send_child_signal(s, SIGCONT, NULL, 1U << 31)";
        // EBADF since 252, as the kernel says.
        let closed = "sd_event_add_child_pidfd(e, NULL, 1000, ";
        let expected = ["EDOM", "ESTALE", "ENOPKG", "sd_event_loop(e) = 7"];
        compare(s, "errors", &[flags, closed], &expected);
    });
}

/// What it says in another process, and that nothing is lost for the first one.
#[test]
fn after_a_fork() {
    sandbox!(quiet(), |s| {
        let expected = [
            "sd_event_run(e, 0) = -10 ECHILD",
            "  signal: it 37 own 0\n",
            "  inotify: it 0x40000100 sub\n",
            "  child: it 2 15 itself 17\n",
        ];
        compare(s, "forked", &[], &expected);
    });
}

#[test]
fn who_comes_first() {
    sandbox!(quiet(), |s| {
        let order = "  turn: d\n  turn: b\n  turn: a\n  turn: c\n  turn: e\n  idle: 0 \n";
        let expected = [order, "  turn: post\n", "sd_event_loop(e) = 42 "];
        compare(s, "order", &[], &expected);
    });
}

/// A callback may free its own source, others, and the loop.
#[test]
fn callbacks_that_free() {
    sandbox!(quiet(), |s| {
        compare(s, "freeing", &[], &["  freed\n", "  destroyed: last\n"]);
    });
}

#[test]
fn limits() {
    sandbox!(quiet(), |s| {
        compare(s, "limits", &[], &["expired > 0 = 1"]);
    });
}

#[test]
fn times() {
    sandbox!(quiet(), |s| {
        compare(s, "times", &[], &["  time: third as set\n"]);
    });
}

#[test]
fn signals() {
    sandbox!(quiet(), |s| {
        compare(s, "signals", &[], &["  signal: three 34 own 2\n"]);
    });
}

#[test]
fn children() {
    sandbox!(quiet(), |s| {
        let expected = [
            "  child: exits 1 7 itself 17\n",
            "  child: all 5 19 itself",
            "  child: pidfd 1 3 itself 17\n",
        ];
        compare(s, "children", &[], &expected);
    });
}

#[test]
fn files() {
    sandbox!(quiet(), |s| {
        let expected = ["  inotify: moves 0x80 a longer name than before\n"];
        compare(s, "files", &[], &expected);
    });
}

#[test]
fn default_and_inner_loops() {
    sandbox!(quiet(), |s| {
        compare(s, "whole", &[], &["sd_event_loop(SD_EVENT_DEFAULT) = 5"]);
    });
}

#[test]
fn the_watchdog() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let told = "NOTIFY_SOCKET=/tmp/event-notify";
        let said = probe.compare(&format!("WATCHDOG_USEC=400000 {told} $probe watchdog"), &[]);
        assert_eq!(said.matches("  WATCHDOG=1\n").count(), 3, "{said}");
        for time in ["", "WATCHDOG_USEC=0", "WATCHDOG_USEC=7 WATCHDOG_PID=1"] {
            probe.compare(&format!("{time} {told} $probe watchdog"), &[]);
        }
    });
}

/// Where the original crashes, goes round for ever, or loses signals.
#[test]
fn where_the_original_is_weak() {
    sandbox!(quiet(), |s| {
        let said = probe(s).with(OURS, "$probe weak");
        assert_eq!(said, WEAK);
    });
}

const WEAK: &str = "\
places that are not there
sd_event_source_get_priority(NULL, NULL) = -22 EINVAL
sd_event_get_iteration(e, NULL) = -22 EINVAL
changes that nobody wants
  idle: 0 
  inotify: two 0x200 a
  idle: 0 
sd_event_prepare(e) = 0 
sd_event_wait(e, 1000000) = 1 
sd_event_source_get_pending(s[0]) = 1 
sd_event_source_get_pending(s[0]) = 0 
  inotify: two 0x200 b
  idle: 0 
signals of several priorities
  signal: two 12 own 0
  signal: three 34 own 0
  signal: three 34 own 1
  signal: one 10 own 0
  idle: 0 
";
