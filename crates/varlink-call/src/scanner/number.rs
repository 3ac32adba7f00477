//! Numbers (RFC 8259, section 6).

use unix_call::{Fault, Reader};

use super::Token;

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Token<'static>, Fault> {
    let negative = reader.peek()? == b'-';
    if negative {
        reader.byte()?;
    }
    // Counted downwards: there is one more negative number than there are positive ones.
    let mut value = Some(0_i64);
    let leading_zero = reader.peek()? == b'0';
    let digits = digits(reader, |digit| {
        value = value
            .and_then(|value| value.checked_mul(10))
            .and_then(|value| value.checked_sub(i64::from(digit)));
    })?;
    if leading_zero && digits > 1 {
        return Err(Fault::Protocol);
    }
    let mut integer = true;
    if reader.peek()? == b'.' {
        reader.byte()?;
        self::digits(reader, |_| {})?;
        integer = false;
    }
    if matches!(reader.peek()?, b'e' | b'E') {
        reader.byte()?;
        if matches!(reader.peek()?, b'+' | b'-') {
            reader.byte()?;
        }
        self::digits(reader, |_| {})?;
        integer = false;
    }
    let value = if negative {
        value
    } else {
        value.and_then(i64::checked_neg)
    };
    Ok(match value {
        Some(value) if integer => Token::Integer(value),
        _ => Token::Number,
    })
}

/// Reads one digit or more, and says whether it was more.
fn digits(reader: &mut Reader<'_>, mut each: impl FnMut(u8)) -> Result<u32, Fault> {
    let mut count = 0_u32;
    while let digit @ b'0'..=b'9' = reader.peek()? {
        reader.byte()?;
        each(digit - b'0');
        count = count.saturating_add(1);
    }
    if count == 0 {
        Err(Fault::Protocol)
    } else {
        Ok(count)
    }
}
