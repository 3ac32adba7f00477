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
    index: u32,
    /// Of an array: where its length stands, and where its elements begin.
    length_at: u32,
    begin: u32,
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
        let form = Form::container(code, contents).ok_or(Error::Invalid)?;
        if code == types::DICT_ENTRY && self.open.last().map(|open| open.code) != Some(types::ARRAY)
        {
            return Err(Error::Mismatch);
        }
        let whole = self.place(&form)?;
        self.reserve(contents.len() + 24)?;
        self.open.try_reserve(1).map_err(|_| Error::NoMemory)?;
        let mut types = whole.part(1, contents.len());
        let (mut length_at, mut begin) = (0, 0);
        match code {
            types::ARRAY => {
                self.pad(4);
                length_at = self.body.len() as u32;
                self.body.extend_from_slice(&[0; 4]);
                self.pad(contents.first().map_or(1, |code| types::alignment(*code)));
                begin = self.body.len() as u32;
            }
            types::VARIANT => {
                types = Types::in_body(self.body.len() + 1, contents.len());
                self.push_types(contents);
            }
            _ => self.pad(8),
        }
        self.take(&form);
        self.open.push(Open {
            code,
            types,
            index: 0,
            length_at,
            begin,
        });
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
            let length = self.body.len() - open.begin as usize;
            if length > MAX_ARRAY_LENGTH {
                return Err(Error::NoMemory);
            }
            let place = self
                .body
                .get_mut(open.length_at as usize..)
                .unwrap_or_default();
            if let Some(place) = place.first_chunk_mut() {
                *place = (length as u32).to_ne_bytes();
            }
        } else if open.index as usize != open.types.length() {
            return Err(Error::Invalid);
        }
        self.open.pop();
        Ok(())
    }

    /// How many containers are open.
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    /// Writes the types of a variant. Those of most are one character: that is done at once.
    fn push_types(&mut self, contents: &[u8]) {
        match contents {
            [code] => self.body.extend_from_slice(&[1, *code, 0]),
            _ => {
                self.body.push(contents.len() as u8);
                self.body.extend_from_slice(contents);
                self.body.push(0);
            }
        }
    }

    /// Where a type of this form stands, if it is what comes next; outside containers it may be any.
    #[inline]
    pub(super) fn place(&self, form: &Form<'_>) -> Result<Types> {
        self.unsealed()?;
        let Some(container) = self.open.last() else {
            if self.signature.len() + form.length() > signature::MAX_LENGTH {
                return Err(Error::Invalid);
            }
            return Ok(Types::new(self.signature.len(), form.length()));
        };
        let types = container.types.of(&self.signature, &self.body);
        let index = container.index as usize;
        if form.begins(types.get(index..).unwrap_or_default()) {
            Ok(container.types.part(index, form.length()))
        } else {
            Err(Error::Mismatch)
        }
    }

    /// Goes on behind that type.
    #[inline]
    pub(super) fn take(&mut self, form: &Form<'_>) {
        match self.open.last_mut() {
            None => form.append_to(&mut self.signature),
            Some(container) if container.code == types::ARRAY => {}
            Some(container) => container.index += form.length() as u32,
        }
    }
}

/// A complete type, as its first character, what it holds, and the bracket behind that.
pub(super) struct Form<'t> {
    first: u8,
    contents: &'t [u8],
    last: Option<u8>,
}

impl<'t> Form<'t> {
    pub(super) fn one(code: u8) -> Self {
        Self {
            first: code,
            contents: b"",
            last: None,
        }
    }

    pub(super) fn array(element: &'t [u8]) -> Self {
        Self {
            first: types::ARRAY,
            contents: element,
            last: None,
        }
    }

    /// Of a container; nothing if it may not hold these.
    fn container(code: u8, contents: &'t [u8]) -> Option<Self> {
        let brackets = |first, last| Self {
            first,
            contents,
            last: Some(last),
        };
        match code {
            types::ARRAY => signature::is_element(contents).then(|| Self::array(contents)),
            types::VARIANT => signature::is_single(contents).then(|| Self::one(code)),
            types::STRUCT => is_members(contents).then(|| brackets(b'(', b')')),
            types::DICT_ENTRY => signature::is_pair(contents).then(|| brackets(b'{', b'}')),
            _ => None,
        }
    }

    fn length(&self) -> usize {
        1 + self.contents.len() + usize::from(self.last.is_some())
    }

    /// Whether these types begin with it.
    fn begins(&self, types: &[u8]) -> bool {
        let Some((first, rest)) = types.split_first() else {
            return false;
        };
        *first == self.first
            && signature::begins(rest, self.contents)
            && (self.last.is_none() || rest.get(self.contents.len()).copied() == self.last)
    }

    fn append_to(&self, signature: &mut Vec<u8>) {
        signature.push(self.first);
        signature.extend_from_slice(self.contents);
        signature.extend(self.last);
    }
}

/// Whether a structure may hold these.
fn is_members(contents: &[u8]) -> bool {
    !contents.is_empty() && signature::is_valid(contents)
}
