//! The memory of a model.

use std::collections::BTreeMap;
use std::sync::Arc;

use loom::sync::atomic::{AtomicU32, Ordering, fence};

use crate::head::Fixed;
use crate::memory::Memory;
use crate::question::Question;
use crate::record::Verdict;
use crate::trial::{CLOCK, Heap};
use crate::view::View;
use crate::words::{Claim, Words, WordsMut};

/// Words of which some are shared.
#[derive(Clone)]
pub(crate) struct Shared {
    before: Arc<Heap>,
    words: Arc<BTreeMap<usize, AtomicU32>>,
    /// Whether readers have fences; they must.
    pub(crate) has_fences: bool,
}

impl Shared {
    pub(crate) fn new(before: Heap, places: impl IntoIterator<Item = usize>) -> Self {
        let word = |at| (at, AtomicU32::new(before.load(at)));
        let words = Arc::new(places.into_iter().map(word).collect());
        Self {
            before: Arc::new(before),
            words,
            has_fences: true,
        }
    }

    pub(crate) fn lookup(&self, fixed: Fixed, question: &Question<'_>) -> Verdict {
        self.lookup_with(&Memory::new(), fixed, question)
    }

    pub(crate) fn lookup_with<M: Claim>(
        &self,
        memory: &Memory<M>,
        fixed: Fixed,
        question: &Question<'_>,
    ) -> Verdict {
        let view = View {
            words: self,
            origin: &fixed,
            memory,
            map: 1,
        };
        view.lookup(CLOCK, question, &mut |_| {})
            .unwrap_or(Verdict::Miss)
    }
}

impl Words for Shared {
    fn load(&self, at: usize) -> u32 {
        match self.words.get(&at) {
            Some(word) => word.load(Ordering::Relaxed),
            None => self.before.load(at),
        }
    }

    fn load_acquire(&self, at: usize) -> u32 {
        match self.words.get(&at) {
            Some(word) => word.load(Ordering::Acquire),
            None => self.before.load(at),
        }
    }

    fn fence_acquire(&self) {
        if self.has_fences {
            fence(Ordering::Acquire);
        }
    }
}

impl WordsMut for Shared {
    fn store(&self, at: usize, value: u32) {
        if let Some(word) = self.words.get(&at) {
            word.store(value, Ordering::Relaxed);
        }
    }

    fn store_release(&self, at: usize, value: u32) {
        if let Some(word) = self.words.get(&at) {
            word.store(value, Ordering::Release);
        }
    }

    fn fence_release(&self) {
        fence(Ordering::Release);
    }
}

impl Claim for Shared {
    fn claim(&self, at: usize, number: u32) -> bool {
        let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
        self.words.get(&at).is_some_and(|word| {
            word.compare_exchange(number, number | 1, success, failure)
                .is_ok()
        })
    }
}
