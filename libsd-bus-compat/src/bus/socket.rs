//! The descriptors of a connection: bytes and descriptors through them, without waiting.

use std::io::IoSlice;
use std::iter;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::PollFlags;
use rustix::fs::{FileType, OFlags, fcntl_getfl, fcntl_setfl, fstat};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::sockopt::{
    set_socket_send_buffer_size, set_socket_send_buffer_size_force, socket_domain,
    socket_send_buffer_size,
};
use rustix::net::{AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::ffi::poll::poll;
use crate::ffi::receive::receive;
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// How many descriptors one call of sendmsg(2) takes (SCM_MAX_FD of the kernel).
const AT_ONCE: usize = 253;

/// How much the kernel is to take before the peer has read it, in bytes; it counts twice of it (socket(7)). More is no faster
/// for large messages, and slower for many small ones, which then come from farther away than the processor's cache.
const BUFFER: usize = 512 << 10;

/// Both ends of a connection that are ours; mostly the same one.
#[derive(Clone, Debug)]
pub struct Socket(Shared<Ends>);

#[derive(Debug)]
struct Ends {
    input: OwnedFd,
    /// If it is another one.
    output: Option<OwnedFd>,
    /// Whether it is a socket: pipes take bytes alone.
    is_socket: bool,
}

impl Socket {
    /// Of descriptors that are open. From now on they do not block, and end with the program.
    ///
    /// # Errors
    /// Of fcntl(2).
    pub fn of(input: OwnedFd, output: Option<OwnedFd>) -> Result<Self> {
        let ends = || iter::once(&input).chain(&output);
        for end in ends() {
            fcntl_setfl(end, fcntl_getfl(end)? | OFlags::NONBLOCK)?;
            fcntl_setfd(end, FdFlags::CLOEXEC)?;
        }
        let is_socket = ends().try_fold(true, |all, end| {
            let is_one = FileType::from_raw_mode(fstat(end)?.st_mode) == FileType::Socket;
            Ok::<_, Errno>(all && is_one)
        })?;
        Ok(Self(Shared::new(Ends {
            is_socket,
            input,
            output,
        })))
    }

    /// Whether descriptors can go along with bytes: over AF_UNIX alone.
    pub fn passes_descriptors(&self) -> bool {
        let is_unix = |end: BorrowedFd<'_>| socket_domain(end) == Ok(AddressFamily::UNIX);
        self.0.is_socket && is_unix(self.input()) && is_unix(self.output())
    }

    /// Has the kernel take more at once than it does by itself, as far as it lets this user: a large message goes whole then,
    /// and not by a wake-up of its reader for each piece. For AF_UNIX alone: TCP finds out by itself what is good.
    pub fn enlarge(&self) {
        let is_small =
            || socket_send_buffer_size(self.output()).is_ok_and(|size| size < 2 * BUFFER);
        // What is not allowed is not needed.
        if is_small() {
            let _ = set_socket_send_buffer_size(self.output(), BUFFER);
        }
        if is_small() {
            let _ = set_socket_send_buffer_size_force(self.output(), BUFFER);
        }
    }

    /// Whether these are the same descriptors.
    pub fn is_same(&self, other: &Self) -> bool {
        Shared::ptr_eq(&self.0, &other.0)
    }

    /// Where bytes come from.
    pub fn input(&self) -> BorrowedFd<'_> {
        self.0.input.as_fd()
    }

    /// Where bytes go.
    pub fn output(&self) -> BorrowedFd<'_> {
        self.0.output.as_ref().unwrap_or(&self.0.input).as_fd()
    }

    /// The one descriptor, if it is one.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.0.output.is_none().then(|| self.input())
    }

    /// Reads what there is, as much as there is room for behind what is in `to`; with the descriptors that come along, or
    /// `None` if there is nothing yet.
    ///
    /// # Errors
    /// ECONNRESET if the peer has hung up; of recvmsg(2).
    pub fn receive(&self, to: &mut Vec<u8>) -> Result<Option<Vec<OwnedFd>>> {
        let mut descriptors = Vec::new();
        let received = match self.0.is_socket {
            true => receive(self.input(), to, &mut descriptors),
            false => rustix::io::read(self.input(), spare_capacity(to)),
        };
        match received {
            Ok(0) => Err(Errno::CONNRESET),
            Ok(_) => Ok(Some(descriptors)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    /// Writes what goes; 0 if nothing does now.
    ///
    /// # Errors
    /// Of sendmsg(2).
    pub fn send(&self, bytes: &[IoSlice<'_>], descriptors: &[OwnedFd]) -> Result<usize> {
        let sent = |sent| match sent {
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            sent => sent,
        };
        if self.0.is_socket {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            // The kernel has less to look at so.
            if let ([bytes], []) = (bytes, descriptors) {
                return sent(rustix::net::send(self.output(), bytes, flags));
            }
            let borrowed: Vec<BorrowedFd<'_>> = descriptors.iter().map(AsFd::as_fd).collect();
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(AT_ONCE))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !borrowed.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&borrowed)) {
                return Err(Errno::NOBUFS);
            }
            sent(sendmsg(self.output(), bytes, &mut control, flags))
        } else {
            sent(rustix::io::writev(self.output(), bytes))
        }
    }

    /// Waits until there is something to read or, if `write`, room to write; for as many µs as given, or for ever.
    ///
    /// # Errors
    /// Of poll(2), EINTR too.
    pub fn wait(&self, read: bool, write: bool, timeout: Option<u64>) -> Result<bool> {
        let flag = |wanted, flag| if wanted { flag } else { PollFlags::empty() };
        let (read, write) = (flag(read, PollFlags::IN), flag(write, PollFlags::OUT));
        match self.descriptor() {
            Some(both) => poll([(both, read | write)], timeout),
            None => poll([(self.input(), read), (self.output(), write)], timeout),
        }
    }
}
