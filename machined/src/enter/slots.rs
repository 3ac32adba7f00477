//! How many operations may be under way, so that neither callers nor machines that answer nothing can fill the system with
//! processes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::error::Error;

/// Copies, in all.
const MOST_COPIES: usize = 64;

/// For one machine, of those that have a deadline: a machine that stalls them can't keep others from theirs.
const PER_MACHINE: usize = 16;

/// Of those in all: so many that it takes more than a few such machines to fill them.
const MOST_SHORT: usize = 256;

/// The operations of one kind that are under way, by machine.
#[derive(Debug)]
pub struct Slots {
    taken: Mutex<BTreeMap<String, usize>>,
    per_machine: usize,
    total: usize,
}

/// Copies: they take as long as they take.
pub static COPIES: Slots = Slots::new(MOST_COPIES, MOST_COPIES);

/// All others.
pub static SHORT: Slots = Slots::new(PER_MACHINE, MOST_SHORT);

/// A place among them, until the last of those who share it has dropped it.
#[derive(Debug, Clone)]
pub struct Slot {
    _place: Arc<Place>,
}

#[derive(Debug)]
struct Place {
    slots: &'static Slots,
    machine: String,
}

impl Slots {
    const fn new(per_machine: usize, total: usize) -> Self {
        Self {
            taken: Mutex::new(BTreeMap::new()),
            per_machine,
            total,
        }
    }

    /// Takes a place, or says that there is none.
    pub fn take(&'static self, machine: &str) -> Result<Slot, Error> {
        let mut taken = self.lock();
        let own = taken.get(machine).copied().unwrap_or(0);
        if own >= self.per_machine || taken.values().sum::<usize>() >= self.total {
            let what = "Too many ongoing operations";
            return Err(Error::LimitsExceeded(what.to_owned()));
        }
        taken.insert(machine.to_owned(), own + 1);
        Ok(Slot {
            _place: Arc::new(Place {
                slots: self,
                machine: machine.to_owned(),
            }),
        })
    }

    /// Whether the machine has any.
    #[cfg(test)]
    pub fn holds(&self, machine: &str) -> bool {
        self.lock().contains_key(machine)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
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
        static SLOTS: Slots = Slots::new(PER_MACHINE, MOST_SHORT);
        let full: Vec<_> = (0..PER_MACHINE).map(|_| SLOTS.take("a").unwrap()).collect();
        assert!(SLOTS.take("a").is_err());
        let other = SLOTS.take("b").unwrap();
        drop(full);
        drop(other);
        assert!(SLOTS.lock().is_empty());
    }

    #[test]
    fn the_sixty_fifth_is_refused() {
        static SLOTS: Slots = Slots::new(MOST_COPIES, MOST_COPIES);
        let mut full: Vec<_> = (0..MOST_COPIES).map(|_| SLOTS.take("a").unwrap()).collect();
        assert!(SLOTS.take("b").is_err());
        full.pop();
        assert!(SLOTS.take("b").is_ok());
    }

    #[test]
    fn a_place_is_free_when_nobody_has_it() {
        static SLOTS: Slots = Slots::new(1, 1);
        let first = SLOTS.take("a").unwrap();
        let second = first.clone();
        drop(first);
        assert!(SLOTS.take("a").is_err());
        drop(second);
        assert!(SLOTS.take("a").is_ok());
    }
}
