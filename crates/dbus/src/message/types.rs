//! Where the types of a container stand: they are never copied.

/// A part of a signature, which is the message's, or a variant's in its body. It is one number, because a processor waits
/// where it loads as a whole what it has just stored in parts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Types(u64);

/// Below that is the length, above it the start. Both are less than this.
const START: u32 = 32;
const IN_BODY: u64 = 1 << 31;

impl Types {
    /// A part of the signature of a message.
    pub(super) fn new(start: usize, length: usize) -> Self {
        Self((start as u64) << START | length as u64)
    }

    /// Those of a variant.
    pub(super) fn in_body(start: usize, length: usize) -> Self {
        Self(Self::new(start, length).0 | IN_BODY)
    }

    pub(super) fn length(self) -> usize {
        (self.0 & (IN_BODY - 1)) as usize
    }

    fn start(self) -> usize {
        (self.0 >> START) as usize
    }

    /// `signature` is where those outside the body are counted in.
    pub(super) fn of<'m>(self, signature: &'m [u8], body: &'m [u8]) -> &'m [u8] {
        let from = if self.0 & IN_BODY == 0 {
            signature
        } else {
            body
        };
        let start = self.start();
        from.get(start..start + self.length()).unwrap_or_default()
    }

    /// A part of these.
    pub(super) fn part(self, start: usize, length: usize) -> Self {
        Self(Self::new(self.start() + start, length).0 | self.0 & IN_BODY)
    }
}
