//! Memory that C frees by free(3), and text that we keep for it.

use std::ffi::{CString, c_char, c_int};
use std::mem;
use std::ptr;

use crate::{Errno, Result};

/// Text on its way to C; freed if it does not get there.
#[derive(Debug)]
pub struct Text(*mut c_char);

impl Text {
    /// A copy; what is behind a 0 in it C does not see.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let mut with_end = Vec::with_capacity(bytes.len() + 1);
        with_end.extend(bytes);
        with_end.push(0);
        array(&with_end).map(|text| Self(text.cast()))
    }

    /// Gives it away.
    pub fn into_raw(self) -> *mut c_char {
        let text = self.0;
        mem::forget(self);
        text
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: `array` had it of malloc, and nobody else has it.
        unsafe { libc::free(self.0.cast()) }
    }
}

/// Several texts; a null pointer ends them. Instead of none it is null.
pub fn texts_or_null<T: AsRef<[u8]>>(texts: &[T]) -> Result<*mut *mut c_char> {
    match texts {
        [] => Ok(ptr::null_mut()),
        all => self::texts(all),
    }
}

/// Several texts; a null pointer ends them.
pub fn texts<T: AsRef<[u8]>>(texts: &[T]) -> Result<*mut *mut c_char> {
    let copies = texts.iter().map(|text| Text::new(text.as_ref()));
    let copies: Vec<Text> = copies.collect::<Result<_>>()?;
    let mut pointers: Vec<*mut c_char> = copies.iter().map(|copy| copy.0).collect();
    pointers.push(ptr::null_mut());
    let list = array(&pointers)?;
    copies.into_iter().for_each(mem::forget);
    Ok(list)
}

/// A list with more texts behind those that it has, which it keeps. If there is no memory it stays as it was.
///
/// # Safety
/// The list is of malloc, and a null pointer ends it; or it is null.
pub unsafe fn extended(list: *mut *mut c_char, more: &[&[u8]]) -> Result<*mut *mut c_char> {
    let mut count = 0;
    // SAFETY: the caller's promise.
    while !list.is_null() && !unsafe { list.wrapping_add(count).read() }.is_null() {
        count += 1;
    }
    let copies = more.iter().map(|text| Text::new(text));
    let copies: Vec<Text> = copies.collect::<Result<_>>()?;
    let length = (count + copies.len() + 1) * size_of::<*mut c_char>();
    // SAFETY: the caller's promise.
    let list = unsafe { libc::realloc(list.cast(), length) }.cast::<*mut c_char>();
    if list.is_null() {
        return Err(Errno::NOMEM);
    }
    let copies = copies.into_iter().map(Text::into_raw);
    for (index, copy) in copies.chain([ptr::null_mut()]).enumerate() {
        // SAFETY: there is room for all of them.
        unsafe { list.wrapping_add(count + index).write(copy) };
    }
    Ok(list)
}

/// Several numbers or pointers; null instead of none.
pub fn array<T: Copy>(values: &[T]) -> Result<*mut T> {
    if values.is_empty() {
        return Ok(ptr::null_mut());
    }
    // SAFETY: any size may be asked for.
    let space = unsafe { libc::malloc(size_of_val(values)) }.cast::<T>();
    if space.is_null() {
        return Err(Errno::NOMEM);
    }
    // SAFETY: there is room for as many; malloc aligns for every type that C has; new memory overlaps nothing.
    unsafe { ptr::copy_nonoverlapping(values.as_ptr(), space, values.len()) };
    Ok(space)
}

/// Sets a text. Whether it was another before.
pub fn changed(text: &mut Option<CString>, new: Option<CString>) -> c_int {
    let is_other = *text != new;
    *text = new;
    c_int::from(is_other)
}
