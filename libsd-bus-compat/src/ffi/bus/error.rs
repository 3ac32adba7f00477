//! sd_bus_error(3)

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use super::arguments::{Arguments, List};
use crate::bus::error::{self, Map};
use crate::ffi::boundary::{entry, whole};
use crate::ffi::memory::Text;
use crate::ffi::pointer::optional_text;
use crate::ffi::sys;
use crate::{Errno, Result};

/// `sd_bus_error`
#[repr(C)]
#[derive(Debug)]
pub struct Error {
    name: *const c_char,
    message: *const c_char,
    /// Whether both are of malloc, and this library's to free.
    need_free: c_int,
}

impl Error {
    pub const NULL: Self = Self {
        name: ptr::null(),
        message: ptr::null(),
        need_free: 0,
    };

    /// With names that are there for as long as the program runs.
    fn constant(name: &'static CStr, message: *const c_char) -> Self {
        Self {
            name: name.as_ptr(),
            message,
            need_free: 0,
        }
    }

    fn no_memory() -> Self {
        let name = c"org.freedesktop.DBus.Error.NoMemory";
        Self::constant(name, c"Out of memory".as_ptr())
    }

    /// With copies.
    pub fn owned(name: &CStr, message: Option<&CStr>) -> Result<Self> {
        let name = Text::new(name.to_bytes())?;
        let message = message.map(|text| Text::new(text.to_bytes())).transpose()?;
        Ok(Self {
            name: name.into_raw(),
            message: message.map_or(ptr::null(), |text| text.into_raw()),
            need_free: 1,
        })
    }

    /// Whether something is in it, so that it can't be set.
    pub fn is_dirty(&self) -> bool {
        !self.name.is_null() || !self.message.is_null() || self.need_free != 0
    }

    pub fn name(&self) -> Option<&CStr> {
        // SAFETY: it is null or text, by whoever made it.
        unsafe { optional_text(self.name) }
    }

    pub fn message(&self) -> Option<&CStr> {
        // SAFETY: it is null or text, by whoever made it.
        unsafe { optional_text(self.message) }
    }

    /// The number it stands for; 0 if it is not set.
    pub fn number(&self) -> c_int {
        self.name().map_or(0, |name| error::number(name.to_bytes()))
    }

    /// Empties it, and frees what was in it.
    pub fn clear(&mut self) {
        if self.need_free > 0 {
            // SAFETY: it is of malloc, and nobody else frees it.
            unsafe { libc::free(self.name.cast_mut().cast()) };
            // SAFETY: likewise.
            unsafe { libc::free(self.message.cast_mut().cast()) };
        }
        *self = Self::NULL;
    }
}

/// An error that may be there.
///
/// # Safety
/// The pointer is null, or to an error that is this function's alone.
pub unsafe fn optional<'a>(error: *mut Error) -> Option<&'a mut Error> {
    // SAFETY: the caller's promise.
    unsafe { error.as_mut() }
}

/// Puts an error into a place, and answers its negative number.
pub fn put(
    to: Option<&mut Error>,
    name: &CStr,
    make: impl FnOnce() -> Result<Error>,
) -> Result<c_int> {
    if let Some(to) = to {
        if to.is_dirty() {
            return Err(Errno::INVAL);
        }
        match make() {
            Ok(made) => *to = made,
            Err(errno) => {
                *to = Error::no_memory();
                return Err(errno);
            }
        }
    }
    Ok(-error::number(name.to_bytes()))
}

