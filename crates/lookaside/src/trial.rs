//! A map in ordinary memory, for tests and fuzzing: with a clock of their own, and with bytes that no
//! writer would write.

use std::boxed::Box;
use std::sync::atomic::AtomicU32;
use std::vec::Vec;

use crate::geometry::{INLINE, PLAIN, SLOT, WAYS};
use crate::head::{Fixed, state};
use crate::memory::Memory;
use crate::question::{Family, Question};
use crate::record::{Item, Verdict};
use crate::seal::Seal;
use crate::view::View;
use crate::words::{List, Words, WordsMut};

/// Words on the heap.
#[derive(Debug)]
pub(crate) struct Heap(Box<[AtomicU32]>);

impl Heap {
    /// `size` bytes of zeros.
    pub(crate) fn zeros(size: usize) -> Self {
        Self((0..size / 4).map(|_| AtomicU32::new(0)).collect())
    }

    pub(crate) fn size(&self) -> usize {
        4 * self.0.len()
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let words = (0..self.0.len()).map(|at| self.load(at));
        words.flat_map(u32::to_ne_bytes).collect()
    }

    /// An empty map of `size` bytes with a lease.
    pub(crate) fn map(size: usize, salt: [u8; 16]) -> Option<(Self, Fixed)> {
        let (words, fixed) = (Self::zeros(size), Fixed::new(size, salt)?);
        for (at, word) in Fixed::words(fixed.geometry, size) {
            words.store(at, word);
        }
        for (at, chunk) in salt.as_chunks().0.iter().enumerate() {
            words.store(crate::head::fixed::SALT + at, u32::from_ne_bytes(*chunk));
        }
        words.store(state::LEASE, CLOCK + 5);
        Some((words, fixed))
    }

    /// Looks up, with what is handed over. Twice, since what is remembered must be what was found.
    pub(crate) fn lookup(&self, clock: u32, question: &Question<'_>) -> (Verdict, Vec<Part>) {
        let memory = Memory::new();
        let found = self.lookup_with(&memory, clock, question);
        assert_eq!(self.lookup_with(&memory, clock, question), found);
        found
    }

    /// Looks up with what is remembered.
    pub(crate) fn lookup_with(
        &self,
        memory: &Memory,
        clock: u32,
        question: &Question<'_>,
    ) -> (Verdict, Vec<Part>) {
        let Some(fixed) = Fixed::read(self, self.size()) else {
            return (Verdict::Miss, Vec::new());
        };
        let view = View {
            words: self,
            origin: &fixed,
            memory,
            map: 1,
        };
        let mut parts = Vec::new();
        let verdict = view.lookup(clock, question, &mut |item| parts.push(Part::from(item)));
        (verdict.unwrap_or(Verdict::Miss), parts)
    }
}

impl List for Heap {
    fn list(&self) -> &[AtomicU32] {
        &self.0
    }
}

/// An item that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// An address and its link.
    Address(Vec<u8>, u32),
    /// A name.
    Name(Vec<u8>),
}

impl From<Item<'_>> for Part {
    fn from(item: Item<'_>) -> Self {
        match item {
            Item::Address { octets, ifindex } => Part::Address(octets.to_vec(), ifindex),
            Item::Name(name) => Part::Name(name.to_vec()),
        }
    }
}

/// The second at which trials take place.
pub(crate) const CLOCK: u32 = 1000;

/// What a reader makes of these bytes in the place of a map.
pub fn try_map(bytes: &[u8]) -> (Verdict, Vec<Part>) {
    let map = Heap::zeros(bytes.len());
    copy(bytes, &map, 0);
    map.lookup(CLOCK, &question())
}

/// What a reader makes of a record that is found by the key of its question and has these bytes
/// under the mask, and of a block with what does not fit into the slot.
pub fn try_record(bytes: &[u8]) -> (Verdict, Vec<Part>) {
    let Some((map, fixed)) = Heap::map(16 << 10, [7; 16]) else {
        return (Verdict::Miss, Vec::new());
    };
    let seal = Seal::new(&fixed.salt, &question());
    let [slot, _] = fixed.geometry.candidates(&seal.key);
    put_record(&map, fixed, slot, bytes);
    map.lookup(CLOCK, &question())
}

