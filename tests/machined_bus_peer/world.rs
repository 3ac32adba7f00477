//! Any machined on the bus, with a container that it has registered.
#![allow(dead_code, reason = "each test program uses its part")]

use support::{Container, Daemon, Ready, Sandbox, Via};

use crate::{args, machined_bus_client::Client};

pub const OURS: &[&str] = &["/usr/libexec/switchyard/machined"];
pub const PEER: &[&str] = &["/usr/lib/systemd/systemd-machined"];
pub const NEWER: &[&str] = &["newer", "/usr/lib/systemd/systemd-machined"];

/// Starts one, registers the container, does something, and ends it again.
pub fn with<R>(
    s: &Sandbox,
    machined: &[&str],
    web: &Container,
    body: impl FnOnce(&Client) -> R,
) -> R {
    let ready = Ready::BusName("org.freedesktop.machine1".into());
    let name = machined.join("-").replace('/', "_");
    let env = [("SYSTEMD_LOG_TARGET", "console")];
    let daemon = Daemon::start(&name, machined, &env, ready);
    s.register(web, Via::BusRegister);
    let client = Client::new();
    let result = body(&client);
    drop(client.manager("UnregisterMachine", args!["web"]));
    daemon.end();
    result
}

/// Waits until duplicate address detection has passed every address: ours leaves others out.
pub fn settled(s: &Sandbox, web: &Container) {
    let show = "ip -6 -o address show tentative";
    let everywhere = format!("{show}; nsenter --net --target {} {show}", web.leader());
    let tentative = || s.run(&everywhere).ok();
    s.wait_for(|| tentative().is_empty(), "addresses to be settled");
}
