//! The system calls that rustix lacks or, for this use, does differently.

use core::ffi::c_int;
use core::mem::{MaybeUninit, size_of};

use rustix::fd::{AsRawFd, FromRawFd, OwnedFd};
use rustix::io::Errno;

use crate::{Fault, Peer};

/// `CLOCK_MONOTONIC`, by libc's vDSO: rustix would read the auxiliary vector by itself, through
/// `prctl(2)` or /proc, which a seccomp filter of the program may not allow.
pub(crate) fn monotonic_nanoseconds() -> u64 {
    let mut now = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: `now` is writable and of the right type. The call can't fail for this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, now.as_mut_ptr()) };
    // SAFETY: all zeroes is a valid timespec too.
    let now = unsafe { now.assume_init() };
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds)
}

pub(crate) fn process_id() -> i32 {
    // SAFETY: always succeeds.
    unsafe { libc::getpid() }
}

/// `SO_PEERCRED`. rustix's holds the PID in a type that can't be 0, and 0 is what the kernel
/// reports for a peer in a PID namespace that ours does not see.
pub(crate) fn peer(socket: &OwnedFd) -> Result<Peer, Fault> {
    let mut credentials = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: `credentials` is writable for the `length` bytes that the kernel is told of.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut length,
        )
    };
    if outcome != 0 || length as usize != size_of::<libc::ucred>() {
        return Err(Fault::Protocol);
    }
    Ok(Peer {
        uid: credentials.uid,
        pid: credentials.pid,
    })
}

/// Moves a descriptor out of 0..=2: in a program that has closed those, another thread's output
/// must not end up in our conversation.
pub(crate) fn above_standard_streams(socket: OwnedFd) -> Result<OwnedFd, Fault> {
    const FIRST_FREE: c_int = 3;
    if socket.as_raw_fd() >= FIRST_FREE {
        return Ok(socket);
    }
    // SAFETY: duplicates a descriptor that we own; `socket` is closed by its drop.
    let moved = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST_FREE) };
    if moved < 0 {
        return Err(Fault::System(Errno::MFILE));
    }
    // SAFETY: fcntl(2) has just made it, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(moved) })
}
