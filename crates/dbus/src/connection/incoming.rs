//! Bytes that were received, until they are messages.

use std::collections::VecDeque;

use crate::{
    connection::MAX_DESCRIPTORS,
    error::{Error, Result},
    message::{FIXED_LENGTH, Message, message_length},
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
    /// What of the buffer was received, from here to there.
    begin: usize,
    end: usize,
    descriptors: VecDeque<D>,
    /// Whether nothing of a message may stay here.
    leaves_nothing: bool,
}

impl<D> Default for Incoming<D> {
    fn default() -> Self {
        Self {
            buffer: Vec::new(),
            begin: 0,
            end: 0,
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
            end: received.len(),
            ..Self::default()
        }
    }

    /// Overwrites what was copied out of the buffer, now and from now on: a message had secrets, and its answer may.
    pub fn leave_nothing(&mut self) {
        self.leaves_nothing = true;
        let (begin, end) = (self.begin, self.end);
        let before = self.buffer.get_mut(..begin).unwrap_or_default();
        before.fill(0);
        let behind = self.buffer.get_mut(end..).unwrap_or_default();
        behind.fill(0);
        std::hint::black_box(&mut self.buffer);
    }

    /// Room for the next read, which is never empty.
    ///
    /// # Errors
    /// [`Error::Malformed`]: what was received begins no message; [`Error::NoMemory`].
    pub fn room(&mut self) -> Result<&mut [u8]> {
        let have = self.end - self.begin;
        let wanted = self.wanted()?.unwrap_or(FIXED_LENGTH);
        let length = if wanted > LARGE {
            // Nobody gets memory for saying that much will come.
            wanted.min((2 * have).max(LARGE))
        } else {
            wanted.max(PIECE)
        };
        if length > self.buffer.len() - self.begin {
            self.enlarge(length, have)?;
        }
        Ok(self.buffer.get_mut(self.end..).unwrap_or_default())
    }

    /// Moves what is there to the front of a buffer of this length.
    fn enlarge(&mut self, length: usize, have: usize) -> Result<()> {
        if length <= self.buffer.len() {
            self.buffer.copy_within(self.begin..self.end, 0);
        } else if length <= LARGE {
            // The system gives zeroes: they need not be written.
            let mut larger = vec![0; length];
            let there = self.buffer.get(self.begin..self.end).unwrap_or_default();
            if let Some(place) = larger.get_mut(..have) {
                place.copy_from_slice(there);
            }
            let mut before = std::mem::replace(&mut self.buffer, larger);
            if self.leaves_nothing {
                before.fill(0);
                std::hint::black_box(&mut before);
            }
        } else {
            self.buffer.drain(..self.begin);
            let more = length.saturating_sub(self.buffer.len());
            let reserved = self.buffer.try_reserve_exact(more);
            reserved.map_err(|_| Error::NoMemory)?;
            self.buffer.resize(length, 0);
        }
        (self.begin, self.end) = (0, have);
        Ok(())
    }

    /// So many bytes were read into the room, and these descriptors came with them.
    ///
    /// # Errors
    /// [`Error::Malformed`]: more descriptors than any message may have.
    pub fn received(
        &mut self,
        count: usize,
        descriptors: impl IntoIterator<Item = D>,
    ) -> Result<()> {
        self.end = self.buffer.len().min(self.end + count);
        for descriptor in descriptors {
            if self.descriptors.len() >= MAX_DESCRIPTORS {
                return Err(Error::Malformed);
            }
            self.descriptors.push_back(descriptor);
        }
        Ok(())
    }

    /// How long the message is that comes next, if enough of it is there to tell.
    fn wanted(&self) -> Result<Option<usize>> {
        let there = self.buffer.get(self.begin..self.end).unwrap_or_default();
        match there.first_chunk::<FIXED_LENGTH>() {
            Some(fixed) => message_length(fixed).map(Some),
            None => Ok(None),
        }
    }

    /// Whether [`Incoming::next_message`] has something to say before more is received.
    pub fn is_ready(&self) -> bool {
        let have = self.end - self.begin;
        match self.wanted() {
            Ok(wanted) => wanted.is_some_and(|length| length <= have),
            Err(_) => true,
        }
    }

    /// The next message and its descriptors; nothing if it is not there as a whole.
    ///
    /// # Errors
    /// [`Error::Malformed`]: what was received is no message, or came with other descriptors. The connection is no good
    /// any more.
    pub fn next_message(&mut self) -> Result<Option<(Message, Vec<D>)>> {
        let have = self.end - self.begin;
        let Some(length) = self.wanted()?.filter(|length| *length <= have) else {
            return Ok(None);
        };
        let bytes = if length == have && self.begin == 0 && length > SMALL {
            let mut bytes = std::mem::take(&mut self.buffer);
            bytes.truncate(length);
            if bytes.capacity() > 2 * length {
                bytes.shrink_to_fit();
            }
            self.end = 0;
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
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        }
        let message = Message::parse_counted(bytes)?;
        let count = message.header().descriptors() as usize;
        if count > self.descriptors.len() {
            return Err(Error::Malformed);
        }
        let descriptors = self.descriptors.drain(..count).collect();
        // What came with the last byte that was read belongs to what was read.
        if self.end == 0 && !self.descriptors.is_empty() {
            return Err(Error::Malformed);
        }
        Ok(Some((message, descriptors)))
    }

    /// Whether a message was begun: the peer must not hang up here.
    pub fn is_partial(&self) -> bool {
        self.end > self.begin
    }
}
