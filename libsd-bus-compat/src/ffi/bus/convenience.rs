//! Calls in one function: sd_bus_call_method(3), sd_bus_get_property(3), sd_bus_reply_method_return(3), sd_bus_emit_signal(3).

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

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
    error_reply, reply, sd_bus_message_new_method_call, sd_bus_message_new_signal, with_number,
};
use super::message_read::{
    sd_bus_message_enter_container, sd_bus_message_read_basic, sd_bus_message_read_strv,
};
use super::slot::{Handler, Slot};
use crate::ffi::boundary::entry;
use crate::ffi::memory::Text;
use crate::ffi::pointer::{Out, text};
use crate::{Errno, Result};

/// Who is called: what the functions here begin with.
#[derive(Clone, Copy)]
struct Target {
    bus: *const Bus,
    destination: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
}

/// A message of C's that goes with this.
struct Held(*const Message);

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: it was given to this alone.
        unsafe { sd_bus_message_unref(self.0) };
    }
}

/// An answer of a C function as a result.
fn checked(answer: c_int) -> Result<c_int> {
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
    unsafe { append(&made, types, arguments) }?;
    Ok(made)
}

unsafe fn append(made: &Held, types: *const c_char, arguments: &mut Arguments) -> Result<()> {
    if !types.is_null() {
        // SAFETY: the caller's promise.
        checked(unsafe { append_all(made.0, types, arguments) })?;
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

const PROPERTIES: &CStr = c"org.freedesktop.DBus.Properties";

/// A call of org.freedesktop.DBus.Properties for a property.
unsafe fn property_call(target: Target, method: &CStr) -> Result<Held> {
    // SAFETY: the caller's promise.
    let interface = unsafe { text(target.interface) }?;
    // SAFETY: the caller's promise.
    let property = unsafe { text(target.member) }?;
    let is = dbus::name::is_interface(interface.to_bytes())
        && dbus::name::is_member(property.to_bytes());
    if !is {
        return Err(Errno::INVAL);
    }
    let mut made = Held(ptr::null());
    // SAFETY: the caller's promise.
    checked(unsafe {
        sd_bus_message_new_method_call(
            target.bus,
            &raw mut made.0,
            target.destination,
            target.path,
            PROPERTIES.as_ptr(),
            method.as_ptr(),
        )
    })?;
    // SAFETY: it was made here.
    let message = unsafe { message(made.0) }?;
    let mut own = message.enter()?;
    own.content.append_basic(dbus::Basic::String(interface))?;
    own.content.append_basic(dbus::Basic::String(property))?;
    drop(own);
    Ok(made)
}

/// The answer to Get, inside of its variant.
unsafe fn get(target: Target, error: *mut Error, types: *const c_char) -> Result<Held> {
    // SAFETY: the caller's promise.
    let call = unsafe { property_call(target, c"Get") }?;
    let mut reply = Held(ptr::null());
    // SAFETY: the caller's promise.
    checked(unsafe { sd_bus_call(target.bus, call.0, 0, error, &raw mut reply.0) })?;
    let variant = c_char::from_ne_bytes([b'v']);
    // SAFETY: the caller's promise.
    checked(unsafe { sd_bus_message_enter_container(reply.0, variant, types) })?;
    Ok(reply)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_property(
    bus: *const Bus,
    destination: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
    error: *mut Error,
    reply: *mut *const Message,
    types: *const c_char,
) -> c_int {
    let target = Target {
        bus,
        destination,
        path,
        interface,
        member,
    };
    let body = || {
        // SAFETY: the contract of C.
        let reply = unsafe { Out::required(reply) }?;
        // SAFETY: the contract of C.
        let is = dbus::signature::is_single(unsafe { text(types) }?.to_bytes());
        if !is {
            return Err(Errno::INVAL);
        }
        // SAFETY: the contract of C.
        let mut answer = unsafe { get(target, error, types) }?;
        reply.set(std::mem::replace(&mut answer.0, ptr::null()));
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { telling(error, body) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_property_trivial(
    bus: *const Bus,
    destination: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
    error: *mut Error,
    code: c_char,
    to: *mut c_void,
) -> c_int {
    let target = Target {
        bus,
        destination,
        path,
        interface,
        member,
    };
    let body = || {
        let byte = code.cast_unsigned();
        if to.is_null() || !(dbus::types::is_plain(byte) || byte == dbus::types::BOOLEAN) {
            return Err(Errno::INVAL);
        }
        let types = [code, 0];
        // SAFETY: the contract of C.
        let answer = unsafe { get(target, error, types.as_ptr()) }?;
        // SAFETY: the contract of C.
        checked(unsafe { sd_bus_message_read_basic(answer.0, code, to) })?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { telling(error, body) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_property_string(
    bus: *const Bus,
    destination: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
    error: *mut Error,
    to: *mut *mut c_char,
) -> c_int {
    let target = Target {
        bus,
        destination,
        path,
        interface,
        member,
    };
    let body = || {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        // SAFETY: the contract of C.
        let answer = unsafe { get(target, error, c"s".as_ptr()) }?;
        let mut found: *const c_char = ptr::null();
        let code = c_char::from_ne_bytes([b's']);
        let place = (&raw mut found).cast();
        // SAFETY: the place is of this type.
        checked(unsafe { sd_bus_message_read_basic(answer.0, code, place) })?;
        // SAFETY: it is the message's, which is there.
        to.set(Text::new(unsafe { text(found) }?.to_bytes())?.into_raw());
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { telling(error, body) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_property_strv(
    bus: *const Bus,
    destination: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
    error: *mut Error,
    to: *mut *mut *mut c_char,
) -> c_int {
    let target = Target {
        bus,
        destination,
        path,
        interface,
        member,
    };
    let body = || {
        if to.is_null() {
            return Err(Errno::INVAL);
        }
        // SAFETY: the contract of C.
        let answer = unsafe { get(target, error, ptr::null()) }?;
        // SAFETY: the contract of C.
        checked(unsafe { sd_bus_message_read_strv(answer.0, to) })?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { telling(error, body) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn compat_set_property(
    bus: *const Bus,
    destination: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
    error: *mut Error,
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
        // SAFETY: the contract of C.
        let contents = unsafe { text(types) }?.to_bytes();
        if !dbus::signature::is_single(contents) {
            return Err(Errno::INVAL);
        }
        // SAFETY: the contract of C.
        let call = unsafe { property_call(target, c"Set") }?;
        // SAFETY: it was made here.
        let made = unsafe { message(call.0) }?;
        let open = made.enter()?.builder()?.open_container(b'v', contents);
        open.map_err(super::message::errno)?;
        // SAFETY: C's part has made it of the program's arguments.
        let mut arguments = unsafe { Arguments::new(list) };
        // SAFETY: the contract of C.
        unsafe { append(&call, types, &mut arguments) }?;
        let close = made.enter()?.builder()?.close_container();
        close.map_err(super::message::errno)?;
        // SAFETY: the contract of C.
        checked(unsafe { sd_bus_call(bus, call.0, 0, error, ptr::null_mut()) })
    };
    // SAFETY: the contract of C.
    unsafe { telling(error, body) }
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
        let (bus, content) = reply(call, dbus::Builder::method_return)?;
        let answer = Held(Arc::into_raw(Message::new(Arc::clone(&bus), content)));
        // SAFETY: C's part has made it of the program's arguments.
        let mut arguments = unsafe { Arguments::new(list) };
        // SAFETY: the contract of C.
        unsafe { append(&answer, types, &mut arguments) }?;
        // SAFETY: it was made here.
        send(&bus, unsafe { message(answer.0) }?, false)?;
        Ok(1)
    })
}

/// Answers a call with an error.
fn answer_error(call: &Message, error: &Error) -> Result<c_int> {
    let (bus, content) = error_reply(call, error)?;
    send(&bus, &Message::new(Arc::clone(&bus), content), false)?;
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
        unsafe { append(&made, types, &mut arguments) }?;
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
