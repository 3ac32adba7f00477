//! The same calls to systemd's resolved and to ours, answers compared.

mod bus_client;
#[path = "resolved_bus_peer/calls.rs"]
mod calls;
#[path = "resolved_bus_peer/lookups.rs"]
mod lookups;
mod resolved_bus_world;
#[path = "resolved_bus_peer/settings.rs"]
mod settings;
#[path = "resolved_bus_peer/standard.rs"]
mod standard;

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{
    Answer, Client, PROPERTIES, as_user, members,
    table::{
        Like::{Kind, Same},
        Table,
    },
};
use lookups::show;
use resolved_bus_world::{
    LINK_IFACE, LOOPBACK, MANAGER, MANAGER_IFACE, NAME, World, link_path, options,
};
use settings::{OF_LINK, v4};
use standard::{Txt, registered};
use support::{Which, sandbox, skip};

const NOBODY: u32 = 65534;

#[test]
fn calls_are_answered_as_by_systemd() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let world = World::new(s);
        // 252 shows what a link was told; since then it is what holds, which is no more than the machine's.
        let table = calls::all(world.ifindex, Kind);
        assert!(table.len() >= 300);
        let ask = |client: &Client| table.ask(client);
        let lines = "LLMNR=yes\nMulticastDNS=no\n";
        let peers = world.with(Which::Peer, lines, ask);
        let ours = world.with(Which::Ours, lines, ask);
        table.compare(&peers, &ours);
    });
}

#[test]
fn services_are_registered_as_by_systemd() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let world = World::new(s);
        let mut table = Table::of(MANAGER, MANAGER_IFACE);
        let path = |id: &str| format!("{MANAGER}/dnssd/{id}");
        let object = |path: &str| args![zbus::ObjectPath::try_from(path.to_owned()).unwrap()];
        let service = "org.freedesktop.resolve1.DnssdService";
        let mut register = |like, id: &str, name: &str, kind: &str| {
            table.manager(like, "RegisterService", registered(id, name, kind));
        };
        register(Same, "svc", "n", "_http._tcp");
        register(Kind, "svc", "n", "_http._tcp");
        register(Same, "a/b ü", "My %H printer", "_ipp._tcp.");
        register(Same, "other", "o", "_ipp._udp");
        for kind in [
            "http",
            "_http",
            "_http._sctp",
            "",
            "_x._y._tcp",
            "_http._tcp.local",
        ] {
            register(Kind, "t", "n", kind);
        }
        for name in ["", "\u{1}"] {
            register(Kind, "t", name, "_http._tcp");
        }
        for key in ["", "ä"] {
            let txt: Txt = vec![BTreeMap::from([(key.to_owned(), Vec::new())])];
            let args = args!["t", "n", "_http._tcp", 1u16, 0u16, 0u16, txt];
            table.manager(Kind, "RegisterService", args);
        }
        table.add(Same, &path("svc"), PROPERTIES, "GetAll", args![service]);
        table.manager(Same, "UnregisterService", object(&path("svc")));
        table.manager(Kind, "UnregisterService", object(&path("svc")));
        table.add(Same, &path("other"), service, "Unregister", args![]);
        table.add(Same, &path("other"), service, "Unregister", args![]);
        let mut nobodys = Table::of(MANAGER, MANAGER_IFACE);
        for kind in ["_http._tcp", "http"] {
            nobodys.manager(Kind, "RegisterService", registered("x", "n", kind));
        }
        nobodys.manager(Kind, "UnregisterService", object(&path("a_2fb_20_c3_bc")));
        let ask = |client: &Client| {
            let mut answers = table.ask(client);
            answers.extend(as_user(NOBODY, || nobodys.ask(&Client::of(NAME))));
            let xml = client.introspect(&path("a_2fb_20_c3_bc"));
            (
                answers,
                members(&xml, service),
                nodes(&client.introspect(path("").trim_end_matches('/'))),
            )
        };
        let lines = "LLMNR=no\nMulticastDNS=yes\n";
        let peers = world.with(Which::Peer, lines, ask);
        let ours = world.with(Which::Ours, lines, ask);
        let (first, rest) = (table.len(), |of: &[Answer]| of[table.len()..].to_vec());
        table.compare(&peers.0[..first], &ours.0[..first]);
        nobodys.compare(&rest(&peers.0), &rest(&ours.0));
        assert_eq!((peers.1, peers.2), (ours.1, ours.2));
    });
}

