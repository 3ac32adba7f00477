//! What a loop is asked, and told, as a whole.

use std::ffi::{CString, c_int};
use std::os::fd::AsRawFd;
use std::ptr;

use super::object::{Event, shared};
use super::source::{Callback, Kind, Source};
use crate::event::{BLOCK, Clock, signal_name};
use crate::ffi::boundary::entry;
use crate::ffi::pointer::Out;
use crate::ffi::shared::Shared;
use crate::{Errno, Result, daemon, environment};

/// The time that a loop goes by; the clock's own before the first iteration.
pub fn now(event: &Event, clock: libc::clockid_t) -> Result<(u64, bool)> {
    let clock = Clock::of(clock)?;
    let cached = event.enter()?.core.time(clock);
    Ok(cached.map_or_else(|| (clock.now(), true), |time| (time, false)))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_now(
    event: *const Event,
    clock: libc::clockid_t,
    to: *mut u64,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let event = unsafe { shared(event) }?;
        // SAFETY: likewise.
        let to = unsafe { Out::required(to) }?;
        event.check()?;
        let (time, fresh) = now(&event, clock)?;
        to.set(time);
        Ok(c_int::from(fresh))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_exit(event: *const Event, code: c_int) -> c_int {
    // SAFETY: the contract of C.
    entry(|| unsafe { shared(event) }?.exit(code).map(|()| 0))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_get_exit_code(event: *const Event, to: *mut c_int) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let event = unsafe { shared(event) }?;
        // SAFETY: likewise.
        let to = unsafe { Out::required(to) }?;
        event.check()?;
        to.set(event.exit_code().ok_or(Errno::NODATA)?);
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_get_fd(event: *const Event) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let event = unsafe { shared(event) }?;
        event.check()?;
        Ok(event.file.as_raw_fd())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_get_state(event: *const Event) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let event = unsafe { shared(event) }?;
        event.check()?;
        Ok(event.state())
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_get_tid(event: *const Event, to: *mut libc::pid_t) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let event = unsafe { shared(event) }?;
        // SAFETY: likewise.
        let to = unsafe { Out::required(to) }?;
        event.check()?;
        match event.thread {
            0 => Err(Errno::NXIO),
            thread => {
                to.set(thread);
                Ok(0)
            }
        }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_get_iteration(event: *const Event, to: *mut u64) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let event = unsafe { shared(event) }?;
        event.check()?;
        // SAFETY: likewise.
        let to = unsafe { Out::required(to) }?;
        to.set(event.enter()?.core.iteration());
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_get_watchdog(event: *const Event) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let event = unsafe { shared(event) }?;
        event.check()?;
        let inside = event.enter()?;
        Ok(c_int::from(inside.core.has_watchdog()))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_set_watchdog(event: *const Event, on: c_int) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let event = unsafe { shared(event) }?;
        event.check()?;
        let mut inside = event.enter()?;
        match (inside.core.has_watchdog(), on != 0) {
            (false, true) => {
                let period = daemon::watchdog(
                    environment::text("WATCHDOG_USEC").as_deref(),
                    environment::text("WATCHDOG_PID").as_deref(),
                )?;
                if let Some(period) = period {
                    inside.core.start_watchdog(period)?;
                }
            }
            (true, false) => inside.core.stop_watchdog(),
            _ => {}
        }
        Ok(c_int::from(inside.core.has_watchdog()))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_set_signal_exit(event: *const Event, on: c_int) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let event = unsafe { shared(event) }?;
        event.check_alive()?;
        match on {
            0 => Ok(c_int::from(forget_signals(&event)?)),
            _ => Ok(c_int::from(end_at_signals(&event)?)),
        }
    })
}

/// Ends the loop at SIGINT and SIGTERM. Whether that is new.
fn end_at_signals(event: &Shared<Event>) -> Result<bool> {
    if !event.enter()?.signals.is_empty() {
        return Ok(false);
    }
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let mut guard = event.enter()?;
        let inside = &mut *guard;
        let id = match inside.core.add_signal(signal | BLOCK) {
            Ok(id) => id,
            Err(errno) => {
                drop(guard);
                forget_signals(event)?;
                return Err(errno);
            }
        };
        let name = CString::new(signal_name(signal)).ok();
        let callback = (Callback::Exit, ptr::null_mut());
        let source = Source::register(event, inside, (id, Kind::Signal), callback, name, None);
        inside.signals.push(source);
    }
    Ok(true)
}

fn forget_signals(event: &Event) -> Result<bool> {
    let sources = std::mem::take(&mut event.enter()?.signals);
    let were = !sources.is_empty();
    for source in sources {
        source.forget();
    }
    Ok(were)
}
