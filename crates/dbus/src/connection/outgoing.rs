//! Messages to be sent, until all their bytes are.

use std::{collections::VecDeque, io::IoSlice};

use crate::{
    connection::MAX_QUEUE,
    error::{Error, Result},
    message::Message,
};

/// The sending side of a connection. A message is something that holds one, and its descriptors.
#[derive(Debug)]
pub struct Outgoing<M> {
    queue: VecDeque<M>,
    /// What of the first one was sent.
    sent: usize,
}

impl<M> Default for Outgoing<M> {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            sent: 0,
        }
    }
}

impl<M: AsRef<Message>> Outgoing<M> {
    /// Adds a message behind all others.
    ///
    /// # Errors
    /// [`Error::Full`]: there are too many.
    pub fn push(&mut self, message: M) -> Result<()> {
        if self.queue.len() >= MAX_QUEUE {
            return Err(Error::Full);
        }
        self.queue.push_back(message);
        Ok(())
    }

    /// How many messages there are, with one that was sent in part.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether all was sent.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The message to be sent next, and how much of it was. Its descriptors go with its first byte, and never with another.
    pub fn front(&self) -> Option<(&M, usize)> {
        self.queue.front().map(|message| (message, self.sent))
    }

    /// All there is to be sent, if that is the rest of one message in one piece.
    pub fn piece(&self) -> Option<&[u8]> {
        let message = self.queue.front().filter(|_| self.queue.len() == 1)?;
        match message.as_ref().rest(self.sent) {
            [piece, []] => Some(piece),
            _ => None,
        }
    }

    /// What may go into one call of `sendmsg(2)` together: the rest of the first message, and what follows it up to a message
    /// with descriptors. Gives how many slices that are.
    pub fn gather<'m>(&'m self, slices: &mut [IoSlice<'m>]) -> usize {
        let mut places = slices.iter_mut();
        let mut count = 0;
        for (index, message) in self.queue.iter().enumerate() {
            let message = message.as_ref();
            if index > 0 && message.header().descriptors() > 0 {
                break;
            }
            let sent = if index == 0 { self.sent } else { 0 };
            for part in message.rest(sent) {
                if part.is_empty() {
                    continue;
                }
                let Some(place) = places.next() else {
                    return count;
                };
                *place = IoSlice::new(part);
                count += 1;
            }
        }
        count
    }

    /// So many bytes were sent. Gives one message after the other that is done.
    pub fn wrote(&mut self, count: usize) -> impl Iterator<Item = M> {
        self.sent += count;
        std::iter::from_fn(|| {
            let length = self.queue.front()?.as_ref().length();
            self.sent = self.sent.checked_sub(length)?;
            self.queue.pop_front()
        })
    }
}
