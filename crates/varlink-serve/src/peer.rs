//! Who is at the other end.

use std::{io, os::fd::OwnedFd, rc::Rc};

use crate::{stream::Stream, sys};

/// The one who connected, as the kernel vouches for them.
#[derive(Debug)]
pub struct Peer {
    uid: u32,
    stream: Rc<Stream>,
}

/// A process that connected.
#[derive(Debug)]
pub struct Process {
    /// Its number, in the pid namespace of the daemon.
    pub pid: u32,
    /// The process itself; `None` before Linux 6.5.
    pub pidfd: Option<OwnedFd>,
}

impl Peer {
    pub(crate) fn new(uid: u32, stream: Rc<Stream>) -> Self {
        Self { uid, stream }
    }

    /// The user who connected (SO_PEERCRED), in the user namespace of the daemon.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The process that connected. (SO_PEERCRED, SO_PEERPIDFD)
    ///
    /// # Errors
    /// Where the process has ended since, or is in a pid namespace that is not below the daemon's.
    pub fn process(&self) -> io::Result<Process> {
        let pid = sys::peer_credentials(&*self.stream)?.pid;
        let pid = u32::try_from(pid).ok().filter(|&pid| pid > 0);
        Ok(Process {
            pid: pid.ok_or(io::ErrorKind::NotFound)?,
            pidfd: sys::peer_pidfd(&*self.stream)?,
        })
    }
}
