//! The memory of a map, for its writer.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{Ordering, fence};

use super::Mapping;
use crate::words::{Words, WordsMut};

/// A mapping that can be written.
#[derive(Debug)]
pub(crate) struct WritableMapping(Mapping);

// SAFETY: memory that all threads of the process have; whatever is done to it is done by atomics.
unsafe impl Send for WritableMapping {}

impl WritableMapping {
    /// Maps the first `size` bytes of a file, which must be there.
    pub(crate) fn new(file: BorrowedFd<'_>, size: usize) -> io::Result<Self> {
        // SAFETY: a new mapping, where the kernel likes, takes nobody's memory.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: mapped just now, `size` bytes, for nobody else to unmap.
        Ok(Self(unsafe { Mapping::new(start, size) }))
    }
}

impl Words for WritableMapping {
    fn load(&self, at: usize) -> u32 {
        self.0.region().load(at)
    }

    fn load_acquire(&self, at: usize) -> u32 {
        self.0.region().load_acquire(at)
    }

    fn fence_acquire(&self) {
        fence(Ordering::Acquire);
    }
}

impl WordsMut for WritableMapping {
    fn store(&self, at: usize, value: u32) {
        if let Some(word) = self.0.region().word(at) {
            word.store(value, Ordering::Relaxed);
        }
    }

    fn store_release(&self, at: usize, value: u32) {
        if let Some(word) = self.0.region().word(at) {
            word.store(value, Ordering::Release);
        }
    }

    fn fence_release(&self) {
        fence(Ordering::Release);
    }
}
