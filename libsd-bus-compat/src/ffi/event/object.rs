//! `sd_event`: the object.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::fmt;
use std::os::fd::OwnedFd;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use rustix::event::epoll;

use super::default;
use super::source::Source;
use crate::event::{Id, Loop};
use crate::ffi::boundary::{entry, whole};
use crate::ffi::exclusive::{Exclusive, Inside};
use crate::ffi::pointer::Out;
use crate::ffi::process::Process;
use crate::ffi::shared::{Shared, Weak};
use crate::{Errno, Result};

/// `sd_event`
#[derive(Debug)]
pub struct Event {
    /// Of the process it belongs to.
    process: Process,
    /// Of the thread whose default it is; 0 if it is none's.
    pub thread: libc::pid_t,
    pub file: Arc<OwnedFd>,
    // A handler of a signal, or a thread, may end the loop while it waits.
    state: AtomicI32,
    exit: AtomicU64,
    inside: Exclusive<Content>,
}

/// What is in it.
pub struct Content {
    pub core: Loop,
    pub sources: BTreeMap<Id, Registered>,
    /// Where the kernel writes what has happened.
    pub buffer: Vec<epoll::Event>,
    /// The sources that end the loop at a signal.
    pub signals: Vec<Shared<Source>>,
}

// SAFETY: what the kernel keeps for us in an event is a number, not the pointer that it could be.
unsafe impl Send for Content {}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.core.fmt(f)
    }
}

/// A source of a loop. Its owner is C, or the loop if nobody asked for it.
#[derive(Debug)]
pub struct Registered {
    pub source: Weak<Source>,
    pub floating: Option<Shared<Source>>,
}

/// `SD_EVENT_INITIAL` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum State {
    Initial = 0,
    Armed = 1,
    Pending = 2,
    Running = 3,
    Exiting = 4,
    Finished = 5,
    Preparing = 6,
}

/// With the exit code: that there is one.
const REQUESTED: u64 = 1 << 32;

impl Event {
    /// A loop, of a thread's own if one is named.
    pub fn new(thread: libc::pid_t) -> Result<Shared<Self>> {
        let core = Loop::new()?;
        Ok(Shared::new(Self {
            process: Process::own(),
            thread,
            file: core.file(),
            state: AtomicI32::new(State::Initial as i32),
            exit: AtomicU64::new(0),
            inside: Exclusive::new(Content {
                core,
                sources: BTreeMap::new(),
                buffer: Vec::new(),
                signals: Vec::new(),
            }),
        }))
    }

    /// Whether this is the process it belongs to.
    pub fn is_ours(&self) -> bool {
        self.process.is_own()
    }

    /// # Errors
    /// ECHILD in a process that was forked.
    pub fn check(&self) -> Result<()> {
        match self.is_ours() {
            true => Ok(()),
            false => Err(Errno::CHILD),
        }
    }

    /// Goes inside; nothing of C's is called there.
    ///
    /// # Errors
    /// ECHILD in a process that was forked, EDEADLK if another thread is inside.
    pub fn enter(&self) -> Result<Inside<'_, Content>> {
        self.check()?;
        self.inside.enter()
    }

    /// The same in any process, to take something out.
    pub fn enter_to_leave(&self) -> Option<Inside<'_, Content>> {
        self.inside.enter().ok()
    }

    pub fn state(&self) -> c_int {
        self.state.load(Ordering::Relaxed)
    }

    pub fn is(&self, state: State) -> bool {
        self.state() == state as c_int
    }

    pub fn set_state(&self, state: State) {
        self.state.store(state as c_int, Ordering::Relaxed);
    }

    /// # Errors
    /// ESTALE once it is over.
    pub fn check_alive(&self) -> Result<()> {
        match self.is(State::Finished) {
            false => Ok(()),
            true => Err(Errno::STALE),
        }
    }

    /// What the loop is to end with, if it is to end.
    pub fn exit_code(&self) -> Option<c_int> {
        let exit = self.exit.load(Ordering::Relaxed);
        (exit & REQUESTED != 0).then_some((exit as u32).cast_signed())
    }

    /// Ends it.
    ///
    /// # Errors
    /// ESTALE once it is over, ECHILD in a process that was forked.
    pub fn exit(&self, code: c_int) -> Result<()> {
        self.check_alive()?;
        self.check()?;
        let exit = u64::from(code.cast_unsigned()) | REQUESTED;
        self.exit.store(exit, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        let ours = self.is_ours();
        let Ok(mut inside) = self.inside.enter() else {
            return;
        };
        let sources = std::mem::take(&mut inside.sources);
        let signals = std::mem::take(&mut inside.signals);
        // Those that C owns have kept the loop: what is left are the loop's own.
        let sources: Vec<_> = sources
            .into_iter()
            .filter_map(|(id, registered)| {
                let left = inside.core.remove(id, ours);
                let source = registered.source.upgrade()?;
                Some((source, left, registered))
            })
            .collect();
        drop(inside);
        for (source, left, registered) in sources {
            source.leave(left);
            drop((source, registered));
        }
        drop(signals);
    }
}

/// A loop that C names, to be kept.
///
/// # Errors
/// EINVAL without one, ENOPKG for the thread's own if there is none.
///
/// # Safety
/// The pointer is null, `SD_EVENT_DEFAULT` or of [`Shared::into_raw`], and the object is there.
pub unsafe fn shared(event: *const Event) -> Result<Shared<Event>> {
    match event.addr() {
        0 => Err(Errno::INVAL),
        1 => default::event().ok_or(Errno::NOPKG),
        _ => {
            // SAFETY: the caller's promise.
            unsafe { Shared::increment_strong_count(event) };
            // SAFETY: one more than before is C's.
            Ok(unsafe { Shared::from_raw(event) })
        }
    }
}

/// Whether a pointer is of an object.
pub fn is_object(event: *const Event) -> bool {
    event.addr() > 1
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_new(to: *mut *const Event) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        to.set(Shared::into_raw(Event::new(0)?));
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_ref(event: *const Event) -> *const Event {
    if is_object(event) {
        // SAFETY: the contract of C.
        unsafe { Shared::increment_strong_count(event) };
    }
    event
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_unref(event: *const Event) -> *const Event {
    whole(|| {
        if is_object(event) {
            // SAFETY: C gives back what it had.
            drop(unsafe { Shared::from_raw(event) });
        }
    });
    ptr::null()
}
