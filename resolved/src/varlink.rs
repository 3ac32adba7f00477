//! The resolver over Varlink.
//!
//! | socket | interface | for |
//! |---|---|---|
//! | /run/systemd/resolve/io.systemd.Resolve | io.systemd.Resolve, io.systemd.service | lookups: nss-resolve |
//! | /run/systemd/resolve/io.systemd.Resolve.Monitor | io.systemd.Resolve.Monitor | watching: `resolvectl monitor` |
//! | /run/systemd/resolve/io.switchyard.Resolve | io.switchyard.Resolve | lookups with times to live: nss-resolve; the cache by name; settings, where there is no bus |
//!
//! Each is open to all; what only some may do is asked of [`crate::access`].

mod browse;
mod cache;
mod call;
mod configuration;
mod dump;
mod error;
mod lookup;
mod monitor;
mod query_results;
mod record;
mod resolve;
mod settings;
mod switchyard;
pub mod trial;
mod wire;

use std::{io, os::unix::fs::symlink, path::Path, rc::Rc};

use daemon::service;
use varlink_serve::{Guard, Interface, Limits, Server, Socket, Vendor};

use crate::manager::Manager;

const VENDOR: Vendor = Vendor {
    vendor: "Switchyard",
    product: "resolved",
    version: env!("CARGO_PKG_VERSION"),
    url: "",
};

/// Lookups wait for the network, so there may be many: as many in all as systemd-resolved has.
const LIMITS: Limits = Limits {
    connections: 4096,
    connections_per_user: 1024,
    message: 64 * 1024,
    receive: std::time::Duration::from_secs(10),
    send: std::time::Duration::from_secs(10),
};

/// Where services of the whole system are found by their interfaces (systemd 260).
const REGISTRY: &str = "/run/varlink/registry";

/// Serves all sockets, in `directory` (/run/systemd/resolve), until the guards are dropped. Must be called inside a
/// [`tokio::runtime::LocalRuntime`].
///
/// # Errors
/// If a socket can't be made; the error names it.
pub fn serve(manager: &Rc<Manager>, directory: &Path) -> io::Result<Vec<Guard>> {
    let listen = |interfaces: &[_]| listen(manager, directory, interfaces);
    Ok(vec![
        listen(&[resolve::INTERFACE, service::interface()])?,
        listen(&[monitor::INTERFACE])?,
        listen(&[switchyard::INTERFACE])?,
    ])
}

/// Lets the sockets in `directory` be found in the system's registry. It may be forbidden to us, and little is lost by
/// that: the paths of the sockets are well known.
pub fn register(directory: &Path) {
    for name in [resolve::INTERFACE.name, monitor::INTERFACE.name] {
        let link = Path::new(REGISTRY).join(name);
        let registered =
            std::fs::create_dir_all(REGISTRY).and_then(|()| match std::fs::remove_file(&link) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => symlink(directory.join(name), &link),
            });
        if let Err(error) = registered {
            tracing::debug!("Failed to make {}: {error}", link.display());
        }
    }
}

/// The socket has the name of the first interface.
fn listen(
    manager: &Rc<Manager>,
    directory: &Path,
    interfaces: &[Interface<Rc<Manager>>],
) -> io::Result<Guard> {
    let name = interfaces.first().map_or("", |first| first.name);
    let path = directory.join(name);
    let server = Server::new(Rc::clone(manager), VENDOR, interfaces, LIMITS);
    let named = |error: io::Error| {
        io::Error::new(
            error.kind(),
            format!("Failed to listen on {}: {error}", path.display()),
        )
    };
    Socket::bind(&path)
        .and_then(|socket| server.listen(socket))
        .map_err(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every method that is described is answered, and no other.
    #[test]
    fn descriptions_agree_with_tables() {
        for interface in [
            resolve::INTERFACE,
            monitor::INTERFACE,
            switchyard::INTERFACE,
            service::interface(),
        ] {
            let parsed = zlink::idl::Interface::try_from(interface.description)
                .unwrap_or_else(|error| panic!("{}: {error:?}", interface.name));
            assert_eq!(parsed.name(), interface.name);
            let mut described: Vec<_> = parsed
                .methods()
                .map(|m| m.name().as_str().to_owned())
                .collect();
            let mut answered: Vec<_> = interface.methods.iter().map(|m| m.0.to_owned()).collect();
            described.sort();
            answered.sort();
            assert_eq!(described, answered, "{}", interface.name);
        }
    }
}
