//! The entries of a map, as its writer keeps them.

use std::vec;
use std::vec::Vec;

use crate::geometry::{INLINE, PLAIN, SLOT, WAYS};
use crate::head::{Complete, Fixed, counter, state};
use crate::question::Question;
use crate::record::{Answer, Head, Kind, LONGEST, append};
use crate::seal::{Key, Seal};
use crate::sequence;
use crate::words::WordsMut;

mod blocks;

use blocks::Blocks;

/// All entries, and what is known of each that the map does not say to who does not know its name. Times are
/// seconds, as the map counts them.
#[derive(Debug)]
pub(crate) struct Table<W> {
    words: W,
    fixed: Fixed,
    epoch: u32,
    complete: Complete,
    /// Different in each edition of each entry.
    nonce: u32,
    /// By slot: when it expires.
    expires: Vec<u32>,
    /// By slot: when it was last put.
    asked: Vec<u32>,
    blocks: Blocks,
}

impl<W: WordsMut> Table<W> {
    /// The table of a map that is all zeros.
    pub(crate) fn new(words: W, fixed: Fixed) -> Self {
        let geometry = fixed.geometry;
        // Zeros are memory that is not touched before it is needed.
        let of_slots = || vec![0; geometry.slots()];
        Self {
            words,
            fixed,
            epoch: 0,
            complete: Complete::Nothing,
            nonce: 0,
            expires: of_slots(),
            asked: of_slots(),
            blocks: Blocks::new(geometry),
        }
    }

    pub(crate) fn words(&self) -> &W {
        &self.words
    }

    /// Puts an answer in the place of what is known to the question, until `expires`. `false` if it
    /// has no room in any map.
    pub(crate) fn put(
        &mut self,
        now: u32,
        question: &Question<'_>,
        answer: Answer<'_>,
        expires: u32,
    ) -> bool {
        let (kind, mut items) = (kind(answer), Vec::new());
        let fits = match answer {
            Answer::Found(parts) => parts.iter().all(|item| append(&mut items, item)),
            _ => true,
        };
        let head = Head {
            expires,
            epoch: self.epoch,
            kind,
            length: items.len(),
            block: None,
        };
        if !fits || items.len() > LONGEST {
            self.count(counter::REFUSED);
            if self.complete.word() & question.kind() != 0 {
                self.put(now, question, Answer::Ask, expires);
            } else {
                self.remove(question);
            }
            return false;
        }
        let seal = Seal::new(&self.fixed.salt, question);
        let slot = self
            .find(&seal.key)
            .unwrap_or_else(|| self.make_room(now, &seal.key));
        self.write(now, slot, &seal, head, &items);
        self.count(counter::PUBLISHED);
        true
    }

    /// Takes an answer out, if there is one.
    pub(crate) fn remove(&mut self, question: &Question<'_>) {
        let seal = Seal::new(&self.fixed.salt, question);
        if let Some(slot) = self.find(&seal.key) {
            self.clear(slot);
            self.count(counter::REMOVED);
        }
    }

    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Voids all answers at once, and takes them out. The map is not complete any more.
    pub(crate) fn void(&mut self) {
        self.set_complete(Complete::Nothing);
        self.epoch = self.epoch.wrapping_add(1);
        self.words.store(state::EPOCH, self.epoch);
        for slot in 0..self.fixed.geometry.slots() {
            if self.is_used(slot) {
                self.clear(slot);
            }
        }
        self.count(counter::VOIDED);
    }

    /// Of what the map has all.
    pub(crate) fn set_complete(&mut self, complete: Complete) {
        if complete != self.complete {
            self.complete = complete;
            // All that has been put so far, before it is said that it is all.
            self.words.store_release(state::COMPLETE, complete.word());
            // And the other way, before anything is taken out.
            self.words.fence_release();
        }
    }

    fn slots_of(&self, key: &Key) -> impl Iterator<Item = usize> + use<W> {
        let [one, other] = self.fixed.geometry.candidates(key);
        (one..one + WAYS).chain(other..other + WAYS)
    }

    fn is_used(&self, slot: usize) -> bool {
        self.words.load(self.fixed.geometry.tag(slot)) != 0
    }

    /// Where the entry with this key is.
    fn find(&self, key: &Key) -> Option<usize> {
        self.slots_of(key).find(|slot| {
            let start = self.fixed.geometry.slot(*slot);
            self.is_used(*slot) && *key == Key([1, 2, 3, 4].map(|at| self.words.load(start + at)))
        })
    }

