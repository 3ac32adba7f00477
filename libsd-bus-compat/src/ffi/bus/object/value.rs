//! Values of properties: as a program's functions have them, or as they lie in memory.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use dbus::types;

use super::dispatch::{Call, Found, Stop};
use crate::ffi::bus::error::Error;
use crate::ffi::bus::message::Message;
use crate::ffi::bus::message_append::{sd_bus_message_append_basic, sd_bus_message_append_strv};
use crate::ffi::bus::message_read::sd_bus_message_read_basic;
use crate::ffi::bus::vtable::{Property, SENSITIVE};
use crate::ffi::memory::Text;
use crate::ffi::pointer::optional_text;
use crate::ffi::shared::Shared;

impl Call<'_> {
    /// Appends the value of a property, in a variant: by the program's function, or as it lies in memory.
    pub(super) fn append(
        &self,
        one: &Found,
        property: &Property,
        to: &Shared<Message>,
    ) -> std::result::Result<(), Stop> {
        let slot = self.slot(one.slot)?.ok_or(Stop::Gone)?;
        if property.flags & SENSITIVE != 0 {
            to.set_sensitive()?;
        }
        to.open_container(types::VARIANT, property.signature.to_bytes())?;
        self.begin(&slot, None, one.userdata)?;
        let userdata = property.userdata(one.userdata);
        let mut error = Error::NULL;
        let answer = match property.get {
            // SAFETY: C has given the function for this; all that is pointed to is here.
            Some(get) => unsafe {
                get(
                    Shared::as_ptr(self.bus),
                    self.path.as_ptr(),
                    one.name.as_ptr(),
                    property.name.as_ptr(),
                    Shared::as_ptr(to),
                    userdata,
                    &raw mut error,
                )
            },
            // SAFETY: by the table a value of this type is there.
            None => unsafe { load(to, property, userdata) },
        };
        self.end();
        Stop::check(answer, error)?;
        to.close_container()?;
        // What goes with the slot may be the object that is asked next.
        drop(slot);
        self.is_there(one)
    }
}

/// Appends a value as it lies in memory.
unsafe fn load(to: &Shared<Message>, property: &Property, place: *mut c_void) -> c_int {
    let to = Shared::as_ptr(to);
    match property.signature.to_bytes() {
        b"as" => {
            // SAFETY: the caller's promise.
            let list = unsafe { place.cast::<*const *const c_char>().read() };
            // SAFETY: the caller's promise.
            unsafe { sd_bus_message_append_strv(to, list) }
        }
        [code @ (types::STRING | types::OBJECT_PATH | types::SIGNATURE)] => {
            // SAFETY: the caller's promise.
            let text = unsafe { place.cast::<*const c_void>().read() };
            let code = code.cast_signed();
            // SAFETY: the caller's promise.
            unsafe { sd_bus_message_append_basic(to, code, text) }
        }
        [code] => {
            let code = code.cast_signed();
            // SAFETY: the caller's promise.
            unsafe { sd_bus_message_append_basic(to, code, place) }
        }
        _ => -libc::EINVAL,
    }
}

/// Reads a value to where it lies in memory.
pub(super) unsafe fn store(
    from: &Shared<Message>,
    property: &Property,
    place: *mut c_void,
) -> c_int {
    let from = Shared::as_ptr(from);
    match property.signature.to_bytes() {
        [code @ (types::STRING | types::OBJECT_PATH | types::SIGNATURE)] => {
            let mut text: *const c_char = ptr::null();
            let to = (&raw mut text).cast();
            // SAFETY: the place is of this type.
            let read = unsafe { sd_bus_message_read_basic(from, code.cast_signed(), to) };
            // SAFETY: it is the message's.
            let text = unsafe { optional_text(text) };
            let copy = text.map(|text| Text::new(text.to_bytes()));
            match copy {
                Some(Ok(copy)) if read > 0 => {
                    let place = place.cast::<*mut c_char>();
                    // SAFETY: the caller's promise: what is there is of malloc, or null.
                    let before = unsafe { place.replace(copy.into_raw()) };
                    // SAFETY: likewise.
                    unsafe { libc::free(before.cast()) };
                    read
                }
                Some(Err(errno)) => -errno.raw_os_error(),
                _ => read,
            }
        }
        [code] => {
            // SAFETY: the caller's promise.
            unsafe { sd_bus_message_read_basic(from, code.cast_signed(), place) }
        }
        _ => -libc::EINVAL,
    }
}
