//! The system calls that rustix has no safe wrapper for: the one place of this crate with `unsafe`.

#![allow(unsafe_code)]

use std::os::fd::{AsFd, OwnedFd};

use rustix::{
    io,
    ioctl::{self, Getter, Ioctl, IoctlOutput, Opcode, opcode},
    process::Signal,
};
use tokio::io::unix::AsyncFd;

/// The signal of this number, realtime ones among them; `None` outside 1 to 64.
///
/// rustix knows only the named ones, but `machinectl poweroff` sends SIGRTMIN+4.
pub(crate) fn signal(number: i32) -> Option<Signal> {
    // SAFETY: what the function asks for is that the number be no signal of libc's own (32, 33 in glibc). Such a one
    // is only ever *sent*, to a process that may use another libc or none; no handler is set with it.
    (1..=64)
        .contains(&number)
        .then(|| unsafe { Signal::from_raw_unchecked(number) })
}

/// Has the runtime watch a descriptor.
pub(crate) fn async_fd(fd: OwnedFd) -> std::io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd names one open file for as long as it lives, and nothing but the AsyncFd gets at this one.
    Ok(unsafe { AsyncFd::register(fd) }?)
}

/// The user who made a user namespace, in ours: NS_GET_OWNER_UID of ioctl_nsfs(2).
pub(crate) fn owner_of_user_namespace(namespace: impl AsFd) -> io::Result<u32> {
    const OPCODE: Opcode = opcode::none(0xb7, 4);
    // SAFETY: the call writes one uid_t.
    let get = unsafe { Getter::<OPCODE, u32>::new() };
    // SAFETY: as above; on a descriptor that is no namespace it fails.
    unsafe { ioctl::ioctl(namespace, get) }
}

/// The user namespace that a user namespace was made in: NS_GET_PARENT of ioctl_nsfs(2). EPERM past our own.
pub(crate) fn parent_of_user_namespace(namespace: impl AsFd) -> io::Result<OwnedFd> {
    // SAFETY: the call takes no argument and returns a new descriptor; see `GetParent`.
    unsafe { ioctl::ioctl(namespace, GetParent) }
}

struct GetParent;

// SAFETY: NS_GET_PARENT neither reads nor writes memory, and its non-negative result is a descriptor that nobody else
// has.
unsafe impl Ioctl for GetParent {
    type Output = OwnedFd;

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        opcode::none(0xb7, 2)
    }

    fn as_ptr(&mut self) -> *mut core::ffi::c_void {
        core::ptr::null_mut()
    }

    unsafe fn output_from_ptr(
        output: IoctlOutput,
        _: *mut core::ffi::c_void,
    ) -> io::Result<Self::Output> {
        use std::os::fd::FromRawFd;
        // SAFETY: the kernel has just made it for us.
        Ok(unsafe { OwnedFd::from_raw_fd(output) })
    }
}
