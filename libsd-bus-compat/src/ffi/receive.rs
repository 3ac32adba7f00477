//! recvmsg(2) to memory that was not written to, which rustix has no form of. By its number: the C library's function is one
//! at which a thread may be cancelled, and nothing here could be unwound for that.

use std::ffi::{c_int, c_long};
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::{ptr, slice};

use super::sys::last;
use crate::Result;

/// How many descriptors come at once (SCM_MAX_FD of the kernel).
const AT_ONCE: usize = 253;
/// Room for them behind a header, as CMSG_SPACE(3) has it, in words that align it.
const CONTROL: usize = (size_of::<libc::cmsghdr>() + AT_ONCE * size_of::<c_int>()).div_ceil(8);

/// Reads what there is, as much as `to` has room for, behind what is in it; and what descriptors come with it. How many bytes.
///
/// # Errors
/// Of recvmsg(2), which does not wait.
pub fn receive(
    socket: BorrowedFd<'_>,
    to: &mut Vec<u8>,
    descriptors: &mut Vec<OwnedFd>,
) -> Result<usize> {
    let room = to.spare_capacity_mut();
    let mut piece = libc::iovec {
        iov_base: room.as_mut_ptr().cast(),
        iov_len: room.len(),
    };
    let mut control = MaybeUninit::<[u64; CONTROL]>::uninit();
    // SAFETY: zeroes are such a structure: pointers that are null.
    let mut message = unsafe { MaybeUninit::<libc::msghdr>::zeroed().assume_init() };
    message.msg_iov = &raw mut piece;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    let flags = c_long::from(libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC);
    let (number, socket) = (libc::SYS_recvmsg, c_long::from(socket.as_raw_fd()));
    // SAFETY: the kernel writes no more than the lengths it is told, of what is this function's.
    let count = unsafe { libc::syscall(number, socket, &raw mut message, flags) };
    let Ok(count) = usize::try_from(count) else {
        return Err(last());
    };
    if message.msg_controllen > 0 {
        // SAFETY: the kernel has written so much of it.
        unsafe { take_out(&message, descriptors) };
    }
    // SAFETY: as many bytes of the room were written to.
    unsafe { to.set_len(to.len() + count) };
    Ok(count)
}

/// Takes descriptors out of what came along.
///
/// # Safety
/// It is what recvmsg(2) has just written.
unsafe fn take_out(message: &libc::msghdr, descriptors: &mut Vec<OwnedFd>) {
    // SAFETY: the caller's promise.
    let mut place = unsafe { libc::CMSG_FIRSTHDR(ptr::from_ref(message)) };
    // SAFETY: it is null or to a header within what was written, which is aligned as headers are.
    while let Some(header) = unsafe { place.as_ref() } {
        if (header.cmsg_level, header.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            // SAFETY: it is a header.
            let numbers = unsafe { libc::CMSG_DATA(place) };
            let length = header.cmsg_len - (numbers.addr() - place.addr());
            // SAFETY: so many bytes behind the header are numbers; they are aligned, as the kernel has put them.
            let numbers =
                unsafe { slice::from_raw_parts(numbers.cast(), length / size_of::<c_int>()) };
            // SAFETY: they are new, and this process's own.
            let owned = |number: &c_int| unsafe { OwnedFd::from_raw_fd(*number) };
            descriptors.extend(numbers.iter().map(owned));
        }
        // SAFETY: as the first.
        place = unsafe { libc::CMSG_NXTHDR(ptr::from_ref(message), place) };
    }
}
