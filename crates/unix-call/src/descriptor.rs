//! Descriptors that are opened for one exchange.

use core::ffi::CStr;

use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::{Errno, read};

use crate::{Fault, Source, sys};

/// An open descriptor, closed when dropped. Like `OwnedFd`, but opening and using one of those has
/// a panic in it, for the case that the kernel hands out descriptor -1.
#[derive(Debug)]
pub(crate) struct Descriptor(sys::RawDescriptor);

impl Descriptor {
    /// An AF_UNIX stream socket.
    pub(crate) fn unix_stream() -> Result<Self, Fault> {
        Ok(Self(sys::unix_stream()?))
    }

    #[cfg(test)]
    pub(crate) fn from_std(socket: std::os::fd::OwnedFd) -> Self {
        Self(sys::RawDescriptor::from_std(socket))
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.borrow()
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A file of the system's that is read from its beginning.
#[derive(Debug)]
pub struct File(Descriptor);

impl File {
    /// Opens a file without waiting for it, following it or letting it be inherited, whatever
    /// stands at `path`.
    ///
    /// # Errors
    /// Those of `open(2)`.
    pub fn open(path: &CStr) -> Result<Self, Fault> {
        Ok(Self(Descriptor(sys::open(path)?)))
    }
}

impl Source for File {
    fn fill(&mut self, window: &mut [u8]) -> Result<usize, Fault> {
        loop {
            match read(&self.0, &mut *window) {
                Err(Errno::INTR) => {}
                outcome => return Ok(outcome?),
            }
        }
    }
}
