//! Names and paths: sd_bus_interface_name_is_valid(3), sd_bus_path_encode(3).

use std::ffi::{c_char, c_int};

use dbus::{label, name, path};

use crate::Result;
use crate::ffi::boundary::entry;
use crate::ffi::memory::Text;
use crate::ffi::pointer::{Out, text};
use crate::{Errno, ffi::pointer};

/// Whether a text is of a form.
unsafe fn is(of: *const c_char, form: impl FnOnce(&[u8]) -> bool) -> c_int {
    // SAFETY: the caller's promise.
    entry(|| Ok(c_int::from(form(unsafe { text(of) }?.to_bytes()))))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_interface_name_is_valid(of: *const c_char) -> c_int {
    // SAFETY: the contract of C.
    unsafe { is(of, name::is_interface) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_service_name_is_valid(of: *const c_char) -> c_int {
    // SAFETY: the contract of C.
    unsafe { is(of, name::is_bus) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_member_name_is_valid(of: *const c_char) -> c_int {
    // SAFETY: the contract of C.
    unsafe { is(of, name::is_member) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_object_path_is_valid(of: *const c_char) -> c_int {
    // SAFETY: the contract of C.
    unsafe { is(of, path::is_valid) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_path_encode(
    prefix: *const c_char,
    id: *const c_char,
    to: *mut *mut c_char,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let prefix = unsafe { pointer::name(prefix) }?;
        // SAFETY: the contract of C.
        let id = unsafe { text(id) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        let encoded = path::encode(prefix, id.to_bytes()).ok_or(Errno::INVAL)?;
        to.set(Text::new(encoded.as_bytes())?.into_raw());
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_path_decode(
    of: *const c_char,
    prefix: *const c_char,
    to: *mut *mut c_char,
) -> c_int {
    entry(|| {
        let valid = |path: *const c_char| -> Result<&str> {
            // SAFETY: the contract of C.
            let path = unsafe { pointer::name(path) }?;
            path::is_valid(path.as_bytes())
                .then_some(path)
                .ok_or(Errno::INVAL)
        };
        let (of, prefix) = (valid(of)?, valid(prefix)?);
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        match below(of, prefix) {
            Some(id) => {
                to.set(Text::new(&label::unescape(id))?.into_raw());
                Ok(1)
            }
            None => {
                to.set(std::ptr::null_mut());
                Ok(0)
            }
        }
    })
}

/// What follows a prefix and its `/`, which may be nothing or several labels: the program says by the prefix how deep its objects are.
fn below<'p>(path: &'p str, prefix: &str) -> Option<&'p [u8]> {
    let rest = path.strip_prefix(prefix.strip_suffix('/').unwrap_or(prefix))?;
    match rest.as_bytes() {
        [] => Some(&[]),
        [b'/', rest @ ..] => Some(rest),
        _ => None,
    }
}
