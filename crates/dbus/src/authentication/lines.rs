//! Lines, of ASCII and ended by CR LF.

use crate::{
    authentication::MAX_LENGTH,
    error::{Error, Result},
};

/// The line that is being received.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    /// Bytes of all lines.
    total: usize,
}

impl Lines {
    /// Takes a line off the front; nothing if there is no whole one, and then all is taken.
    ///
    /// # Errors
    /// [`Error::Malformed`]: it is no text; [`Error::Full`]: so much is never said.
    pub(super) fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<String>> {
        while let Some((&byte, rest)) = bytes.split_first() {
            *bytes = rest;
            self.total += 1;
            if self.total > MAX_LENGTH {
                return Err(Error::Full);
            }
            match (byte, self.line.last()) {
                (b'\n', Some(b'\r')) => {
                    self.line.pop();
                    let line = String::from_utf8(std::mem::take(&mut self.line));
                    return line.map(Some).map_err(|_| Error::Malformed);
                }
                (_, Some(b'\r')) | (b'\n' | 0 | 0x80.., _) => return Err(Error::Malformed),
                _ => self.line.push(byte),
            }
        }
        Ok(None)
    }
}

/// The command of a line, and what follows it.
pub(super) fn command(line: &str) -> (&str, &str) {
    line.split_once(' ').unwrap_or((line, ""))
}
