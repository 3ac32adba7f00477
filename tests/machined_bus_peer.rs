//! The same calls to systemd's machined and to ours, answers compared.

#[path = "machined_bus_peer/calls.rs"]
mod calls;
mod machined_bus_client;
#[path = "machined_bus_peer/world.rs"]
mod world;

use std::collections::BTreeSet;

use machined_bus_client::{
    Client, MACHINE, MACHINE_IFACE, MANAGER, MANAGER_IFACE, PROPERTIES, members,
};
use support::{Options, sandbox};
use world::{OURS, PEER, settled, with};

#[test]
fn calls_are_answered_as_by_systemd() {
    sandbox!(Options::new().machined(None), |s| {
        let web = s.container("web").start();
        settled(s, &web);
        let table = calls::all(&web);
        assert!(table.len() >= 60);
        let ask = |client: &Client| table.ask(client);
        let peers = with(s, PEER, &web, ask);
        let ours = with(s, OURS, &web, ask);
        table.compare(&peers, &ours);
    });
}

#[test]
fn introspection_is_systemds_and_more() {
    sandbox!(Options::new().machined(None), |s| {
        let web = s.container("web").start();
        let paths = [
            MANAGER,
            &format!("{MACHINE}/web"),
            &format!("{MACHINE}/_2ehost"),
            "/org/freedesktop/LogControl1",
            MACHINE,
            "/org",
            "/",
        ];
        let ask = |client: &Client| paths.map(|path| client.introspect(path));
        let peers = with(s, PEER, &web, ask);
        let ours = with(s, OURS, &web, ask);
        for ((path, peer), our) in paths.iter().zip(&peers).zip(&ours) {
            for interface in [
                MANAGER_IFACE,
                MACHINE_IFACE,
                PROPERTIES,
                "org.freedesktop.DBus.Peer",
                "org.freedesktop.DBus.Introspectable",
                "org.freedesktop.LogControl1",
            ] {
                let our = members(our, interface);
                for (member, said) in members(peer, interface) {
                    // Since 252: "who" is "whom", and polkit, not the bus, guards what was root's alone.
                    let said = said.replace("name=\\\"who\\\"", "name=\\\"whom\\\"");
                    let newer = interface == MANAGER_IFACE
                        && ["CreateMachine", "RegisterMachine", "OpenMachinePTY"]
                            .iter()
                            .any(|name| member.contains(name));
                    let said: String = said
                        .lines()
                        .filter(|line| !(newer && line.contains("systemd1.Privileged")))
                        .map(|line| format!("{line}\n"))
                        .collect();
                    assert_eq!(our.get(&member), Some(&said), "{path} {interface} {member}");
                }
            }
            // A set, because systemd's order is that of a hash table.
            let nodes = |xml: &str| -> BTreeSet<String> {
                let lines = xml.lines().filter(|line| line.starts_with(" <node "));
                lines.map(str::to_owned).collect()
            };
            assert_eq!(nodes(peer), nodes(our), "{path}");
        }
    });
}
