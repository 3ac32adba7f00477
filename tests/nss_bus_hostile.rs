//! A bus that is broken or lies, where systemd's machined would be: nss-mymachines must neither crash nor hang nor leak.

mod nss_bus_replies;
mod nss_probe;

use std::fs;
use std::thread;
use std::time::Duration;

use nss_bus_replies::{FOUND, TOO_LATE, replies, scoped, stalls};
use nss_probe::{Behaviour, FakeDaemon, Probe};
use support::{Options, sandbox};

const BUS: &str = "/run/dbus/system_bus_socket";
const STATE: &str = "/run/systemd/machines/web";

fn alone() -> Options {
    Options::new()
        .machined(None)
        .bus(false)
        .timeout(Duration::from_secs(120))
}

/// As systemd's machined leaves it.
fn write_state() {
    fs::write(STATE, "NAME=web\nCLASS=container\nNETIF=7\n").unwrap();
}

#[test]
fn any_reply() {
    sandbox!(alone(), |s| {
        write_state();
        let probe = Probe::new(s);
        let replies = replies();
        assert!(replies.len() >= 40);
        let bus = FakeDaemon::start(BUS, replies[0].1.clone());
        for (kind, behaviour, expected) in replies {
            bus.now(behaviour);
            probe.survives(s, kind, expected, 8, |_| {});
        }
    });
}

/// All at a time, each at a bus of its own.
#[test]
fn a_bus_that_does_not_answer_costs_one_deadline() {
    sandbox!(alone(), |s| {
        write_state();
        let probe = Probe::new(s);
        thread::scope(|scope| {
            for (number, (kind, behaviour)) in stalls().into_iter().enumerate() {
                let path = format!("/run/dbus/bus-{number}");
                let bus = FakeDaemon::start(&path, behaviour);
                let ask = probe
                    .command("-n 1000", "4", "web")
                    .env("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={path}"));
                scope.spawn(move || {
                    let run = ask.run();
                    let took = run.took.as_secs_f64();
                    let said = run.ok();
                    assert!(said.starts_with(TOO_LATE), "{kind}: {said}");
                    assert!(said.contains("fds=+0 "), "{kind}: {said}");
                    // A thousand and one in one process: one deadline, the rest at once.
                    assert!((4.9..6.5).contains(&took), "{kind}: {took}");
                    assert_eq!(bus.questions(), 1, "{kind}");
                });
            }
        });
    });
}

#[test]
fn ten_thousand_lookups_leave_nothing() {
    sandbox!(alone(), |s| {
        write_state();
        let probe = Probe::new(s);
        let state = |state: &str, expected: &str| {
            let said = probe.leaves_nothing(state, 10_000, "4", "web");
            assert!(said.starts_with(expected), "{state}: {said}");
        };
        state("absent", "UNAVAIL errno=2 h_errno=3");
        let bus = FakeDaemon::start(BUS, Behaviour::Refuse);
        // Only a missed deadline is held against a bus: all of these are asked each time.
        for (kind, behaviour, expected) in replies() {
            if EACH.contains(&kind) {
                bus.now(behaviour);
                let asked = bus.questions();
                state(kind, expected);
                assert!(bus.questions() > asked + 10_000, "{kind}");
            }
        }
        fs::remove_file(BUS).unwrap();
        drop(std::os::unix::net::UnixListener::bind(BUS).unwrap());
        state("dead", "UNAVAIL errno=111 h_errno=3");
    });
}

/// Of [`replies`]: well, without machined, not let in, dying.
const EACH: [&str; 4] = [
    "as a bus sends it",
    "ServiceUnknown",
    "rejected",
    "half a message",
];

/// Versions from 257 on put values in quotes; each version brings keys of its own.
#[test]
fn state_files_of_any_version() {
    sandbox!(alone(), |s| {
        let probe = Probe::new(s);
        let _bus = FakeDaemon::start(BUS, scoped());
        let v258 = "# This is private data. Do not parse.\nNAME=web\nUID=0\nSCOPE=machine-web.scope\n\
                    SERVICE=systemd-nspawn\nROOT=/var/lib/machines/web\nLEADER=42\nLEADER_PIDFDID=1234567890123\n\
                    SUPERVISOR=41\nSUPERVISOR_PIDFDID=1234567890122\nCLASS=container\nREALTIME=1\nMONOTONIC=1\n";
        for (netif, scope) in [
            ("NETIF=7\n", "%7"),
            ("NETIF=\" 7\"\n", "%7"),
            ("NETIF=\"7\"\n", "%7"),
            ("NETIF=7", "%7"),
            ("NETIF=\" 7 8\"\n", ""),
            ("NETIF=\n", ""),
            ("", ""),
            (
                "NETIF=\"7\"\nNETIF2=9\nCONTROL_ADDRESS=unix:/run/x\n=\n\n",
                "%7",
            ),
        ] {
            fs::write(STATE, format!("{v258}{netif}")).unwrap();
            let found = format!("{FOUND} fe80::1{scope}");
            assert_eq!(probe.ask("4", "web"), found, "{netif:?}");
        }
        fs::write(
            STATE,
            format!(
                "CLASS=\"container\"\nNETIF=\"7\"\nROOT=\"/{}\"\n",
                "x".repeat(9000)
            ),
        )
        .unwrap();
        assert_eq!(probe.ask("4", "web"), format!("{FOUND} fe80::1%7"));
    });
}
