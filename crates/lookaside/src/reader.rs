//! A daemon's map, as a process that asks knows it.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::head::{Fixed, Origin, is_retired};
use crate::memory::Memory;
use crate::question::Question;
use crate::record::{Item, Verdict};
use crate::sys::{Identity, Place, identity, open, seconds};
use crate::view::{Stale, View};

/// How many files of one daemon a process takes up in its life. Each that has been replaced stays mapped, and
/// so in memory, for as long as a process has it; beyond that many the daemon is asked.
const GENERATIONS: usize = 4;

/// Whose files are believed: root's.
const ROOT: u32 = 0;

/// Whose map, and so which file. The first is all zeros, of which a `static` takes no room in a module's file.
#[derive(Debug)]
pub enum Source {
    /// machined's names and addresses of machines: /run/switchyard/machines.map.
    Machined,
    /// resolved's answers: /run/switchyard/resolve.map.
    Resolved,
    /// Another file, of whose user; for tests, which may not be root.
    #[doc(hidden)]
    File(&'static CStr, u32),
}

impl Source {
    fn path(&self) -> &'static CStr {
        match self {
            Source::Machined => c"/run/switchyard/machines.map",
            Source::Resolved => c"/run/switchyard/resolve.map",
            Source::File(path, _) => path,
        }
    }

    fn owner(&self) -> u32 {
        match self {
            Source::Machined | Source::Resolved => ROOT,
            Source::File(_, owner) => *owner,
        }
    }
}

/// A daemon's map, to be kept in a `static`. Usable by all threads at once and by children of
/// `fork(2)`, whatever was going on in their parents.
#[derive(Debug)]
pub struct Lookaside {
    source: Source,
    /// The second in which somebody last looked for a file; 0: nobody has.
    looked: AtomicU32,
    /// How many of the generations have been taken up.
    current: AtomicU32,
    generations: [Generation; GENERATIONS],
    memory: Memory,
}

#[derive(Debug)]
struct Generation {
    place: Place,
    salt: [AtomicU32; 4],
    identity: [AtomicU32; 4],
}

impl Lookaside {
    /// A map of which nothing is known. Nothing is opened before the first question.
    pub const fn new(source: Source) -> Self {
        Self {
            source,
            looked: AtomicU32::new(0),
            current: AtomicU32::new(0),
            generations: [const { Generation::new() }; GENERATIONS],
            memory: Memory::new(),
        }
    }

    /// As [`new`](Self::new), for tests that are not root.
    #[doc(hidden)]
    pub const fn owned_by(owner: u32, path: &'static CStr) -> Self {
        Self::new(Source::File(path, owner))
    }

    /// Answers a question, handing the parts of the answer to `found`. Costs no system call, unless
    /// there is no map that answers: then one a second, and a few more when there is a new file.
    ///
    /// Does to `errno` what system calls do.
    pub fn lookup(&self, question: &Question<'_>, found: &mut dyn FnMut(Item<'_>)) -> Verdict {
        let clock = seconds();
        match self.ask(clock, question, found) {
            Err(Stale) if self.look(clock) => self.ask(clock, question, found),
            outcome => outcome,
        }
        .unwrap_or(Verdict::Miss)
    }

    fn ask(
        &self,
        clock: u32,
        question: &Question<'_>,
        found: &mut dyn FnMut(Item<'_>),
    ) -> Result<Verdict, Stale> {
        let (number, generation) = self.current().ok_or(Stale)?;
        let words = generation.place.region().ok_or(Stale)?;
        let view = View {
            words: &words,
            origin: generation,
            memory: &self.memory,
            map: number,
        };
        view.lookup(clock, question, found)
    }

    /// Whether there is a new file, which then has been taken up. Looks once a second.
    fn look(&self, clock: u32) -> bool {
        let last = self.looked.load(Ordering::Relaxed);
        let relaxed = Ordering::Relaxed;
        if last == clock
            || self
                .looked
                .compare_exchange(last, clock, relaxed, relaxed)
                .is_err()
        {
            return false;
        }
        let is_free = |generation: &Generation| !generation.place.is_taken();
        let Some(number) = self.generations.iter().position(is_free) else {
            return false;
        };
        let current = self.current().map(|(_, generation)| generation.identity());
        if current.is_some() && current == identity(self.source.path()) {
            return false;
        }
        self.take_up(number).is_some()
    }

    /// The generation that answers, and its number.
    fn current(&self) -> Option<(u32, &Generation)> {
        let count = self.current.load(Ordering::Acquire);
        let generation = self.generations.get((count as usize).checked_sub(1)?)?;
        Some((count, generation))
    }

    /// Opens the file that is there and makes it the generation of this number.
    fn take_up(&self, number: usize) -> Option<()> {
        let (mapping, identity) = open(self.source.path(), self.source.owner())?;
        let fixed = Fixed::read(&mapping.region(), mapping.size())?;
        if is_retired(&mapping.region()) {
            return None;
        }
        let generation = self.generations.get(number)?;
        let notes = || generation.note(fixed.salt, identity);
        generation.place.put(mapping, notes).ok()?;
        // Not back to an older one, if a thread was slow.
        let count = number.saturating_add(1) as u32;
        self.current.fetch_max(count, Ordering::Release);
        Some(())
    }
}

impl Generation {
    const fn new() -> Self {
        Self {
            place: Place::new(),
            salt: [const { AtomicU32::new(0) }; 4],
            identity: [const { AtomicU32::new(0) }; 4],
        }
    }

    fn note(&self, salt: [u8; 16], identity: Identity) {
        let (words, _) = salt.as_chunks();
        for (place, word) in self.salt.iter().zip(words) {
            place.store(u32::from_ne_bytes(*word), Ordering::Relaxed);
        }
        for (place, word) in self.identity.iter().zip(identity) {
            place.store(word, Ordering::Relaxed);
        }
    }

    fn identity(&self) -> Identity {
        self.identity
            .each_ref()
            .map(|word| word.load(Ordering::Relaxed))
    }
}

impl Origin for Generation {
    /// What never changes was checked when the file was opened, and is not read out of it again.
    fn fixed(&self) -> Option<Fixed> {
        let words = self.place.region()?;
        let mut salt = [0; 16];
        let (chunks, _) = salt.as_chunks_mut();
        for (chunk, word) in chunks.iter_mut().zip(&self.salt) {
            *chunk = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        Fixed::new(words.size(), salt)
    }
}
