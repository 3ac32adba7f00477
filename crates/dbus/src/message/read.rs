//! Values that a cursor comes to.

use crate::{
    error::{Error, Result},
    message::{Basic, Cursor, Message, walk, wire},
    signature, types,
};

impl Cursor {
    /// Reads a value of a basic type; nothing at the end of an array.
    ///
    /// # Errors
    /// [`Error::Invalid`]: it is no such type; [`Error::Mismatch`]: another type or nothing comes next; [`Error::Malformed`]:
    /// the bytes are no such value.
    pub fn read_basic<'m>(&mut self, message: &'m Message, code: u8) -> Result<Option<Basic<'m>>> {
        if !types::is_basic(code) {
            return Err(Error::Invalid);
        }
        let Some(next) = self.next(message)? else {
            return Ok(None);
        };
        if next.first() != Some(&code) {
            return Err(Error::Mismatch);
        }
        let (bytes, at) = (self.bytes(message), self.position);
        let (value, end) = match code {
            types::BYTE => {
                let (value, end) = wire::fixed(bytes, at)?;
                (Basic::Byte(u8::from_ne_bytes(value)), end)
            }
            types::INT16 => {
                let (value, end) = wire::fixed(bytes, at)?;
                (Basic::Int16(i16::from_ne_bytes(value)), end)
            }
            types::UINT16 => {
                let (value, end) = wire::fixed(bytes, at)?;
                (Basic::Uint16(u16::from_ne_bytes(value)), end)
            }
            types::INT32 => {
                let (value, end) = wire::fixed(bytes, at)?;
                (Basic::Int32(i32::from_ne_bytes(value)), end)
            }
            types::UINT32 => {
                let (value, end) = wire::u32(bytes, at)?;
                (Basic::Uint32(value), end)
            }
            types::INT64 => {
                let (value, end) = wire::fixed(bytes, at)?;
                (Basic::Int64(i64::from_ne_bytes(value)), end)
            }
            types::UINT64 => {
                let (value, end) = wire::fixed(bytes, at)?;
                (Basic::Uint64(u64::from_ne_bytes(value)), end)
            }
            types::DOUBLE => {
                let (value, end) = wire::fixed(bytes, at)?;
                (Basic::Double(f64::from_ne_bytes(value)), end)
            }
            types::BOOLEAN => {
                let (value, end) = wire::boolean(bytes, at)?;
                (Basic::Boolean(value), end)
            }
            types::UNIX_FD => match wire::u32(bytes, at)? {
                (index, end) if index < message.header().descriptors() => {
                    (Basic::UnixFd(index), end)
                }
                _ => return Err(Error::Malformed),
            },
            _ => {
                let (text, end) = wire::text(bytes, at, code)?;
                let value = match code {
                    types::OBJECT_PATH => Basic::ObjectPath(text),
                    types::SIGNATURE => Basic::Signature(text),
                    _ => Basic::String(text),
                };
                (value, end)
            }
        };
        self.advance(1, end);
        Ok(Some(value))
    }

    /// Reads an array of values of fixed size, as they lie in the message; nothing at the end of an array around it.
    ///
    /// # Errors
    /// As [`Cursor::read_basic`]; [`Error::Invalid`] also for descriptors.
    pub fn read_array<'m>(&mut self, message: &'m Message, code: u8) -> Result<Option<&'m [u8]>> {
        if !types::is_plain(code) && code != types::BOOLEAN {
            return Err(Error::Invalid);
        }
        let Some(next) = self.next(message)? else {
            return Ok(None);
        };
        if !next.starts_with(&[types::ARRAY, code]) {
            return Err(Error::Mismatch);
        }
        let bytes = self.bytes(message);
        let (begin, end) = wire::array(bytes, self.position, &[code])?;
        if code == types::BOOLEAN {
            walk::value(
                bytes,
                self.position,
                &[types::ARRAY, code],
                &message.limits(),
            )?;
        }
        self.advance(2, end);
        Ok(bytes.get(begin..end))
    }

    /// Reads over values of these types, or over the next one, whatever it is. False if there is nothing to read over, as at
    /// the end of an array.
    ///
    /// # Errors
    /// [`Error::Invalid`]: these are no types; [`Error::Mismatch`]: others or none come next; [`Error::Malformed`]: the bytes
    /// are no such values.
    pub fn skip(&mut self, message: &Message, types: Option<&[u8]>) -> Result<bool> {
        let before = (self.inner, self.position);
        let skipped = self.try_skip(message, types);
        if skipped.is_err() {
            (self.inner, self.position) = before;
        }
        skipped
    }

    fn try_skip(&mut self, message: &Message, types: Option<&[u8]>) -> Result<bool> {
        let Some(mut types) = types else {
            return self.skip_one(message, None);
        };
        if !signature::is_valid(types) && !signature::is_element(types) {
            return Err(Error::Invalid);
        }
        let mut any = false;
        while !types.is_empty() {
            let length = signature::first_element(types).unwrap_or(types.len());
            let (first, rest) = types.split_at_checked(length).ok_or(Error::Invalid)?;
            if !self.skip_one(message, Some(first))? {
                return if any { Err(Error::Mismatch) } else { Ok(false) };
            }
            any = true;
            types = rest;
        }
        Ok(any)
    }

    fn skip_one(&mut self, message: &Message, wanted: Option<&[u8]>) -> Result<bool> {
        let Some(next) = self.next(message)? else {
            return Ok(false);
        };
        let length = match wanted {
            Some(wanted) if signature::begins(next, wanted) => wanted.len(),
            Some(_) => return Err(Error::Mismatch),
            None => signature::first_of_valid(next),
        };
        let next = next.get(..length).unwrap_or_default();
        let mut limits = message.limits();
        limits.depth = limits.depth.saturating_sub(self.depth());
        let end = walk::value(self.bytes(message), self.position, next, &limits)?;
        self.advance(length, end);
        Ok(true)
    }
}
