//! Which process this is. Objects belong to the one that has made them: fork(2) copies them into another, where they are of no use.
//!
//! Each function of an object asks, so this is a look at memory rather than getpid(2): a page that the kernel clears in a child
//! (MADV_WIPEONFORK of madvise(2), since Linux 4.14).

use std::process;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// A process, among those that this one comes of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(u64);

/// Where the number of this process is; 0 in one that has none yet, as after a fork.
static PLACE: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());
/// The greatest number that this process or one it comes of has had. Fork copies it.
static LAST: AtomicU64 = AtomicU64::new(0);
/// Numbers from here on are by getpid(2), of a kernel that clears no page.
const BY_PID: u64 = 1 << 63;

impl Process {
    /// This one.
    pub fn own() -> Self {
        let place = match PLACE.load(Ordering::Acquire) {
            place if place.is_null() => lay_out(),
            place => place,
        };
        // SAFETY: it is null or the page of `lay_out`, which stays for ever and is of zeroes or of a number.
        let Some(place) = (unsafe { place.as_ref() }) else {
            return Self(BY_PID | u64::from(process::id()));
        };
        match place.load(Ordering::Relaxed) {
            0 => {
                let next = LAST.fetch_add(1, Ordering::Relaxed) + 1;
                let put = place.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed);
                Self(put.err().unwrap_or(next))
            }
            number => Self(number),
        }
    }

    /// Whether it is this one.
    pub fn is_own(self) -> bool {
        self == Self::own()
    }
}

/// Makes the page; null where that can't be.
#[cold]
fn lay_out() -> *mut AtomicU64 {
    let length = size_of::<AtomicU64>();
    let (protection, flags) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    // SAFETY: new memory, wherever the kernel likes.
    let page = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, -1, 0) };
    if page == libc::MAP_FAILED {
        return ptr::null_mut();
    }
    // SAFETY: it is the page that was just made.
    let wiped = unsafe { libc::madvise(page, length, libc::MADV_WIPEONFORK) } == 0;
    let (null, place) = (ptr::null_mut(), page.cast());
    let put = match wiped {
        true => PLACE.compare_exchange(null, place, Ordering::AcqRel, Ordering::Acquire),
        false => Err(null),
    };
    match put {
        Ok(_) => place,
        Err(other) => {
            // SAFETY: nobody else has heard of it.
            unsafe { libc::munmap(page, length) };
            other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_the_same() {
        let own = Process::own();
        assert!(own.is_own());
        let others = (0..8).map(|_| std::thread::spawn(Process::own));
        for other in others.collect::<Vec<_>>() {
            assert_eq!(other.join().ok(), Some(own));
        }
    }

    /// What a child says of something.
    fn in_a_child(says: impl FnOnce() -> bool) -> bool {
        let mut status = 1;
        // SAFETY: the child asks what it is to ask, and ends.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let status = i32::from(!says());
            // SAFETY: it ends at once.
            unsafe { libc::_exit(status) }
        }
        // SAFETY: there is room for the status.
        unsafe { libc::waitpid(pid, &raw mut status, 0) };
        status == 0
    }

    #[test]
    fn is_another_after_a_fork_and_another_after_the_next() {
        let own = Process::own();
        assert!(in_a_child(|| {
            let child = Process::own();
            !own.is_own() && child.is_own() && in_a_child(|| !own.is_own() && !child.is_own())
        }));
        assert!(own.is_own());
    }
}
