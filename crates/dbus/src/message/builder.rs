//! A message that is being written.

use crate::{
    error::{Error, Result},
    message::{
        ALLOW_INTERACTIVE_AUTHORIZATION, Basic, Field, Header, Kind, MAX_ARRAY_LENGTH, MAX_LENGTH,
        Message, NO_AUTO_START, NO_REPLY_EXPECTED,
        container::{Form, Open},
        erase, wire,
    },
    types,
};

/// From so many bytes on the C library maps a block by itself, M_MMAP_THRESHOLD of mallopt(3).
const LARGE: usize = 128 << 10;

/// Writes a message, value by value. What is refused leaves it as it was.
///
/// The types of the body become those of the values, unless a container that is open says what comes next.
#[derive(Clone, Debug)]
pub struct Builder {
    pub(super) header: Header,
    pub(super) body: Vec<u8>,
    /// What the body consists of so far.
    pub(super) signature: Vec<u8>,
    pub(super) open: Vec<Open>,
    sealed: bool,
    /// Whether nothing of the body may stay in memory that was given back.
    sensitive: bool,
}

impl Builder {
    /// A message of which nothing is said yet.
    ///
    /// # Errors
    /// [`Error::Invalid`]: it is a kind that the specification does not have.
    pub fn new(kind: Kind) -> Result<Self> {
        match kind {
            Kind::Other(_) => Err(Error::Invalid),
            kind => Ok(Self::of(kind)),
        }
    }

    /// Values of no message, whose kind is 0: they can be read and copied, and are not to be sent.
    pub fn values() -> Self {
        Self::of(Kind::default())
    }

    /// A message, or values, of which nothing is said yet.
    #[inline]
    pub fn of(kind: Kind) -> Self {
        // Nobody answers an answer.
        let flags = match kind {
            Kind::MethodCall => 0,
            _ => NO_REPLY_EXPECTED,
        };
        Self {
            header: Header::new(kind, flags),
            body: Vec::new(),
            signature: Vec::with_capacity(32),
            open: Vec::new(),
            sealed: false,
            sensitive: false,
        }
    }

    /// A call of a method.
    ///
    /// # Errors
    /// [`Error::Invalid`]: one of these is not of its form.
    pub fn method_call(
        destination: Option<&[u8]>,
        path: &[u8],
        interface: Option<&[u8]>,
        member: &[u8],
    ) -> Result<Self> {
        let mut builder = Self::of(Kind::MethodCall);
        builder.call(destination, path, interface, member)?;
        Ok(builder)
    }

    /// Says what a call is for, of which nothing is said yet.
    ///
    /// # Errors
    /// [`Error::Invalid`]: one of these is not of its form; [`Error::Exists`]: it was said.
    pub fn call(
        &mut self,
        destination: Option<&[u8]>,
        path: &[u8],
        interface: Option<&[u8]>,
        member: &[u8],
    ) -> Result<()> {
        self.unsealed()?;
        self.header.set(Field::Path, path)?;
        self.header.set(Field::Member, member)?;
        if let Some(interface) = interface {
            self.header.set(Field::Interface, interface)?;
        }
        if let Some(destination) = destination {
            self.header.set(Field::Destination, destination)?;
        }
        Ok(())
    }

    /// A signal.
    ///
    /// # Errors
    /// [`Error::Invalid`]: one of these is not of its form.
    pub fn signal(path: &[u8], interface: &[u8], member: &[u8]) -> Result<Self> {
        let mut builder = Self::new(Kind::Signal)?;
        builder.header.set(Field::Path, path)?;
        builder.header.set(Field::Interface, interface)?;
        builder.header.set(Field::Member, member)?;
        Ok(builder)
    }

    /// The answer to a call, for its sender.
    ///
    /// # Errors
    /// [`Error::Invalid`]: it answers no call.
    pub fn method_return(call: &Header) -> Result<Self> {
        Self::reply(Kind::MethodReturn, call)
    }

    /// The error of a call, for its sender. Its body is a text, which is still to be appended.
    ///
    /// # Errors
    /// [`Error::Invalid`]: it answers no call, or `name` is not of its form.
    pub fn method_error(call: &Header, name: &[u8]) -> Result<Self> {
        let mut builder = Self::reply(Kind::Error, call)?;
        builder.header.set(Field::ErrorName, name)?;
        Ok(builder)
    }

