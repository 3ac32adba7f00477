//! org.freedesktop.machine1: the registry on the system bus.
//!
//! The objects are tables ([`manager`], [`machine`]) over the registry, with no state of their own: a machine without
//! callers costs nothing here. [`run`] keeps the daemon on the bus, whatever the bus does.

mod call;
mod error;
mod image;
mod log;
mod machine;
mod manager;
mod register;
mod service;
mod signals;
mod tree;

use std::rc::Rc;

use zbus::Connection;

use self::{service::Service, tree::Paths};
use crate::manager::Manager;

const NAME: &str = "org.freedesktop.machine1";

/// Serves the registry on the system bus whenever there is one. Never returns. Must run inside a
/// [`tokio::runtime::LocalRuntime`].
pub async fn run(manager: Rc<Manager>) {
    loop {
        let connection = dbus_serve::connect(|| manager.settle_bus()).await;
        tracing::debug!("Connected to the system bus");
        manager.set_bus(Some(connection.clone()));
        serve(&connection, &manager).await;
        manager.set_bus(None);
        tracing::info!("The system bus is gone; waiting for it to come back");
    }
}

/// Serves one connection until it ends.
async fn serve(connection: &Connection, manager: &Rc<Manager>) {
    let service = Service::new(connection, manager);
    let tree = Rc::new(Paths::new(&service));
    let serving = dbus_serve::serve(connection, tree, dbus_serve::Limits::default());
    // The objects stand before the name does, so that no early call is lost.
    let others = async {
        tokio::join!(
            service.signals.run(),
            dbus_serve::own_name(connection, NAME, "systemd-machined", || manager
                .settle_bus())
        );
    };
    tokio::select! {
        () = serving => (),
        () = others => (),
    }
}
