//! One lookup in one map.

use crate::geometry::{INLINE, PLAIN, WAYS};
use crate::head::{Fixed, State};
use crate::question::Question;
use crate::record::{HEAD, Head, Item, Kind, LONGEST, Verdict, hand_over};
use crate::seal::{Key, Seal};
use crate::sequence;
use crate::words::Words;

/// The map does not answer any more; there may be another in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stale;

/// A map, believed no further than its size.
#[derive(Debug)]
pub(crate) struct View<'m, W> {
    pub(crate) words: &'m W,
    pub(crate) fixed: Fixed,
}

impl<W: Words> View<'_, W> {
    /// Answers a question at the second `clock` of `CLOCK_MONOTONIC`.
    pub(crate) fn lookup(
        &self,
        clock: u32,
        question: &Question<'_>,
        found: &mut dyn FnMut(Item<'_>),
    ) -> Result<Verdict, Stale> {
        State::read(self.words, clock).ok_or(Stale)?;
        let seal = Seal::new(&self.fixed.salt, question);
        let mut record = Record::new();
        let mut doubt = false;
        for slot in self.slots(&seal.key) {
            if self.words.load(self.fixed.geometry.tag(slot)) != seal.key.tag() {
                continue;
            }
            match self.read(slot, &seal, &mut record) {
                Some(head) => return Ok(self.verdict(clock, head, &record, found)),
                None => doubt = true,
            }
        }
        // Whoever takes an entry out that should be found says first that the map is not complete; so
        // that is looked at last.
        self.words.fence_acquire();
        match State::read(self.words, clock) {
            Some(state) if state.complete & question.kind() != 0 && !doubt => {
                Ok(Verdict::NotFound { ttl: None })
            }
            _ => Ok(Verdict::Miss),
        }
    }

    /// Where an entry can be.
    fn slots(&self, key: &Key) -> impl Iterator<Item = usize> + use<W> {
        let bucket = |first: usize| (0..WAYS).map(move |way| first.wrapping_add(way));
        self.fixed
            .geometry
            .candidates(key)
            .into_iter()
            .flat_map(bucket)
    }

    /// Takes the record out of a slot, if it is the one that the seal is for and stays whole meanwhile.
    fn read(&self, slot: usize, seal: &Seal, record: &mut Record) -> Option<Head> {
        let start = self.fixed.geometry.slot(slot);
        let number = sequence::begin(self.words, start)?;
        let [a, b, c, d, nonce] = [1, 2, 3, 4, 5].map(|at| self.words.load(start.wrapping_add(at)));
        if Key([a, b, c, d]) != seal.key {
            return None;
        }
        let head = self.unseal(start, seal, nonce, record)?;
        // All that was read so far may be of two editions, and is believed from here on only.
        sequence::holds(self.words, start, number).then_some(head)
    }

    fn unseal(&self, start: usize, seal: &Seal, nonce: u32, record: &mut Record) -> Option<Head> {
        let inline = start.wrapping_add(PLAIN);
        let pair = |pair: usize, first: usize| {
            let [one, other] = seal.mask(nonce, pair as u32);
            let next = first.wrapping_add(1);
            [self.words.load(first) ^ one, self.words.load(next) ^ other]
        };
        let ([a, b], [c, d]) = (pair(0, inline), pair(1, inline.wrapping_add(2)));
        let head = Head::from_words([a, b, c, d])?;
        let block = match head.block {
            Some(number) => self.fixed.geometry.block(number)?,
            None => 0,
        };
        let (chunks, _) = record.items.as_chunks_mut::<8>();
        let pairs = (HEAD / 2)..head.words().div_ceil(2);
        for (chunk, number) in chunks.iter_mut().zip(pairs) {
            let at = number.wrapping_mul(2);
            let first = match at.checked_sub(INLINE) {
                None => at.wrapping_add(inline),
                Some(at) => at.wrapping_add(block),
            };
            let [one, other] = pair(number, first).map(u32::to_ne_bytes);
            for (place, byte) in chunk.iter_mut().zip(one.into_iter().chain(other)) {
                *place = byte;
            }
        }
        Some(head)
    }

    fn verdict(
        &self,
        clock: u32,
        head: Head,
        record: &Record,
        found: &mut dyn FnMut(Item<'_>),
    ) -> Verdict {
        let Some(state) = State::read(self.words, clock) else {
            return Verdict::Miss;
        };
        let Some(ttl) = head.ttl(state.now).filter(|_| head.epoch == state.epoch) else {
            return Verdict::Miss;
        };
        match head.kind {
            Kind::Found if hand_over(record.items(head.length), found) => Verdict::Found { ttl },
            Kind::NoData => Verdict::NoData { ttl },
            Kind::NotFound => Verdict::NotFound { ttl },
            Kind::Found | Kind::Ask => Verdict::Miss,
        }
    }
}

/// Room on the stack for what follows the head of a record.
struct Record {
    items: [u8; LONGEST],
}

impl Record {
    fn new() -> Self {
        Self {
            items: [0; LONGEST],
        }
    }

    fn items(&self, length: usize) -> &[u8] {
        self.items.get(..length).unwrap_or_default()
    }
}
