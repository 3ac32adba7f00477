//! A number of owners, which is locked where there are threads.

use std::process::abort;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use crate::ffi::threads::is_alone;

/// More owners than memory has room for: somebody takes and never gives back.
const MOST: usize = isize::MAX as usize;

/// How many there are.
#[derive(Debug)]
pub struct Count(AtomicUsize);

impl Count {
    pub const fn new(count: usize) -> Self {
        Self(AtomicUsize::new(count))
    }

    /// The first one, whom nobody else can have looked at.
    pub fn begin(&self) {
        self.0.store(1, Ordering::Release);
    }

    /// One more. Who has one gives another: nobody else need see it.
    #[inline]
    pub fn add(&self) {
        let before = if is_alone() {
            let before = self.0.load(Ordering::Relaxed);
            self.0.store(before.wrapping_add(1), Ordering::Relaxed);
            before
        } else {
            self.0.fetch_add(1, Ordering::Relaxed)
        };
        if before > MOST {
            abort();
        }
    }

    /// One more, unless there is none.
    #[inline]
    pub fn add_to_some(&self) -> bool {
        if is_alone() {
            let is_some = self.0.load(Ordering::Relaxed) > 0;
            if is_some {
                self.add();
            }
            return is_some;
        }
        let more = |count| (1..=MOST).contains(&count).then(|| count + 1);
        let added = self
            .0
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, more);
        added.is_ok()
    }

    /// One less. Whether that was the last: then the caller sees what all others have done.
    #[inline]
    pub fn take(&self) -> bool {
        if is_alone() {
            let before = self.0.load(Ordering::Relaxed);
            self.0.store(before.wrapping_sub(1), Ordering::Relaxed);
            return before == 1;
        }
        let is_last = self.0.fetch_sub(1, Ordering::Release) == 1;
        if is_last {
            fence(Ordering::Acquire);
        }
        is_last
    }
}
