//! A connected AF_UNIX stream that knows its deadline.

use core::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, SocketAddrUnix, connect, recv, send};

use crate::descriptor::Descriptor;
use crate::{Deadline, Fault, Source, sys};

/// Who holds the other end (`SO_PEERCRED`): whoever called `listen(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// As seen from our user namespace; 65534 if it has no number there.
    pub uid: u32,
    /// As seen from our PID namespace; 0 if it has no number there.
    pub pid: i32,
}

impl Peer {
    /// Whether the peer is this very process, which could only wait for itself.
    pub fn is_this_process(self) -> bool {
        self.pid == sys::process_id()
    }
}

/// A connected stream. Closed when dropped.
#[derive(Debug)]
pub struct Stream {
    socket: Descriptor,
    deadline: Deadline,
    /// It is known that there is something to read.
    stirred: bool,
}

impl Stream {
    /// Connects, and waits while the listener's backlog is full.
    ///
    /// # Errors
    /// Those of `socket(2)` and `connect(2)`; [`Fault::TimedOut`].
    pub fn connect(address: &SocketAddrUnix, deadline: Deadline) -> Result<Self, Fault> {
        let socket = Descriptor::unix_stream()?;
        let mut is_blocking = false;
        loop {
            if is_blocking {
                let left = at_least_1us(deadline.remaining()?);
                set_socket_timeout(&socket, Timeout::Send, Some(left))?;
            }
            match connect(&socket, address) {
                Ok(()) => {
                    return Ok(Self {
                        socket,
                        deadline,
                        stirred: false,
                    });
                }
                Err(Errno::INTR) => {}
                // With a full backlog a non-blocking connect fails at once and poll(2) has nothing to
                // wait for; only a blocking one is woken when there is room, and SO_SNDTIMEO bounds it
                // (unix_stream_connect() in the kernel's net/unix/af_unix.c).
                Err(Errno::AGAIN) if !is_blocking => {
                    ioctl_fionbio(&socket, false)?;
                    is_blocking = true;
                }
                Err(Errno::AGAIN) => return Err(Fault::TimedOut),
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Who holds the other end.
    ///
    /// # Errors
    /// Those of `getsockopt(2)`.
    pub fn peer(&self) -> Result<Peer, Fault> {
        sys::peer(self.socket.as_fd())
    }

    /// Replaces the deadline it was connected with.
    pub fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// Waits until the peer has sent something or hung up, or `span` is over: whether it has.
    ///
    /// # Errors
    /// Those of `poll(2)`; [`Fault::TimedOut`] at the stream's own deadline.
    pub fn stirs_within(&mut self, span: Duration) -> Result<bool, Fault> {
        match self.wait_until(PollFlags::IN, Deadline::after(span).min(self.deadline)) {
            Ok(()) => {
                self.stirred = true;
                Ok(true)
            }
            Err(Fault::TimedOut) => self.deadline.remaining().map(|_| false),
            Err(fault) => Err(fault),
        }
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// Those of `send(2)`; [`Fault::TimedOut`].
    pub fn send_all(&mut self, mut bytes: &[u8]) -> Result<(), Fault> {
        while !bytes.is_empty() {
            match send(
                &self.socket,
                bytes,
                SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
            ) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn wait(&self, what: PollFlags) -> Result<(), Fault> {
        self.wait_until(what, self.deadline)
    }

    fn wait_until(&self, what: PollFlags, deadline: Deadline) -> Result<(), Fault> {
        loop {
            let left = deadline.remaining()?;
            let timeout = Timespec {
                tv_sec: left.as_secs().cast_signed(),
                tv_nsec: left.subsec_nanos().cast_signed().into(),
            };
            match poll(&mut [PollFd::new(&self.socket, what)], Some(&timeout)) {
                // Ready, or broken: then the call that follows says how.
                Ok(ready) if ready > 0 => return Ok(()),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl Source for Stream {
    fn fill(&mut self, window: &mut [u8]) -> Result<usize, Fault> {
        loop {
            // First wait, then read: an answer is hardly ever there yet, and a peer that drips or
            // floods meets the deadline here each time but the first.
            if !core::mem::take(&mut self.stirred) {
                self.wait(PollFlags::IN)?;
            }
            match recv(&self.socket, &mut *window, RecvFlags::DONTWAIT) {
                Ok((count, _)) => return Ok(count),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

/// A timeout of 0 µs would mean none at all (`socket(7)`).
fn at_least_1us(span: Duration) -> Duration {
    span.max(Duration::from_micros(1))
}

#[cfg(test)]
mod tests;