/// Without polkit nobody but root changes anything; looking up, flushing and counting anew is for all.
#[test]
fn nobody_is_refused_as_by_systemd() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let world = World::new(s);
        let up0 = world.ifindex;
        let mut table = Table::of(MANAGER, MANAGER_IFACE).shown_by(show);
        table.manager(
            Same,
            "ResolveHostname",
            args![0i32, "name.test", 0i32, 0u64],
        );
        for member in ["FlushCaches", "ResetStatistics", "ResetServerFeatures"] {
            table.manager(Same, member, args![]);
        }
        for index in [up0, LOOPBACK, 99, 0] {
            let like = if index == LOOPBACK { Kind } else { Same };
            table.manager(like, "SetLinkDNS", args![index, vec![v4(192, 0, 2, 1)]]);
            table.manager(like, "SetLinkDNS", args![index, vec![(2i32, vec![1u8])]]);
            table.manager(like, "SetLinkDefaultRoute", args![index, true]);
            for method in [
                "SetLinkLLMNR",
                "SetLinkMulticastDNS",
                "SetLinkDNSOverTLS",
                "SetLinkDNSSEC",
            ] {
                table.manager(like, method, args![index, "no"]);
                table.manager(like, method, args![index, "bad"]);
            }
            table.manager(like, "RevertLink", args![index]);
        }
        let link = link_path(up0);
        let domains = vec![("a".to_owned(), false)];
        table.add(Same, &link, LINK_IFACE, "SetDomains", args![domains]);
        let names = vec!["a".to_owned()];
        table.add(
            Same,
            &link,
            LINK_IFACE,
            "SetDNSSECNegativeTrustAnchors",
            args![names],
        );
        table.add(Same, &link, LINK_IFACE, "Revert", args![]);
        let level = zbus::Variant::Variant(Box::new("debug".into()));
        let args = args!["org.freedesktop.LogControl1", "LogLevel", level];
        table.add(
            Same,
            "/org/freedesktop/LogControl1",
            PROPERTIES,
            "Set",
            args,
        );
        for property in OF_LINK {
            table.get(Same, &link, LINK_IFACE, property);
        }
        let ask = |_: &Client| as_user(NOBODY, || table.ask(&Client::of(NAME)));
        let lines = "LLMNR=yes\nMulticastDNS=no\n";
        let peers = world.with(Which::Peer, lines, ask);
        let ours = world.with(Which::Ours, lines, ask);
        table.compare(&peers, &ours);
    });
}

/// The nodes below, in any order: systemd's is that of a hash table.
fn nodes(xml: &str) -> BTreeSet<String> {
    let lines = xml.lines().filter(|line| line.starts_with(" <node "));
    lines.map(str::to_owned).collect()
}

#[test]
fn introspection_is_systemds_and_more() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let world = World::new(s);
        let link = link_path(world.ifindex);
        let paths = [
            MANAGER,
            &link,
            "/org/freedesktop/LogControl1",
            &format!("{MANAGER}/link"),
            &format!("{MANAGER}/dnssd"),
            "/org",
            "/",
        ];
        let ask = |client: &Client| paths.map(|path| client.introspect(path));
        let peers = world.with(Which::Peer, "", ask);
        let ours = world.with(Which::Ours, "", ask);
        for ((path, peer), our) in paths.iter().zip(&peers).zip(&ours) {
            for interface in [
                MANAGER_IFACE,
                LINK_IFACE,
                PROPERTIES,
                "org.freedesktop.DBus.Peer",
                "org.freedesktop.DBus.Introspectable",
                "org.freedesktop.LogControl1",
            ] {
                let our = members(our, interface);
                for (member, said) in members(peer, interface) {
                    // Its first argument is "id" since 252.
                    let said = match member.contains("\"RegisterService\"") {
                        true => said.replace("\"name=\\\"name\\\"\"", "\"name=\\\"id\\\"\""),
                        false => said,
                    };
                    assert_eq!(our.get(&member), Some(&said), "{path} {interface} {member}");
                }
            }
            let (peer, mut our) = (nodes(peer), nodes(our));
            // Since 258.
            our.remove(" <node name=\"dns_delegate\"/>");
            assert_eq!(peer, our, "{path}");
        }
    });
}
