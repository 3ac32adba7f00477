//! A map in numbers.

use core::ffi::CStr;

use crate::head::{Complete, Fixed, State, counter, is_retired, state};
use crate::sys::{open, seconds};
use crate::words::Words;

/// What can be told of a map without knowing a name in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The size of the file in bytes.
    pub size: usize,
    /// How many entries it has room for.
    pub slots: usize,
    /// How many entries there are.
    pub entries: u32,
    /// How many entries it has room for that are longer than a slot.
    pub blocks: usize,
    /// How many of those there are.
    pub long_entries: u32,
    /// For how many seconds there has been the file.
    pub age: u32,
    /// For how many seconds the lease runs yet; `None` if readers ask the daemon.
    pub lease: Option<u32>,
    /// Whether its daemon has ended.
    pub is_retired: bool,
    /// Of what it has all that there is.
    pub complete: Complete,
    /// How often an answer was published.
    pub published: u32,
    /// How often one was taken out.
    pub removed: u32,
    /// How often one had to make room.
    pub evicted: u32,
    /// How often one was too long.
    pub refused: u32,
    /// How often all were voided.
    pub voided: u32,
}

impl Stat {
    /// The numbers of the map at `path`. `None` if there is none that readers would believe.
    pub fn read(path: &CStr) -> Option<Self> {
        Self::owned_by(0, path)
    }

    /// As [`read`](Self::read), for tests that are not root.
    #[doc(hidden)]
    pub fn owned_by(owner: u32, path: &CStr) -> Option<Self> {
        let (mapping, _) = open(path, owner)?;
        let words = mapping.region();
        let geometry = Fixed::read(&words, mapping.size())?.geometry;
        let clock = seconds();
        let now = clock.wrapping_add(words.load(state::ASLEEP));
        let lives = State::read(&words, clock).is_some();
        Some(Self {
            size: mapping.size(),
            slots: geometry.slots(),
            entries: words.load(counter::ENTRIES),
            blocks: geometry.buckets(),
            long_entries: words.load(counter::BLOCKS),
            age: now.wrapping_sub(words.load(counter::CREATED)),
            lease: lives.then(|| words.load(state::LEASE).wrapping_sub(now)),
            is_retired: is_retired(&words),
            complete: Complete::of_word(words.load(state::COMPLETE)),
            published: words.load(counter::PUBLISHED),
            removed: words.load(counter::REMOVED),
            evicted: words.load(counter::EVICTED),
            refused: words.load(counter::REFUSED),
            voided: words.load(counter::VOIDED),
        })
    }
}
