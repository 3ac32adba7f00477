//! Values that are lists of words: systemd.syntax(7), "quoting".

/// The value ends within quotes.
pub(super) const UNBALANCED: &str = "a quote is not closed";

/// What a backslash means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// The next character, whatever it is.
    Character,
    /// What it means in C (systemd.exec(5)); kept where it means nothing there.
    C,
}

/// Splits at white space, which quotes of both kinds protect. Words may be empty if quoted.
///
/// # Errors
/// [`UNBALANCED`].
pub(super) fn split(value: &str, escapes: Escapes) -> Result<Vec<Vec<u8>>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut rest = value;
    while let Some(character) = rest.chars().next() {
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            '\\' => {
                let word = word.get_or_insert_default();
                rest = match escapes {
                    Escapes::Character => plain(rest, word),
                    Escapes::C => c_escape(rest, word),
                };
            }
            '"' | '\'' if quote == Some(character) => quote = None,
            '"' | '\'' if quote.is_none() => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            _ if quote.is_none() && character.is_ascii_whitespace() => words.extend(word.take()),
            _ => push(character, word.get_or_insert_default()),
        }
    }
    if quote.is_some() {
        return Err(UNBALANCED);
    }
    words.extend(word);
    Ok(words)
}

fn push(character: char, word: &mut Vec<u8>) {
    word.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Takes one character as it is.
fn plain<'a>(rest: &'a str, word: &mut Vec<u8>) -> &'a str {
    let mut characters = rest.chars();
    if let Some(character) = characters.next() {
        push(character, word);
    }
    characters.as_str()
}

/// Takes what stands behind a backslash in C.
fn c_escape<'a>(rest: &'a str, word: &mut Vec<u8>) -> &'a str {
    let mut characters = rest.chars();
    let byte = match characters.next() {
        Some('a') => 7,
        Some('b') => 8,
        Some('f') => 12,
        Some('n') => b'\n',
        Some('r') => b'\r',
        Some('t') => b'\t',
        Some('v') => 11,
        Some('s') => b' ',
        Some(itself @ ('\\' | '"' | '\'')) => itself as u8,
        Some('x') => return number(rest, 1, 2, 16, word, byte_of),
        Some('0'..='7') => return number(rest, 0, 3, 8, word, byte_of),
        Some('u') => return number(rest, 1, 4, 16, word, character_of),
        Some('U') => return number(rest, 1, 8, 16, word, character_of),
        _ => {
            word.push(b'\\');
            return rest;
        }
    };
    word.push(byte);
    characters.as_str()
}

/// A number of so many digits behind `skip` bytes; kept as it is where it is none, or 0.
fn number<'a>(
    rest: &'a str,
    skip: usize,
    digits: usize,
    radix: u32,
    word: &mut Vec<u8>,
    push: fn(u32, &mut Vec<u8>) -> Option<()>,
) -> &'a str {
    let text = rest.get(skip..skip + digits);
    let is_number = |text: &&str| text.chars().all(|digit| digit.is_digit(radix));
    let value = text
        .filter(is_number)
        .and_then(|text| u32::from_str_radix(text, radix).ok());
    match value
        .filter(|value| *value != 0)
        .and_then(|value| push(value, word))
    {
        Some(()) => rest.get(skip + digits..).unwrap_or_default(),
        None => {
            word.push(b'\\');
            rest
        }
    }
}

fn byte_of(value: u32, word: &mut Vec<u8>) -> Option<()> {
    word.push(u8::try_from(value).ok()?);
    Some(())
}

fn character_of(value: u32, word: &mut Vec<u8>) -> Option<()> {
    push(char::from_u32(value)?, word);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(value: &str, escapes: Escapes) -> Vec<String> {
        let words = split(value, escapes).unwrap().into_iter();
        words
            .map(|word| String::from_utf8_lossy(&word).into_owned())
            .collect()
    }

    #[test]
    fn space_and_quotes() {
        assert_eq!(words(" a\tb  c ", Escapes::Character), ["a", "b", "c"]);
        assert_eq!(
            words(r#"'a b' "c 'd" e"f"g '' "#, Escapes::C),
            ["a b", "c 'd", "efg", ""]
        );
        assert_eq!(words("", Escapes::C), [""; 0]);
        assert_eq!(split("'a", Escapes::C), Err(UNBALANCED));
    }

    #[test]
    fn backslashes() {
        assert_eq!(words(r"a\ b \x \", Escapes::Character), ["a b", "x", ""]);
        assert_eq!(
            words(r"a\tb\x41\101\u00e4\U0001F600", Escapes::C),
            ["a\tbAAä😀"]
        );
        assert_eq!(
            words(r"\q \xg \x4 \400 \ud800 \x00", Escapes::C),
            [r"\q", r"\xg", r"\x4", r"\400", r"\ud800", r"\x00"]
        );
        assert_eq!(split(r"\xff", Escapes::C), Ok(vec![vec![0xff]]));
        assert_eq!(words(r"\xäö", Escapes::C), [r"\xäö"]);
    }
}
