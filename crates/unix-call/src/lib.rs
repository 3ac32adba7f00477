//! One blocking exchange over an AF_UNIX stream, with one deadline for all of it.
//!
//! Made for code that is loaded into other people's processes: no allocation, no thread, no signal
//! (not even SIGPIPE), nothing kept open, no reachable panic. On the architectures where rustix
//! makes its system calls itself, nothing here is a cancellation point either (`pthreads(7)`), so
//! a cancelled thread leaves no descriptor behind.
#![cfg_attr(not(test), no_std)]

mod deadline;
mod descriptor;
mod holdoff;
mod reader;
mod stream;
mod sys;

pub use deadline::Deadline;
pub use descriptor::File;
pub use holdoff::Holdoff;
pub use reader::{Reader, Source};
pub use rustix::net::SocketAddrUnix;
pub use stream::{Peer, Stream};
pub use sys::{environment_has, secure_getenv};

/// Whether there is a file of this name: a tenth of what it costs to fail to connect to it.
pub fn exists(path: &core::ffi::CStr) -> bool {
    sys::exists(path)
}

/// The user who owns a file, as our user namespace numbers him.
///
/// # Errors
/// Those of `stat(2)`.
pub fn owner(path: &core::ffi::CStr) -> Result<u32, Fault> {
    sys::owner(path)
}

/// Why an exchange came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A system call failed with this error number, or the peer hung up (`ECONNRESET`).
    System(i32),
    /// The deadline passed.
    TimedOut,
    /// What the peer sent is no message of its protocol.
    Protocol,
    /// A message of the protocol, but not of the shape that answers the question.
    Shape,
    /// The question or the answer is longer than this side takes.
    TooBig,
}

impl Fault {
    /// The error number to hand to a caller that knows nothing else: always positive.
    pub fn errno(self) -> i32 {
        match self {
            Fault::System(errno) => errno,
            Fault::TimedOut => libc::ETIMEDOUT,
            Fault::Protocol | Fault::Shape => libc::EBADMSG,
            Fault::TooBig => libc::EMSGSIZE,
        }
    }
}

impl From<rustix::io::Errno> for Fault {
    fn from(errno: rustix::io::Errno) -> Self {
        Fault::System(errno.raw_os_error())
    }
}
