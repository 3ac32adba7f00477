//! The socket by which entries of the journal go, kept for as long as the process runs.
//!
//! Programs close descriptors they know nothing of, and have its number for a file of theirs then. So the kernel is asked
//! before each use whether the number is still that socket's, by the cookie that no other socket gets (socket(7),
//! SO_COOKIE); if not, the number is the program's, and there is a new socket. A process that was forked uses the same one:
//! each datagram says itself who sent it. There is no lock, and no memory from the heap: handlers of signals send entries.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::io::fcntl_dupfd_cloexec;
use rustix::net::sockopt::socket_cookie;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::Result;

/// How many bits of what is kept are the descriptor's number; the others are the cookie's lowest.
const NUMBER_BITS: u32 = 24;
/// How often one is kept. Threads that don't share their descriptors would make a new one at each entry, and close none.
const AT_MOST: u32 = 16;

/// The socket that is kept; 0 if none is.
static KEPT: AtomicU64 = AtomicU64::new(0);
/// How many were.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// A socket for an entry.
#[derive(Debug)]
pub enum Socket {
    Kept(BorrowedFd<'static>),
    /// For this entry alone.
    Own(OwnedFd),
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Kept(socket) => *socket,
            Self::Own(socket) => socket.as_fd(),
        }
    }
}

impl Socket {
    /// # Errors
    /// Of socket(2)
    pub fn get() -> Result<Self> {
        let kept = KEPT.load(Ordering::Acquire);
        if let Some(socket) = find(kept) {
            return Ok(Self::Kept(socket));
        }
        let flags = SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
        if COUNT.load(Ordering::Relaxed) >= AT_MOST {
            return Ok(Self::Own(socket));
        }
        // A daemon puts what it likes where its standard streams were.
        let socket = match socket.as_raw_fd() {
            0..3 => fcntl_dupfd_cloexec(&socket, 3)?,
            _ => socket,
        };
        let Some(new) = packed(&socket) else {
            return Ok(Self::Own(socket));
        };
        match KEPT.compare_exchange(kept, new, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => {
                COUNT.fetch_add(1, Ordering::Relaxed);
                Ok(Self::Kept(borrowed(socket.into_raw_fd())))
            }
            // Another thread was faster.
            Err(_) => Ok(Self::Own(socket)),
        }
    }
}

/// What is kept of a socket; nothing where it could not be known again.
fn packed(socket: impl AsFd) -> Option<u64> {
    let number = u64::try_from(socket.as_fd().as_raw_fd()).ok()?;
    let cookie = socket_cookie(&socket).ok()?;
    (number >> NUMBER_BITS == 0).then_some(cookie << NUMBER_BITS | number)
}

/// The socket that was kept, if it is still there.
fn find(kept: u64) -> Option<BorrowedFd<'static>> {
    if kept == 0 {
        return None;
    }
    let number = i32::try_from(kept & ((1 << NUMBER_BITS) - 1)).ok()?;
    let socket = borrowed(number);
    (packed(socket) == Some(kept)).then_some(socket)
}

fn borrowed(number: i32) -> BorrowedFd<'static> {
    // SAFETY: it is not -1. Nothing here closes it; if the program has, calls fail, or are of another file of the
    // program's, which `find` tells apart.
    unsafe { BorrowedFd::borrow_raw(number) }
}
