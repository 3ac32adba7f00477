//! The syntax of os-release(5): assignments as a shell reads them, without expansion.

use std::{collections::HashMap, iter::Peekable, str::Chars};

/// The fields in order, each once: where one is set again, the last value counts. What is no valid assignment is left out.
pub fn parse(text: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(text);
    let mut fields: Vec<(String, String)> = Vec::new();
    // The text is the machine's, which may set ten thousand: each is found at once.
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut input = text.chars().peekable();
    while input.peek().is_some() {
        let Some((key, value)) = assignment(&mut input) else {
            continue;
        };
        let known = places.get(&key).and_then(|&place| fields.get_mut(place));
        match known {
            Some(field) => field.1 = value,
            None => {
                places.insert(key.clone(), fields.len());
                fields.push((key, value));
            }
        }
    }
    fields
}

/// Reads to the end of a line, or past it where a quoted value goes on.
fn assignment(input: &mut Peekable<Chars<'_>>) -> Option<(String, String)> {
    while input
        .next_if(|c| matches!(c, ' ' | '\t' | '\r' | '\n'))
        .is_some()
    {}
    let mut key = String::new();
    while let Some(c) = input.next_if(|&c| c != '=' && c != '\n') {
        key.push(c);
    }
    if !is_key(&key) || input.next_if_eq(&'=').is_none() {
        while input.next_if(|&c| c != '\n').is_some() {}
        return None;
    }
    let value = value(input)?;
    (!value.contains('\0')).then_some((key, value))
}

/// A name of a shell variable.
fn is_key(key: &str) -> bool {
    let first = key.bytes().next();
    first.is_some_and(|byte| !byte.is_ascii_digit())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `None` where a quote is never closed.
fn value(input: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut value = String::new();
    // How much of it is kept when blanks at the end are cut off: those in quotes are meant.
    let mut kept = 0;
    while let Some(c) = input.next() {
        match c {
            '\n' => break,
            '\'' => loop {
                match input.next()? {
                    '\'' => break,
                    c => value.push(c),
                }
                kept = value.len();
            },
            '"' => {
                quoted(input, &mut value)?;
                kept = value.len();
            }
            '\\' => match input.next() {
                Some('\n') | None => {}
                Some(c) => {
                    value.push(c);
                    kept = value.len();
                }
            },
            ' ' | '\t' | '\r' => value.push(c),
            c => {
                value.push(c);
                kept = value.len();
            }
        }
    }
    value.truncate(kept);
    Some(value)
}

fn quoted(input: &mut Peekable<Chars<'_>>, value: &mut String) -> Option<()> {
    loop {
        match input.next()? {
            '"' => return Some(()),
            '\\' => match input.next()? {
                c @ ('"' | '\\' | '$' | '`') => value.push(c),
                '\n' => {}
                c => value.extend(['\\', c]),
            },
            c => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<(String, String)> {
        parse(text.as_bytes())
    }

    fn one(value: &str) -> String {
        fields(&format!("K={value}\n"))[0].1.clone()
    }

    #[test]
    fn reads_a_real_one() {
        let text =
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n# x=y\n\nVERSION_ID=\"12\"";
        let read = fields(text);
        let read: Vec<_> = read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            read,
            [
                ("PRETTY_NAME", "Debian GNU/Linux 12 (bookworm)"),
                ("ID", "debian"),
                ("VERSION_ID", "12"),
            ]
        );
    }

    #[test]
    fn quotes_as_a_shell_does() {
        assert_eq!(one("'a \"b\\' "), "a \"b\\");
        assert_eq!(one(r#""a \"b\" \$c \d""#), r#"a "b" $c \d"#);
        assert_eq!(one("a\\ b"), "a b");
        assert_eq!(one("a'b c'\"d\""), "ab cd");
        assert_eq!(one("'' "), "");
        assert_eq!(one("' '"), " ");
        assert_eq!(one("plain  \r"), "plain");
        assert_eq!(one("two words"), "two words");
        assert_eq!(one("\"a\nb\""), "a\nb");
    }

    #[test]
    fn leaves_out_what_is_no_assignment() {
        for text in [
            "", "\n\n", "novalue", "1A=b", "A B=c", "=x", "A.B=c", "K='open", "K=\"x\\", "Ä=b",
            "K='\0'",
        ] {
            assert_eq!(fields(text), [], "{text:?}");
        }
        assert_eq!(fields("junk\nA=b").len(), 1);
        assert_eq!(parse(b"A=\xff\nB=c").len(), 2);
    }

    #[test]
    fn the_last_one_counts() {
        let read = fields("A=1\nB=2\nA=3\n");
        assert_eq!(read, [("A".into(), "3".into()), ("B".into(), "2".into())]);
    }
}
