//! Our resolved over Varlink in a system of its own: who may what, settings without a bus, systemd's monitor.

mod bus_client;
mod machined_varlink_client;
mod resolved_bus_world;

use std::fs;

use machined_varlink_client::{Value, as_user, json};
use resolved_bus_world::World;
use support::{Daemon, Options, Ready, Sandbox, Which, sandbox, skip};

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
            ("io.systemd.Resolve.Monitor.FlushCaches", json!({}), false),
            (
                "io.systemd.Resolve.Monitor.ResetServerFeatures",
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
fn the_monitor_flushes_caches_and_forgets_servers() {
    sandbox!(resolved_bus_world::options(), |s| {
        const MONITOR: &str = "io.systemd.Resolve.Monitor";
        let ask = |method: &str| {
            let interactive = json!({ "allowInteractiveAuthentication": false });
            let reply = call(s, &format!("{MONITOR}.{method}"), interactive);
            assert!(reply.get("error").is_none(), "{method}: {reply}");
            reply["parameters"].clone()
        };
        let is_kept = || ask("DumpCache").to_string().contains("\"name.test\"");
        let level = || ask("DumpServerState")["dump"][0]["VerifiedFeatureLevel"].clone();
        World::new(s).with(Which::Ours, "", |_| {
            let unknown = level();
            for method in ["FlushCaches", "ResetServerFeatures"] {
                let name = json!({ "name": "name.test", "family": 2 });
                let found = call(s, "io.systemd.Resolve.ResolveHostname", name);
                assert!(found.get("error").is_none(), "{found}");
                assert!(is_kept() && level() != unknown, "{method}");
                assert_eq!(ask(method), json!({}));
                assert!(!is_kept(), "{method}");
            }
            assert_eq!(level(), unknown);
            let wrong = call(s, &format!("{MONITOR}.FlushCaches"), json!({ "name": "x" }));
            assert_eq!(wrong["parameters"], json!({ "parameter": "name" }));
        });
    });
}

/// As systemd 262 has it.
#[test]
fn resolved_answers_about_itself() {
    sandbox!(options().bus(false), |s| {
        let _resolved = start(s);
        let ask = |method: &str, parameters: Value| {
            let socket = format!("{DIRECTORY}/io.systemd.Resolve");
            s.varlink(socket, &format!("io.systemd.service.{method}"), &parameters)
        };
        let done = json!({ "parameters": {} });
        let level = |level: u32| json!({ "parameters": { "level": level } });
        let refused = |reply: Value| reply["parameters"]["parameter"].clone();
        assert_eq!(ask("Ping", json!({})), done);
        assert_eq!(ask("GetLogLevel", json!({})), level(6));
        assert_eq!(ask("SetLogLevel", json!({ "level": 7 })), done);
        assert_eq!(ask("GetLogLevel", json!({})), level(7));
        for wrong in [json!(8), json!(-1), json!("debug"), json!(null)] {
            let reply = ask("SetLogLevel", json!({ "level": wrong }));
            assert_eq!(refused(reply), "level", "{wrong}");
        }
        for method in ["Ping", "GetLogLevel", "GetEnvironment"] {
            assert_eq!(refused(ask(method, json!({ "x": 1 }))), "x", "{method}");
        }
        let environment = ask("GetEnvironment", json!({}));
        let environment = &environment["parameters"]["environment"];
        let environment = environment.as_array().unwrap();
        assert!(environment.contains(&json!("RUST_BACKTRACE=1")));
        if s.is_rootless() {
            skip!("there is no other user");
        }
        as_user(USER, || {
            assert_eq!(ask("Ping", json!({})), done);
            assert_eq!(ask("GetLogLevel", json!({})), level(7));
            for (method, parameters) in [
                ("SetLogLevel", json!({ "level": 6 })),
                ("GetEnvironment", json!({})),
            ] {
                let reply = ask(method, parameters);
                assert_eq!(reply["error"], "org.varlink.service.PermissionDenied");
            }
            assert_eq!(refused(ask("SetLogLevel", json!({ "level": 8 }))), "level");
        });
        assert_eq!(ask("GetLogLevel", json!({})), level(7));
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