    fn reply(kind: Kind, call: &Header) -> Result<Self> {
        let mut builder = Self::of(kind);
        builder.answer(call)?;
        Ok(builder)
    }

    /// Says what it answers, for the sender of that, if nothing is said yet.
    ///
    /// # Errors
    /// [`Error::Invalid`]: it answers no call; [`Error::Exists`]: it was said.
    pub fn answer(&mut self, call: &Header) -> Result<()> {
        self.unsealed()?;
        if call.kind() != Kind::MethodCall {
            return Err(Error::Invalid);
        }
        if self.header.reply_serial().is_some() {
            return Err(Error::Exists);
        }
        self.header.set_reply_serial(call.serial());
        if let Some(sender) = call.bytes_of(Field::Sender) {
            self.header.set(Field::Destination, sender)?;
        }
        Ok(())
    }

    /// What it says of itself so far.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The types of the body so far.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The types of the container that is open, or of the body.
    pub fn open_signature(&self) -> &[u8] {
        match self.open.last() {
            Some(open) => open.types.of(&self.signature, &self.body),
            None => &self.signature,
        }
    }

    /// Says one of the texts of the header.
    ///
    /// # Errors
    /// [`Error::NotPermitted`] once it is sealed, and for [`Field::Signature`], which values make; [`Error::Invalid`]: it is
    /// not of its form; [`Error::Exists`]: it was said.
    pub fn set(&mut self, field: Field, text: &[u8]) -> Result<()> {
        self.unsealed()?;
        if field == Field::Signature {
            return Err(Error::NotPermitted);
        }
        self.header.set(field, text)
    }

    /// Whether the sender of a call wants an answer.
    ///
    /// # Errors
    /// [`Error::NotPermitted`] once it is sealed, and if it is no call.
    pub fn set_expect_reply(&mut self, on: bool) -> Result<()> {
        if self.header.kind() != Kind::MethodCall {
            return Err(Error::NotPermitted);
        }
        self.set_flag(NO_REPLY_EXPECTED, !on)
    }

    /// Whether the destination is started if nobody has its name.
    ///
    /// # Errors
    /// [`Error::NotPermitted`] once it is sealed.
    pub fn set_auto_start(&mut self, on: bool) -> Result<()> {
        self.set_flag(NO_AUTO_START, !on)
    }

    /// Whether the user may be asked to prove who he is.
    ///
    /// # Errors
    /// [`Error::NotPermitted`] once it is sealed.
    pub fn set_allow_interactive_authorization(&mut self, on: bool) -> Result<()> {
        self.set_flag(ALLOW_INTERACTIVE_AUTHORIZATION, on)
    }

    fn set_flag(&mut self, flag: u8, on: bool) -> Result<()> {
        self.unsealed()?;
        self.header.set_flag(flag, on);
        Ok(())
    }

    /// Appends a value. The index of a descriptor is that of one that came before, or the next one, which so is added.
    ///
    /// # Errors
    /// [`Error::NotPermitted`] once it is sealed; [`Error::Mismatch`]: another type comes next; [`Error::Invalid`]: it is no
    /// such text or index, or the types become too many; [`Error::NoMemory`]: the message would be too long.
    pub fn append_basic(&mut self, value: Basic<'_>) -> Result<()> {
        let code = value.code();
        if let Basic::String(text) | Basic::ObjectPath(text) | Basic::Signature(text) = value {
            return self.append_checked(code, text.to_bytes());
        }
        self.place(&Form::one(code))?;
        match value {
            Basic::Byte(value) => self.push(value.to_ne_bytes()),
            Basic::Int16(value) => self.push(value.to_ne_bytes()),
            Basic::Uint16(value) => self.push(value.to_ne_bytes()),
            Basic::Boolean(value) => self.push(u32::from(value).to_ne_bytes()),
            Basic::Int32(value) => self.push(value.to_ne_bytes()),
            Basic::Uint32(value) => self.push(value.to_ne_bytes()),
            Basic::Int64(value) => self.push(value.to_ne_bytes()),
            Basic::Uint64(value) => self.push(value.to_ne_bytes()),
            Basic::Double(value) => self.push(value.to_ne_bytes()),
            Basic::UnixFd(index) => self.push_descriptor(index),
            Basic::String(_) | Basic::ObjectPath(_) | Basic::Signature(_) => Ok(()),
        }?;
        self.take(&Form::one(code));
        Ok(())
    }

