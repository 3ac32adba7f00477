//! A bus in a loop of events: sd_bus_attach_event(3).

use std::ffi::{CStr, c_int, c_void};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::ptr;

use super::connection::{Bus, State, bus, events, shared};
use super::dispatch::process;
use crate::bus::socket::Socket;
use crate::event::{Clock, Enabled, Id, Loop, NEVER};
use crate::ffi::boundary::{entry, whole};
use crate::ffi::event::default;
use crate::ffi::event::object::{self, Event};
use crate::ffi::event::source::{Callback, Kind, Source};
use crate::ffi::pointer::Out;
use crate::ffi::shared::{Shared, Weak};
use crate::{Errno, Result};

/// What a bus has in a loop. It keeps the loop, which does not keep the bus: a bus that nobody has is out of it.
#[derive(Debug)]
pub struct Attached {
    ends: Option<Ends>,
    /// When there is something to do though no bytes have come.
    time: Held,
    _exit: Held,
    priority: c_int,
    pub event: Shared<Event>,
}

/// The sources of the descriptors, which stay open for as long as the loop waits for them: their numbers would be others' else.
#[derive(Debug)]
struct Ends {
    input: Held,
    output: Option<Held>,
    socket: Socket,
}

/// A source that is taken out of its loop when the bus has it no more.
#[derive(Debug)]
struct Held(Shared<Source>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.forget();
    }
}

/// The bus of a source's userdata, a [`Weak`] that the source has.
///
/// # Safety
/// It is that of a source of [`add`], which is there.
unsafe fn of(userdata: *mut c_void) -> Option<Shared<Bus>> {
    // SAFETY: the caller's promise; what the source has it keeps.
    ManuallyDrop::new(unsafe { Weak::from_raw(userdata.cast_const().cast::<Bus>()) }).upgrade()
}

unsafe extern "C" fn forget(userdata: *mut c_void) {
    // SAFETY: the source has had it, and goes.
    drop(unsafe { Weak::from_raw(userdata.cast_const().cast::<Bus>()) });
}

unsafe extern "C" fn on_bytes(_: *const Source, _: RawFd, _: u32, userdata: *mut c_void) -> c_int {
    // SAFETY: it is a source's of ours.
    unsafe { go_on(userdata) }
}

unsafe extern "C" fn on_time(_: *const Source, _: u64, userdata: *mut c_void) -> c_int {
    // SAFETY: it is a source's of ours.
    unsafe { go_on(userdata) }
}

unsafe fn go_on(userdata: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { or_fail(userdata, |bus| process(bus, None).map(drop)) }
}

unsafe extern "C" fn before_wait(_: *const Source, userdata: *mut c_void) -> c_int {
    // SAFETY: it is a source's of ours.
    unsafe { or_fail(userdata, prepare) }
}

unsafe extern "C" fn on_exit(_: *const Source, userdata: *mut c_void) -> c_int {
    // SAFETY: it is a source's of ours.
    unsafe { or_fail(userdata, super::ending::at_exit) }
}

/// A loop goes on whatever happens to its bus, which is told of its end then.
unsafe fn or_fail(userdata: *mut c_void, act: impl FnOnce(&Shared<Bus>) -> Result<()>) -> c_int {
    let did = whole(|| {
        // SAFETY: the caller's promise.
        let Some(bus) = (unsafe { of(userdata) }) else {
            return;
        };
        if act(&bus).is_err()
            && let Ok(mut state) = bus.enter()
        {
            state.connection.fail();
        }
    });
    c_int::from(did.is_some())
}

/// What the loop is to wait for.
fn prepare(bus: &Shared<Bus>) -> Result<()> {
    let (event, time, input, output, wanted, wake) = {
        let state = bus.enter()?;
        let Some(attached) = &state.attached else {
            return Ok(());
        };
        let Some(ends) = &attached.ends else {
            return Ok(());
        };
        (
            Shared::clone(&attached.event),
            attached.time.0.id,
            ends.input.0.id,
            ends.output.as_ref().map(|output| output.0.id),
            u32::from(events(&state.connection)?.cast_unsigned()),
            state.wake(),
        )
    };
    let mut inside = event.enter()?;
    let core = &mut inside.core;
    match output {
        None => core.set_events(input, wanted)?,
        Some(output) => {
            core.set_events(input, wanted & libc::EPOLLIN.cast_unsigned())?;
            core.set_events(output, wanted & libc::EPOLLOUT.cast_unsigned())?;
        }
    }
    match wake {
        NEVER => core.set_enabled(time, Enabled::Off),
        wake => {
            core.set_time(time, wake)?;
            core.set_enabled(time, Enabled::On)
        }
    }
}

