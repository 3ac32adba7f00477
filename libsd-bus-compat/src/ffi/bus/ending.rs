//! How a bus ends, and what ends with it: sd_bus_close(3), sd_bus_set_close_on_exit(3), sd_bus_set_exit_on_disconnect(3).

use std::ffi::c_int;

use super::call::flush;
use super::connection::{Bus, State, sd_bus_unref, shared, within};
use crate::bus::connection::Phase;
use crate::ffi::boundary::{entry, whole};
use crate::ffi::event::object::Event;
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// What is to be done at the end.
#[derive(Debug, Default)]
pub struct Ending {
    /// The program, or its loop, ends with the connection.
    exits: bool,
    /// The connection has ended, and nobody has taken the message of it.
    over: bool,
    /// The program was told to end, which it is once.
    told: bool,
    /// The connection does not end with the loop.
    stays: bool,
}

/// Closes a bus, and takes it out of its loop. Gives the loop.
pub fn close(bus: &Bus) -> Result<Option<Shared<Event>>> {
    let attached = {
        let mut state = bus.enter()?;
        if state.connection.phase == Phase::Closed {
            return Ok(None);
        }
        state.connection.close();
        state.attached.take()
    };
    Ok(attached.map(|attached| Shared::clone(&attached.event)))
}

/// The loop ends.
pub fn at_exit(bus: &Shared<Bus>) -> Result<()> {
    if bus.enter()?.ending.stays {
        return Ok(());
    }
    // What can't be sent any more is lost.
    let _ = flush(bus);
    close(bus).map(drop)
}

/// The connection is over, and nobody cares.
pub fn over(bus: &Bus, event: Option<Shared<Event>>) -> Result<()> {
    bus.enter()?.ending.over = true;
    end_program(bus, event)
}

/// Ends the loop, or without one the program, if it is time for that.
fn end_program(bus: &Bus, event: Option<Shared<Event>>) -> Result<()> {
    {
        let mut state = bus.enter()?;
        let ending = &mut state.ending;
        if ending.told || !ending.over || !ending.exits {
            return Ok(());
        }
        ending.told = true;
    }
    match event {
        Some(event) => event.exit(libc::EXIT_FAILURE),
        None => std::process::exit(libc::EXIT_FAILURE),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_close(of: *const Bus) {
    whole(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        close(&bus).map(drop)
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_try_close(of: *const Bus) -> c_int {
    // SAFETY: the contract of C.
    unsafe { within(of, |_| Err(Errno::OPNOTSUPP)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_close_unref(of: *const Bus) -> *const Bus {
    // SAFETY: the contract of C.
    unsafe { sd_bus_close(of) };
    // SAFETY: the contract of C.
    unsafe { sd_bus_unref(of) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_flush_close_unref(of: *const Bus) -> *const Bus {
    // SAFETY: the contract of C.
    unsafe { super::call::sd_bus_flush(of) };
    // SAFETY: the contract of C.
    unsafe { sd_bus_close_unref(of) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_default_flush_close() {
    whole(|| {
        for bus in super::open::all_known() {
            let _ = flush(&bus);
            let _ = close(&bus);
        }
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_set_exit_on_disconnect(of: *const Bus, on: c_int) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        let event = {
            let mut state = bus.enter()?;
            state.ending.exits = on != 0;
            let attached = state.attached.as_ref();
            attached.map(|attached| Shared::clone(&attached.event))
        };
        end_program(&bus, event).map(|()| 0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_exit_on_disconnect(of: *const Bus) -> c_int {
    // SAFETY: the contract of C.
    unsafe { within(of, |state| Ok(c_int::from(state.ending.exits))) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_set_close_on_exit(of: *const Bus, on: c_int) -> c_int {
    let set = |state: &mut State| {
        state.ending.stays = on == 0;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_close_on_exit(of: *const Bus) -> c_int {
    // SAFETY: the contract of C.
    unsafe { within(of, |state| Ok(c_int::from(!state.ending.stays))) }
}