    fn push_descriptor(&mut self, index: u32) -> Result<()> {
        let count = self.header.descriptors();
        if index > count {
            return Err(Error::Invalid);
        }
        self.push(index.to_ne_bytes())?;
        if index == count {
            self.header.count_descriptor();
        }
        Ok(())
    }

    /// Appends a string, an object path or a signature.
    ///
    /// # Errors
    /// As [`Builder::append_basic`]; [`Error::Invalid`] also if `code` is none of these types.
    pub fn append_text(&mut self, code: u8, text: &[u8]) -> Result<()> {
        let is_code = matches!(code, types::STRING | types::OBJECT_PATH | types::SIGNATURE);
        if !is_code || text.contains(&0) {
            return Err(Error::Invalid);
        }
        self.append_checked(code, text)
    }

    /// Appends a text without NUL.
    fn append_checked(&mut self, code: u8, text: &[u8]) -> Result<()> {
        self.place(&Form::one(code))?;
        if !wire::is_text(code, text) {
            return Err(Error::Invalid);
        }
        self.begin_text(code, text.len())?;
        self.body.extend_from_slice(text);
        self.body.push(0);
        self.take(&Form::one(code));
        Ok(())
    }

    /// Appends a string of this length, zeroes, and gives the place for it. The caller fills in UTF-8 without NUL.
    ///
    /// # Errors
    /// As [`Builder::append_basic`].
    pub fn append_string_space(&mut self, length: usize) -> Result<&mut [u8]> {
        self.place(&Form::one(types::STRING))?;
        self.begin_text(types::STRING, length)?;
        let begin = self.body.len();
        self.body.resize(begin + length + 1, 0);
        self.take(&Form::one(types::STRING));
        Ok(self.body.get_mut(begin..begin + length).unwrap_or_default())
    }

    /// Appends an array of values of fixed size, which are copied as they lie in memory.
    ///
    /// # Errors
    /// As [`Builder::append_basic`]; [`Error::Invalid`] also if not all bytes are values of this type, or these are not whole.
    pub fn append_array(&mut self, code: u8, values: &[u8]) -> Result<()> {
        self.begin_array(code, values.len())?;
        self.body.extend_from_slice(values);
        Ok(())
    }

    /// Appends an array of values of fixed size, zeroes, and gives the place for it.
    ///
    /// # Errors
    /// As [`Builder::append_array`].
    pub fn append_array_space(&mut self, code: u8, length: usize) -> Result<&mut [u8]> {
        self.begin_array(code, length)?;
        let begin = self.body.len();
        self.body.resize(begin + length, 0);
        Ok(self.body.get_mut(begin..).unwrap_or_default())
    }

    /// Makes a message of it, under this number, which is not 0 if it is to be sent. Nothing can be changed after that.
    ///
    /// # Errors
    /// [`Error::NotPermitted`]: it is sealed; [`Error::Malformed`]: a container is open; [`Error::NoMemory`]: it is too long.
    pub fn seal(&mut self, serial: u32) -> Result<Message> {
        let mut message = Message::default();
        self.seal_to(serial, &mut message)?;
        Ok(message)
    }

    /// The same, of one that is none yet.
    ///
    /// # Errors
    /// As [`Builder::seal`].
    pub fn seal_to(&mut self, serial: u32, message: &mut Message) -> Result<()> {
        self.unsealed()?;
        if !self.open.is_empty() {
            return Err(Error::Malformed);
        }
        // Its header may still become longer by the types and the number of descriptors.
        if self.header.length() + 300 + self.body.len() > MAX_LENGTH {
            return Err(Error::NoMemory);
        }
        if !self.signature.is_empty() {
            self.header.set(Field::Signature, &self.signature)?;
        }
        self.header.finish(serial, self.body.len() as u32);
        self.sealed = true;
        let mut body = std::mem::take(&mut self.body);
        if !self.sensitive && self.header.take_in(&body) {
            body = Vec::new();
        }
        message.put(&mut self.header, body);
        Ok(())
    }

