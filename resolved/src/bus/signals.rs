//! PropertiesChanged of the manager, Conflicted of services.

use std::rc::Rc;

use zbus::Connection;

use super::{dnssd, manager, service::Service, tree};
use crate::manager::Event;

/// Sends signals as things happen. Never returns.
pub(super) async fn run(connection: &Connection, service: &Rc<Service>) {
    let mut events = service.manager.observe();
    while let Some(event) = events.recv().await {
        let sent = match event {
            Event::Manager(properties) => {
                let object = tree::manager(service);
                let interface = manager::MANAGER.name;
                dbus_serve::properties_changed(
                    connection,
                    tree::MANAGER,
                    &*object,
                    interface,
                    &properties,
                )
                .await
            }
            Event::ServiceConflict(id) => {
                let path = tree::service_path(&id);
                let interface = dnssd::SERVICE.name;
                connection
                    .emit_signal(None::<&str>, &path, interface, "Conflicted", &())
                    .await
            }
            // Properties of links have never told their changes.
            Event::Link(..)
            | Event::LinkAdded(_)
            | Event::LinkRemoved(_)
            | Event::Configuration => Ok(()),
        };
        if let Err(error) = sent {
            tracing::debug!("Failed to send a signal: {error}");
        }
    }
    std::future::pending().await
}
