//! A raw client of either machined on the system bus.

#![allow(dead_code, reason = "each test program uses its part")]

#[path = "bus_client.rs"]
mod bus_client;

use std::ops::Deref;

#[allow(unused_imports, reason = "each test program uses its part")]
pub use bus_client::{Answer, Args, PROPERTIES, STANDARD, as_user, members, missing, table};

/// The manager's path and interface, and those of machines.
pub const MANAGER: &str = "/org/freedesktop/machine1";
pub const MACHINE: &str = "/org/freedesktop/machine1/machine";
pub const MANAGER_IFACE: &str = "org.freedesktop.machine1.Manager";
pub const MACHINE_IFACE: &str = "org.freedesktop.machine1.Machine";

/// A connection with a runtime of its own.
pub struct Client(bus_client::Client);

impl Deref for Client {
    type Target = bus_client::Client;

    fn deref(&self) -> &bus_client::Client {
        &self.0
    }
}

impl Client {
    pub fn new() -> Self {
        Self(bus_client::Client::of("org.freedesktop.machine1"))
    }

    /// A call of the manager.
    pub fn manager(&self, member: &str, args: Args) -> Answer {
        self.call(MANAGER, MANAGER_IFACE, member, args)
    }
}
