//! Whom a call is for: what is at its path, and then what is for all below a path above it, from the nearest.

use std::ffi::{CStr, c_int, c_void};
use std::iter;
use std::sync::Arc;

use dbus::Kind;
use dbus::message::{Field, NO_REPLY_EXPECTED};

use super::{Object, What};
use crate::ffi::bus::call::send;
use crate::ffi::bus::connection::{Bus, Current};
use crate::ffi::bus::dispatch::{answer_error, call_slot};
use crate::ffi::bus::error::Error;
use crate::ffi::bus::identity::is_privileged;
use crate::ffi::bus::message::Message;
use crate::ffi::bus::message_new::{method_error, method_return};
use crate::ffi::bus::slot::{Handler, Slot};
use crate::ffi::bus::vtable::{Method, SENSITIVE, UNPRIVILEGED, Vtable};
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// A call, as objects look at it.
pub(super) struct Call<'a> {
    pub(super) bus: &'a Shared<Bus>,
    pub(super) message: &'a Shared<Message>,
    pub(super) path: &'a CStr,
    pub(super) interface: &'a CStr,
    pub(super) member: &'a [u8],
    /// Of its arguments.
    pub(super) types: &'a [u8],
    pub(super) wants_reply: bool,
}

/// What there is for a call at its path, or at a path above.
pub(super) struct Node<'a> {
    pub(super) path: &'a [u8],
    pub(super) is_above: bool,
    all: Arc<Vec<Object>>,
}

/// An interface that an object has, and what the object has for it.
pub(super) struct Found {
    pub(super) name: Arc<CStr>,
    pub(super) vtable: Shared<Vtable>,
    pub(super) slot: u64,
    pub(super) userdata: *mut c_void,
}

/// A slot that is kept while its callback runs, and what that is given.
type Held = (Shared<Slot>, *mut c_void);

/// What is known of a call when all is looked at anew.
#[derive(Default)]
pub(super) struct Asked {
    /// The functions for all calls that were called.
    called: Vec<u64>,
    /// Whether there is an object.
    pub(super) exists: bool,
}

/// Why it does not go on.
pub(super) enum Stop {
    /// A callback has failed: by a number, and perhaps more.
    Failed(c_int, Error),
    /// What was looked at has gone meanwhile: all is to be looked at anew.
    Gone,
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        Self::Failed(-errno.raw_os_error(), Error::NULL)
    }
}

impl Stop {
    /// Of what a callback has answered.
    pub(super) fn check(answer: c_int, error: Error) -> std::result::Result<(), Self> {
        match answer < 0 || error.name().is_some() {
            true => Err(Self::Failed(answer, error)),
            false => Ok(()),
        }
    }

    /// The number of it.
    pub(super) fn into_errno(self) -> Errno {
        match self {
            Self::Gone => Errno::STALE,
            Self::Failed(number, mut error) => {
                let number = if number < 0 { -number } else { error.number() };
                error.clear();
                Errno::from_raw_os_error(number)
            }
        }
    }
}

impl Node<'_> {
    /// As much of it as is for the call.
    pub(super) fn here(&self) -> impl Iterator<Item = &Object> {
        let is_for_it = |object: &&Object| {
            !self.is_above || object.is_fallback || matches!(object.what, What::Enumerator(_))
        };
        self.all.iter().filter(is_for_it)
    }

    pub(super) fn has_manager(&self) -> bool {
        let mut here = self.here();
        here.any(|object| matches!(object.what, What::Manager))
    }
}

/// What is at a path, if it is there: for the path itself, or for one below it.
fn node<'a>(bus: &Bus, path: &'a [u8], is_above: bool) -> Result<Option<Node<'a>>> {
    let state = bus.enter()?;
    let found = state.objects.find(path);
    Ok(found.map(|(_, all)| Node {
        path,
        is_above,
        all: Arc::clone(all),
    }))
}

/// Gives a call to the object it is for. False if it is none, or nobody's.
pub fn dispatch(bus: &Shared<Bus>, message: &Shared<Message>) -> Result<bool> {
    let sealed = {
        let mut own = message.enter()?;
        let (cursor, sealed) = own.content.reader()?;
        if sealed.message().header().kind() != Kind::MethodCall {
            return Ok(false);
        }
        cursor.rewind(true);
        sealed.clone()
    };
    let header = sealed.message().header();
    let text = |field| header.text(field).unwrap_or_default();
    let call = Call {
        bus,
        message,
        path: text(Field::Path),
        interface: text(Field::Interface),
        member: header.bytes_of(Field::Member).unwrap_or_default(),
        types: sealed.message().signature(),
        wants_reply: header.flags() & NO_REPLY_EXPECTED == 0,
    };
    if call.interface.to_bytes() == b"org.freedesktop.DBus.Peer" {
        return Ok(false);
    }
    let mut asked = Asked::default();
    loop {
        return match call.offer(&mut asked) {
            Ok(taken) => Ok(taken),
            Err(Stop::Gone) => continue,
            Err(Stop::Failed(number, mut error)) => {
                let answered = answer_error(bus, message, number, &error);
                error.clear();
                answered.map(|()| true)
            }
        };
    }
}

