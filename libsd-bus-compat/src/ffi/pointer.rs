//! Pointers that C hands in.

use std::ffi::{CStr, CString, c_char, c_int};
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use crate::{Errno, Result};

/// Where an answer goes.
#[derive(Debug)]
pub struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// A place that must be there.
    ///
    /// # Safety
    /// The pointer is null, or may be written to while this lives.
    pub unsafe fn required(place: *mut T) -> Result<Self> {
        NonNull::new(place).map(Self).ok_or(Errno::INVAL)
    }

    /// A place that may be there.
    ///
    /// # Safety
    /// As [`Out::required`].
    pub unsafe fn optional(place: *mut T) -> Option<Self> {
        NonNull::new(place).map(Self)
    }

    /// Puts the answer there; what was there before is C's, and is not dropped.
    pub fn set(self, value: T) {
        // SAFETY: by the promise to the constructor.
        unsafe { self.0.write(value) }
    }
}

/// Text that may be there.
///
/// # Safety
/// The pointer is null, or to text that ends with 0 and stays as it is for as long as the answer is used.
pub unsafe fn optional_text<'a>(text: *const c_char) -> Option<&'a CStr> {
    // SAFETY: it is not null; the rest is the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

/// Text that must be there.
///
/// # Safety
/// As [`optional_text`].
pub unsafe fn text<'a>(text: *const c_char) -> Result<&'a CStr> {
    // SAFETY: the caller's promise.
    unsafe { optional_text(text) }.ok_or(Errno::INVAL)
}

/// Texts up to a null pointer; none if there is no list.
///
/// # Safety
/// The pointer is null, or to such a list, of texts as for [`optional_text`].
pub unsafe fn list<'a>(mut place: *const *const c_char) -> Vec<&'a CStr> {
    let mut texts = Vec::new();
    while !place.is_null() {
        // SAFETY: the caller's promise: a null pointer ends the list.
        let next = unsafe { place.read() };
        // SAFETY: likewise.
        let Some(next) = (unsafe { optional_text(next) }) else {
            break;
        };
        texts.push(next);
        place = place.wrapping_add(1);
    }
    texts
}

/// Copies such a list, and frees it with its texts.
///
/// # Safety
/// As [`list`]; all of it is of malloc.
pub unsafe fn text_list_taken(place: *mut *mut c_char) -> Vec<CString> {
    // SAFETY: the caller's promise.
    let texts = unsafe { list(place.cast_const().cast()) };
    let copies = texts.iter().map(|text| CString::from(*text)).collect();
    for text in texts {
        // SAFETY: the caller's promise; it was copied.
        unsafe { libc::free(text.as_ptr().cast_mut().cast()) };
    }
    // SAFETY: likewise.
    unsafe { libc::free(place.cast()) };
    copies
}

/// A name that must be there; what is no UTF-8 is no name of anything here.
///
/// # Safety
/// As [`optional_text`].
pub unsafe fn name<'a>(name: *const c_char) -> Result<&'a str> {
    // SAFETY: the caller's promise.
    let name = unsafe { text(name) }?;
    name.to_str().map_err(|_| Errno::INVAL)
}

/// A name that may be there.
///
/// # Safety
/// As [`optional_text`].
pub unsafe fn optional_name<'a>(name: *const c_char) -> Result<Option<&'a str>> {
    // SAFETY: the caller's promise.
    match unsafe { optional_text(name) } {
        Some(name) => name.to_str().map(Some).map_err(|_| Errno::INVAL),
        None => Ok(None),
    }
}

/// A descriptor, which may be closed: then the kernel says EBADF.
///
/// # Safety
/// It is not closed, and its number not given to another file, while the answer is used.
pub unsafe fn descriptor<'a>(number: c_int) -> Result<BorrowedFd<'a>> {
    match number {
        0.. => {
            // SAFETY: it is not -1; the rest is the caller's promise.
            Ok(unsafe { BorrowedFd::borrow_raw(number) })
        }
        _ => Err(Errno::BADF),
    }
}
