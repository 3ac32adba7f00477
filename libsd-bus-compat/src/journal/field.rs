//! One field of an entry, as it goes to the journal.

use crate::{Errno, Result};

/// How many pieces a field has at most.
pub const PIECES: usize = 5;

/// `NAME=value` and a newline; or, if there is a newline in the value, the name, a newline, the value's length in 64 bits, the
/// value and a newline (systemd.io/JOURNAL_NATIVE_PROTOCOL).
#[derive(Clone, Copy, Debug, Default)]
pub struct Field<'a> {
    name: &'a [u8],
    value: &'a [u8],
    /// Of the value, if it is sent by length.
    length: Option<[u8; 8]>,
}

impl<'a> Field<'a> {
    /// Of `NAME=value`. The journal leaves out names that it does not want.
    ///
    /// # Errors
    /// EINVAL if there is no name before a `=`, or a newline in it.
    pub fn parse(assignment: &'a [u8]) -> Result<Self> {
        let equals = assignment.iter().position(|byte| *byte == b'=');
        let (name, rest) = equals
            .and_then(|at| assignment.split_at_checked(at))
            .ok_or(Errno::INVAL)?;
        if name.is_empty() || name.contains(&b'\n') {
            return Err(Errno::INVAL);
        }
        Ok(Self::new(name, rest.get(1..).unwrap_or_default()))
    }

    /// Of both parts.
    pub fn new(name: &'a [u8], value: &'a [u8]) -> Self {
        let length = value.contains(&b'\n').then_some(value.len() as u64);
        Self {
            name,
            value,
            length: length.map(u64::to_le_bytes),
        }
    }

    pub fn is(&self, name: &str) -> bool {
        self.name == name.as_bytes()
    }

    /// What is written of it, but for what is empty.
    pub fn pieces_written(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.pieces().into_iter().filter(|piece| !piece.is_empty())
    }

    fn pieces(&self) -> [&[u8]; PIECES] {
        match &self.length {
            None => [self.name, b"=", self.value, b"\n", b""],
            Some(length) => [self.name, b"\n", length, self.value, b"\n"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_line_and_by_length() {
        let written = |assignment: &[u8]| Field::parse(assignment).map(|own| own.pieces().concat());
        assert_eq!(written(b"A=b=c"), Ok(b"A=b=c\n".to_vec()));
        assert_eq!(written(b"A="), Ok(b"A=\n".to_vec()));
        let long = b"A\n\x03\0\0\0\0\0\0\0x\ny\n";
        assert_eq!(written(b"A=x\ny"), Ok(long.to_vec()));
        for wrong in [&b""[..], b"A", b"=a", b"A\n=b"] {
            assert_eq!(written(wrong), Err(Errno::INVAL));
        }
    }
}
