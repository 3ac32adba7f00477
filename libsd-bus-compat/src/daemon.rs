//! What a service and its manager tell each other (sd-daemon(3)): passed sockets, readiness, the watchdog.

mod descriptor;
mod listen;
mod notify;
mod socket;
mod watchdog;

use std::path::Path;

pub use self::descriptor::{is_fifo, is_mq, is_special};
pub use self::listen::{Listen, START, listen, names};
pub use self::notify::{Address, Notification, barrier, notify};
pub use self::socket::{Local, is_socket, is_socket_inet, is_socket_sockaddr, is_socket_unix};
pub use self::watchdog::watchdog;
use crate::{Errno, Result, errno_of};

/// Whether systemd runs this machine: its folder in /run is there.
///
/// # Errors
/// Of looking, but that it is not there.
pub fn booted() -> Result<bool> {
    match Path::new("/run/systemd/system/").symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) => match errno_of(&error) {
            Errno::NOENT => Ok(false),
            errno => Err(errno),
        },
    }
}
