//! UTF-8 that arrives byte by byte.

/// Checks a sequence of bytes for well-formed UTF-8 as of table 3-7 of the Unicode standard (no
/// surrogates, no overlong forms, nothing above U+10FFFF).
#[derive(Clone, Copy)]
pub(crate) struct Utf8 {
    /// How many continuation bytes are still to come.
    missing: u8,
    /// What the next continuation byte may be: narrower than 80..=BF after some first bytes.
    low: u8,
    high: u8,
}

impl Utf8 {
    pub(crate) const fn new() -> Self {
        Self {
            missing: 0,
            low: 0x80,
            high: 0xbf,
        }
    }

    /// Whether the sequence is still well-formed with `byte`.
    pub(crate) fn accepts(&mut self, byte: u8) -> bool {
        if self.missing > 0 {
            let fits = (self.low..=self.high).contains(&byte);
            *self = Self {
                missing: self.missing - 1,
                ..Self::new()
            };
            return fits;
        }
        let (missing, low, high) = match byte {
            0x00..=0x7f => (0, 0x80, 0xbf),
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            _ => return false,
        };
        *self = Self { missing, low, high };
        true
    }

    /// Whether the sequence may end here.
    pub(crate) fn is_whole(self) -> bool {
        self.missing == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        // Every sequence of three bytes of the kinds that make a difference, alone and in a row.
        let kinds = [
            0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0,
            0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ];
        for a in kinds {
            for b in kinds {
                for c in kinds {
                    for d in kinds {
                        let bytes = [a, b, c, d];
                        let mut check = Utf8::new();
                        let ours = bytes.iter().all(|&b| check.accepts(b)) && check.is_whole();
                        assert_eq!(ours, std::str::from_utf8(&bytes).is_ok(), "{bytes:x?}");
                    }
                }
            }
        }
    }
}
