//! `sd_bus_slot`: a callback, and that it is called.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use super::connection::{Bus, Current, Registered, State};
use super::error::Error;
use super::message::Message;
use crate::ffi::boundary::{entry, whole};
use crate::ffi::exclusive::Exclusive;
use crate::ffi::memory::changed;
use crate::ffi::pointer::{Out, optional_text};
use crate::ffi::shared::{Shared, Weak};
use crate::ffi::userdata::{Destroy, userdata};
use crate::{Errno, Result};

/// `sd_bus_message_handler_t`
pub type Handler = Option<unsafe extern "C" fn(*const Message, *mut c_void, *mut Error) -> c_int>;

/// `sd_bus_slot`
#[derive(Debug)]
pub struct Slot {
    pub number: u64,
    pub kind: Kind,
    /// To be found while it is floating, too.
    bus: Weak<Bus>,
    inside: Exclusive<Own>,
}

/// What it is of.
#[derive(Clone, Debug)]
pub enum Kind {
    /// All messages.
    Filter,
    /// Messages of a rule; with the text of it if the bus was told.
    Match { told: Option<CString> },
    /// Calls of an object, or what else is at this path.
    Object { path: Arc<CStr> },
    /// The answer to the call of this number.
    Reply { serial: u32 },
}

#[derive(Debug)]
struct Own {
    handler: Handler,
    userdata: *mut c_void,
    destroy: Destroy,
    description: Option<CString>,
    /// It keeps its bus, unless the bus keeps it.
    bus: Option<Shared<Bus>>,
}

// SAFETY: the pointer is C's, and never followed here.
unsafe impl Send for Own {}

impl Slot {
    /// A slot in a bus; where it goes is the caller's to say. The bus keeps it if nobody asked for it.
    pub fn add(
        bus: &Shared<Bus>,
        state: &mut State,
        kind: Kind,
        (handler, userdata): (Handler, *mut c_void),
        floating: bool,
    ) -> Shared<Self> {
        state.last_slot += 1;
        let slot = Shared::new(Self {
            number: state.last_slot,
            kind,
            bus: Shared::downgrade(bus),
            inside: Exclusive::new(Own {
                handler,
                userdata,
                destroy: None,
                description: None,
                bus: (!floating).then(|| Shared::clone(bus)),
            }),
        });
        let registered = Registered {
            slot: Shared::downgrade(&slot),
            floating: floating.then(|| Shared::clone(&slot)),
        };
        state.slots.insert(slot.number, registered);
        slot
    }

    /// What is called when it goes.
    pub fn set_destroy(&self, destroy: Destroy) -> Result<()> {
        self.inside.enter()?.destroy = destroy;
        Ok(())
    }

    /// What is called.
    pub fn callback(&self) -> Result<(Handler, *mut c_void)> {
        let own = self.inside.enter()?;
        Ok((own.handler, own.userdata))
    }
}

/// Takes it out of the lists of a bus. Gives what the bus has had of it, to be dropped outside, and a rule it is to forget.
pub fn remove(state: &mut State, slot: &Slot) -> (Option<Registered>, Option<CString>) {
    let number = slot.number;
    let mut told = None;
    match &slot.kind {
        Kind::Filter => state.filters.retain(|other| *other != number),
        Kind::Match { told: rule } => {
            state.matches.retain(|(other, _)| *other != number);
            told = rule.clone();
        }
        Kind::Object { path } => state.objects.remove(path, |object| object.slot == number),
        Kind::Reply { serial } => state.connection.forget_reply(*serial),
    }
    let registered = state.slots.remove(&number);
    // Once only: afterwards it is in no list.
    let told = registered.as_ref().and(told);
    (registered, told)
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(bus) = self.bus.upgrade() {
            let removed = bus.enter_to_leave().map(|mut state| {
                let (registered, told) = remove(&mut state, self);
                if let Some(told) = told {
                    super::matches::forget(&mut state, &told);
                }
                registered
            });
            drop(removed);
        }
        let Ok(mut own) = self.inside.enter() else {
            return;
        };
        let (destroy, userdata, bus) = (own.destroy, own.userdata, own.bus.take());
        drop(own);
        if let Some(destroy) = destroy {
            // SAFETY: C has given both for this.
            unsafe { destroy(userdata) };
        }
        drop(bus);
    }
}

