//! `sd_bus`: the object, and what is asked of it.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_short, c_void};
use std::os::fd::AsRawFd;
use std::ptr;

use dbus::Rule;

use super::attach::Attached;
use super::ending::Ending;
use super::message::Message;
use super::object::Object;
use super::slot::{Handler, Slot};
use super::tracked::Track;
use crate::bus::connection::{Connection, Phase};
use crate::bus::creds::mask;
use crate::bus::objects::Objects;
use crate::ffi::boundary::{entry, whole};
use crate::ffi::exclusive::{Exclusive, Inside};
use crate::ffi::id128::Id;
use crate::ffi::pointer::Out;
use crate::ffi::process::Process;
use crate::ffi::shared::{Shared, Weak};
use crate::id128::Id128;
use crate::{Errno, Result};

/// `sd_bus`
#[derive(Debug)]
pub struct Bus {
    /// Of the process it belongs to.
    process: Process,
    inside: Exclusive<State>,
}

/// What is in it.
#[derive(Debug, Default)]
pub struct State {
    pub connection: Connection,
    pub description: Option<CString>,
    pub slots: BTreeMap<u64, Registered>,
    pub last_slot: u64,
    pub filters: Vec<u64>,
    pub matches: Vec<(u64, Rule)>,
    pub objects: Objects<Object>,
    /// All that are told when the connection is over, the newest last.
    pub tracks: Vec<Weak<Track>>,
    /// Those that are empty and to be told of it, the newest last.
    pub emptied: Vec<Weak<Track>>,
    /// What is being called, the innermost last.
    pub current: Vec<Current>,
    pub interactive: bool,
    pub trusted: bool,
    /// What was asked to come with each message; on no bus that there is does any of it.
    pub creds_mask: u64,
    /// Whether the bus numbers processes as this process sees them, once that was asked.
    pub shares_pids: Option<bool>,
    pub scope: Option<&'static CStr>,
    /// Of the thread whose default it is; 0 if it is none's.
    pub thread: libc::pid_t,
    pub attached: Option<Attached>,
    pub ending: Ending,
    /// Who messages are said to come from where no bus says it.
    pub sender: Option<CString>,
}

/// What a message tells of its sender whatever was asked.
pub const ALWAYS_TOLD: u64 = mask::UNIQUE_NAME | mask::WELL_KNOWN_NAMES;

/// A slot in the lists of a bus. Its owner is C, or the bus if nobody asked for it.
#[derive(Debug)]
pub struct Registered {
    pub slot: Weak<Slot>,
    pub floating: Option<Shared<Slot>>,
}

/// What a callback can ask for while it runs.
#[derive(Debug)]
pub struct Current {
    pub message: *const Message,
    pub slot: *const Slot,
    pub handler: Handler,
    pub userdata: *mut c_void,
}

// SAFETY: these are told to C and never followed.
unsafe impl Send for Current {}

impl State {
    /// When there is something to do without anything to read, as [`Connection::wake`].
    pub fn wake(&self) -> u64 {
        match self.connection.phase {
            Phase::Hello | Phase::Running if !self.emptied.is_empty() => 0,
            _ => self.connection.wake(),
        }
    }
}

impl Bus {
    pub fn new() -> Shared<Self> {
        Shared::new(Self {
            process: Process::own(),
            inside: Exclusive::new(State {
                creds_mask: ALWAYS_TOLD,
                ..State::default()
            }),
        })
    }

    /// Goes inside; nothing of C's is called there.
    ///
    /// # Errors
    /// ECHILD in a process that was forked, EDEADLK if another thread is inside.
    pub fn enter(&self) -> Result<Inside<'_, State>> {
        match self.process.is_own() {
            true => self.inside.enter(),
            false => Err(Errno::CHILD),
        }
    }

    /// The same, while a slot or a message goes: in a process that was forked there is nothing to tell.
    pub fn enter_to_leave(&self) -> Option<Inside<'_, State>> {
        self.enter().ok()
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        // In a process that was forked, too: what is freed there leaves the loop's kernel part alone.
        let Ok(mut state) = self.inside.enter() else {
            return;
        };
        let attached = state.attached.take();
        drop(state);
        drop(attached);
    }
}

