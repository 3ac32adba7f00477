//! Our resolved over Varlink in a system of its own: who may what, settings without a bus, systemd's monitor.

mod machined_varlink_client;

use std::fs;

use machined_varlink_client::{Value, as_user, json};
use support::{Daemon, Options, Ready, Sandbox, sandbox, skip};

const RESOLVED: &str = "/usr/libexec/switchyard/resolved";
const DIRECTORY: &str = "/run/systemd/resolve";

/// An ordinary user.
const USER: u32 = 1000;

fn options() -> Options {
    Options::new().machined(None).hosts("resolve")
}

/// With a link that can have servers.
fn start(s: &Sandbox) -> Daemon {
    s.run("ip link add up0 type veth peer name up1 && ip addr add 192.0.2.1/24 dev up0 && ip link set up0 up && ip link set up1 up")
        .ok();
    fs::create_dir_all("/etc/systemd").unwrap();
    let settings = "[Resolve]\nFallbackDNS=\nLLMNR=no\nMulticastDNS=no\nDNSStubListener=no\n";
    fs::write("/etc/systemd/resolved.conf", settings).unwrap();
    fs::write("/etc/hosts", "192.0.2.77 elsewhere\n").unwrap();
    let ready = Ready::Socket(format!("{DIRECTORY}/io.systemd.Resolve").into());
    Daemon::start("resolved", &[RESOLVED], &[("RUST_BACKTRACE", "1")], ready)
}

fn call(s: &Sandbox, method: &str, parameters: Value) -> Value {
    let (interface, _) = method.rsplit_once('.').unwrap();
    s.varlink(format!("{DIRECTORY}/{interface}"), method, &parameters)
}

fn up0() -> u32 {
    let index = fs::read_to_string("/sys/class/net/up0/ifindex").unwrap();
    index.trim().parse().unwrap()
}

#[test]
fn anyone_looks_up_and_root_alone_watches_and_sets() {
    sandbox!(options().bus(false), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let _resolved = start(s);
        let ifindex = up0();
        let done = json!({ "parameters": {} });
        for (method, parameters, anyone) in [
            (
                "io.systemd.Resolve.ResolveHostname",
                json!({ "name": "elsewhere" }),
                true,
            ),
            ("io.systemd.Resolve.DumpDNSConfiguration", json!({}), true),
            ("io.switchyard.Resolve.FlushCaches", json!({}), true),
            ("io.systemd.Resolve.Monitor.DumpCache", json!({}), false),
            (
                "io.systemd.Resolve.Monitor.DumpServerState",
                json!({}),
                false,
            ),
            (
                "io.systemd.Resolve.Monitor.DumpStatistics",
                json!({}),
                false,
            ),
            (
                "io.systemd.Resolve.Monitor.ResetStatistics",
                json!({}),
                false,
            ),
            (
                "io.switchyard.Resolve.SetLink",
                json!({ "ifindex": ifindex, "servers": ["192.0.2.9"] }),
                false,
            ),
            (
                "io.switchyard.Resolve.RevertLink",
                json!({ "ifindex": ifindex }),
                false,
            ),
        ] {
            let reply = as_user(USER, || call(s, method, parameters.clone()));
            let denied = reply["error"] == "org.varlink.service.PermissionDenied";
            assert_eq!(denied, !anyone, "{method}: {reply}");
            let reply = call(s, method, parameters);
            assert!(reply.get("error").is_none(), "{method}: {reply}");
        }
        let set = json!({ "ifindex": ifindex, "servers": ["192.0.2.9"], "domains": ["~example"] });
        assert_eq!(call(s, "io.switchyard.Resolve.SetLink", set), done);
        let saved = fs::read_to_string(format!("{DIRECTORY}/netif/{ifindex}")).unwrap();
        assert!(
            saved.contains("192.0.2.9") && saved.contains("example"),
            "{saved}"
        );
        let written = fs::read_to_string(format!("{DIRECTORY}/resolv.conf")).unwrap();
        assert!(
            !written.contains("192.0.2.9"),
            "it is for one domain alone: {written}"
        );
    });
}

#[test]
fn resolvectl_monitors_our_resolved() {
    // It connects to the bus before it looks what it is to do.
    sandbox!(options(), |s| {
        let _resolved = start(s);
        let monitor = s.spawn("monitor", &["resolvectl", "monitor"]);
        let seen = || {
            s.run("getent ahosts elsewhere; getent ahosts a.invalid; true")
                .ok();
            let log = monitor.log();
            log.contains("elsewhere IN A 192.0.2.77") && log.contains("NXDOMAIN")
        };
        s.wait_for(seen, "lookups in the monitor");
    });
}
