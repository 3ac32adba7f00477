//! sd_bus_message_append(3) and its like.

use std::ffi::{c_char, c_int, c_void};
use std::slice;

use dbus::{Basic, types};

use super::arguments::{Arguments, List};
use super::message::{Message, Own, errno, message, within};
use crate::bus::append::{append, copy};
use crate::ffi::boundary::entry;
use crate::ffi::pointer::{Out, descriptor, optional_text, text};
use crate::{Errno, Result};

/// `sd_bus_message_appendv`, with the list that C's part has made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_message_append(
    of: *const Message,
    types: *const c_char,
    list: *mut List,
) -> c_int {
    // SAFETY: C's part has made it of the program's arguments.
    let mut arguments = unsafe { Arguments::new(list) };
    // SAFETY: the contract of C.
    unsafe { append_all(of, types, &mut arguments) }
}

/// The same, for functions that have taken arguments off the list before.
pub unsafe fn append_all(
    of: *const Message,
    types: *const c_char,
    arguments: &mut Arguments,
) -> c_int {
    let act = |own: &mut Own| {
        // SAFETY: the contract of C.
        let types = unsafe { text(types) }?.to_bytes();
        own.builder()?;
        append(&mut own.content, types, arguments)?;
        Ok(1)
    };
    // SAFETY: the caller's promise.
    unsafe { within(of, act) }
}

/// Reads a value of C's that may lie anywhere.
unsafe fn value<T: Copy>(place: *const c_void) -> T {
    // SAFETY: the caller's promise: it is there, and of this type.
    unsafe { place.cast::<T>().read_unaligned() }
}

