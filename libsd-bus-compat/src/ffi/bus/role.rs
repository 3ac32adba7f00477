//! What a connection is: sd_bus_set_server(3), and how it is opened: sd_bus_set_watch_bind(3).

use std::ffi::{c_char, c_int};

use super::connection::{Bus, State, within};
use crate::Errno;
use crate::ffi::id128::Id;
use crate::ffi::pointer::text;
use crate::id128::Id128;

/// How many arguments of a program are looked at.
const MAX_ARGUMENTS: usize = 4096;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_set_server(of: *const Bus, on: c_int, id: Id) -> c_int {
    let guid = Id128::from(id).0;
    if on == 0 && guid != [0; 16] {
        return -libc::EINVAL;
    }
    let set = |state: &mut State| {
        state.connection.unset()?;
        state.connection.serves = (on != 0).then_some(guid);
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_is_server(of: *const Bus) -> c_int {
    let is = |state: &mut State| Ok(c_int::from(state.connection.serves.is_some()));
    // SAFETY: the contract of C.
    unsafe { within(of, is) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_set_exec(
    of: *const Bus,
    path: *const c_char,
    arguments: *const *mut c_char,
) -> c_int {
    let set = |state: &mut State| {
        state.connection.unset()?;
        // SAFETY: the contract of C.
        let path = unsafe { text(path) }?.to_bytes();
        if arguments.is_null() {
            return Err(Errno::INVAL);
        }
        let mut line = Vec::new();
        for index in 0..MAX_ARGUMENTS {
            // SAFETY: a null pointer ends the list, which is not passed.
            let place = unsafe { arguments.add(index) };
            // SAFETY: it is in the list.
            let argument = unsafe { *place };
            if argument.is_null() {
                break;
            }
            // SAFETY: the contract of C.
            line.push(unsafe { text(argument) }?.to_bytes().to_vec());
        }
        if path.is_empty() || line.is_empty() {
            return Err(Errno::INVAL);
        }
        state.connection.exec = Some((path.to_vec(), line));
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}
