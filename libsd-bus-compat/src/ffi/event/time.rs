//! Sources of times.

use std::ffi::c_int;

use super::source::{Kind, Source, known, source};
use super::state::now;
use crate::event::{Clock, NEVER};
use crate::ffi::boundary::entry;
use crate::ffi::pointer::Out;
use crate::{Errno, Result};

/// Gives a number of a timer to C.
unsafe fn get<T>(
    of: *const Source,
    to: *mut T,
    number: impl FnOnce(&mut crate::event::Time) -> T,
) -> c_int {
    entry(|| {
        // SAFETY: the caller's promise.
        let source = unsafe { source(of) }?;
        // SAFETY: likewise.
        let to = unsafe { Out::required(to) }?;
        source.check(Kind::Time)?;
        to.set(known(source, |known| known.time().map(number))?);
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_time(of: *const Source, to: *mut u64) -> c_int {
    // SAFETY: the contract of C.
    unsafe { get(of, to, |time| time.next) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_time_accuracy(
    of: *const Source,
    to: *mut u64,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { get(of, to, |time| time.accuracy) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_time_clock(
    of: *const Source,
    to: *mut libc::clockid_t,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { get(of, to, |time| time.clock.number()) }
}

fn set(source: &Source, time: u64) -> Result<c_int> {
    let event = source.event()?;
    event.check_alive()?;
    event.enter()?.core.set_time(source.id, time)?;
    Ok(0)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_time(of: *const Source, time: u64) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check(Kind::Time)?;
        set(source, time)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_time_relative(of: *const Source, time: u64) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check(Kind::Time)?;
        if time == NEVER {
            return set(source, NEVER);
        }
        let clock: Clock = known(source, |known| Ok(known.time()?.clock))?;
        let (now, _) = now(&*source.event()?, clock.number())?;
        let time = now.checked_add(time).filter(|time| *time != NEVER);
        set(source, time.ok_or(Errno::OVERFLOW)?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_time_accuracy(
    of: *const Source,
    accuracy: u64,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        if accuracy == NEVER {
            return Err(Errno::INVAL);
        }
        source.check(Kind::Time)?;
        let event = source.event()?;
        event.check_alive()?;
        event.enter()?.core.set_accuracy(source.id, accuracy)?;
        Ok(0)
    })
}
