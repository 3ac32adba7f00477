//! Domain names and their text (RFC 1035, 5.1; RFC 5891).
//!
//! Every [`Name`] in this program is fully qualified: hickory compares that mark too.

use std::fmt::Write;

use hickory_proto::{
    rr::Name,
    serialize::binary::{BinDecodable, BinDecoder},
};

/// The text is no domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidName;

/// The longest label on the wire. RFC 1035, 2.3.4
const LONGEST_LABEL: usize = 63;
/// The longest name on the wire, lengths and root included. RFC 1035, 2.3.4
const LONGEST_NAME: usize = 255;

/// Reads a name as clients write it: labels between dots, `\.` and `\DDD` escaped, a dot at the end or none. The empty text
/// and `.` are the root.
///
/// Bytes are taken as they are: what is not ASCII stays UTF-8 (see [`to_ascii`]).
///
/// # Errors
/// An empty label, one of more than 63 bytes, more than 255 in all, a broken escape, a byte 0.
pub fn parse(text: &str) -> Result<Name, InvalidName> {
    let mut wire = Wire::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'.' if text == "." => {}
            b'.' => wire.end_label()?,
            b'\\' => wire.push(unescape(&mut bytes)?)?,
            0 => return Err(InvalidName),
            _ => wire.push(byte)?,
        }
    }
    wire.name()
}

/// A name in the making, as it is on the wire: it is read for every lookup, so nothing is allocated for it.
struct Wire {
    bytes: [u8; LONGEST_NAME],
    /// Of the label that is not yet ended, the byte of its length.
    begin: usize,
    end: usize,
}

impl Wire {
    const fn new() -> Self {
        Self {
            bytes: [0; LONGEST_NAME],
            begin: 0,
            end: 1,
        }
    }

    fn push(&mut self, byte: u8) -> Result<(), InvalidName> {
        *self.bytes.get_mut(self.end).ok_or(InvalidName)? = byte;
        self.end += 1;
        Ok(())
    }

    fn end_label(&mut self) -> Result<(), InvalidName> {
        let length = self.end - self.begin - 1;
        let place = self.bytes.get_mut(self.begin).ok_or(InvalidName)?;
        *place = u8::try_from(length)
            .ok()
            .filter(|_| (1..=LONGEST_LABEL).contains(&length))
            .ok_or(InvalidName)?;
        self.begin = self.end;
        self.end += 1;
        Ok(())
    }

    fn name(mut self) -> Result<Name, InvalidName> {
        if self.end > self.begin + 1 {
            self.end_label()?;
        }
        // The root: a label of length 0.
        let wire = self.bytes.get(..=self.begin).ok_or(InvalidName)?;
        Name::read(&mut BinDecoder::new(wire)).map_err(|_| InvalidName)
    }
}

/// What follows a backslash: three decimal digits, or any character that is not one.
fn unescape(bytes: &mut std::str::Bytes<'_>) -> Result<u8, InvalidName> {
    let digit = |byte: Option<u8>| match byte {
        Some(byte @ b'0'..=b'9') => Ok(u32::from(byte - b'0')),
        _ => Err(InvalidName),
    };
    match bytes.next() {
        Some(byte @ b'0'..=b'9') => {
            let value = digit(Some(byte))? * 100 + digit(bytes.next())? * 10 + digit(bytes.next())?;
            u8::try_from(value)
                .ok()
                .filter(|byte| *byte != 0)
                .ok_or(InvalidName)
        }
        Some(byte) if byte != 0 => Ok(byte),
        _ => Err(InvalidName),
    }
}

/// The text of a name, without the dot at its end; `.` for the root. [`parse`] reads it back.
#[must_use]
pub fn format(name: &Name) -> String {
    if name.is_root() {
        return ".".to_owned();
    }
    let mut text = String::with_capacity(name.len());
    for label in name.iter() {
        if !text.is_empty() {
            text.push('.');
        }
        format_label(label, &mut text);
    }
    text
}

/// The text of one label: what is not a letter, a digit, `-` or `_` is escaped, as systemd-resolved's clients know it.
pub fn format_label(label: &[u8], text: &mut String) {
    for byte in label {
        match byte {
            b'.' | b'\\' => {
                text.push('\\');
                text.push(char::from(*byte));
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => text.push(char::from(*byte)),
            // Writing to a String can't fail.
            _ => drop(write!(text, "\\{byte:03}")),
        }
    }
}

/// The name with its labels in the form that unicast DNS has (A-labels, RFC 5890); `None` where one has none.
#[must_use]
pub fn to_ascii(name: &Name) -> Option<Name> {
    if name.iter().all(<[u8]>::is_ascii) {
        return Some(name.clone());
    }
    let mut labels = Vec::new();
    for label in name.iter() {
        if label.is_ascii() {
            labels.push(label.to_vec());
            continue;
        }
        let label = std::str::from_utf8(label).ok()?;
        labels.push(idna::domain_to_ascii(label).ok()?.into_bytes());
    }
    Name::from_labels(labels.iter().map(Vec::as_slice)).ok()
}

/// The last `count` labels of a name.
#[must_use]
pub fn suffix(name: &Name, count: usize) -> Name {
    name.trim_to(count)
}

/// Whether a name is `zone` or below it, in any case of letters.
#[must_use]
pub fn is_below(name: &Name, zone: &Name) -> bool {
    zone.zone_of(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(text: &str) -> String {
        format(&parse(text).unwrap())
    }

    #[test]
    fn text_and_back() {
        for text in [
            "a",
            "a.b",
            "www.example.com",
            r"a\.b.c",
            r"\\x.y",
            r"sp\032ace",
            r"0\04725.a",
            "_gateway",
        ] {
            assert_eq!(again(text), text);
        }
        assert_eq!(again("a.b."), "a.b");
        assert_eq!(again(""), ".");
        assert_eq!(again("."), ".");
        assert_eq!(again(r"\097"), "a");
    }

    #[test]
    fn names_are_absolute_and_compare_without_case() {
        assert_eq!(parse("A.b"), parse("a.B."));
        assert!(parse("x").unwrap().is_fqdn());
    }

    #[test]
    fn what_is_no_name() {
        let long = "x".repeat(64);
        for text in [
            "..", "a..b", ".a", r"a\", r"\25", r"\999", r"\000", "a\0b", &long,
        ] {
            assert_eq!(parse(text), Err(InvalidName), "{text:?}");
        }
        let label = "y".repeat(63);
        let most = format!("{label}.{label}.{label}.{}", "z".repeat(61));
        assert!(parse(&most).is_ok());
        assert_eq!(parse(&format!("{most}z")), Err(InvalidName));
    }

    #[test]
    fn labels_of_other_scripts() {
        let name = to_ascii(&parse("bücher.example").unwrap()).unwrap();
        assert_eq!(format(&name), "xn--bcher-kva.example");
    }
}
