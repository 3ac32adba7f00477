//! What every C function passes through.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Errno, Result};

/// Runs a function's body and gives its answer, or the negative errno. A panic, which would be a mistake of ours, is the
/// error ENOTRECOVERABLE: what the body was at may be half done, but the program goes on.
pub fn entry(body: impl FnOnce() -> Result<c_int>) -> c_int {
    match whole(body) {
        Some(Ok(answer)) => answer,
        Some(Err(errno)) => -errno.raw_os_error(),
        None => -Errno::NOTRECOVERABLE.raw_os_error(),
    }
}

/// Runs the body of a function that answers something else; nothing if it panicked.
pub fn whole<T>(body: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(answer) => Some(answer),
        Err(payload) => {
            // Dropping it may panic, too.
            std::mem::forget(payload);
            None
        }
    }
}

/// The number of things, as C functions answer it.
pub fn count(number: usize) -> Result<c_int> {
    c_int::try_from(number).map_err(|_| Errno::OVERFLOW)
}

#[cfg(all(test, panic = "unwind"))]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        assert_eq!(entry(|| panic!("of a test")), -libc::ENOTRECOVERABLE);
        assert_eq!(entry(|| Err(Errno::INVAL)), -libc::EINVAL);
        assert_eq!(entry(|| Ok(1)), 1);
    }
}