impl Call<'_> {
    /// Offers it to all in turn; to functions for all calls once, though others are looked at anew. False if there is no object.
    fn offer(&self, asked: &mut Asked) -> std::result::Result<bool, Stop> {
        for node in self.nodes() {
            let node = node?;
            if self.offer_to(&node, asked)? {
                return Ok(true);
            }
            asked.exists = asked.exists || self.exists(&node)?;
        }
        if asked.exists {
            self.unknown()?;
        }
        Ok(asked.exists)
    }

    fn offer_to(&self, node: &Node<'_>, asked: &mut Asked) -> std::result::Result<bool, Stop> {
        let is_for_all = |object: &Object| matches!(object.what, What::Calls);
        if node.here().any(is_for_all) {
            let before = self.bus.enter()?.objects.changes();
            if self.offer_all(node, asked)? {
                return Ok(true);
            }
            if self.bus.enter()?.objects.changes() != before {
                return Err(Stop::Gone);
            }
            self.rewind()?;
        }
        if self.method(node, asked)? {
            return Ok(true);
        }
        // What is at a nearer path may have read of it.
        self.rewind()?;
        match (self.interface.to_bytes(), self.member) {
            (b"org.freedesktop.DBus.Properties", b"Get" | b"Set") => self.property(node, asked),
            (b"org.freedesktop.DBus.Properties", b"GetAll") => self.get_all(node, asked),
            (b"org.freedesktop.DBus.Introspectable", b"Introspect") => self.introspect(node),
            (b"org.freedesktop.DBus.ObjectManager", b"GetManagedObjects") => self.managed(node),
            _ => Ok(false),
        }
    }

    /// Offers it to the functions for all calls.
    fn offer_all(&self, node: &Node<'_>, asked: &mut Asked) -> std::result::Result<bool, Stop> {
        for object in node.here() {
            if !matches!(object.what, What::Calls) || asked.called.contains(&object.slot) {
                continue;
            }
            let Some(slot) = self.slot(object.slot)? else {
                continue;
            };
            asked.exists = true;
            asked.called.push(object.slot);
            if call_slot(self.bus, &slot, self.message)? != 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The path and those above, as far as they are there when it is their turn.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Result<Node<'_>>> {
        let (bus, path) = (self.bus, self.path.to_bytes());
        let here = iter::once((path, false));
        let above = dbus::path::ancestors(path).map(|path| (path, true));
        here.chain(above)
            .filter_map(|(path, is_above)| node(bus, path, is_above).transpose())
    }

    /// Whether there is an object, though nobody has taken the call.
    pub(super) fn exists(&self, node: &Node<'_>) -> std::result::Result<bool, Stop> {
        let is_surely = |object: &Object| match object.what {
            What::Calls => true,
            What::Interface { .. } => false,
            What::Manager | What::Enumerator(_) => !node.is_above,
        };
        if node.here().any(is_surely) {
            return Ok(true);
        }
        for object in node.here() {
            if self.find(object)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A slot, if it has not gone.
    pub(super) fn slot(&self, number: u64) -> Result<Option<Shared<Slot>>> {
        let state = self.bus.enter()?;
        let registered = state.slots.get(&number);
        Ok(registered.and_then(|registered| registered.slot.upgrade()))
    }

    /// Sees that what was found has not gone, after a callback.
    pub(super) fn is_there(&self, one: &Found) -> std::result::Result<(), Stop> {
        self.slot(one.slot)?.map(drop).ok_or(Stop::Gone)
    }

    /// What an object has for this path, if it has anything.
    pub(super) fn find(&self, object: &Object) -> std::result::Result<Option<Found>, Stop> {
        let What::Interface { name, vtable, .. } = &object.what else {
            return Ok(None);
        };
        let found = |(_, userdata)| Found {
            name: Arc::clone(name),
            vtable: Shared::clone(vtable),
            slot: object.slot,
            userdata,
        };
        Ok(self.find_held(object)?.map(found))
    }

    /// Its slot, and what the functions of its vtable are given, if it has anything for this path.
    fn find_held(&self, object: &Object) -> std::result::Result<Option<Held>, Stop> {
        let What::Interface { name, find, .. } = &object.what else {
            return Ok(None);
        };
        let Some(mut slot) = self.slot(object.slot)? else {
            return Ok(None);
        };
        let (_, mut userdata) = slot.callback()?;
        if let Some(find) = find {
            let before = self.bus.enter()?.objects.changes();
            let mut place = userdata;
            let mut error = Error::NULL;
            self.begin(&slot, None, userdata)?;
            // SAFETY: C has given the function for this; all that is pointed to is here.
            let answer = unsafe {
                find(
                    Shared::as_ptr(self.bus),
                    self.path.as_ptr(),
                    name.as_ptr(),
                    userdata,
                    &raw mut place,
                    &raw mut error,
                )
            };
            self.end();
            drop(slot);
            Stop::check(answer, error)?;
            slot = self.slot(object.slot)?.ok_or(Stop::Gone)?;
            if answer == 0 {
                // It may have put there what is to be found.
                return match self.bus.enter()?.objects.changes() == before {
                    true => Ok(None),
                    false => Err(Stop::Gone),
                };
            }
            userdata = place;
        }
        Ok(Some((slot, userdata)))
    }

    /// Answers with an error by its name.
    pub(super) fn refuse(&self, name: &[u8], text: &str) -> Result<()> {
        if !self.wants_reply {
            return Ok(());
        }
        let answer = method_error(self.message, name, Some(text.as_bytes()))?;
        send(&answer.bus, &answer, false).map(drop)
    }

    /// Answers that an object has no such member.
    fn unknown(&self) -> Result<()> {
        if let Some((interface, name)) = self.property_name()? {
            let text = format!(
                "Unknown interface {} or property {}.",
                interface.to_string_lossy(),
                name.to_string_lossy()
            );
            return self.refuse(b"org.freedesktop.DBus.Error.UnknownProperty", &text);
        }
        let text = format!(
            "Unknown method {} or interface {}.",
            String::from_utf8_lossy(self.member),
            self.interface.to_string_lossy()
        );
        self.refuse(b"org.freedesktop.DBus.Error.UnknownMethod", &text)
    }

    /// Sends an answer without values.
    pub(super) fn done(&self) -> Result<()> {
        if !self.wants_reply {
            return Ok(());
        }
        let answer = method_return(self.message)?;
        send(&answer.bus, &answer, false).map(drop)
    }

    /// Sends an answer that has been written.
    pub(super) fn finish(&self, answer: &Message) -> Result<()> {
        match self.wants_reply {
            true => send(self.bus, answer, false).map(drop),
            false => Ok(()),
        }
    }

    fn rewind(&self) -> Result<()> {
        self.message.enter()?.content.reader()?.0.rewind(true);
        Ok(())
    }

    /// Whether the caller may: all on a bus that is trusted and for what is marked so, else root and the user this process is.
    pub(super) fn is_allowed(&self, flags: u64) -> Result<bool> {
        Ok(flags & UNPRIVILEGED != 0 || self.bus.enter()?.trusted || is_privileged(self.message)?)
    }

    pub(super) fn denied(&self, interface: &CStr, member: &CStr) -> Result<()> {
        let text = format!(
            "Access to {}.{}() not permitted.",
            interface.to_string_lossy(),
            member.to_string_lossy()
        );
        self.refuse(b"org.freedesktop.DBus.Error.AccessDenied", &text)
    }

    /// Calls a method of an interface that is here. A call without an interface is for any that has the member.
    fn method(&self, node: &Node<'_>, asked: &mut Asked) -> std::result::Result<bool, Stop> {
        for object in node.here() {
            let What::Interface { name, vtable, .. } = &object.what else {
                continue;
            };
            if !self.interface.is_empty() && **name != *self.interface {
                continue;
            }
            let Some(method) = vtable.method(self.member) else {
                continue;
            };
            let Some(held) = self.find_held(object)? else {
                continue;
            };
            asked.exists = true;
            self.invoke(name, held, method)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn invoke(
        &self,
        interface: &CStr,
        (slot, userdata): Held,
        method: &Method,
    ) -> std::result::Result<(), Stop> {
        if method.flags & SENSITIVE != 0 {
            self.message.set_sensitive()?;
        }
        if !self.is_allowed(method.flags)? {
            return Ok(self.denied(interface, &method.name)?);
        }
        let mut own = self.message.enter()?;
        own.content.expect_answer(&method.result);
        drop(own);
        let given = self.types;
        if given != method.signature.to_bytes() {
            let text = format!(
                "Invalid arguments '{}' to call {}.{}(), expecting '{}'.",
                String::from_utf8_lossy(given),
                self.interface.to_string_lossy(),
                String::from_utf8_lossy(self.member),
                method.signature.to_string_lossy()
            );
            return Ok(self.refuse(b"org.freedesktop.DBus.Error.InvalidArgs", &text)?);
        }
        let Some(handler) = method.handler else {
            // Done, without anything to do.
            return Ok(self.done()?);
        };
        let userdata = method.userdata(userdata);
        let mut error = Error::NULL;
        self.begin(&slot, Some(handler), userdata)?;
        // SAFETY: C has given both for this; the message is there until it returns.
        let answer = unsafe { handler(Shared::as_ptr(self.message), userdata, &raw mut error) };
        self.end();
        Stop::check(answer, error)
    }

    pub(super) fn begin(
        &self,
        slot: &Shared<Slot>,
        handler: Handler,
        userdata: *mut c_void,
    ) -> Result<()> {
        self.bus.enter()?.current.push(Current {
            message: Shared::as_ptr(self.message),
            slot: Shared::as_ptr(slot),
            handler,
            userdata,
        });
        Ok(())
    }

    pub(super) fn end(&self) {
        if let Some(mut state) = self.bus.enter_to_leave() {
            state.current.pop();
        }
    }
}
