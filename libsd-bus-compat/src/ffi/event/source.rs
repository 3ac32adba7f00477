//! `sd_event_source`: the object.

use std::ffi::{CString, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::object::{Content, Event, Registered};
use super::settings::sd_event_source_set_enabled;
use crate::event::{self, Enabled, Id, Occurrence};
use crate::ffi::boundary::whole;
use crate::ffi::exclusive::Exclusive;
use crate::ffi::pointer::Out;
use crate::ffi::shared::{Shared, Weak};
use crate::ffi::userdata::Destroy;
use crate::{Errno, Result};

/// `sd_event_handler_t`
pub type Handler = unsafe extern "C" fn(*const Source, *mut c_void) -> c_int;
/// `sd_event_io_handler_t`
pub type IoHandler = unsafe extern "C" fn(*const Source, c_int, u32, *mut c_void) -> c_int;
/// `sd_event_time_handler_t`
pub type TimeHandler = unsafe extern "C" fn(*const Source, u64, *mut c_void) -> c_int;
/// `sd_event_signal_handler_t`
pub type SignalHandler =
    unsafe extern "C" fn(*const Source, *const libc::signalfd_siginfo, *mut c_void) -> c_int;
/// `sd_event_child_handler_t`
pub type ChildHandler =
    unsafe extern "C" fn(*const Source, *const libc::siginfo_t, *mut c_void) -> c_int;
/// `sd_event_inotify_handler_t`
pub type InotifyHandler =
    unsafe extern "C" fn(*const Source, *const libc::inotify_event, *mut c_void) -> c_int;

/// What is called.
#[derive(Clone, Copy, Debug)]
pub enum Callback {
    Plain(Handler),
    Io(IoHandler),
    Time(TimeHandler),
    Signal(SignalHandler),
    Child(ChildHandler),
    Inotify(InotifyHandler),
    /// Nothing: the loop ends, with the userdata as its code.
    Exit,
}

/// What a source is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Io,
    Time,
    Signal,
    Child,
    Defer,
    Post,
    Exit,
    Inotify,
    Pressure,
}

/// `sd_event_source`
#[derive(Debug)]
pub struct Source {
    pub id: Id,
    pub kind: Kind,
    /// How many references are C's. Without any it is taken out of its loop, unless that is its owner.
    references: AtomicUsize,
    pub inside: Exclusive<Own>,
}

#[derive(Debug)]
pub struct Own {
    callback: Callback,
    pub userdata: *mut c_void,
    pub prepare: Option<Handler>,
    pub expired: Option<Handler>,
    pub destroy: Destroy,
    pub description: Option<CString>,
    pub exit_on_failure: bool,
    pub floating: bool,
    /// Its loop, until it is taken out of it.
    pub event: Option<Weak<Event>>,
    /// It keeps its loop, unless the loop keeps it.
    pub keeps: Option<Shared<Event>>,
    /// What the loop had of it, after it was taken out: it ends with this object.
    left: Option<event::Source>,
}

// SAFETY: the pointer is C's, and never followed here.
unsafe impl Send for Own {}

impl Source {
    /// A source of what a loop knows by a number. C gets it if `to` is there; else it is the loop's.
    pub fn register(
        event: &Shared<Event>,
        inside: &mut Content,
        (id, kind): (Id, Kind),
        (callback, userdata): (Callback, *mut c_void),
        description: Option<CString>,
        to: Option<Out<*const Self>>,
    ) -> Shared<Self> {
        let floating = to.is_none();
        let source = Shared::new(Self {
            id,
            kind,
            references: AtomicUsize::new(usize::from(!floating)),
            inside: Exclusive::new(Own {
                callback,
                userdata,
                prepare: None,
                expired: None,
                destroy: None,
                description,
                exit_on_failure: false,
                floating,
                event: Some(Shared::downgrade(event)),
                keeps: (!floating).then(|| Shared::clone(event)),
                left: None,
            }),
        });
        let registered = Registered {
            source: Shared::downgrade(&source),
            floating: floating.then(|| Shared::clone(&source)),
        };
        inside.sources.insert(id, registered);
        if let Some(to) = to {
            to.set(Shared::into_raw(Shared::clone(&source)));
        }
        source
    }

