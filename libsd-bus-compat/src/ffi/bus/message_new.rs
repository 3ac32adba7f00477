//! sd_bus_message_new(3) and its like.

use std::ffi::{CStr, c_char, c_int};

use dbus::message::Field;
use dbus::{Builder, Kind, types};

use super::connection::{Bus, shared};
use super::error::{Error, sd_bus_error_set_errno};
use super::message::{Message, errno, message};
use crate::bus::connection::Phase;
use crate::ffi::boundary::entry;
use crate::ffi::pointer::{Out, optional_text, text};
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// The bus that a new message is of, which must have been started once.
unsafe fn started(of: *const Bus) -> Result<Shared<Bus>> {
    // SAFETY: the caller's promise.
    let bus = unsafe { shared(of) }.map_err(|errno| match errno {
        Errno::INVAL => Errno::NOTCONN,
        errno => errno,
    })?;
    if bus.enter()?.connection.phase == Phase::Unset {
        return Err(Errno::NOTCONN);
    }
    Ok(bus)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_new(
    of: *const Bus,
    to: *mut *const Message,
    kind: u8,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { started(of) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        let builder = match Kind::from_code(kind) {
            Some(kind) => Builder::new(kind).map_err(errno)?,
            None => Builder::values(),
        };
        to.set(Shared::into_raw(Message::new(bus, builder)));
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_new_signal(
    of: *const Bus,
    to: *mut *const Message,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { started(of) }?;
        // SAFETY: the contract of C.
        let path = unsafe { text(path) }?.to_bytes();
        // SAFETY: the contract of C.
        let interface = unsafe { text(interface) }?.to_bytes();
        // SAFETY: the contract of C.
        let member = unsafe { text(member) }?.to_bytes();
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        let builder = Builder::signal(path, interface, member).map_err(errno)?;
        to.set(Shared::into_raw(Message::new(bus, builder)));
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_new_method_call(
    of: *const Bus,
    to: *mut *const Message,
    destination: *const c_char,
    path: *const c_char,
    interface: *const c_char,
    member: *const c_char,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { started(of) }?;
        // SAFETY: the contract of C.
        let destination = unsafe { optional_text(destination) };
        // SAFETY: the contract of C.
        let path = unsafe { text(path) }?.to_bytes();
        // SAFETY: the contract of C.
        let interface = unsafe { optional_text(interface) };
        // SAFETY: the contract of C.
        let member = unsafe { text(member) }?.to_bytes();
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        let is_interactive = bus.enter()?.interactive;
        let call = Message::begun(bus, Kind::MethodCall, |content| {
            let builder = content.builder()?;
            let destination = destination.map(CStr::to_bytes);
            let interface = interface.map(CStr::to_bytes);
            let said = builder.call(destination, path, interface, member);
            said.and_then(|()| builder.set_allow_interactive_authorization(is_interactive))
                .map_err(errno)
        });
        to.set(Shared::into_raw(call?));
        Ok(0)
    })
}

/// An answer to a call that is complete, of which `begin` says what comes first.
pub fn reply(
    call: &Message,
    kind: Kind,
    begin: impl FnOnce(&mut Builder) -> dbus::Result<()>,
) -> Result<Shared<Message>> {
    if call.bus.enter()?.connection.phase == Phase::Unset {
        return Err(Errno::NOTCONN);
    }
    let own = call.enter()?;
    Message::begun(Shared::clone(&call.bus), kind, |content| {
        content.answer(&own.content)?;
        begin(content.builder()?).map_err(errno)
    })
}

/// An answer without an error, to append to.
pub fn method_return(call: &Message) -> Result<Shared<Message>> {
    reply(call, Kind::MethodReturn, |_| Ok(()))
}

/// An error in answer to a call, by its name, with what it says.
pub fn method_error(call: &Message, name: &[u8], text: Option<&[u8]>) -> Result<Shared<Message>> {
    reply(call, Kind::Error, |builder| {
        builder.set(Field::ErrorName, name)?;
        text.map_or(Ok(()), |text| builder.append_text(types::STRING, text))
    })
}

/// The same of an error.
pub fn error_reply(call: &Message, error: &Error) -> Result<Shared<Message>> {
    let name = error.name().ok_or(Errno::INVAL)?.to_bytes();
    method_error(call, name, error.message().map(CStr::to_bytes))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_new_method_return(
    call: *const Message,
    to: *mut *const Message,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let call = unsafe { message(call) }?;
        let answer = method_return(call)?;
        // SAFETY: the contract of C.
        unsafe { Out::required(to) }?.set(Shared::into_raw(answer));
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_new_method_error(
    call: *const Message,
    to: *mut *const Message,
    error: *const Error,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let call = unsafe { message(call) }?;
        // SAFETY: the contract of C.
        let error = unsafe { error.as_ref() }.ok_or(Errno::INVAL)?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        to.set(Shared::into_raw(error_reply(call, error)?));
        Ok(0)
    })
}

/// An error by its number, unless one is given.
pub fn with_number<T>(
    number: c_int,
    given: Option<&Error>,
    then: impl FnOnce(&Error) -> Result<T>,
) -> Result<T> {
    if let Some(given) = given.filter(|error| error.name().is_some()) {
        return then(given);
    }
    let mut own = Error::NULL;
    // SAFETY: it is empty, and this function's.
    unsafe { sd_bus_error_set_errno(&raw mut own, number) };
    let answer = then(&own);
    own.clear();
    answer
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_new_method_errno(
    call: *const Message,
    to: *mut *const Message,
    number: c_int,
    error: *const Error,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let call = unsafe { message(call) }?;
        // SAFETY: the contract of C.
        let given = unsafe { error.as_ref() };
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        let answer = with_number(number, given, |error| error_reply(call, error))?;
        to.set(Shared::into_raw(answer));
        Ok(0)
    })
}
