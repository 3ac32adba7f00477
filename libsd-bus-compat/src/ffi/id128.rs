//! sd-id128.h

use std::ffi::{c_char, c_int};
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;

use super::boundary::{entry, whole};
use super::pointer::{Out, optional_text, text};
use super::sys;
use crate::id128::{self, Id128};
use crate::{Errno, Result, environment};

/// `sd_id128_t`, which C also reads as two numbers of 64 bits.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct Id {
    bytes: [u8; 16],
}

impl From<Id128> for Id {
    fn from(id: Id128) -> Self {
        Self { bytes: id.0 }
    }
}

impl From<Id> for Id128 {
    fn from(id: Id) -> Self {
        Self(id.bytes)
    }
}

/// The machine's, which is read once: it does not change while the machine runs.
fn machine() -> Result<Id128> {
    static KNOWN: OnceLock<Id128> = OnceLock::new();
    once(&KNOWN, || id128::machine(Path::new("/etc/machine-id")))
}

/// This boot's, likewise.
fn boot() -> Result<Id128> {
    static KNOWN: OnceLock<Id128> = OnceLock::new();
    once(&KNOWN, || {
        id128::boot(Path::new("/proc/sys/kernel/random/boot_id"))
    })
}

fn once(known: &OnceLock<Id128>, read: impl FnOnce() -> Result<Id128>) -> Result<Id128> {
    if let Some(id) = known.get() {
        return Ok(*id);
    }
    let id = read()?;
    Ok(*known.get_or_init(|| id))
}

/// This run's of a service: of the environment, or of the keyring that the service manager gives a service of the system.
fn invocation() -> Result<Id128> {
    let variable = match sys::is_secure() {
        true => None,
        false => environment::variable("INVOCATION_ID"),
    };
    match variable {
        Some(text) => Id128::parse(&text),
        None => sys::root_key(c"invocation_id").map(Id128),
    }
}

/// Writes an id and the 0 that ends it into the caller's array.
fn write(characters: &[u8], to: *mut c_char) -> *mut c_char {
    if to.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the header says how long the array must be: as long as this and one more.
    unsafe { ptr::copy_nonoverlapping(characters.as_ptr().cast(), to, characters.len()) };
    // SAFETY: likewise.
    let end = unsafe { to.add(characters.len()) };
    // SAFETY: likewise.
    unsafe { end.write(0) };
    to
}

fn give(to: *mut Id, find: impl FnOnce() -> Result<Id128>) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        to.set(find()?.into());
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_id128_to_string(id: Id, to: *mut c_char) -> *mut c_char {
    whole(|| write(&Id128::from(id).to_plain(), to)).unwrap_or(ptr::null_mut())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_id128_to_uuid_string(id: Id, to: *mut c_char) -> *mut c_char {
    whole(|| write(&Id128::from(id).to_uuid(), to)).unwrap_or(ptr::null_mut())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_id128_from_string(from: *const c_char, to: *mut Id) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let id = Id128::parse(unsafe { text(from) }?.to_bytes())?;
        // SAFETY: the contract of C.
        if let Some(to) = unsafe { Out::optional(to) } {
            to.set(id.into());
        }
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_id128_string_equal(one: *const c_char, other: Id) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        match unsafe { optional_text(one) } {
            Some(one) => Ok(c_int::from(Id128::parse(one.to_bytes())? == other.into())),
            None => Ok(0),
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_id128_randomize(to: *mut Id) -> c_int {
    give(to, Id128::random)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_id128_get_machine(to: *mut Id) -> c_int {
    give(to, machine)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_id128_get_boot(to: *mut Id) -> c_int {
    give(to, boot)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_id128_get_invocation(to: *mut Id) -> c_int {
    give(to, invocation)
}

/// The id of an application: ENXIO for that of zeros, which names none.
fn named(application: Id) -> Result<Id128> {
    let application = Id128::from(application);
    if application == Id128([0; 16]) {
        return Err(Errno::NXIO);
    }
    Ok(application)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_id128_get_app_specific(
    base: Id,
    application: Id,
    to: *mut Id,
) -> c_int {
    give(to, || {
        Ok(Id128::from(base).app_specific(named(application)?))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_id128_get_machine_app_specific(application: Id, to: *mut Id) -> c_int {
    give(to, || Ok(machine()?.app_specific(named(application)?)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_id128_get_boot_app_specific(application: Id, to: *mut Id) -> c_int {
    give(to, || Ok(boot()?.app_specific(named(application)?)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_id128_get_invocation_app_specific(
    application: Id,
    to: *mut Id,
) -> c_int {
    give(to, || Ok(invocation()?.app_specific(named(application)?)))
}
