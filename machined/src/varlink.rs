//! The registry over Varlink.
//!
//! | socket | interface | for |
//! |---|---|---|
//! | /run/systemd/machine/io.systemd.Machine | io.systemd.Machine, io.systemd.MachineImage, io.systemd.service | who runs and manages machines |
//! | /run/systemd/userdb/io.systemd.Machine | io.systemd.UserDatabase | names of the users of machines: nss-systemd |
//! | /run/systemd/resolve.hook/io.systemd.Machine | io.systemd.Resolve.Hook | resolvers |
//! | /run/switchyard/machined/io.switchyard.Machines | io.switchyard.Machines | nss-mymachines |
//!
//! Each is open to all; what only some may do is asked of [`Manager::authorize`].

mod call;
mod error;
mod image;
mod list;
mod machine;
mod machines;
mod passed;
mod process;
mod register;
mod resolve_hook;
mod user_database;
mod user_filter;
mod wire;

use std::{
    fs, io,
    os::{fd::OwnedFd, unix::fs::symlink},
    path::Path,
    rc::Rc,
};

use daemon::service;
use varlink_serve::{Guard, Interface, Limits, Server, Socket, Vendor};

use self::passed::Passed;
use crate::manager::Manager;

const VENDOR: Vendor = Vendor {
    vendor: "Switchyard",
    product: "machined",
    version: env!("CARGO_PKG_VERSION"),
    url: "",
};

const MACHINE: &str = "/run/systemd/machine/io.systemd.Machine";
const MACHINE_IMAGE: &str = "/run/systemd/machine/io.systemd.MachineImage";
const USER_DATABASE: &str = "/run/systemd/userdb/io.systemd.Machine";
const RESOLVE_HOOK: &str = "/run/systemd/resolve.hook/io.systemd.Machine";
const MACHINES: &str = "/run/switchyard/machined/io.switchyard.Machines";

/// Serves all sockets until the guards are dropped: those that were passed to us, by where they are bound, and for the rest
/// new ones. Must be called inside a [`tokio::runtime::LocalRuntime`].
///
/// # Errors
/// If a socket can't be made, or one that was passed is none to listen on; the error names it.
pub fn serve(manager: &Rc<Manager>, passed: Vec<OwnedFd>) -> io::Result<Vec<Guard>> {
    let passed = &mut Passed::new(passed);
    let machine = [machine::INTERFACE, image::INTERFACE, service::interface()];
    let guards = vec![
        listen(manager, passed, MACHINE, &machine)?,
        listen(manager, passed, USER_DATABASE, &[user_database::INTERFACE])?,
        listen(manager, passed, RESOLVE_HOOK, &[resolve_hook::INTERFACE])?,
        listen(manager, passed, MACHINES, &[machines::INTERFACE])?,
    ];
    if passed.left() > 0 {
        tracing::warn!(
            "{} sockets were passed that nothing is known for",
            passed.left()
        );
    }
    link_image().map_err(named(MACHINE_IMAGE))?;
    Ok(guards)
}

fn listen(
    manager: &Rc<Manager>,
    passed: &mut Passed,
    path: &'static str,
    interfaces: &[Interface<Rc<Manager>>],
) -> io::Result<Guard> {
    let server = Server::new(Rc::clone(manager), VENDOR, interfaces, Limits::default());
    let socket = match passed.take(path) {
        Some(socket) => Socket::inherited(socket),
        None => Socket::bind(Path::new(path)),
    };
    socket
        .and_then(|socket| server.listen(socket))
        .map_err(named(path))
}

/// The same socket under the name of its other interface. systemd's machined has a socket of its own there, and leaves it behind.
fn link_image() -> io::Result<()> {
    const TARGET: &str = "io.systemd.Machine";
    match symlink(TARGET, MACHINE_IMAGE) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::read_link(MACHINE_IMAGE).is_ok_and(|target| target == Path::new(TARGET)) {
                return Ok(());
            }
            fs::remove_file(MACHINE_IMAGE)?;
            symlink(TARGET, MACHINE_IMAGE)
        }
        result => result,
    }
}

fn named(path: &'static str) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("Failed to listen on {path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every method that is described is answered, and no other.
    #[test]
    fn descriptions_agree_with_tables() {
        for interface in [
            machine::INTERFACE,
            image::INTERFACE,
            service::interface(),
            user_database::INTERFACE,
            resolve_hook::INTERFACE,
            machines::INTERFACE,
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
