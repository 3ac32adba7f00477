//! What one thread at a time may touch.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};

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

    /// Goes inside. Nothing of C's is called while there, so that it does not come in again.
    pub fn enter(&self) -> Result<Inside<'_, T>> {
        match self.entered.swap(true, Ordering::Acquire) {
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
