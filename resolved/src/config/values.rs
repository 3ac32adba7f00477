//! Values of options: numbers with units.

use std::time::Duration;

/// What "infinity" comes to: 136 years, so that sums of it with a clock stay in range.
const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);

/// A time span as systemd.time(7) has it: `90`, `1min 30s`, `1.5h`, `infinity`. Seconds where no unit is given.
pub(super) fn time_span(text: &str) -> Option<Duration> {
    if text == "infinity" {
        return Some(FOREVER);
    }
    let mut rest = text.trim();
    let mut span = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, behind) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        let behind = behind.trim_start();
        let end = behind.find(|c: char| !c.is_alphabetic());
        let (unit, behind) = behind.split_at_checked(end.unwrap_or(behind.len()))?;
        let part = decimal(number, unit_of_time(unit)?)?;
        span = span.saturating_add(part).min(FOREVER);
        rest = behind.trim_start();
    }
    Some(span)
}

/// In microseconds: systemd's own precision.
fn unit_of_time(unit: &str) -> Option<u64> {
    const SECOND: u64 = 1_000_000;
    Some(match unit {
        "us" | "usec" | "µs" | "μs" => 1,
        "ms" | "msec" => 1000,
        "" | "s" | "sec" | "second" | "seconds" => SECOND,
        "m" | "min" | "minute" | "minutes" => 60 * SECOND,
        "h" | "hr" | "hour" | "hours" => 3600 * SECOND,
        "d" | "day" | "days" => 86_400 * SECOND,
        "w" | "week" | "weeks" => 7 * 86_400 * SECOND,
        "M" | "month" | "months" => 2_629_800 * SECOND,
        "y" | "year" | "years" => 31_557_600 * SECOND,
        _ => return None,
    })
}

/// `digits[.digits]` times so many microseconds.
fn decimal(number: &str, unit: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(fraction) {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut micros = whole.checked_mul(unit)?;
    let mut worth = unit;
    for digit in fraction.bytes() {
        worth /= 10;
        micros = micros.checked_add(worth.checked_mul(u64::from(digit - b'0'))?)?;
    }
    Some(Duration::from_micros(micros))
}

/// Bytes: `4096`, `512K`, `16M`, `1G`, each step 1024.
pub(super) fn size(text: &str) -> Option<usize> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at_checked(end.unwrap_or(text.len()))?;
    let shift = match unit.trim_start() {
        "" | "B" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(1 << shift)
}

/// A number of 32 bits, decimal or with `0x`, `0o` or `0b`.
pub(super) fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.get(..2) {
        Some("0x" | "0X") => (text.get(2..)?, 16),
        Some("0o") => (text.get(2..)?, 8),
        Some("0b") => (text.get(2..)?, 2),
        _ => (text, 10),
    };
    let is_number = digits.chars().all(|digit| digit.is_digit(radix));
    u32::from_str_radix(digits, radix)
        .ok()
        .filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans() {
        for (text, seconds) in [
            ("0", 0.0),
            ("90", 90.0),
            ("1min 30s", 90.0),
            ("1h30min", 5400.0),
            ("1.5h", 5400.0),
            (" 2 days ", 172_800.0),
            ("500ms", 0.5),
            (".5", 0.5),
        ] {
            assert_eq!(
                time_span(text),
                Some(Duration::from_secs_f64(seconds)),
                "{text}"
            );
        }
        assert_eq!(time_span("infinity"), Some(FOREVER));
        assert_eq!(time_span("10000y"), Some(FOREVER));
        for text in [
            "",
            "x",
            "-1",
            "1q",
            "1.2.3",
            ".",
            "99999999999999999999y",
            "1 ä",
        ] {
            assert_eq!(time_span(text), None, "{text}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("0"), Some(0));
        assert_eq!(size("1K"), Some(1024));
        assert_eq!(size("16M"), Some(16 << 20));
        assert_eq!(size("1 G"), Some(1 << 30));
        for text in ["", "M", "1T", "-1", "1.5M", "99999999999999999999"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(number("42"), Some(42));
        assert_eq!(number("0xff"), Some(255));
        assert_eq!(number("0x100000000"), None);
        assert_eq!(number("0x"), None);
        assert_eq!(number("+1"), None);
        assert_eq!(number("ä"), None);
    }
}
