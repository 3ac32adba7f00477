//! Names on the bus: sd_bus_request_name(3).

use std::ffi::{c_char, c_int, c_void};

use dbus::{Basic, Kind};

use super::call::{call, call_async};
use super::connection::{Bus, shared};
use super::error::Error;
use super::matches::{error_number, of_bus};
use super::message::{Message, errno};
use super::slot::{Handler, Slot};
use crate::ffi::boundary::entry;
use crate::ffi::memory::texts_or_null;
use crate::ffi::pointer::{Out, text};
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

const ALLOW_REPLACEMENT: u64 = 1 << 1;
const REPLACE_EXISTING: u64 = 1 << 0;
const QUEUE: u64 = 1 << 2;

/// Flags of sd-bus as the specification has them: there, who does not want to wait says so.
fn flags(flags: u64) -> Result<u32> {
    if flags & !(ALLOW_REPLACEMENT | REPLACE_EXISTING | QUEUE) != 0 {
        return Err(Errno::INVAL);
    }
    let flag = |given: u64, is: u32| if flags & given != 0 { is } else { 0 };
    let queue = if flags & QUEUE == 0 { 4 } else { 0 };
    Ok(flag(ALLOW_REPLACEMENT, 1) | flag(REPLACE_EXISTING, 2) | queue)
}

/// A call that asks the bus for something about a name.
unsafe fn question(
    of: *const Bus,
    member: &[u8],
    name: *const c_char,
    flags: Option<u32>,
) -> Result<(Shared<Bus>, Shared<Message>)> {
    // SAFETY: the caller's promise.
    let bus = unsafe { shared(of) }?;
    // SAFETY: the caller's promise.
    let name = unsafe { text(name) }?;
    {
        let state = bus.enter()?;
        // A unique name is given, and never asked for.
        let is = dbus::name::is_activatable(name.to_bytes());
        if !is || !state.connection.is_client {
            return Err(Errno::INVAL);
        }
        state.connection.check_open()?;
    }
    let asked = of_bus(&bus, member, |builder| {
        builder.append_basic(Basic::String(name))?;
        match flags {
            Some(flags) => builder.append_basic(Basic::Uint32(flags)),
            None => Ok(()),
        }
    })?;
    Ok((bus, asked))
}

/// The number that the bus answers.
fn ask((bus, asked): (Shared<Bus>, Shared<Message>)) -> Result<u32> {
    let answer = call(&bus, &asked, 0)?;
    if answer.message().header().kind() == Kind::Error {
        return Err(error_number(&answer));
    }
    let body = answer.message();
    match body
        .cursor()
        .read_basic(body, dbus::types::UINT32)
        .map_err(errno)?
    {
        Some(Basic::Uint32(code)) => Ok(code),
        _ => Err(Errno::BADMSG),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_request_name(
    of: *const Bus,
    name: *const c_char,
    given: u64,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let asked = unsafe { question(of, b"RequestName", name, Some(flags(given)?)) }?;
        match ask(asked)? {
            // Primary owner, and in the queue.
            1 => Ok(1),
            2 => Ok(0),
            3 => Err(Errno::EXIST),
            4 => Err(Errno::ALREADY),
            _ => Err(Errno::IO),
        }
    })
}

/// All names of a kind, as the bus lists them.
fn list(bus: &Shared<Bus>, member: &[u8]) -> Result<*mut *mut c_char> {
    let asked = of_bus(bus, member, |_| Ok(()))?;
    let answer = call(bus, &asked, 0)?;
    if answer.message().header().kind() == Kind::Error {
        return Err(error_number(&answer));
    }
    let body = answer.message();
    let mut cursor = body.cursor();
    let entered = cursor.enter_container(body, dbus::types::ARRAY, Some(b"s"));
    entered.map_err(errno)?;
    let mut names = Vec::new();
    while let Some(Basic::String(name)) = cursor
        .read_basic(body, dbus::types::STRING)
        .map_err(errno)?
    {
        names.push(name.to_bytes());
    }
    texts_or_null(&names)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_list_names(
    of: *const Bus,
    acquired: *mut *mut *mut c_char,
    activatable: *mut *mut *mut c_char,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let acquired = unsafe { Out::optional(acquired) };
        // SAFETY: the contract of C.
        let activatable = unsafe { Out::optional(activatable) };
        if acquired.is_none() && activatable.is_none() || !bus.enter()?.connection.is_client {
            return Err(Errno::INVAL);
        }
        bus.enter()?.connection.check_open()?;
        if let Some(to) = acquired {
            to.set(list(&bus, b"ListNames")?);
        }
        if let Some(to) = activatable {
            to.set(list(&bus, b"ListActivatableNames")?);
        }
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_release_name(of: *const Bus, name: *const c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let asked = unsafe { question(of, b"ReleaseName", name, None) }?;
        match ask(asked)? {
            1 => Ok(0),
            2 => Err(Errno::SRCH),
            3 => Err(Errno::ADDRINUSE),
            _ => Err(Errno::IO),
        }
    })
}

/// Who has no callback has the connection closed if it does not get the name: without it nobody finds what it serves.
unsafe extern "C" fn requested(
    answer: *const Message,
    _userdata: *mut c_void,
    _error: *mut Error,
) -> c_int {
    let mut code: u32 = 0;
    let place = (&raw mut code).cast();
    let type_code = c_char::from_ne_bytes([b'u']);
    // SAFETY: the bus has called with an answer; the place is of this type.
    let read = unsafe { super::message_read::sd_bus_message_read_basic(answer, type_code, place) };
    // The owner, one in the queue, or the owner already.
    if read <= 0 || !matches!(code, 1 | 2 | 4) {
        // SAFETY: it is the answer's, and so is there.
        let bus = unsafe { super::message::sd_bus_message_get_bus(answer) };
        // SAFETY: likewise.
        unsafe { super::ending::sd_bus_close(bus) };
    }
    1
}

/// Nothing is to be done about a name that was not ours to release.
unsafe extern "C" fn released(
    _answer: *const Message,
    _userdata: *mut c_void,
    _error: *mut Error,
) -> c_int {
    1
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_request_name_async(
    of: *const Bus,
    to: *mut *const Slot,
    name: *const c_char,
    given: u64,
    handler: Handler,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let asked = unsafe { question(of, b"RequestName", name, Some(flags(given)?)) }?;
        // SAFETY: the contract of C.
        unsafe { ask_async(asked, to, (handler.or(Some(requested)), userdata)) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_release_name_async(
    of: *const Bus,
    to: *mut *const Slot,
    name: *const c_char,
    handler: Handler,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let asked = unsafe { question(of, b"ReleaseName", name, None) }?;
        // SAFETY: the contract of C.
        unsafe { ask_async(asked, to, (handler.or(Some(released)), userdata)) }
    })
}

unsafe fn ask_async(
    (bus, asked): (Shared<Bus>, Shared<Message>),
    to: *mut *const Slot,
    callback: (Handler, *mut c_void),
) -> Result<c_int> {
    // SAFETY: the caller's promise.
    let to = unsafe { Out::optional(to) };
    let slot = call_async(&bus, &asked, callback, 0, to.is_none())?;
    if let Some(to) = to {
        to.set(Shared::into_raw(slot));
    }
    Ok(1)
}
