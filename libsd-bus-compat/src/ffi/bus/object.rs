//! Objects: sd_bus_add_object(3), sd_bus_add_object_vtable(3), sd_bus_add_object_manager(3).

mod changes;
mod dispatch;
mod introspection;
mod managed;
mod properties;
mod value;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;

use super::connection::{Bus, shared};
use super::error::Error;
use super::slot::{Handler, Kind, Slot};
use super::vtable::{Raw, Vtable};
use crate::ffi::boundary::entry;
use crate::ffi::pointer::{Out, text};
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

pub use self::dispatch::dispatch;

/// `sd_bus_object_find_t`
pub type Find = Option<
    unsafe extern "C" fn(
        *const Bus,
        *const c_char,
        *const c_char,
        *mut c_void,
        *mut *mut c_void,
        *mut Error,
    ) -> c_int,
>;

/// `sd_bus_node_enumerator_t`
pub type Enumerate = Option<
    unsafe extern "C" fn(
        *const Bus,
        *const c_char,
        *mut c_void,
        *mut *mut *mut c_char,
        *mut Error,
    ) -> c_int,
>;

/// What a slot has at a path.
#[derive(Clone, Debug)]
pub struct Object {
    pub slot: u64,
    /// Whether it is there for all paths below, too.
    is_fallback: bool,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// All calls.
    Calls,
    /// An interface.
    Interface {
        name: Arc<CStr>,
        vtable: Shared<Vtable>,
        find: Find,
    },
    /// org.freedesktop.DBus.ObjectManager for all below.
    Manager,
    /// The names of what is below and not known.
    Enumerator(Enumerate),
}

/// The interfaces that every object has.
const OWN: [&CStr; 3] = [
    c"org.freedesktop.DBus.Peer",
    c"org.freedesktop.DBus.Introspectable",
    c"org.freedesktop.DBus.Properties",
];
const OBJECT_MANAGER: &CStr = c"org.freedesktop.DBus.ObjectManager";

unsafe fn add(
    of: *const Bus,
    to: *mut *const Slot,
    path: *const c_char,
    callback: (Handler, *mut c_void),
    is_fallback: bool,
    what: What,
) -> Result<c_int> {
    // SAFETY: the caller's promise.
    let bus = unsafe { shared(of) }?;
    // SAFETY: the caller's promise.
    let path = unsafe { text(path) }?;
    // SAFETY: the caller's promise.
    let to = unsafe { Out::optional(to) };
    if !dbus::path::is_valid(path.to_bytes()) {
        return Err(Errno::INVAL);
    }
    let mut state = bus.enter()?;
    let there = state.objects.at(path.to_bytes()).unwrap_or_default();
    let place = match &what {
        What::Interface { name, vtable, .. } => place(there, name, vtable, is_fallback)?,
        _ => 0,
    };
    let kind = Kind::Object { path: path.into() };
    let slot = Slot::add(&bus, &mut state, kind, callback, to.is_none());
    let object = Object {
        slot: slot.number,
        is_fallback,
        what,
    };
    state.objects.insert(path, object, |_| place);
    drop(state);
    if let Some(to) = to {
        to.set(Shared::into_raw(slot));
    }
    Ok(0)
}

/// Where an interface goes among what is there: behind its other parts, and else in front, since the newest is asked first.
fn place(there: &[Object], name: &CStr, vtable: &Vtable, is_fallback: bool) -> Result<usize> {
    if !dbus::name::is_interface(name.to_bytes()) || OWN.contains(&name) || name == OBJECT_MANAGER {
        return Err(Errno::INVAL);
    }
    let mut place = 0;
    for (index, known) in there.iter().enumerate() {
        let What::Interface {
            name: other,
            vtable: there,
            ..
        } = &known.what
        else {
            continue;
        };
        // Only ordinary ones, or only for all below.
        if known.is_fallback != is_fallback {
            return Err(Errno::PROTOTYPE);
        }
        if **other == *name {
            // No member of it twice.
            if vtable.shares(there) {
                return Err(Errno::EXIST);
            }
            place = index + 1;
        }
    }
    Ok(place)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_object(
    of: *const Bus,
    to: *mut *const Slot,
    path: *const c_char,
    handler: Handler,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        handler.ok_or(Errno::INVAL)?;
        // SAFETY: the contract of C.
        unsafe { add(of, to, path, (handler, userdata), false, What::Calls) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_fallback(
    of: *const Bus,
    to: *mut *const Slot,
    prefix: *const c_char,
    handler: Handler,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        handler.ok_or(Errno::INVAL)?;
        // SAFETY: the contract of C.
        unsafe { add(of, to, prefix, (handler, userdata), true, What::Calls) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_object_vtable(
    of: *const Bus,
    to: *mut *const Slot,
    path: *const c_char,
    interface: *const c_char,
    vtable: *const Raw,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        let what = What::Interface {
            // SAFETY: the contract of C.
            name: unsafe { text(interface) }?.into(),
            // SAFETY: the contract of C.
            vtable: Shared::new(unsafe { Vtable::read(vtable) }?),
            find: None,
        };
        // SAFETY: the contract of C.
        unsafe { add(of, to, path, (None, userdata), false, what) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_fallback_vtable(
    of: *const Bus,
    to: *mut *const Slot,
    prefix: *const c_char,
    interface: *const c_char,
    vtable: *const Raw,
    find: Find,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        let what = What::Interface {
            // SAFETY: the contract of C.
            name: unsafe { text(interface) }?.into(),
            // SAFETY: the contract of C.
            vtable: Shared::new(unsafe { Vtable::read(vtable) }?),
            find,
        };
        // SAFETY: the contract of C.
        unsafe { add(of, to, prefix, (None, userdata), true, what) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_node_enumerator(
    of: *const Bus,
    to: *mut *const Slot,
    path: *const c_char,
    enumerate: Enumerate,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        enumerate.ok_or(Errno::INVAL)?;
        let what = What::Enumerator(enumerate);
        // SAFETY: the contract of C.
        unsafe { add(of, to, path, (None, userdata), false, what) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_object_manager(
    of: *const Bus,
    to: *mut *const Slot,
    path: *const c_char,
) -> c_int {
    let nothing = (None, std::ptr::null_mut());
    // SAFETY: the contract of C.
    entry(|| unsafe { add(of, to, path, nothing, false, What::Manager) })
}
