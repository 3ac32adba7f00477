//! Who asks.

use std::os::fd::OwnedFd;

/// The one who made a call, as the kernel or the bus vouches for them.
#[derive(Debug)]
pub struct Caller {
    /// The user, in machined's user namespace.
    pub uid: u32,
    /// The process. It may have ended since.
    pub pid: u32,
    /// The process, held so that its number can't be taken by another; `None` where kernel or bus is too old to tell
    /// (SO_PEERPIDFD: Linux 6.5; ProcessFD: dbus-daemon 1.15.8).
    pub pidfd: Option<OwnedFd>,
    /// How polkit is told of them.
    pub subject: Subject,
    /// Whether polkit may ask a person: the ALLOW_INTERACTIVE_AUTHORIZATION flag of D-Bus.
    pub interactive: bool,
}

/// The names polkit knows callers by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A unique name on the system bus: `system-bus-name`.
    BusName(String),
    /// The process itself: `unix-process`.
    Process,
}
