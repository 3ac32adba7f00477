//! Bytes from the peer, one after the other, through a small window on the stack.

use crate::Fault;

/// Where a [`Reader`] gets its bytes: a [`Stream`](crate::Stream), or, in tests, anything.
pub trait Source {
    /// Puts at least one byte at the start of `window` and says how many; 0 is the end.
    ///
    /// # Errors
    /// Whatever kept it from doing so.
    fn fill(&mut self, window: &mut [u8]) -> Result<usize, Fault>;
}

/// A message as long as [`Reader::LIMIT`] is read with this much stack.
const WINDOW: usize = 1024;

/// Reads a message of any length up to a limit; the caller keeps what it needs of it.
pub struct Reader<'s> {
    source: &'s mut dyn Source,
    window: [u8; WINDOW],
    at: usize,
    filled: usize,
    budget: usize,
}

impl<'s> Reader<'s> {
    /// How many bytes a peer may send in one exchange: ten times the largest honest answer (a
    /// machine with a thousand addresses), and small enough to be read well within a second.
    pub const LIMIT: usize = 1 << 20;

    /// A reader at the start of what `source` holds.
    pub fn new(source: &'s mut dyn Source) -> Self {
        Self {
            source,
            window: [0; WINDOW],
            at: 0,
            filled: 0,
            budget: Self::LIMIT,
        }
    }

    /// The next byte, which stays the next one.
    ///
    /// # Errors
    /// `ECONNRESET` at the end, [`Fault::TooBig`] past the limit, and what the source says.
    #[inline]
    pub fn peek(&mut self) -> Result<u8, Fault> {
        if self.at >= self.filled {
            self.refill()?;
        }
        // Never out of bounds; `Protocol` is what keeps the compiler from planning for a panic.
        self.window.get(self.at).copied().ok_or(Fault::Protocol)
    }

    /// The next byte.
    ///
    /// # Errors
    /// As [`Reader::peek`].
    #[inline]
    pub fn byte(&mut self) -> Result<u8, Fault> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// As [`Reader::peek`].
    pub fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }

    #[cold]
    fn refill(&mut self) -> Result<(), Fault> {
        if self.budget == 0 {
            return Err(Fault::TooBig);
        }
        let count = self.source.fill(&mut self.window)?;
        if count == 0 {
            return Err(Fault::System(libc::ECONNRESET));
        }
        self.budget = self.budget.saturating_sub(count);
        self.at = 0;
        self.filled = count;
        Ok(())
    }
}

/// The bytes of a slice, a source for tests that feed a whole message at once.
impl Source for &[u8] {
    fn fill(&mut self, window: &mut [u8]) -> Result<usize, Fault> {
        let count = self.len().min(window.len());
        if let (Some((now, later)), Some(window)) =
            (self.split_at_checked(count), window.get_mut(..count))
        {
            window.copy_from_slice(now);
            *self = later;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_across_windows_to_the_end() {
        let message: Vec<u8> = (0..5000_u32).map(|i| i as u8).collect();
        let mut source = message.as_slice();
        let mut reader = Reader::new(&mut source);
        assert_eq!(reader.peek(), Ok(0));
        for byte in &message {
            assert_eq!(reader.byte(), Ok(*byte));
        }
        assert_eq!(reader.byte(), Err(Fault::System(libc::ECONNRESET)));
    }

    #[test]
    fn stops_at_the_limit() {
        struct Endless;
        impl Source for Endless {
            fn fill(&mut self, window: &mut [u8]) -> Result<usize, Fault> {
                window.fill(b' ');
                Ok(window.len())
            }
        }
        let mut source = Endless;
        let mut reader = Reader::new(&mut source);
        let read = std::iter::from_fn(|| reader.byte().ok()).count();
        assert_eq!(read, Reader::LIMIT);
        assert_eq!(reader.byte(), Err(Fault::TooBig));
    }
}
