//! The arguments behind a `...`, one after the other. C hands them out, and knows nothing of their meaning.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::os::fd::BorrowedFd;

use crate::bus::append;
use crate::ffi::pointer::{descriptor, optional_text};
use crate::{Errno, Result};

/// `struct arguments` of varargs.c.
#[repr(C)]
pub struct List {
    _private: [u8; 0],
}

unsafe extern "C" {
    fn compat_next_int(list: *mut List) -> c_int;
    fn compat_next_long(list: *mut List) -> i64;
    fn compat_next_double(list: *mut List) -> f64;
    fn compat_next_pointer(list: *mut List) -> *mut c_void;
}

/// What is left of them.
#[derive(Debug)]
pub struct Arguments(*mut List);

impl Arguments {
    /// All of a function's.
    ///
    /// # Safety
    /// C's part has made the list, and it is there while this is used. What is asked for is what the program has passed.
    pub unsafe fn new(list: *mut List) -> Self {
        Self(list)
    }

    /// A pointer to anything.
    pub fn pointer<T>(&mut self) -> *mut T {
        // SAFETY: the promise to the constructor.
        unsafe { compat_next_pointer(self.0) }.cast()
    }

    /// Texts up to a null pointer, the first of which was an argument of its own.
    ///
    /// # Safety
    /// As [`optional_text`]; and what is behind the first are such texts.
    pub unsafe fn texts_behind<'a>(&mut self, first: *const c_char) -> Vec<&'a CStr> {
        // SAFETY: the caller's promise.
        let Some(first) = (unsafe { optional_text(first) }) else {
            return Vec::new();
        };
        let mut texts = vec![first];
        texts.extend(std::iter::from_fn(|| self.optional_text()));
        texts
    }

    /// Text that may not be there.
    pub fn optional_text<'a>(&mut self) -> Option<&'a CStr> {
        let text = self.pointer::<c_char>();
        // SAFETY: the promise to the constructor.
        unsafe { optional_text(text) }
    }
}

impl<'a> append::Arguments<'a> for Arguments {
    fn int(&mut self) -> i32 {
        // SAFETY: the promise to the constructor.
        unsafe { compat_next_int(self.0) }
    }

    fn long(&mut self) -> i64 {
        // SAFETY: the promise to the constructor.
        unsafe { compat_next_long(self.0) }
    }

    fn double(&mut self) -> f64 {
        // SAFETY: the promise to the constructor.
        unsafe { compat_next_double(self.0) }
    }

    fn text(&mut self) -> Option<&'a CStr> {
        self.optional_text()
    }

    fn descriptor(&mut self) -> Result<BorrowedFd<'a>> {
        let number = append::Arguments::int(self);
        // SAFETY: the promise to the constructor.
        unsafe { descriptor(number) }.map_err(|_| Errno::INVAL)
    }
}
