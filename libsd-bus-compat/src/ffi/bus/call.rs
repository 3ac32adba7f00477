//! Sending, calling, waiting: sd_bus_send(3), sd_bus_call(3), sd_bus_wait(3).

use std::ffi::{c_char, c_int, c_void};

use dbus::message::{Field, NO_REPLY_EXPECTED};
use dbus::{Kind, types};

use super::connection::{Bus, State, deadline, shared};
use super::dispatch::process;
use super::error::{Error, put, telling};
use super::message::{Message, Own, errno, message};
use super::slot::{Handler, Kind as SlotKind, Slot};
use crate::bus::connection::{Phase, Waiter, now};
use crate::bus::message::Sealed;
use crate::bus::socket::Socket;
use crate::ffi::boundary::entry;
use crate::ffi::pointer::{Out, text};
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// The bus that a message is sent by: the one that is given, or its own.
unsafe fn of_message(of: *const Bus, message: &Message) -> Result<Shared<Bus>> {
    match of.is_null() {
        true => Ok(Shared::clone(&message.bus)),
        // SAFETY: the caller's promise.
        false => unsafe { shared(of) },
    }
}

/// Makes a message complete under the next number of a bus; one that is complete keeps its own.
fn seal(state: &mut State, own: &mut Own, timeout: u64) -> Result<(Sealed, u32)> {
    if !own.content.is_complete() {
        let is_unsaid = own.content.header().bytes_of(Field::Sender).is_none();
        if let Some(sender) = state.sender.as_ref().filter(|_| is_unsaid) {
            let builder = own.builder()?;
            let set = builder.set(Field::Sender, sender.to_bytes());
            set.map_err(errno)?;
        }
        let serial = state.connection.next_serial();
        own.content.seal(serial)?;
        own.timeout = timeout;
    }
    let sealed = own.content.sealed()?.clone();
    let serial = sealed.message().header().serial();
    Ok((sealed, serial))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_send(
    of: *const Bus,
    sent: *const Message,
    cookie: *mut u64,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let message = unsafe { message(sent) }?;
        // SAFETY: the contract of C.
        let bus = unsafe { of_message(of, message) }?;
        // SAFETY: the contract of C.
        let cookie = unsafe { Out::optional(cookie) };
        let serial = send(&bus, message, cookie.is_some())?;
        if let Some(cookie) = cookie {
            cookie.set(serial.into());
        }
        Ok(1)
    })
}

/// Sends a message; who does not ask for its number waits for no answer.
pub fn send(bus: &Bus, message: &Message, wants_reply: bool) -> Result<u32> {
    let mut state = bus.enter()?;
    state.connection.check_open()?;
    let mut own = message.enter()?;
    if !wants_reply && !own.content.is_complete() && own.content.header().kind() == Kind::MethodCall
    {
        own.builder()?.set_expect_reply(false).map_err(errno)?;
    }
    let (sealed, serial) = seal(&mut state, &mut own, 0)?;
    state.connection.send(sealed)?;
    Ok(serial)
}

/// Whether values of this type can be sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_can_send(of: *const Bus, code: c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        let is_monitor = {
            let state = bus.enter()?;
            if state.connection.phase == Phase::Unset {
                return Err(Errno::NOTCONN);
            }
            state.connection.is_monitor
        };
        if is_monitor {
            return Ok(0);
        }
        let code = code.cast_unsigned();
        if code == types::UNIX_FD {
            running(&bus)?;
            return Ok(c_int::from(bus.enter()?.connection.can_descriptors()));
        }
        Ok(c_int::from(
            types::is_basic(code) || types::is_container(code),
        ))
    })
}

