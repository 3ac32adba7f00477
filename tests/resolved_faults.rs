//! Our module at our resolved, which is killed, stopped, or has a server that is silent: right answers or none, in time.

mod nss_probe;
mod nss_resolve_load;
mod nss_resolve_world;

use std::fs;
use std::time::Duration;

use nss_probe::{Probe, seconds};
use nss_resolve_world::{MODULE, World, options};
use support::{Which, sandbox, skip};

/// The daemon is stopped.
const STOPPED: &str = "UNAVAIL errno=110 h_errno=3";
/// It was killed in the middle.
const HUNG_UP: &str = "UNAVAIL errno=104 h_errno=3";

#[test]
fn killed_and_restarted_under_64_threads() {
    sandbox!(options(), |s| nss_resolve_load::comes_and_goes(
        s,
        Which::Ours
    ));
}

/// `hosts: resolve [!UNAVAIL=return] dns`, and a resolv.conf with the servers themselves.
#[test]
fn stopped_it_costs_a_second_and_dns_is_asked() {
    sandbox!(options().hosts("resolve [!UNAVAIL=return] dns"), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let world = World::start_unshared(s);
        fs::write("/etc/resolv.conf", "nameserver 127.0.0.10\n").unwrap();
        let probe = Probe::of(s, MODULE);
        let getent = |name: &str| {
            s.run(&format!("timeout 9 getent ahostsv4 {name} || true"))
                .ok()
        };
        assert!(getent("name.test").contains("192.0.2.10"));
        world.resolved.stop();
        for (function, argument) in [
            ("4", "name.test"),
            ("2-6", "nope.test"),
            ("addr2", "192.0.2.10"),
        ] {
            let (said, took) = seconds(|| probe.ask(function, argument));
            assert_eq!(said, STOPPED, "{function}");
            assert!((0.95..2.5).contains(&took), "{function}: {took}");
        }
        let (said, took) = seconds(|| getent("v4only.test"));
        assert!(said.contains("192.0.2.11"), "{said}");
        assert!((0.95..2.5).contains(&took), "{took}");
        let (said, took) = seconds(|| getent("nope.test"));
        assert_eq!(said, "");
        assert!((0.95..2.5).contains(&took), "{took}");
        // One process pays once.
        let (said, took) = seconds(|| probe.ask_with("-n 1000", "4", "name.test"));
        assert!(said.starts_with(STOPPED), "{said}");
        assert!((0.95..2.5).contains(&took), "{took}");
        world.resolved.cont();
        assert!(probe.ask("4", "name.test").starts_with("SUCCESS"));
        // Gone, it costs nothing.
        world.resolved.kill(rustix::process::Signal::KILL);
        world.resolved.wait();
        assert_eq!(probe.ask("4", "name.test"), "UNAVAIL errno=111 h_errno=3");
        let (said, took) = seconds(|| getent("v4only.test"));
        assert!(said.contains("192.0.2.11") && took < 0.9, "{took} {said}");
        world.resolved.start_again();
        s.wait_for(
            || probe.ask("4", "name.test").starts_with("SUCCESS"),
            "resolved",
        );
    });
}

#[test]
fn a_silent_server_has_a_verdict_within_8_s() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let world = World::start_of(s, Which::Ours);
        let probe = Probe::of(s, MODULE);
        assert!(probe.ask("4", "name.test").starts_with("SUCCESS"));
        world.stop_server(true);
        // The daemon's own word, not the end of the module's patience.
        let (said, took) = seconds(|| probe.ask("4", "late.test"));
        assert_eq!(said, "TRYAGAIN errno=11 h_errno=2");
        assert!((2.0..9.0).contains(&took), "{took}");
        println!("{took:.2} s");
        // What is known is still told at once.
        let (said, took) = seconds(|| probe.ask("4", "name.test"));
        assert!(said.contains("192.0.2.10") && took < 0.9, "{took} {said}");
        // It answers while that is under way.
        let (said, took) = probe.ask_meanwhile("4", "v4only.test", Duration::from_secs(2), || {
            world.stop_server(false)
        });
        assert!(said.ends_with(" 192.0.2.11"), "{said}");
        assert!((1.9..9.0).contains(&took), "{took}");
    });
}

#[test]
fn killed_in_the_middle_of_a_lookup() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let world = World::start_of(s, Which::Ours);
        let probe = Probe::of(s, MODULE);
        world.stop_server(true);
        let (said, took) =
            probe.ask_meanwhile("4", "v4only.test", Duration::from_millis(800), || {
                world.resolved.kill(rustix::process::Signal::KILL)
            });
        assert_eq!(said, HUNG_UP);
        assert!((0.7..3.0).contains(&took), "{took}");
        // A clean end is no other.
        world.resolved.wait();
        world.resolved.start_again();
        let (said, _) = probe.ask_meanwhile("4", "v4only.test", Duration::from_millis(800), || {
            world.resolved.end();
        });
        assert_eq!(said, HUNG_UP);
    });
}
