//! What all kinds of sources have.

use std::ffi::{CStr, c_char, c_int, c_void};

use super::object::State;
use super::source::{Handler, Own, Source, known, own, source};
use crate::event::Enabled;
use crate::ffi::boundary::{entry, whole};
use crate::ffi::memory::changed;
use crate::ffi::pointer::{Out, optional_text};
use crate::ffi::shared::{Shared, Weak};
use crate::ffi::userdata::{Destroy, userdata};
use crate::{Errno, Result};

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_description(
    of: *const Source,
    description: *const c_char,
) -> c_int {
    let set = |own: &mut Own| {
        // SAFETY: the contract of C.
        let description = unsafe { optional_text(description) }.map(CStr::to_owned);
        if let Some(event) = own.event.as_ref().and_then(Weak::upgrade) {
            event.check()?;
        }
        Ok(changed(&mut own.description, description))
    };
    // SAFETY: the contract of C.
    entry(|| unsafe { own(of, set) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_description(
    of: *const Source,
    to: *mut *const c_char,
) -> c_int {
    let get = |own: &mut Own| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        to.set(own.description.as_ref().ok_or(Errno::NXIO)?.as_ptr());
        Ok(0)
    };
    // SAFETY: the contract of C.
    entry(|| unsafe { own(of, get) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_prepare(
    of: *const Source,
    prepare: Option<Handler>,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check_not_exit()?;
        let event = source.event()?;
        event.check_alive()?;
        event
            .enter()?
            .core
            .set_prepares(source.id, prepare.is_some())?;
        source.inside.enter()?.prepare = prepare;
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_pending(of: *const Source) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check_not_exit()?;
        source.event()?.check_alive()?;
        known(source, |known| Ok(c_int::from(known.pending.is_some())))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_priority(of: *const Source, to: *mut i64) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        let priority = known(source, |known| Ok(known.priority))?;
        // SAFETY: likewise.
        unsafe { Out::required(to) }?.set(priority);
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_priority(of: *const Source, priority: i64) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        let event = source.event()?;
        event.check_alive()?;
        event.enter()?.core.set_priority(source.id, priority)?;
        Ok(0)
    })
}

/// `SD_EVENT_OFF` and so on.
const fn number(enabled: Enabled) -> c_int {
    match enabled {
        Enabled::Off => 0,
        Enabled::On => 1,
        Enabled::Oneshot => -1,
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_enabled(of: *const Source, to: *mut c_int) -> c_int {
    entry(|| {
        if of.is_null() && to.is_null() {
            return Ok(0);
        }
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        let enabled = known(source, |known| Ok(known.enabled))?;
        // SAFETY: the contract of C.
        if let Some(to) = unsafe { Out::optional(to) } {
            to.set(number(enabled));
        }
        Ok(c_int::from(enabled != Enabled::Off))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_enabled(of: *const Source, enabled: c_int) -> c_int {
    entry(|| {
        let enabled = match enabled {
            0 => Enabled::Off,
            1 => Enabled::On,
            -1 => Enabled::Oneshot,
            _ => return Err(Errno::INVAL),
        };
        if of.is_null() && enabled == Enabled::Off {
            return Ok(0);
        }
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        let event = source.event()?;
        event.check()?;
        if event.is(State::Finished) && enabled == Enabled::Off {
            return Ok(0);
        }
        event.check_alive()?;
        event.enter()?.core.set_enabled(source.id, enabled)?;
        Ok(0)
    })
}

userdata! {
    sd_event_source_set_userdata, sd_event_source_get_userdata,
    sd_event_source_set_destroy_callback, sd_event_source_get_destroy_callback => Source, Own, own
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_floating(of: *const Source) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        Ok(c_int::from(source.is_floating()))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_floating(of: *const Source, on: c_int) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        if source.is_floating() == (on != 0) {
            return Ok(0);
        }
        let event = source.event()?;
        let mut inside = event.enter_to_leave().ok_or(Errno::DEADLK)?;
        let registered = inside.sources.get_mut(&source.id).ok_or(Errno::STALE)?;
        let mut own = source.inside.enter()?;
        own.floating = on != 0;
        // Whose it was is dropped when nobody is inside.
        let (kept, keeps) = match on {
            0 => {
                own.keeps = Some(Shared::clone(&event));
                (registered.floating.take(), None)
            }
            _ => {
                registered.floating = registered.source.upgrade();
                (None, own.keeps.take())
            }
        };
        drop(own);
        drop(inside);
        if on == 0 && source.is_forgotten() {
            drop(source.disconnect());
        }
        drop((kept, keeps));
        Ok(1)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_exit_on_failure(of: *const Source) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check_not_exit()?;
        let own = source.inside.enter()?;
        Ok(c_int::from(own.exit_on_failure))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_exit_on_failure(
    of: *const Source,
    on: c_int,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check_not_exit()?;
        let mut own = source.inside.enter()?;
        let before = std::mem::replace(&mut own.exit_on_failure, on != 0);
        Ok(c_int::from(before != (on != 0)))
    })
}