    /// Has nothing of the body left behind when it is moved to more memory. What is given up at last is for [`Builder::erase`].
    pub fn set_sensitive(&mut self) {
        self.sensitive = true;
    }

    /// Whether it was said to be.
    pub fn is_sensitive(&self) -> bool {
        self.sensitive
    }

    /// Overwrites what was said and appended so far with zeroes. What the memory was moved from, when there came to be more of
    /// it, is not, unless it was sensitive by then.
    pub fn erase(&mut self) {
        self.header.erase();
        erase(&mut self.body);
        self.sealed = true;
    }

    pub(super) fn unsealed(&self) -> Result<()> {
        if self.sealed {
            Err(Error::NotPermitted)
        } else {
            Ok(())
        }
    }

    /// Sees that there is memory for so many bytes more, and that they may be.
    #[inline]
    pub(super) fn reserve(&mut self, count: usize) -> Result<()> {
        let capacity = self.body.capacity();
        if count <= capacity - self.body.len() && capacity <= MAX_LENGTH {
            return Ok(());
        }
        self.reserve_more(count)
    }

    #[cold]
    fn reserve_more(&mut self, count: usize) -> Result<()> {
        if count > MAX_LENGTH - self.body.len().min(MAX_LENGTH) {
            return Err(Error::NoMemory);
        }
        // Most bodies are small, and some values are enough to fill this.
        let count = if self.body.capacity() == 0 {
            count.max(256)
        } else {
            count
        };
        if self.sensitive && self.body.capacity() - self.body.len() < count {
            return self.move_to_more(count);
        }
        // Room that is not written to costs nothing. glibc gives back what is free above twice the largest block that it has
        // had to map (mallopt(3), M_TRIM_THRESHOLD): who sends and receives large messages would lose the memory of each,
        // and pay for every page of the next.
        if count > LARGE
            && count > self.body.capacity() - self.body.len()
            && self.body.try_reserve_exact(2 * count).is_ok()
        {
            return Ok(());
        }
        self.body.try_reserve(count).map_err(|_| Error::NoMemory)
    }

    /// The same, and erases what was there.
    fn move_to_more(&mut self, count: usize) -> Result<()> {
        let mut more = Vec::new();
        let length = (self.body.len() + count).max(2 * self.body.capacity());
        more.try_reserve(length).map_err(|_| Error::NoMemory)?;
        more.extend_from_slice(&self.body);
        erase(&mut self.body);
        self.body = more;
        Ok(())
    }

    /// Pads, within the eight bytes more that were reserved.
    pub(super) fn pad(&mut self, alignment: usize) {
        wire::write_padding(&mut self.body, alignment);
    }

    fn push<const N: usize>(&mut self, value: [u8; N]) -> Result<()> {
        self.reserve(8 + N)?;
        self.pad(N);
        self.body.extend_from_slice(&value);
        Ok(())
    }

    /// Writes the length of a text, and reserves for all of it.
    fn begin_text(&mut self, code: u8, length: usize) -> Result<()> {
        self.reserve(length.saturating_add(16))?;
        if code == types::SIGNATURE {
            self.body.push(length as u8);
        } else {
            self.pad(4);
            self.body.extend_from_slice(&(length as u32).to_ne_bytes());
        }
        Ok(())
    }

    /// Writes the length of an array of values of fixed size, and reserves for all of it.
    fn begin_array(&mut self, code: u8, length: usize) -> Result<()> {
        let size = types::fixed_size(code).filter(|_| types::is_plain(code));
        if !size.is_some_and(|size| length.is_multiple_of(size)) {
            return Err(Error::Invalid);
        }
        self.place(&Form::array(&[code]))?;
        if length > MAX_ARRAY_LENGTH {
            return Err(Error::NoMemory);
        }
        self.reserve(length.saturating_add(24))?;
        self.pad(4);
        self.body.extend_from_slice(&(length as u32).to_ne_bytes());
        self.pad(types::alignment(code));
        self.take(&Form::array(&[code]));
        Ok(())
    }
}