/// Where the bus is that C names: SD_BUS_DEFAULT and its like are the calling thread's own.
fn resolve(of: *const Bus) -> Result<*const Bus> {
    match of.addr() {
        0 => Err(Errno::INVAL),
        number @ 1..=3 => super::open::known(number).ok_or(Errno::NOPKG),
        _ => Ok(of),
    }
}

/// A bus that C names.
///
/// # Safety
/// The pointer is null, one of SD_BUS_DEFAULT, or of [`Shared::into_raw`], and the object is there while the answer is used.
pub unsafe fn bus<'a>(of: *const Bus) -> Result<&'a Bus> {
    let of = resolve(of)?;
    // SAFETY: the caller's promise.
    unsafe { of.as_ref() }.ok_or(Errno::INVAL)
}

/// The same, to be kept.
///
/// # Safety
/// As [`bus`].
pub unsafe fn shared(of: *const Bus) -> Result<Shared<Bus>> {
    let of = resolve(of)?;
    // SAFETY: it is of Shared::into_raw, and there.
    unsafe { Shared::increment_strong_count(of) };
    // SAFETY: one more than before is C's.
    Ok(unsafe { Shared::from_raw(of) })
}

/// Does something inside.
///
/// # Safety
/// As [`bus`].
pub unsafe fn within(of: *const Bus, act: impl FnOnce(&mut State) -> Result<c_int>) -> c_int {
    entry(|| {
        // SAFETY: the caller's promise.
        let bus = unsafe { bus(of) }?;
        act(&mut *bus.enter()?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_new(to: *mut *const Bus) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        to.set(Shared::into_raw(Bus::new()));
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_ref(of: *const Bus) -> *const Bus {
    // SAFETY: the contract of C.
    match unsafe { shared(of) } {
        Ok(bus) => Shared::into_raw(bus),
        Err(_) => of,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_unref(of: *const Bus) -> *const Bus {
    whole(|| {
        if let Ok(of) = resolve(of) {
            // SAFETY: C gives back what it had.
            drop(unsafe { Shared::from_raw(of) });
        }
    });
    ptr::null()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_scope(of: *const Bus, to: *mut *const c_char) -> c_int {
    let get = |state: &mut State| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        to.set(state.scope.ok_or(Errno::NODATA)?.as_ptr());
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_start(of: *const Bus) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        let started = bus.enter()?.connection.start();
        let started = started.and_then(|()| super::attach::follow(&bus));
        if started.is_err() && bus.enter()?.connection.phase == Phase::Closed {
            super::attach::detach(&bus)?;
        }
        // The message that asks for a name is on its way.
        started.and_then(|()| Ok(c_int::from(bus.enter()?.connection.is_client)))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_is_open(of: *const Bus) -> c_int {
    if of.is_null() {
        return 0;
    }
    // SAFETY: the contract of C.
    unsafe { within(of, |state| Ok(c_int::from(state.connection.is_open()))) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_is_ready(of: *const Bus) -> c_int {
    if of.is_null() {
        return 0;
    }
    let is = |state: &mut State| Ok(c_int::from(state.connection.phase == Phase::Running));
    // SAFETY: the contract of C.
    unsafe { within(of, is) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_fd(of: *const Bus) -> c_int {
    let get = |state: &mut State| {
        let socket = state.connection.socket()?;
        Ok(socket.descriptor().ok_or(Errno::PERM)?.as_raw_fd())
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_events(of: *const Bus) -> c_int {
    // SAFETY: the contract of C.
    unsafe { within(of, |state| events(&state.connection).map(c_int::from)) }
}

/// What a connection is to be waited for, as poll(2) has it.
pub fn events(connection: &Connection) -> Result<c_short> {
    match connection.phase {
        Phase::Unset | Phase::Closed => return Err(Errno::NOTCONN),
        Phase::Closing => return Ok(0),
        Phase::Watching
        | Phase::Opening
        | Phase::Authenticating
        | Phase::Hello
        | Phase::Running => {}
    }
    let mut events = 0;
    if connection.phase != Phase::Opening && !connection.has_received() {
        events |= libc::POLLIN;
    }
    if connection.wants_to_write() {
        events |= libc::POLLOUT;
    }
    Ok(events)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_timeout(of: *const Bus, to: *mut u64) -> c_int {
    let get = |state: &mut State| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        let connection = &state.connection;
        if !connection.is_open() && connection.phase != Phase::Closing {
            return Err(Errno::NOTCONN);
        }
        let wake = state.wake();
        to.set(wake);
        Ok(c_int::from(wake != u64::MAX))
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_n_queued_read(of: *const Bus, to: *mut u64) -> c_int {
    // SAFETY: the contract of C.
    unsafe { queued(of, to, |queued| queued.0) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_n_queued_write(of: *const Bus, to: *mut u64) -> c_int {
    // SAFETY: the contract of C.
    unsafe { queued(of, to, |queued| queued.1) }
}

unsafe fn queued(of: *const Bus, to: *mut u64, which: fn((usize, usize)) -> usize) -> c_int {
    let get = |state: &mut State| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        let count = which(state.connection.queued());
        to.set(u64::try_from(count).map_err(|_| Errno::OVERFLOW)?);
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}

/// When an answer is too late, from a moment on, of a timeout as functions take it: 0 is the bus's own.
pub fn deadline(state: &State, moment: u64, timeout: u64) -> u64 {
    let timeout = match timeout {
        0 => state.connection.timeout,
        timeout => timeout,
    };
    moment.saturating_add(timeout)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_bus_id(of: *const Bus, to: *mut Id) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        super::call::running(&bus)?;
        to.set(Id128(bus.enter()?.connection.server()).into());
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_unique_name(of: *const Bus, to: *mut *const c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        // SAFETY: the contract of C.
        let bus = unsafe { shared(of) }?;
        if !bus.enter()?.connection.is_client {
            return Err(Errno::INVAL);
        }
        super::call::running(&bus)?;
        let name = bus.enter()?.connection.name().map(CStr::as_ptr);
        to.set(name.ok_or(Errno::NODATA)?);
        Ok(0)
    })
}

/// What a callback asks for that runs.
unsafe fn current<T>(of: *const Bus, get: impl FnOnce(&Current) -> T) -> Option<T> {
    let ask = || {
        // SAFETY: the contract of C.
        let state = unsafe { bus(of) }.ok()?.enter().ok()?;
        state.current.last().map(get)
    };
    whole(ask).flatten()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_current_message(of: *const Bus) -> *const Message {
    // SAFETY: the contract of C.
    unsafe { current(of, |current| current.message) }.unwrap_or(ptr::null())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_current_slot(of: *const Bus) -> *const Slot {
    // SAFETY: the contract of C.
    unsafe { current(of, |current| current.slot) }.unwrap_or(ptr::null())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_current_userdata(of: *const Bus) -> *mut c_void {
    // SAFETY: the contract of C.
    unsafe { current(of, |current| current.userdata) }.unwrap_or(ptr::null_mut())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_current_handler(of: *const Bus) -> Handler {
    // SAFETY: the contract of C.
    unsafe { current(of, |current| current.handler) }.flatten()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_pending_method_calls(of: *const Bus) -> c_int {
    if of.is_null() {
        return 0;
    }
    let awaited = |state: &mut State| {
        let awaited = c_int::try_from(state.connection.awaited());
        Ok(awaited.unwrap_or(c_int::MAX))
    };
    // SAFETY: the contract of C.
    unsafe { within(of, awaited) }
}
