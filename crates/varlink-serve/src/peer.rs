//! Who is at the other end.

use std::{io, os::fd::OwnedFd, rc::Rc};

use zlink::connection::socket::{FetchPeerCredentials, UnixSocket};

use crate::stream::Stream;

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
    /// Where the process has ended since.
    pub async fn process(&self) -> io::Result<Process> {
        let credentials = Borrowed(&self.stream).fetch_peer_credentials().await?;
        Ok(Process {
            pid: credentials
                .process_id()
                .as_raw_nonzero()
                .get()
                .unsigned_abs(),
            pidfd: credentials
                .process_fd()
                .map(|fd| fd.try_clone_to_owned())
                .transpose()?,
        })
    }
}

struct Borrowed<'a>(&'a Stream);

impl std::os::fd::AsFd for Borrowed<'_> {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl UnixSocket for Borrowed<'_> {}
