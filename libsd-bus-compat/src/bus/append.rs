//! Appending what a string of types says: sd_bus_message_append(3).

use std::ffi::CStr;
use std::os::fd::BorrowedFd;

use dbus::{Basic, signature, types};

use super::errno;
use super::message::Message;
use crate::{Errno, Result};

/// Arguments one after the other, each taken as what the caller knows it to be.
pub trait Arguments<'a> {
    /// `int`, and what C makes one of: the types y, b, n, q, i, u, and the lengths of arrays.
    fn int(&mut self) -> i32;
    /// `int64_t`
    fn long(&mut self) -> i64;
    /// `double`
    fn double(&mut self) -> f64;
    /// `const char *`
    fn text(&mut self) -> Option<&'a CStr>;
    /// `int`, which is a descriptor.
    ///
    /// # Errors
    /// EINVAL if none can have this number.
    fn descriptor(&mut self) -> Result<BorrowedFd<'a>>;
}

/// Appends values of these types.
///
/// # Errors
/// EINVAL if these are no types, and as the values have it.
pub fn append<'a>(
    message: &mut Message,
    mut types: &[u8],
    arguments: &mut dyn Arguments<'a>,
) -> Result<()> {
    while !types.is_empty() {
        let length = signature::first_element(types).ok_or(Errno::INVAL)?;
        let (one, rest) = types.split_at_checked(length).ok_or(Errno::INVAL)?;
        append_one(message, one, arguments)?;
        types = rest;
    }
    Ok(())
}

/// The same for types within others, which were looked at with these: not for each element of an array anew.
fn append_within<'a>(
    message: &mut Message,
    mut types: &[u8],
    arguments: &mut dyn Arguments<'a>,
) -> Result<()> {
    while !types.is_empty() {
        let length = signature::first_of_valid(types);
        let (one, rest) = types.split_at_checked(length).ok_or(Errno::INVAL)?;
        append_one(message, one, arguments)?;
        types = rest;
    }
    Ok(())
}

fn append_one<'a>(
    message: &mut Message,
    one: &[u8],
    arguments: &mut dyn Arguments<'a>,
) -> Result<()> {
    match one {
        [types::ARRAY, element @ ..] => {
            let count = arguments.int().cast_unsigned();
            open(message, types::ARRAY, element)?;
            for _ in 0..count {
                append_one(message, element, arguments)?;
            }
            close(message)
        }
        [types::VARIANT] => {
            let contents = arguments.text().ok_or(Errno::INVAL)?.to_bytes();
            open(message, types::VARIANT, contents)?;
            // It was opened, so that is what a variant may hold.
            append_within(message, contents, arguments)?;
            close(message)
        }
        [bracket @ (b'(' | b'{'), contents @ .., _] => {
            let code = match bracket {
                b'(' => types::STRUCT,
                _ => types::DICT_ENTRY,
            };
            open(message, code, contents)?;
            append_within(message, contents, arguments)?;
            close(message)
        }
        [types::UNIX_FD] => {
            let descriptor = arguments.descriptor()?;
            message.append_descriptor(descriptor)
        }
        [code] => {
            let value = basic(*code, arguments)?;
            message.append_basic(value)
        }
        _ => Err(Errno::INVAL),
    }
}

/// A value of a basic type. A string that is not there is an empty one.
fn basic<'a>(code: u8, arguments: &mut dyn Arguments<'a>) -> Result<Basic<'a>> {
    // C has made an int of what is smaller, so its lower bits are the value.
    Ok(match code {
        types::BYTE => Basic::Byte(arguments.int() as u8),
        types::BOOLEAN => Basic::Boolean(arguments.int() != 0),
        types::INT16 => Basic::Int16(arguments.int() as i16),
        types::UINT16 => Basic::Uint16(arguments.int() as u16),
        types::INT32 => Basic::Int32(arguments.int()),
        types::UINT32 => Basic::Uint32(arguments.int().cast_unsigned()),
        types::INT64 => Basic::Int64(arguments.long()),
        types::UINT64 => Basic::Uint64(arguments.long().cast_unsigned()),
        types::DOUBLE => Basic::Double(arguments.double()),
        types::STRING => Basic::String(arguments.text().unwrap_or_default()),
        types::OBJECT_PATH => Basic::ObjectPath(arguments.text().ok_or(Errno::INVAL)?),
        types::SIGNATURE => Basic::Signature(arguments.text().unwrap_or_default()),
        _ => return Err(Errno::INVAL),
    })
}

fn open(message: &mut Message, code: u8, contents: &[u8]) -> Result<()> {
    let builder = message.builder()?;
    builder.open_container(code, contents).map_err(errno)
}

fn close(message: &mut Message) -> Result<()> {
    message.builder()?.close_container().map_err(errno)
}

/// Appends what another message has from its reader's place on: one value, or `all` of the container.
///
/// # Errors
/// EPERM if this is complete or that is not; as the values have it.
pub fn copy(to: &mut Message, from: &mut Message, all: bool) -> Result<bool> {
    let mut any = false;
    loop {
        if to.is_complete() {
            return Err(Errno::PERM);
        }
        let (cursor, sealed) = from.reader()?;
        let sealed = sealed.clone();
        let body = sealed.message();
        let next = cursor.peek_type(body).map_err(errno)?;
        let Some((code, contents)) = next.filter(|_| !cursor.at_end(false)) else {
            return Ok(any);
        };
        any = true;
        if types::is_container(code) {
            cursor
                .enter_container(body, code, Some(contents))
                .map_err(errno)?;
            open(to, code, contents)?;
            copy(to, from, true)?;
            close(to)?;
            from.reader()?.0.exit_container().map_err(errno)?;
        } else {
            match cursor.read_basic(body, code).map_err(errno)? {
                None => return Ok(any),
                Some(Basic::UnixFd(index)) => {
                    to.append_descriptor(sealed.descriptor(index)?)?;
                }
                Some(value) => to.append_basic(value)?,
            }
        }
        if !all {
            return Ok(any);
        }
    }
}
