//! The file of a map, for readers.

use core::ffi::{CStr, c_int};
use core::mem::MaybeUninit;
use core::ptr;

use super::Mapping;
use crate::geometry::SIZES;

/// Who else could have written to it.
const GROUP_AND_OTHERS: libc::mode_t = 0o022;

/// Which file it is: device and inode.
pub(crate) type Identity = [u32; 4];

/// Which file is at `path` now.
pub(crate) fn identity(path: &CStr) -> Option<Identity> {
    let mut status = MaybeUninit::<libc::stat64>::zeroed();
    // SAFETY: `path` is a C string, `status` is writable and of the right type.
    let outcome = unsafe { libc::lstat64(path.as_ptr(), status.as_mut_ptr()) };
    // SAFETY: all zeroes is a valid stat, too.
    let status = unsafe { status.assume_init() };
    (outcome == 0).then(|| identity_of(&status))
}

fn identity_of(status: &libc::stat64) -> Identity {
    let (device, inode) = (status.st_dev, status.st_ino);
    [device, device >> 32, inode, inode >> 32].map(|half| half as u32)
}

/// Maps the file at `path` to read, if nobody but `owner` can have written it.
///
/// `openat(2)` and `close(2)` go by number, since libc's are cancellation points (pthreads(7)).
pub(crate) fn open(path: &CStr, owner: u32) -> Option<(Mapping, Identity)> {
    let flags =
        libc::O_RDONLY | libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    // SAFETY: `path` is a C string, and the other arguments are integers.
    let opened = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags) };
    let file = c_int::try_from(opened).ok().filter(|file| *file >= 0)?;
    let mapped = map(file, owner);
    // SAFETY: opened just now, and nobody else knows of it.
    unsafe { libc::syscall(libc::SYS_close, file) };
    mapped
}

fn map(file: c_int, owner: u32) -> Option<(Mapping, Identity)> {
    let mut status = MaybeUninit::<libc::stat64>::zeroed();
    // SAFETY: `status` is writable and of the right type.
    let outcome = unsafe { libc::fstat64(file, status.as_mut_ptr()) };
    // SAFETY: all zeroes is a valid stat, too.
    let status = unsafe { status.assume_init() };
    let size = usize::try_from(status.st_size)
        .ok()
        .filter(|size| SIZES.contains(size))?;
    let is_safe = outcome == 0
        && status.st_mode & libc::S_IFMT == libc::S_IFREG
        && status.st_mode & GROUP_AND_OTHERS == 0
        && status.st_uid == owner;
    if !is_safe {
        return None;
    }
    // SAFETY: a new mapping, where the kernel likes, takes nobody's memory.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            size,
            libc::PROT_READ,
            libc::MAP_SHARED,
            file,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: mapped just now, `size` bytes, for nobody else to unmap.
    let mapping = unsafe { Mapping::new(start, size) };
    Some((mapping, identity_of(&status)))
}
