//! What the kernel says of who is at the other end of a socket: unix(7), socket(7).

use std::ffi::{CString, c_int, c_void};
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::{Errno, Result};

/// Who it was when the connection was made. In other namespaces than ours a process has the number 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub pid: i32,
    pub user: u32,
    pub group: u32,
}

/// Reads an option into memory of a size; answers how much of it there is.
fn option(socket: BorrowedFd<'_>, name: c_int, to: *mut c_void, size: usize) -> Result<usize> {
    let mut length = libc::socklen_t::try_from(size).map_err(|_| Errno::INVAL)?;
    // SAFETY: the kernel writes no more than the length it is told, and callers have as much.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            name,
            to,
            &raw mut length,
        )
    };
    let needed = usize::try_from(length).map_err(|_| Errno::INVAL)?;
    match (result, crate::errno_of(&std::io::Error::last_os_error())) {
        (0, _) => Ok(needed),
        // It says how much it is.
        (_, Errno::RANGE) if needed > size => Ok(needed),
        (_, errno) => Err(errno),
    }
}

/// An option that has any length: text, or numbers.
fn list<T: Copy + Default>(socket: BorrowedFd<'_>, name: c_int) -> Result<Vec<T>> {
    let mut values = vec![T::default(); 64];
    loop {
        let room = size_of::<T>() * values.len();
        let length = option(socket, name, values.as_mut_ptr().cast(), room)?;
        let count = length / size_of::<T>();
        let fits = count <= values.len();
        values.resize(count, T::default());
        if fits {
            return Ok(values);
        }
    }
}

/// Its process, user and group.
///
/// # Errors
/// ENODATA if the socket is of a family that does not know; of getsockopt(2).
pub fn credentials(socket: BorrowedFd<'_>) -> Result<Peer> {
    let mut peer = libc::ucred {
        pid: 0,
        uid: u32::MAX,
        gid: u32::MAX,
    };
    let size = size_of::<libc::ucred>();
    // rustix's type can't hold the number 0.
    option(socket, libc::SO_PEERCRED, (&raw mut peer).cast(), size)?;
    match peer.uid {
        u32::MAX => Err(Errno::NODATA),
        user => Ok(Peer {
            pid: peer.pid,
            user,
            group: peer.gid,
        }),
    }
}

/// Its process.
///
/// # Errors
/// ENODATA if there is none, or one in a pid namespace that is not below ours; of getsockopt(2).
pub fn pid(socket: BorrowedFd<'_>) -> Result<i32> {
    match credentials(socket)?.pid {
        pid if pid > 0 => Ok(pid),
        _ => Err(Errno::NODATA),
    }
}

/// Its label of the security module.
///
/// # Errors
/// ENOPROTOOPT if there is none; of getsockopt(2).
pub fn label(socket: BorrowedFd<'_>) -> Result<CString> {
    let bytes: Vec<u8> = list(socket, libc::SO_PEERSEC)?;
    // It may end with a 0, and does not have to.
    let label = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    CString::new(label).map_err(|_| Errno::INVAL)
}

/// Its supplementary groups.
///
/// # Errors
/// ENOPROTOOPT before Linux 4.13; of getsockopt(2).
pub fn groups(socket: BorrowedFd<'_>) -> Result<Vec<u32>> {
    list(socket, libc::SO_PEERGROUPS)
}

/// A pidfd of its process. None if the kernel has no such option, before Linux 6.5.
///
/// # Errors
/// ESRCH if the process has ended; of getsockopt(2).
pub fn pidfd(socket: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
    /// asm-generic/socket.h, as the libc crate has it for some architectures only.
    const SO_PEERPIDFD: c_int = 77;
    let mut number: c_int = -1;
    let size = size_of::<c_int>();
    match option(socket, SO_PEERPIDFD, (&raw mut number).cast(), size) {
        Ok(_) if number >= 0 => {
            // SAFETY: the kernel has opened it for this call.
            Ok(Some(unsafe { OwnedFd::from_raw_fd(number) }))
        }
        Err(Errno::NOPROTOOPT) => Ok(None),
        // What it says of a process that nobody waits for any more differs by the kernel.
        Ok(_) | Err(Errno::INVAL | Errno::NODATA) => Err(Errno::SRCH),
        Err(errno) => Err(errno),
    }
}
