//! Messages received, read as they come (D-Bus specification, "Message Format").

use unix_call::{Fault, Reader};

const METHOD_RETURN: u8 = 2;
const ERROR: u8 = 3;

/// What kind of message it is, as far as a caller cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Return { to: u32 },
    Error { to: u32 },
    Other,
}

/// A text of the header: its first bytes, which equal no known text if there are more.
pub(crate) type Short = ([u8; 80], usize);

/// What the header says.
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) error_name: Short,
    pub(crate) signature: Short,
}

/// A message that is being read: first its header, then its body.
pub struct Message<'m, 's> {
    reader: &'m mut Reader<'s>,
    big_endian: bool,
    /// Bytes read, from the start of the message.
    position: u32,
    /// Nothing is read beyond this.
    end: u32,
}

impl<'m, 's> Message<'m, 's> {
    /// Reads the header of the next message. What can be read then is its body.
    pub(crate) fn open(reader: &'m mut Reader<'s>) -> Result<(Self, Header), Fault> {
        let mut message = Self {
            reader,
            big_endian: false,
            position: 0,
            end: 16,
        };
        message.big_endian = match message.u8()? {
            b'l' => false,
            b'B' => true,
            _ => return Err(Fault::Protocol),
        };
        let kind = message.u8()?;
        message.u8()?;
        if message.u8()? != 1 {
            return Err(Fault::Protocol);
        }
        let body_length = message.u32()?;
        if message.u32()? == 0 {
            return Err(Fault::Protocol);
        }
        let fields_length = message.u32()?;
        let mut header = Header {
            kind: Kind::Other,
            error_name: ([0; 80], 0),
            signature: ([0; 80], 0),
        };
        message.end = message
            .position
            .checked_add(fields_length)
            .ok_or(Fault::TooBig)?;
        let mut reply_to = None;
        while message.position < message.end {
            message.field(&mut header, &mut reply_to)?;
        }
        message.end = message.end.checked_add(7).ok_or(Fault::TooBig)?;
        message.align(8)?;
        message.end = message
            .position
            .checked_add(body_length)
            .ok_or(Fault::TooBig)?;
        header.kind = match (kind, reply_to) {
            (METHOD_RETURN, Some(to)) => Kind::Return { to },
            (ERROR, Some(to)) => Kind::Error { to },
            (0 | METHOD_RETURN | ERROR, _) => return Err(Fault::Protocol),
            _ => Kind::Other,
        };
        Ok((message, header))
    }

    fn field(&mut self, header: &mut Header, reply_to: &mut Option<u32>) -> Result<(), Fault> {
        self.align(8)?;
        let code = self.u8()?;
        let [length, kind, nul] = [self.u8()?, self.u8()?, self.u8()?];
        // Every field there is has a basic type; one of a newer specification need not, but no bus
        // sends such to who has not asked for it.
        if (length, nul) != (1, 0) {
            return Err(Fault::Protocol);
        }
        match (code, kind) {
            (4, b's') => header.error_name = self.text(4)?,
            (5, b'u') => *reply_to = Some(self.u32()?),
            (8, b'g') => header.signature = self.text(1)?,
            (1..=8, b's' | b'o' | b'u' | b'g') | (9.., _) => self.skip_basic(kind)?,
            _ => return Err(Fault::Protocol),
        }
        Ok(())
    }

    fn skip_basic(&mut self, kind: u8) -> Result<(), Fault> {
        match kind {
            b's' | b'o' => self.text(4).map(drop),
            b'g' => self.text(1).map(drop),
            b'y' => self.u8().map(drop),
            b'n' | b'q' => self.skip(2),
            b'i' | b'u' | b'b' | b'h' => self.skip(4),
            b'x' | b't' | b'd' => self.skip(8),
            _ => Err(Fault::Protocol),
        }
    }

    fn skip(&mut self, size: u32) -> Result<(), Fault> {
        self.align(size)?;
        for _ in 0..size {
            self.u8()?;
        }
        Ok(())
    }

    /// A text with a length of `size` bytes before it and a NUL after it.
    fn text(&mut self, size: u32) -> Result<Short, Fault> {
        let length = if size == 4 {
            self.u32()?
        } else {
            u32::from(self.u8()?)
        };
        let mut short = ([0; 80], 0);
        for _ in 0..length {
            let byte = self.u8()?;
            if byte == 0 {
                return Err(Fault::Protocol);
            }
            if let Some(place) = short.0.get_mut(short.1) {
                *place = byte;
                short.1 += 1;
            }
        }
        if self.u8()? != 0 {
            return Err(Fault::Protocol);
        }
        Ok(short)
    }

    /// Reads over what is left of the body.
    pub(crate) fn close(mut self) -> Result<(), Fault> {
        while self.position < self.end {
            self.u8()?;
        }
        Ok(())
    }

    /// Reads over the padding before a value of this alignment.
    ///
    /// # Errors
    /// [`Fault::Protocol`] if it is not zero, or beyond the end of the message.
    pub fn align(&mut self, alignment: u32) -> Result<(), Fault> {
        while !self.position.is_multiple_of(alignment) {
            if self.u8()? != 0 {
                return Err(Fault::Protocol);
            }
        }
        Ok(())
    }

    /// A `y`.
    ///
    /// # Errors
    /// [`Fault::Protocol`] at the end of the message; what the source says.
    pub fn u8(&mut self) -> Result<u8, Fault> {
        if self.position >= self.end {
            return Err(Fault::Protocol);
        }
        self.position += 1;
        self.reader.byte()
    }

    /// A `u`, with its padding.
    ///
    /// # Errors
    /// As [`Message::u8`] and [`Message::align`].
    pub fn u32(&mut self) -> Result<u32, Fault> {
        self.align(4)?;
        let bytes = [self.u8()?, self.u8()?, self.u8()?, self.u8()?];
        Ok(if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    /// Opens an array of elements of this alignment: calls `element` until the array ends, which
    /// must be where an element does. An element that reads nothing is a fault.
    ///
    /// # Errors
    /// As [`Message::u32`], and what `element` says.
    pub fn array(
        &mut self,
        alignment: u32,
        element: &mut dyn FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let length = self.u32()?;
        self.align(alignment)?;
        let end = self.position.checked_add(length).ok_or(Fault::Protocol)?;
        if end > self.end {
            return Err(Fault::Protocol);
        }
        while self.position < end {
            let before = self.position;
            self.align(alignment)?;
            element(self)?;
            if self.position == before || self.position > end {
                return Err(Fault::Protocol);
            }
        }
        Ok(())
    }
}
