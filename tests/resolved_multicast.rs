//! LLMNR and mDNS between machines on one link: ours, systemd's, and Avahi.

mod resolved_multicast_world;

use std::time::Duration;

use resolved_multicast_world::{LLMNR_V4, LLMNR_V6, MDNS_V4, MDNS_V6, Machine, lay_link};
use support::{Options, Sandbox, Which, sandbox};

fn options() -> Options {
    Options::new()
        .machined(None)
        .bus(false)
        .timeout(Duration::from_secs(120))
}

const SOON: Duration = Duration::from_secs(20);

/// Waits until a name is found.
#[track_caller]
fn found(s: &Sandbox, by: &Machine, name: &str, family: i32, flags: u64, expected: &[&str]) {
    let mut last = Vec::new();
    let is_found = || {
        last = by.addresses(name, family, flags);
        last.retain(|address| !address.starts_with("fe80"));
        last == expected
    };
    let begun = std::time::Instant::now();
    let mut is_found = is_found;
    while !is_found() {
        assert!(
            begun.elapsed() < SOON,
            "{name} by {flags:#x}, family {family}"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = s;
}

/// Each finds the other's name and addresses.
fn by_llmnr(s: &Sandbox, one: &Machine, other: &Machine, v4: &str, v6: &str) {
    let name = &other.name;
    found(s, one, name, 2, LLMNR_V4, &[v4]);
    found(s, one, name, 10, LLMNR_V6, &[v6]);
    assert_eq!(one.names(v4, LLMNR_V4 | LLMNR_V6), [name.as_str()]);
    assert_eq!(one.names(v6, LLMNR_V4 | LLMNR_V6), [name.as_str()]);
    let error = one.addresses("nobody", 0, LLMNR_V4);
    assert_eq!(error, ["\"io.systemd.Resolve.DNSError\""]);
}

fn by_mdns(s: &Sandbox, one: &Machine, other: &Machine, v4: &str, v6: &str) {
    let name = &format!("{}.local", other.name);
    found(s, one, name, 2, MDNS_V4, &[v4]);
    found(s, one, name, 10, MDNS_V6, &[v6]);
    assert_eq!(one.names(v4, MDNS_V4), [name.as_str()]);
    assert_eq!(one.names(v6, MDNS_V6), [name.as_str()]);
    let error = one.addresses("nobody.local", 2, MDNS_V4);
    assert_eq!(error, ["\"io.systemd.Resolve.MaxAttemptsReached\""]);
}

fn each_finds_the_other(first: Which, second: Which) -> impl Fn(&Sandbox) {
    move |s| {
        if s.is_rootless() {
            return; // resolved becomes another user, and there is none
        }
        lay_link(s);
        let alpha = Machine::start(s, "alpha", 1);
        let beta = Machine::start(s, "beta", 2);
        alpha.resolved(first);
        beta.resolved(second);
        by_llmnr(s, &alpha, &beta, "10.99.0.2", "fd99::2");
        by_llmnr(s, &beta, &alpha, "10.99.0.1", "fd99::1");
        by_mdns(s, &alpha, &beta, "10.99.0.2", "fd99::2");
        by_mdns(s, &beta, &alpha, "10.99.0.1", "fd99::1");
    }
}

#[test]
fn ours_and_systemds_find_each_other() {
    sandbox!(options(), |s| each_finds_the_other(
        Which::Ours,
        Which::Peer
    )(s));
}

#[test]
fn ours_and_ours_find_each_other() {
    sandbox!(options(), |s| each_finds_the_other(
        Which::Ours,
        Which::Ours
    )(s));
}
