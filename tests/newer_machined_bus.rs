//! The same calls to a newer systemd's machined and to ours, answers compared; and what they say they offer.

#[path = "machined_bus_peer/calls.rs"]
mod calls;
mod machined_bus_client;
#[path = "machined_bus_peer/world.rs"]
mod world;

use machined_bus_client::{
    Client, MACHINE, MACHINE_IFACE, MANAGER, MANAGER_IFACE, STANDARD, missing,
};
use support::{Options, newer_sandbox, skip};
use world::{NEWER, OURS, settled, with};

fn options() -> Options {
    Options::new().machined(None)
}

#[test]
fn calls_are_answered_as_by_systemd() {
    newer_sandbox!(options(), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        // Each would find that of the /usr that it runs in.
        s.run("cp --remove-destination /usr/lib/os-release /etc/os-release")
            .ok();
        let web = s.container("web").start();
        settled(s, &web);
        let table = calls::all(&web);
        let ask = |client: &Client| table.ask(client);
        let newer = with(s, NEWER, &web, ask);
        let ours = with(s, OURS, &web, ask);
        table.compare(&newer, &ours);
    });
}

#[test]
fn introspection_is_systemds_and_more() {
    newer_sandbox!(options(), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        let web = s.container("web").start();
        let paths = [
            MANAGER,
            &format!("{MACHINE}/web"),
            &format!("{MACHINE}/_2ehost"),
            "/org/freedesktop/LogControl1",
        ];
        let ask = |client: &Client| paths.map(|path| client.introspect(path));
        let newer = with(s, NEWER, &web, ask);
        let ours = with(s, OURS, &web, ask);
        let interfaces = [&[MANAGER_IFACE, MACHINE_IFACE], &STANDARD[..]].concat();
        let (compared, mut different) = missing(&paths, &newer, &ours, &interfaces);
        assert!(compared > 120, "{compared}");
        // 257 still leaves these to the bus, for root alone; since 258, and with ours, polkit is asked.
        different.retain(|line| !line.contains("org.freedesktop.systemd1.Privileged"));
        assert!(different.is_empty(), "{}", different.join("\n"));
    });
}
