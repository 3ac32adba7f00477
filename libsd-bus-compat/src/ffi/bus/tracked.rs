//! A track: whether those are on the bus yet for whom something is kept.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_int, c_void};
use std::mem::{self, ManuallyDrop};
use std::ptr;

use dbus::message::Field;
use dbus::rule::Test;
use dbus::{Basic, Kind, Rule, types};

use super::connection::{Bus, State};
use super::error::Error;
use super::identity::exists;
use super::matches::register;
use super::message::{Message, message};
use super::slot::Slot;
use crate::bus::connection::Phase;
use crate::ffi::boundary::entry;
use crate::ffi::exclusive::Exclusive;
use crate::ffi::shared::{Shared, Weak};
use crate::ffi::userdata::Destroy;
use crate::{Errno, Result};

/// `sd_bus_track_handler_t`
pub type TrackHandler = Option<unsafe extern "C" fn(*const Track, *mut c_void) -> c_int>;

/// `sd_bus_track`
#[derive(Debug)]
pub struct Track {
    pub bus: Shared<Bus>,
    /// Itself, for the lists of its bus.
    own: Weak<Self>,
    pub inside: Exclusive<Own>,
}

#[derive(Debug)]
pub struct Own {
    handler: TrackHandler,
    pub userdata: *mut c_void,
    pub destroy: Destroy,
    pub names: BTreeMap<CString, Name>,
    /// Whether a name is there until it was removed as often as it was added.
    pub is_recursive: bool,
    /// How many names are being added: until it is known whether they are there, it is not empty.
    adding: u32,
    /// What sd_bus_track_next(3) follows; nothing if names have changed since.
    pub at: Option<CString>,
}

// SAFETY: the pointer is C's, and never followed here.
unsafe impl Send for Own {}

#[derive(Debug)]
pub struct Name {
    count: u32,
    /// Has its changes told.
    _slot: Shared<Slot>,
}

impl Track {
    pub fn new(
        bus: Shared<Bus>,
        handler: TrackHandler,
        userdata: *mut c_void,
    ) -> Result<Shared<Self>> {
        let track = Shared::new_cyclic(|own| Self {
            bus,
            own: Weak::clone(own),
            inside: Exclusive::new(Own {
                handler,
                userdata,
                destroy: None,
                names: BTreeMap::new(),
                is_recursive: false,
                adding: 0,
                at: None,
            }),
        });
        track.bus.enter()?.tracks.push(Weak::clone(&track.own));
        // Who gets no name added is to hear of that, too.
        track.tell_if_empty()?;
        Ok(track)
    }

    fn is(&self, other: &Weak<Self>) -> bool {
        Weak::ptr_eq(&self.own, other)
    }

    /// Has its handler called, soon, if it is empty.
    fn tell_if_empty(&self) -> Result<()> {
        let is_empty = {
            let own = self.inside.enter()?;
            own.names.is_empty() && own.adding == 0 && own.handler.is_some()
        };
        let mut state = self.bus.enter()?;
        if is_empty && !state.emptied.iter().any(|other| self.is(other)) {
            state.emptied.push(Weak::clone(&self.own));
        }
        Ok(())
    }

    /// Has its handler not called: it is not empty any more.
    fn do_not_tell(&self) -> Result<()> {
        let mut state = self.bus.enter()?;
        state.emptied.retain(|other| !self.is(other));
        Ok(())
    }

    /// Calls its handler.
    fn tell(&self) -> Result<()> {
        let (handler, userdata) = {
            let own = self.inside.enter()?;
            (own.handler, own.userdata)
        };
        if let Some(handler) = handler {
            // SAFETY: C has given both for this; the caller holds the object.
            unsafe { handler(ptr::from_ref(self), userdata) };
        }
        Ok(())
    }

    /// Adds a name, if somebody has it. Whether it is new.
    pub fn add(&self, name: &CStr) -> Result<bool> {
        if !dbus::name::is_bus(name.to_bytes()) {
            return Err(Errno::INVAL);
        }
        if self.count_up(name)? {
            return Ok(false);
        }
        self.inside.enter()?.adding += 1;
        self.do_not_tell()?;
        let watched = self.watch(name);
        let added = {
            let mut own = self.inside.enter()?;
            own.adding -= 1;
            watched.map(|slot| {
                own.at = None;
                let item = Name {
                    count: 1,
                    _slot: slot,
                };
                own.names.insert(name.to_owned(), item)
            })
        };
        match added {
            // A handler that ran meanwhile may have added it, too.
            Ok(before) => Ok(before.is_none()),
            Err(errno) => {
                self.tell_if_empty()?;
                Err(errno)
            }
        }
    }

    /// Counts one more of a name that is there. False if it is not.
    fn count_up(&self, name: &CStr) -> Result<bool> {
        let mut own = self.inside.enter()?;
        let is_recursive = own.is_recursive;
        let Some(item) = own.names.get_mut(name) else {
            return Ok(false);
        };
        if is_recursive {
            item.count = item.count.checked_add(1).ok_or(Errno::OVERFLOW)?;
        }
        Ok(true)
    }

