//! The memory that a map lies in, as words of 32 bits.
//!
//! Everything that is shared goes through here, so that the models of tests can put themselves in
//! the place of a file.

use core::sync::atomic::{AtomicU32, Ordering, fence};

/// Words that others read or write at the same time. A word outside is zero, and writing there does
/// nothing.
pub(crate) trait Words {
    /// A word, in no order with others.
    fn load(&self, at: usize) -> u32;

    /// A word; what its writer had written before is seen by what follows.
    fn load_acquire(&self, at: usize) -> u32;

    /// Nothing that follows is done before what was loaded so far.
    fn fence_acquire(&self);
}

/// Memory of a writer's. There is one at a time.
pub(crate) trait WordsMut: Words {
    /// Writes a word, in no order with others.
    fn store(&self, at: usize, value: u32);

    /// Writes a word after all that was written so far.
    fn store_release(&self, at: usize, value: u32);

    /// Nothing that was written so far is seen later than what follows.
    fn fence_release(&self);
}

/// Words in this process's own memory.
pub(crate) trait List {
    fn list(&self) -> &[AtomicU32];
}

impl<T: List> Words for T {
    fn load(&self, at: usize) -> u32 {
        let word = self.list().get(at);
        word.map_or(0, |word| word.load(Ordering::Relaxed))
    }

    fn load_acquire(&self, at: usize) -> u32 {
        let word = self.list().get(at);
        word.map_or(0, |word| word.load(Ordering::Acquire))
    }

    fn fence_acquire(&self) {
        fence(Ordering::Acquire);
    }
}

impl<T: List> WordsMut for T {
    fn store(&self, at: usize, value: u32) {
        if let Some(word) = self.list().get(at) {
            word.store(value, Ordering::Relaxed);
        }
    }

    fn store_release(&self, at: usize, value: u32) {
        if let Some(word) = self.list().get(at) {
            word.store(value, Ordering::Release);
        }
    }

    fn fence_release(&self) {
        fence(Ordering::Release);
    }
}

/// Memory of several writers, of which one gets to write.
pub(crate) trait Claim: WordsMut {
    /// Makes a word odd if it is this even number still, and sees what was written before it was: whether it could.
    fn claim(&self, at: usize, number: u32) -> bool;
}
