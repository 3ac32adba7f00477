//! The same calls to a newer systemd's resolved and to ours, answers compared.

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

use bus_client::{Client, STANDARD, missing, table::Like::Same};
use resolved_bus_world::{LINK_IFACE, MANAGER, MANAGER_IFACE, World, link_path, options};
use support::{Which, newer_sandbox, skip};

#[test]
fn calls_are_answered_as_by_systemd() {
    newer_sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let world = World::new(s);
        let table = calls::all(world.ifindex, Same);
        assert!(table.len() >= 300);
        let ask = |client: &Client| table.ask(client);
        let lines = "LLMNR=yes\nMulticastDNS=no\n";
        let newer = world.with_newer(lines, ask);
        let ours = world.with(Which::Ours, lines, ask);
        table.compare(&newer, &ours);
    });
}

#[test]
fn introspection_is_systemds_and_more() {
    newer_sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let world = World::new(s);
        let link = link_path(world.ifindex);
        let paths = [MANAGER, &link, "/org/freedesktop/LogControl1"];
        let ask = |client: &Client| paths.map(|path| client.introspect(path));
        let newer = world.with_newer("", ask);
        let ours = world.with(Which::Ours, "", ask);
        let interfaces = [&[MANAGER_IFACE, LINK_IFACE], &STANDARD[..]].concat();
        let (compared, different) = missing(&paths, &newer, &ours, &interfaces);
        assert!(compared > 80, "{compared}");
        assert!(different.is_empty(), "{}", different.join("\n"));
    });
}
