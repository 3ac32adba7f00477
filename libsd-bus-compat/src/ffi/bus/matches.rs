//! Callbacks for messages: sd_bus_add_match(3), sd_bus_add_filter(3).

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use dbus::{Basic, Builder, Kind as MessageKind, Rule};

use super::call::{call, call_async};
use super::connection::{Bus, State, shared};
use super::message::{Message, errno};
use super::slot::{Handler, Kind, Slot, remove};
use crate::bus::message::Sealed;
use crate::ffi::boundary::entry;
use crate::ffi::pointer::{Out, optional_name, text};
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

const LOCAL: &str = "org.freedesktop.DBus.Local";

/// A call of the bus itself.
pub fn of_bus(
    bus: &Shared<Bus>,
    member: &[u8],
    append: impl FnOnce(&mut Builder) -> dbus::Result<()>,
) -> Result<Shared<Message>> {
    let name = b"org.freedesktop.DBus";
    let path = b"/org/freedesktop/DBus";
    let mut builder = Builder::method_call(Some(name), path, Some(name), member).map_err(errno)?;
    append(&mut builder).map_err(errno)?;
    Ok(Message::new(Shared::clone(bus), builder))
}

/// Tells the bus that messages of a rule are not wanted any more.
pub fn forget(state: &mut State, rule: &CStr) {
    let name = b"org.freedesktop.DBus";
    let path = b"/org/freedesktop/DBus";
    let serial = state.connection.next_serial();
    let call = Builder::method_call(Some(name), path, Some(name), b"RemoveMatch").and_then(
        |mut builder| {
            builder.set_expect_reply(false)?;
            builder.append_basic(Basic::String(rule))?;
            builder.seal(serial)
        },
    );
    if let Ok(call) = call {
        // The connection may be over: then the bus knows.
        let _ = state.connection.send(Sealed::new(call, Vec::new()));
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_filter(
    of: *const Bus,
    to: *mut *const Slot,
    handler: Handler,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        handler.ok_or(Errno::INVAL)?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::optional(to) };
        let mut state = bus.enter()?;
        let callback = (handler, userdata);
        let slot = Slot::add(&bus, &mut state, Kind::Filter, callback, to.is_none());
        // The newest is asked first.
        state.filters.insert(0, slot.number);
        drop(state);
        if let Some(to) = to {
            to.set(Shared::into_raw(slot));
        }
        Ok(0)
    })
}

/// Adds a rule for C.
fn add(
    bus: &Shared<Bus>,
    to: Option<Out<*const Slot>>,
    rule: &Rule,
    callback: (Handler, *mut c_void),
    installed: Option<Handler>,
) -> Result<c_int> {
    let slot = register(bus, to.is_none(), rule, callback, installed)?;
    if let Some(to) = to {
        to.set(Shared::into_raw(slot));
    }
    Ok(1)
}

/// Adds a rule here, and tells the bus of it: at once, or by a call that is answered to `installed`.
pub fn register(
    bus: &Shared<Bus>,
    floating: bool,
    rule: &Rule,
    callback: (Handler, *mut c_void),
    installed: Option<Handler>,
) -> Result<Shared<Slot>> {
    let is_local = rule.sender.as_deref() == Some(LOCAL)
        || rule.interface.as_deref() == Some(LOCAL)
        || rule.path.as_deref() == Some("/org/freedesktop/DBus/Local");
    let told = {
        let state = bus.enter()?;
        let tells = state.connection.is_client && !is_local;
        if tells && !state.connection.is_open() {
            return Err(Errno::NOTCONN);
        }
        tells.then(|| CString::new(rule.to_string()))
    };
    let told = told.transpose().map_err(|_| Errno::INVAL)?;
    let slot = {
        let mut state = bus.enter()?;
        let kind = Kind::Match { told: told.clone() };
        let slot = Slot::add(bus, &mut state, kind, callback, floating);
        state.matches.push((slot.number, rule.clone()));
        slot
    };
    if let Some(told) = &told {
        let ask = of_bus(bus, b"AddMatch", |builder| {
            builder.append_basic(Basic::String(told))
        })?;
        let asked = match installed {
            None => call(bus, &ask, 0).and_then(|answer| match answer.message().header().kind() {
                MessageKind::Error => Err(error_number(&answer)),
                _ => Ok(()),
            }),
            Some(handler) => call_async(bus, &ask, (handler, callback.1), 0, true).map(drop),
        };
        if let Err(errno) = asked {
            let removed = remove(&mut *bus.enter()?, &slot);
            drop(removed);
            return Err(errno);
        }
    }
    Ok(slot)
}

/// The number of the error that an answer is.
pub fn error_number(answer: &Sealed) -> Errno {
    let name = answer
        .message()
        .header()
        .bytes_of(dbus::message::Field::ErrorName);
    Errno::from_raw_os_error(crate::bus::error::number(name.unwrap_or_default()))
}

unsafe fn rule(of: *const c_char) -> Result<Rule> {
    // SAFETY: the caller's promise.
    let text = unsafe { text(of) }?;
    let text = text.to_str().map_err(|_| Errno::INVAL)?;
    text.parse().map_err(errno)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_match(
    of: *const Bus,
    to: *mut *const Slot,
    wanted: *const c_char,
    handler: Handler,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let wanted = unsafe { rule(wanted) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::optional(to) };
        add(&bus, to, &wanted, (handler, userdata), None)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_match_async(
    of: *const Bus,
    to: *mut *const Slot,
    wanted: *const c_char,
    handler: Handler,
    installed: Handler,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let wanted = unsafe { rule(wanted) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::optional(to) };
        add(&bus, to, &wanted, (handler, userdata), Some(installed))
    })
}

/// The rule for a signal; what is null may be anything.
unsafe fn signal(
    sender: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
) -> Result<Rule> {
    let part = |text: *const c_char, is: fn(&[u8]) -> bool| {
        // SAFETY: the caller's promise.
        match unsafe { optional_name(text) }? {
            Some(text) if is(text.as_bytes()) => Ok(Some(text.to_owned())),
            Some(_) => Err(Errno::INVAL),
            None => Ok(None),
        }
    };
    Ok(Rule {
        kind: Some(MessageKind::Signal),
        sender: part(sender, dbus::name::is_bus)?,
        path: part(path, dbus::path::is_valid)?,
        interface: part(interface, dbus::name::is_interface)?,
        member: part(member, dbus::name::is_member)?,
        ..Rule::default()
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_match_signal(
    of: *const Bus,
    to: *mut *const Slot,
    sender: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
    handler: Handler,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let wanted = unsafe { signal(sender, path, interface, member) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::optional(to) };
        add(&bus, to, &wanted, (handler, userdata), None)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_match_signal_async(
    of: *const Bus,
    to: *mut *const Slot,
    sender: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
    handler: Handler,
    installed: Handler,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let wanted = unsafe { signal(sender, path, interface, member) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::optional(to) };
        add(&bus, to, &wanted, (handler, userdata), Some(installed))
    })
}
