//! `sd_bus_track`, as C has it.

use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::ops::Bound;
use std::ptr;

use super::connection::{Bus, shared};
use super::message::{Message, message};
use super::tracked::{Own, Track, TrackHandler};
use crate::ffi::boundary::{entry, whole};
use crate::ffi::pointer::{Out, optional_text, text};
use crate::ffi::shared::Shared;
use crate::ffi::userdata::{Destroy, userdata};
use crate::{Errno, Result};

/// A track that C names.
unsafe fn track<'a>(of: *const Track) -> Result<&'a Track> {
    // SAFETY: the caller's promise.
    unsafe { of.as_ref() }.ok_or(Errno::INVAL)
}

/// Does something inside.
unsafe fn within<T>(of: *const Track, act: impl FnOnce(&mut Own) -> Result<T>) -> Result<T> {
    // SAFETY: the caller's promise.
    let track = unsafe { track(of) }?;
    act(&mut *track.inside.enter()?)
}

/// The same, of a function that answers a pointer: null if it can't be.
unsafe fn find<T>(of: *const Track, act: impl FnOnce(&mut Own) -> *const T) -> *const T {
    // SAFETY: the caller's promise.
    let found = whole(|| unsafe { within(of, |own| Ok(act(own))) });
    found.and_then(Result::ok).unwrap_or(ptr::null())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_new(
    of: *const Bus,
    to: *mut *const Track,
    handler: TrackHandler,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        if !bus.enter()?.connection.is_client {
            return Err(Errno::INVAL);
        }
        to.set(Shared::into_raw(Track::new(bus, handler, userdata)?));
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_ref(of: *const Track) -> *const Track {
    if !of.is_null() {
        // SAFETY: the contract of C.
        unsafe { Shared::increment_strong_count(of) };
    }
    of
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_unref(of: *const Track) -> *const Track {
    whole(|| {
        if !of.is_null() {
            // SAFETY: C gives back what it had.
            drop(unsafe { Shared::from_raw(of) });
        }
    });
    ptr::null()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_get_bus(of: *const Track) -> *const Bus {
    // SAFETY: the contract of C.
    unsafe { track(of) }.map_or(ptr::null(), |track| Shared::as_ptr(&track.bus))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_add_name(of: *const Track, name: *const c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let track = unsafe { track(of) }?;
        // SAFETY: the contract of C.
        track.add(unsafe { text(name) }?).map(c_int::from)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_remove_name(of: *const Track, name: *const c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let name = unsafe { text(name) }?;
        // SAFETY: the contract of C. One that is not there has no names.
        match unsafe { of.as_ref() } {
            Some(track) => track.remove(name, false).map(c_int::from),
            None => Ok(0),
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_add_sender(of: *const Track, sent: *const Message) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let track = unsafe { track(of) }?;
        // SAFETY: the contract of C.
        let sender = track.sender(unsafe { message(sent) }?)?;
        track.add(&sender).map(c_int::from)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_remove_sender(
    of: *const Track,
    sent: *const Message,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let sent = unsafe { message(sent) }?;
        // SAFETY: the contract of C.
        match unsafe { of.as_ref() } {
            Some(track) => track.remove(&track.sender(sent)?, false).map(c_int::from),
            None => Ok(0),
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_set_recursive(of: *const Track, on: c_int) -> c_int {
    let set = |own: &mut Own| {
        let on = on != 0;
        if own.is_recursive != on && !own.names.is_empty() {
            return Err(Errno::BUSY);
        }
        own.is_recursive = on;
        Ok(0)
    };
    // SAFETY: the contract of C.
    entry(|| unsafe { within(of, set) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_get_recursive(of: *const Track) -> c_int {
    // SAFETY: the contract of C.
    entry(|| unsafe { within(of, |own| Ok(c_int::from(own.is_recursive))) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_count(of: *const Track) -> c_uint {
    // SAFETY: the contract of C.
    let count = whole(|| unsafe { within(of, |own| Ok(own.names.len())) });
    let count = count.and_then(Result::ok).unwrap_or_default();
    c_uint::try_from(count).unwrap_or(c_uint::MAX)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_count_name(of: *const Track, name: *const c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let name = unsafe { text(name) }?;
        if !dbus::name::is_bus(name.to_bytes()) {
            return Err(Errno::INVAL);
        }
        // SAFETY: the contract of C.
        unsafe { of.as_ref() }.map_or(Ok(0), |track| track.count_of(name))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_count_sender(
    of: *const Track,
    sent: *const Message,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let sent = unsafe { message(sent) }?;
        // SAFETY: the contract of C.
        match unsafe { of.as_ref() } {
            Some(track) => track.count_of(&track.sender(sent)?),
            None => Ok(0),
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_contains(
    of: *const Track,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: the contract of C.
    let wanted = unsafe { optional_text(name) };
    let get = |own: &mut Own| match wanted {
        Some(wanted) if own.names.contains_key(wanted) => name,
        _ => ptr::null(),
    };
    // SAFETY: the contract of C.
    unsafe { find(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_first(of: *const Track) -> *const c_char {
    let first = |own: &mut Own| {
        own.at = own.names.keys().next().cloned();
        own.names
            .keys()
            .next()
            .map_or(ptr::null(), |name| name.as_ptr())
    };
    // SAFETY: the contract of C.
    unsafe { find(of, first) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_track_next(of: *const Track) -> *const c_char {
    let next = |own: &mut Own| {
        let Some(at) = own.at.take() else {
            return ptr::null();
        };
        let rest = (Bound::Excluded(at), Bound::Unbounded);
        let next = own.names.range::<CString, _>(rest).next();
        own.at = next.map(|(name, _)| name.clone());
        next.map_or(ptr::null(), |(name, _)| name.as_ptr())
    };
    // SAFETY: the contract of C.
    unsafe { find(of, next) }
}

userdata! {
    sd_bus_track_set_userdata, sd_bus_track_get_userdata,
    sd_bus_track_set_destroy_callback, sd_bus_track_get_destroy_callback => Track, Own, within
}
