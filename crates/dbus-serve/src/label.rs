//! Text as one label of an object path, as sd_bus_path_encode(3) writes it.

use std::fmt::Write;

/// Encodes any text as a label: what is not `[A-Za-z0-9]`, and a digit at the start, becomes `_` and two hexadecimal
/// digits; the empty text becomes `_`.
pub fn encode_label(text: &str) -> String {
    if text.is_empty() {
        return "_".to_owned();
    }
    let mut label = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        if byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()) {
            label.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(label, "_{byte:02x}");
        }
    }
    label
}

/// The text of a label, or `None` where no text has it. Lenient as sd_bus_path_decode(3) is: bytes that need no escape may
/// be escaped, and the other way round.
pub fn decode_label(label: &str) -> Option<String> {
    if label == "_" {
        return Some(String::new());
    }
    let mut text = Vec::with_capacity(label.len());
    let mut bytes = label.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'_' {
            text.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        text.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode_label, encode_label};

    #[test]
    fn round_trip() {
        for (text, label) in [
            ("", "_"),
            ("web", "web"),
            (".host", "_2ehost"),
            ("1st", "_31st"),
            ("a1", "a1"),
            ("a_b", "a_5fb"),
            ("a-b.c", "a_2db_2ec"),
            ("ä", "_c3_a4"),
        ] {
            assert_eq!(encode_label(text), label);
            assert_eq!(decode_label(label).as_deref(), Some(text));
        }
    }

    #[test]
    fn labels_of_no_text() {
        for label in ["_2", "_zz", "a_", "_ff", "_+1"] {
            assert_eq!(decode_label(label), None, "{label}");
        }
    }
}
