//! Our resolved on the bus: signals, callers who leave, polkit, delegates, a bus that goes and comes.

mod bus_client;
mod resolved_bus_world;

use std::{
    fs,
    time::{Duration, Instant},
};

use bus_client::{Client, PROPERTIES, as_user};
use futures_util::StreamExt;
use resolved_bus_world::{
    LINK_IFACE, MANAGER, MANAGER_IFACE, NAME, World, link_path, options, start,
};
use rustix::process::Signal;
use support::{Sandbox, Which, sandbox, skip};
use zbus::{MatchRule, MessageStream, message::Type};

const NOBODY: u32 = 65534;
const LINES: &str = "LLMNR=no\nMulticastDNS=no\n";

fn manager(client: &Client, member: &str, args: bus_client::Args) -> bus_client::Answer {
    client.call(MANAGER, MANAGER_IFACE, member, args)
}

fn property(client: &Client, name: &str) -> String {
    client
        .call(
            MANAGER,
            PROPERTIES,
            "Get",
            args![MANAGER_IFACE, name.to_owned()],
        )
        .ok()
}

fn server(last: u8) -> Vec<(i32, Vec<u8>)> {
    vec![(2, vec![192, 0, 2, last])]
}

/// Lays down a rule for polkit: the body of a function of `action` and `subject`.
fn rule(s: &Sandbox, body: &str) {
    let rules = "/etc/polkit-1/rules.d";
    fs::create_dir_all(rules).unwrap();
    let text = format!("polkit.addRule(function(action, subject) {{ {body} }});\n");
    fs::write(format!("{rules}/10-test.rules"), text).unwrap();
    s.run("chmod -R a+rX /etc/polkit-1").ok();
}

#[test]
fn changes_are_told_with_their_values() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("the bus's policy lets one user alone have the name, and there is none such");
        }
        let world = World::new(s);
        world.with(Which::Ours, LINES, |client| {
            let rule = MatchRule::builder()
                .msg_type(Type::Signal)
                .interface(PROPERTIES)
                .member("PropertiesChanged")
                .path(MANAGER)
                .build()
                .unwrap();
            client.block_on(async {
                let mut changes = MessageStream::for_match_rule(rule, &client.connection, None)
                    .await
                    .unwrap();
                for last in [1, 1, 2] {
                    let path = link_path(world.ifindex);
                    let body = server(last);
                    let call = client.connection.call_method(
                        Some(NAME),
                        path.as_str(),
                        Some(LINK_IFACE),
                        "SetDNS",
                        &body,
                    );
                    call.await.unwrap();
                }
                // What is told again is no change.
                for last in [1u8, 2] {
                    let next = tokio::time::timeout(Duration::from_secs(5), changes.next());
                    let change = next.await.unwrap().unwrap().unwrap();
                    let text = bus_client::values(&change);
                    for expected in ["Str(\"DNS\")", "Str(\"DNSEx\")"] {
                        assert!(text.contains(expected), "{text}");
                    }
                    let server = format!("U8(192), U8(0), U8(2), U8({last})");
                    assert!(text.contains(&server), "{text}");
                }
                let more = tokio::time::timeout(Duration::from_millis(500), changes.next());
                assert!(more.await.is_err());
            });
        });
    });
}

#[test]
fn lookups_end_with_their_caller() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("the bus's policy lets one user alone have the name, and there is none such");
        }
        let world = World::new(s);
        world.with(Which::Ours, LINES, |client| {
            manager(client, "ResolveHostname", args![0i32, "name.test", 0i32, 0u64]).ok();
            world.stop_server(true);
            let begun = Instant::now();
            // dbus-send leaves the bus as soon as it is killed.
            s.run(
                "for i in $(seq 50); do timeout -s KILL 0.5 dbus-send --system --print-reply --dest=org.freedesktop.resolve1 \
                 /org/freedesktop/resolve1 org.freedesktop.resolve1.Manager.ResolveHostname int32:0 string:no$i.test \
                 int32:2 uint64:0 >/dev/null 2>&1 & done; wait",
            );
            let current = || property(client, "TransactionStatistics");
            let none = || current().contains("fields: [U64(0), ");
            assert!(!none());
            s.wait_for(none, "the lookups to end");
            // And not because their time was up.
            assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
            world.stop_server(false);
            manager(client, "ResolveHostname", args![0i32, "mail.test", 0i32, 0u64]).ok();
        });
    });
}

