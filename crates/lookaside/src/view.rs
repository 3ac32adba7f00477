//! One lookup in one map.

use crate::geometry::{Geometry, INLINE, PLAIN, WAYS};
use crate::head::{Fixed, Origin, State};
use crate::memory::{Asked, ITEMS, Memory, Own};
use crate::question::Question;
use crate::record::{HEAD, Head, Item, Kind, LONGEST, Verdict, hand_over};
use crate::seal::{Key, Seal};
use crate::sequence;
use crate::words::{Claim, Words};

/// The map does not answer any more; there may be another in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stale;

/// A map, believed no further than its size.
#[derive(Debug)]
pub(crate) struct View<'m, W, O, M = Own> {
    pub(crate) words: &'m W,
    /// Knows what never changes in it.
    pub(crate) origin: &'m O,
    /// What is remembered of this and other maps, and the number of this one among them.
    pub(crate) memory: &'m Memory<M>,
    pub(crate) map: u32,
}

impl<W: Words, O: Origin, M: Claim> View<'_, W, O, M> {
    /// Answers a question at the second `clock` of `CLOCK_MONOTONIC`.
    pub(crate) fn lookup(
        &self,
        clock: u32,
        question: &Question<'_>,
        found: &mut dyn FnMut(Item<'_>),
    ) -> Result<Verdict, Stale> {
        let state = State::read(self.words, clock).ok_or(Stale)?;
        let asked = Asked::new(self.map, question);
        let (mut items, is_good) = ([0; ITEMS], |start, number| {
            sequence::begin(self.words, start) == Some(number)
        });
        if let Some(asked) = &asked
            && let Some(head) = self.memory.recall(asked, is_good, &mut items)
        {
            let items = items.get(..head.length).unwrap_or_default();
            return Ok(verdict(state, head, items, found));
        }
        self.search(clock, question, asked.as_ref(), found)
    }

    /// Looks for the answer by the hash of the question, and remembers it. Apart, so that what is remembered is found with
    /// little of the stack.
    #[inline(never)]
    fn search(
        &self,
        clock: u32,
        question: &Question<'_>,
        asked: Option<&Asked>,
        found: &mut dyn FnMut(Item<'_>),
    ) -> Result<Verdict, Stale> {
        let Fixed { geometry, salt } = self.origin.fixed().ok_or(Stale)?;
        let seal = Seal::new(&salt, question);
        let mut doubt = false;
        for slot in slots(geometry, &seal.key) {
            if self.words.load(geometry.tag(slot)) != seal.key.tag() {
                continue;
            }
            let start = geometry.slot(slot);
            let mut record = Record::new();
            match self.read(geometry, start, &seal, &mut record) {
                Some((number, head)) => {
                    let items = record.items(head.length);
                    if let Some(asked) = asked {
                        self.memory.keep(clock, asked, (start, number), head, items);
                    }
                    return Ok(match State::read(self.words, clock) {
                        Some(state) => verdict(state, head, items, found),
                        None => Verdict::Miss,
                    });
                }
                None => doubt = true,
            }
        }
        // Whoever takes an entry out that should be found says first that the map is not complete; so
        // that is looked at last.
        self.words.fence_acquire();
        Ok(match State::read(self.words, clock) {
            Some(state) if state.complete & question.kind() != 0 && !doubt => {
                Verdict::NotFound { ttl: None }
            }
            _ => Verdict::Miss,
        })
    }

    /// Takes the record out of a slot, if it is the one that the seal is for and stays whole meanwhile; with the sequence.
    fn read(
        &self,
        geometry: Geometry,
        start: usize,
        seal: &Seal,
        record: &mut Record,
    ) -> Option<(u32, Head)> {
        let number = sequence::begin(self.words, start)?;
        let [a, b, c, d, nonce] = [1, 2, 3, 4, 5].map(|at| self.words.load(start.wrapping_add(at)));
        if Key([a, b, c, d]) != seal.key {
            return None;
        }
        let head = self.unseal(geometry, start, (seal, nonce), record)?;
        // All that was read so far may be of two editions, and is believed from here on only.
        sequence::holds(self.words, start, number).then_some((number, head))
    }

    fn unseal(
        &self,
        geometry: Geometry,
        start: usize,
        (seal, nonce): (&Seal, u32),
        record: &mut Record,
    ) -> Option<Head> {
        let inline = start.wrapping_add(PLAIN);
        let pair = |pair: usize, first: usize| {
            let [one, other] = seal.mask(nonce, pair as u32);
            let next = first.wrapping_add(1);
            [self.words.load(first) ^ one, self.words.load(next) ^ other]
        };
        let ([a, b], [c, d]) = (pair(0, inline), pair(1, inline.wrapping_add(2)));
        let head = Head::from_words([a, b, c, d])?;
        let block = match head.block {
            Some(number) => geometry.block(number)?,
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
}

/// Where an entry can be.
fn slots(geometry: Geometry, key: &Key) -> impl Iterator<Item = usize> + use<> {
    let bucket = |first: usize| (0..WAYS).map(move |way| first.wrapping_add(way));
    geometry.candidates(key).into_iter().flat_map(bucket)
}

/// What an answer says at a moment.
fn verdict(state: State, head: Head, items: &[u8], found: &mut dyn FnMut(Item<'_>)) -> Verdict {
    let Some(ttl) = head.ttl(state.now).filter(|_| head.epoch == state.epoch) else {
        return Verdict::Miss;
    };
    match head.kind {
        Kind::Found if hand_over(items, found) => Verdict::Found { ttl },
        Kind::NoData => Verdict::NoData { ttl },
        Kind::NotFound => Verdict::NotFound { ttl },
        Kind::Found | Kind::Ask => Verdict::Miss,
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
