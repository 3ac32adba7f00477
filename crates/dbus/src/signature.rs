//! Signatures (D-Bus specification, "Valid Signatures").

use crate::types::{ARRAY, VARIANT, is_basic};

/// The longest signature, in bytes.
pub const MAX_LENGTH: usize = 255;
/// Arrays within arrays.
const MAX_ARRAYS: usize = 32;
/// Structures and dictionary entries within each other.
const MAX_STRUCTS: usize = 32;

/// The length of the complete type that a signature begins with. A dictionary entry is one only in an array.
pub fn first(signature: &[u8]) -> Option<usize> {
    element(signature, false)
}

/// The same where a dictionary entry may stand: behind an array's `a`.
pub fn first_element(signature: &[u8]) -> Option<usize> {
    element(signature, true)
}

/// Whether it is a sequence of complete types, which may be empty.
pub fn is_valid(signature: &[u8]) -> bool {
    signature.len() <= MAX_LENGTH && is_sequence(signature)
}

/// Whether it is one complete type: what a variant may hold.
pub fn is_single(signature: &[u8]) -> bool {
    match signature {
        [code] => is_basic(*code) || *code == VARIANT,
        _ => signature.len() <= MAX_LENGTH && first(signature) == Some(signature.len()),
    }
}

/// Whether it is one complete type or a dictionary entry: what an array may hold.
pub fn is_element(signature: &[u8]) -> bool {
    signature.len() < MAX_LENGTH && first_element(signature) == Some(signature.len())
}

/// Whether it is a basic type and a complete one: what a dictionary entry may hold.
pub fn is_pair(signature: &[u8]) -> bool {
    match signature {
        [key, value @ ..] => is_basic(*key) && is_single(value) && signature.len() <= MAX_LENGTH,
        [] => false,
    }
}

/// The length of the complete type that a valid signature begins with, or of the dictionary entry. That of what is not valid
/// means nothing.
pub fn first_of_valid(signature: &[u8]) -> usize {
    // Of most there is no more to see.
    if let [code, ..] = signature
        && is_basic(*code)
    {
        return 1;
    }
    let mut depth = 0_usize;
    for (index, code) in signature.iter().enumerate() {
        match code {
            b'a' => continue,
            b'(' | b'{' => depth += 1,
            b')' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    signature.len()
}

/// Whether the one begins with the other. They are short: a call to compare them takes longer than that.
pub(crate) fn begins(signature: &[u8], with: &[u8]) -> bool {
    signature.len() >= with.len() && signature.iter().zip(with).all(|(one, other)| one == other)
}

fn is_sequence(mut signature: &[u8]) -> bool {
    while !signature.is_empty() {
        let rest = first(signature).and_then(|length| signature.get(length..));
        let Some(rest) = rest else {
            return false;
        };
        signature = rest;
    }
    true
}

fn element(signature: &[u8], entry: bool) -> Option<usize> {
    match signature.first()? {
        b'a' | b'(' | b'{' => nested(signature, entry, 0, 0),
        code if is_basic(*code) || *code == VARIANT => Some(1),
        _ => None,
    }
}

/// `arrays` and `structs` are around it already, so that it recurses no deeper than both limits together.
fn nested(signature: &[u8], entry: bool, arrays: usize, structs: usize) -> Option<usize> {
    match *signature.first()? {
        ARRAY => {
            if arrays >= MAX_ARRAYS {
                return None;
            }
            let length = nested(signature.get(1..)?, true, arrays + 1, structs)?;
            Some(1 + length)
        }
        b'(' => {
            if structs >= MAX_STRUCTS {
                return None;
            }
            let mut length = 1;
            while *signature.get(length)? != b')' {
                length += nested(signature.get(length..)?, false, arrays, structs + 1)?;
            }
            // There is no empty structure.
            (length > 1).then_some(length + 1)
        }
        b'{' => {
            if !entry || structs >= MAX_STRUCTS || !is_basic(*signature.get(1)?) {
                return None;
            }
            let value = nested(signature.get(2..)?, false, arrays, structs + 1)?;
            (*signature.get(2 + value)? == b'}').then_some(value + 3)
        }
        code => (is_basic(code) || code == VARIANT).then_some(1),
    }
}

#[cfg(test)]
mod tests;