#[test]
fn polkit_is_told_of_the_link_and_decides() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("the bus's policy lets one user alone have the name, and there is none such");
        }
        rule(
            s,
            r#"if (action.id == "org.freedesktop.resolve1.set-dns-servers" && action.lookup("interface") == "up0"
                && subject.user == "nobody") return polkit.Result.YES;
            return polkit.Result.NO;"#,
        );
        let world = World::new(s);
        let up1 = s.run("ip -o link show up1 | cut -d: -f1").ok();
        let up1: i32 = up1.trim().parse().unwrap();
        world.with(Which::Ours, LINES, |_| {
            as_user(NOBODY, || {
                let client = Client::of(NAME);
                manager(&client, "SetLinkDNS", args![world.ifindex, server(1)]).ok();
                for (member, args) in [
                    ("SetLinkDNS", args![up1, server(1)]),
                    ("SetLinkLLMNR", args![world.ifindex, "no"]),
                    ("RevertLink", args![world.ifindex]),
                ] {
                    let answer = manager(&client, member, args);
                    assert!(answer.is_error(".AccessDenied"), "{member}: {answer:?}");
                }
            });
        });
    });
}

#[test]
fn who_registered_a_service_may_take_it_back() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("the bus's policy lets one user alone have the name, and there is none such");
        }
        rule(
            s,
            r#"if (action.id == "org.freedesktop.resolve1.register-service") return polkit.Result.YES;
            return polkit.Result.NO;"#,
        );
        let world = World::new(s);
        world.with(Which::Ours, "LLMNR=no\nMulticastDNS=yes\n", |_| {
            let register = |id: &str| {
                let txt = Vec::<std::collections::BTreeMap<String, Vec<u8>>>::new();
                let args = args![id.to_owned(), "n", "_http._tcp", 80u16, 0u16, 0u16, txt];
                manager(&Client::of(NAME), "RegisterService", args).ok();
            };
            let unregister = |id: &str| {
                let path = zbus::ObjectPath::try_from(format!("{MANAGER}/dnssd/{id}")).unwrap();
                manager(&Client::of(NAME), "UnregisterService", args![path])
            };
            as_user(NOBODY, || register("own"));
            as_user(1000, || register("others"));
            as_user(NOBODY, || {
                let refused = unregister("others");
                assert!(refused.is_error(".AccessDenied"), "{refused:?}");
                unregister("own").ok();
                assert!(unregister("own").is_error(".NoSuchDnssdService"));
            });
            unregister("others").ok();
        });
    });
}

#[test]
fn delegates_are_objects() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("the bus's policy lets one user alone have the name, and there is none such");
        }
        let world = World::new(s);
        let dir = "/etc/systemd/dns-delegate.d";
        fs::create_dir_all(dir).unwrap();
        let text =
            "[Delegate]\nDNS=192.0.2.7:5353#dns.example\nDomains=corp.example ~lab.example\n";
        fs::write(format!("{dir}/work-1.dns-delegate"), text).unwrap();
        world.with(Which::Ours, LINES, |client| {
            let path = format!("{MANAGER}/dns_delegate/work_2d1");
            let list = manager(client, "ListDelegates", args![]).ok();
            assert!(list.contains("work-1") && list.contains(&path), "{list}");
            let found = manager(client, "GetDelegate", args!["work-1"]).ok();
            assert!(found.contains(&path), "{found}");
            let none = manager(client, "GetDelegate", args!["nope"]);
            assert!(none.is_error("resolve1.NoSuchDelegate"), "{none:?}");
            let interface = "org.freedesktop.resolve1.DnsDelegate";
            let all = client
                .call(&path, PROPERTIES, "GetAll", args![interface])
                .ok();
            for expected in [
                "U16(5353), Str(\"dns.example\")",
                "corp.example",
                "lab.example",
            ] {
                assert!(all.contains(expected), "{all}");
            }
            assert!(client.introspect(&path).contains(interface));
            let missing = format!("{MANAGER}/dns_delegate/x");
            let missing = client.call(&missing, PROPERTIES, "GetAll", args![interface]);
            assert!(missing.is_error(".UnknownObject"), "{missing:?}");
        });
    });
}

#[test]
fn the_bus_may_go_and_come() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("the bus's policy lets one user alone have the name, and there is none such");
        }
        let world = World::new(s);
        let resolved = start(Which::Ours, LINES);
        manager(
            &Client::of(NAME),
            "SetLinkDNS",
            args![world.ifindex, server(9)],
        )
        .ok();
        let dig = "dig +short +tries=1 +timeout=2 @127.0.0.53 v4only.test A";
        let shows = || s.run("resolvectl dns up0").stdout.contains("192.0.2.9");
        assert!(shows());
        s.bus().restart();
        s.wait_for(shows, "resolved to come back");
        s.bus().kill(Signal::KILL);
        s.bus().wait();
        // The stub needs none.
        assert_eq!(s.run(dig).ok(), "192.0.2.11\n");
        assert!(resolved.is_running());
        s.bus().start_again();
        s.wait_for(shows, "resolved to come back");
    });
}