unsafe fn slot<'a>(slot: *const Slot) -> Result<&'a Slot> {
    // SAFETY: the caller's promise.
    unsafe { slot.as_ref() }.ok_or(Errno::INVAL)
}

unsafe fn within<T>(of: *const Slot, act: impl FnOnce(&mut Own) -> Result<T>) -> Result<T> {
    // SAFETY: the caller's promise.
    let slot = unsafe { slot(of) }?;
    act(&mut *slot.inside.enter()?)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_slot_ref(of: *const Slot) -> *const Slot {
    if !of.is_null() {
        // SAFETY: the contract of C.
        unsafe { Shared::increment_strong_count(of) };
    }
    of
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_slot_unref(of: *const Slot) -> *const Slot {
    whole(|| {
        if !of.is_null() {
            // SAFETY: C gives back what it had.
            drop(unsafe { Shared::from_raw(of) });
        }
    });
    ptr::null()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_slot_get_bus(of: *const Slot) -> *const Bus {
    // SAFETY: the contract of C.
    unsafe { slot(of) }.map_or(ptr::null(), |slot| slot.bus.as_ptr())
}

/// What a slot's callback asks for while it runs.
unsafe fn current<T>(of: *const Slot, get: impl FnOnce(&Current) -> T) -> Option<T> {
    let ask = || {
        // SAFETY: the caller's promise.
        let bus = unsafe { slot(of) }.ok()?.bus.upgrade()?;
        let state = bus.enter().ok()?;
        let innermost = state.current.last()?;
        (innermost.slot == of).then(|| get(innermost))
    };
    whole(ask).flatten()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_slot_get_current_message(of: *const Slot) -> *const Message {
    // SAFETY: the contract of C.
    unsafe { current(of, |current| current.message) }.unwrap_or(ptr::null())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_slot_get_current_userdata(of: *const Slot) -> *mut c_void {
    // SAFETY: the contract of C.
    unsafe { current(of, |current| current.userdata) }.unwrap_or(ptr::null_mut())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_slot_get_current_handler(of: *const Slot) -> Handler {
    // SAFETY: the contract of C.
    unsafe { current(of, |current| current.handler) }.flatten()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_slot_set_description(
    of: *const Slot,
    description: *const c_char,
) -> c_int {
    let set = |own: &mut Own| {
        // SAFETY: the contract of C.
        let description = unsafe { optional_text(description) }.map(CStr::to_owned);
        Ok(changed(&mut own.description, description))
    };
    // SAFETY: the contract of C.
    entry(|| unsafe { within(of, set) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_slot_get_description(
    of: *const Slot,
    to: *mut *const c_char,
) -> c_int {
    let get = |own: &mut Own| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        to.set(own.description.as_ref().ok_or(Errno::NXIO)?.as_ptr());
        Ok(0)
    };
    // SAFETY: the contract of C.
    entry(|| unsafe { within(of, get) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_slot_get_floating(of: *const Slot) -> c_int {
    // SAFETY: the contract of C.
    entry(|| unsafe { within(of, |own| Ok(c_int::from(own.bus.is_none()))) })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_slot_set_floating(of: *const Slot, on: c_int) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let slot = unsafe { slot(of) }?;
        let bus = slot.bus.upgrade().ok_or(Errno::STALE)?;
        let mut state = bus.enter()?;
        let registered = state.slots.get_mut(&slot.number).ok_or(Errno::STALE)?;
        let mut own = slot.inside.enter()?;
        if own.bus.is_none() == (on != 0) {
            return Ok(0);
        }
        // Whose it was is dropped when nobody is inside.
        let (kept, keeps) = match on {
            0 => {
                own.bus = Some(Shared::clone(&bus));
                (registered.floating.take(), None)
            }
            _ => {
                registered.floating = registered.slot.upgrade();
                (None, own.bus.take())
            }
        };
        drop(own);
        drop(state);
        drop((kept, keeps));
        Ok(1)
    })
}

userdata! {
    sd_bus_slot_set_userdata, sd_bus_slot_get_userdata,
    sd_bus_slot_set_destroy_callback, sd_bus_slot_get_destroy_callback => Slot, Own, within
}
