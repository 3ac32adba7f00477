//! sd-path.h

use std::ffi::{CStr, c_char, c_int};
use std::path::Path;

use super::boundary::entry;
use super::memory::{Text, texts};
use super::pointer::{Out, optional_text};
use super::sys;
use crate::path::{World, lookup};
use crate::{Result, environment};

unsafe fn paths(number: u64, suffix: *const c_char) -> Result<Vec<Vec<u8>>> {
    // SAFETY: the caller's promise.
    let suffix = unsafe { optional_text(suffix) }.map(CStr::to_bytes);
    let is_believed = !sys::is_secure();
    let world = World {
        variable: &|name| is_believed.then(|| environment::variable(name)).flatten(),
        uid: rustix::process::getuid().as_raw(),
        passwd: Path::new("/etc/passwd"),
    };
    lookup(&world, number, suffix.unwrap_or_default())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_path_lookup(
    number: u64,
    suffix: *const c_char,
    to: *mut *mut c_char,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        // SAFETY: likewise.
        let paths = unsafe { paths(number, suffix) }?;
        to.set(Text::new(&paths.join(&b':'))?.into_raw());
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_path_lookup_strv(
    number: u64,
    suffix: *const c_char,
    to: *mut *mut *mut c_char,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        // SAFETY: likewise.
        to.set(texts(&unsafe { paths(number, suffix) }?)?);
        Ok(0)
    })
}
