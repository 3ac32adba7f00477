//! Sources of children.

use std::ffi::c_int;

use super::source::{Kind, Source, known, known_anywhere, source};
use crate::event::{Child, is_signal};
use crate::ffi::boundary::entry;
use crate::ffi::pointer::Out;
use crate::{Errno, Result};

/// Does something with what is known of a child.
unsafe fn child(of: *const Source, act: impl FnOnce(&mut Child) -> Result<c_int>) -> c_int {
    entry(|| {
        // SAFETY: the caller's promise.
        let source = unsafe { source(of) }?;
        source.check(Kind::Child)?;
        known(source, |known| act(known.child()?))
    })
}

/// The same in any process.
unsafe fn child_anywhere(
    of: *const Source,
    act: impl FnOnce(&mut Child) -> Result<c_int>,
) -> c_int {
    entry(|| {
        // SAFETY: the caller's promise.
        let source = unsafe { source(of) }?;
        source.check(Kind::Child)?;
        known_anywhere(source, |known| act(known.child()?))
    })
}

/// That of a child which there is only if the kernel has given a pidfd.
fn pidfd(child: &Child) -> Result<c_int> {
    match child.pidfd {
        ..0 => Err(Errno::OPNOTSUPP),
        pidfd => Ok(pidfd),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_child_pid(
    of: *const Source,
    to: *mut libc::pid_t,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let source = unsafe { source(of) }?;
        // SAFETY: likewise.
        let to = unsafe { Out::required(to) }?;
        source.check(Kind::Child)?;
        to.set(known(source, |known| Ok(known.child()?.pid))?);
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_child_pidfd(of: *const Source) -> c_int {
    // SAFETY: the contract of C.
    unsafe { child(of, |child| pidfd(child)) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_child_pidfd_own(of: *const Source) -> c_int {
    let get = |child: &mut Child| pidfd(child).map(|_| c_int::from(child.pidfd_owned));
    // SAFETY: the contract of C.
    unsafe { child_anywhere(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_child_pidfd_own(
    of: *const Source,
    own: c_int,
) -> c_int {
    let set = |child: &mut Child| {
        pidfd(child)?;
        child.pidfd_owned = own != 0;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { child_anywhere(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_get_child_process_own(of: *const Source) -> c_int {
    // SAFETY: the contract of C.
    unsafe { child_anywhere(of, |child| Ok(c_int::from(child.process_owned))) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_set_child_process_own(
    of: *const Source,
    own: c_int,
) -> c_int {
    let set = |child: &mut Child| {
        child.process_owned = own != 0;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { child_anywhere(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_source_send_child_signal(
    of: *const Source,
    signal: c_int,
    said: *const libc::siginfo_t,
    flags: u32,
) -> c_int {
    let send = |child: &mut Child| {
        if !is_signal(signal) {
            return Err(Errno::INVAL);
        }
        // SAFETY: the contract of C.
        let said = unsafe { said.as_ref() };
        child.signal(signal, said, flags).map(|()| 0)
    };
    // SAFETY: the contract of C.
    unsafe { child(of, send) }
}
