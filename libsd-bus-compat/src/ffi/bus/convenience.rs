//! Calls in one function: sd_bus_call_method(3), sd_bus_reply_method_return(3), sd_bus_emit_signal(3).

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use dbus::Kind;
use dbus::message::NO_REPLY_EXPECTED;

use super::arguments::{Arguments, List};
use super::call::{sd_bus_call, sd_bus_call_async, send};
use super::connection::Bus;
use super::error::{Error, telling};
use super::message::{Message, message, sd_bus_message_unref};
use super::message_append::append_all;
use super::message_get::sd_bus_message_set_destination;
use super::message_new::{
    error_reply, method_return, sd_bus_message_new_method_call, sd_bus_message_new_signal,
    with_number,
};
use super::slot::{Handler, Slot};
use crate::ffi::boundary::entry;
use crate::ffi::pointer::Out;
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// Who is called: what the functions here begin with.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub bus: *const Bus,
    pub destination: *const c_char,
    pub path: *const c_char,
    pub interface: *const c_char,
    pub member: *const c_char,
}

/// A message of C's that goes with this.
pub(super) struct Held(pub *const Message);

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: it was given to this alone.
        unsafe { sd_bus_message_unref(self.0) };
    }
}

/// An answer of a C function as a result.
pub(super) fn checked(answer: c_int) -> Result<c_int> {
    match answer {
        0.. => Ok(answer),
        errno => Err(Errno::from_raw_os_error(errno.saturating_neg())),
    }
}

/// A call with values of these types, which may be null for none.
unsafe fn method_call(
    target: Target,
    types: *const c_char,
    arguments: &mut Arguments,
) -> Result<Held> {
    // SAFETY: the contract of C.
    let bus = unsafe { super::connection::bus(target.bus) }?;
    bus.enter()?.connection.check_open()?;
    let mut made = Held(ptr::null());
    // SAFETY: the contract of C.
    checked(unsafe {
        sd_bus_message_new_method_call(
            target.bus,
            &raw mut made.0,
            target.destination,
            target.path,
            target.interface,
            target.member,
        )
    })?;
    // SAFETY: the contract of C.
    unsafe { append(made.0, types, arguments) }?;
    Ok(made)
}

pub(super) unsafe fn append(
    made: *const Message,
    types: *const c_char,
    arguments: &mut Arguments,
) -> Result<()> {
    if !types.is_null() {
        // SAFETY: the caller's promise.
        checked(unsafe { append_all(made, types, arguments) })?;
    }
    Ok(())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_call_method(
    bus: *const Bus,
    destination: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
    error: *mut Error,
    reply: *mut *const Message,
    types: *const c_char,
    list: *mut List,
) -> c_int {
    let target = Target {
        bus,
        destination,
        path,
        interface,
        member,
    };
    let body = || {
        // SAFETY: C's part has made it of the program's arguments.
        let mut arguments = unsafe { Arguments::new(list) };
        // SAFETY: the contract of C.
        let call = unsafe { method_call(target, types, &mut arguments) }?;
        // SAFETY: the contract of C.
        checked(unsafe { sd_bus_call(bus, call.0, 0, error, reply) })
    };
    // SAFETY: the contract of C.
    unsafe { telling(error, body) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_call_method_async(
    bus: *const Bus,
    slot: *mut *const Slot,
    destination: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
    handler: Handler,
    userdata: *mut c_void,
    types: *const c_char,
    list: *mut List,
) -> c_int {
    let target = Target {
        bus,
        destination,
        path,
        interface,
        member,
    };
    entry(|| {
        // SAFETY: C's part has made it of the program's arguments.
        let mut arguments = unsafe { Arguments::new(list) };
        // SAFETY: the contract of C.
        let call = unsafe { method_call(target, types, &mut arguments) }?;
        // SAFETY: the contract of C.
        checked(unsafe { sd_bus_call_async(bus, slot, call.0, handler, userdata, 0) })
    })
}

/// Whether a call is to be answered at all; who asks for no answer gets none.
fn wants_reply(call: &Message) -> Result<bool> {
    drop(call.bus.enter()?);
    let own = call.enter()?;
    if !own.content.is_complete() {
        return Err(Errno::PERM);
    }
    let header = own.content.header();
    if header.kind() != Kind::MethodCall {
        return Err(Errno::INVAL);
    }
    Ok(header.flags() & NO_REPLY_EXPECTED == 0)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_reply_method_return(
    call: *const Message,
    types: *const c_char,
    list: *mut List,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let call = unsafe { message(call) }?;
        if !wants_reply(call)? {
            return Ok(0);
        }
        let answer = method_return(call)?;
        // SAFETY: C's part has made it of the program's arguments.
        let mut arguments = unsafe { Arguments::new(list) };
        // SAFETY: the contract of C.
        unsafe { append(Shared::as_ptr(&answer), types, &mut arguments) }?;
        send(&answer.bus, &answer, false)?;
        Ok(1)
    })
}

/// Answers a call with an error.
fn answer_error(call: &Message, error: &Error) -> Result<c_int> {
    let answer = error_reply(call, error)?;
    send(&answer.bus, &answer, false)?;
    Ok(1)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_reply_method_error(
    call: *const Message,
    error: *const Error,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let call = unsafe { message(call) }?;
        let wants_reply = wants_reply(call)?;
        // SAFETY: the contract of C.
        let error = unsafe { error.as_ref() };
        let error = error.filter(|error| error.name().is_some());
        let error = error.ok_or(Errno::INVAL)?;
        match wants_reply {
            true => answer_error(call, error),
            false => Ok(0),
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_reply_method_errno(
    call: *const Message,
    number: c_int,
    error: *const Error,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let call = unsafe { message(call) }?;
        // SAFETY: the contract of C.
        let given = unsafe { error.as_ref() };
        match wants_reply(call)? {
            true => with_number(number, given, |error| answer_error(call, error)),
            false => Ok(0),
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_emit_signal(
    bus: *const Bus,
    destination: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
    types: *const c_char,
    list: *mut List,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let of = unsafe { super::connection::bus(bus) }?;
        of.enter()?.connection.check_open()?;
        let mut made = Held(ptr::null());
        // SAFETY: the contract of C.
        checked(unsafe {
            sd_bus_message_new_signal(bus, &raw mut made.0, path, interface, member)
        })?;
        if !destination.is_null() {
            // SAFETY: the contract of C.
            checked(unsafe { sd_bus_message_set_destination(made.0, destination) })?;
        }
        // SAFETY: C's part has made it of the program's arguments.
        let mut arguments = unsafe { Arguments::new(list) };
        // SAFETY: the contract of C.
        unsafe { append(made.0, types, &mut arguments) }?;
        // SAFETY: it was made here.
        send(of, unsafe { message(made.0) }?, false)?;
        Ok(1)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_new_signal_to(
    bus: *const Bus,
    to: *mut *const Message,
    destination: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
) -> c_int {
    entry(|| {
        let mut made = Held(ptr::null());
        // SAFETY: the contract of C.
        checked(unsafe {
            sd_bus_message_new_signal(bus, &raw mut made.0, path, interface, member)
        })?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        if !destination.is_null() {
            // SAFETY: the contract of C.
            checked(unsafe { sd_bus_message_set_destination(made.0, destination) })?;
        }
        to.set(std::mem::replace(&mut made.0, ptr::null()));
        Ok(0)
    })
}
