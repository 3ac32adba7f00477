//! The way to the machine's system bus.

use std::{os::fd::OwnedFd, path::Path};

use rustix::{
    fs::{AtFlags, FileType},
    io::Errno,
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType},
};

use crate::root::Root;

/// Where the socket is (D-Bus specification, "System message bus"), in this order: /var/run is what is standard, /run what is
/// usual, and in a damaged tree they may differ.
const DIRECTORIES: [&str; 2] = ["/run/dbus", "/var/run/dbus"];

/// A socket connected to the system bus; `None` where there is none, or nobody listens. Connecting in here gives the bus
/// the credentials that count in the machine: those of its root.
pub fn connect(root: &Root) -> Option<OwnedFd> {
    DIRECTORIES.iter().find_map(|directory| {
        let directory = root.directory(Path::new(directory)).ok()?;
        let name = "system_bus_socket";
        let stat = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Socket {
            return None;
        }
        // connect(2) takes no directory descriptor. Should a symlink come here after the look: this process is chrooted.
        rustix::process::fchdir(&directory).ok()?;
        let connected = dial(name);
        rustix::process::chdir("/").ok()?;
        connected.ok()
    })
}

fn dial(name: &str) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(name)?)?;
    Ok(socket)
}
