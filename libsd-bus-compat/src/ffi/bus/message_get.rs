//! What a message says of itself.

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;

use dbus::Kind;
use dbus::message::{ALLOW_INTERACTIVE_AUTHORIZATION, Field, NO_AUTO_START, NO_REPLY_EXPECTED};

use super::error::Error;
use super::message::{Message, Own, errno, message, pointer, within};
use crate::bus::message::Message as Content;
use crate::ffi::boundary::whole;
use crate::ffi::pointer::{Out, optional_text, text};
use crate::{Errno, Result};

/// A text of the header, or null.
unsafe fn field(of: *const Message, field: Field) -> *const c_char {
    let get = || {
        // SAFETY: the contract of C.
        let own = unsafe { message(of) }?.enter()?;
        Ok::<_, Errno>(pointer(own.content.header().text(field)))
    };
    whole(get).and_then(Result::ok).unwrap_or(ptr::null())
}

macro_rules! fields {
    ($($function:ident => $field:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $function(of: *const Message) -> *const c_char {
            // SAFETY: the contract of C.
            unsafe { field(of, Field::$field) }
        }
    )* };
}

fields! {
    sd_bus_message_get_path => Path;
    sd_bus_message_get_interface => Interface;
    sd_bus_message_get_member => Member;
    sd_bus_message_get_destination => Destination;
    sd_bus_message_get_sender => Sender;
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_type(of: *const Message, to: *mut u8) -> c_int {
    let get = |own: &mut Own| {
        // SAFETY: the contract of C.
        unsafe { Out::required(to) }?.set(own.content.header().kind().code());
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_cookie(of: *const Message, to: *mut u64) -> c_int {
    let get = |own: &mut Own| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        match own.content.header().serial() {
            0 => Err(Errno::NODATA),
            serial => {
                to.set(serial.into());
                Ok(0)
            }
        }
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_reply_cookie(
    of: *const Message,
    to: *mut u64,
) -> c_int {
    let get = |own: &mut Own| {
        // SAFETY: the contract of C.
        let to = unsafe { Out::required(to) }?;
        let serial = own.content.header().reply_serial();
        to.set(serial.ok_or(Errno::NODATA)?.into());
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, get) }
}

/// Whether a flag is set.
unsafe fn flag(of: *const Message, flag: u8, calls_only: bool, wanted: bool) -> c_int {
    let get = |own: &mut Own| {
        let header = own.content.header();
        let counts = !calls_only || header.kind() == Kind::MethodCall;
        Ok(c_int::from(
            counts && (header.flags() & flag != 0) == wanted,
        ))
    };
    // SAFETY: the caller's promise.
    unsafe { within(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_expect_reply(of: *const Message) -> c_int {
    // SAFETY: the contract of C.
    unsafe { flag(of, NO_REPLY_EXPECTED, true, false) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_auto_start(of: *const Message) -> c_int {
    // SAFETY: the contract of C.
    unsafe { flag(of, NO_AUTO_START, false, false) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_allow_interactive_authorization(
    of: *const Message,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { flag(of, ALLOW_INTERACTIVE_AUTHORIZATION, true, true) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_set_expect_reply(of: *const Message, on: c_int) -> c_int {
    let set = |own: &mut Own| {
        let builder = own.builder()?;
        builder.set_expect_reply(on != 0).map_err(errno)?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_set_auto_start(of: *const Message, on: c_int) -> c_int {
    let set = |own: &mut Own| {
        own.builder()?.set_auto_start(on != 0).map_err(errno)?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_set_allow_interactive_authorization(
    of: *const Message,
    on: c_int,
) -> c_int {
    let set = |own: &mut Own| {
        let builder = own.builder()?;
        builder
            .set_allow_interactive_authorization(on != 0)
            .map_err(errno)?;
        Ok(0)
    };
    // SAFETY: the contract of C.
    unsafe { within(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_set_destination(
    of: *const Message,
    name: *const c_char,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { set(of, Field::Destination, name) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_set_sender(
    of: *const Message,
    name: *const c_char,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { set(of, Field::Sender, name) }
}

unsafe fn set(of: *const Message, field: Field, name: *const c_char) -> c_int {
    let set = |own: &mut Own| {
        // SAFETY: the caller's promise.
        let name = unsafe { text(name) }?.to_bytes();
        own.builder()?.set(field, name).map_err(errno)?;
        Ok(0)
    };
    // SAFETY: the caller's promise.
    unsafe { within(of, set) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_signature(
    of: *const Message,
    complete: c_int,
) -> *const c_char {
    let get = || {
        // SAFETY: the contract of C.
        let mut own = unsafe { message(of) }?.enter()?;
        let own = &mut *own;
        let (depth, types) = match &own.content {
            Content::Open { builder, .. } if complete != 0 => (0, builder.signature()),
            Content::Open { builder, .. } => (builder.depth(), builder.open_signature()),
            Content::Complete { sealed, .. } if complete != 0 => (0, sealed.message().signature()),
            Content::Complete { sealed, cursor, .. } => {
                (cursor.depth(), cursor.signature(sealed.message()))
            }
        };
        if own.signatures.len() <= depth {
            own.signatures.resize_with(depth + 1, CString::default);
        }
        let place = own.signatures.get_mut(depth).ok_or(Errno::NOMEM)?;
        if place.as_bytes() != types {
            *place = CString::new(types).map_err(|_| Errno::BADMSG)?;
        }
        Ok::<_, Errno>(place.as_ptr())
    };
    whole(get).and_then(Result::ok).unwrap_or(ptr::null())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_has_signature(
    of: *const Message,
    signature: *const c_char,
) -> c_int {
    let has = |own: &mut Own| {
        // SAFETY: the contract of C.
        let wanted = unsafe { optional_text(signature) }.unwrap_or_default();
        let own = match &own.content {
            Content::Open { builder, .. } => builder.signature(),
            Content::Complete { sealed, .. } => sealed.message().signature(),
        };
        Ok(c_int::from(own == wanted.to_bytes()))
    };
    // SAFETY: the contract of C.
    unsafe { within(of, has) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_is_empty(of: *const Message) -> c_int {
    // SAFETY: the contract of C.
    unsafe { sd_bus_message_has_signature(of, ptr::null()) }
}

/// Whether it is of a kind, and its fields are these where they are given.
unsafe fn is(of: *const Message, kind: Kind, fields: [(Field, *const c_char); 2]) -> c_int {
    let is = |own: &mut Own| {
        let header = own.content.header();
        let fits = fields.iter().all(|(field, wanted)| {
            // SAFETY: the caller's promise.
            let wanted: Option<&CStr> = unsafe { optional_text(*wanted) };
            wanted.is_none() || wanted == header.text(*field)
        });
        Ok(c_int::from(header.kind() == kind && fits))
    };
    // SAFETY: the caller's promise.
    unsafe { within(of, is) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_is_signal(
    of: *const Message,
    interface: *const c_char,
    member: *const c_char,
) -> c_int {
    let fields = [(Field::Interface, interface), (Field::Member, member)];
    // SAFETY: the contract of C.
    unsafe { is(of, Kind::Signal, fields) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_is_method_call(
    of: *const Message,
    interface: *const c_char,
    member: *const c_char,
) -> c_int {
    let fields = [(Field::Interface, interface), (Field::Member, member)];
    // SAFETY: the contract of C.
    unsafe { is(of, Kind::MethodCall, fields) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_is_method_error(
    of: *const Message,
    name: *const c_char,
) -> c_int {
    let fields = [(Field::ErrorName, name), (Field::ErrorName, ptr::null())];
    // SAFETY: the contract of C.
    unsafe { is(of, Kind::Error, fields) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_error(of: *const Message) -> *const Error {
    let get = || {
        // SAFETY: the contract of C.
        let mut own = unsafe { message(of) }?.enter()?;
        let error = own.error()?;
        match error.name() {
            Some(_) => Ok(ptr::from_ref(error)),
            None => Err(Errno::NODATA),
        }
    };
    whole(get).and_then(Result::ok).unwrap_or(ptr::null())
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_errno(of: *const Message) -> c_int {
    // SAFETY: the contract of C.
    match unsafe { within(of, |own| own.error().map(Error::number)) } {
        // What is no error is 0, and so what answers this is a positive number, whatever is wrong.
        number @ 0.. => number,
        errno => -errno,
    }
}

/// Nobody tells when a message came, or the how manieth it was: that was kdbus.
unsafe fn untold(of: *const Message, to: *mut u64) -> c_int {
    let get = |_: &mut Own| {
        // SAFETY: the caller's promise.
        unsafe { Out::required(to) }?;
        Err(Errno::NODATA)
    };
    // SAFETY: the caller's promise.
    unsafe { within(of, get) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_monotonic_usec(
    of: *const Message,
    to: *mut u64,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { untold(of, to) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_realtime_usec(
    of: *const Message,
    to: *mut u64,
) -> c_int {
    // SAFETY: the contract of C.
    unsafe { untold(of, to) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_message_get_seqnum(of: *const Message, to: *mut u64) -> c_int {
    // SAFETY: the contract of C.
    unsafe { untold(of, to) }
}