/// A source for a bus.
fn add(
    event: &Shared<Event>,
    bus: &Shared<Bus>,
    (kind, callback, name): (Kind, Callback, &CStr),
    priority: c_int,
    add: impl FnOnce(&mut Loop) -> Result<Id>,
) -> Result<Held> {
    event.check_alive()?;
    let mut guard = event.enter()?;
    let inside = &mut *guard;
    let id = add(&mut inside.core)?;
    let userdata = Weak::into_raw(Shared::downgrade(bus)).cast_mut().cast();
    let callback = (callback, userdata);
    let name = Some(name.to_owned());
    let source = Source::register(event, inside, (id, kind), callback, name, None);
    if let Ok(mut own) = source.inside.enter() {
        own.destroy = Some(forget);
    }
    let prioritized = inside.core.set_priority(id, priority.into());
    drop(guard);
    let held = Held(source);
    prioritized.map(|()| held)
}

/// Has the loop, if there is one, wait for the descriptors that a bus has now.
pub fn follow(bus: &Shared<Bus>) -> Result<()> {
    let (event, priority, socket, had) = {
        let mut state = bus.enter()?;
        let Ok(socket) = state.connection.socket().cloned() else {
            return Ok(());
        };
        let Some(attached) = &mut state.attached else {
            return Ok(());
        };
        let had = attached.ends.take();
        (
            Shared::clone(&attached.event),
            attached.priority,
            socket,
            had,
        )
    };
    drop(had);
    let end = |name: &CStr, descriptor: BorrowedFd<'_>| {
        let what = (Kind::Io, Callback::Io(on_bytes), name);
        let number = descriptor.as_raw_fd();
        add(&event, bus, what, priority, |core| core.add_io(number, 0))
    };
    let input = end(c"bus-input", socket.input())?;
    let output = match socket.descriptor() {
        Some(_) => None,
        None => Some(end(c"bus-output", socket.output())?),
    };
    event.enter()?.core.set_prepares(input.0.id, true)?;
    input.0.inside.enter()?.prepare = Some(before_wait);
    let ends = Ends {
        input,
        output,
        socket,
    };
    if let Some(attached) = &mut bus.enter()?.attached {
        attached.ends = Some(ends);
    }
    Ok(())
}

/// Whether the loop waits for other descriptors than those that a bus has now, as when a way to the server was found.
pub fn is_behind(state: &State) -> bool {
    let ends = state.attached.as_ref().and_then(|own| own.ends.as_ref());
    match (ends, state.connection.socket()) {
        (Some(ends), Ok(socket)) => !ends.socket.is_same(socket),
        _ => false,
    }
}

/// Takes a bus out of its loop. Whether it was in one.
pub fn detach(bus: &Bus) -> Result<bool> {
    let attached = bus.enter()?.attached.take();
    Ok(attached.is_some())
}

fn attach(bus: &Shared<Bus>, event: Shared<Event>, priority: c_int) -> Result<()> {
    let time = (Kind::Time, Callback::Time(on_time), c"bus-time");
    let at_once = |core: &mut Loop| core.add_time(Clock::Monotonic, 0, 0);
    let exit = (Kind::Exit, Callback::Plain(on_exit), c"bus-exit");
    let attached = Attached {
        ends: None,
        time: add(&event, bus, time, priority, at_once)?,
        _exit: add(&event, bus, exit, 0, Loop::add_exit)?,
        priority,
        event,
    };
    bus.enter()?.attached = Some(attached);
    let followed = follow(bus);
    if followed.is_err() {
        detach(bus)?;
    }
    followed
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_attach_event(
    of: *const Bus,
    event: *const Event,
    priority: c_int,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        if bus.enter()?.attached.is_some() {
            return Err(Errno::BUSY);
        }
        let event = match event.is_null() {
            true => default::get()?.0,
            // SAFETY: the contract of C.
            false => unsafe { object::shared(event) }?,
        };
        attach(&bus, event, priority).map(|()| 0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_detach_event(of: *const Bus) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { bus(of) }?;
        detach(bus).map(c_int::from)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_event(of: *const Bus) -> *const Event {
    let get = || -> Result<*const Event> {
        // SAFETY: the contract of C.
        let bus = unsafe { bus(of) }?;
        let state = bus.enter()?;
        let attached = state.attached.as_ref().ok_or(Errno::NXIO)?;
        Ok(Shared::as_ptr(&attached.event))
    };
    whole(get).and_then(Result::ok).unwrap_or(ptr::null())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_tid(of: *const Bus, to: *mut libc::pid_t) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { bus(of) }?;
        // SAFETY: likewise.
        let to = unsafe { Out::required(to) }?;
        let state = bus.enter()?;
        let attached = state.attached.as_ref();
        let threads = [state.thread, attached.map_or(0, |own| own.event.thread)];
        let thread = threads.into_iter().find(|thread| *thread != 0);
        to.set(thread.ok_or(Errno::NXIO)?);
        Ok(0)
    })
}
