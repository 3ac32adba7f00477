//! Reads over values and sees that they are right.

use crate::{
    error::{Error, Result},
    message::wire,
    signature, types,
};

/// What values are held to.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// How many containers may be within each other from here on, and so how deep this recurses.
    pub(super) depth: usize,
    pub(super) descriptors: u32,
}

impl Limits {
    fn deeper(&self) -> Result<Self> {
        Ok(Self {
            depth: self.depth.checked_sub(1).ok_or(Error::Malformed)?,
            descriptors: self.descriptors,
        })
    }
}

/// Where values of these types end. `signature` is valid.
pub(super) fn sequence(
    bytes: &[u8],
    mut position: usize,
    mut signature: &[u8],
    limits: &Limits,
) -> Result<usize> {
    while !signature.is_empty() {
        let length = signature::first_of_valid(signature);
        let (first, rest) = signature.split_at_checked(length).ok_or(Error::Malformed)?;
        position = value(bytes, position, first, limits)?;
        signature = rest;
    }
    Ok(position)
}

/// Where a value of this type ends, which is one complete type or a dictionary entry.
pub(super) fn value(
    bytes: &[u8],
    position: usize,
    signature: &[u8],
    limits: &Limits,
) -> Result<usize> {
    match *signature {
        [types::BYTE] => wire::fixed::<1>(bytes, position).map(|(_, end)| end),
        [types::INT16 | types::UINT16] => wire::fixed::<2>(bytes, position).map(|(_, end)| end),
        [types::INT32 | types::UINT32] => wire::fixed::<4>(bytes, position).map(|(_, end)| end),
        [types::INT64 | types::UINT64 | types::DOUBLE] => {
            wire::fixed::<8>(bytes, position).map(|(_, end)| end)
        }
        [types::BOOLEAN] => wire::boolean(bytes, position).map(|(_, end)| end),
        [types::UNIX_FD] => match wire::u32(bytes, position)? {
            (index, end) if index < limits.descriptors => Ok(end),
            _ => Err(Error::Malformed),
        },
        [code @ (types::STRING | types::OBJECT_PATH | types::SIGNATURE)] => {
            wire::text(bytes, position, code).map(|(_, end)| end)
        }
        [types::ARRAY, ref element @ ..] => array(bytes, position, element, &limits.deeper()?),
        [types::VARIANT] => {
            let (contents, begin) = wire::variant(bytes, position)?;
            value(bytes, begin, contents, &limits.deeper()?)
        }
        [b'(' | b'{', ref members @ .., _] => {
            let begin = wire::pad(bytes, position, 8)?;
            sequence(bytes, begin, members, &limits.deeper()?)
        }
        _ => Err(Error::Malformed),
    }
}

fn array(bytes: &[u8], position: usize, element: &[u8], limits: &Limits) -> Result<usize> {
    let (mut place, end) = wire::array(bytes, position, element)?;
    if matches!(*element, [code] if types::is_plain(code)) {
        return Ok(end);
    }
    let bytes = bytes.get(..end).ok_or(Error::Malformed)?;
    while place < end {
        place = value(bytes, place, element, limits)?;
    }
    Ok(end)
}
