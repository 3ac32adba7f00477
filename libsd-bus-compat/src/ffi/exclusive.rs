//! What one thread at a time may touch.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

use super::threads::is_alone;
use crate::{Errno, Result};

/// The inside of an object of C's. A program that uses an object in two threads at once, which it may not, gets EDEADLK.
#[derive(Debug)]
pub struct Exclusive<T> {
    entered: AtomicBool,
    inside: UnsafeCell<T>,
}

// SAFETY: whoever is inside is alone there.
unsafe impl<T: Send> Sync for Exclusive<T> {}

impl<T> Exclusive<T> {
    pub const fn new(inside: T) -> Self {
        Self {
            entered: AtomicBool::new(false),
            inside: UnsafeCell::new(inside),
        }
    }

    /// The inside, of whose object there is no other reference.
    pub fn get_mut(&mut self) -> &mut T {
        self.inside.get_mut()
    }

    /// Goes inside. Nothing of C's is called while there, so that it does not come in again.
    pub fn enter(&self) -> Result<Inside<'_, T>> {
        let was_entered = if is_alone() {
            let was_entered = self.entered.load(Ordering::Relaxed);
            self.entered.store(true, Ordering::Relaxed);
            was_entered
        } else {
            self.entered.swap(true, Ordering::Acquire)
        };
        match was_entered {
            false => Ok(Inside { of: self }),
            true => Err(Errno::DEADLK),
        }
    }
}

/// The way out is to drop it.
#[derive(Debug)]
pub struct Inside<'a, T> {
    of: &'a Exclusive<T>,
}

impl<T> Drop for Inside<'_, T> {
    fn drop(&mut self) {
        self.of.entered.store(false, Ordering::Release);
    }
}

impl<T> Deref for Inside<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this is the only one inside.
        unsafe { &*self.of.inside.get() }
    }
}

impl<T> DerefMut for Inside<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this is the only one inside.
        unsafe { &mut *self.of.inside.get() }
    }
}
