//! The unsafe code of this crate.

#![allow(unsafe_code, reason = "this is the module for it")]

use std::{io, os::fd::OwnedFd, rc::Rc};

use tokio::io::unix::AsyncFd;

/// Registers a descriptor with the reactor of the current runtime.
pub(crate) fn register(fd: Rc<OwnedFd>) -> io::Result<AsyncFd<Rc<OwnedFd>>> {
    // SAFETY: `as_raw_fd` of an `Rc<OwnedFd>` is always the same descriptor, and open: the `AsyncFd` owns a reference,
    // and nothing can move the `OwnedFd` out from behind it.
    unsafe { AsyncFd::register(fd) }.map_err(io::Error::from)
}
