//! Whether there are other threads. Most programs of sd-bus have none, and a locked operation of the processor costs as much as
//! twenty others.

use std::sync::atomic::{AtomicU8, Ordering};

unsafe extern "C" {
    /// Not 0 if the process has certainly one thread only (glibc 2.32, `<sys/single_threaded.h>`). A new thread sees what was
    /// done before it was made.
    static __libc_single_threaded: AtomicU8;
}

/// Whether nobody else can look at memory of this process until the caller makes a thread.
#[inline]
pub fn is_alone() -> bool {
    // SAFETY: a byte that the C library alone writes to.
    unsafe { &__libc_single_threaded }.load(Ordering::Relaxed) != 0
}
