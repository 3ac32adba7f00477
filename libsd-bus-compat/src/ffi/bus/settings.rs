//! What is set of a bus, most of it before it is started, and asked for.

use std::ffi::{CStr, c_char, c_int};
use std::os::fd::{FromRawFd, OwnedFd};

use super::connection::{Bus, State, within};
use crate::Errno;
use crate::ffi::memory::changed;
use crate::ffi::pointer::{Out, optional_text, text};

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_set_address(of: *const Bus, address: *const c_char) -> c_int {
    let set = |state: &mut State| {
        state.connection.unset()?;
        // SAFETY: the contract of C.
        let address = Some(unsafe { text(address) }?.to_owned());
        Ok(changed(&mut state.connection.addresses, address))
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_address(of: *const Bus, to: *mut *const c_char) -> c_int {
    let get = |state: &mut State| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        let address = state.connection.addresses.as_deref();
        to.set(address.ok_or(Errno::NODATA)?.as_ptr());
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_set_fd(of: *const Bus, input: c_int, output: c_int) -> c_int {
    let set = |state: &mut State| {
        state.connection.unset()?;
        if input < 0 || output < 0 {
            return Err(Errno::BADF);
        }
        // SAFETY: from here on it is the bus's, as the contract of C has it.
        let first = unsafe { OwnedFd::from_raw_fd(input) };
        let second = (output != input).then(|| {
            // SAFETY: likewise.
            unsafe { OwnedFd::from_raw_fd(output) }
        });
        state.connection.set_socket(first, second)?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

/// A setting that is given before the start, and asked for at any time.
macro_rules! settings {
    ($($set:ident, $get:ident => $($field:ident).+;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set(of: *const Bus, on: c_int) -> c_int {
            let set = |state: &mut State| {
                state.connection.unset()?;
                state.$($field).+ = on != 0;
                Ok(0)
            };
            // SAFETY: the contract of C.
            unsafe { within(of, set) }
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $get(of: *const Bus) -> c_int {
            // SAFETY: the contract of C.
            unsafe { within(of, |state| Ok(c_int::from(state.$($field).+))) }
        }
    )* };
}

settings! {
    sd_bus_set_bus_client, sd_bus_is_bus_client => connection.is_client;
    sd_bus_set_monitor, sd_bus_is_monitor => connection.is_monitor;
    sd_bus_set_watch_bind, sd_bus_get_watch_bind => connection.waits_for_bind;
    sd_bus_set_connected_signal, sd_bus_get_connected_signal => connection.tells_connected;
    sd_bus_set_anonymous, sd_bus_is_anonymous => connection.is_anonymous;
    sd_bus_set_trusted, sd_bus_is_trusted => trusted;
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_negotiate_fds(of: *const Bus, on: c_int) -> c_int {
    let set = |state: &mut State| {
        state.connection.unset()?;
        state.connection.wants_descriptors = on != 0;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_set_allow_interactive_authorization(
    of: *const Bus,
    on: c_int,
) -> c_int {
    let set = |state: &mut State| {
        state.interactive = on != 0;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_allow_interactive_authorization(of: *const Bus) -> c_int {
    // SAFETY: the contract of C.
    unsafe { within(of, |state| Ok(c_int::from(state.interactive))) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_set_description(
    of: *const Bus,
    description: *const c_char,
) -> c_int {
    let set = |state: &mut State| {
        state.connection.unset()?;
        // SAFETY: the contract of C.
        let description = unsafe { optional_text(description) }.map(CStr::to_owned);
        Ok(changed(&mut state.description, description))
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_description(of: *const Bus, to: *mut *const c_char) -> c_int {
    let get = |state: &mut State| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        let own = state.description.as_deref().or(state.scope);
        to.set(own.ok_or(Errno::NXIO)?.as_ptr());
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_set_method_call_timeout(of: *const Bus, usec: u64) -> c_int {
    let set = |state: &mut State| {
        state.connection.timeout = match usec {
            0 => crate::bus::connection::TIMEOUT,
            usec => usec,
        };
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_method_call_timeout(of: *const Bus, to: *mut u64) -> c_int {
    let get = |state: &mut State| {
        // SAFETY: the contract of C.
        unsafe { Out::required(to) }?.set(state.connection.timeout);
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_set_sender(of: *const Bus, sender: *const c_char) -> c_int {
    let set = |state: &mut State| {
        if state.connection.is_client {
            return Err(Errno::PERM);
        }
        // SAFETY: the contract of C.
        let sender = unsafe { optional_text(sender) };
        if sender.is_some_and(|sender| !dbus::name::is_bus(sender.to_bytes())) {
            return Err(Errno::INVAL);
        }
        Ok(changed(&mut state.sender, sender.map(CStr::to_owned)))
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_get_sender(of: *const Bus, to: *mut *const c_char) -> c_int {
    let get = |state: &mut State| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        to.set(state.sender.as_ref().ok_or(Errno::NODATA)?.as_ptr());
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}
