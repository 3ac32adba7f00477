//! Buses that everybody knows: sd_bus_open_system(3), sd_bus_default(3).

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};

use super::connection::Bus;
use crate::bus::creds::mask;
use crate::ffi::boundary::entry;
use crate::ffi::pointer::{Out, optional_text};
use crate::ffi::shared::{Shared, Weak};
use crate::ffi::sys;
use crate::login::Login;
use crate::{Errno, Result, environment};

/// Which bus.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    System,
    User,
    /// The one that has started this program, or that of the user in a session, or the system's.
    Own,
}

/// A variable of an environment that is to be believed.
fn variable(name: &str) -> Option<Vec<u8>> {
    (!sys::is_secure())
        .then(|| environment::variable(name))
        .flatten()
}

fn address(which: Which) -> Result<(Vec<u8>, &'static CStr)> {
    match which {
        Which::System => {
            let given = variable("DBUS_SYSTEM_BUS_ADDRESS");
            let default = b"unix:path=/run/dbus/system_bus_socket";
            Ok((given.unwrap_or_else(|| default.to_vec()), c"system"))
        }
        Which::User => {
            let given = variable("DBUS_SESSION_BUS_ADDRESS");
            let default = || {
                let folder = variable("XDG_RUNTIME_DIR").ok_or(Errno::NOMEDIUM)?;
                let folder = dbus::address::escape(&folder);
                Ok(format!("unix:path={folder}/bus").into_bytes())
            };
            Ok((given.map_or_else(default, Ok)?, c"user"))
        }
        Which::Own => {
            let kind = variable("DBUS_STARTER_BUS_TYPE");
            let starter = variable("DBUS_STARTER_ADDRESS");
            match (kind.as_deref(), starter) {
                (Some(b"system"), Some(given)) => Ok((given, c"system")),
                (Some(b"system"), None) => address(Which::System),
                (Some(b"user" | b"session"), Some(given)) => Ok((given, c"user")),
                (Some(b"user" | b"session"), None) => address(Which::User),
                (_, Some(given)) => Ok((given, c"user")),
                _ => match Login::system().pid_owner(0) {
                    Ok(_) => address(Which::User),
                    Err(_) => address(Which::System),
                },
            }
        }
    }
}

/// Opens one.
pub fn open(which: Which, description: Option<&CStr>) -> Result<Shared<Bus>> {
    let (address, scope) = address(which)?;
    let bus = Bus::new();
    {
        let mut state = bus.enter()?;
        state.scope = Some(scope);
        state.description = description.map(CStr::to_owned);
        // The user's bus is the user's, and so is all who come by it; a starter's may be any.
        let is_starters = matches!(which, Which::Own) && variable("DBUS_STARTER_ADDRESS").is_some();
        state.trusted = scope == c"user" && !is_starters;
        if !state.trusted {
            state.creds_mask |= mask::UID | mask::EUID | mask::EFFECTIVE_CAPS;
        }
        state.connection.is_client = true;
        state.connection.addresses = Some(CString::new(address).map_err(|_| Errno::INVAL)?);
        state.connection.start()?;
    }
    Ok(bus)
}

unsafe fn give(to: *mut *const Bus, which: Which, description: *const c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        // SAFETY: the contract of C.
        let description = unsafe { optional_text(description) };
        to.set(Shared::into_raw(open(which, description)?));
        Ok(0)
    })
}

macro_rules! openers {
    ($($plain:ident, $described:ident => $which:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $plain(to: *mut *const Bus) -> c_int {
            // SAFETY: the contract of C.
            unsafe { give(to, Which::$which, std::ptr::null()) }
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $described(
            to: *mut *const Bus,
            description: *const c_char,
        ) -> c_int {
            // SAFETY: the contract of C.
            unsafe { give(to, Which::$which, description) }
        }
    )* };
}

openers! {
    sd_bus_open, sd_bus_open_with_description => Own;
    sd_bus_open_user, sd_bus_open_user_with_description => User;
    sd_bus_open_system, sd_bus_open_system_with_description => System;
}

type Kept = RefCell<Weak<Bus>>;

thread_local! {
    static OWN: Kept = const { RefCell::new(Weak::new()) };
    static USER: Kept = const { RefCell::new(Weak::new()) };
    static SYSTEM: Kept = const { RefCell::new(Weak::new()) };
}

/// This thread's bus by its number: SD_BUS_DEFAULT, SD_BUS_DEFAULT_USER, SD_BUS_DEFAULT_SYSTEM. Who has it keeps it.
pub fn known(number: usize) -> Option<*const Bus> {
    let slot = match number {
        1 => &OWN,
        2 => &USER,
        _ => &SYSTEM,
    };
    let bus = slot.try_with(|slot| slot.borrow().upgrade()).ok()??;
    Some(Shared::as_ptr(&bus))
}

/// All of this thread's.
pub fn all_known() -> Vec<Shared<Bus>> {
    let known = [&OWN, &USER, &SYSTEM].map(|slot| slot.try_with(|slot| slot.borrow().upgrade()));
    known.into_iter().flatten().flatten().collect()
}

/// This thread's bus, which is opened when it is first asked for, and goes with the last who has it.
unsafe fn default(
    to: *mut *const Bus,
    which: Which,
    slot: &'static std::thread::LocalKey<Kept>,
) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::optional(to) };
        let known = slot.try_with(|slot| slot.borrow().upgrade());
        let known = known.map_err(|_| Errno::NOTCONN)?;
        let Some(to) = to else {
            return Ok(c_int::from(known.is_some()));
        };
        if let Some(bus) = known {
            to.set(Shared::into_raw(bus));
            return Ok(0);
        }
        let bus = open(which, None)?;
        bus.enter()?.thread = crate::ffi::event::sys::thread();
        let kept = slot.try_with(|slot| *slot.borrow_mut() = Shared::downgrade(&bus));
        kept.map_err(|_| Errno::NOTCONN)?;
        to.set(Shared::into_raw(bus));
        Ok(1)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_default(to: *mut *const Bus) -> c_int {
    // SAFETY: the contract of C.
    unsafe { default(to, Which::Own, &OWN) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_default_user(to: *mut *const Bus) -> c_int {
    // SAFETY: the contract of C.
    unsafe { default(to, Which::User, &USER) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_default_system(to: *mut *const Bus) -> c_int {
    // SAFETY: the contract of C.
    unsafe { default(to, Which::System, &SYSTEM) }
}