/// What a reader makes of a good map that has the name in each of its buckets, with words changed of those
/// that it looks at: a byte says which, and four what of it is turned over. That goes through the mask.
pub fn try_changed(bytes: &[u8]) -> (Verdict, Vec<Part>) {
    let Some((map, fixed)) = Heap::map(16 << 10, [7; 16]) else {
        return (Verdict::Miss, Vec::new());
    };
    let geometry = fixed.geometry;
    let slots = geometry.candidates(&Seal::new(&fixed.salt, &question()).key);
    let mut words: Vec<usize> = (state::RETIRED..=state::ASLEEP).collect();
    for slot in slots {
        put_record(&map, fixed, slot, &good_record());
        words.extend((slot..slot + WAYS).map(|slot| geometry.tag(slot)));
        words.extend((geometry.slot(slot)..).take(SLOT));
    }
    words.extend((geometry.block(0).unwrap_or(usize::MAX)..).take(8));
    for change in bytes.as_chunks().0 {
        let [which, turned @ ..]: &[u8; 5] = change;
        if let Some(at) = words.get(usize::from(*which)) {
            map.store(*at, map.load(*at) ^ u32::from_ne_bytes(*turned));
        }
    }
    map.lookup(CLOCK, &question())
}

/// An address of each family and a name.
fn good_record() -> Vec<u8> {
    let mut items = [&[4, 192, 0, 2, 1][..], &[6, 0, 0, 0, 0], &[0x20; 16]].concat();
    items.extend(b"\x01\x0bweb.example");
    let head = [CLOCK + 60, 0, 1 | (items.len() as u32) << 16, 0];
    let mut record: Vec<u8> = head.into_iter().flat_map(u32::to_ne_bytes).collect();
    record.extend(items);
    record
}

/// Puts a record with these bytes into a slot, under the mask; what does not fit goes into a block.
fn put_record(map: &Heap, fixed: Fixed, slot: usize, bytes: &[u8]) {
    let (question, geometry) = (question(), fixed.geometry);
    let seal = Seal::new(&fixed.salt, &question);
    let start = geometry.slot(slot);
    map.store(geometry.tag(slot), seal.key.tag());
    for (at, word) in seal.key.0.into_iter().enumerate() {
        map.store(start + 1 + at, word);
    }
    let record = Heap::zeros(bytes.len().next_multiple_of(4));
    copy(bytes, &record, 0);
    let masks = (0..).flat_map(|pair| seal.mask(0, pair));
    for (at, mask) in (0..record.size() / 4).zip(masks) {
        let place = match at.checked_sub(INLINE) {
            None => start + PLAIN + at,
            Some(at) => geometry.block(0).map_or(usize::MAX, |block| block + at),
        };
        map.store(place, record.load(at) ^ mask);
    }
}

fn question() -> Question<'static> {
    Question::name(b"www.example.com", Family::Any)
        .unwrap_or_else(|| unreachable!("it is neither empty nor too long"))
}

/// Of a name that stays, as programs of tests have few.
#[cfg(test)]
pub(crate) fn name(name: &str) -> Question<'static> {
    let name: &str = std::string::String::from(name).leak();
    Question::name(name.as_bytes(), Family::Any).unwrap()
}

fn copy(bytes: &[u8], words: &Heap, first: usize) {
    for (at, chunk) in bytes.chunks(4).enumerate() {
        let mut word = [0; 4];
        for (place, byte) in word.iter_mut().zip(chunk) {
            *place = *byte;
        }
        words.store(first + at, u32::from_ne_bytes(word));
    }
}

/// Whether what was handed over is of the form that is promised.
pub fn is_well_formed((verdict, parts): &(Verdict, Vec<Part>)) -> bool {
    match verdict {
        Verdict::Found { ttl } => {
            let is_fine = |part: &Part| match part {
                Part::Address(octets, 0) => matches!(octets.len(), 4 | 16),
                Part::Address(octets, _) => octets.len() == 16,
                Part::Name(name) => matches!(name.len(), 1..=254),
            };
            *ttl != Some(0) && !parts.is_empty() && parts.iter().all(is_fine)
        }
        Verdict::NoData { ttl } | Verdict::NotFound { ttl } => *ttl != Some(0) && parts.is_empty(),
        Verdict::Miss => parts.is_empty(),
    }
}

#[cfg(test)]
mod tests;
