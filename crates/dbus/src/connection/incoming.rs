//! Bytes that were received, until they are messages.

use std::{collections::VecDeque, mem::MaybeUninit};

use crate::{
    connection::MAX_DESCRIPTORS,
    error::{Error, Result},
    message::{FIXED_LENGTH, Message, erase, message_length},
};

/// What is read at a time, when nothing is known of what comes.
const PIECE: usize = 4096;
/// A message longer than this is not copied out of the buffer, but takes it.
const SMALL: usize = 1024;
/// Up to this length there is room for all of a message as soon as its header says so; for more, as it comes.
const LARGE: usize = 1 << 20;

/// The receiving side of a connection, with descriptors as `D`.
///
/// Descriptors belong to the message whose bytes they came with (`unix(7)`): messages take as many as they say, in order.
#[derive(Debug)]
pub struct Incoming<D> {
    buffer: Vec<u8>,
    /// Where in it begins what is no message yet.
    begin: usize,
    descriptors: VecDeque<D>,
    /// Whether nothing of a message may stay here.
    leaves_nothing: bool,
}

impl<D> Default for Incoming<D> {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            begin: 0,
            descriptors: VecDeque::new(),
            leaves_nothing: false,
        }
    }
}

impl<D> Incoming<D> {
    /// Begins with what was received with the last bytes of authentication.
    pub fn new(received: &[u8]) -> Self {
        Self {
            buffer: received.to_vec(),
            ..Self::default()
        }
    }

    /// Overwrites what was copied out of the buffer, now and from now on: a message had secrets, and its answer may.
    pub fn leave_nothing(&mut self) {
        self.leaves_nothing = true;
        let before = self.buffer.get_mut(..self.begin).unwrap_or_default();
        before.fill(0);
        let behind = self.buffer.spare_capacity_mut();
        behind.fill(MaybeUninit::new(0));
        std::hint::black_box(&mut self.buffer);
    }

    /// The next read goes behind what is here, and takes no more than there is room for, which is some. Memory that is only
    /// room was not written to: a large message would pay for that.
    ///
    /// # Errors
    /// [`Error::Malformed`]: what was received begins no message; [`Error::NoMemory`].
    pub fn room(&mut self) -> Result<&mut Vec<u8>> {
        let wanted = self.wanted()?.unwrap_or(FIXED_LENGTH);
        let length = if wanted > LARGE {
            // Nobody gets memory for saying that much will come.
            wanted.min((2 * self.have()).max(LARGE))
        } else {
            wanted.max(PIECE)
        };
        if length > self.buffer.capacity() - self.begin {
            self.enlarge(length)?;
        }
        Ok(&mut self.buffer)
    }

    /// Moves what is there to the front of a buffer of this length.
    fn enlarge(&mut self, length: usize) -> Result<()> {
        if self.leaves_nothing {
            let mut larger = Vec::new();
            let reserved = larger.try_reserve_exact(length);
            reserved.map_err(|_| Error::NoMemory)?;
            larger.extend_from_slice(self.there());
            erase(&mut std::mem::replace(&mut self.buffer, larger));
        } else {
            self.buffer.drain(..self.begin);
            let more = length.saturating_sub(self.buffer.len());
            let reserved = self.buffer.try_reserve_exact(more);
            reserved.map_err(|_| Error::NoMemory)?;
        }
        self.begin = 0;
        Ok(())
    }

    /// These descriptors came with what was read last.
    ///
    /// # Errors
    /// [`Error::Malformed`]: more than any message may have.
    pub fn received(&mut self, descriptors: impl IntoIterator<Item = D>) -> Result<()> {
        for descriptor in descriptors {
            if self.descriptors.len() >= MAX_DESCRIPTORS {
                return Err(Error::Malformed);
            }
            self.descriptors.push_back(descriptor);
        }
        Ok(())
    }

    /// What is no message yet.
    fn there(&self) -> &[u8] {
        self.buffer.get(self.begin..).unwrap_or_default()
    }

    fn have(&self) -> usize {
        self.buffer.len() - self.begin
    }

    /// How long the message is that comes next, if enough of it is there to tell.
    fn wanted(&self) -> Result<Option<usize>> {
        match self.there().first_chunk::<FIXED_LENGTH>() {
            Some(fixed) => message_length(fixed).map(Some),
            None => Ok(None),
        }
    }

    /// Whether [`Incoming::next_message`] has something to say before more is received.
    pub fn is_ready(&self) -> bool {
        match self.wanted() {
            Ok(wanted) => wanted.is_some_and(|length| length <= self.have()),
            Err(_) => true,
        }
    }

    /// The next message and its descriptors; nothing if it is not there as a whole.
    ///
    /// # Errors
    /// [`Error::Malformed`]: what was received is no message, or came with other descriptors. The connection is no good
    /// any more.
    pub fn next_message(&mut self) -> Result<Option<(Message, Vec<D>)>> {
        let mut message = Message::default();
        let descriptors = self.next_message_to(&mut message)?;
        Ok(descriptors.map(|descriptors| (message, descriptors)))
    }

    /// The same, to one that is none yet.
    ///
    /// # Errors
    /// As [`Incoming::next_message`].
    pub fn next_message_to(&mut self, message: &mut Message) -> Result<Option<Vec<D>>> {
        let have = self.have();
        let Some(length) = self.wanted()?.filter(|length| *length <= have) else {
            return Ok(None);
        };
        let bytes = if length == have && self.begin == 0 && length > SMALL {
            let mut bytes = std::mem::take(&mut self.buffer);
            if bytes.capacity() > 2 * length {
                bytes.shrink_to_fit();
            }
            bytes
        } else {
            let there = self.buffer.get(self.begin..self.begin + length);
            let bytes = there.unwrap_or_default().to_vec();
            self.begin += length;
            if self.leaves_nothing {
                self.leave_nothing();
            }
            bytes
        };
        if self.have() == 0 {
            self.buffer.clear();
            self.begin = 0;
        }
        message.read(bytes)?;
        let count = message.header().descriptors() as usize;
        if count > self.descriptors.len() {
            return Err(Error::Malformed);
        }
        // Few have any.
        let descriptors = match count {
            0 => Vec::new(),
            _ => self.descriptors.drain(..count).collect(),
        };
        // What came with the last byte that was read belongs to what was read.
        if self.have() == 0 && !self.descriptors.is_empty() {
            return Err(Error::Malformed);
        }
        Ok(Some(descriptors))
    }

    /// Whether a message was begun: the peer must not hang up here.
    pub fn is_partial(&self) -> bool {
        self.have() > 0
    }
}
