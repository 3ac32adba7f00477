//! Reading what a string of types says: sd_bus_message_read(3).

use std::ffi::CStr;

use dbus::{Basic, signature, types};

use super::errno;
use super::message::{Message, Sealed};
use crate::{Errno, Result};

/// Where values go, one after the other.
pub trait Places<'a> {
    /// `unsigned`: how many elements of an array are wanted.
    fn count(&mut self) -> u32;
    /// `const char *`: what a variant is to hold.
    fn text(&mut self) -> Option<&'a CStr>;
    /// A pointer to where this value goes, which may be null.
    ///
    /// # Errors
    /// EBADMSG if it is a descriptor that did not come along.
    fn put(&mut self, from: &Sealed, value: Basic<'_>) -> Result<()>;
}

/// Reads values of these types. False if there is no value at all, as at the end of an array.
///
/// # Errors
/// EPERM if the message is not complete, EINVAL if these are no types, ENXIO if others come, EBUSY if an array has more
/// elements than are wanted, EBADMSG.
pub fn read<'a>(message: &mut Message, types: &[u8], places: &mut dyn Places<'a>) -> Result<bool> {
    read_all(message, types, places, |rest| {
        signature::first_element(rest).ok_or(Errno::INVAL)
    })
}

/// The same for types within others, which were looked at with these: not for each element of an array anew.
fn read_within<'a>(
    message: &mut Message,
    types: &[u8],
    places: &mut dyn Places<'a>,
) -> Result<bool> {
    read_all(message, types, places, |rest| {
        Ok(signature::first_of_valid(rest))
    })
}

fn read_all<'a>(
    message: &mut Message,
    types: &[u8],
    places: &mut dyn Places<'a>,
    first: fn(&[u8]) -> Result<usize>,
) -> Result<bool> {
    let mut rest = types;
    let mut any = false;
    while !rest.is_empty() {
        let length = first(rest)?;
        let (one, after) = rest.split_at_checked(length).ok_or(Errno::INVAL)?;
        if !read_one(message, one, places)? {
            return if any { Err(Errno::NXIO) } else { Ok(false) };
        }
        any = true;
        rest = after;
    }
    Ok(true)
}

fn read_one<'a>(message: &mut Message, one: &[u8], places: &mut dyn Places<'a>) -> Result<bool> {
    match one {
        [types::ARRAY, element @ ..] => {
            let count = places.count();
            let elements = |message: &mut Message, places: &mut dyn Places<'a>| {
                for _ in 0..count {
                    if !read_one(message, element, places)? {
                        return Err(Errno::NXIO);
                    }
                }
                Ok(())
            };
            within(message, types::ARRAY, element, places, elements)
        }
        [types::VARIANT] => {
            let contents = places.text().ok_or(Errno::INVAL)?.to_bytes();
            let value = |message: &mut Message, places: &mut dyn Places<'a>| {
                read_within(message, contents, places).map(drop)
            };
            within(message, types::VARIANT, contents, places, value)
        }
        [bracket @ (b'(' | b'{'), contents @ .., _] => {
            let code = match bracket {
                b'(' => types::STRUCT,
                _ => types::DICT_ENTRY,
            };
            let members = |message: &mut Message, places: &mut dyn Places<'a>| {
                read_within(message, contents, places).map(drop)
            };
            within(message, code, contents, places, members)
        }
        [code] => {
            let (cursor, sealed) = message.reader()?;
            match cursor.read_basic(sealed.message(), *code).map_err(errno)? {
                Some(value) => places.put(sealed, value).map(|()| true),
                None => Ok(false),
            }
        }
        _ => Err(Errno::INVAL),
    }
}

/// Reads what is in a container.
fn within<'a>(
    message: &mut Message,
    code: u8,
    contents: &[u8],
    places: &mut dyn Places<'a>,
    inside: impl FnOnce(&mut Message, &mut dyn Places<'a>) -> Result<()>,
) -> Result<bool> {
    let (cursor, sealed) = message.reader()?;
    let entered = cursor.enter_container(sealed.message(), code, Some(contents));
    if !entered.map_err(errno)? {
        return Ok(false);
    }
    inside(message, places)?;
    let (cursor, _) = message.reader()?;
    cursor.exit_container().map_err(errno)?;
    Ok(true)
}
