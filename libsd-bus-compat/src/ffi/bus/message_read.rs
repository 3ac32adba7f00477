//! sd_bus_message_read(3) and its like.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::fd::AsRawFd;
use std::ptr;

use dbus::{Basic, types};

use super::arguments::{Arguments, List};
use super::message::{Message, Own, errno, within};
use crate::bus::append::Arguments as _;
use crate::bus::message::Sealed;
use crate::bus::read::{Places, read};
use crate::ffi::memory::{extended, texts_or_null};
use crate::ffi::pointer::{Out, optional_text, text};
use crate::{Errno, Result};

/// Writes a value to a place that may lie anywhere.
unsafe fn write<T>(place: *mut c_void, value: T) {
    // SAFETY: the caller's promise: there is room for a value of this type.
    unsafe { place.cast::<T>().write_unaligned(value) }
}

/// Writes a value to a place of C's, if there is one.
unsafe fn put(place: *mut c_void, from: &Sealed, value: Basic<'_>) -> Result<()> {
    let descriptor = match value {
        Basic::UnixFd(index) => from.descriptor(index)?.as_raw_fd(),
        _ => -1,
    };
    if place.is_null() {
        return Ok(());
    }
    macro_rules! to {
        ($value:expr) => {{
            let value = $value;
            // SAFETY: the caller's promise: there is room for a value of this type.
            unsafe { write(place, value) }
        }};
    }
    match value {
        Basic::Byte(value) => to!(value),
        Basic::Boolean(value) => to!(c_int::from(value)),
        Basic::Int16(value) => to!(value),
        Basic::Uint16(value) => to!(value),
        Basic::Int32(value) => to!(value),
        Basic::Uint32(value) => to!(value),
        Basic::Int64(value) => to!(value),
        Basic::Uint64(value) => to!(value),
        Basic::Double(value) => to!(value),
        Basic::String(text) | Basic::ObjectPath(text) | Basic::Signature(text) => {
            to!(text.as_ptr());
        }
        Basic::UnixFd(_) => to!(descriptor),
    }
    Ok(())
}

impl<'a> Places<'a> for Arguments {
    fn count(&mut self) -> u32 {
        self.int().cast_unsigned()
    }

    fn text(&mut self) -> Option<&'a CStr> {
        self.optional_text()
    }

    fn put(&mut self, from: &Sealed, value: Basic<'_>) -> Result<()> {
        let place = self.pointer();
        // SAFETY: the contract of C.
        unsafe { put(place, from, value) }
    }
}

