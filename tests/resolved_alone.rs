//! Our resolved with nobody to help it: no bus, no service manager, and a nsswitch.conf that leads to itself.

mod nss_resolve_world;

use std::fs;

use nss_resolve_world::{SOCKET, World, options};
use support::{Daemon, Ready, Sandbox, Which, sandbox, skip};

/// A name and an address by the module, and by the stub.
fn answers(s: &Sandbox) {
    for (ask, expected) in [
        ("getent ahosts alias.test", "2001:db8::10"),
        ("getent hosts 192.0.2.10", "name.test"),
        ("getent hosts sandbox", "127.0.1.1"),
        ("dig +short @127.0.0.53 chain.test A", "192.0.2.11"),
        ("dig +short +tcp @127.0.0.53 -x 192.0.2.10", "name.test."),
        ("dig +short @127.0.0.54 name.test AAAA", "2001:db8::10"),
    ] {
        let said = s.run(&format!("timeout 9 {ask} || true")).ok();
        assert!(said.contains(expected), "{ask}: {said}");
    }
    let nothing = s.run("timeout 9 getent ahosts nope.test").fails(2);
    assert_eq!(nothing.stdout, "");
}

#[test]
fn there_is_no_bus_until_there_is_one() {
    sandbox!(options().bus(false).hosts("resolve"), |s| {
        let world = World::start_of(s, Which::Ours);
        assert!(!fs::exists("/run/dbus/system_bus_socket").unwrap());
        answers(s);
        assert_ne!(s.run("timeout 9 resolvectl status").status, Some(0));
        if s.is_rootless() {
            skip!("the bus's policy lets one user alone have the name, and there is none such");
        }
        s.start_bus();
        let serves = || {
            s.run("timeout 9 resolvectl query v4only.test")
                .stdout
                .contains("192.0.2.11")
        };
        s.wait_for(serves, "resolved to come to the bus");
        assert!(world.resolved.is_running());
        answers(s);
    });
}

/// All databases lead to daemons that ask resolved or are asked by it. It loads no module, and so can't wait for itself.
#[test]
fn nss_inside_the_daemon_never_calls_itself() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let world = World::start_of(s, Which::Ours);
        world.resolved.end();
        let lines = "passwd: mymachines files\ngroup: mymachines files\nhosts: resolve\nservices: resolve files\n";
        fs::write("/etc/nsswitch.conf", lines).unwrap();
        let settings = fs::read_to_string("/etc/systemd/resolved.conf").unwrap();
        // Names that might tempt it to look them up.
        let settings = settings.replace(
            "DNS=127.0.0.10\n",
            "DNS=127.0.0.10 127.0.0.99#dns.example\nDNSOverTLS=opportunistic\n",
        );
        fs::write("/etc/systemd/resolved.conf", settings).unwrap();
        let trace =
            "strace -f -qq -o /run/trace -e trace=openat,connect /usr/libexec/switchyard/resolved";
        let trace: Vec<_> = trace.split(' ').collect();
        let _resolved = Daemon::start("resolved-traced", &trace, &[], Ready::Socket(SOCKET.into()));
        let found = || {
            s.run("timeout 9 getent ahosts name.test || true")
                .ok()
                .contains("192.0.2.10")
        };
        s.wait_for(found, "a name of the zone");
        answers(s);
        let traced = fs::read_to_string("/run/trace").unwrap();
        assert!(traced.contains("127.0.0.10"), "nothing was traced");
        for line in traced.lines() {
            for wrong in [
                "libnss_",
                "nsswitch.conf",
                "io.systemd.Resolve\"",
                "nscd",
                "127.0.0.53",
            ] {
                assert!(!line.contains(wrong), "{line}");
            }
        }
    });
}
