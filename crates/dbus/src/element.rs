//! Elements with one character between them, which names and paths consist of.

/// A letter or `_`.
pub const LETTER: u8 = 1;
/// A digit.
pub const DIGIT: u8 = 2;
/// `-`
pub const HYPHEN: u8 = 4;
/// `.`
pub const DOT: u8 = 8;
/// `/`
pub const SLASH: u8 = 16;

/// What each byte is; 0 for what is in no name.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut rest: &mut [u8] = &mut classes;
    let mut byte = 0_u8;
    while let [class, behind @ ..] = rest {
        *class = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => LETTER,
            b'0'..=b'9' => DIGIT,
            b'-' => HYPHEN,
            b'.' => DOT,
            b'/' => SLASH,
            _ => 0,
        };
        byte = byte.wrapping_add(1);
        rest = behind;
    }
    classes
}

/// How many elements a text has, none of them empty, by what they begin with and what follows; nothing if it has others.
/// There is one look at each byte: messages are full of names.
pub fn count(text: &[u8], separator: u8, first: u8, rest: u8) -> Option<usize> {
    let class = |byte: u8| CLASSES.get(usize::from(byte)).copied().unwrap_or_default();
    let mut bytes = text.iter();
    let mut count = 1;
    loop {
        if class(*bytes.next()?) & first == 0 {
            return None;
        }
        let Some(next) = bytes.find(|byte| class(**byte) & rest == 0) else {
            return Some(count);
        };
        if class(*next) & separator == 0 {
            return None;
        }
        count += 1;
    }
}
