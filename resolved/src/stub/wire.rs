//! Answers in wire form, to be given again with another id and shorter times.
//!
//! What is kept is a whole message without its OPT record, as it was sent. A copy lives no longer than the shortest TTL in it,
//! and is void once the cache has another [generation](crate::cache::Shared::generation).

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState},
    sync::atomic::{AtomicBool, AtomicU8, Ordering},
};

use super::query::{HEADER, Query, bit};
use crate::{cache::Shared, clock::boottime};

/// Longer messages are not kept: they are rare, and threads have buffers of this size.
pub(super) const LONGEST: usize = 4096;
/// Type, class, TTL and length of data.
const RECORD: usize = 10;
/// Type and class.
const QUESTION: usize = 4;
/// Beside the message: the entry, its place in the table (at least 7/16 full), the allocator's share.
const OVERHEAD: usize = (size_of::<(u64, Copy)>() + 1) * 16 / 7 + 16;
/// Given as often as this, a copy is worth being fetched anew.
const HOT: u8 = 3;

/// An answer that may be given again.
#[derive(Debug)]
struct Copy {
    message: Box<[u8]>,
    /// It has the signatures.
    dnssec_ok: bool,
    authentic: bool,
    generation: u64,
    /// Seconds of CLOCK_BOOTTIME, which are enough for 136 years.
    made: u32,
    /// Seconds; the shortest TTL.
    lives: u32,
    /// Not beyond 255.
    given: AtomicU8,
    prefetched: AtomicBool,
}

/// When something happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Of the cache.
    pub(super) generation: u64,
    /// Seconds of CLOCK_BOOTTIME.
    pub(super) now: u32,
}

impl Moment {
    pub(super) fn now(cache: &Shared) -> Self {
        Self {
            generation: cache.generation(),
            now: u32::try_from(boottime().as_secs()).unwrap_or(u32::MAX),
        }
    }
}

/// What a copy answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// Of the answer in the buffer.
    pub(super) length: usize,
    /// Asked often and soon over. Said once.
    pub(super) prefetch: bool,
}

/// Keys are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// The copies by the hash of name, type and DO bit. Two questions with one hash take turns, which nobody can bring about:
/// the hash has a secret.
#[derive(Debug)]
pub(super) struct Table {
    copies: HashMap<u64, Copy, BuildHasherDefault<Hashed>>,
    secret: RandomState,
    bytes: usize,
    limit: usize,
}

impl Table {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            copies: HashMap::default(),
            secret: RandomState::new(),
            bytes: 0,
            limit,
        }
    }

    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn hash(&self, query: &Query<'_>) -> u64 {
        let mut lower = [0; 255];
        let name = lower.get_mut(..query.name.len()).unwrap_or_default();
        name.copy_from_slice(query.name.get(..name.len()).unwrap_or_default());
        name.make_ascii_lowercase();
        let mut hasher = self.secret.build_hasher();
        hasher.write(name);
        hasher.write_u32(u32::from(query.rtype) << 1 | u32::from(query.dnssec_ok()));
        hasher.finish()
    }

    /// Writes the answer to a query that was found to be in order into `answer`, which is empty; `None` where there is
    /// no copy, or the client can't take it as it is.
    pub(super) fn answer(
        &self,
        query: &Query<'_>,
        size: u16,
        moment: Moment,
        answer: &mut Vec<u8>,
    ) -> Option<Given> {
        let copy = self.copies.get(&self.hash(query))?;
        let age = moment.now.checked_sub(copy.made)?;
        let left = copy.lives.checked_sub(age).filter(|left| *left > 0)?;
        let length = copy.message.len() + query.edns.map_or(0, |_| super::reply::OPT);
        let longest = query.edns.map_or(512, |edns| edns.size);
        if copy.generation != moment.generation
            || !copy.answers(query)
            || length > usize::from(longest)
        {
            return None;
        }
        answer.extend_from_slice(&copy.message);
        patch(answer, query, copy.authentic, age)?;
        if let Some(edns) = query.edns {
            super::reply::append_opt(answer, size, edns.dnssec_ok, 0, &[]);
            count_additional(answer)?;
        }
        let given = copy.given.load(Ordering::Relaxed);
        copy.given.store(given.saturating_add(1), Ordering::Relaxed);
        let late = u64::from(left) * 10 < u64::from(copy.lives);
        let prefetch = late && given >= HOT && !copy.prefetched.swap(true, Ordering::Relaxed);
        Some(Given {
            length: answer.len(),
            prefetch,
        })
    }

    /// Keeps a message without OPT that was the whole answer to this query. `moment`: of before it was looked up, for what
    /// has changed since then.
    pub(super) fn put(
        &mut self,
        query: &Query<'_>,
        message: &[u8],
        authentic: bool,
        moment: Moment,
    ) {
        let Some(lives) = shortest_ttl(message).filter(|ttl| *ttl > 0) else {
            return;
        };
        if message.len() > LONGEST {
            return;
        }
        let copy = Copy {
            message: message.into(),
            dnssec_ok: query.dnssec_ok(),
            authentic,
            generation: moment.generation,
            made: moment.now,
            lives,
            given: AtomicU8::new(0),
            prefetched: AtomicBool::new(false),
        };
        let bytes = copy.bytes();
        self.make_room(bytes, moment);
        if self.bytes + bytes > self.limit {
            return;
        }
        self.bytes += bytes;
        if let Some(old) = self.copies.insert(self.hash(query), copy) {
            self.bytes -= old.bytes();
        }
    }

    /// First what is over or void goes, then what was given least.
    fn make_room(&mut self, bytes: usize, moment: Moment) {
        if self.bytes + bytes <= self.limit {
            return;
        }
        self.retain(|copy| {
            copy.generation == moment.generation
                && moment.now < copy.made.saturating_add(copy.lives)
        });
        // Some at once, not one at each turn: looking costs a walk through all.
        let most = self.limit / 8 * 7;
        while self.bytes + bytes > most && !self.copies.is_empty() {
            // Each turn halves the counts, so the last one leaves nothing.
            self.retain(|copy| {
                let given = copy.given.load(Ordering::Relaxed);
                copy.given.store(given / 2, Ordering::Relaxed);
                given > 1
            });
        }
    }

    fn retain(&mut self, keep: impl Fn(&Copy) -> bool) {
        self.copies.retain(|_, copy| keep(copy));
        self.bytes = self.copies.values().map(Copy::bytes).sum();
    }
}

