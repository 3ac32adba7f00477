//! The header of a map. Places are counted in words.

use crate::geometry::{BLOCK, Geometry, SLOT};
#[cfg(any(test, feature = "writer"))]
use crate::question::{ADDRESS, NAME};
use crate::words::Words;

/// `lookasid`, as bytes.
pub(crate) const MAGIC: [u32; 2] = [u32::from_ne_bytes(*b"look"), u32::from_ne_bytes(*b"asid")];
/// The version of the format that is described in docs/lookaside.md.
pub(crate) const VERSION: u32 = 2;

/// What a reader looks at once.
pub(crate) mod fixed {
    pub(crate) const MAGIC: usize = 0;
    pub(crate) const VERSION: usize = 2;
    pub(crate) const SIZE: usize = 3;
    pub(crate) const BUCKETS: usize = 4;
    pub(crate) const SLOT_SIZE: usize = 5;
    pub(crate) const BLOCK_SIZE: usize = 6;
    pub(crate) const SALT: usize = 8;
}

/// What it looks at each time: one line of the processor's cache.
pub(crate) mod state {
    pub(crate) const RETIRED: usize = 16;
    pub(crate) const COMPLETE: usize = 17;
    pub(crate) const EPOCH: usize = 18;
    pub(crate) const LEASE: usize = 19;
    pub(crate) const ASLEEP: usize = 20;
}

/// What it never looks at: numbers for people.
#[cfg(any(test, feature = "writer"))]
pub(crate) mod counter {
    pub(crate) const CREATED: usize = 32;
    pub(crate) const ENTRIES: usize = 33;
    pub(crate) const BLOCKS: usize = 34;
    pub(crate) const PUBLISHED: usize = 35;
    pub(crate) const REMOVED: usize = 36;
    pub(crate) const EVICTED: usize = 37;
    pub(crate) const REFUSED: usize = 38;
    pub(crate) const VOIDED: usize = 39;
}

/// The longest lease that is believed, in seconds.
pub(crate) const LONGEST_LEASE: u32 = 60;

/// What never changes in a file: where things are, and the salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fixed {
    pub(crate) geometry: Geometry,
    pub(crate) salt: [u8; 16],
}

impl Fixed {
    /// That of a map in a file of `size` bytes, by what is known of it.
    pub(crate) fn new(size: usize, salt: [u8; 16]) -> Option<Self> {
        let geometry = Geometry::of(size)?;
        Some(Self { geometry, salt })
    }

    /// That of a map in a file of `size` bytes, if it is one of this version.
    pub(crate) fn read<W: Words>(words: &W, size: usize) -> Option<Self> {
        let geometry = Geometry::of(size)?;
        for (at, expected) in Self::words(geometry, size) {
            if words.load(at) != expected {
                return None;
            }
        }
        let mut salt = [0; 16];
        let (chunks, _) = salt.as_chunks_mut::<4>();
        for (at, chunk) in chunks.iter_mut().enumerate() {
            *chunk = words.load(fixed::SALT.wrapping_add(at)).to_ne_bytes();
        }
        Some(Self { geometry, salt })
    }

    /// The words that a file of this size begins with.
    pub(crate) fn words(geometry: Geometry, size: usize) -> [(usize, u32); 7] {
        let [magic, rest] = MAGIC;
        [
            (fixed::MAGIC, magic),
            (fixed::MAGIC + 1, rest),
            (fixed::VERSION, VERSION),
            (fixed::SIZE, size as u32),
            (fixed::BUCKETS, geometry.buckets() as u32),
            (fixed::SLOT_SIZE, 4 * SLOT as u32),
            (fixed::BLOCK_SIZE, 4 * BLOCK as u32),
        ]
    }
}

/// Who knows what never changes in a map. It is asked for a name that has to be looked for: what is remembered is found without.
pub(crate) trait Origin {
    /// `None` if nothing is known yet.
    fn fixed(&self) -> Option<Fixed>;
}

impl Origin for Fixed {
    fn fixed(&self) -> Option<Fixed> {
        Some(*self)
    }
}

/// Whether all that there is of a kind is in a map, so that what it has not got does not exist.
#[cfg(any(test, feature = "writer"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Complete {
    /// Nobody says so.
    #[default]
    Nothing,
    /// All names are, with what they stand for.
    Names,
    /// All names, and all addresses with theirs.
    All,
}

#[cfg(any(test, feature = "writer"))]
impl Complete {
    /// The word in the header: a bit for each kind of question.
    pub(crate) fn word(self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Names => NAME.into(),
            Self::All => (NAME | ADDRESS).into(),
        }
    }

    /// What a word says to people.
    pub(crate) fn of_word(word: u32) -> Self {
        let is_said = |complete: &Self| word & complete.word() == complete.word();
        let found = [Self::All, Self::Names].into_iter().find(is_said);
        found.unwrap_or_default()
    }
}

/// Whether a map is over.
pub(crate) fn is_retired<W: Words>(words: &W) -> bool {
    words.load(state::RETIRED) != 0
}

/// A map that answers, as it is at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// The second, as the map counts them.
    pub(crate) now: u32,
    /// What older entries are not of.
    pub(crate) epoch: u32,
    /// Of which kinds of questions what is not in the map is not: [`Complete`].
    pub(crate) complete: u32,
}

impl State {
    /// `None` if the map is retired, or its lease has run out. `clock` is in seconds of
    /// `CLOCK_MONOTONIC`.
    pub(crate) fn read<W: Words>(words: &W, clock: u32) -> Option<Self> {
        // The lease before what it is measured by: a daemon that wakes from the machine's sleep writes
        // the other first.
        let lease = words.load_acquire(state::LEASE);
        let now = clock.wrapping_add(words.load(state::ASLEEP));
        // One that is farther off is a clock of another kind (time_namespaces(7)), or a lie.
        let left = lease.wrapping_sub(now);
        if is_retired(words) || left == 0 || left > LONGEST_LEASE {
            return None;
        }
        Some(Self {
            now,
            epoch: words.load(state::EPOCH),
            complete: words.load(state::COMPLETE),
        })
    }
}