/// `sd_bus_message_readv`, with the list that C's part has made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_message_read(
    of: *const Message,
    types: *const c_char,
    list: *mut List,
) -> c_int {
    let act = |own: &mut Own| {
        own.content.reader()?;
        // SAFETY: the contract of C.
        let types = unsafe { text(types) }?.to_bytes();
        if types.is_empty() {
            return Ok(0);
        }
        // SAFETY: C's part has made it of the program's arguments.
        let mut places = unsafe { Arguments::new(list) };
        read(&mut own.content, types, &mut places).map(c_int::from)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_read_basic(
    of: *const Message,
    code: c_char,
    place: *mut c_void,
) -> c_int {
    let act = |own: &mut Own| {
        let (cursor, sealed) = own.content.reader()?;
        let value = cursor.read_basic(sealed.message(), code.cast_unsigned());
        match value.map_err(errno)? {
            // SAFETY: the contract of C.
            Some(value) => unsafe { put(place, sealed, value) }.map(|()| 1),
            None => Ok(0),
        }
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_read_array(
    of: *const Message,
    code: c_char,
    to: *mut *const c_void,
    size: *mut usize,
) -> c_int {
    let act = |own: &mut Own| {
        let (cursor, sealed) = own.content.reader()?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        // SAFETY: the contract of C.
        let size = unsafe { Out::required(size) }?;
        let values = cursor.read_array(sealed.message(), code.cast_unsigned());
        match values.map_err(errno)? {
            Some(values) => {
                to.set(values.as_ptr().cast());
                size.set(values.len());
                Ok(1)
            }
            None => {
                to.set(ptr::null());
                size.set(0);
                Ok(0)
            }
        }
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

/// Reads an array of texts. Nothing at the end of an array around it.
fn texts(own: &mut Own) -> Result<Option<Vec<&[u8]>>> {
    let (cursor, sealed) = own.content.reader()?;
    let body = sealed.message();
    let (code, contents) = match cursor.peek_type(body).map_err(errno)? {
        Some(next) => next,
        None => return Err(Errno::NXIO),
    };
    if code != types::ARRAY || !matches!(contents, b"s" | b"o" | b"g") {
        return Err(Errno::NXIO);
    }
    let element = contents.first().copied().unwrap_or(types::STRING);
    let entered = cursor.enter_container(body, types::ARRAY, Some(contents));
    if !entered.map_err(errno)? {
        return Ok(None);
    }
    let mut list = Vec::new();
    while let Some(value) = cursor.read_basic(body, element).map_err(errno)? {
        match value {
            Basic::String(text) | Basic::ObjectPath(text) | Basic::Signature(text) => {
                list.push(text.to_bytes());
            }
            _ => return Err(Errno::NXIO),
        }
    }
    cursor.exit_container().map_err(errno)?;
    Ok(Some(list))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_read_strv(
    of: *const Message,
    to: *mut *mut *mut c_char,
) -> c_int {
    let act = |own: &mut Own| {
        own.content.reader()?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        match texts(own)? {
            Some(list) => to.set(texts_or_null(&list)?),
            None => return Ok(0),
        }
        Ok(1)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_read_strv_extend(
    of: *const Message,
    list: *mut *mut *mut c_char,
) -> c_int {
    let act = |own: &mut Own| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(list) }?;
        let Some(more) = texts(own)? else {
            return Ok(0);
        };
        if !more.is_empty() {
            // SAFETY: the contract of C.
            let before = unsafe { list.read() };
            // SAFETY: the contract of C: it is a list of malloc's, or null.
            to.set(unsafe { extended(before, &more) }?);
        }
        Ok(1)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_skip(of: *const Message, types: *const c_char) -> c_int {
    let act = |own: &mut Own| {
        // SAFETY: the contract of C.
        let types = unsafe { optional_text(types) }.map(CStr::to_bytes);
        let (cursor, sealed) = own.content.reader()?;
        let skipped = cursor.skip(sealed.message(), types);
        skipped.map(c_int::from).map_err(errno)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_enter_container(
    of: *const Message,
    code: c_char,
    contents: *const c_char,
) -> c_int {
    let act = |own: &mut Own| {
        // SAFETY: the contract of C.
        let contents = unsafe { optional_text(contents) }.map(CStr::to_bytes);
        let (cursor, sealed) = own.content.reader()?;
        let (mut code, mut contents) = (code.cast_unsigned(), contents);
        if code == 0 || contents.is_none() {
            // What is left out is as it comes.
            let next = cursor.peek_type(sealed.message()).map_err(errno)?;
            let (next, types) = next.ok_or(Errno::NXIO)?;
            code = if code == 0 { next } else { code };
            if code != next {
                return Err(Errno::NXIO);
            }
            contents = contents.or(Some(types));
        }
        let entered = cursor.enter_container(sealed.message(), code, contents);
        entered.map(c_int::from).map_err(errno)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_exit_container(of: *const Message) -> c_int {
    let act = |own: &mut Own| {
        own.content.reader()?.0.exit_container().map_err(errno)?;
        Ok(1)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_peek_type(
    of: *const Message,
    code: *mut c_char,
    contents: *mut *const c_char,
) -> c_int {
    let act = |own: &mut Own| {
        // SAFETY: the contract of C.
        let code = unsafe { Out::optional(code) };
        // SAFETY: the contract of C.
        let contents = unsafe { Out::optional(contents) };
        let (cursor, sealed) = own.content.reader()?;
        let depth = cursor.depth();
        let next = cursor.peek_type(sealed.message()).map_err(errno)?;
        let Some((next, types)) = next else {
            if let Some(code) = code {
                code.set(0);
            }
            if let Some(contents) = contents {
                contents.set(ptr::null());
            }
            return Ok(0);
        };
        if let Some(contents) = contents {
            contents.set(match types::is_container(next) {
                false => ptr::null(),
                true => {
                    let told = CString::new(types).map_err(|_| Errno::BADMSG)?;
                    own.peeked.resize_with(depth + 1, CString::default);
                    let place = own.peeked.last_mut().ok_or(Errno::NOMEM)?;
                    *place = told;
                    place.as_ptr()
                }
            });
        }
        if let Some(code) = code {
            code.set(next.cast_signed());
        }
        Ok(1)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_verify_type(
    of: *const Message,
    code: c_char,
    contents: *const c_char,
) -> c_int {
    let act = |own: &mut Own| {
        // SAFETY: the contract of C.
        let contents = unsafe { optional_text(contents) }.map(CStr::to_bytes);
        let (cursor, sealed) = own.content.reader()?;
        let code = Some(code.cast_unsigned()).filter(|code| *code != 0);
        let is = cursor.verify_type(sealed.message(), code, contents);
        is.map(c_int::from).map_err(errno)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_at_end(of: *const Message, complete: c_int) -> c_int {
    let act = |own: &mut Own| {
        let (cursor, _) = own.content.reader()?;
        Ok(c_int::from(cursor.at_end(complete != 0)))
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_rewind(of: *const Message, complete: c_int) -> c_int {
    let act = |own: &mut Own| {
        let (cursor, _) = own.content.reader()?;
        Ok(c_int::from(cursor.rewind(complete != 0)))
    };
    // SAFETY: the contract of C.
    unsafe { within(of, act) }
}
