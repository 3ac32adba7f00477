//! A descriptor that is readable when seats, sessions, users or machines have come or gone (sd_login_monitor_new(3)).

use std::os::fd::OwnedFd;

use rustix::fs::inotify;

use super::Login;
use crate::{Errno, Result};

/// What to watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Seats.
    Seat,
    /// Sessions.
    Session,
    /// Users.
    User,
    /// Machines.
    Machine,
}

impl Category {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Seat, Self::Session, Self::User, Self::Machine];

    /// By its name.
    ///
    /// # Errors
    /// EINVAL
    pub fn parse(name: &[u8]) -> Result<Self> {
        match name {
            b"seat" => Ok(Self::Seat),
            b"session" => Ok(Self::Session),
            b"uid" => Ok(Self::User),
            b"machine" => Ok(Self::Machine),
            _ => Err(Errno::INVAL),
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Seat => "/run/systemd/seats",
            Self::Session => "/run/systemd/sessions",
            Self::User => "/run/systemd/users",
            Self::Machine => "/run/systemd/machines",
        }
    }
}

/// Files are written beside and renamed into place.
const CHANGES: inotify::WatchFlags =
    inotify::WatchFlags::MOVED_TO.union(inotify::WatchFlags::DELETE);

/// Watches these from now on.
///
/// # Errors
/// Of inotify(7): ENOENT if nobody keeps such a thing here.
pub fn monitor(login: &Login, categories: &[Category]) -> Result<OwnedFd> {
    let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
    let descriptor = inotify::init(flags)?;
    for category in categories {
        inotify::add_watch(&descriptor, login.path(category.folder()), CHANGES)?;
    }
    Ok(descriptor)
}
