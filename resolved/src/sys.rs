//! The system calls that rustix lacks: all `unsafe` of this crate.

#![allow(unsafe_code)]

pub(crate) mod datagrams;
pub(crate) mod link;
pub(crate) mod origin;

use std::os::fd::OwnedFd;

use tokio::io::{Interest, unix::AsyncFd};

/// Has the runtime watch a descriptor for this.
pub(crate) fn async_fd(fd: OwnedFd, interest: Interest) -> std::io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd names one open file for as long as it lives, and nothing but the AsyncFd gets at this one.
    Ok(unsafe { AsyncFd::register_with_interest(fd, interest) }?)
}
