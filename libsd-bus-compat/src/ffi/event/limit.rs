//! How often a source may be dispatched.

use std::ffi::c_int;

use super::source::{Handler, Kind, Own, Source, known_anywhere, own, source};
use crate::event::RateLimit;
use crate::ffi::boundary::entry;
use crate::ffi::pointer::Out;
use crate::{Errno, Result};

fn check_limitable(source: &Source) -> Result<()> {
    match source.kind {
        Kind::Child | Kind::Post | Kind::Exit => Err(Errno::DOM),
        _ => Ok(()),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_ratelimit(
    of: *const Source,
    interval: u64,
    burst: u32,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        check_limitable(source)?;
        let event = source.event()?;
        if event.is_ours() {
            event.enter()?.core.unlimit(source.id)?;
        }
        known_anywhere(source, |known| {
            known.limit = RateLimit::new(interval, burst);
            Ok(0)
        })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_ratelimit(
    of: *const Source,
    interval: *mut u64,
    burst: *mut u32,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        check_limitable(source)?;
        let limit = known_anywhere(source, |known| Ok(known.limit))?;
        if !limit.is_set() {
            return Err(Errno::NOEXEC);
        }
        // SAFETY: the contract of C.
        if let Some(interval) = unsafe { Out::optional(interval) } {
            interval.set(limit.interval);
        }
        // SAFETY: likewise.
        if let Some(burst) = unsafe { Out::optional(burst) } {
            burst.set(limit.burst);
        }
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_is_ratelimited(of: *const Source) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        known_anywhere(source, |known| {
            Ok(c_int::from(known.limit.is_set() && known.limited))
        })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_ratelimit_expire_callback(
    of: *const Source,
    expired: Option<Handler>,
) -> c_int {
    let set = |own: &mut Own| {
        own.expired = expired;
        Ok(0)
    };
    // SAFETY: the contract of C.
    entry(|| unsafe { own(of, set) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_leave_ratelimit(of: *const Source) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        if check_limitable(source).is_err() {
            return Ok(0);
        }
        let event = source.event()?;
        let left = event.enter()?.core.unlimit(source.id)?;
        Ok(c_int::from(left))
    })
}
