//! Which slot has which block.

use std::collections::HashMap;
use std::vec::Vec;

use crate::geometry::Geometry;

/// The blocks of a map.
#[derive(Debug)]
pub(crate) struct Blocks {
    /// By slot.
    taken: HashMap<usize, usize>,
    /// Given back.
    free: Vec<usize>,
    /// All from here on have never been taken.
    fresh: usize,
    count: usize,
}

impl Blocks {
    pub(crate) fn new(geometry: Geometry) -> Self {
        Self {
            taken: HashMap::new(),
            free: Vec::new(),
            fresh: 0,
            count: geometry.buckets(),
        }
    }

    /// The block that a slot has, or else a free one for it.
    pub(crate) fn take(&mut self, slot: usize) -> Option<usize> {
        if let Some(block) = self.taken.get(&slot) {
            return Some(*block);
        }
        let block = self.free.pop().or_else(|| {
            let fresh = self.fresh;
            (fresh < self.count).then(|| {
                self.fresh += 1;
                fresh
            })
        })?;
        self.taken.insert(slot, block);
        Some(block)
    }

    /// Gives back the block of a slot, if it has one.
    pub(crate) fn release(&mut self, slot: usize) {
        self.free.extend(self.taken.remove(&slot));
    }

    /// The slots that have one.
    pub(crate) fn owners(&self) -> impl Iterator<Item = usize> {
        self.taken.keys().copied()
    }

    pub(crate) fn used(&self) -> u32 {
        self.taken.len() as u32
    }
}