    /// Has changes of a name told, and sees that it is there: in this order, so that none is missed.
    fn watch(&self, name: &CStr) -> Result<Shared<Slot>> {
        let name_of = |text: &CStr| text.to_str().map(str::to_owned).map_err(|_| Errno::INVAL);
        let driver = "org.freedesktop.DBus".to_owned();
        let rule = Rule {
            kind: Some(Kind::Signal),
            sender: Some(driver.clone()),
            path: Some("/org/freedesktop/DBus".to_owned()),
            interface: Some(driver),
            member: Some("NameOwnerChanged".to_owned()),
            arguments: BTreeMap::from([((0, Test::Is), name_of(name)?)]),
            ..Rule::default()
        };
        let userdata = Weak::into_raw(Weak::clone(&self.own));
        let callback = (Some(changed as _), userdata.cast_mut().cast());
        let slot = match register(&self.bus, false, &rule, callback, None) {
            Ok(slot) => slot,
            Err(errno) => {
                // SAFETY: it was made above, and the slot that had it is gone.
                drop(unsafe { Weak::from_raw(userdata) });
                return Err(errno);
            }
        };
        slot.set_destroy(Some(forget))?;
        exists(&self.bus, name)?;
        Ok(slot)
    }

    /// Removes a name: `fully` however often it was added. Whether it was there.
    pub fn remove(&self, name: &CStr, fully: bool) -> Result<bool> {
        let removed = {
            let mut own = self.inside.enter()?;
            let Some(item) = own.names.get_mut(name) else {
                return Ok(false);
            };
            if !fully && item.count > 1 {
                item.count -= 1;
                return Ok(true);
            }
            own.at = None;
            own.names.remove(name)
        };
        // Outside: its slot goes, and with it the rule.
        drop(removed);
        self.tell_if_empty()?;
        Ok(true)
    }

    pub fn count_of(&self, name: &CStr) -> Result<c_int> {
        let own = self.inside.enter()?;
        let count = own.names.get(name).map_or(0, |item| item.count);
        c_int::try_from(count).map_err(|_| Errno::OVERFLOW)
    }

    /// The sender of a message, which must have come by the same bus.
    pub fn sender(&self, message: &Message) -> Result<CString> {
        if !Shared::ptr_eq(&self.bus, &message.bus) {
            return Err(Errno::INVAL);
        }
        sender(message)
    }

    /// The connection is over, and with it all names.
    fn lose_all(&self) -> Result<()> {
        let names = {
            let mut own = self.inside.enter()?;
            own.at = None;
            mem::take(&mut own.names)
        };
        self.do_not_tell()?;
        match names.is_empty() {
            true => Ok(()),
            false => {
                drop(names);
                self.tell()
            }
        }
    }
}

impl Drop for Track {
    fn drop(&mut self) {
        if let Some(mut state) = self.bus.enter_to_leave() {
            let State {
                tracks, emptied, ..
            } = &mut *state;
            for list in [tracks, emptied] {
                list.retain(|other| !self.is(other));
            }
        }
        let Ok(mut own) = self.inside.enter() else {
            return;
        };
        let (destroy, userdata) = (own.destroy, own.userdata);
        let names = mem::take(&mut own.names);
        drop(own);
        drop(names);
        if let Some(destroy) = destroy {
            // SAFETY: C has given both for this.
            unsafe { destroy(userdata) };
        }
    }
}

/// A track that is to be told that it is empty.
pub struct Told {
    track: Weak<Track>,
    is_over: bool,
}

/// The next one, if one is to be told: while the connection is there, and once it is over.
pub fn next(state: &mut State) -> Option<Told> {
    let is_over = match state.connection.phase {
        Phase::Hello | Phase::Running => false,
        // Who waits for answers is told before.
        Phase::Closing if state.connection.awaited() == 0 => true,
        _ => return None,
    };
    let track = match is_over {
        false => state.emptied.pop(),
        true => state.tracks.pop(),
    }?;
    Some(Told { track, is_over })
}

impl Told {
    /// Tells it; one that is just going is not told.
    pub fn tell(self) -> Result<()> {
        match self.track.upgrade() {
            Some(track) if self.is_over => track.lose_all(),
            Some(track) => track.tell(),
            None => Ok(()),
        }
    }
}

fn sender(message: &Message) -> Result<CString> {
    let own = message.enter()?;
    let sender = own.content.header().text(Field::Sender);
    sender.map(CStr::to_owned).ok_or(Errno::INVAL)
}

/// NameOwnerChanged, of a name that is followed.
unsafe extern "C" fn changed(
    signal: *const Message,
    userdata: *mut c_void,
    _error: *mut Error,
) -> c_int {
    entry(|| {
        // SAFETY: the slot has had it of `watch`, and it is the slot's until `forget` has it.
        let track = ManuallyDrop::new(unsafe { Weak::from_raw(userdata.cast::<Track>()) });
        let Some(track) = track.upgrade() else {
            return Ok(0);
        };
        let names = {
            // SAFETY: the bus calls with a message.
            let own = unsafe { message(signal) }?.enter()?;
            let body = own.content.sealed()?.message();
            let mut cursor = body.cursor();
            let mut text = || match cursor.read_basic(body, types::STRING) {
                Ok(Some(Basic::String(text))) => Ok(text.to_owned()),
                _ => Err(Errno::BADMSG),
            };
            (text()?, text()?)
        };
        // Who takes a name that nobody had has not left.
        if !names.1.is_empty() {
            track.remove(&names.0, true)?;
        }
        Ok(0)
    })
}

/// The slot of a name goes.
unsafe extern "C" fn forget(userdata: *mut c_void) {
    // SAFETY: it was the slot's, and nobody else has it.
    drop(unsafe { Weak::from_raw(userdata.cast::<Track>()) });
}
