//! Files of `KEY=value` lines, in the quoting that every release of systemd writes and reads.
//!
//! Up to 255 values stand bare, some with C escapes; from 256 on they are quoted where they hold anything that a shell
//! would read as its own. Both readers take both.

#![forbid(unsafe_code)]

use std::fmt::Write;

/// White space around keys and values, as systemd has it: others are part of them.
const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// One line; nothing for an empty value, as systemd does.
pub fn push(file: &mut String, key: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-:,@+%".contains(&b) || !b.is_ascii();
    if value.bytes().all(is_plain) {
        // A String takes all that is written to it.
        let _ = writeln!(file, "{key}={value}");
        return;
    }
    let _ = write!(file, "{key}=\"");
    for character in value.chars() {
        if matches!(character, '"' | '\\' | '`' | '$') {
            file.push('\\');
        }
        file.push(character);
    }
    file.push_str("\"\n");
}

/// The lines of a file in order. Comments, blank lines and what is no assignment are left out.
pub fn parse(file: &str) -> impl Iterator<Item = (&str, String)> {
    file.lines().filter_map(|line| {
        let line = line.trim_matches(BLANKS);
        if line.starts_with(['#', ';']) {
            return None;
        }
        let (key, value) = line.split_once('=')?;
        Some((key.trim_end_matches(BLANKS), value_of(value)))
    })
}

fn value_of(text: &str) -> String {
    let text = text.trim_matches(BLANKS);
    let quoted = |quote: char| {
        let inner = text.strip_prefix(quote)?;
        inner.strip_suffix(quote).or(Some(inner))
    };
    if let Some(inner) = quoted('\'') {
        inner.to_owned()
    } else if let Some(inner) = quoted('"') {
        without_shell_escapes(inner)
    } else {
        without_c_escapes(text)
    }
}

/// Between double quotes a backslash means itself, but in front of what it must protect.
fn without_shell_escapes(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, characters.clone().next()) {
            ('\\', Some(next @ ('"' | '\\' | '`' | '$'))) => {
                value.push(next);
                characters.next();
            }
            _ => value.push(character),
        }
    }
    value
}

/// The bare values of old releases: `\\`, `\xHH`, `\n` and the like. What decodes to no UTF-8 is left as it stands.
fn without_c_escapes(text: &str) -> String {
    let mut value = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let (decoded, after) = match (byte, after) {
            (b'\\', [escaped, after @ ..]) => match hex_escape(*escaped, after) {
                Some(decoded) => decoded,
                None => (plain(*escaped), after),
            },
            _ => (byte, after),
        };
        value.push(decoded);
        rest = after;
    }
    String::from_utf8(value).unwrap_or_else(|_| text.to_owned())
}

/// The byte of `xHH` and what follows it.
fn hex_escape(escaped: u8, after: &[u8]) -> Option<(u8, &[u8])> {
    match (escaped, after) {
        (b'x', [high, low, after @ ..]) => Some((hex(*high)? << 4 | hex(*low)?, after)),
        _ => None,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16)?.try_into().ok()
}

fn plain(escaped: u8) -> u8 {
    match escaped {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b's' => b' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for value in [
            "web",
            "/a b",
            "machine-a\\x2db.scope",
            "\"`$\\",
            "ä ö",
            "x=y",
            "'",
            " lead",
            "\u{a0}no-break\u{a0}",
        ] {
            let mut file = String::new();
            push(&mut file, "KEY", value);
            let lines: Vec<_> = parse(&file).collect();
            assert_eq!(lines, [("KEY", value.to_owned())], "{file}");
        }
    }

    #[test]
    fn plain_values_stay_bare() {
        let mut file = String::new();
        push(&mut file, "SCOPE", "machine-web.scope");
        push(&mut file, "SERVICE", "");
        assert_eq!(file, "SCOPE=machine-web.scope\n");
    }

    #[test]
    fn what_every_release_writes() {
        let file = "# This is private data. Do not parse.\n\
            SCOPE=machine-a\\\\x2db.scope\n\
            ROOT=/with blank\\t\\x41\n\
            NETIF=\" 2 3\"\n\
            SERVICE='it''s'\n\
            no assignment\n\
            \n\
            ID = \n";
        let lines: Vec<_> = parse(file).collect();
        let expected = [
            ("SCOPE", "machine-a\\x2db.scope"),
            ("ROOT", "/with blank\tA"),
            ("NETIF", " 2 3"),
            ("SERVICE", "it''s"),
            ("ID", ""),
        ];
        assert_eq!(lines, expected.map(|(key, value)| (key, value.to_owned())));
    }

    #[test]
    fn broken_escapes_end_nothing() {
        for value in ["\\", "\\x", "\\x4", "\\xzz", "\"", "\"\\", "'", "\\xff"] {
            let line = format!("KEY={value}");
            assert_eq!(parse(&line).count(), 1, "{value}");
        }
    }
}
