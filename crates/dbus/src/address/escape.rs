//! Values in addresses.

use crate::{
    error::{Error, Result},
    hex,
};

/// A value as it may stand in an address.
pub fn escape(value: &[u8]) -> String {
    let mut escaped = String::with_capacity(value.len());
    for byte in value {
        // The specification lets these stand, and no others.
        if byte.is_ascii_alphanumeric() || b"-_/.\\*".contains(byte) {
            escaped.push(char::from(*byte));
        } else {
            escaped.push('%');
            escaped.push_str(&hex::encode(&[*byte]));
        }
    }
    escaped
}

/// What a value of an address means. Bytes that should have been escaped stand for themselves, as in sd-bus.
///
/// # Errors
/// [`Error::Invalid`]: a `%` is not followed by two hexadecimal digits.
pub fn unescape(value: &[u8]) -> Result<Vec<u8>> {
    let mut plain = Vec::with_capacity(value.len());
    let mut rest = value;
    loop {
        rest = match rest {
            [] => return Ok(plain),
            [b'%', high, low, after @ ..] => {
                plain.push(hex::byte(*high, *low).ok_or(Error::Invalid)?);
                after
            }
            [b'%', ..] => return Err(Error::Invalid),
            [byte, after @ ..] => {
                plain.push(*byte);
                after
            }
        };
    }
}
