//! What a question makes of an entry: the key that it is found by, and the mask that is over it.
//!
//! Whoever does not know the name has neither. Both come out of one digest with the salt of the file.

use crate::blake3::Keyed;
use crate::question::Question;
use crate::siphash::siphash;

const PERSON: &[u8; 16] = b"lookaside name 2";

/// What an entry is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) [u32; 4]);

impl Key {
    /// What stands in the list of tags for it: never zero, which is "no entry".
    pub(crate) fn tag(&self) -> u32 {
        let [first, ..] = self.0;
        first.max(1)
    }
}

/// The key, and the secret that masks are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seal {
    pub(crate) key: Key,
    secret: [u64; 2],
}

impl Seal {
    pub(crate) fn new(salt: &[u8; 16], question: &Question<'_>) -> Self {
        let mut hash = Keyed::new([salt, PERSON]);
        let mut digest = [0; 8];
        question.blocks(|block, length, is_last| match is_last {
            false => hash.block(block),
            true => digest = hash.last(block, length),
        });
        let [a, b, c, d, e, f, g, h] = digest;
        let word = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
        Self {
            key: Key([a, b, c, d].map(|word| u32::from_ne_bytes(word.to_le_bytes()))),
            secret: [word(e, f), word(g, h)],
        }
    }

    /// The mask over words 2 × `pair` and the next, in the edition of the entry that has this nonce: two
    /// editions under one mask would show how they differ.
    pub(crate) fn mask(&self, nonce: u32, pair: u32) -> [u32; 2] {
        words(siphash(
            self.secret,
            u64::from(pair) << 32 | u64::from(nonce),
        ))
    }
}

/// Eight bytes, the lowest first, as the two words that they are in this machine's memory.
fn words(bytes: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = bytes.to_le_bytes();
    [[a, b, c, d], [e, f, g, h]].map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests;
