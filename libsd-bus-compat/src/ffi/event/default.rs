//! The loop of a thread.

use std::cell::RefCell;
use std::ffi::c_int;

use super::object::Event;
use super::sys;
use crate::Result;
use crate::ffi::boundary::entry;
use crate::ffi::pointer::Out;
use crate::ffi::shared::{Shared, Weak};

thread_local! {
    static DEFAULT: RefCell<Weak<Event>> = const { RefCell::new(Weak::new()) };
}

/// This thread's, if there is one.
pub fn event() -> Option<Shared<Event>> {
    let found = DEFAULT.try_with(|known| known.try_borrow().ok()?.upgrade());
    found.ok().flatten()
}

/// This thread's, and whether it is new.
pub fn get() -> Result<(Shared<Event>, bool)> {
    if let Some(known) = event() {
        return Ok((known, false));
    }
    let new = Event::new(sys::thread())?;
    // A thread that ends has none.
    let _ = DEFAULT.try_with(|known| known.replace(Shared::downgrade(&new)));
    Ok((new, true))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_event_default(to: *mut *const Event) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let Some(to) = (unsafe { Out::optional(to) }) else {
            return Ok(c_int::from(event().is_some()));
        };
        let (event, new) = get()?;
        to.set(Shared::into_raw(event));
        Ok(c_int::from(new))
    })
}