/// Runs the body of a function that also tells an error: what fails here is told like what a peer says.
///
/// # Safety
/// The pointer is null, or to an error that is this function's alone.
pub unsafe fn telling(error: *mut Error, body: impl FnOnce() -> Result<c_int>) -> c_int {
    let is_dirty = || {
        // SAFETY: the caller's promise.
        unsafe { error.as_ref() }.is_some_and(Error::is_dirty)
    };
    if is_dirty() {
        return -Errno::INVAL.raw_os_error();
    }
    let answer = entry(body);
    if answer < 0 && !is_dirty() {
        // SAFETY: the caller's promise.
        unsafe { sd_bus_error_set_errno(error, answer) };
    }
    answer
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_error_free(error: *mut Error) {
    whole(|| {
        // SAFETY: the contract of C.
        if let Some(error) = unsafe { optional(error) } {
            error.clear();
        }
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_error_set(
    error: *mut Error,
    name: *const c_char,
    message: *const c_char,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let Some(name) = (unsafe { optional_text(name) }) else {
            return Ok(0);
        };
        // SAFETY: the contract of C.
        let message = unsafe { optional_text(message) };
        // SAFETY: the contract of C.
        put(unsafe { optional(error) }, name, || {
            Error::owned(name, message)
        })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_error_set_const(
    error: *mut Error,
    name: *const c_char,
    message: *const c_char,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let Some(text) = (unsafe { optional_text(name) }) else {
            return Ok(0);
        };
        let made = Error {
            name,
            message,
            need_free: 0,
        };
        // SAFETY: the contract of C.
        put(unsafe { optional(error) }, text, || Ok(made))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_error_set_errno(error: *mut Error, number: c_int) -> c_int {
    let made = |number, name: &'static CStr| match number {
        libc::ENOMEM => Ok(Error::constant(name, c"Cannot allocate memory".as_ptr())),
        _ => Error::owned(name, Some(&sys::error_text(number))),
    };
    // SAFETY: the contract of C.
    unsafe { set_number(error, number, made) }
}

/// Sets an error by its number, made of that and its name.
unsafe fn set_number(
    error: *mut Error,
    number: c_int,
    made: impl FnOnce(c_int, &'static CStr) -> Result<Error>,
) -> c_int {
    entry(|| {
        let number = number.checked_abs().ok_or(Errno::INVAL)?;
        // SAFETY: the caller's promise.
        let Some(to) = (unsafe { optional(error) }) else {
            return Ok(-number);
        };
        if number == 0 {
            return Ok(0);
        }
        let name = error::name(number);
        put(Some(to), name, || made(number, name)).map(|_| -number)
    })
}

/// An error by its number, with a text of the program's; of the text the C part has made a copy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_error_set_errno_text(
    error: *mut Error,
    number: c_int,
    message: *const c_char,
) -> c_int {
    // SAFETY: the contract of C.
    let Some(message) = (unsafe { optional_text(message) }) else {
        // SAFETY: the contract of C.
        return unsafe { sd_bus_error_set_errno(error, number) };
    };
    let made = |_, name: &'static CStr| Error::owned(name, Some(message));
    // SAFETY: the contract of C.
    unsafe { set_number(error, number, made) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_error_get_errno(error: *const Error) -> c_int {
    // SAFETY: the contract of C.
    entry(|| Ok(unsafe { error.as_ref() }.map_or(0, Error::number)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_error_is_set(error: *const Error) -> c_int {
    // SAFETY: the contract of C.
    let error = unsafe { error.as_ref() };
    c_int::from(error.is_some_and(|error| !error.name.is_null()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_error_has_name(error: *const Error, name: *const c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let name = unsafe { optional_text(name) };
        // SAFETY: the contract of C.
        let error = unsafe { error.as_ref() };
        Ok(c_int::from(error.is_some_and(|error| error.name() == name)))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_error_copy(to: *mut Error, from: *const Error) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let Some(from) = (unsafe { from.as_ref() }) else {
            return Ok(0);
        };
        let Some(name) = from.name() else {
            return Ok(0);
        };
        let copy = || match from.need_free {
            0 => Ok(Error {
                name: from.name,
                message: from.message,
                need_free: 0,
            }),
            _ => Error::owned(name, from.message()),
        };
        // SAFETY: the contract of C.
        put(unsafe { optional(to) }, name, copy)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_error_move(to: *mut Error, from: *mut Error) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { optional(to) };
        // SAFETY: the contract of C.
        let from = unsafe { optional(from) };
        let Some(from) = from.filter(|from| !from.name.is_null()) else {
            if let Some(to) = to {
                *to = Error::NULL;
            }
            return Ok(0);
        };
        let number = from.number();
        match to {
            Some(to) => *to = std::mem::replace(from, Error::NULL),
            None => from.clear(),
        }
        Ok(-number)
    })
}

/// `sd_bus_error_map`
#[repr(C)]
#[derive(Debug)]
pub struct MapEntry {
    name: *const c_char,
    code: c_int,
}

/// The code that ends a map; the macro SD_BUS_ERROR_MAP_END has it.
const END: c_int = -(b'x' as c_int);

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_error_add_map(map: *const MapEntry) -> c_int {
    entry(|| {
        if map.is_null() {
            return Err(Errno::INVAL);
        }
        let mut entries = Vec::new();
        let mut place = map;
        loop {
            // SAFETY: the contract of C: entries stand one after the other, until the one that ends them.
            let next = unsafe { place.read() };
            if next.code == END {
                break;
            }
            // SAFETY: the contract of C.
            let name = unsafe { optional_text(next.name) }.filter(|_| next.code > 0);
            entries.push((name.ok_or(Errno::INVAL)?.to_bytes().to_vec(), next.code));
            // SAFETY: this was not the last.
            place = unsafe { place.add(1) };
        }
        let address = map.addr();
        Ok(c_int::from(error::add(Map { address, entries })))
    })
}

/// `sd_bus_error_has_names_sentinel`: whether it has one of these names, which null ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_error_has_names(error: *const Error, list: *mut List) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let Some(name) = (unsafe { error.as_ref() }).and_then(Error::name) else {
            return Ok(0);
        };
        // SAFETY: C's part has made it of the program's arguments.
        let mut names = unsafe { Arguments::new(list) };
        let mut rest = std::iter::from_fn(|| names.optional_text());
        Ok(c_int::from(rest.any(|wanted| wanted == name)))
    })
}
