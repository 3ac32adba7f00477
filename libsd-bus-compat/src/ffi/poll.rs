//! poll(2). By rustix, and by sd-bus, it is ppoll(2), which reads its limit from memory, and writes there what is left of it: a
//! call's wait takes 0.1 µs longer. By its number, as [`super::receive`].

use std::ffi::{c_int, c_long};
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags};

use crate::Result;
use crate::event::timespec;

/// Its number, where there is one: systems that are newer than ppoll(2) have no poll(2).
const NUMBER: Option<c_long> = {
    #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
    {
        Some(libc::SYS_poll)
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "x86")))]
    {
        None
    }
};

/// Waits until one of a few descriptors is ready for what is said of it; for as many µs as given, or for ever. Whether one is.
/// A limit of a second or more may become one of the next millisecond.
///
/// # Errors
/// Of poll(2), EINTR too.
pub fn poll<const N: usize>(
    files: [(BorrowedFd<'_>, PollFlags); N],
    limit: Option<u64>,
) -> Result<bool> {
    if let (Some(number), Some(milliseconds)) = (NUMBER, milliseconds(limit)) {
        return by_number(number, files, milliseconds);
    }
    let mut files = files.map(|(file, events)| PollFd::from_borrowed_fd(file, events));
    let limit = limit.map(timespec);
    Ok(rustix::event::poll(&mut files, limit.as_ref())? > 0)
}

/// A limit as poll(2) has it, if that is exact enough.
fn milliseconds(limit: Option<u64>) -> Option<c_int> {
    match limit {
        None => Some(-1),
        Some(0) => Some(0),
        Some(microseconds @ 1_000_000..) => c_int::try_from(microseconds.div_ceil(1000)).ok(),
        Some(_) => None,
    }
}

fn by_number<const N: usize>(
    number: c_long,
    files: [(BorrowedFd<'_>, PollFlags); N],
    milliseconds: c_int,
) -> Result<bool> {
    let mut files = files.map(|(file, events)| libc::pollfd {
        fd: file.as_raw_fd(),
        events: events.bits().cast_signed(),
        revents: 0,
    });
    let limit = c_long::from(milliseconds);
    // SAFETY: so many of these are there, and the kernel writes to nothing else.
    let ready = unsafe { libc::syscall(number, files.as_mut_ptr(), N, limit) };
    match ready {
        0.. => Ok(ready > 0),
        _ => Err(super::sys::last()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn limits_are_kept() {
        let (mut here, there) = UnixStream::pair().unwrap();
        for microseconds in [0, 1, 999, 1_000_000, 1_000_001] {
            let begun = Instant::now();
            let files = [(there.as_fd(), PollFlags::IN)];
            assert!(!poll(files, Some(microseconds)).unwrap());
            assert!(begun.elapsed() >= Duration::from_micros(microseconds));
        }
        here.write_all(b"x").unwrap();
        for limit in [None, Some(0), Some(1), Some(25_000_000), Some(u64::MAX)] {
            let both = [
                (there.as_fd(), PollFlags::IN),
                (here.as_fd(), PollFlags::IN),
            ];
            assert!(poll(both, limit).unwrap(), "{limit:?}");
        }
    }

    #[test]
    fn a_limit_becomes_no_shorter() {
        let of = |microseconds| milliseconds(Some(microseconds));
        assert_eq!((of(1_000_000), of(1_000_001)), (Some(1000), Some(1001)));
        assert_eq!((milliseconds(None), of(0)), (Some(-1), Some(0)));
        // Neither what is to be exact, nor what is longer than there are milliseconds.
        assert_eq!((of(1), of(999_999), of(u64::MAX)), (None, None, None));
    }
}
