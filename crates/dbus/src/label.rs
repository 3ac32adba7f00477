//! Any text as an element of an object path, as systemd escapes it: what is no letter or digit, and a digit in front, is `_`
//! and two hexadecimal digits. `_` alone is the empty text.

use crate::hex;

/// Escapes a text. The outcome is never empty.
pub fn escape(text: &[u8]) -> String {
    if text.is_empty() {
        return "_".to_owned();
    }
    let mut label = String::with_capacity(text.len());
    for (index, &byte) in text.iter().enumerate() {
        if byte.is_ascii_alphabetic() || index > 0 && byte.is_ascii_digit() {
            label.push(char::from(byte));
        } else {
            label.push('_');
            label.push_str(&hex::encode(&[byte]));
        }
    }
    label
}

/// What [`escape`] made a label of. A `_` that begins no escape stands for itself, as systemd has it. What is escaped may be no
/// UTF-8.
pub fn unescape(label: &[u8]) -> Vec<u8> {
    if label == b"_" {
        return Vec::new();
    }
    let mut text = Vec::with_capacity(label.len());
    let mut rest = label;
    while let [byte, after @ ..] = rest {
        (rest, _) = match (byte, escaped(after)) {
            (b'_', Some((value, after))) => (after, text.push(value)),
            _ => (after, text.push(*byte)),
        };
    }
    text
}

fn escaped(after: &[u8]) -> Option<(u8, &[u8])> {
    match after {
        [high, low, after @ ..] => Some((hex::byte(*high, *low)?, after)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        // As `sd_bus_path_encode` of systemd 252 has them.
        for (text, label) in [
            ("", "_"),
            ("web", "web"),
            ("1a1", "_31a1"),
            ("a-b.c", "a_2db_2ec"),
            ("_", "_5f"),
            ("\u{e4}", "_c3_a4"),
            ("/", "_2f"),
        ] {
            assert_eq!(escape(text.as_bytes()), label);
            assert_eq!(unescape(label.as_bytes()), text.as_bytes(), "{label}");
        }
    }

    #[test]
    fn what_is_no_escape_stands() {
        for (label, text) in [
            ("__", "__"),
            ("a_", "a_"),
            ("_2", "_2"),
            ("_g0", "_g0"),
            ("_2D", "-"),
            ("_5f_", "__"),
        ] {
            assert_eq!(unescape(label.as_bytes()), text.as_bytes(), "{label}");
        }
    }
}
