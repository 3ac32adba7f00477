//! Messages (D-Bus specification, "Message Protocol"): [`Builder`] writes one, [`Message`] is one that is complete, and
//! [`Cursor`] reads its body.
//!
//! What is read are slices of the message itself. Texts are [`CStr`](std::ffi::CStr): on the wire a NUL follows each.

mod basic;
mod builder;
mod container;
mod cursor;
mod header;
mod kind;
mod read;
mod swap;
mod types;
mod walk;
mod wire;

pub use basic::Basic;
pub use builder::Builder;
pub use cursor::Cursor;
pub use header::{FIXED_LENGTH, Field, Header, message_length};
pub use kind::{ALLOW_INTERACTIVE_AUTHORIZATION, Kind, NO_AUTO_START, NO_REPLY_EXPECTED};

use crate::error::{Error, Result};

/// The longest message, in bytes.
pub const MAX_LENGTH: usize = 128 << 20;
/// The longest array, in bytes.
pub const MAX_ARRAY_LENGTH: usize = 64 << 20;
/// How deep containers go within each other, variants among them. The specification has 64.
pub const MAX_DEPTH: usize = 128;

/// A complete message in this machine's byte order: one that was sealed, or received. It does not change any more. By default,
/// none yet: that is for what is received to be read to, where it stays, since moving it takes as long as much of the reading.
#[derive(Clone, Debug, Default)]
pub struct Message {
    header: Header,
    /// Of one that was built, if it is large. What was received is in one piece, with the header.
    body: Vec<u8>,
}

impl Message {
    /// A message that was received with so many descriptors. Its header is looked at as a whole, its body when it is read.
    /// One in the other byte order is turned into ours.
    ///
    /// # Errors
    /// [`Error::Malformed`]: it is none, or its number of descriptors is another.
    pub fn parse(bytes: Vec<u8>, descriptors: u32) -> Result<Self> {
        let mut message = Self::default();
        message.read(bytes)?;
        if message.header.descriptors() != descriptors {
            return Err(Error::Malformed);
        }
        Ok(message)
    }

    /// Becomes a message whose descriptors are counted by the caller. After an error it is none.
    pub(crate) fn read(&mut self, mut bytes: Vec<u8>) -> Result<()> {
        if message_length(&bytes)? != bytes.len() {
            return Err(Error::Malformed);
        }
        let swapped = bytes.first() != Some(&wire::NATIVE);
        if swapped {
            swap::header(&mut bytes)?;
        }
        self.header.read(bytes)?;
        if swapped {
            self.header.swap_body()?;
        }
        Ok(())
    }

    /// Becomes what was built.
    fn put(&mut self, header: &mut Header, body: Vec<u8>) {
        self.header = header.take();
        self.body = body;
    }

    /// What stands before the body.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The bytes of the header, with the padding behind it. To send a message is to send these and [`Message::body`].
    pub fn head(&self) -> &[u8] {
        self.header.bytes()
    }

    /// The bytes of the body.
    pub fn body(&self) -> &[u8] {
        match self.header.body() {
            [] => &self.body,
            body => body,
        }
    }

    /// How long it is, in bytes.
    pub fn length(&self) -> usize {
        self.head().len() + self.body().len()
    }

    /// What is behind so many of its bytes: up to two pieces, as they lie in memory.
    pub fn rest(&self, sent: usize) -> [&[u8]; 2] {
        let (head, body) = (self.header.piece(), self.body.as_slice());
        let in_body = sent.saturating_sub(head.len());
        [head.get(sent..), body.get(in_body..)].map(Option::unwrap_or_default)
    }

    /// The types of the body.
    pub fn signature(&self) -> &[u8] {
        self.header.bytes_of(Field::Signature).unwrap_or_default()
    }

    /// A cursor at its beginning.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self)
    }

    /// Reads all of the body, once.
    ///
    /// # Errors
    /// [`Error::Malformed`]: a reader would come to something that is no D-Bus, or there is more than the signature says.
    pub fn check(&self) -> Result<()> {
        let end = walk::sequence(self.body(), 0, self.signature(), &self.limits())?;
        (end == self.body().len())
            .then_some(())
            .ok_or(Error::Malformed)
    }

    /// Overwrites what it says with zeroes, for messages with secrets (`sd_bus_message_sensitive`). It says nothing after that.
    pub fn erase(&mut self) {
        self.header.erase();
        erase(&mut self.body);
    }

    fn limits(&self) -> walk::Limits {
        walk::Limits {
            depth: MAX_DEPTH,
            descriptors: self.header.descriptors(),
        }
    }
}

/// Overwrites these bytes, and lets nobody think that they are not needed any more.
pub(crate) fn erase(bytes: &mut Vec<u8>) {
    bytes.fill(0);
    std::hint::black_box(&mut *bytes).clear();
}

impl AsRef<Message> for Message {
    fn as_ref(&self) -> &Message {
        self
    }
}

#[cfg(test)]
mod tests;
