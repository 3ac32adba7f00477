//! Names and paths: sd_bus_interface_name_is_valid(3), sd_bus_path_encode(3).

use std::ffi::{c_char, c_int};

use dbus::{label, name, path};

use super::arguments::{Arguments, List};
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

/// `sd_bus_path_encode_many`, with the list that C's part has made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_path_encode_many(
    to: *mut *mut c_char,
    template: *const c_char,
    list: *mut List,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        // SAFETY: the contract of C.
        let template = unsafe { text(template) }?;
        // SAFETY: C's part has made it of the program's arguments.
        let mut arguments = unsafe { Arguments::new(list) };
        let mut pieces = template.to_bytes().split(|byte| *byte == b'%');
        let mut path = pieces.next().unwrap_or_default().to_vec();
        for piece in pieces {
            let name = arguments.optional_text().ok_or(Errno::INVAL)?;
            path.extend(label::escape(name.to_bytes()).bytes());
            path.extend(piece);
        }
        to.set(Text::new(&path)?.into_raw());
        Ok(0)
    })
}

/// `sd_bus_path_decode_many`, likewise.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_path_decode_many(
    of: *const c_char,
    template: *const c_char,
    list: *mut List,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let of = unsafe { text(of) }?;
        // SAFETY: the contract of C.
        let template = unsafe { text(template) }?;
        let Some(names) = path::decode_many(of.to_bytes(), template.to_bytes()) else {
            return Ok(0);
        };
        let names = names.iter().map(|name| Text::new(name));
        // All or none: what is written is the program's to free.
        let names: Vec<Text> = names.collect::<Result<_>>()?;
        // SAFETY: C's part has made it of the program's arguments.
        let mut arguments = unsafe { Arguments::new(list) };
        for name in names {
            // SAFETY: the contract of C.
            if let Some(to) = unsafe { Out::optional(arguments.pointer()) } {
                to.set(name.into_raw());
            }
        }
        Ok(1)
    })
}
