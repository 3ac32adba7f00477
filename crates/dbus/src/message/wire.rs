//! Values as they lie in a message of this machine's byte order. Places count from where alignment does, and nothing is
//! looked for beyond the end of `bytes`.

use std::ffi::CStr;

use crate::{
    error::{Error, Result},
    message::MAX_ARRAY_LENGTH,
    path, signature, types,
};

/// What the first byte of a message says of its byte order.
pub(super) const NATIVE: u8 = if cfg!(target_endian = "big") {
    b'B'
} else {
    b'l'
};
/// The next place that is a multiple of `alignment`, a power of two.
pub(super) const fn aligned(position: usize, alignment: usize) -> usize {
    (position + alignment - 1) & !(alignment - 1)
}

/// Writes the padding up to the next place that is a multiple of `alignment`, at most eight.
pub(super) fn write_padding(bytes: &mut Vec<u8>, alignment: usize) {
    let end = aligned(bytes.len(), alignment);
    if end > bytes.len() {
        // As one number, which is faster than as few bytes.
        bytes.extend_from_slice(&[0; 8]);
        bytes.truncate(end);
    }
}

/// The place behind the padding, which is zero.
pub(super) fn pad(bytes: &[u8], position: usize, alignment: usize) -> Result<usize> {
    let begin = aligned(position, alignment);
    match bytes.get(position..begin) {
        Some(padding) if padding.iter().all(|byte| *byte == 0) => Ok(begin),
        _ => Err(Error::Malformed),
    }
}

/// A value of `N` bytes, and where it ends.
pub(super) fn fixed<const N: usize>(bytes: &[u8], position: usize) -> Result<([u8; N], usize)> {
    let begin = pad(bytes, position, N)?;
    let rest = bytes.get(begin..).unwrap_or_default();
    let value = rest.first_chunk().ok_or(Error::Malformed)?;
    Ok((*value, begin + N))
}

pub(super) fn u32(bytes: &[u8], position: usize) -> Result<(u32, usize)> {
    let (value, end) = fixed(bytes, position)?;
    Ok((u32::from_ne_bytes(value), end))
}

pub(super) fn boolean(bytes: &[u8], position: usize) -> Result<(bool, usize)> {
    match u32(bytes, position)? {
        (0, end) => Ok((false, end)),
        (1, end) => Ok((true, end)),
        _ => Err(Error::Malformed),
    }
}

/// The text of a string, an object path or a signature, and where what follows begins.
pub(super) fn text(bytes: &[u8], position: usize, code: u8) -> Result<(&CStr, usize)> {
    let (with_nul, end) = with_nul(bytes, position, code)?;
    let text = CStr::from_bytes_with_nul(with_nul).map_err(|_| Error::Malformed)?;
    match is_text(code, text.to_bytes()) {
        true => Ok((text, end)),
        false => Err(Error::Malformed),
    }
}

/// The same as bytes of any kind, of which the last is NUL.
pub(super) fn raw_text(bytes: &[u8], position: usize, code: u8) -> Result<(&[u8], usize)> {
    let (with_nul, end) = with_nul(bytes, position, code)?;
    match with_nul {
        [text @ .., 0] => Ok((text, end)),
        _ => Err(Error::Malformed),
    }
}

/// As many bytes as are said to be one, and one more.
fn with_nul(bytes: &[u8], position: usize, code: u8) -> Result<(&[u8], usize)> {
    let (length, begin) = match code {
        types::SIGNATURE => {
            let ([length], begin) = fixed(bytes, position)?;
            (usize::from(length), begin)
        }
        _ => {
            let (length, begin) = u32(bytes, position)?;
            (
                usize::try_from(length).map_err(|_| Error::Malformed)?,
                begin,
            )
        }
    };
    let rest = bytes.get(begin..).unwrap_or_default();
    let with_nul = rest.get(..=length).ok_or(Error::Malformed)?;
    Ok((with_nul, begin + length + 1))
}

/// Whether these bytes are one of this type.
pub(super) fn is_text(code: u8, bytes: &[u8]) -> bool {
    match code {
        types::OBJECT_PATH => path::is_valid(bytes),
        types::SIGNATURE => signature::is_valid(bytes),
        _ => is_utf8(bytes),
    }
}

/// Most texts are short and ASCII, which takes a few operations to see, and a loop over all bytes to check.
fn is_utf8(bytes: &[u8]) -> bool {
    let all = bytes.iter().fold(0, |all, byte| all | byte);
    all.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

/// The types of a variant, and where its value begins, still to be padded.
pub(super) fn variant(bytes: &[u8], position: usize) -> Result<(&[u8], usize)> {
    let rest = bytes.get(position..).unwrap_or_default();
    // What is a type has no NUL.
    let (length, rest) = rest.split_first().ok_or(Error::Malformed)?;
    let contents = rest.split_at_checked(usize::from(*length));
    match contents {
        Some((contents, [0, ..])) if signature::is_single(contents) => {
            Ok((contents, position + contents.len() + 2))
        }
        _ => Err(Error::Malformed),
    }
}

/// Where the elements of an array begin and end, by the type of them.
pub(super) fn array(bytes: &[u8], position: usize, element: &[u8]) -> Result<(usize, usize)> {
    let (length, begin) = u32(bytes, position)?;
    let code = element.first().copied().unwrap_or_default();
    let begin = pad(bytes, begin, types::alignment(code))?;
    let length = usize::try_from(length).map_err(|_| Error::Malformed)?;
    let left = bytes.len().saturating_sub(begin);
    if length > MAX_ARRAY_LENGTH || length > left {
        return Err(Error::Malformed);
    }
    match types::fixed_size(code) {
        Some(size) if !length.is_multiple_of(size) => Err(Error::Malformed),
        _ => Ok((begin, begin + length)),
    }
}
