//! sd_bus_message_new(3) and its like.

use std::ffi::{c_char, c_int};
use std::sync::Arc;

use dbus::{Builder, Kind, types};

use super::connection::{Bus, shared};
use super::error::{Error, sd_bus_error_set_errno};
use super::message::{Message, errno, give, message};
use crate::bus::connection::Phase;
use crate::bus::message::Message as Content;
use crate::ffi::boundary::entry;
use crate::ffi::pointer::{Out, optional_text, text};
use crate::{Errno, Result};

/// The bus that a new message is of, which must have been started once.
unsafe fn started(of: *const Bus) -> Result<Arc<Bus>> {
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
        give(to, bus, Content::open(builder));
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
        give(to, bus, Content::open(builder));
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
        let mut builder = Builder::method_call(
            destination.map(|name| name.to_bytes()),
            path,
            interface.map(|name| name.to_bytes()),
            member,
        )
        .map_err(errno)?;
        if bus.enter()?.interactive {
            builder
                .set_allow_interactive_authorization(true)
                .map_err(errno)?;
        }
        give(to, bus, Content::open(builder));
        Ok(0)
    })
}

/// An answer to a call that is complete.
pub fn reply(
    call: &Message,
    make: impl FnOnce(&dbus::message::Header) -> dbus::Result<Builder>,
) -> Result<(Arc<Bus>, Content)> {
    if call.bus.enter()?.connection.phase == Phase::Unset {
        return Err(Errno::NOTCONN);
    }
    let own = call.enter()?;
    if !own.content.is_complete() {
        return Err(Errno::PERM);
    }
    let builder = make(own.content.header()).map_err(errno)?;
    let content = Content::answer(&own.content, builder);
    Ok((Arc::clone(&call.bus), content))
}

/// An error in answer to a call.
pub fn error_reply(call: &Message, error: &Error) -> Result<(Arc<Bus>, Content)> {
    let name = error.name().ok_or(Errno::INVAL)?.to_bytes();
    let (bus, mut content) = reply(call, |call| Builder::method_error(call, name))?;
    if let Some(text) = error.message() {
        let builder = content.builder()?;
        builder
            .append_text(types::STRING, text.to_bytes())
            .map_err(errno)?;
    }
    Ok((bus, content))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_new_method_return(
    call: *const Message,
    to: *mut *const Message,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let call = unsafe { message(call) }?;
        let (bus, content) = reply(call, Builder::method_return)?;
        // SAFETY: the contract of C.
        give(unsafe { Out::required(to) }?, bus, content);
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
        let (bus, content) = error_reply(call, error)?;
        give(to, bus, content);
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
        let (bus, content) = with_number(number, given, |error| error_reply(call, error))?;
        give(to, bus, content);
        Ok(0)
    })
}
