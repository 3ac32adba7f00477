//! sd-bus without C: what its functions mean.

pub mod append;
pub mod connection;
pub mod container;
pub mod creds;
pub mod dump;
pub mod error;
pub mod message;
pub mod objects;
pub mod program;
pub mod read;
pub mod remote;
pub mod route;
pub mod socket;
pub mod watch;

use crate::Errno;

/// The number of an error that `dbus` has by name.
pub fn errno(error: dbus::Error) -> Errno {
    match error {
        dbus::Error::Invalid => Errno::INVAL,
        dbus::Error::Range => Errno::RANGE,
        dbus::Error::Mismatch => Errno::NXIO,
        dbus::Error::NotPermitted => Errno::PERM,
        dbus::Error::Busy => Errno::BUSY,
        dbus::Error::Malformed => Errno::BADMSG,
        dbus::Error::Exists => Errno::EXIST,
        dbus::Error::NoMemory => Errno::NOMEM,
        dbus::Error::Full => Errno::NOBUFS,
        dbus::Error::Unsupported => Errno::OPNOTSUPP,
    }
}