    /// Its loop.
    ///
    /// # Errors
    /// ESTALE once it was taken out.
    pub fn event(&self) -> Result<Shared<Event>> {
        let own = self.inside.enter()?;
        let event = own.event.as_ref().and_then(Weak::upgrade);
        event.ok_or(Errno::STALE)
    }

    /// # Errors
    /// EDOM if it is of another kind.
    pub fn check(&self, kind: Kind) -> Result<()> {
        match self.kind == kind {
            true => Ok(()),
            false => Err(Errno::DOM),
        }
    }

    /// # Errors
    /// EDOM if it is an exit source, which some things can't be asked of.
    pub fn check_not_exit(&self) -> Result<()> {
        match self.kind {
            Kind::Exit => Err(Errno::DOM),
            _ => Ok(()),
        }
    }

    /// Its loop is over, or has it no more.
    pub fn leave(&self, left: Option<event::Source>) {
        if let Ok(mut own) = self.inside.enter() {
            own.event = None;
            own.left = left;
        }
    }

    /// Takes it out of its loop. Gives what it kept, to be dropped when nothing else is to be done with it.
    pub fn disconnect(&self) -> Option<Shared<Event>> {
        let event = self.event().ok()?;
        let (left, registered) = {
            let mut inside = event.enter_to_leave()?;
            let ours = event.is_ours();
            let left = inside.core.remove(self.id, ours);
            (left, inside.sources.remove(&self.id))
        };
        self.leave(left);
        drop(registered);
        self.inside.enter().ok()?.keeps.take()
    }

    /// Takes out a source that is the loop's.
    pub fn forget(&self) {
        drop(self.disconnect());
    }

    /// C has one reference less.
    fn release(&self) {
        if self.references.fetch_sub(1, Ordering::AcqRel) != 1 || self.is_floating() {
            return;
        }
        let kept = self.disconnect();
        drop(kept);
    }

    pub fn is_floating(&self) -> bool {
        let own = self.inside.enter();
        own.is_ok_and(|own| own.floating)
    }

    /// Whether C has no reference to it.
    pub fn is_forgotten(&self) -> bool {
        self.references.load(Ordering::Acquire) == 0
    }

    /// Calls what is called when something has happened.
    pub fn call(&self, event: &Event, occurrence: &Occurrence) -> Result<c_int> {
        let (callback, userdata) = {
            let own = self.inside.enter()?;
            (own.callback, own.userdata)
        };
        let source = ptr::from_ref(self);
        // Of each of these: C has given both for this; the source and what is told are there until it returns.
        Ok(match (callback, occurrence) {
            (Callback::Plain(call), Occurrence::Turn) => {
                // SAFETY: as above.
                unsafe { call(source, userdata) }
            }
            (Callback::Io(call), Occurrence::Io { descriptor, events }) => {
                // SAFETY: as above.
                unsafe { call(source, *descriptor, *events, userdata) }
            }
            (Callback::Time(call), Occurrence::Time(time)) => {
                // SAFETY: as above.
                unsafe { call(source, *time, userdata) }
            }
            (Callback::Signal(call), Occurrence::Signal(signal)) => {
                // SAFETY: as above.
                unsafe { call(source, ptr::from_ref(signal), userdata) }
            }
            (Callback::Child(call), Occurrence::Child(happened)) => {
                // SAFETY: as above.
                unsafe { call(source, &raw const happened.0, userdata) }
            }
            (Callback::Inotify(call), Occurrence::Inotify(event)) => {
                // SAFETY: as above; its words are those of `struct inotify_event` and of the name behind it.
                unsafe { call(source, event.words().as_ptr().cast(), userdata) }
            }
            (Callback::Exit, _) => {
                // The code is what C has put into the pointer.
                event.exit(userdata.addr() as c_int)?;
                0
            }
            _ => 0,
        })
    }

    /// Calls what is called before each wait.
    pub fn call_prepare(&self) -> Result<c_int> {
        let (prepare, userdata) = {
            let own = self.inside.enter()?;
            (own.prepare, own.userdata)
        };
        // SAFETY: as in `call`.
        Ok(prepare.map_or(0, |call| unsafe { call(self, userdata) }))
    }

