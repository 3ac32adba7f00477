//! The word that says whether an entry is whole: even while it stands, odd while it is written.
//!
//! It works as H.-J. Boehm has it ("Can Seqlocks Get Along With Programming Language Memory Models?",
//! 2012): the words between are atomics without order, held together by fences. Whoever reads a word of
//! a later edition has synchronized with the fence after its odd number, and so finds the number changed.

use crate::words::Words;
#[cfg(any(test, feature = "writer"))]
use crate::words::WordsMut;

/// The number of an entry that stands, before anything of it is read.
pub(crate) fn begin<W: Words>(words: &W, at: usize) -> Option<u32> {
    let number = words.load_acquire(at);
    (number & 1 == 0).then_some(number)
}

/// Whether all that was read since [`begin`] is of the edition with this number.
pub(crate) fn holds<W: Words>(words: &W, at: usize, number: u32) -> bool {
    words.fence_acquire();
    words.load(at) == number
}

/// Runs `write`, which may write the words that belong to the entry.
#[cfg(any(test, feature = "writer"))]
pub(crate) fn write<W: WordsMut>(words: &W, at: usize, write: impl FnOnce()) {
    let number = words.load(at) & !1;
    words.store(at, number | 1);
    words.fence_release();
    write();
    words.store_release(at, number.wrapping_add(2));
}
