//! Telling who listens that properties have changed: sd_bus_emit_properties_changed(3).

use std::ffi::{CStr, c_char, c_int};

use dbus::{Builder, types};

use super::dispatch::{Call, Stop};
use crate::ffi::boundary::entry;
use crate::ffi::bus::arguments::{Arguments, List};
use crate::ffi::bus::call::send;
use crate::ffi::bus::connection::{Bus, shared};
use crate::ffi::bus::message::{Message, errno};
use crate::ffi::bus::vtable::{
    HIDDEN, PROPERTY_CONST, PROPERTY_EMITS_CHANGE, PROPERTY_EMITS_INVALIDATION, PROPERTY_EXPLICIT,
};
use crate::ffi::pointer::{list, text};
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// Tells who listens that properties have changed.
fn changed(
    bus: &Shared<Bus>,
    path: &CStr,
    interface: &CStr,
    names: Option<&[&CStr]>,
) -> Result<c_int> {
    if !dbus::path::is_valid(path.to_bytes()) || !dbus::name::is_interface(interface.to_bytes()) {
        return Err(Errno::INVAL);
    }
    bus.enter()?.connection.check_open()?;
    if names.is_some_and(<[_]>::is_empty) {
        return Ok(0);
    }
    loop {
        let signal = Builder::signal(
            path.to_bytes(),
            b"org.freedesktop.DBus.Properties",
            b"PropertiesChanged",
        );
        let signal = Message::new(Shared::clone(bus), signal.map_err(errno)?);
        // What is asked for its values is as a call would ask.
        let call = Call {
            bus,
            message: &signal,
            path,
            interface,
            member: b"",
            types: b"",
            wants_reply: false,
        };
        match call.append_changed(names, &signal) {
            Ok(false) => return Ok(0),
            Ok(true) => return send(bus, &signal, false).map(|_| 1),
            Err(Stop::Gone) => {}
            Err(stop @ Stop::Failed(..)) => return Err(stop.into_errno()),
        }
    }
}

impl Call<'_> {
    /// Appends what has changed. False if there is nothing to tell.
    fn append_changed(
        &self,
        names: Option<&[&CStr]>,
        to: &Shared<Message>,
    ) -> std::result::Result<bool, Stop> {
        let found = self.interface(self.interface)?;
        if found.is_empty() {
            return Err(Errno::NOENT.into());
        }
        to.append_text(self.interface)?;
        to.open_container(types::ARRAY, b"{sv}")?;
        let mut invalidated: Vec<&CStr> = Vec::new();
        let (mut listed, mut told) = (0, 0);
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
                        Some(_) => return Err(Errno::DOM.into()),
                        None => continue,
                    }
                }
                told += 1;
                if property.flags & PROPERTY_EMITS_INVALIDATION != 0 {
                    invalidated.push(&property.name);
                    continue;
                }
                to.open_container(types::DICT_ENTRY, b"sv")?;
                to.append_text(&property.name)?;
                self.append(one, property, to)?;
                to.close_container()?;
            }
        }
        if names.is_some_and(|names| listed < names.len()) {
            return Err(Errno::NOENT.into());
        }
        to.close_container()?;
        to.open_container(types::ARRAY, b"s")?;
        for name in &invalidated {
            to.append_text(name)?;
        }
        to.close_container()?;
        Ok(told > 0)
    }
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
        // SAFETY: the contract of C.
        let listed = unsafe { list(names) };
        let names = (!names.is_null()).then_some(listed.as_slice());
        changed(&bus, path, interface, names)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_emit_properties_changed(
    of: *const Bus,
    path: *const c_char,
    interface: *const c_char,
    first: *const c_char,
    rest: *mut List,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let path = unsafe { text(path) }?;
        // SAFETY: the contract of C.
        let interface = unsafe { text(interface) }?;
        // SAFETY: C's part has made it of the program's arguments.
        let mut arguments = unsafe { Arguments::new(rest) };
        // SAFETY: the contract of C.
        let names = unsafe { arguments.texts_behind(first) };
        changed(&bus, path, interface, Some(&names))
    })
}
