//! Strings (RFC 8259, section 7).

use unix_call::{Fault, Reader};

use crate::utf8::Utf8;

/// Reads a string with both its quotes; says how many bytes of `text` it fills, and whether that is
/// all of it.
pub(super) fn read(reader: &mut Reader<'_>, text: &mut [u8]) -> Result<(usize, bool), Fault> {
    let mut kept = Kept {
        text,
        length: 0,
        whole: true,
    };
    let mut utf8 = Utf8::new();
    reader.byte()?;
    loop {
        let byte = reader.byte()?;
        // A quote, an escape or a control character within a multi-byte character is refused by
        // the check, as none of them is a continuation byte.
        if byte < 0x20 || !utf8.accepts(byte) {
            return Err(Fault::Protocol);
        }
        match byte {
            b'"' => return Ok((kept.length, kept.whole)),
            b'\\' => escape(reader, &mut kept)?,
            _ => kept.push(byte),
        }
    }
}

struct Kept<'t> {
    text: &'t mut [u8],
    length: usize,
    whole: bool,
}

impl Kept<'_> {
    fn push(&mut self, byte: u8) {
        match self.text.get_mut(self.length) {
            Some(place) => {
                *place = byte;
                self.length += 1;
            }
            None => self.whole = false,
        }
    }

    /// Encodes by hand (table 3-6 of the Unicode standard): `char::encode_utf8` can panic.
    fn push_char(&mut self, char: u32) {
        let continuation = |shift: u32| 0x80 | (char >> shift & 0x3f) as u8;
        match char {
            0..=0x7f => self.push(char as u8),
            0x80..=0x7ff => {
                self.push(0xc0 | (char >> 6) as u8);
                self.push(continuation(0));
            }
            0x800..=0xffff => {
                self.push(0xe0 | (char >> 12) as u8);
                self.push(continuation(6));
                self.push(continuation(0));
            }
            _ => {
                self.push(0xf0 | (char >> 18 & 0x07) as u8);
                self.push(continuation(12));
                self.push(continuation(6));
                self.push(continuation(0));
            }
        }
    }
}

fn escape(reader: &mut Reader<'_>, kept: &mut Kept<'_>) -> Result<(), Fault> {
    let byte = match reader.byte()? {
        byte @ (b'"' | b'\\' | b'/') => byte,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'u' => {
            kept.push_char(unicode_escape(reader)?);
            return Ok(());
        }
        _ => return Err(Fault::Protocol),
    };
    kept.push(byte);
    Ok(())
}

/// What follows `\u`: four digits, or a pair of surrogates.
fn unicode_escape(reader: &mut Reader<'_>) -> Result<u32, Fault> {
    match hex4(reader)? {
        high @ 0xd800..=0xdbff => {
            if reader.take::<2>()? != *b"\\u" {
                return Err(Fault::Protocol);
            }
            match hex4(reader)? {
                low @ 0xdc00..=0xdfff => Ok(0x1_0000 + ((high & 0x3ff) << 10 | low & 0x3ff)),
                _ => Err(Fault::Protocol),
            }
        }
        0xdc00..=0xdfff => Err(Fault::Protocol),
        char => Ok(char),
    }
}

fn hex4(reader: &mut Reader<'_>) -> Result<u32, Fault> {
    let mut value = 0;
    for _ in 0..4 {
        let digit = match reader.byte()? {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            digit @ b'A'..=b'F' => digit - b'A' + 10,
            _ => return Err(Fault::Protocol),
        };
        value = value << 4 | u32::from(digit);
    }
    Ok(value)
}
