//! Sources that tell that memory is short.

use std::ffi::{c_char, c_int, c_void};

use super::add::Given;
use super::object::Event;
use super::source::{Callback, Handler, Kind, Source, source};
use super::sys;
use crate::event::{Loop, Pressure, Stall};
use crate::ffi::boundary::{entry, whole};
use crate::ffi::pointer::text;
use crate::{Errno, Result, environment};

/// What is done if nobody says what.
unsafe extern "C" fn trim(_: *const Source, _: *mut c_void) -> c_int {
    whole(sys::trim_memory).map_or(0, |()| 0)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_trim_memory() -> c_int {
    entry(|| {
        sys::trim_memory();
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_add_memory_pressure(
    event: *const Event,
    to: *mut *const Source,
    callback: Option<Handler>,
    userdata: *mut c_void,
) -> c_int {
    let given = Given {
        event,
        to,
        callback: Callback::Plain(callback.unwrap_or(trim)),
        userdata,
    };
    let open = || {
        let is_believed = !crate::ffi::sys::is_secure();
        let variable = |name| is_believed.then(|| environment::variable(name)).flatten();
        match variable("MEMORY_PRESSURE_WATCH") {
            Some(watch) => {
                let write = variable("MEMORY_PRESSURE_WRITE");
                Pressure::of_environment(&watch, write.as_deref())
            }
            None => Pressure::of_kernel(),
        }
    };
    let add = |core: &mut Loop| core.add_pressure(open()?);
    // SAFETY: the contract of C.
    entry(|| unsafe { given.add(Kind::Pressure, || Ok(()), add, None) })
}

/// Changes what is asked of the kernel.
fn set(source: &Source, change: impl FnOnce(&mut Stall, &mut u64, &mut u64)) -> Result<c_int> {
    let event = source.event()?;
    let mut inside = event.enter()?;
    let pressure = inside.core.source(source.id)?.pressure()?;
    pressure.set(change).map(c_int::from)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_memory_pressure_type(
    of: *const Source,
    kind: *const c_char,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check(Kind::Pressure)?;
        // SAFETY: likewise.
        let new = match unsafe { text(kind) }?.to_bytes() {
            b"some" => Stall::Some,
            b"full" => Stall::Full,
            _ => return Err(Errno::INVAL),
        };
        set(source, |kind, _, _| *kind = new)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_memory_pressure_period(
    of: *const Source,
    threshold: u64,
    window: u64,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check(Kind::Pressure)?;
        if [threshold, window]
            .iter()
            .any(|time| matches!(time, 0 | &u64::MAX))
        {
            return Err(Errno::RANGE);
        }
        if threshold > window {
            return Err(Errno::INVAL);
        }
        set(source, |_, own_threshold, own_window| {
            (*own_threshold, *own_window) = (threshold, window);
        })
    })
}
