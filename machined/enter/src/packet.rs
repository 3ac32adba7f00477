//! How a message is laid out: numbers in little endian, strings of bytes behind their length. Both ends come from one build.

use rustix::io::Errno;

use crate::fault::Fault;

/// A message is at most this long. It fits the send buffer that a socket has by default (net.core.wmem_default).
pub const LIMIT: usize = 192 * 1024;

/// A message in the making.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Adds a number.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds a number.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds a string of bytes.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        // What is longer than a u32 can say is longer than LIMIT too, and refused by `finish`.
        self.u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(value);
        self
    }

    /// Adds a list of strings.
    pub fn list<T: AsRef<[u8]>>(&mut self, values: &[T]) -> &mut Self {
        self.u32(u32::try_from(values.len()).unwrap_or(u32::MAX));
        for value in values {
            self.bytes(value.as_ref());
        }
        self
    }

    /// The message.
    ///
    /// # Errors
    /// E2BIG if it is longer than [`LIMIT`].
    pub fn finish(self) -> Result<Vec<u8>, Fault> {
        if self.0.len() > LIMIT {
            return Err(Fault::new("The request is too long", Errno::TOOBIG));
        }
        Ok(self.0)
    }
}

/// A message being read.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Begins to read.
    pub fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (head, tail) = self.0.split_at_checked(length).ok_or_else(malformed)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next number.
    ///
    /// # Errors
    /// EBADMSG where the message is at its end.
    pub fn u32(&mut self) -> Result<u32, Fault> {
        let bytes = self.take(4)?.try_into().map_err(|_| malformed())?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// The next number.
    ///
    /// # Errors
    /// EBADMSG where the message is at its end.
    pub fn u64(&mut self) -> Result<u64, Fault> {
        let bytes = self.take(8)?.try_into().map_err(|_| malformed())?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// The next string of bytes.
    ///
    /// # Errors
    /// EBADMSG where the message is at its end.
    pub fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.u32()?;
        self.take(usize::try_from(length).map_err(|_| malformed())?)
    }

    /// The next string, which is UTF-8.
    ///
    /// # Errors
    /// EBADMSG where the message is at its end, or the string is something else.
    pub fn string(&mut self) -> Result<String, Fault> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| malformed())
    }

    /// The next list of strings.
    ///
    /// # Errors
    /// EBADMSG where the message is at its end, or a string is not UTF-8.
    pub fn list(&mut self) -> Result<Vec<String>, Fault> {
        let count = self.u32()?;
        (0..count).map(|_| self.string()).collect()
    }
}

/// The error for a message that says something else than it should.
pub fn malformed() -> Fault {
    Fault::new("Malformed message", Errno::BADMSG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_written() {
        let mut writer = Writer::default();
        writer.u32(7).u64(1 << 40).bytes(b"a\0b").list(&["x", ""]);
        let message = writer.finish().unwrap();
        let mut reader = Reader::new(&message);
        assert_eq!(reader.u32().unwrap(), 7);
        assert_eq!(reader.u64().unwrap(), 1 << 40);
        assert_eq!(reader.bytes().unwrap(), b"a\0b");
        assert_eq!(reader.list().unwrap(), ["x", ""]);
        assert!(reader.u32().is_err());
    }

    #[test]
    fn refuses_lengths_beyond_the_end() {
        assert!(Reader::new(&[255, 255, 255, 255, 0]).bytes().is_err());
        assert!(Reader::new(&[255, 255, 255, 255]).list().is_err());
        let mut writer = Writer::default();
        writer.bytes(&vec![0; LIMIT]);
        assert!(writer.finish().is_err());
    }
}
