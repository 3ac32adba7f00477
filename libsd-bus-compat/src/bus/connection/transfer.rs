//! Messages on their way: from the queue to the socket, and from the socket to those that were received.

use std::io::IoSlice;
use std::os::fd::OwnedFd;

use super::Connection;
use crate::bus::errno;
use crate::bus::message::Sealed;
use crate::bus::socket::Socket;
use crate::{Errno, Result};

/// How many slices of memory one call of sendmsg(2) takes.
const GATHER: usize = 32;

impl Connection {
    /// Writes as much as goes. Whether anything did.
    pub fn write(&mut self) -> Result<bool> {
        let mut any = false;
        while let Some((first, sent)) = self.outgoing.front() {
            let socket = self.socket.as_ref().ok_or(Errno::NOTCONN)?;
            let descriptors = match sent {
                0 => first.descriptors(),
                _ => &[],
            };
            let (given, sent) = match self.outgoing.piece() {
                Some(piece) => {
                    let sent = socket.send(&[IoSlice::new(piece)], descriptors)?;
                    (piece.len(), sent)
                }
                None => self.write_together(socket, descriptors)?,
            };
            any |= sent > 0;
            self.outgoing.wrote(sent).for_each(drop);
            if sent < given {
                return Ok(any); // it is full
            }
        }
        Ok(any)
    }

    /// Writes messages at once, as many as go together. How many bytes these have, and how many went.
    #[inline(never)]
    fn write_together(&self, socket: &Socket, descriptors: &[OwnedFd]) -> Result<(usize, usize)> {
        let mut slices = [IoSlice::new(&[]); GATHER];
        let count = self.outgoing.gather(&mut slices);
        let slices = slices.get(..count).unwrap_or_default();
        let given = slices.iter().map(|slice| slice.len()).sum();
        Ok((given, socket.send(slices, descriptors)?))
    }

    /// Reads as much as is there at once. Whether a message came of it.
    pub(super) fn read(&mut self) -> Result<bool> {
        loop {
            if let Some(message) = Sealed::next(&mut self.incoming).map_err(errno)? {
                self.take_in(message)?;
                return Ok(true);
            }
            let socket = self.socket.as_ref().ok_or(Errno::NOTCONN)?;
            let room = self.incoming.room().map_err(errno)?;
            let Some(descriptors) = socket.receive(room)? else {
                return Ok(false);
            };
            self.incoming.received(descriptors).map_err(errno)?;
        }
    }

    pub(super) fn take_in(&mut self, message: Sealed) -> Result<()> {
        if self.received.len() >= dbus::connection::MAX_QUEUE {
            return Err(Errno::NOBUFS);
        }
        self.received.push_back(message);
        Ok(())
    }

    /// Puts a message among those that were received, behind the others.
    ///
    /// # Errors
    /// ENOTCONN; ENOBUFS if there are too many.
    pub fn enqueue(&mut self, message: Sealed) -> Result<()> {
        self.check_open()?;
        self.take_in(message)
    }

    /// Leaves nothing of messages in the buffer that they were read to, from now on.
    pub fn leave_nothing(&mut self) {
        self.incoming.leave_nothing();
    }
}
