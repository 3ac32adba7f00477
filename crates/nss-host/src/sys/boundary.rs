//! What all entry points share: errors out, `errno` kept.

use core::ffi::{CStr, c_char, c_int};

use crate::Failure;
use crate::failure::{Status, h_errno};

/// Runs an entry point's work; what it and what it calls do to `errno` is undone, since the only
/// error number a module reports is `*errnop`.
///
/// # Safety
/// `errnop` and `h_errnop` are null or writable.
pub(super) unsafe fn report(
    errnop: *mut c_int,
    h_errnop: *mut c_int,
    work: impl FnOnce() -> Result<(), Failure>,
) -> c_int {
    // SAFETY: always valid, and this thread's own.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let kept = unsafe { errno.read() };
    let outcome = work();
    // SAFETY: as above.
    unsafe { errno.write(kept) };

    let (status, number, h_number) = match outcome {
        Ok(()) => (Status::Success, None, h_errno::SUCCESS),
        Err(failure) => (failure.status(), failure.errno(), failure.h_errno()),
    };
    if let Some(number) = number
        && !errnop.is_null()
    {
        // SAFETY: the caller's promise. Often it is `errno` itself, so this comes after keeping it.
        unsafe { errnop.write(number) };
    }
    if !h_errnop.is_null() {
        // SAFETY: the caller's promise.
        unsafe { h_errnop.write(h_number) };
    }
    status as c_int
}

/// A C string.
///
/// # Safety
/// `text` is null or a C string that stays as it is for `'t`.
pub(super) unsafe fn text<'t>(text: *const c_char) -> Result<&'t CStr, Failure> {
    if text.is_null() {
        return Err(Failure::Unavailable(libc::EINVAL));
    }
    // SAFETY: the caller's promise.
    Ok(unsafe { CStr::from_ptr(text) })
}

/// Refuses a null pointer that an answer should go to.
pub(super) fn place<T>(pointer: *mut T) -> Result<*mut T, Failure> {
    if pointer.is_null() {
        Err(Failure::Unavailable(libc::EINVAL))
    } else {
        Ok(pointer)
    }
}
