//! Containers of a message that is being written.

use crate::{
    error::{Error, Result},
    message::{Builder, MAX_ARRAY_LENGTH, MAX_DEPTH, types::Types},
    signature, types,
};

/// A container that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    code: u8,
    /// What it holds.
    pub(super) types: Types,
    /// Which of these comes next. That of an array comes always.
    index: usize,
    /// Of an array: where its length stands, and where its elements begin.
    length_at: usize,
    begin: usize,
}

impl Builder {
    /// Opens a container of this type and contents. All that is appended up to [`Builder::close_container`] goes into it.
    ///
    /// # Errors
    /// [`Error::NotPermitted`] once the message is sealed; [`Error::Invalid`]: there is no such container, or too many are
    /// open, or the types become too many; [`Error::Mismatch`]: another type comes next, or this is a dictionary entry without
    /// an array; [`Error::NoMemory`]: the message would be too long.
    pub fn open_container(&mut self, code: u8, contents: &[u8]) -> Result<()> {
        self.unsealed()?;
        if self.open.len() >= MAX_DEPTH {
            return Err(Error::Invalid);
        }
        let (good, open, close): (bool, &[u8], &[u8]) = match code {
            types::ARRAY => (signature::is_element(contents), b"a", b""),
            types::VARIANT => (signature::is_single(contents), b"v", b""),
            types::STRUCT => (is_members(contents), b"(", b")"),
            types::DICT_ENTRY => (signature::is_pair(contents), b"{", b"}"),
            _ => (false, b"", b""),
        };
        if !good {
            return Err(Error::Invalid);
        }
        if code == types::DICT_ENTRY && self.open.last().map(|open| open.code) != Some(types::ARRAY)
        {
            return Err(Error::Mismatch);
        }
        let inner: &[u8] = if code == types::VARIANT {
            b""
        } else {
            contents
        };
        let whole = self.place(open, inner, close)?;
        self.reserve(contents.len() + 16)?;
        self.open.try_reserve(1).map_err(|_| Error::NoMemory)?;
        let mut container = Open {
            code,
            types: whole.part(1, contents.len()),
            index: 0,
            length_at: 0,
            begin: 0,
        };
        match code {
            types::ARRAY => {
                self.pad(4);
                container.length_at = self.body.len();
                self.body.extend_from_slice(&[0; 4]);
                self.pad(contents.first().map_or(1, |code| types::alignment(*code)));
                container.begin = self.body.len();
            }
            types::VARIANT => {
                self.body.push(contents.len() as u8);
                container.types = Types {
                    start: self.body.len(),
                    length: contents.len(),
                    in_body: true,
                };
                self.body.extend_from_slice(contents);
                self.body.push(0);
            }
            _ => self.pad(8),
        }
        self.take(open, inner, close);
        self.open.push(container);
        Ok(())
    }

    /// Closes the container that was opened last.
    ///
    /// # Errors
    /// [`Error::NotPermitted`] once the message is sealed; [`Error::Invalid`]: none is open, or something is missing in it;
    /// [`Error::NoMemory`]: it is longer than an array may be, and it stays open.
    pub fn close_container(&mut self) -> Result<()> {
        self.unsealed()?;
        let open = *self.open.last().ok_or(Error::Invalid)?;
        if open.code == types::ARRAY {
            let length = self.body.len() - open.begin;
            if length > MAX_ARRAY_LENGTH {
                return Err(Error::NoMemory);
            }
            let place = self.body.get_mut(open.length_at..).unwrap_or_default();
            if let Some(place) = place.first_chunk_mut() {
                *place = (length as u32).to_ne_bytes();
            }
        } else if open.index != open.types.length {
            return Err(Error::Invalid);
        }
        self.open.pop();
        Ok(())
    }

    /// How many containers are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Where the type that these make together stands, if it is what comes next; outside containers it may be any.
    pub(super) fn place(&self, open: &[u8], contents: &[u8], close: &[u8]) -> Result<Types> {
        self.unsealed()?;
        let length = open.len() + contents.len() + close.len();
        let Some(container) = self.open.last() else {
            if self.signature.len() + length > signature::MAX_LENGTH {
                return Err(Error::Invalid);
            }
            return Ok(Types {
                start: self.signature.len(),
                length,
                in_body: false,
            });
        };
        let types = container.types.of(&self.signature, &self.body);
        let rest = types.get(container.index..).unwrap_or_default();
        let rest = rest.strip_prefix(open);
        let rest = rest.and_then(|rest| rest.strip_prefix(contents));
        match rest.and_then(|rest| rest.strip_prefix(close)) {
            Some(_) => Ok(container.types.part(container.index, length)),
            None => Err(Error::Mismatch),
        }
    }

    /// Goes on behind that type.
    pub(super) fn take(&mut self, open: &[u8], contents: &[u8], close: &[u8]) {
        match self.open.last_mut() {
            None => {
                for part in [open, contents, close] {
                    self.signature.extend_from_slice(part);
                }
            }
            Some(container) if container.code == types::ARRAY => {}
            Some(container) => container.index += open.len() + contents.len() + close.len(),
        }
    }
}

/// Whether a structure may hold these.
fn is_members(contents: &[u8]) -> bool {
    !contents.is_empty() && signature::is_valid(contents)
}