    /// Calls what is called when it may be dispatched again; nothing if there is nothing to call.
    pub fn call_expired(&self) -> Result<Option<c_int>> {
        let (expired, userdata) = {
            let own = self.inside.enter()?;
            (own.expired, own.userdata)
        };
        // SAFETY: as in `call`.
        Ok(expired.map(|call| unsafe { call(self, userdata) }))
    }

    /// What it answered: a source that fails is not listened to any more.
    pub fn answered(&self, event: &Event, answer: c_int) -> Result<()> {
        if answer >= 0 {
            return Ok(());
        }
        if self.inside.enter()?.exit_on_failure {
            // A callback may have ended the loop itself.
            let _ = event.exit(answer);
        }
        match event.enter()?.core.set_enabled(self.id, Enabled::Off) {
            // It was taken out meanwhile.
            Ok(()) | Err(Errno::STALE) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// Waits for a dead child, of which C has been told.
    pub fn reap(&self, event: &Event) -> Result<()> {
        let mut own = self.inside.enter()?;
        if let Some(left) = &mut own.left {
            left.child()?.reap();
            return Ok(());
        }
        drop(own);
        event.enter()?.core.source(self.id)?.child()?.reap();
        Ok(())
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let Ok(mut own) = self.inside.enter() else {
            return;
        };
        let (destroy, userdata) = (own.destroy, own.userdata);
        let (left, kept) = (own.left.take(), own.keeps.take());
        drop(own);
        drop(left);
        if let Some(destroy) = destroy {
            // SAFETY: C has given both for this.
            unsafe { destroy(userdata) };
        }
        drop(kept);
    }
}

/// A source that C names.
///
/// # Safety
/// The pointer is null or of a source that is there while the answer is used.
pub unsafe fn source<'a>(source: *const Source) -> Result<&'a Source> {
    // SAFETY: the caller's promise.
    unsafe { source.as_ref() }.ok_or(Errno::INVAL)
}

/// Does something with what the loop knows of a source.
///
/// # Errors
/// ECHILD in a process that was forked.
pub fn known<T>(source: &Source, act: impl FnOnce(&mut event::Source) -> Result<T>) -> Result<T> {
    let event = source.event()?;
    let mut inside = event.enter()?;
    act(inside.core.source(source.id)?)
}

/// The same in any process.
pub fn known_anywhere<T>(
    source: &Source,
    act: impl FnOnce(&mut event::Source) -> Result<T>,
) -> Result<T> {
    let event = source.event()?;
    let mut inside = event.enter_to_leave().ok_or(Errno::DEADLK)?;
    act(inside.core.source(source.id)?)
}

/// Does something with what is kept of it here.
///
/// # Safety
/// As [`source`].
pub unsafe fn own<T>(of: *const Source, act: impl FnOnce(&mut Own) -> Result<T>) -> Result<T> {
    // SAFETY: the caller's promise.
    let source = unsafe { source(of) }?;
    act(&mut *source.inside.enter()?)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_ref(of: *const Source) -> *const Source {
    // SAFETY: the contract of C.
    if let Ok(source) = unsafe { source(of) } {
        source.references.fetch_add(1, Ordering::Relaxed);
        // SAFETY: it is of a Shared, and there.
        unsafe { Shared::increment_strong_count(of) };
    }
    of
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_unref(of: *const Source) -> *const Source {
    whole(|| {
        // SAFETY: the contract of C.
        if let Ok(source) = unsafe { source(of) } {
            source.release();
            // SAFETY: C gives back what it had.
            drop(unsafe { Shared::from_raw(of) });
        }
    });
    ptr::null()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_disable_unref(of: *const Source) -> *const Source {
    // SAFETY: the contract of C.
    unsafe { sd_event_source_set_enabled(of, 0) };
    // SAFETY: likewise.
    unsafe { sd_event_source_unref(of) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_event(of: *const Source) -> *const Event {
    let get = |own: &mut Own| Ok(own.event.as_ref().map_or(ptr::null(), Weak::as_ptr));
    // SAFETY: the contract of C.
    let got = whole(|| unsafe { own(of, get) });
    got.and_then(Result::ok).unwrap_or(ptr::null())
}
