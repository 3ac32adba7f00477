//! Numbers in the environment and in files, as libsystemd takes them: those of strtoul(3) with base 0, and binary ones.

use crate::{Errno, Result};

const BLANKS: [char; 6] = [' ', '\t', '\n', '\r', '\x0b', '\x0c'];

/// A number without a sign.
///
/// # Errors
/// EINVAL if it is none, ERANGE if it is negative or too large.
pub fn parse_u64(text: &str) -> Result<u64> {
    let text = text.trim_start_matches(BLANKS);
    let (text, negative) = match text.strip_prefix('-') {
        Some(text) => (text, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    let prefix = |upper: &str, lower: &str| {
        text.strip_prefix(upper)
            .or_else(|| text.strip_prefix(lower))
    };
    let (digits, radix) = match text {
        _ if let Some(digits) = prefix("0x", "0X") => (digits, 16),
        _ if let Some(digits) = prefix("0b", "0B") => (digits, 2),
        _ if let Some(digits) = prefix("0o", "0O") => (digits, 8),
        _ if let Some(digits) = text.strip_prefix('0').filter(|rest| !rest.is_empty()) => {
            (digits, 8)
        }
        _ => (text, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(Errno::INVAL);
    }
    match u64::from_str_radix(digits, radix) {
        Ok(value) if value == 0 || !negative => Ok(value),
        _ => Err(Errno::RANGE),
    }
}

/// The same, up to 2³² - 1.
///
/// # Errors
/// As [`parse_u64`].
pub fn parse_u32(text: &str) -> Result<u32> {
    u32::try_from(parse_u64(text)?).map_err(|_| Errno::RANGE)
}

/// A number that may have a sign.
///
/// # Errors
/// As [`parse_u64`], with the range of i32.
pub fn parse_i32(text: &str) -> Result<i32> {
    let trimmed = text.trim_start_matches(BLANKS);
    let value = match trimmed.strip_prefix('-') {
        Some(digits) if digits.starts_with(['-', '+']) || digits.starts_with(BLANKS) => {
            return Err(Errno::INVAL);
        }
        Some(digits) => -i128::from(parse_u64(digits)?),
        None => i128::from(parse_u64(trimmed)?),
    };
    i32::try_from(value).map_err(|_| Errno::RANGE)
}

/// The number of a process.
///
/// # Errors
/// EINVAL if it is no number, ERANGE if no process can have it.
pub fn parse_pid(text: &str) -> Result<i32> {
    match i32::try_from(parse_u64(text)?) {
        Ok(pid) if pid > 0 => Ok(pid),
        _ => Err(Errno::RANGE),
    }
}

/// The number of a user, in digits alone.
///
/// # Errors
/// EINVAL if it is no number, ERANGE if it is too large, ENXIO for the two that no user has.
pub fn parse_uid(text: &str) -> Result<u32> {
    if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(Errno::INVAL);
    }
    if text.len() > 1 && text.starts_with('0') {
        return Err(Errno::INVAL);
    }
    let uid = text.parse().map_err(|_| Errno::RANGE)?;
    match is_uid(uid) {
        true => Ok(uid),
        false => Err(Errno::NXIO),
    }
}

/// Whether a user may have this number: chown(2) takes -1 for none, and so did 16-bit kernels 65535.
pub fn is_uid(uid: u32) -> bool {
    uid != u32::MAX && uid != 0xffff
}

/// A word that says yes or no.
///
/// # Errors
/// EINVAL for any other word.
pub fn parse_boolean(text: &str) -> Result<bool> {
    let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(&["1", "yes", "y", "true", "t", "on"]) {
        Ok(true)
    } else if is(&["0", "no", "n", "false", "f", "off"]) {
        Ok(false)
    } else {
        Err(Errno::INVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("0", Ok(0)),
            ("-0", Ok(0)),
            ("10", Ok(10)),
            (" +10", Ok(10)),
            ("0x1f", Ok(31)),
            ("0b101", Ok(5)),
            ("0o17", Ok(15)),
            ("017", Ok(15)),
            ("08", Err(Errno::INVAL)),
            ("", Err(Errno::INVAL)),
            ("10 ", Err(Errno::INVAL)),
            ("0x", Err(Errno::INVAL)),
            ("+-1", Err(Errno::INVAL)),
            ("-1", Err(Errno::RANGE)),
            ("18446744073709551615", Ok(u64::MAX)),
            ("18446744073709551616", Err(Errno::RANGE)),
        ] {
            assert_eq!(parse_u64(text), expected, "{text:?}");
        }
        assert_eq!(parse_i32("-2147483648"), Ok(i32::MIN));
        assert_eq!(parse_i32("2147483648"), Err(Errno::RANGE));
        assert_eq!(parse_i32("--1"), Err(Errno::INVAL));
        assert_eq!(parse_pid("0"), Err(Errno::RANGE));
        assert_eq!(parse_pid("2147483648"), Err(Errno::RANGE));
    }

    #[test]
    fn users() {
        assert_eq!(parse_uid("0"), Ok(0));
        assert_eq!(parse_uid("1000"), Ok(1000));
        assert_eq!(parse_uid("65535"), Err(Errno::NXIO));
        assert_eq!(parse_uid("4294967295"), Err(Errno::NXIO));
        assert_eq!(parse_uid("4294967296"), Err(Errno::RANGE));
        for text in ["", "+1", " 1", "01", "0x1", "-1"] {
            assert_eq!(parse_uid(text), Err(Errno::INVAL), "{text:?}");
        }
    }
}
