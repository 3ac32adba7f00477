//! The unsafe code of this crate.

#![allow(unsafe_code, reason = "this is the module for it")]

use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd},
    rc::Rc,
};

use tokio::io::unix::AsyncFd;

/// Registers a descriptor with the reactor of the current runtime.
pub(crate) fn register(fd: Rc<OwnedFd>) -> io::Result<AsyncFd<Rc<OwnedFd>>> {
    // SAFETY: `as_raw_fd` of an `Rc<OwnedFd>` is always the same descriptor, and open: the `AsyncFd` owns a reference,
    // and nothing can move the `OwnedFd` out from behind it.
    unsafe { AsyncFd::register(fd) }.map_err(io::Error::from)
}

/// Who connected a socket: SO_PEERCRED of unix(7). The process is 0 where it is in a pid namespace that is not below ours,
/// which is what rustix's and zlink's types for it have no room for.
pub(crate) fn peer_credentials(socket: impl AsFd) -> io::Result<libc::ucred> {
    // SAFETY: a ucred is three numbers.
    unsafe { option(socket, libc::SO_PEERCRED) }
}

/// The process that connected a socket; `None` before Linux 6.5.
///
/// # Errors
/// Where it has ended and nobody holds it.
pub(crate) fn peer_pidfd(socket: impl AsFd) -> io::Result<Option<OwnedFd>> {
    // SAFETY: a descriptor is a number.
    match unsafe { option::<RawFd>(socket, libc::SO_PEERPIDFD) } {
        // SAFETY: the kernel has just made it for us.
        Ok(fd) => Ok(Some(unsafe { OwnedFd::from_raw_fd(fd) })),
        Err(error) if error.raw_os_error() == Some(libc::ENOPROTOOPT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads an option of the socket.
///
/// # Safety
/// `T` is made of numbers only: any bytes are one.
unsafe fn option<T>(socket: impl AsFd, name: i32) -> io::Result<T> {
    let mut value = MaybeUninit::<T>::uninit();
    let mut length = libc::socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
    // SAFETY: the kernel writes at most `length` bytes to `value`, which has as many, and the length.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            name,
            value.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    if usize::try_from(length) != Ok(size_of::<T>()) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: the kernel has written all of it.
    Ok(unsafe { value.assume_init() })
}