/// The value that a pointer is to, or is if it is text.
unsafe fn basic<'a>(code: u8, place: *const c_void) -> Result<Basic<'a>> {
    // SAFETY: the contract of C.
    let string = || unsafe { optional_text(place.cast()) };
    match code {
        types::STRING => return Ok(Basic::String(string().unwrap_or_default())),
        types::SIGNATURE => return Ok(Basic::Signature(string().unwrap_or_default())),
        types::OBJECT_PATH => return string().map(Basic::ObjectPath).ok_or(Errno::INVAL),
        _ if place.is_null() => return Err(Errno::INVAL),
        _ => {}
    }
    macro_rules! at {
        () => {
            // SAFETY: the contract of C: a value of this type is there.
            unsafe { value(place) }
        };
    }
    Ok(match code {
        types::BYTE => Basic::Byte(at!()),
        types::BOOLEAN => {
            let value: c_int = at!();
            Basic::Boolean(value != 0)
        }
        types::INT16 => Basic::Int16(at!()),
        types::UINT16 => Basic::Uint16(at!()),
        types::INT32 => Basic::Int32(at!()),
        types::UINT32 => Basic::Uint32(at!()),
        types::INT64 => Basic::Int64(at!()),
        types::UINT64 => Basic::Uint64(at!()),
        types::DOUBLE => Basic::Double(at!()),
        _ => return Err(Errno::INVAL),
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_append_basic(
    of: *const Message,
    code: c_char,
    place: *const c_void,
) -> c_int {
    let code = code.cast_unsigned();
    let act = |own: &mut Own| {
        own.builder()?;
        if code == types::UNIX_FD {
            if place.is_null() {
                return Err(Errno::INVAL);
            }
            // SAFETY: the contract of C.
            let number = unsafe { value(place) };
            // SAFETY: the contract of C.
            let descriptor = unsafe { descriptor(number) }.map_err(|_| Errno::INVAL)?;
            own.content.append_descriptor(descriptor)?;
        } else {
            // SAFETY: the contract of C.
            own.content.append_basic(unsafe { basic(code, place) }?)?;
        }
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_append_array(
    of: *const Message,
    code: c_char,
    values: *const c_void,
    size: usize,
) -> c_int {
    let act = |own: &mut Own| {
        let values: &[u8] = match size {
            0 => &[],
            _ if values.is_null() => return Err(Errno::INVAL),
            // SAFETY: the contract of C.
            size => unsafe { slice::from_raw_parts(values.cast(), size) },
        };
        let builder = own.builder()?;
        builder
            .append_array(code.cast_unsigned(), values)
            .map_err(errno)?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_append_array_space(
    of: *const Message,
    code: c_char,
    size: usize,
    to: *mut *mut c_void,
) -> c_int {
    let act = |own: &mut Own| {
        let builder = own.builder()?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        let space = builder.append_array_space(code.cast_unsigned(), size);
        to.set(space.map_err(errno)?.as_mut_ptr().cast());
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_append_string_space(
    of: *const Message,
    size: usize,
    to: *mut *mut c_char,
) -> c_int {
    let act = |own: &mut Own| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        let space = own.builder()?.append_string_space(size).map_err(errno)?;
        to.set(space.as_mut_ptr().cast());
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

/// Bytes in several pieces, in one.
unsafe fn gathered(pieces: *const libc::iovec, count: u32, fill: u8) -> Result<Vec<u8>> {
    let count = usize::try_from(count).map_err(|_| Errno::INVAL)?;
    let pieces: &[libc::iovec] = match count {
        0 => &[],
        _ if pieces.is_null() => return Err(Errno::INVAL),
        // SAFETY: the caller's promise.
        count => unsafe { slice::from_raw_parts(pieces, count) },
    };
    let mut whole = Vec::new();
    for piece in pieces {
        let length = piece.iov_len;
        whole.try_reserve(length).map_err(|_| Errno::NOMEM)?;
        if piece.iov_base.is_null() {
            // A piece that is nowhere is that many of these.
            whole.resize(whole.len() + length, fill);
        } else {
            // SAFETY: the caller's promise.
            whole.extend(unsafe { slice::from_raw_parts(piece.iov_base.cast::<u8>(), length) });
        }
    }
    Ok(whole)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_append_array_iovec(
    of: *const Message,
    code: c_char,
    pieces: *const libc::iovec,
    count: u32,
) -> c_int {
    let act = |own: &mut Own| {
        let builder = own.builder()?;
        // SAFETY: the contract of C.
        let values = unsafe { gathered(pieces, count, 0) }?;
        builder
            .append_array(code.cast_unsigned(), &values)
            .map_err(errno)?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_append_string_iovec(
    of: *const Message,
    pieces: *const libc::iovec,
    count: u32,
) -> c_int {
    let act = |own: &mut Own| {
        let builder = own.builder()?;
        // SAFETY: the contract of C.
        let text = unsafe { gathered(pieces, count, b' ') }?;
        builder.append_text(types::STRING, &text).map_err(errno)?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_append_strv(
    of: *const Message,
    list: *const *const c_char,
) -> c_int {
    let act = |own: &mut Own| {
        let builder = own.builder()?;
        builder.open_container(types::ARRAY, b"s").map_err(errno)?;
        let mut place = list;
        while !place.is_null() {
            // SAFETY: the contract of C: a null pointer ends the list.
            let next = unsafe { place.read() };
            // SAFETY: likewise.
            let Some(next) = (unsafe { optional_text(next) }) else {
                break;
            };
            builder.append_basic(Basic::String(next)).map_err(errno)?;
            // SAFETY: this was not the last.
            place = unsafe { place.add(1) };
        }
        builder.close_container().map_err(errno)?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_open_container(
    of: *const Message,
    code: c_char,
    contents: *const c_char,
) -> c_int {
    let act = |own: &mut Own| {
        let builder = own.builder()?;
        // SAFETY: the contract of C.
        let contents = unsafe { text(contents) }?.to_bytes();
        builder
            .open_container(code.cast_unsigned(), contents)
            .map_err(errno)?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_close_container(of: *const Message) -> c_int {
    let act = |own: &mut Own| {
        own.builder()?.close_container().map_err(errno)?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_copy(
    to: *const Message,
    from: *const Message,
    all: c_int,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { message(to) }?;
        // SAFETY: the contract of C.
        let from = unsafe { message(from) }?;
        let mut to = to.enter()?;
        // One message is never both: it would have to be complete, and not.
        let mut from = from.enter().map_err(|_| Errno::PERM)?;
        copy(&mut to.content, &mut from.content, all != 0).map(c_int::from)
    })
}
