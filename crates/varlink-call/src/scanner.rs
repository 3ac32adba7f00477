//! JSON as a stream of tokens, read from the peer as it comes.

mod number;
mod string;

use unix_call::{Fault, Reader};

const TEXT: usize = 512;

/// One step through a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'t> {
    /// `{`
    ObjectStart,
    /// `}`
    ObjectEnd,
    /// `[`
    ArrayStart,
    /// `]`
    ArrayEnd,
    /// The name of a member, its colon read too; at most [`Scanner::TEXT`] bytes of it.
    Key(&'t [u8]),
    /// A string.
    String(Text<'t>),
    /// A number without fraction and exponent that fits.
    Integer(i64),
    /// Any other number.
    Number,
    /// `true` or `false`
    Bool(bool),
    /// `null`
    Null,
}

/// A string, its escapes resolved, valid UTF-8 if `whole`. It may contain NUL (`\u0000`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'t> {
    /// At most the first [`Scanner::TEXT`] bytes.
    pub bytes: &'t [u8],
    /// Whether that is all of it.
    pub whole: bool,
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    CommaOrEnd,
    Nothing,
}

/// Steps through one JSON text. Not recursive: what is open is a row of bits.
pub struct Scanner<'r, 's> {
    reader: &'r mut Reader<'s>,
    next: Next,
    /// How many objects and arrays are open.
    depth: u32,
    /// The lowest bit is the innermost: 1 an object, 0 an array.
    open: u64,
    text: [u8; TEXT],
}

impl<'r, 's> Scanner<'r, 's> {
    /// The longest string that is kept whole. Longer ones are read over.
    pub const TEXT: usize = TEXT;
    /// How deep objects and arrays may nest; an honest reply has 5 levels.
    pub const DEPTH: u32 = u64::BITS;

    /// At the start of a JSON text.
    pub fn new(reader: &'r mut Reader<'s>) -> Self {
        Self {
            reader,
            next: Next::Value,
            depth: 0,
            open: 0,
            text: [0; TEXT],
        }
    }

    /// How many objects and arrays are open.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// The next token. Not to be called at the end of the text.
    ///
    /// # Errors
    /// [`Fault::Protocol`] if this is no JSON; what the source says.
    pub fn token(&mut self) -> Result<Token<'_>, Fault> {
        let mut byte = self.skip_space()?;
        if self.next == Next::CommaOrEnd && byte == b',' {
            self.reader.byte()?;
            byte = self.skip_space()?;
            self.next = if self.in_object() {
                Next::Key
            } else {
                Next::Value
            };
        }
        match (self.next, byte) {
            (Next::KeyOrEnd | Next::Key, b'"') => {
                let (length, _) = string::read(self.reader, &mut self.text)?;
                if self.skip_space()? != b':' {
                    return Err(Fault::Protocol);
                }
                self.reader.byte()?;
                self.next = Next::Value;
                Ok(Token::Key(self.text.get(..length).unwrap_or_default()))
            }
            (Next::KeyOrEnd | Next::CommaOrEnd, b'}') if self.in_object() => {
                self.close()?;
                Ok(Token::ObjectEnd)
            }
            (Next::ValueOrEnd | Next::CommaOrEnd, b']') if !self.in_object() => {
                self.close()?;
                Ok(Token::ArrayEnd)
            }
            (Next::Value | Next::ValueOrEnd, _) => self.value(byte),
            _ => Err(Fault::Protocol),
        }
    }

    fn value(&mut self, first: u8) -> Result<Token<'_>, Fault> {
        match first {
            b'{' => {
                self.open(true)?;
                return Ok(Token::ObjectStart);
            }
            b'[' => {
                self.open(false)?;
                return Ok(Token::ArrayStart);
            }
            _ => self.next = self.after_value(),
        }
        match first {
            b'"' => {
                let (length, whole) = string::read(self.reader, &mut self.text)?;
                let bytes = self.text.get(..length).unwrap_or_default();
                Ok(Token::String(Text { bytes, whole }))
            }
            b'-' | b'0'..=b'9' => number::read(self.reader),
            b't' => self.word(b"true", Token::Bool(true)),
            b'f' => self.word(b"false", Token::Bool(false)),
            b'n' => self.word(b"null", Token::Null),
            _ => Err(Fault::Protocol),
        }
    }

    fn word<'t>(&mut self, word: &[u8], token: Token<'t>) -> Result<Token<'t>, Fault> {
        for &expected in word {
            if self.reader.byte()? != expected {
                return Err(Fault::Protocol);
            }
        }
        Ok(token)
    }

    fn in_object(&self) -> bool {
        self.depth > 0 && self.open & 1 == 1
    }

    fn after_value(&self) -> Next {
        if self.depth == 0 {
            Next::Nothing
        } else {
            Next::CommaOrEnd
        }
    }

    fn open(&mut self, object: bool) -> Result<(), Fault> {
        if self.depth >= Self::DEPTH {
            return Err(Fault::Protocol);
        }
        self.reader.byte()?;
        self.depth += 1;
        self.open = self.open << 1 | u64::from(object);
        self.next = if object {
            Next::KeyOrEnd
        } else {
            Next::ValueOrEnd
        };
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        self.reader.byte()?;
        self.depth = self.depth.saturating_sub(1);
        self.open >>= 1;
        self.next = self.after_value();
        Ok(())
    }

    /// The first byte that is no white space, which stays the next one.
    fn skip_space(&mut self) -> Result<u8, Fault> {
        loop {
            match self.reader.peek()? {
                b' ' | b'\t' | b'\n' | b'\r' => self.reader.byte()?,
                byte => return Ok(byte),
            };
        }
    }

    /// Whether the innermost array ends here.
    pub(crate) fn array_ends(&mut self) -> Result<bool, Fault> {
        let may_end = matches!(self.next, Next::ValueOrEnd | Next::CommaOrEnd);
        Ok(self.skip_space()? == b']' && may_end)
    }

    /// Ends the message: nothing but white space may come before its NUL. What may come after the
    /// NUL is another message and none of this call's business.
    ///
    /// # Errors
    /// [`Fault::Protocol`]; what the source says.
    pub fn end_of_message(&mut self) -> Result<(), Fault> {
        if self.next != Next::Nothing || self.skip_space()? != 0 {
            return Err(Fault::Protocol);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
