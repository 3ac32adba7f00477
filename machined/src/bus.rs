//! org.freedesktop.machine1: the registry on the system bus.
//!
//! The objects are tables ([`manager`], [`machine`]) over the registry, with no state of their own: a machine without
//! callers costs nothing here. [`run`] keeps the daemon on the bus, whatever the bus does.

mod address;
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
mod watch;

use std::{rc::Rc, time::Duration};

use zbus::Connection;

use self::{service::Service, tree::Paths};
use crate::manager::Manager;

/// The name on the bus.
const NAME: &str = "org.freedesktop.machine1";

/// DBUS_NAME_FLAG_DO_NOT_QUEUE of the D-Bus specification.
const DO_NOT_QUEUE: u32 = 4;

/// What RequestName answers: primary owner, or owner already.
const OWNED: [u32; 2] = [1, 4];

/// Between two attempts to get the name, at most.
const NAME_RETRY: Duration = Duration::from_secs(60);

/// Serves the registry on the system bus ($DBUS_SYSTEM_BUS_ADDRESS, by default unix:path=/run/dbus/system_bus_socket)
/// whenever there is one. Never returns. Must run inside a [`tokio::task::LocalSet`].
pub async fn run(manager: Rc<Manager>) {
    loop {
        let connection = address::connect(|| manager.settle_bus()).await;
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
        tokio::join!(service.signals.run(), own_name(connection, manager));
    };
    tokio::select! {
        () = serving => (),
        () = others => (),
    }
}

/// Gets the name, however long it takes, and then waits for ever: without ALLOW_REPLACEMENT nobody can take it away.
async fn own_name(connection: &Connection, manager: &Manager) {
    let mut delay = Duration::from_secs(1);
    let mut last = String::new();
    loop {
        let problem = match request_name(connection).await {
            Ok(answer) if OWNED.contains(&answer) => break,
            Ok(_) => "another process has it (is systemd-machined running?)".to_owned(),
            Err(error) => error.to_string(),
        };
        if problem != last {
            tracing::warn!("Failed to get the name {NAME} on the bus: {problem}; trying on");
            last = problem;
        }
        manager.settle_bus();
        tokio::time::sleep(delay).await;
        delay = NAME_RETRY.min(delay * 2);
    }
    manager.settle_bus();
    tracing::info!("Serving {NAME} on the system bus");
    std::future::pending().await
}

async fn request_name(connection: &Connection) -> zbus::Result<u32> {
    let reply = connection
        .call_method(
            Some("org.freedesktop.DBus"),
            "/org/freedesktop/DBus",
            Some("org.freedesktop.DBus"),
            "RequestName",
            &(NAME, DO_NOT_QUEUE),
        )
        .await?;
    reply.body().deserialize()
}
