//! What this process was told last, for who asks the same again: what was found, and in which slot of the map.
//!
//! It is good for as long as the slot's sequence is what it was, so whatever the daemon does to an answer it does to what is
//! remembered of it, too. What is saved are the hash of the question and the mask over the answer.
//!
//! Threads share it without a lock. An entry is read by its sequence, as those of the map are; who finds it being written
//! does without, and in a child of `fork(2)` whose parent was writing it stays so.

use core::sync::atomic::{AtomicU32, Ordering};

use crate::geometry::INLINE;
use crate::question::{Question, START};
use crate::record::{HEAD, Head};
use crate::sequence;
use crate::words::{Claim, List};

/// How many answers are remembered: a program that asks for more names than that within a second hashes.
const ENTRIES: usize = 8;

/// Where in an entry what is.
mod place {
    pub(super) const SEQUENCE: usize = 0;
    /// The second in which it was written.
    pub(super) const SECOND: usize = 1;
    /// Which map it is from, and what was asked.
    pub(super) const ASKED: usize = 2;
    /// Where its slot begins in the map.
    pub(super) const SLOT: usize = ASKED + super::ASKED;
    /// The sequence of the slot.
    pub(super) const NUMBER: usize = SLOT + 1;
    pub(super) const RECORD: usize = NUMBER + 1;
    pub(super) const END: usize = RECORD + super::INLINE;
}

/// The words of a question: which map and how long a name, and the start of its first block.
const ASKED: usize = 1 + 9;
const _: () = assert!(
    2 * START >= ASKED - 1,
    "names that begin alike would be taken for each other"
);
/// The longest name that is remembered.
const SHORT: usize = 4 * (ASKED - 1) - 2;
/// The words of an entry.
pub(crate) const SIZE: usize = place::END;
/// The bytes of the longest items that are remembered: those of a slot alone.
pub(crate) const ITEMS: usize = 4 * (INLINE - HEAD);

/// A question to a map, as it is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    words: [u32; ASKED],
    /// The entry that it can be in, or the one beside it.
    entry: usize,
}

impl Asked {
    /// `None` if it is too long. `map` tells the maps that a process has had from each other.
    pub(crate) fn new(map: u32, question: &Question<'_>) -> Option<Self> {
        let octets = question.octets();
        if octets.len() > SHORT {
            return None;
        }
        let mut words = [0; ASKED];
        let [place, rest @ ..] = &mut words;
        *place = map << 8 | octets.len() as u32;
        let eights = question.start();
        for (pair, eight) in rest.chunks_mut(2).zip(eights) {
            for (place, word) in pair.iter_mut().zip([eight as u32, (eight >> 32) as u32]) {
                *place = word;
            }
        }
        // Of the question itself, since what was copied just now is not at hand yet.
        let start = octets.first_chunk();
        let start = start.map_or(0, |start| u64::from_ne_bytes(*start));
        let mixed = start ^ (octets.len() as u64) << 8 ^ u64::from(question.family());
        // Its highest bits are of all bytes.
        let entry = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - ENTRIES.ilog2());
        Some(Self {
            words,
            entry: entry as usize,
        })
    }
}

/// The answers that are remembered.
#[derive(Debug)]
pub(crate) struct Memory<W = Own> {
    entries: [W; ENTRIES],
}

impl Memory {
    pub(crate) const fn new() -> Self {
        Self {
            entries: [const { Own([const { AtomicU32::new(0) }; SIZE]) }; ENTRIES],
        }
    }
}

impl<W: Claim> Memory<W> {
    /// What was found when this was asked, and the items; if it is good yet, which is said of the place where it was found, and
    /// of the sequence there.
    pub(crate) fn recall(
        &self,
        asked: &Asked,
        is_good: impl Fn(usize, u32) -> bool,
        items: &mut [u8; ITEMS],
    ) -> Option<Head> {
        self.entries_of(asked).find_map(|words| {
            let sequence = sequence::begin(words, place::SEQUENCE)?;
            for (at, expected) in (place::ASKED..).zip(&asked.words) {
                if words.load(at) != *expected {
                    return None;
                }
            }
            let (slot, number) = (words.load(place::SLOT), words.load(place::NUMBER));
            let head = [0, 1, 2, 3].map(|at| words.load(place::RECORD + at));
            let head = Head::from_words(head).filter(|head| head.words() <= INLINE)?;
            let (chunks, _) = items.as_chunks_mut();
            let places = place::RECORD + HEAD..place::RECORD.wrapping_add(head.words());
            for (chunk, at) in chunks.iter_mut().zip(places) {
                *chunk = words.load(at).to_ne_bytes();
            }
            let is_whole = sequence::holds(words, place::SEQUENCE, sequence);
            (is_whole && is_good(slot as usize, number)).then_some(head)
        })
    }

    /// Remembers what was found in a slot while its sequence was `number`, in the place of what is older. An entry is written
    /// but once a second, so that threads that ask for many names do not pass its memory to and fro.
    #[inline(never)]
    pub(crate) fn keep(
        &self,
        second: u32,
        asked: &Asked,
        (slot, number): (usize, u32),
        head: Head,
        items: &[u8],
    ) {
        let written = |words: &&W| words.load(place::SECOND);
        let Some(words) = self.entries_of(asked).min_by_key(written) else {
            return;
        };
        let sequence = words.load(place::SEQUENCE);
        if head.words() > INLINE
            || written(&words) == second
            || sequence & 1 != 0
            || !words.claim(place::SEQUENCE, sequence)
        {
            return;
        }
        words.fence_release();
        words.store(place::SECOND, second);
        for (at, word) in (place::ASKED..).zip(asked.words) {
            words.store(at, word);
        }
        words.store(place::SLOT, slot as u32);
        words.store(place::NUMBER, number);
        for (at, word) in (place::RECORD..).zip(head.to_words()) {
            words.store(at, word);
        }
        for (at, chunk) in (place::RECORD + HEAD..).zip(items.chunks(4)) {
            let mut word = [0; 4];
            for (place, byte) in word.iter_mut().zip(chunk) {
                *place = *byte;
            }
            words.store(at, u32::from_ne_bytes(word));
        }
        words.store_release(place::SEQUENCE, sequence.wrapping_add(2));
    }

    /// The two in which it can be.
    fn entries_of(&self, asked: &Asked) -> impl Iterator<Item = &W> {
        let both = [asked.entry, asked.entry ^ 1].into_iter();
        both.filter_map(|entry| self.entries.get(entry))
    }
}

/// Words of this process's own.
#[derive(Debug)]
pub(crate) struct Own([AtomicU32; SIZE]);

impl List for Own {
    fn list(&self) -> &[AtomicU32] {
        &self.0
    }
}

impl Claim for Own {
    fn claim(&self, at: usize, number: u32) -> bool {
        let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
        self.0.get(at).is_some_and(|word| {
            word.compare_exchange(number, number | 1, success, failure)
                .is_ok()
        })
    }
}

#[cfg(test)]
mod tests;
