//! Properties of other programs' objects: sd_bus_get_property(3), sd_bus_set_property(3).

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use super::arguments::{Arguments, List};
use super::call::sd_bus_call;
use super::connection::Bus;
use super::convenience::{Held, Target, append, checked};
use super::error::{Error, telling};
use super::message::{Message, message};
use super::message_new::sd_bus_message_new_method_call;
use super::message_read::{
    sd_bus_message_enter_container, sd_bus_message_read_basic, sd_bus_message_read_strv,
};
use crate::ffi::memory::Text;
use crate::ffi::pointer::{Out, text};
use crate::{Errno, Result};

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
        unsafe { append(call.0, types, &mut arguments) }?;
        let close = made.enter()?.builder()?.close_container();
        close.map_err(super::message::errno)?;
        // SAFETY: the contract of C.
        checked(unsafe { sd_bus_call(bus, call.0, 0, error, ptr::null_mut()) })
    };
    // SAFETY: the contract of C.
    unsafe { telling(error, body) }
}
