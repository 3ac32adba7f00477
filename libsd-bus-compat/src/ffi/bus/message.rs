//! `sd_bus_message`: the object.

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;
use std::sync::OnceLock;

use dbus::message::Field;
use dbus::{Basic, Builder, Kind};

use super::connection::Bus;
use super::creds::Creds;
use super::error::Error;
use crate::bus;
use crate::bus::message::{MADE_UP, Message as Content, Sealed};
use crate::ffi::boundary::{entry, whole};
use crate::ffi::exclusive::{Exclusive, Inside};
use crate::ffi::pointer::Out;
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// `sd_bus_message`
#[derive(Debug)]
pub struct Message {
    pub bus: Shared<Bus>,
    inside: Exclusive<Own>,
    is_received: bool,
    /// What C was told of the sender.
    creds: OnceLock<Option<Shared<Creds>>>,
}

/// What is in it.
#[derive(Debug)]
pub struct Own {
    pub content: Content,
    /// Until when an answer is waited for, if the message was sealed with a timeout.
    pub timeout: u64,
    /// What C was told of types, by how deep the reader was: it is valid until the reader is told anew there.
    pub peeked: Vec<CString>,
    /// What C was told of signatures, of the whole and by how deep the container was: the outer ones stay valid.
    pub signatures: Vec<CString>,
    /// What C was told of the error. It stays where it is, as the object does.
    pub error: Error,
}

// SAFETY: the pointers in the error are to what is in the same object.
unsafe impl Send for Own {}

impl Message {
    /// One to append to.
    pub fn new(bus: Shared<Bus>, builder: Builder) -> Shared<Self> {
        Shared::new(Self::of(bus, Content::open(builder), false))
    }

    /// The same, of which `begin` says the first.
    pub fn begun(
        bus: Shared<Bus>,
        kind: Kind,
        begin: impl FnOnce(&mut Content) -> Result<()>,
    ) -> Result<Shared<Self>> {
        let make = || Self::of(bus, Content::open(Builder::of(kind)), false);
        Shared::filled(make, |own| begin(&mut own.inside.get_mut().content))
    }

    #[inline(always)]
    fn of(bus: Shared<Bus>, content: Content, is_received: bool) -> Self {
        Self {
            bus,
            is_received,
            creds: OnceLock::new(),
            inside: Exclusive::new(Own {
                content,
                timeout: 0,
                peeked: Vec::new(),
                signatures: Vec::new(),
                error: Error::NULL,
            }),
        }
    }

    /// One that was received.
    pub fn received(bus: &Shared<Bus>, sealed: Sealed) -> Shared<Self> {
        let make = || Self::of(Shared::clone(bus), Content::complete(sealed), true);
        Shared::made(make)
    }

    /// What is known of the sender by the message alone.
    pub fn creds(&self) -> Result<Option<Shared<Creds>>> {
        if let Some(known) = self.creds.get() {
            return Ok(known.clone());
        }
        let found = match self.sender()? {
            Some((sender, is_made_up)) => {
                let state = self.bus.enter()?;
                let is_asked = state.connection.is_client || is_made_up;
                let wanted = if is_asked { state.creds_mask } else { 0 };
                Creds::of_sender(&sender, is_made_up, wanted)
            }
            None => None,
        };
        Ok(self.creds.get_or_init(|| found).clone())
    }

    /// Who has sent it, if it was received; and whether it was made up here.
    fn sender(&self) -> Result<Option<(CString, bool)>> {
        let own = self.enter()?;
        let header = own.content.header();
        let sender = header.text(Field::Sender).filter(|_| self.is_received);
        Ok(sender.map(|sender| (sender.to_owned(), header.serial() == MADE_UP)))
    }

    pub fn enter(&self) -> Result<Inside<'_, Own>> {
        self.inside.enter()
    }

    /// Has nothing of it left in memory in the end, nor of its answer.
    pub fn set_sensitive(&self) -> Result<()> {
        self.enter()?.content.set_sensitive();
        // One that was received was copied, perhaps, out of what was read.
        if let Some(mut state) = self.bus.enter_to_leave() {
            state.connection.leave_nothing();
        }
        Ok(())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.error.clear();
    }
}

impl Own {
    /// The error that it is; nothing is set if it is none.
    pub fn error(&mut self) -> Result<&Error> {
        if self.error.is_dirty() || self.content.header().kind() != Kind::Error {
            return Ok(&self.error);
        }
        let name = self.content.header().text(dbus::message::Field::ErrorName);
        // One that is being written may not have it yet.
        let Some(name) = name else {
            return Ok(&self.error);
        };
        let text = match &self.content {
            Content::Complete { sealed, .. } => text_of(sealed.message()),
            Content::Open { .. } => None,
        };
        self.error = Error::owned(name, text)?;
        Ok(&self.error)
    }

    /// Appends to it.
    pub fn builder(&mut self) -> Result<&mut Builder> {
        self.content.builder()
    }
}

/// The text that an error brings, if it brings one.
fn text_of(message: &dbus::Message) -> Option<&CStr> {
    match message.cursor().read_basic(message, dbus::types::STRING) {
        Ok(Some(Basic::String(text))) => Some(text),
        _ => None,
    }
}

/// A message that C names.
///
/// # Safety
/// The pointer is null or of [`Shared::into_raw`], and the object is there while the answer is used.
pub unsafe fn message<'a>(message: *const Message) -> Result<&'a Message> {
    // SAFETY: the caller's promise.
    unsafe { message.as_ref() }.ok_or(Errno::INVAL)
}

/// Does something inside.
///
/// # Safety
/// As [`message`].
pub unsafe fn within(of: *const Message, act: impl FnOnce(&mut Own) -> Result<c_int>) -> c_int {
    entry(|| {
        // SAFETY: the caller's promise.
        let message = unsafe { message(of) }?;
        act(&mut *message.enter()?)
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_ref(of: *const Message) -> *const Message {
    if !of.is_null() {
        // SAFETY: the contract of C.
        unsafe { Shared::increment_strong_count(of) };
    }
    of
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_unref(of: *const Message) -> *const Message {
    whole(|| {
        if !of.is_null() {
            // SAFETY: C gives back what it had.
            drop(unsafe { Shared::from_raw(of) });
        }
    });
    ptr::null()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_bus(of: *const Message) -> *const Bus {
    // SAFETY: the contract of C.
    let message = unsafe { message(of) };
    message.map_or(ptr::null(), |message| Shared::as_ptr(&message.bus))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_seal(of: *const Message, cookie: u64, usec: u64) -> c_int {
    let seal = |own: &mut Own| {
        own.builder()?;
        let serial = u32::try_from(cookie).map_err(|_| Errno::OPNOTSUPP)?;
        own.content.seal(serial)?;
        own.timeout = usec;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, seal) }
}

/// The number that C knows of an error of `dbus`.
pub fn errno(error: dbus::Error) -> Errno {
    bus::errno(error)
}

/// Text for C that may not be there.
pub fn pointer(text: Option<&CStr>) -> *const c_char {
    text.map_or(ptr::null(), CStr::as_ptr)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_sensitive(of: *const Message) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        unsafe { message(of) }?.set_sensitive()?;
        Ok(0)
    })
}

/// There are no priorities: kdbus had them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_priority(of: *const Message, to: *mut i64) -> c_int {
    let get = |_: &mut Own| {
        // SAFETY: the contract of C.
        unsafe { Out::required(to) }?.set(0);
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_set_priority(of: *const Message, priority: i64) -> c_int {
    let _ = priority;
    // SAFETY: the contract of C.
    unsafe { within(of, |own: &mut Own| own.builder().map(|_| 0)) }
}