/// Puts a message among those that were received.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_enqueue_for_read(of: *const Bus, read: *const Message) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let own = unsafe { message(read) }?.enter()?;
        let sealed = own.content.sealed().map_err(|_| Errno::INVAL)?;
        bus.enter()?.connection.enqueue(sealed.clone())?;
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_send(sent: *const Message) -> c_int {
    // SAFETY: the contract of C.
    unsafe { sd_bus_send(std::ptr::null(), sent, std::ptr::null_mut()) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_send_to(
    of: *const Bus,
    sent: *const Message,
    destination: *const c_char,
    cookie: *mut u64,
) -> c_int {
    let told = entry(|| {
        // SAFETY: the contract of C.
        let message = unsafe { message(sent) }?;
        // SAFETY: the contract of C.
        let destination = unsafe { text(destination) }?.to_bytes();
        let mut own = message.enter()?;
        let field = dbus::message::Field::Destination;
        if own.content.header().bytes_of(field) != Some(destination) {
            own.builder()?.set(field, destination).map_err(errno)?;
        }
        Ok(0)
    });
    match told {
        // SAFETY: the contract of C.
        0 => unsafe { sd_bus_send(of, sent, cookie) },
        errno => errno,
    }
}

/// Sees that a message is a call whose answer may be waited for.
fn is_call(own: &Own) -> Result<()> {
    let header = own.content.header();
    match header.kind() == Kind::MethodCall && header.flags() & NO_REPLY_EXPECTED == 0 {
        true => Ok(()),
        false => Err(Errno::INVAL),
    }
}

/// Goes on until the connection is there.
///
/// # Errors
/// ENOTCONN if it was not begun or is over.
pub fn running(bus: &Shared<Bus>) -> Result<()> {
    loop {
        match bus.enter()?.connection.phase {
            Phase::Running => return Ok(()),
            Phase::Unset | Phase::Closing | Phase::Closed => return Err(Errno::NOTCONN),
            Phase::Watching | Phase::Opening | Phase::Authenticating | Phase::Hello => {}
        }
        if !process(bus, None)? {
            wait(bus, u64::MAX)?;
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_call(
    of: *const Bus,
    called: *const Message,
    usec: u64,
    error: *mut Error,
    reply: *mut *const Message,
) -> c_int {
    let body = || {
        // SAFETY: the contract of C.
        let message = unsafe { message(called) }?;
        // SAFETY: the contract of C.
        let bus = unsafe { of_message(of, message) }?;
        // SAFETY: the contract of C.
        let reply = unsafe { Out::optional(reply) };
        let answer = Message::received(&bus, call(&bus, message, usec)?);
        let mut own = answer.enter()?;
        let failed = own.error()?;
        if let Some(name) = failed.name() {
            // SAFETY: the contract of C.
            let to = unsafe { super::error::optional(error) };
            return put(to, name, || Error::owned(name, failed.message()));
        }
        drop(own);
        if let Some(reply) = reply {
            reply.set(Shared::into_raw(answer));
        }
        Ok(1)
    };
    // SAFETY: the contract of C.
    unsafe { telling(error, body) }
}

/// Calls, and waits for the answer alone: what else comes stays where it is.
pub fn call(bus: &Shared<Bus>, message: &Message, usec: u64) -> Result<Sealed> {
    is_call(&*message.enter()?)?;
    let mut state = bus.enter()?;
    state.connection.check_open()?;
    if state.connection.phase != Phase::Running {
        drop(state);
        running(bus)?;
        state = bus.enter()?;
    }
    let mut moment = now();
    let (serial, until) = {
        let mut own = message.enter()?;
        let (sealed, serial) = seal(&mut state, &mut own, usec)?;
        let until = deadline(&state, moment, own.timeout.max(usec));
        state.connection.send(sealed)?;
        (serial, until)
    };
    loop {
        let _ = state.connection.write()?;
        let left = until.saturating_sub(moment);
        if left == 0 {
            return Err(Errno::TIMEDOUT);
        }
        let left = Some(left).filter(|_| until < u64::MAX);
        let write = state.connection.wants_to_write();
        let socket = state.connection.socket()?.clone();
        // Outside: a thread that waits here is in nobody's way.
        drop(state);
        wait_for(&socket, true, write, left)?;
        state = bus.enter()?;
        // What has come before cannot have been the answer.
        if let Some(answer) = state.connection.take_reply(serial)? {
            return Ok(answer);
        }
        moment = now();
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_call_async(
    of: *const Bus,
    to: *mut *const Slot,
    called: *const Message,
    handler: Handler,
    userdata: *mut c_void,
    usec: u64,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let message = unsafe { message(called) }?;
        // SAFETY: the contract of C.
        let bus = unsafe { of_message(of, message) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::optional(to) };
        if handler.is_none() && to.is_none() {
            // Nobody would hear of the answer.
            send(&bus, message, false)?;
            return Ok(1);
        }
        let slot = call_async(&bus, message, (handler, userdata), usec, to.is_none())?;
        if let Some(to) = to {
            to.set(Shared::into_raw(slot));
        }
        Ok(1)
    })
}

/// Calls, and has the answer given to a callback.
pub fn call_async(
    bus: &Shared<Bus>,
    message: &Message,
    callback: (Handler, *mut c_void),
    usec: u64,
    floating: bool,
) -> Result<Shared<Slot>> {
    let mut state = bus.enter()?;
    state.connection.check_open()?;
    let mut own = message.enter()?;
    is_call(&own)?;
    let (sealed, serial) = seal(&mut state, &mut own, usec)?;
    let until = deadline(&state, now(), own.timeout.max(usec));
    let kind = SlotKind::Reply { serial };
    let slot = Slot::add(bus, &mut state, kind, callback, floating);
    let waiter = Waiter::Slot(slot.number);
    let begun = state
        .connection
        .await_reply(serial, until, waiter)
        .and_then(|()| state.connection.send(sealed));
    drop(own);
    match begun {
        Ok(()) => Ok(slot),
        Err(errno) => {
            let removed = super::slot::remove(&mut state, &slot);
            drop(state);
            drop(removed);
            Err(errno)
        }
    }
}

/// Waits for a socket. Who handles a signal meanwhile may have something to do: that is no error, as since 253.
fn wait_for(socket: &Socket, read: bool, write: bool, timeout: Option<u64>) -> Result<bool> {
    match socket.wait(read, write, timeout) {
        Err(Errno::INTR) => Ok(true),
        waited => waited,
    }
}

/// Waits until there is something to do, for so many µs.
pub fn wait(bus: &Shared<Bus>, usec: u64) -> Result<bool> {
    let (socket, write, timeout) = {
        let state = bus.enter()?;
        let connection = &state.connection;
        match connection.phase {
            Phase::Closing => return Ok(true),
            Phase::Unset | Phase::Closed => return Err(Errno::NOTCONN),
            _ if connection.has_received() => return Ok(true),
            _ => {}
        }
        let wake = state.wake();
        let until = match wake {
            u64::MAX => usec,
            wake => usec.min(wake.saturating_sub(now())),
        };
        let timeout = (until < u64::MAX).then_some(until);
        let write = connection.wants_to_write();
        (connection.socket()?.clone(), write, timeout)
    };
    wait_for(&socket, true, write, timeout)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_wait(of: *const Bus, usec: u64) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        wait(&bus, usec).map(c_int::from)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_process(of: *const Bus, to: *mut *const Message) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        // SAFETY: the contract of C.
        let to = unsafe { Out::optional(to) };
        let mut left = None;
        let did = process(&bus, to.is_some().then_some(&mut left))?;
        if let Some(to) = to {
            to.set(left.map_or(std::ptr::null(), Shared::into_raw));
        }
        Ok(c_int::from(did))
    })
}

/// Before there were priorities of messages at all: the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_process_priority(
    of: *const Bus,
    _priority: i64,
    to: *mut *const Message,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { sd_bus_process(of, to) }
}

/// Waits until all is written.
pub fn flush(bus: &Shared<Bus>) -> Result<()> {
    running(bus)?;
    loop {
        let (socket, done) = {
            let mut state = bus.enter()?;
            state.connection.check_open()?;
            state.connection.write()?;
            let done = !state.connection.wants_to_write();
            (state.connection.socket()?.clone(), done)
        };
        if done {
            return Ok(());
        }
        wait_for(&socket, false, true, None)?;
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_flush(of: *const Bus) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        flush(&bus).map(|()| 0)
    })
}
