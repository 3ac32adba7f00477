//! The socket of a connection, as zlink's two halves.
//!
//! It tries the system call first and registers with the reactor only if that would block: a client that connects, asks
//! and waits has sent its question by the time the connection is accepted.

use std::{
    cell::OnceCell,
    fmt, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    rc::Rc,
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv, send, sendmsg},
};
use tokio::{
    io::{Interest, Ready, unix::AsyncFd},
    time::{Instant, timeout_at},
};
use zlink::connection::{
    PassedCredentials,
    socket::{self, ReadResult},
};

use crate::{limits::Limits, sys};

/// A connected socket.
pub(crate) struct Stream {
    // Before `fd`: it is taken out of the reactor before it is closed.
    registered: OnceCell<AsyncFd<Rc<OwnedFd>>>,
    fd: Rc<OwnedFd>,
    limits: Limits,
}

impl Stream {
    /// Takes a non-blocking socket.
    pub(crate) fn new(fd: OwnedFd, limits: Limits) -> Self {
        Self {
            registered: OnceCell::new(),
            fd: Rc::new(fd),
            limits,
        }
    }

    fn registered(&self) -> io::Result<&AsyncFd<Rc<OwnedFd>>> {
        if let Some(registered) = self.registered.get() {
            return Ok(registered);
        }
        let new = sys::register(Rc::clone(&self.fd))?;
        Ok(self.registered.get_or_init(|| new))
    }

    /// Does `operation` now or as soon as it no longer blocks, by `deadline` at the latest.
    async fn when<T>(
        &self,
        interest: Interest,
        deadline: Option<Instant>,
        mut operation: impl FnMut() -> rustix::io::Result<T>,
    ) -> io::Result<T> {
        let mut operation = || operation().map_err(io::Error::from);
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
        let ready = self.registered()?;
        let later = async {
            loop {
                if let Ok(result) = ready.ready(interest).await?.try_io(|_| operation()) {
                    return result;
                }
            }
        };
        match deadline {
            None => later.await,
            Some(deadline) => timeout_at(deadline, later)
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())),
        }
    }

    /// Waits until the peer has closed its end, or the half of it that sends. What it sends meanwhile stays in the
    /// kernel, so it can't make us buffer.
    pub(crate) async fn closed(&self) -> io::Result<()> {
        let registered = self.registered()?;
        loop {
            let mut guard = registered.ready(Interest::READABLE).await?;
            if guard.ready().is_read_closed() {
                return Ok(());
            }
            // Reads try the system call first, so they don't miss what is cleared here.
            guard.clear_ready_matching(Ready::READABLE);
        }
    }

    /// Waits until the peer has closed its end altogether.
    pub(crate) async fn hung_up(&self) -> io::Result<()> {
        let registered = self.registered()?;
        loop {
            let mut guard = registered.ready(Interest::WRITABLE).await?;
            if guard.ready().is_write_closed() {
                return Ok(());
            }
            // Sends try the system call first, so they don't miss what is cleared here.
            guard.clear_ready_matching(Ready::WRITABLE);
        }
    }

    /// Sends all of `bytes`, the descriptors along with the first of them.
    pub(crate) async fn send(&self, mut bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let deadline = LazyDeadline::new(self.limits.send);
        if !fds.is_empty() {
            let sent = self.when(Interest::WRITABLE, deadline.at(), || {
                self.send_fds(bytes, fds)
            });
            bytes = bytes.get(sent.await?..).unwrap_or_default();
        }
        while !bytes.is_empty() {
            // The clock is read only where the socket is full.
            let sent = match send(&self.fd, bytes, SendFlags::NOSIGNAL) {
                Err(Errno::AGAIN) => {
                    let again = || send(&self.fd, bytes, SendFlags::NOSIGNAL);
                    self.when(Interest::WRITABLE, deadline.at(), again).await?
                }
                result => result?,
            };
            bytes = bytes.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    fn send_fds(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> rustix::io::Result<usize> {
        // SCM_MAX_FD, unix(7).
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(Errno::TOOMANYREFS);
        }
        let bytes = [io::IoSlice::new(bytes)];
        sendmsg(&self.fd, &bytes, &mut control, SendFlags::NOSIGNAL)
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fd.fmt(f)
    }
}

/// A moment some time after it is first asked for.
struct LazyDeadline {
    after: Duration,
    at: OnceCell<Instant>,
}

impl LazyDeadline {
    fn new(after: Duration) -> Self {
        Self {
            after,
            at: OnceCell::new(),
        }
    }

    fn at(&self) -> Option<Instant> {
        Some(*self.at.get_or_init(|| Instant::now() + self.after))
    }
}

/// The socket, for zlink to split.
#[derive(Debug)]
pub(crate) struct Whole(pub(crate) Rc<Stream>);

impl socket::Socket for Whole {
    type ReadHalf = ReadHalf;
    type WriteHalf = WriteHalf;
    const CAN_TRANSFER_FDS: bool = true;

    fn split(self) -> (ReadHalf, WriteHalf) {
        let read = ReadHalf {
            stream: Rc::clone(&self.0),
            unfinished: 0,
            since: None,
        };
        (read, WriteHalf(self.0))
    }
}

/// The half that receives; it ends the connection where a message is too long or too slow.
#[derive(Debug)]
pub(crate) struct ReadHalf {
    stream: Rc<Stream>,
    /// Bytes received of a message that has not ended yet.
    unfinished: usize,
    /// When the first of them came.
    since: Option<Instant>,
}

impl socket::ReadHalf for ReadHalf {
    async fn read(&mut self, buffer: &mut [u8]) -> zlink::Result<ReadResult> {
        let stream = &self.stream;
        let deadline = self.since.map(|since| since + stream.limits.receive);
        // Without a place for ancillary data the kernel drops descriptors instead of passing them: unix(7).
        let count = stream
            .when(Interest::READABLE, deadline, || {
                recv(&stream.fd, &mut *buffer, RecvFlags::empty()).map(|(count, _)| count)
            })
            .await?;
        let new = buffer.get(..count).unwrap_or_default();
        match new.iter().rposition(|&byte| byte == 0) {
            Some(end) => {
                self.unfinished = new.len() - end - 1;
                self.since = None;
            }
            None => self.unfinished += new.len(),
        }
        if self.unfinished > 0 && self.since.is_none() {
            self.since = Some(Instant::now());
        }
        if self.unfinished > stream.limits.message {
            return Err(zlink::Error::BufferOverflow);
        }
        Ok(ReadResult::new(count))
    }
}

impl AsFd for ReadHalf {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl socket::UnixSocket for ReadHalf {}

/// The half that sends. zlink needs it for its type; replies go out by [`Stream::send`].
#[derive(Debug)]
pub(crate) struct WriteHalf(Rc<Stream>);

impl socket::WriteHalf for WriteHalf {
    async fn write(
        &mut self,
        bytes: &[u8],
        fds: &[impl AsFd],
        _credentials: Option<&PassedCredentials>,
    ) -> zlink::Result<()> {
        let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        Ok(self.0.send(bytes, &fds).await?)
    }
}
