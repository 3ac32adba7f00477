//! Calls, until they are answered.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    connection::MAX_QUEUE,
    error::{Error, Result},
};

/// Numbers for messages. They begin again behind the last one, and 0 is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Serials(u32);

impl Serials {
    /// Goes on behind this number.
    pub fn at(last: u32) -> Self {
        Self(last)
    }

    /// The next number that nobody waits for.
    pub fn next<T>(&mut self, replies: &Replies<T>) -> u32 {
        loop {
            self.0 = self.0.checked_add(1).unwrap_or(1);
            // There are fewer calls than numbers.
            if !replies.calls.contains_key(&self.0) {
                return self.0;
            }
        }
    }
}

/// Calls that wait for an answer, each with what is to be done with it.
#[derive(Debug)]
pub struct Replies<T> {
    calls: BTreeMap<u32, (u64, T)>,
    /// By the time at which it is too late. That is in units of the caller's.
    deadlines: BTreeSet<(u64, u32)>,
}

impl<T> Default for Replies<T> {
    fn default() -> Self {
        Self {
            calls: BTreeMap::new(),
            deadlines: BTreeSet::new(),
        }
    }
}

impl<T> Replies<T> {
    /// Waits for the answer to this call, until then; `u64::MAX` is for ever.
    ///
    /// # Errors
    /// [`Error::Exists`]: it is waited for; [`Error::Full`]: there are too many.
    pub fn insert(&mut self, serial: u32, deadline: u64, then: T) -> Result<()> {
        if self.calls.contains_key(&serial) {
            return Err(Error::Exists);
        }
        if self.calls.len() >= MAX_QUEUE {
            return Err(Error::Full);
        }
        self.calls.insert(serial, (deadline, then));
        if deadline < u64::MAX {
            self.deadlines.insert((deadline, serial));
        }
        Ok(())
    }

    /// What is to be done with an answer to this call; nothing if nobody waits for it.
    pub fn take(&mut self, serial: u32) -> Option<T> {
        let (deadline, then) = self.calls.remove(&serial)?;
        self.deadlines.remove(&(deadline, serial));
        Some(then)
    }

    /// What is to be done for it.
    pub fn get_mut(&mut self, serial: u32) -> Option<&mut T> {
        self.calls.get_mut(&serial).map(|(_, then)| then)
    }

    /// When it is first too late for an answer.
    pub fn deadline(&self) -> Option<u64> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// A call for whose answer it is too late by now, and what was to be done with it.
    pub fn expire(&mut self, now: u64) -> Option<(u32, T)> {
        let (_, serial) = *self
            .deadlines
            .first()
            .filter(|(deadline, _)| *deadline <= now)?;
        Some((serial, self.take(serial)?))
    }

    /// A call that is waited for, as when the connection is closed and none will be answered.
    pub fn abandon(&mut self) -> Option<(u32, T)> {
        let serial = *self.calls.keys().next()?;
        Some((serial, self.take(serial)?))
    }

    /// How many calls are waited for.
    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
}
