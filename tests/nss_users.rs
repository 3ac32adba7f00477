//! Users and groups of containers, asked of either machined in each state that it may be in: nothing is left behind.

mod nss_probe;

use std::fs;
use std::os::unix::net::UnixListener;

use nss_probe::{Probe, USERS};
use rustix::process::Signal;
use support::{Options, Sandbox, Via, Which, sandbox, skip};

fn each_state(s: &Sandbox, via: Via) {
    let web = s.container("web").user_namespace(200_000).start();
    s.register(&web, via);
    let probe = Probe::new(s);
    let state = |state: &str, status: &str| {
        for (function, argument, rest) in [
            ("pwnam", "vu-web-33", " vu-web-33:"),
            ("pwuid", "200033", " vu-web-33:"),
            ("grnam", "vg-web-33", " vg-web-33:"),
            ("grgid", "200033", " vg-web-33:"),
        ] {
            let said = probe.leaves_nothing(state, 10_000, function, argument);
            assert!(said.starts_with(status), "{state}, {function}: {said}");
            let found = status.starts_with("SUCCESS");
            assert_eq!(said.contains(rest), found, "{state}, {function}: {said}");
        }
        // A user of the host, about whom nobody is asked.
        let said = probe.leaves_nothing(state, 10_000, "pwuid", "1000");
        assert!(
            said.starts_with("NOTFOUND errno=0 h_errno=0"),
            "{state}: {said}"
        );
    };
    let machined = s.machined();
    state("alive", "SUCCESS errno=0");
    machined.stop();
    state("stopped", "UNAVAIL errno=110");
    machined.cont();
    state("going on", "SUCCESS errno=0");
    machined.kill(Signal::KILL);
    machined.wait();
    state("killed", "UNAVAIL errno=111");
    machined.start_again();
    state("back", "SUCCESS errno=0");
    machined.kill(Signal::KILL);
    machined.wait();
    fs::remove_file(USERS).unwrap();
    state("absent", "UNAVAIL errno=2");
    drop(UnixListener::bind(USERS).unwrap());
    state("in others' place", "UNAVAIL errno=111");
}

#[test]
fn ten_thousand_users_asked_of_ours_leave_nothing() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there are no users to give to a container");
        }
        each_state(s, Via::Varlink);
    });
}

#[test]
fn ten_thousand_users_asked_of_systemds_leave_nothing() {
    sandbox!(Options::new().machined(Which::Peer), |s| {
        if s.is_rootless() || !s.has_cgroups() {
            skip!(
                "systemd's machined registers nothing without cgroups, and there are no users to give"
            );
        }
        each_state(s, Via::BusRegister);
    });
}
