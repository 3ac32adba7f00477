//! The place of a reader in a message.

use crate::{
    error::{Error, Result},
    message::{MAX_DEPTH, Message, types::Types, wire},
    signature, types,
};

/// Where a reader is. It does not hold the message, which is given to each call and must be the same one.
///
/// A call that is refused leaves it where it was.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// Those around [`Cursor::inner`], the outermost first.
    outer: Vec<Container>,
    pub(super) inner: Container,
    /// Where the next value is, or its padding.
    pub(super) position: usize,
}

/// A container that was entered, or the body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Container {
    /// 0 for the body.
    code: u8,
    /// What it holds.
    types: Types,
    /// Which of these comes next. That of an array comes always.
    index: u32,
    /// Where its first value is.
    begin: u32,
    /// Nothing in it is read beyond this: the end of the array around it, or of the body.
    end: u32,
}

impl Cursor {
    pub(super) fn new(message: &Message) -> Self {
        let body = Container {
            code: 0,
            types: message.header().signature(),
            index: 0,
            begin: 0,
            end: message.body().len() as u32,
        };
        Self {
            outer: Vec::new(),
            inner: body,
            position: 0,
        }
    }

    /// How many containers it is in.
    pub fn depth(&self) -> usize {
        self.outer.len()
    }

    /// The types of the container that it is in, or of the body.
    pub fn signature<'m>(&self, message: &'m Message) -> &'m [u8] {
        self.inner.types.of(message.head(), message.body())
    }

    /// Whether there is nothing more in this container; `complete` asks whether there is nothing more in the message.
    pub fn at_end(&self, complete: bool) -> bool {
        (!complete || self.outer.is_empty()) && (self.at_array_end() || self.at_types_end())
    }

    /// Goes back to the beginning of this container, `complete` to that of the message. Tells whether there is anything.
    pub fn rewind(&mut self, complete: bool) -> bool {
        if complete && let Some(body) = self.outer.first() {
            self.inner = *body;
            self.outer.clear();
        }
        self.inner.index = 0;
        self.position = self.inner.begin as usize;
        self.inner.types.length() > 0
    }

    /// The type that comes next, and for a container what it holds; nothing at the end.
    ///
    /// # Errors
    /// [`Error::Malformed`]: it is a variant without a type.
    pub fn peek_type<'m>(&self, message: &'m Message) -> Result<Option<(u8, &'m [u8])>> {
        if self.at_types_end() {
            return Ok(None);
        }
        let Some(next) = self.next(message)? else {
            return Ok(None);
        };
        let first = |next: &'m [u8]| {
            let length = signature::first_of_valid(next);
            next.get(..length).unwrap_or_default()
        };
        Ok(match next {
            [types::VARIANT, ..] => {
                let contents = wire::variant(self.bytes(message), self.position)?.0;
                Some((types::VARIANT, contents))
            }
            [types::ARRAY, rest @ ..] => Some((types::ARRAY, first(rest))),
            [code @ (b'(' | b'{'), ..] => match first(next) {
                [_, contents @ .., _] => Some((outside(*code), contents)),
                _ => None,
            },
            [code, ..] => Some((*code, b"")),
            [] => None,
        })
    }

    /// Whether this is what comes next: a type, contents, or both.
    ///
    /// # Errors
    /// [`Error::Invalid`]: neither is given, or the first is no type; [`Error::Malformed`] as [`Cursor::peek_type`].
    pub fn verify_type(
        &self,
        message: &Message,
        code: Option<u8>,
        contents: Option<&[u8]>,
    ) -> Result<bool> {
        let is_code = |code: u8| types::is_basic(code) || types::is_container(code);
        if code
            .or(contents.map(|_| types::BYTE))
            .is_none_or(|code| !is_code(code))
        {
            return Err(Error::Invalid);
        }
        let next = self.peek_type(message)?;
        Ok(next.is_some_and(|next| {
            code.is_none_or(|code| code == next.0) && contents.is_none_or(|types| types == next.1)
        }))
    }

    /// Enters the container that comes next, if it is of this type and, where they are given, of these contents. False at the
    /// end of an array.
    ///
    /// # Errors
    /// [`Error::Invalid`]: there is no such container; [`Error::Mismatch`]: something else or nothing comes next;
    /// [`Error::Malformed`]: the bytes are no such container, or it is too deep.
    pub fn enter_container(
        &mut self,
        message: &Message,
        code: u8,
        contents: Option<&[u8]>,
    ) -> Result<bool> {
        let is_mistaken = || !may_hold(code, contents);
        if !types::is_container(code) {
            return Err(Error::Invalid);
        }
        if self.depth() >= MAX_DEPTH {
            return Err(Error::Malformed);
        }
        match self.next(message) {
            Ok(Some(_)) => {}
            _ if is_mistaken() => return Err(Error::Invalid),
            other => return other.map(|_| false),
        }
        // What comes next is valid, and so are the contents if they are the same.
        let found = match self.peek_type(message)? {
            Some((next, found))
                if next == code && contents.is_none_or(|given| same(given, found)) =>
            {
                found
            }
            _ if is_mistaken() => return Err(Error::Invalid),
            _ => return Err(Error::Mismatch),
        };
        let bytes = self.bytes(message);
        let mut types = self
            .inner
            .types
            .part(self.inner.index as usize + 1, found.len());
        let mut end = self.inner.end;
        let (begin, whole) = match code {
            types::ARRAY => {
                let (begin, array_end) = wire::array(bytes, self.position, found)?;
                end = array_end as u32;
                (begin, 1 + found.len())
            }
            types::VARIANT => {
                types = Types::in_body(self.position + 1, found.len());
                (self.position + 2 + found.len(), 1)
            }
            _ => (wire::pad(bytes, self.position, 8)?, 2 + found.len()),
        };
        self.outer.try_reserve(1).map_err(|_| Error::NoMemory)?;
        self.advance(whole, begin);
        self.outer.push(self.inner);
        self.inner = Container {
            code,
            types,
            index: 0,
            begin: begin as u32,
            end,
        };
        Ok(true)
    }

    /// Leaves the container.
    ///
    /// # Errors
    /// [`Error::Mismatch`]: it is in none; [`Error::Busy`]: there is more in it.
    pub fn exit_container(&mut self) -> Result<()> {
        let outer = *self.outer.last().ok_or(Error::Mismatch)?;
        if !self.at_array_end() && !self.at_types_end() {
            return Err(Error::Busy);
        }
        self.outer.pop();
        self.inner = outer;
        Ok(())
    }

    /// The types from the next one on; nothing at the end of an array.
    pub(super) fn next<'m>(&self, message: &'m Message) -> Result<Option<&'m [u8]>> {
        if self.at_types_end() {
            return Err(Error::Mismatch);
        }
        if self.at_array_end() {
            return Ok(None);
        }
        let types = self.signature(message);
        Ok(Some(
            types.get(self.inner.index as usize..).unwrap_or_default(),
        ))
    }

    /// What can be read in this container.
    pub(super) fn bytes<'m>(&self, message: &'m Message) -> &'m [u8] {
        message
            .body()
            .get(..self.inner.end as usize)
            .unwrap_or_default()
    }

    /// Goes on behind a type of so many characters, whose value ends there.
    pub(super) fn advance(&mut self, length: usize, position: usize) {
        if self.inner.code != types::ARRAY {
            self.inner.index += length as u32;
        }
        self.position = position;
    }

    fn at_types_end(&self) -> bool {
        self.inner.index as usize >= self.inner.types.length()
    }

    fn at_array_end(&self) -> bool {
        self.inner.code == types::ARRAY && self.position >= self.inner.end as usize
    }
}

fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && signature::begins(one, other)
}

/// Whether a container of this type can be of these contents.
fn may_hold(code: u8, contents: Option<&[u8]>) -> bool {
    match (code, contents) {
        (types::ARRAY, Some(contents)) => signature::is_element(contents),
        (types::VARIANT, Some(contents)) => signature::is_single(contents),
        (types::STRUCT, Some(contents)) => signature::is_valid(contents),
        (types::DICT_ENTRY, Some(contents)) => signature::is_pair(contents),
        (_, contents) => contents.is_none(),
    }
}

/// The code that stands for a container outside signatures.
fn outside(bracket: u8) -> u8 {
    match bracket {
        b'(' => types::STRUCT,
        _ => types::DICT_ENTRY,
    }
}
