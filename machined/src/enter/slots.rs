//! How many operations may be under way, so that neither callers nor machines that answer nothing can fill the system with
//! processes.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::error::Error;

/// In all.
const TOTAL: usize = 64;

/// For one machine, of those that have a deadline: a machine that stalls them can't keep others from theirs.
const PER_MACHINE: usize = 16;

/// The operations of one kind that are under way, by machine.
#[derive(Debug)]
pub struct Slots {
    taken: Mutex<BTreeMap<String, usize>>,
    per_machine: usize,
}

/// Copies: they take as long as they take.
pub static COPIES: Slots = Slots::new(TOTAL);

/// All others.
pub static SHORT: Slots = Slots::new(PER_MACHINE);

/// A place among them, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    slots: &'static Slots,
    machine: String,
}

impl Slots {
    const fn new(per_machine: usize) -> Self {
        Self {
            taken: Mutex::new(BTreeMap::new()),
            per_machine,
        }
    }

    /// Takes a place, or says that there is none.
    pub fn take(&'static self, machine: &str) -> Result<Slot, Error> {
        let mut taken = self.lock();
        let own = taken.get(machine).copied().unwrap_or(0);
        if own >= self.per_machine || taken.values().sum::<usize>() >= TOTAL {
            let what = "Too many ongoing operations";
            return Err(Error::LimitsExceeded(what.to_owned()));
        }
        taken.insert(machine.to_owned(), own + 1);
        Ok(Slot {
            slots: self,
            machine: machine.to_owned(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        if let Some(own) = taken.get_mut(&self.machine) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.machine);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_can_not_take_the_places_of_others() {
        static SLOTS: Slots = Slots::new(PER_MACHINE);
        let full: Vec<_> = (0..PER_MACHINE).map(|_| SLOTS.take("a").unwrap()).collect();
        assert!(SLOTS.take("a").is_err());
        let other = SLOTS.take("b").unwrap();
        drop(full);
        drop(other);
        assert!(SLOTS.lock().is_empty());
    }

    #[test]
    fn the_sixty_fifth_is_refused() {
        static SLOTS: Slots = Slots::new(TOTAL);
        let mut full: Vec<_> = (0..TOTAL).map(|_| SLOTS.take("a").unwrap()).collect();
        assert!(SLOTS.take("b").is_err());
        full.pop();
        assert!(SLOTS.take("b").is_ok());
    }
}
