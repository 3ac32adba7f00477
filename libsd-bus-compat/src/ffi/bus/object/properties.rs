//! org.freedesktop.DBus.Properties.

use std::ffi::{CStr, CString, c_int};

use dbus::{Basic, types};

use super::What;
use super::dispatch::{Asked, Call, Found, Node, Stop};
use super::value::store;
use crate::Result;
use crate::ffi::bus::error::Error;
use crate::ffi::bus::message::{Message, errno};
use crate::ffi::bus::message_new::method_return;
use crate::ffi::bus::vtable::{HIDDEN, PROPERTY_EXPLICIT, Property, SENSITIVE};
use crate::ffi::shared::Shared;

const INVALID_ARGS: &[u8] = b"org.freedesktop.DBus.Error.InvalidArgs";

impl Call<'_> {
    /// The next argument, if it is a text.
    fn text(&self) -> Result<Option<CString>> {
        let mut own = self.message.enter()?;
        let (cursor, sealed) = own.content.reader()?;
        match cursor.read_basic(sealed.message(), types::STRING) {
            Ok(Some(Basic::String(text))) => Ok(Some(text.to_owned())),
            _ => Ok(None),
        }
    }

    /// The property that a call is for, if it is for one.
    pub(super) fn property_name(&self) -> Result<Option<(CString, CString)>> {
        let is_properties = self.interface.to_bytes() == b"org.freedesktop.DBus.Properties";
        if !is_properties || !matches!(self.member, b"Get" | b"Set") {
            return Ok(None);
        }
        self.message.enter()?.content.reader()?.0.rewind(true);
        Ok(self.text()?.zip(self.text()?))
    }

    /// Get and Set of a property that is here.
    pub(super) fn property(
        &self,
        node: &Node<'_>,
        asked: &mut Asked,
    ) -> std::result::Result<bool, Stop> {
        let Some((interface, name)) = self.property_name()? else {
            self.refuse(INVALID_ARGS, "Expected interface and member parameters")?;
            return Ok(true);
        };
        for object in node.here() {
            let What::Interface {
                name: own, vtable, ..
            } = &object.what
            else {
                continue;
            };
            if **own != *interface {
                continue;
            }
            let Some(property) = vtable.property(name.to_bytes()) else {
                continue;
            };
            let Some(one) = self.find(object)? else {
                continue;
            };
            asked.exists = true;
            if property.flags & SENSITIVE != 0 {
                self.message.set_sensitive()?;
            }
            match self.member {
                b"Get" => self.get(&one, property)?,
                _ => self.set(&one, property)?,
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn get(&self, one: &Found, property: &Property) -> std::result::Result<(), Stop> {
        let answer = method_return(self.message)?;
        self.append(one, property, &answer)?;
        Ok(self.finish(&answer)?)
    }

    /// GetAll of the interfaces that are here.
    pub(super) fn get_all(
        &self,
        node: &Node<'_>,
        asked: &mut Asked,
    ) -> std::result::Result<bool, Stop> {
        let Some(interface) = self.text()? else {
            self.refuse(INVALID_ARGS, "Expected interface parameter")?;
            return Ok(true);
        };
        let answer = method_return(self.message)?;
        answer.open_container(types::ARRAY, b"{sv}")?;
        // Those that every object has are without properties.
        let mut is_known = interface.is_empty() || super::OWN.contains(&interface.as_c_str());
        for object in node.here() {
            let Some(one) = self.find(object)? else {
                continue;
            };
            asked.exists = true;
            if interface.is_empty() || *one.name == *interface {
                is_known = true;
                self.append_all(&one, &answer, HIDDEN | PROPERTY_EXPLICIT)?;
            }
        }
        if !asked.exists {
            return Ok(false);
        }
        if is_known {
            answer.close_container()?;
            self.finish(&answer)?;
        } else {
            let text = format!("Unknown interface '{}'.", interface.to_string_lossy());
            self.refuse(b"org.freedesktop.DBus.Error.UnknownInterface", &text)?;
        }
        Ok(true)
    }

    /// Appends the properties of an interface to an array of them, but for those with one of these flags; of one that is hidden, none.
    pub(super) fn append_all(
        &self,
        one: &Found,
        to: &Shared<Message>,
        skipped: u64,
    ) -> std::result::Result<(), Stop> {
        for property in &one.vtable.properties {
            if (property.flags & skipped) | (one.vtable.flags & HIDDEN) != 0 {
                continue;
            }
            to.open_container(types::DICT_ENTRY, b"sv")?;
            to.append_text(&property.name)?;
            self.append(one, property, to)?;
            to.close_container()?;
        }
        Ok(())
    }

    fn set(&self, one: &Found, property: &Property) -> std::result::Result<(), Stop> {
        let name = property.name.to_string_lossy();
        if !property.is_writable {
            let text = format!("Property '{name}' is not writable.");
            return Ok(self.refuse(b"org.freedesktop.DBus.Error.PropertyReadOnly", &text)?);
        }
        if !self.is_allowed(property.flags)? {
            return Ok(self.denied(&one.name, &property.name)?);
        }
        let (code, types) = self.next_type()?;
        if code != Some(types::VARIANT) {
            let got = code.map(char::from).map(String::from).unwrap_or_default();
            let text = format!(
                "Incorrect signature when setting property '{name}', expected 'v', got '{got}'."
            );
            return Ok(self.refuse(b"org.freedesktop.DBus.Error.InvalidSignature", &text)?);
        }
        if types != property.signature.to_bytes() {
            let text = format!(
                "Incorrect parameters for property '{name}', expected '{}', got '{}'.",
                property.signature.to_string_lossy(),
                String::from_utf8_lossy(&types)
            );
            return Ok(self.refuse(INVALID_ARGS, &text)?);
        }
        {
            let mut own = self.message.enter()?;
            let (cursor, sealed) = own.content.reader()?;
            let entered = cursor.enter_container(sealed.message(), types::VARIANT, Some(&types));
            entered.map_err(errno)?;
        }
        self.call_set(one, property)?;
        Ok(self.done()?)
    }

    fn call_set(&self, one: &Found, property: &Property) -> std::result::Result<(), Stop> {
        let slot = self.slot(one.slot)?.ok_or(Stop::Gone)?;
        self.begin(&slot, None, one.userdata)?;
        let userdata = property.userdata(one.userdata);
        let mut error = Error::NULL;
        let answer: c_int = match property.set {
            // SAFETY: C has given the function for this; all that is pointed to is here.
            Some(set) => unsafe {
                set(
                    Shared::as_ptr(self.bus),
                    self.path.as_ptr(),
                    one.name.as_ptr(),
                    property.name.as_ptr(),
                    Shared::as_ptr(self.message),
                    userdata,
                    &raw mut error,
                )
            },
            // SAFETY: by the table a value of this type is there.
            None => unsafe { store(self.message, property, userdata) },
        };
        self.end();
        Stop::check(answer, error)
    }

    /// The type that comes next, and what it holds.
    fn next_type(&self) -> Result<(Option<u8>, Vec<u8>)> {
        let mut own = self.message.enter()?;
        let (cursor, sealed) = own.content.reader()?;
        let next = cursor.peek_type(sealed.message()).map_err(errno)?;
        Ok(match next {
            Some((code, contents)) => (Some(code), contents.to_vec()),
            None => (None, Vec::new()),
        })
    }
}

/// Appending, a call at a time: what a program's functions append comes between.
impl Message {
    pub(super) fn open_container(&self, code: u8, contents: &[u8]) -> Result<()> {
        let mut own = self.enter()?;
        own.builder()?.open_container(code, contents).map_err(errno)
    }

    pub(super) fn close_container(&self) -> Result<()> {
        self.enter()?.builder()?.close_container().map_err(errno)
    }

    pub(super) fn append_path(&self, path: &CStr) -> Result<()> {
        self.enter()?.content.append_basic(Basic::ObjectPath(path))
    }

    pub(super) fn append_text(&self, text: &CStr) -> Result<()> {
        self.enter()?.content.append_basic(Basic::String(text))
    }
}
