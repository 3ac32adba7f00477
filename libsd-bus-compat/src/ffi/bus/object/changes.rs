//! Telling who listens that properties have changed: sd_bus_emit_properties_changed(3).

use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::Arc;

use dbus::{Basic, Builder, types};

use super::value::append_value;
use super::{Call, Failed};
use crate::bus::message::Message as Content;
use crate::ffi::boundary::entry;
use crate::ffi::bus::arguments::{Arguments, List};
use crate::ffi::bus::call::send;
use crate::ffi::bus::connection::{Bus, shared};
use crate::ffi::bus::message::{Message, errno};
use crate::ffi::bus::vtable::{
    HIDDEN, PROPERTY_CONST, PROPERTY_EMITS_CHANGE, PROPERTY_EMITS_INVALIDATION, PROPERTY_EXPLICIT,
};
use crate::ffi::pointer::{optional_text, text};
use crate::{Errno, Result};

/// Tells who listens that properties have changed.
fn changed(
    bus: &Arc<Bus>,
    path: &CStr,
    interface: &CStr,
    names: Option<&[&CStr]>,
) -> Result<c_int> {
    if !dbus::path::is_valid(path.to_bytes()) || !dbus::name::is_interface(interface.to_bytes()) {
        return Err(Errno::INVAL);
    }
    if !bus.enter()?.connection.is_open() {
        return Err(Errno::NOTCONN);
    }
    if names.is_some_and(<[_]>::is_empty) {
        return Ok(0);
    }
    let signal = Builder::signal(
        path.to_bytes(),
        b"org.freedesktop.DBus.Properties",
        b"PropertiesChanged",
    );
    let mut content = Content::open(signal.map_err(errno)?);
    content.append_basic(Basic::String(interface))?;
    let builder = content.builder()?;
    builder
        .open_container(types::ARRAY, b"{sv}")
        .map_err(errno)?;
    let signal = Message::new(Arc::clone(bus), content);
    // What is asked for its values is as a call would ask.
    let call = Call {
        bus,
        message: &signal,
        path: path.to_owned(),
        interface: interface.to_owned(),
        member: CString::default(),
    };
    let mut found = Vec::new();
    for object in call.objects()? {
        if let Ok(Some(one)) = call.find(&object)
            && *one.name == *interface
        {
            found.push(one);
        }
    }
    if found.is_empty() {
        return Err(Errno::NOENT);
    }
    let mut invalidated: Vec<&CStr> = Vec::new();
    let mut listed = 0;
    for one in &found {
        for property in &one.vtable.properties {
            let is_named = |names: &[&CStr]| names.contains(&property.name.as_c_str());
            let skipped = PROPERTY_EXPLICIT | HIDDEN;
            if !names.map_or(property.flags & skipped == 0, is_named) {
                continue;
            }
            listed += 1;
            let emits = PROPERTY_EMITS_CHANGE | PROPERTY_EMITS_INVALIDATION;
            if property.flags & emits == 0 || property.flags & PROPERTY_CONST != 0 {
                match names {
                    Some(_) => return Err(Errno::DOM),
                    None => continue,
                }
            }
            if property.flags & PROPERTY_EMITS_INVALIDATION != 0 {
                invalidated.push(&property.name);
                continue;
            }
            {
                let mut own = signal.enter()?;
                let builder = own.builder()?;
                builder
                    .open_container(types::DICT_ENTRY, b"sv")
                    .map_err(errno)?;
                own.content.append_basic(Basic::String(&property.name))?;
            }
            let appended = append_value(bus, path, interface, property, one.userdata, &signal);
            if let Err(Failed(number, mut error)) = appended {
                let number = if number < 0 { -number } else { error.number() };
                error.clear();
                return Err(Errno::from_raw_os_error(number));
            }
            signal
                .enter()?
                .builder()?
                .close_container()
                .map_err(errno)?;
        }
    }
    if names.is_some_and(|names| listed < names.len()) {
        return Err(Errno::NOENT);
    }
    {
        let mut own = signal.enter()?;
        let builder = own.builder()?;
        builder.close_container().map_err(errno)?;
        builder.open_container(types::ARRAY, b"s").map_err(errno)?;
        for name in &invalidated {
            builder.append_basic(Basic::String(name)).map_err(errno)?;
        }
        builder.close_container().map_err(errno)?;
    }
    send(bus, &signal, false).map(|_| 1)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_emit_properties_changed_strv(
    of: *const Bus,
    path: *const c_char,
    interface: *const c_char,
    names: *const *const c_char,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let path = unsafe { text(path) }?;
        // SAFETY: the contract of C.
        let interface = unsafe { text(interface) }?;
        let mut list = Vec::new();
        let mut place = names;
        while !place.is_null() {
            // SAFETY: the contract of C: a null pointer ends the list.
            let next = unsafe { place.read() };
            // SAFETY: likewise.
            let Some(next) = (unsafe { optional_text(next) }) else {
                break;
            };
            list.push(next);
            place = place.wrapping_add(1);
        }
        let names = (!names.is_null()).then_some(list.as_slice());
        changed(&bus, path, interface, names)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_emit_properties_changed(
    of: *const Bus,
    path: *const c_char,
    interface: *const c_char,
    first: *const c_char,
    list: *mut List,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let path = unsafe { text(path) }?;
        // SAFETY: the contract of C.
        let interface = unsafe { text(interface) }?;
        // SAFETY: the contract of C.
        let Some(first) = (unsafe { optional_text(first) }) else {
            return Ok(0);
        };
        // SAFETY: C's part has made it of the program's arguments.
        let mut arguments = unsafe { Arguments::new(list) };
        let mut names = vec![first];
        names.extend(std::iter::from_fn(|| arguments.optional_text()));
        changed(&bus, path, interface, Some(&names))
    })
}
