//! Buses of other machines: sd_bus_open_system_remote(3), sd_bus_open_system_machine(3), sd_bus_open_user_machine(3).

use std::ffi::{CString, c_char, c_int};

use super::connection::Bus;
use super::open::{Which, open};
use crate::bus::container::Inside;
use crate::bus::remote::{self, Place};
use crate::ffi::boundary::entry;
use crate::ffi::pointer::{Out, name};
use crate::ffi::shared::Shared;
use crate::ffi::sys;
use crate::{Errno, Result, environment};

/// Opens a bus by its address, or in a container if that leads nowhere.
fn begin(address: String, inside: Option<Inside>, is_users: bool) -> Result<*const Bus> {
    let bus = Bus::new();
    {
        let mut state = bus.enter()?;
        state.scope = (!is_users).then_some(c"system");
        // Who is root in a container is not root here; but a user's bus is that user's, wherever it is.
        state.trusted = is_users;
        state.connection.is_client = true;
        state.connection.addresses = Some(CString::new(address).map_err(|_| Errno::INVAL)?);
        state.connection.inside = inside;
        state.connection.start()?;
    }
    Ok(Shared::into_raw(bus))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_open_system_remote(
    to: *mut *const Bus,
    host: *const c_char,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        // SAFETY: the contract of C.
        let address = remote::host(unsafe { name(host) }?)?;
        to.set(begin(address, None, false)?);
        Ok(0)
    })
}

unsafe fn give(to: *mut *const Bus, machine: *const c_char, is_users: bool) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        // SAFETY: the contract of C.
        let place = Place::parse(unsafe { name(machine) }?)?;
        let own_name = match sys::is_secure() {
            true => None,
            false => environment::text("USER"),
        };
        if place.is_here(sys::user(), own_name.as_deref()) {
            let which = match is_users {
                true => Which::User,
                false => Which::System,
            };
            match open(which, None) {
                // The environment does not say where it is: a session may.
                Err(Errno::NOMEDIUM) => {}
                opened => {
                    to.set(Shared::into_raw(opened?));
                    return Ok(0);
                }
            }
        }
        let (address, inside) = place.address(is_users);
        to.set(begin(address, inside, is_users)?);
        Ok(0)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_open_system_machine(
    to: *mut *const Bus,
    machine: *const c_char,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { give(to, machine, false) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_open_user_machine(
    to: *mut *const Bus,
    machine: *const c_char,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { give(to, machine, true) }
}
