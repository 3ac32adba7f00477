//! Entries by key, in the order in which they were last asked for, within a budget of bytes.

use std::{collections::HashMap, time::Duration};

use super::{entry::Entry, key::Key};

/// The end of a list.
const NONE: u32 = u32::MAX;
/// What an entry takes beside its own bytes: its slot, its place in the index (which is at least 7/16 full), and the
/// allocator's share of two blocks.
const OVERHEAD: usize = size_of::<Option<Slot>>() + (size_of::<(Key, u32)>() + 1) * 16 / 7 + 2 * 16;
/// Looking for what has expired costs a walk through all: not more often than this.
const SWEEP: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Slot {
    key: Key,
    entry: Entry,
    newer: u32,
    older: u32,
}

#[derive(Debug)]
pub(super) struct Store {
    index: HashMap<Key, u32>,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    newest: u32,
    oldest: u32,
    bytes: usize,
    limit: usize,
    next_sweep: Duration,
}

impl Store {
    /// Another budget. What is beyond it goes at once: there may be no next entry that fits, to make room for.
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        self.remove_oldest(0);
    }

    pub(super) fn new(limit: usize) -> Self {
        Self {
            index: HashMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            newest: NONE,
            oldest: NONE,
            bytes: 0,
            limit,
            next_sweep: Duration::ZERO,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.slots
            .iter()
            .flatten()
            .map(|slot| (&slot.key, &slot.entry))
    }

    /// The entry of a key, if it will do: from now on the one that was asked for last.
    pub(super) fn find(
        &mut self,
        key: &Key,
        will_do: impl FnOnce(&Entry) -> bool,
    ) -> Option<&mut Entry> {
        let at = *self.index.get(key)?;
        if !will_do(&self.slot(at)?.entry) {
            return None;
        }
        self.unlink(at);
        self.link(at);
        Some(&mut self.slot_mut(at)?.entry)
    }

    /// Puts an entry in, in place of one with the same key, and makes room for it.
    pub(super) fn insert(&mut self, key: Key, entry: Entry, now: Duration) {
        self.remove(&key);
        let bytes = cost(&key, &entry);
        if bytes > self.limit {
            return;
        }
        self.make_room(bytes, now);
        let slot = Slot {
            key: key.clone(),
            entry,
            newer: NONE,
            older: NONE,
        };
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                let Ok(at) = u32::try_from(self.slots.len()) else {
                    return;
                };
                self.slots.push(None);
                at
            }
        };
        if let Some(place) = self.slots.get_mut(at as usize) {
            *place = Some(slot);
        }
        self.index.insert(key, at);
        self.bytes += bytes;
        self.link(at);
    }

    /// Expired entries go first, then those that nobody asked for the longest.
    fn make_room(&mut self, bytes: usize, now: Duration) {
        if self.bytes + bytes > self.limit && now >= self.next_sweep {
            self.next_sweep = now.saturating_add(SWEEP);
            self.remove_where(|slot| slot.entry.kept_until <= now);
        }
        self.remove_oldest(bytes);
    }

    /// Until there is room for as many bytes.
    fn remove_oldest(&mut self, bytes: usize) {
        while self.bytes + bytes > self.limit && self.oldest != NONE {
            self.remove_at(self.oldest);
        }
    }

    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(at) = self.index.get(key) {
            self.remove_at(*at);
        }
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Key) -> bool) {
        self.remove_where(|slot| !keep(&slot.key));
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.limit);
    }

    fn remove_where(&mut self, which: impl Fn(&Slot) -> bool) {
        let slots = self.slots.iter().zip(0..);
        let gone: Vec<u32> = slots
            .filter(|(slot, _)| slot.as_ref().is_some_and(&which))
            .map(|(_, at)| at)
            .collect();
        for at in gone {
            self.remove_at(at);
        }
    }

    fn remove_at(&mut self, at: u32) {
        self.unlink(at);
        let Some(slot) = self.slots.get_mut(at as usize).and_then(Option::take) else {
            return;
        };
        self.index.remove(&slot.key);
        self.bytes -= cost(&slot.key, &slot.entry);
        self.free.push(at);
    }

    fn slot(&self, at: u32) -> Option<&Slot> {
        self.slots.get(at as usize)?.as_ref()
    }

    fn slot_mut(&mut self, at: u32) -> Option<&mut Slot> {
        self.slots.get_mut(at as usize)?.as_mut()
    }

    /// Makes a slot that is in no list the newest.
    fn link(&mut self, at: u32) {
        let next = self.newest;
        if let Some(slot) = self.slot_mut(at) {
            slot.newer = NONE;
            slot.older = next;
        }
        match self.slot_mut(next) {
            Some(slot) => slot.newer = at,
            None => self.oldest = at,
        }
        self.newest = at;
    }

    fn unlink(&mut self, at: u32) {
        let Some(slot) = self.slot(at) else {
            return;
        };
        let (newer, older) = (slot.newer, slot.older);
        match self.slot_mut(newer) {
            Some(slot) => slot.older = older,
            None => self.newest = older,
        }
        match self.slot_mut(older) {
            Some(slot) => slot.newer = newer,
            None => self.oldest = newer,
        }
    }
}

/// The bytes that an entry takes, all in all.
pub(super) fn cost(key: &Key, entry: &Entry) -> usize {
    OVERHEAD + key.len() + entry.heap_bytes()
}
