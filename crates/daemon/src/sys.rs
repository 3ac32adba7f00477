//! The one place of this crate with `unsafe`.

#![allow(unsafe_code)]

use std::{
    io,
    os::fd::{FromRawFd, OwnedFd, RawFd},
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether the descriptors have an owner already.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes over the descriptors `first..first + count` that the service manager passed; none the second time.
///
/// Call it before anything else could have opened a descriptor that got one of these numbers.
pub(crate) fn take_inherited(first: RawFd, count: RawFd) -> Vec<OwnedFd> {
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Vec::new();
    }
    (first..first.saturating_add(count))
        .filter(|&fd| is_open(fd))
        .map(|fd| {
            // SAFETY: `fd` is open, and by the protocol of sd_listen_fds(3) it is ours alone: whoever started this
            // process put it there for it. `TAKEN`: each gets one owner.
            unsafe { OwnedFd::from_raw_fd(fd) }
        })
        .collect()
}

fn is_open(fd: RawFd) -> bool {
    // SAFETY: F_GETFD takes no pointer and changes nothing; a number that is no descriptor gives EBADF.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

/// Puts a seccomp filter on the calling thread, and what it starts from now on.
pub(crate) fn set_filter(program: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: program.len().try_into().map_err(io::Error::other)?,
        // The kernel reads it, and no more; the type has no const.
        filter: program.as_ptr().cast_mut(),
    };
    let program = std::ptr::from_ref(&program);
    // SAFETY: the structure and the instructions it points to live until the call has returned, and the length is theirs.
    let result = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, program) };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
