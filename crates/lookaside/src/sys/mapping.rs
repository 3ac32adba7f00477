//! Memory that a file is mapped into, as atomic words: no slice is ever made of it, and no `mem*`
//! function sees it, since another process changes it at any time.

use core::ffi::c_void;
use core::marker::PhantomData;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence};

use crate::words::Words;

/// Mapped memory, to read, for as long as it stays mapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region<'m> {
    start: *const AtomicU32,
    /// In words.
    length: usize,
    mapped: PhantomData<&'m AtomicU32>,
}

impl Region<'_> {
    /// In bytes.
    pub(crate) fn size(&self) -> usize {
        self.length.wrapping_mul(size_of::<AtomicU32>())
    }

    pub(super) fn word(&self, at: usize) -> Option<&AtomicU32> {
        if at >= self.length {
            return None;
        }
        // SAFETY: within the mapping.
        let word = unsafe { self.start.add(at) };
        // SAFETY: aligned, since mappings begin at a page. Mapped to read at least, for as long as this
        // lives. Other processes write it as atomic words, too; and were it anything else, a word of
        // shared memory still is some number. An atomic of 32 bits is loaded without a write.
        Some(unsafe { &*word })
    }
}

impl Words for Region<'_> {
    fn load(&self, at: usize) -> u32 {
        self.word(at).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    fn load_acquire(&self, at: usize) -> u32 {
        self.word(at).map_or(0, |word| word.load(Ordering::Acquire))
    }

    fn fence_acquire(&self) {
        fence(Ordering::Acquire);
    }
}

/// A mapping, unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: *mut c_void,
    /// In bytes.
    size: usize,
}

impl Mapping {
    /// # Safety
    /// `size` bytes from `start` on have been mapped from a file that does not shrink, to read at least
    /// and as `MAP_SHARED`, and it is left to this to unmap them.
    pub(super) unsafe fn new(start: *mut c_void, size: usize) -> Self {
        Self { start, size }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn region(&self) -> Region<'_> {
        Region {
            start: self.start.cast(),
            length: self.size / size_of::<AtomicU32>(),
            mapped: PhantomData,
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: ours to unmap, and regions do not outlive it.
        unsafe { libc::munmap(self.start, self.size) };
    }
}

/// A place in a `static` for one mapping, which then stays for as long as the process: some thread may
/// always be reading in it. There is no lock that a child of `fork(2)` could find held.
#[derive(Debug)]
pub(crate) struct Place {
    taken: AtomicBool,
    start: AtomicPtr<AtomicU32>,
    length: AtomicUsize,
}

impl Place {
    pub(crate) const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            start: AtomicPtr::new(ptr::null_mut()),
            length: AtomicUsize::new(0),
        }
    }

    pub(crate) fn is_taken(&self) -> bool {
        self.taken.load(Ordering::Relaxed)
    }

    /// Puts a mapping here, unless there is one; `before` is what has to be done before others see it.
    /// Gives it back if the place is taken.
    pub(crate) fn put(&self, mapping: Mapping, before: impl FnOnce()) -> Result<(), Mapping> {
        if self.taken.swap(true, Ordering::Relaxed) {
            return Err(mapping);
        }
        before();
        let region = mapping.region();
        self.length.store(region.length, Ordering::Relaxed);
        self.start.store(region.start.cast_mut(), Ordering::Release);
        // Never unmapped.
        core::mem::forget(mapping);
        Ok(())
    }

    /// The memory of what has been put here.
    pub(crate) fn region(&self) -> Option<Region<'static>> {
        let start = self.start.load(Ordering::Acquire).cast_const();
        // Written once, before the pointer: by whoever found the place free.
        let length = self.length.load(Ordering::Relaxed);
        (!start.is_null()).then_some(Region {
            start,
            length,
            mapped: PhantomData,
        })
    }
}
