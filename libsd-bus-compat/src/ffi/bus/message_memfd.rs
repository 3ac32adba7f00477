//! Values out of memory files: sd_bus_message_append_array_memfd(3).

use std::ffi::{c_char, c_int};
use std::os::fd::BorrowedFd;

use dbus::types;
use rustix::fs::{SealFlags, fcntl_add_seals, fcntl_get_seals, fstat};
use rustix::io::pread;

use super::message::{Message, Own, errno, within};
use crate::ffi::pointer::descriptor;
use crate::{Errno, Result};

/// What is at that place of a file, which nobody can change any more. It is copied: no transport has these files go by themselves.
fn contents(file: BorrowedFd<'_>, offset: u64, size: u64) -> Result<Vec<u8>> {
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    match fcntl_add_seals(file, seals) {
        // It may have them already, and be closed to more.
        Err(Errno::PERM) if fcntl_get_seals(file).is_ok_and(|has| has.contains(seals)) => {}
        sealed => sealed?,
    }
    let whole = u64::try_from(fstat(file)?.st_size).map_err(|_| Errno::INVAL)?;
    let size = match (offset, size) {
        (0, u64::MAX) => whole,
        (offset, size) => {
            let end = offset.checked_add(size).ok_or(Errno::INVAL)?;
            if end > whole {
                return Err(Errno::MSGSIZE);
            }
            size
        }
    };
    // No message is as long as memory may be.
    let size = usize::try_from(size).map_err(|_| Errno::NOMEM)?;
    if size > dbus::message::MAX_LENGTH {
        return Err(Errno::NOMEM);
    }
    let mut bytes = vec![0; size];
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match pread(file, rest, offset + done as u64) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(bytes)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_append_array_memfd(
    of: *const Message,
    code: c_char,
    memfd: c_int,
    offset: u64,
    size: u64,
) -> c_int {
    let code = code.cast_unsigned();
    let act = |own: &mut Own| {
        // SAFETY: the contract of C.
        let file = unsafe { descriptor(memfd) }?;
        let width = types::fixed_size(code).filter(|_| code != types::UNIX_FD);
        let width = width.and_then(|width| u64::try_from(width).ok());
        let width = width.filter(|_| size > 0).ok_or(Errno::INVAL)?;
        let builder = own.builder()?;
        let values = contents(file, offset, size)?;
        if !offset.is_multiple_of(width) {
            return Err(Errno::INVAL);
        }
        builder.append_array(code, &values).map_err(errno)?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_append_string_memfd(
    of: *const Message,
    memfd: c_int,
    offset: u64,
    size: u64,
) -> c_int {
    let act = |own: &mut Own| {
        // SAFETY: the contract of C.
        let file = unsafe { descriptor(memfd) }?;
        if size == 0 {
            return Err(Errno::INVAL);
        }
        let builder = own.builder()?;
        let text = contents(file, offset, size)?;
        // With the 0 that ends it or without.
        let text = text.strip_suffix(b"\0").unwrap_or(&text);
        builder.append_text(types::STRING, text).map_err(errno)?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}
