//! Sources of descriptors, signals and changes of files.

use std::ffi::{c_char, c_int};
use std::os::fd::RawFd;

use super::source::{Kind, Source, known, known_anywhere, source};
use crate::event;
use crate::ffi::boundary::entry;
use crate::ffi::pointer::Out;
use crate::{Errno, Result};

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_io_fd(of: *const Source) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check(Kind::Io)?;
        known(source, |known| Ok(known.io()?.descriptor))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_io_fd(of: *const Source, fd: RawFd) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        if fd < 0 {
            return Err(Errno::BADF);
        }
        source.check(Kind::Io)?;
        let event = source.event()?;
        event.enter()?.core.set_descriptor(source.id, fd)?;
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_io_fd_own(of: *const Source) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check(Kind::Io)?;
        known_anywhere(source, |known| Ok(c_int::from(known.io()?.owned)))
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_io_fd_own(of: *const Source, own: c_int) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check(Kind::Io)?;
        known_anywhere(source, |known| {
            known.io()?.owned = own != 0;
            Ok(0)
        })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_io_events(of: *const Source, to: *mut u32) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        // SAFETY: likewise.
        let to = unsafe { Out::required(to) }?;
        source.check(Kind::Io)?;
        to.set(known(source, |known| Ok(known.io()?.events))?);
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_io_events(of: *const Source, events: u32) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check(Kind::Io)?;
        let event = source.event()?;
        event::Loop::check_io(0, events)?;
        event.check_alive()?;
        event.enter()?.core.set_events(source.id, events)?;
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_io_revents(of: *const Source, to: *mut u32) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        // SAFETY: likewise.
        let to = unsafe { Out::required(to) }?;
        source.check(Kind::Io)?;
        let happened = known_anywhere(source, |known| match known.pending {
            Some(_) => Ok(known.io()?.happened),
            None => Err(Errno::NODATA),
        })?;
        source.event()?.check()?;
        to.set(happened);
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_signal(of: *const Source) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        source.check(Kind::Signal)?;
        known(source, |known| match &known.kind {
            event::Kind::Signal(signal) => Ok(signal.number),
            _ => Err(Errno::DOM),
        })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_inotify_mask(
    of: *const Source,
    to: *mut u32,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        // SAFETY: likewise.
        let to = unsafe { Out::required(to) }?;
        source.check(Kind::Inotify)?;
        let mask: Result<u32> = known(source, |known| Ok(known.inotify()?.mask));
        to.set(mask?);
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_inotify_path(
    of: *const Source,
    to: *mut *const c_char,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        // SAFETY: likewise.
        let to = unsafe { Out::required(to) }?;
        source.check(Kind::Inotify)?;
        let path = known(source, |known| {
            let path = known.inotify()?.path.as_ref();
            path.map(|path| path.as_ptr()).ok_or(Errno::STALE)
        });
        to.set(path?);
        Ok(0)
    })
}
