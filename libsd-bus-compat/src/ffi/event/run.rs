//! Going round: sd_event_prepare(3), sd_event_wait(3), sd_event_dispatch(3), and all of them together.

use std::ffi::c_int;

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use super::object::{Event, State, shared};
use super::source::Source;
use super::sys;
use crate::event::{Elapsed, Id, NEVER, Occurrence, timespec};
use crate::ffi::boundary::entry;
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// The longest wait that the kernel can be asked for, in microseconds: as many milliseconds as an `int` holds.
const LONGEST: u64 = c_int::MAX as u64 * 1000;

fn source(event: &Event, id: Id) -> Result<Shared<Source>> {
    let inside = event.enter()?;
    let registered = inside.sources.get(&id);
    let source = registered.and_then(|registered| registered.source.upgrade());
    source.ok_or(Errno::STALE)
}

fn check_state(event: &Event, state: State) -> Result<()> {
    event.check()?;
    event.check_alive()?;
    match event.is(state) {
        true => Ok(()),
        false => Err(Errno::BUSY),
    }
}

fn prepare(event: &Event) -> Result<bool> {
    check_state(event, State::Initial)?;
    if event.thread != 0 && event.thread != sys::thread() {
        return Err(Errno::REMOTEIO);
    }
    let pending = match event.exit_code() {
        Some(_) => true,
        None => {
            event.enter()?.core.begin_iteration();
            event.set_state(State::Preparing);
            let prepared = prepare_sources(event);
            event.set_state(State::Initial);
            prepared?;
            event.enter()?.core.arm()?
        }
    };
    event.set_state(State::Armed);
    if !pending {
        return Ok(false);
    }
    let found = wait(event, 0)?;
    if !found {
        event.set_state(State::Armed);
    }
    Ok(found)
}

fn prepare_sources(event: &Event) -> Result<()> {
    loop {
        let Some(id) = event.enter()?.core.next_to_prepare() else {
            return Ok(());
        };
        let source = source(event, id)?;
        let answer = source.call_prepare()?;
        source.answered(event, answer)?;
    }
}

fn wait(event: &Event, timeout: u64) -> Result<bool> {
    check_state(event, State::Armed)?;
    if event.exit_code().is_some() {
        event.set_state(State::Pending);
        return Ok(true);
    }
    let found = match look(event, timeout) {
        // Who has interrupted it may have ended the loop.
        Err(Errno::INTR) => Ok(true),
        found => found,
    };
    event.set_state(match found {
        Ok(true) => State::Pending,
        _ => State::Initial,
    });
    found
}

fn look(event: &Event, timeout: u64) -> Result<bool> {
    take(event, timeout)?;
    if event.enter()?.core.take_children()? {
        // Something more important may have happened while the children were looked at.
        take(event, 0)?;
    }
    event.enter()?.core.take_rest()?;
    let mut called = false;
    loop {
        let elapsed = event.enter()?.core.take_timers()?;
        let Elapsed::Unlimited(id) = elapsed else {
            break;
        };
        let source = source(event, id)?;
        if let Some(answer) = source.call_expired()? {
            called = true;
            source.answered(event, answer)?;
        }
    }
    // What was called may have changed what comes first.
    let next = event.enter()?.core.next();
    Ok(next.is_some() && !called)
}

/// Waits, and takes in what has happened. Nobody is inside meanwhile.
fn take(event: &Event, timeout: u64) -> Result<()> {
    let mut buffer = {
        let mut inside = event.enter()?;
        let capacity = inside.core.capacity();
        let mut buffer = std::mem::take(&mut inside.buffer);
        buffer.clear();
        buffer.reserve(capacity);
        buffer
    };
    let timeout: Option<Timespec> = match timeout {
        NEVER => None,
        timeout => Some(timespec(timeout.min(LONGEST))),
    };
    let waited = epoll::wait(&event.file, spare_capacity(&mut buffer), timeout.as_ref());
    let mut inside = event.enter()?;
    let taken = waited.and_then(|_| inside.core.take(&buffer));
    inside.buffer = buffer;
    taken
}

fn dispatch(event: &Event) -> Result<bool> {
    check_state(event, State::Pending)?;
    let (id, state) = {
        let mut inside = event.enter()?;
        match event.exit_code() {
            Some(_) => {
                let Some(id) = inside.core.next_at_exit() else {
                    event.set_state(State::Finished);
                    return Ok(false);
                };
                inside.core.begin_iteration();
                (id, State::Exiting)
            }
            None => match inside.core.next() {
                Some(id) => (id, State::Running),
                None => {
                    event.set_state(State::Initial);
                    return Ok(true);
                }
            },
        }
    };
    event.set_state(state);
    let dispatched = dispatch_source(event, id);
    event.set_state(State::Initial);
    dispatched.map(|()| true)
}

fn dispatch_source(event: &Event, id: Id) -> Result<()> {
    let source = source(event, id)?;
    let Some(occurrence) = event.enter()?.core.begin(id)? else {
        return Ok(());
    };
    let answer = source.call(event, &occurrence)?;
    if let Occurrence::Child(happened) = &occurrence
        && happened.is_end()
    {
        source.reap(event)?;
    }
    source.answered(event, answer)
}

fn run(event: &Event, timeout: u64) -> Result<bool> {
    check_state(event, State::Initial)?;
    if prepare(event)? || wait(event, timeout)? {
        dispatch(event)?;
        return Ok(true);
    }
    Ok(false)
}

fn run_to_end(event: &Event) -> Result<c_int> {
    event.check()?;
    if !event.is(State::Initial) {
        return Err(Errno::BUSY);
    }
    while !event.is(State::Finished) {
        run(event, NEVER)?;
    }
    Ok(event.exit_code().unwrap_or_default())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_prepare(event: *const Event) -> c_int {
    // SAFETY: the contract of C.
    entry(|| prepare(&*unsafe { shared(event) }?).map(c_int::from))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_wait(event: *const Event, timeout: u64) -> c_int {
    // SAFETY: the contract of C.
    entry(|| wait(&*unsafe { shared(event) }?, timeout).map(c_int::from))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_dispatch(event: *const Event) -> c_int {
    // SAFETY: the contract of C.
    entry(|| dispatch(&*unsafe { shared(event) }?).map(c_int::from))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_run(event: *const Event, timeout: u64) -> c_int {
    // SAFETY: the contract of C.
    entry(|| run(&*unsafe { shared(event) }?, timeout).map(c_int::from))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_loop(event: *const Event) -> c_int {
    // SAFETY: the contract of C.
    entry(|| run_to_end(&*unsafe { shared(event) }?))
}
