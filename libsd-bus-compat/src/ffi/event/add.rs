//! New sources.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::fd::RawFd;

use super::object::{Event, shared};
use super::source::{
    Callback, ChildHandler, Handler, InotifyHandler, IoHandler, Kind, SignalHandler, Source,
    TimeHandler,
};
use super::state::now;
use crate::event::{BLOCK, Clock, Id, Loop, NEVER, open_watched, signal_name};
use crate::ffi::boundary::entry;
use crate::ffi::pointer::{Out, text};
use crate::{Errno, Result};

/// What a program gives with a source.
pub struct Given {
    pub event: *const Event,
    pub to: *mut *const Source,
    pub callback: Callback,
    pub userdata: *mut c_void,
}

impl Given {
    /// Adds a source, after the arguments were looked at.
    ///
    /// # Safety
    /// The pointers are as C promises.
    pub unsafe fn add(
        self,
        kind: Kind,
        check: impl FnOnce() -> Result<()>,
        add: impl FnOnce(&mut Loop) -> Result<Id>,
        description: Option<CString>,
    ) -> Result<c_int> {
        // SAFETY: the caller's promise.
        let event = unsafe { shared(self.event) }?;
        check()?;
        event.check_alive()?;
        let mut guard = event.enter()?;
        let inside = &mut *guard;
        let id = add(&mut inside.core)?;
        // SAFETY: the caller's promise.
        let to = unsafe { Out::optional(self.to) };
        let callback = (self.callback, self.userdata);
        Source::register(&event, inside, (id, kind), callback, description, to);
        Ok(0)
    }
}

fn plain(callback: Option<Handler>) -> Callback {
    callback.map_or(Callback::Exit, Callback::Plain)
}