impl Copy {
    fn bytes(&self) -> usize {
        OVERHEAD + self.message.len()
    }

    fn answers(&self, query: &Query<'_>) -> bool {
        let end = HEADER + query.name.len();
        let name = self.message.get(HEADER..end);
        let tail = self.message.get(end..end + QUESTION);
        self.dnssec_ok == query.dnssec_ok()
            && name.is_some_and(|name| name.eq_ignore_ascii_case(query.name))
            && tail.is_some_and(|tail| {
                let [t0, t1] = query.rtype.to_be_bytes();
                let [c0, c1] = query.class.to_be_bytes();
                tail == [t0, t1, c0, c1]
            })
    }
}

/// Makes a message the answer to a query: its id, its bits, its spelling, the time that is left.
fn patch(message: &mut [u8], query: &Query<'_>, authentic: bool, age: u32) -> Option<()> {
    let mut bits =
        flags(message) & !(bit::AUTHENTIC_DATA | bit::CHECKING_DISABLED | bit::RECURSION_DESIRED);
    bits |= query.flags & (bit::CHECKING_DISABLED | bit::RECURSION_DESIRED);
    if authentic && query.wants_authentic() {
        bits |= bit::AUTHENTIC_DATA;
    }
    put_u16(message, 0, query.id)?;
    put_u16(message, 2, bits)?;
    let end = HEADER + query.name.len();
    message.get_mut(HEADER..end)?.copy_from_slice(query.name);
    each_ttl(message, |ttl| {
        *ttl = u32::from_be_bytes(*ttl).saturating_sub(age).to_be_bytes();
    })
}

fn flags(message: &[u8]) -> u16 {
    match message {
        [_, _, high, low, ..] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    }
}

fn put_u16(message: &mut [u8], at: usize, value: u16) -> Option<()> {
    let place = message.get_mut(at..at + 2)?;
    place.copy_from_slice(&value.to_be_bytes());
    Some(())
}

/// One record more in the additional section.
pub(super) fn count_additional(message: &mut [u8]) -> Option<()> {
    let counts = u16::from_be_bytes([*message.get(10)?, *message.get(11)?]);
    put_u16(message, 10, counts.checked_add(1)?)
}

fn shortest_ttl(message: &[u8]) -> Option<u32> {
    let mut copy = message.to_vec();
    let mut shortest = None;
    each_ttl(&mut copy, |ttl| {
        let ttl = u32::from_be_bytes(*ttl);
        shortest = Some(shortest.map_or(ttl, |other: u32| other.min(ttl)));
    })?;
    shortest
}

/// Shows the TTL of every record of a message that has one question and no OPT record.
fn each_ttl(message: &mut [u8], mut show: impl FnMut(&mut [u8; 4])) -> Option<()> {
    let mut records = 0;
    for count in message.get(6..HEADER)?.chunks_exact(2) {
        records += u32::from(u16::from_be_bytes([*count.first()?, *count.last()?]));
    }
    let mut rest = skip_name(message.get_mut(HEADER..)?)?.get_mut(QUESTION..)?;
    for _ in 0..records {
        rest = skip_name(rest)?;
        show(rest.get_mut(4..8)?.first_chunk_mut()?);
        let length = u16::from_be_bytes([*rest.get(8)?, *rest.get(9)?]);
        rest = rest.get_mut(RECORD + usize::from(length)..)?;
    }
    Some(())
}

fn skip_name(mut rest: &mut [u8]) -> Option<&mut [u8]> {
    loop {
        match *rest.first()? {
            0 => return rest.get_mut(1..),
            0xc0.. => return rest.get_mut(2..),
            length => rest = rest.get_mut(1 + usize::from(length)..)?,
        }
    }
}
