//! What is done with messages: sd_bus_process(3).

use std::ffi::c_int;

use dbus::message::{Field, NO_REPLY_EXPECTED};
use dbus::rule::Subject;
use dbus::{Builder, Kind, types};

use super::call::send;
use super::connection::{Bus, Current};
use super::error::Error;
use super::message::{Message, errno};
use super::message_new::{error_reply, method_error, method_return, reply, with_number};
use super::slot::{Slot, remove};
use crate::bus::connection::{Step, local_signal};
use crate::bus::message::{MADE_UP, Sealed};
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// Does one thing that there is to do. False if there is none. A message that nobody has wanted is left for `left`.
pub fn process(bus: &Shared<Bus>, left: Option<&mut Option<Shared<Message>>>) -> Result<bool> {
    let mut state = bus.enter()?;
    if let Some(told) = super::tracked::next(&mut state) {
        drop(state);
        told.tell()?;
        return Ok(true);
    }
    let step = state.connection.step()?;
    let is_behind = super::attach::is_behind(&state);
    // A monitor may not say anything: the bus would end its connection.
    let answers = !state.connection.is_monitor;
    drop(state);
    if is_behind {
        super::attach::follow(bus)?;
    }
    match step {
        Step::Idle => return Ok(false),
        Step::Done => {}
        Step::Answered(slot, sealed) => {
            let message = Message::received(bus, sealed);
            // Filters see answers, too.
            if answer(bus, slot, Shared::clone(&message))? == 0
                && !offer(bus, &message)?
                && let Some(left) = left
            {
                *left = Some(message);
            }
        }
        Step::TimedOut(slot, serial) => {
            let error = "org.freedesktop.DBus.Error.NoReply";
            let told = made_up(bus, serial, error, "Method call timed out")?;
            answer(bus, slot, told)?;
        }
        Step::Abandoned(slot, serial) => {
            let error = "org.freedesktop.DBus.Error.NoReply";
            let told = made_up(bus, serial, error, "Connection terminated")?;
            answer(bus, slot, told)?;
        }
        Step::Over => {
            let attached = bus.enter()?.attached.take();
            let event = attached.as_ref().map(|own| Shared::clone(&own.event));
            drop(attached);
            let told = Message::received(bus, local_signal(b"Disconnected")?);
            if !offer(bus, &told)? {
                super::ending::over(bus, event)?;
                if let Some(left) = left {
                    *left = Some(told);
                }
            }
        }
        Step::Received(sealed) => {
            let message = Message::received(bus, sealed);
            let is_taken = offer(bus, &message)?
                || answers
                    && (super::object::dispatch(bus, &message)?
                        || stand_in(bus, &message, left.is_none())?);
            if !is_taken && let Some(left) = left {
                *left = Some(message);
            }
        }
    }
    Ok(true)
}

/// An error of our own in answer to a call of ours.
#[cold]
fn made_up(bus: &Shared<Bus>, serial: u32, name: &str, text: &str) -> Result<Shared<Message>> {
    let call = Builder::method_call(None, b"/", None, b"_").and_then(|mut call| call.seal(serial));
    let call = call.map_err(errno)?;
    let mut builder = Builder::method_error(call.header(), name.as_bytes()).map_err(errno)?;
    builder
        .append_text(types::STRING, text.as_bytes())
        .map_err(errno)?;
    builder
        .set(Field::Sender, b"org.freedesktop.DBus")
        .map_err(errno)?;
    received(bus, builder)
}

fn received(bus: &Shared<Bus>, mut builder: Builder) -> Result<Shared<Message>> {
    let sealed = builder.seal(MADE_UP).map_err(errno)?;
    Ok(Message::received(bus, Sealed::new(sealed, Vec::new())))
}

/// Gives an answer to who waits for it. What that has returned: not 0 if nobody else is to see it.
fn answer(bus: &Shared<Bus>, number: u64, message: Shared<Message>) -> Result<c_int> {
    let (slot, removed) = {
        let mut state = bus.enter()?;
        let registered = state.slots.get(&number);
        let Some(slot) = registered.and_then(|registered| registered.slot.upgrade()) else {
            return Ok(0);
        };
        let removed = remove(&mut state, &slot);
        (slot, removed)
    };
    let called = call_slot(bus, &slot, &message);
    drop(removed);
    called
}