const fn nothing() -> Result<()> {
    Ok(())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_add_io(
    event: *const Event,
    to: *mut *const Source,
    fd: RawFd,
    events: u32,
    callback: Option<IoHandler>,
    userdata: *mut c_void,
) -> c_int {
    let given = Given {
        event,
        to,
        callback: callback.map_or(Callback::Exit, Callback::Io),
        userdata,
    };
    let check = || Loop::check_io(fd, events);
    // SAFETY: the contract of C.
    entry(|| unsafe { given.add(Kind::Io, check, |core| core.add_io(fd, events), None) })
}

unsafe fn add_time(
    given: Given,
    clock: libc::clockid_t,
    time: u64,
    accuracy: u64,
) -> Result<c_int> {
    let check = || match accuracy {
        NEVER => Err(Errno::INVAL),
        _ => Ok(()),
    };
    let add = |core: &mut Loop| core.add_time(Clock::of(clock)?, time, accuracy);
    // SAFETY: the caller's promise.
    unsafe { given.add(Kind::Time, check, add, None) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_add_time(
    event: *const Event,
    to: *mut *const Source,
    clock: libc::clockid_t,
    time: u64,
    accuracy: u64,
    callback: Option<TimeHandler>,
    userdata: *mut c_void,
) -> c_int {
    let given = Given {
        event,
        to,
        callback: callback.map_or(Callback::Exit, Callback::Time),
        userdata,
    };
    // SAFETY: the contract of C.
    entry(|| unsafe { add_time(given, clock, time, accuracy) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_add_time_relative(
    event: *const Event,
    to: *mut *const Source,
    clock: libc::clockid_t,
    time: u64,
    accuracy: u64,
    callback: Option<TimeHandler>,
    userdata: *mut c_void,
) -> c_int {
    let given = Given {
        event,
        to,
        callback: callback.map_or(Callback::Exit, Callback::Time),
        userdata,
    };
    entry(|| {
        // SAFETY: the contract of C.
        let event = unsafe { shared(event) }?;
        event.check()?;
        let (now, _) = now(&event, clock)?;
        let time = now.checked_add(time).filter(|time| *time != NEVER);
        let time = time.ok_or(Errno::OVERFLOW)?;
        // SAFETY: the contract of C.
        unsafe { add_time(given, clock, time, accuracy) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_add_signal(
    event: *const Event,
    to: *mut *const Source,
    signal: c_int,
    callback: Option<SignalHandler>,
    userdata: *mut c_void,
) -> c_int {
    let given = Given {
        event,
        to,
        callback: callback.map_or(Callback::Exit, Callback::Signal),
        userdata,
    };
    entry(|| {
        let name = CString::new(signal_name(signal & !BLOCK)).ok();
        let add = |core: &mut Loop| core.add_signal(signal);
        // SAFETY: the contract of C.
        unsafe { given.add(Kind::Signal, nothing, add, name) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_add_child(
    event: *const Event,
    to: *mut *const Source,
    pid: libc::pid_t,
    options: c_int,
    callback: Option<ChildHandler>,
    userdata: *mut c_void,
) -> c_int {
    let given = Given {
        event,
        to,
        callback: callback.map_or(Callback::Exit, Callback::Child),
        userdata,
    };
    let check = || Loop::check_child(pid, options);
    let add = |core: &mut Loop| core.add_child(pid, options);
    // SAFETY: the contract of C.
    entry(|| unsafe { given.add(Kind::Child, check, add, None) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_add_child_pidfd(
    event: *const Event,
    to: *mut *const Source,
    pidfd: RawFd,
    options: c_int,
    callback: Option<ChildHandler>,
    userdata: *mut c_void,
) -> c_int {
    let given = Given {
        event,
        to,
        callback: callback.map_or(Callback::Exit, Callback::Child),
        userdata,
    };
    let check = || match pidfd {
        ..0 => Err(Errno::BADF),
        _ => Loop::check_options(options),
    };
    let add = |core: &mut Loop| core.add_pidfd(pidfd, options);
    // SAFETY: the contract of C.
    entry(|| unsafe { given.add(Kind::Child, check, add, None) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_add_inotify(
    event: *const Event,
    to: *mut *const Source,
    path: *const c_char,
    mask: u32,
    callback: Option<InotifyHandler>,
    userdata: *mut c_void,
) -> c_int {
    let given = Given {
        event,
        to,
        callback: callback.map_or(Callback::Exit, Callback::Inotify),
        userdata,
    };
    entry(|| {
        // SAFETY: the contract of C.
        let path: &CStr = unsafe { text(path) }?;
        let file = open_watched(path, mask)?;
        let add = |core: &mut Loop| core.add_inotify(file, mask);
        // SAFETY: likewise.
        unsafe { given.add(Kind::Inotify, nothing, add, Some(path.to_owned())) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_add_inotify_fd(
    event: *const Event,
    to: *mut *const Source,
    fd: RawFd,
    mask: u32,
    callback: Option<InotifyHandler>,
    userdata: *mut c_void,
) -> c_int {
    let given = Given {
        event,
        to,
        callback: callback.map_or(Callback::Exit, Callback::Inotify),
        userdata,
    };
    let check = || match fd {
        ..0 => Err(Errno::BADF),
        _ => Ok(()),
    };
    let add = |core: &mut Loop| core.add_inotify_of(fd, mask);
    // SAFETY: the contract of C.
    entry(|| unsafe { given.add(Kind::Inotify, check, add, None) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_add_defer(
    event: *const Event,
    to: *mut *const Source,
    callback: Option<Handler>,
    userdata: *mut c_void,
) -> c_int {
    let given = Given {
        event,
        to,
        callback: plain(callback),
        userdata,
    };
    // SAFETY: the contract of C.
    entry(|| unsafe { given.add(Kind::Defer, nothing, Loop::add_defer, None) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_add_post(
    event: *const Event,
    to: *mut *const Source,
    callback: Option<Handler>,
    userdata: *mut c_void,
) -> c_int {
    let given = Given {
        event,
        to,
        callback: plain(callback),
        userdata,
    };
    // SAFETY: the contract of C.
    entry(|| unsafe { given.add(Kind::Post, nothing, Loop::add_post, None) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_add_exit(
    event: *const Event,
    to: *mut *const Source,
    callback: Option<Handler>,
    userdata: *mut c_void,
) -> c_int {
    let given = Given {
        event,
        to,
        callback: plain(callback),
        userdata,
    };
    let check = || callback.map(drop).ok_or(Errno::INVAL);
    // SAFETY: the contract of C.
    entry(|| unsafe { given.add(Kind::Exit, check, Loop::add_exit, None) })
}