    /// A slot for a new entry with this key: a free one in the emptier bucket; else that of what has
    /// expired, else that of what was not asked for the longest.
    fn make_room(&mut self, now: u32, key: &Key) -> usize {
        let free = |first: usize| (first..first + WAYS).filter(|slot| !self.is_used(*slot));
        let [one, other] = self.fixed.geometry.candidates(key);
        let emptier = if free(other).count() > free(one).count() {
            other
        } else {
            one
        };
        if let Some(slot) = free(emptier).next() {
            return slot;
        }
        let worst = self.slots_of(key).min_by_key(|slot| self.worth(now, *slot));
        let slot = worst.unwrap_or(one);
        self.evict(slot);
        slot
    }

    /// What is evicted first has the least.
    fn worth(&self, now: u32, slot: usize) -> (bool, u32) {
        let of = |times: &Vec<u32>| times.get(slot).copied().unwrap_or(0);
        (of(&self.expires) > now, of(&self.asked))
    }

    /// Takes out what would be asked for yet.
    pub(crate) fn evict(&mut self, slot: usize) {
        self.set_complete(Complete::Nothing);
        self.clear(slot);
        self.count(counter::EVICTED);
    }

    fn clear(&mut self, slot: usize) {
        self.words.store(self.fixed.geometry.tag(slot), 0);
        let start = self.fixed.geometry.slot(slot);
        sequence::write(&self.words, start, || {
            for at in 1..SLOT {
                self.words.store(start + at, 0);
            }
        });
        // Not before the slot's sequence has moved on: its readers look at the block, too.
        self.blocks.release(slot);
        self.add(counter::ENTRIES, 1_u32.wrapping_neg());
        self.words.store(counter::BLOCKS, self.blocks.used());
    }

    fn write(&mut self, now: u32, slot: usize, seal: &Seal, mut head: Head, items: &[u8]) {
        let needs_block = head.words() > INLINE;
        if needs_block {
            head.block = Some(self.block_for(now, slot));
        }
        self.nonce = self.nonce.wrapping_add(1);
        let nonce = self.nonce;
        let sealed = sealed(seal, nonce, head, items);
        let start = self.fixed.geometry.slot(slot);
        let block = head.block.and_then(|at| self.fixed.geometry.block(at));
        sequence::write(&self.words, start, || {
            let Key([a, b, c, d]) = seal.key;
            for (at, word) in [a, b, c, d, nonce].into_iter().enumerate() {
                self.words.store(start + 1 + at, word);
            }
            let inline = (start + PLAIN..).take(INLINE);
            let places = inline.chain(block.unwrap_or(usize::MAX)..);
            for (place, word) in places.zip(&sealed) {
                self.words.store(place, *word);
            }
        });
        if !needs_block {
            self.blocks.release(slot);
        }
        if !self.is_used(slot) {
            self.add(counter::ENTRIES, 1);
            let tag = self.fixed.geometry.tag(slot);
            self.words.store(tag, seal.key.tag());
        }
        self.words.store(counter::BLOCKS, self.blocks.used());
        for (times, time) in [(&mut self.expires, head.expires), (&mut self.asked, now)] {
            if let Some(place) = times.get_mut(slot) {
                *place = time;
            }
        }
    }

    /// The block of a slot: its own, else a free one, else that of the entry which is worth least.
    fn block_for(&mut self, now: u32, slot: usize) -> usize {
        loop {
            if let Some(block) = self.blocks.take(slot) {
                return block;
            }
            let owners = self.blocks.owners();
            if let Some(owner) = owners.min_by_key(|owner| self.worth(now, *owner)) {
                self.evict(owner);
            }
        }
    }

    fn count(&self, counter: usize) {
        self.add(counter, 1);
    }

    fn add(&self, counter: usize, by: u32) {
        let value = self.words.load(counter).wrapping_add(by);
        self.words.store(counter, value);
    }
}

fn kind(answer: Answer<'_>) -> Kind {
    match answer {
        Answer::Found(_) => Kind::Found,
        Answer::NoData => Kind::NoData,
        Answer::NotFound => Kind::NotFound,
        Answer::Ask => Kind::Ask,
    }
}

/// A record under its mask.
fn sealed(seal: &Seal, nonce: u32, head: Head, items: &[u8]) -> Vec<u32> {
    let mut words = head.to_words().to_vec();
    for chunk in items.chunks(4) {
        let mut word = [0; 4];
        for (place, byte) in word.iter_mut().zip(chunk) {
            *place = *byte;
        }
        words.push(u32::from_ne_bytes(word));
    }
    for (pair, words) in words.chunks_mut(2).enumerate() {
        for (word, mask) in words.iter_mut().zip(seal.mask(nonce, pair as u32)) {
            *word ^= mask;
        }
    }
    words
}

#[cfg(test)]
mod tests;