/// Calls a callback; a message is put back to its beginning first.
pub fn call_slot(
    bus: &Shared<Bus>,
    slot: &Shared<Slot>,
    message: &Shared<Message>,
) -> Result<c_int> {
    let (handler, userdata) = slot.callback()?;
    let Some(function) = handler else {
        return Ok(0);
    };
    if let Ok((cursor, _)) = message.enter()?.content.reader() {
        cursor.rewind(true);
    }
    bus.enter()?.current.push(Current {
        message: Shared::as_ptr(message),
        slot: Shared::as_ptr(slot),
        handler,
        userdata,
    });
    let mut error = Error::NULL;
    // SAFETY: C has given both for this; the message and the slot are there until it returns.
    let answer = unsafe { function(Shared::as_ptr(message), userdata, &raw mut error) };
    if let Some(mut state) = bus.enter_to_leave() {
        state.current.pop();
    }
    let answered = match answer < 0 || error.name().is_some() {
        true => answer_error(bus, message, answer, &error),
        false => Ok(()),
    };
    error.clear();
    match answered {
        Ok(()) if answer < 0 => Ok(1),
        Ok(()) => Ok(answer),
        Err(errno) => Err(errno),
    }
}

/// Tells a caller what a callback has failed with. What fails for another message than a call is nobody's business.
pub fn answer_error(
    bus: &Shared<Bus>,
    message: &Message,
    number: c_int,
    error: &Error,
) -> Result<()> {
    if bus.enter()?.connection.is_monitor {
        return Ok(());
    }
    let header_wants = {
        let own = message.enter()?;
        let header = own.content.header();
        header.kind() == Kind::MethodCall && header.flags() & NO_REPLY_EXPECTED == 0
    };
    if !header_wants {
        return Ok(());
    }
    let answer = with_number(number, Some(error), |error| error_reply(message, error))?;
    send(bus, &answer, false).map(drop)
}

/// Offers a message to filters and matches. Whether one of them has taken it.
fn offer(bus: &Shared<Bus>, message: &Shared<Message>) -> Result<bool> {
    let wanted: Vec<u64> = {
        let state = bus.enter()?;
        if state.filters.is_empty() && state.matches.is_empty() {
            return Ok(false);
        }
        let own = message.enter()?;
        let subject = Subject::new(own.content.sealed()?.message());
        // The newest is asked first.
        let matching = state.matches.iter().rev();
        let matching = matching.filter(|(_, rule)| rule.matches(&subject));
        let numbers = state.filters.iter().copied();
        numbers.chain(matching.map(|(number, _)| *number)).collect()
    };
    for number in wanted {
        // One of those before may have taken it away.
        let slot = {
            let state = bus.enter()?;
            let registered = state.slots.get(&number);
            registered.and_then(|registered| registered.slot.upgrade())
        };
        let Some(slot) = slot else {
            continue;
        };
        if call_slot(bus, &slot, message)? != 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Answers calls that nobody has taken: those of org.freedesktop.DBus.Peer and, if nobody else looks at them, by an error
/// all others.
fn stand_in(bus: &Shared<Bus>, message: &Message, refuses: bool) -> Result<bool> {
    let (call, is_peer, member, path, wants) = {
        let own = message.enter()?;
        let header = own.content.header();
        let text = |field| header.bytes_of(field).unwrap_or_default().to_vec();
        (
            header.kind() == Kind::MethodCall,
            header.bytes_of(Field::Interface) == Some(b"org.freedesktop.DBus.Peer"),
            text(Field::Member),
            text(Field::Path),
            header.flags() & NO_REPLY_EXPECTED == 0,
        )
    };
    if !call || !is_peer && !refuses {
        return Ok(false);
    }
    if !wants {
        return Ok(true);
    }
    let answer = match member.as_slice() {
        b"Ping" if is_peer => method_return(message)?,
        b"GetMachineId" if is_peer => {
            let id = crate::id128::machine(std::path::Path::new("/etc/machine-id"))?;
            reply(message, Kind::MethodReturn, |builder| {
                builder.append_text(types::STRING, &id.to_plain())
            })?
        }
        _ => {
            let (name, text) = match is_peer {
                true => (
                    &b"org.freedesktop.DBus.Error.UnknownMethod"[..],
                    format!(
                        "Unknown method '{}' on interface 'org.freedesktop.DBus.Peer'.",
                        String::from_utf8_lossy(&member)
                    ),
                ),
                false => (
                    &b"org.freedesktop.DBus.Error.UnknownObject"[..],
                    format!("Unknown object '{}'.", String::from_utf8_lossy(&path)),
                ),
            };
            method_error(message, name, Some(text.as_bytes()))?
        }
    };
    match send(bus, &answer, false) {
        Ok(_) | Err(Errno::NOTCONN | Errno::CONNRESET) => Ok(true),
        Err(errno) => Err(errno),
    }
}
