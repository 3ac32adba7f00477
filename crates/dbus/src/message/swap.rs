//! A message in the other byte order, turned into ours where it lies. Only what leads on is looked at; whatever is wrong
//! with a value itself is found by who reads it.

use crate::{
    error::{Error, Result},
    message::{MAX_DEPTH, wire},
    signature, types,
};

/// The header of such a message. Its mark of the byte order stays, until the body is turned as well.
pub(super) fn header(bytes: &mut [u8]) -> Result<()> {
    number::<4>(bytes, 4)?;
    number::<4>(bytes, 8)?;
    sequence(bytes, 12, b"a(yv)", MAX_DEPTH).map(drop)
}

/// Values of these types; gives where they end.
pub(super) fn sequence(
    bytes: &mut [u8],
    mut position: usize,
    mut signature: &[u8],
    depth: usize,
) -> Result<usize> {
    while !signature.is_empty() {
        let length = signature::first_of_valid(signature);
        let (first, rest) = signature.split_at_checked(length).ok_or(Error::Malformed)?;
        position = value(bytes, position, first, depth)?;
        signature = rest;
    }
    Ok(position)
}

fn value(bytes: &mut [u8], position: usize, signature: &[u8], depth: usize) -> Result<usize> {
    let deeper = || depth.checked_sub(1).ok_or(Error::Malformed);
    match *signature {
        [types::STRING | types::OBJECT_PATH] => {
            let begin = number::<4>(bytes, position)?;
            let (length, _) = wire::u32(bytes, begin - 4)?;
            after(bytes, begin, length, 1)
        }
        [types::SIGNATURE] => {
            let ([length], begin) = wire::fixed(bytes, position)?;
            after(bytes, begin, length.into(), 1)
        }
        [code] if let Some(size) = types::fixed_size(code) => match size {
            2 => number::<2>(bytes, position),
            4 => number::<4>(bytes, position),
            8 => number::<8>(bytes, position),
            _ => number::<1>(bytes, position),
        },
        [types::ARRAY, ref element @ ..] => {
            number::<4>(bytes, position)?;
            let (mut place, end) = wire::array(bytes, position, element)?;
            let bytes = bytes.get_mut(..end).ok_or(Error::Malformed)?;
            while place < end && element != b"y" {
                place = value(bytes, place, element, deeper()?)?;
            }
            Ok(end)
        }
        [types::VARIANT] => {
            let (contents, begin) = wire::variant(bytes, position)?;
            let contents = contents.to_vec();
            value(bytes, begin, &contents, deeper()?)
        }
        [b'(' | b'{', ref members @ .., _] => {
            let begin = wire::pad(bytes, position, 8)?;
            sequence(bytes, begin, members, deeper()?)
        }
        _ => Err(Error::Malformed),
    }
}

/// A number, and where it ends.
fn number<const N: usize>(bytes: &mut [u8], position: usize) -> Result<usize> {
    let begin = wire::pad(bytes, position, N)?;
    let rest = bytes.get_mut(begin..).unwrap_or_default();
    let number = rest.first_chunk_mut::<N>().ok_or(Error::Malformed)?;
    number.reverse();
    Ok(begin + N)
}

/// The place behind so many bytes and `more`.
fn after(bytes: &[u8], begin: usize, length: u32, more: usize) -> Result<usize> {
    let length = usize::try_from(length).map_err(|_| Error::Malformed)?;
    let left = bytes.len().saturating_sub(begin);
    if length < left {
        Ok(begin + length + more)
    } else {
        Err(Error::Malformed)
    }
}
