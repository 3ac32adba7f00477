//! org.freedesktop.resolve1: the resolver on the system bus.
//!
//! The objects are tables ([`manager`], [`link`], [`dnssd`], [`delegate`]) over [`Manager`], with no state of their own.
//! [`run`] keeps the daemon on the bus, whatever the bus does.

mod call;
mod delegate;
mod dnssd;
mod error;
mod global;
mod link;
mod log;
mod lookup;
mod manager;
mod service;
mod setting;
mod signals;
mod tree;
mod wire;

use std::rc::Rc;

use dbus_serve::Limits;
use zbus::Connection;

use self::{service::Service, tree::Paths};
use crate::manager::Manager;

const NAME: &str = "org.freedesktop.resolve1";

/// Lookups wait for the network, so there may be many: as many in all as systemd-resolved has.
const LIMITS: Limits = Limits {
    calls: 2048,
    calls_of_one: 1024,
    operations: 0,
    operations_of_one: 0,
};

/// Serves the resolver on the system bus whenever there is one. Never returns. Calls `settled` once it is clear that the
/// name on the bus is ours, or not soon. Must run inside a [`tokio::runtime::LocalRuntime`].
pub async fn run(manager: Rc<Manager>, settled: impl Fn()) {
    loop {
        let connection = dbus_serve::connect(&settled).await;
        tracing::debug!("Connected to the system bus");
        manager.access.set_bus(Some(connection.clone()));
        serve(&connection, &manager, &settled).await;
        manager.access.set_bus(None);
        tracing::info!("The system bus is gone; waiting for it to come back");
    }
}

/// Serves one connection until it ends.
async fn serve(connection: &Connection, manager: &Rc<Manager>, settled: impl Fn()) {
    let service = Service::new(manager);
    let tree = Rc::new(Paths::new(&service));
    let serving = dbus_serve::serve(connection, tree, LIMITS);
    // The objects stand before the name does, so that no early call is lost.
    let others = async {
        tokio::join!(
            signals::run(connection, &service),
            dbus_serve::own_name(connection, NAME, "systemd-resolved", settled)
        );
    };
    tokio::select! {
        () = serving => (),
        () = others => (),
    }
}
