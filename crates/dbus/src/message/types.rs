//! Where the types of a container stand: they are never copied.

/// A part of a signature, which is the message's, or a variant's in its body.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Types {
    pub(super) start: usize,
    pub(super) length: usize,
    pub(super) in_body: bool,
}

impl Types {
    /// `signature` is where those outside the body are counted in.
    pub(super) fn of<'m>(self, signature: &'m [u8], body: &'m [u8]) -> &'m [u8] {
        let from = if self.in_body { body } else { signature };
        from.get(self.start..self.start + self.length)
            .unwrap_or_default()
    }

    /// A part of these.
    pub(super) fn part(self, start: usize, length: usize) -> Self {
        Self {
            start: self.start + start,
            length,
            in_body: self.in_body,
        }
    }
}
