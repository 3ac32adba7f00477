//! Objects: sd_bus_add_object(3), sd_bus_add_object_vtable(3).

mod changes;
mod value;

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::Arc;

use dbus::message::{Field, NO_REPLY_EXPECTED};
use dbus::{Basic, Builder, Kind as MessageKind, types};

use self::value::{append_value, store};
use super::call::send;
use super::connection::{Bus, Current, shared};
use super::dispatch::{answer_error, call_slot};
use super::error::Error;
use super::identity::is_privileged;
use super::message::{Message, errno};
use super::message_new::reply;
use super::slot::{Handler, Kind, Slot};
use super::vtable::{PROPERTY_EXPLICIT, Property, UNPRIVILEGED, Vtable};
use crate::bus::message::Message as Content;
use crate::ffi::boundary::entry;
use crate::ffi::pointer::{Out, text};
use crate::{Errno, Result};

/// `sd_bus_object_find_t`
pub type Find = Option<
    unsafe extern "C" fn(
        *const Bus,
        *const c_char,
        *const c_char,
        *mut c_void,
        *mut *mut c_void,
        *mut Error,
    ) -> c_int,
>;

/// What a slot has at a path.
#[derive(Clone, Debug)]
pub struct Object {
    pub slot: u64,
    path: CString,
    /// Whether it is there for all paths below, too.
    is_fallback: bool,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// All calls.
    Calls,
    /// An interface.
    Interface {
        name: CString,
        vtable: Arc<Vtable>,
        find: Find,
    },
}

/// The interfaces that every object has.
const OWN: [&[u8]; 4] = [
    b"org.freedesktop.DBus.Peer",
    b"org.freedesktop.DBus.Introspectable",
    b"org.freedesktop.DBus.Properties",
    b"org.freedesktop.DBus.ObjectManager",
];

unsafe fn add(
    of: *const Bus,
    to: *mut *const Slot,
    path: *const c_char,
    callback: (Handler, *mut c_void),
    is_fallback: bool,
    what: What,
) -> Result<c_int> {
    // SAFETY: the caller's promise.
    let bus = unsafe { shared(of) }?;
    // SAFETY: the caller's promise.
    let path = unsafe { text(path) }?;
    // SAFETY: the caller's promise.
    let to = unsafe { Out::optional(to) };
    if !dbus::path::is_valid(path.to_bytes()) {
        return Err(Errno::INVAL);
    }
    let mut state = bus.enter()?;
    if let What::Interface { name, vtable, .. } = &what {
        if !dbus::name::is_interface(name.to_bytes()) || OWN.contains(&name.to_bytes()) {
            return Err(Errno::INVAL);
        }
        // An interface may be added in parts, but no member of it twice; and only ordinary ones, or only for all below.
        for known in state.objects.iter().filter(|known| *known.path == *path) {
            let What::Interface {
                name: other,
                vtable: there,
                ..
            } = &known.what
            else {
                continue;
            };
            if known.is_fallback != is_fallback {
                return Err(Errno::PROTOTYPE);
            }
            let twice = |name: &CString| there.method(name.to_bytes()).is_some();
            let twice_too = |name: &CString| there.property(name.to_bytes()).is_some();
            if other == name
                && (vtable.methods.iter().any(|method| twice(&method.name))
                    || vtable
                        .properties
                        .iter()
                        .any(|property| twice_too(&property.name)))
            {
                return Err(Errno::EXIST);
            }
        }
    }
    let slot = Slot::add(&bus, &mut state, Kind::Object, callback, to.is_none());
    state.objects.push(Object {
        slot: slot.number,
        path: path.to_owned(),
        is_fallback,
        what,
    });
    drop(state);
    if let Some(to) = to {
        to.set(Arc::into_raw(slot));
    }
    Ok(0)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_object(
    of: *const Bus,
    to: *mut *const Slot,
    path: *const c_char,
    handler: Handler,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        handler.ok_or(Errno::INVAL)?;
        // SAFETY: the contract of C.
        unsafe { add(of, to, path, (handler, userdata), false, What::Calls) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_fallback(
    of: *const Bus,
    to: *mut *const Slot,
    prefix: *const c_char,
    handler: Handler,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        handler.ok_or(Errno::INVAL)?;
        // SAFETY: the contract of C.
        unsafe { add(of, to, prefix, (handler, userdata), true, What::Calls) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_object_vtable(
    of: *const Bus,
    to: *mut *const Slot,
    path: *const c_char,
    interface: *const c_char,
    vtable: *const c_void,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        let what = What::Interface {
            // SAFETY: the contract of C.
            name: unsafe { text(interface) }?.to_owned(),
            // SAFETY: the contract of C.
            vtable: Arc::new(unsafe { Vtable::read(vtable) }?),
            find: None,
        };
        // SAFETY: the contract of C.
        unsafe { add(of, to, path, (None, userdata), false, what) }
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_add_fallback_vtable(
    of: *const Bus,
    to: *mut *const Slot,
    prefix: *const c_char,
    interface: *const c_char,
    vtable: *const c_void,
    find: Find,
    userdata: *mut c_void,
) -> c_int {
    entry(|| {
        let what = What::Interface {
            // SAFETY: the contract of C.
            name: unsafe { text(interface) }?.to_owned(),
            // SAFETY: the contract of C.
            vtable: Arc::new(unsafe { Vtable::read(vtable) }?),
            find,
        };
        // SAFETY: the contract of C.
        unsafe { add(of, to, prefix, (None, userdata), true, what) }
    })
}

/// A call, as objects look at it.
struct Call<'a> {
    bus: &'a Arc<Bus>,
    message: &'a Arc<Message>,
    path: CString,
    interface: CString,
    member: CString,
}

/// An interface that an object has, and what the object has for it.
struct Found {
    name: CString,
    vtable: Arc<Vtable>,
    slot: Arc<Slot>,
    userdata: *mut c_void,
}

/// Gives a call to the object it is for. False if it is none, or nobody's.
pub fn dispatch(bus: &Arc<Bus>, message: &Arc<Message>) -> Result<bool> {
    let call = {
        let own = message.enter()?;
        let header = own.content.header();
        if header.kind() != MessageKind::MethodCall {
            return Ok(false);
        }
        let text = |field| header.text(field).unwrap_or_default().to_owned();
        Call {
            bus,
            message,
            path: text(Field::Path),
            interface: text(Field::Interface),
            member: text(Field::Member),
        }
    };
    let objects = call.objects()?;
    if objects.is_empty() && call.children()?.is_empty() {
        return Ok(false);
    }
    for object in &objects {
        if let What::Calls = object.what
            && let Some(slot) = call.slot(object.slot)?
            && call_slot(bus, &slot, message)? != 0
        {
            return Ok(true);
        }
    }
    let mut found = Vec::new();
    for object in &objects {
        match call.find(object) {
            Ok(one) => found.extend(one),
            Err(failed) => return call.fail(failed).map(|()| true),
        }
    }
    let is_object = !found.is_empty()
        || objects
            .iter()
            .any(|object| matches!(object.what, What::Calls));
    match call.interface.to_bytes() {
        b"org.freedesktop.DBus.Peer" => Ok(false),
        b"org.freedesktop.DBus.Introspectable" if call.member.to_bytes() == b"Introspect" => {
            call.introspect(&found).map(|()| true)
        }
        b"org.freedesktop.DBus.Properties" if !found.is_empty() => {
            call.properties(&found).map(|()| true)
        }
        _ => call.method(&found, is_object),
    }
}

/// What a callback has failed with: a number, and perhaps more.
struct Failed(c_int, Error);

impl Call<'_> {
    /// What is at the path, and then what is for all below a path above, from the nearest.
    fn objects(&self) -> Result<Vec<Object>> {
        let state = self.bus.enter()?;
        let path = self.path.to_str().map_err(|_| Errno::BADMSG)?;
        let mut objects: Vec<Object> = Vec::new();
        // The newest is asked first.
        let here = state.objects.iter().rev();
        objects.extend(here.filter(|object| object.path == self.path).cloned());
        for above in dbus::path::ancestors(path) {
            let there =
                state.objects.iter().rev().filter(|object| {
                    object.is_fallback && object.path.to_bytes() == above.as_bytes()
                });
            objects.extend(there.cloned());
        }
        Ok(objects)
    }

    fn slot(&self, number: u64) -> Result<Option<Arc<Slot>>> {
        let state = self.bus.enter()?;
        let registered = state.slots.get(&number);
        Ok(registered.and_then(|registered| registered.slot.upgrade()))
    }

    /// What an object has for this path, if it has anything.
    fn find(&self, object: &Object) -> std::result::Result<Option<Found>, Failed> {
        let What::Interface { name, vtable, find } = &object.what else {
            return Ok(None);
        };
        let number = |errno: Errno| Failed(-errno.raw_os_error(), Error::NULL);
        let Some(slot) = self.slot(object.slot).map_err(number)? else {
            return Ok(None);
        };
        let (_, mut userdata) = slot.callback().map_err(number)?;
        if let Some(find) = find {
            let mut place = userdata;
            let mut error = Error::NULL;
            // SAFETY: C has given the function for this; all that is pointed to is here.
            let answer = unsafe {
                find(
                    Arc::as_ptr(self.bus),
                    self.path.as_ptr(),
                    name.as_ptr(),
                    userdata,
                    &raw mut place,
                    &raw mut error,
                )
            };
            if answer < 0 || error.name().is_some() {
                return Err(Failed(answer, error));
            }
            if answer == 0 {
                return Ok(None);
            }
            userdata = place;
        }
        Ok(Some(Found {
            name: name.clone(),
            vtable: Arc::clone(vtable),
            slot,
            userdata,
        }))
    }

    fn fail(&self, mut failed: Failed) -> Result<()> {
        let answered = answer_error(self.bus, self.message, failed.0, &failed.1);
        failed.1.clear();
        answered
    }

    /// Answers with an error by its name.
    fn refuse(&self, name: &[u8], text: &str) -> Result<()> {
        if !self.wants_reply()? {
            return Ok(());
        }
        let (bus, mut content) = reply(self.message, |call| Builder::method_error(call, name))?;
        let builder = content.builder()?;
        builder
            .append_text(types::STRING, text.as_bytes())
            .map_err(errno)?;
        send(&bus, &Message::new(Arc::clone(&bus), content), false).map(drop)
    }

    fn wants_reply(&self) -> Result<bool> {
        let own = self.message.enter()?;
        Ok(own.content.header().flags() & NO_REPLY_EXPECTED == 0)
    }

    /// Refuses a caller who may not: all may on a bus that is trusted and what is marked so; else root, and the user this process
    /// is. Whether it was refused.
    fn refused(&self, flags: u64, interface: &CStr, member: &CStr) -> Result<bool> {
        if flags & UNPRIVILEGED != 0 || self.bus.enter()?.trusted {
            return Ok(false);
        }
        match is_privileged(self.message) {
            Ok(true) => Ok(false),
            Ok(false) => self.denied(interface, member).map(|()| true),
            // A sender that is gone is not told, and the bus goes on.
            Err(errno) => {
                let failed = Failed(-errno.raw_os_error(), Error::NULL);
                self.fail(failed).map(|()| true)
            }
        }
    }

    fn denied(&self, interface: &CStr, member: &CStr) -> Result<()> {
        let text = format!(
            "Access to {}.{}() not permitted.",
            interface.to_string_lossy(),
            member.to_string_lossy()
        );
        self.refuse(b"org.freedesktop.DBus.Error.AccessDenied", &text)
    }

    fn method(&self, found: &[Found], is_object: bool) -> Result<bool> {
        let is_meant = |found: &&Found| self.interface.is_empty() || found.name == self.interface;
        for one in found.iter().filter(is_meant) {
            let Some(method) = one.vtable.method(self.member.to_bytes()) else {
                continue;
            };
            if self.refused(method.flags, &one.name, &method.name)? {
                return Ok(true);
            }
            let given = {
                let own = self.message.enter()?;
                own.content.sealed()?.message().signature().to_vec()
            };
            if given != method.signature.to_bytes() {
                let text = format!(
                    "Invalid arguments '{}' to call {}.{}(), expecting '{}'.",
                    String::from_utf8_lossy(&given),
                    self.interface.to_string_lossy(),
                    self.member.to_string_lossy(),
                    method.signature.to_string_lossy()
                );
                let name = b"org.freedesktop.DBus.Error.InvalidArgs";
                return self.refuse(name, &text).map(|()| true);
            }
            let Some(handler) = method.handler else {
                // Done, without anything to do.
                if self.wants_reply()? {
                    let (bus, content) = reply(self.message, Builder::method_return)?;
                    send(&bus, &Message::new(Arc::clone(&bus), content), false)?;
                }
                return Ok(true);
            };
            let userdata = method.userdata(one.userdata);
            let mut error = Error::NULL;
            self.begin(&one.slot, Some(handler), userdata)?;
            // SAFETY: C has given both for this; the message is there until it returns.
            let answer = unsafe { handler(Arc::as_ptr(self.message), userdata, &raw mut error) };
            self.end();
            if answer < 0 || error.name().is_some() {
                self.fail(Failed(answer, error))?;
            }
            return Ok(true);
        }
        let text = format!(
            "Unknown method {} or interface {}.",
            self.member.to_string_lossy(),
            self.interface.to_string_lossy()
        );
        match is_object {
            false => Ok(false),
            true => {
                let name = b"org.freedesktop.DBus.Error.UnknownMethod";
                self.refuse(name, &text).map(|()| true)
            }
        }
    }

    fn begin(&self, slot: &Arc<Slot>, handler: Handler, userdata: *mut c_void) -> Result<()> {
        self.bus.enter()?.current.push(Current {
            message: Arc::as_ptr(self.message),
            slot: Arc::as_ptr(slot),
            handler,
            userdata,
        });
        Ok(())
    }

    fn end(&self) {
        if let Some(mut state) = self.bus.enter_to_leave() {
            state.current.pop();
        }
    }

    fn introspect(&self, found: &[Found]) -> Result<()> {
        let is_trusted = self.bus.enter()?.trusted;
        let mut text = String::from(INTROSPECTION);
        let mut done: Vec<&CStr> = Vec::new();
        for one in found {
            if one.vtable.flags & super::vtable::HIDDEN != 0 || done.contains(&one.name.as_c_str())
            {
                continue;
            }
            done.push(&one.name);
            one.vtable.describe(&one.name, is_trusted, &mut text);
        }
        for child in self.children()? {
            text.push_str(&format!(" <node name=\"{child}\"/>\n"));
        }
        text.push_str("</node>\n");
        let (bus, mut content) = reply(self.message, Builder::method_return)?;
        let builder = content.builder()?;
        builder
            .append_text(types::STRING, text.as_bytes())
            .map_err(errno)?;
        send(&bus, &Message::new(Arc::clone(&bus), content), false).map(drop)
    }

    /// The next elements of paths of objects below this one.
    fn children(&self) -> Result<Vec<String>> {
        let state = self.bus.enter()?;
        let prefix = self.path.to_str().map_err(|_| Errno::BADMSG)?;
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let below = |object: &Object| -> Option<String> {
            let path = object.path.to_str().ok()?;
            let rest = path.strip_prefix(prefix)?.strip_prefix('/')?;
            let first = rest.split('/').next()?;
            (!first.is_empty()).then(|| first.to_owned())
        };
        let mut children: Vec<String> = state.objects.iter().filter_map(below).collect();
        children.sort_unstable();
        children.dedup();
        Ok(children)
    }

    /// org.freedesktop.DBus.Properties.
    fn properties(&self, found: &[Found]) -> Result<()> {
        let (interface, name) = {
            let mut own = self.message.enter()?;
            let (cursor, sealed) = own.content.reader()?;
            let expected: &[u8] = match self.member.to_bytes() {
                b"Get" => b"ss",
                b"Set" => b"ssv",
                b"GetAll" => b"s",
                _ => {
                    drop(own);
                    let text = format!(
                        "Unknown method {} or interface {}.",
                        self.member.to_string_lossy(),
                        self.interface.to_string_lossy()
                    );
                    return self.refuse(b"org.freedesktop.DBus.Error.UnknownMethod", &text);
                }
            };
            if sealed.message().signature() != expected {
                drop(own);
                let text = match expected {
                    b"s" => "Expected interface parameter",
                    _ => "Expected interface and member parameters",
                };
                return self.refuse(b"org.freedesktop.DBus.Error.InvalidArgs", text);
            }
            let mut text = || match cursor.read_basic(sealed.message(), types::STRING) {
                Ok(Some(Basic::String(text))) => Ok(text.to_owned()),
                _ => Err(Errno::BADMSG),
            };
            let interface = text()?;
            let name = if expected == b"s" {
                CString::default()
            } else {
                text()?
            };
            (interface, name)
        };
        if self.member.to_bytes() == b"GetAll" {
            return self.get_all(found, &interface);
        }
        for one in found {
            if one.name != interface {
                continue;
            }
            let Some(property) = one.vtable.property(name.to_bytes()) else {
                continue;
            };
            return match self.member.to_bytes() {
                b"Get" => self.get(one, property),
                _ => self.set(one, property),
            };
        }
        let text = format!(
            "Unknown interface {} or property {}.",
            interface.to_string_lossy(),
            name.to_string_lossy()
        );
        let error = b"org.freedesktop.DBus.Error.UnknownProperty";
        self.refuse(error, &text)
    }

    fn get(&self, one: &Found, property: &Property) -> Result<()> {
        let (bus, content) = reply(self.message, Builder::method_return)?;
        let answer = Message::new(Arc::clone(&bus), content);
        match self.append(one, property, &answer) {
            Ok(()) => send(&bus, &answer, false).map(drop),
            Err(failed) => self.fail(failed),
        }
    }

    /// Appends the value of a property, in a variant.
    fn append(
        &self,
        one: &Found,
        property: &Property,
        to: &Arc<Message>,
    ) -> std::result::Result<(), Failed> {
        self.begin(&one.slot, None, one.userdata)
            .map_err(|errno| Failed(-errno.raw_os_error(), Error::NULL))?;
        let appended = append_value(self.bus, &self.path, &one.name, property, one.userdata, to);
        self.end();
        appended
    }

    fn get_all(&self, found: &[Found], interface: &CStr) -> Result<()> {
        let wanted: Vec<&Found> = found
            .iter()
            .filter(|one| interface.is_empty() || *one.name == *interface)
            .collect();
        if wanted.is_empty() {
            let text = format!("Unknown interface '{}'.", interface.to_string_lossy());
            return self.refuse(b"org.freedesktop.DBus.Error.UnknownInterface", &text);
        }
        let (bus, mut content) = reply(self.message, Builder::method_return)?;
        let open = |content: &mut Content, code, contents: &[u8]| {
            let builder = content.builder()?;
            builder.open_container(code, contents).map_err(errno)
        };
        open(&mut content, types::ARRAY, b"{sv}")?;
        let answer = Message::new(Arc::clone(&bus), content);
        for one in wanted {
            for property in &one.vtable.properties {
                let skipped = super::vtable::HIDDEN | PROPERTY_EXPLICIT;
                if property.flags & skipped != 0 {
                    continue;
                }
                {
                    let mut own = answer.enter()?;
                    open(&mut own.content, types::DICT_ENTRY, b"sv")?;
                    own.content.append_basic(Basic::String(&property.name))?;
                }
                if let Err(failed) = self.append(one, property, &answer) {
                    return self.fail(failed);
                }
                answer
                    .enter()?
                    .builder()?
                    .close_container()
                    .map_err(errno)?;
            }
        }
        answer
            .enter()?
            .builder()?
            .close_container()
            .map_err(errno)?;
        send(&bus, &answer, false).map(drop)
    }

    fn set(&self, one: &Found, property: &Property) -> Result<()> {
        let name = property.name.to_string_lossy();
        if !property.is_writable {
            let text = format!("Property '{name}' is not writable.");
            return self.refuse(b"org.freedesktop.DBus.Error.PropertyReadOnly", &text);
        }
        if self.refused(property.flags, &one.name, &property.name)? {
            return Ok(());
        }
        let entered = {
            let mut own = self.message.enter()?;
            let (cursor, sealed) = own.content.reader()?;
            let types = property.signature.to_bytes();
            cursor.enter_container(sealed.message(), types::VARIANT, Some(types))
        };
        if entered.is_err() {
            let text = format!(
                "Incorrect parameters for property '{name}', expected '{}', got '{}'.",
                property.signature.to_string_lossy(),
                self.variant()?
            );
            return self.refuse(b"org.freedesktop.DBus.Error.InvalidArgs", &text);
        }
        self.begin(&one.slot, None, one.userdata)?;
        let userdata = property.userdata(one.userdata);
        let mut error = Error::NULL;
        let answer = match property.set {
            // SAFETY: C has given the function for this; all that is pointed to is here.
            Some(set) => unsafe {
                set(
                    Arc::as_ptr(self.bus),
                    self.path.as_ptr(),
                    one.name.as_ptr(),
                    property.name.as_ptr(),
                    Arc::as_ptr(self.message),
                    userdata,
                    &raw mut error,
                )
            },
            // SAFETY: by the table a value of this type is there.
            None => unsafe { store(self.message, property, userdata) },
        };
        self.end();
        if answer < 0 || error.name().is_some() {
            return self.fail(Failed(answer, error));
        }
        let (bus, content) = reply(self.message, Builder::method_return)?;
        send(&bus, &Message::new(Arc::clone(&bus), content), false).map(drop)
    }

    /// The types in the variant that comes next.
    fn variant(&self) -> Result<String> {
        let mut own = self.message.enter()?;
        let (cursor, sealed) = own.content.reader()?;
        let next = cursor.peek_type(sealed.message()).map_err(errno)?;
        let contents = next.map_or(&b""[..], |(_, contents)| contents);
        Ok(String::from_utf8_lossy(contents).into_owned())
    }
}

const INTROSPECTION: &str = concat!(
    "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n",
    "\"https://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n",
    "<node>\n",
    " <interface name=\"org.freedesktop.DBus.Peer\">\n",
    "  <method name=\"Ping\"/>\n",
    "  <method name=\"GetMachineId\">\n",
    "   <arg type=\"s\" name=\"machine_uuid\" direction=\"out\"/>\n",
    "  </method>\n",
    " </interface>\n",
    " <interface name=\"org.freedesktop.DBus.Introspectable\">\n",
    "  <method name=\"Introspect\">\n",
    "   <arg name=\"xml_data\" type=\"s\" direction=\"out\"/>\n",
    "  </method>\n",
    " </interface>\n",
    " <interface name=\"org.freedesktop.DBus.Properties\">\n",
    "  <method name=\"Get\">\n",
    "   <arg name=\"interface_name\" direction=\"in\" type=\"s\"/>\n",
    "   <arg name=\"property_name\" direction=\"in\" type=\"s\"/>\n",
    "   <arg name=\"value\" direction=\"out\" type=\"v\"/>\n",
    "  </method>\n",
    "  <method name=\"GetAll\">\n",
    "   <arg name=\"interface_name\" direction=\"in\" type=\"s\"/>\n",
    "   <arg name=\"props\" direction=\"out\" type=\"a{sv}\"/>\n",
    "  </method>\n",
    "  <method name=\"Set\">\n",
    "   <arg name=\"interface_name\" direction=\"in\" type=\"s\"/>\n",
    "   <arg name=\"property_name\" direction=\"in\" type=\"s\"/>\n",
    "   <arg name=\"value\" direction=\"in\" type=\"v\"/>\n",
    "  </method>\n",
    "  <signal name=\"PropertiesChanged\">\n",
    "   <arg type=\"s\" name=\"interface_name\"/>\n",
    "   <arg type=\"a{sv}\" name=\"changed_properties\"/>\n",
    "   <arg type=\"as\" name=\"invalidated_properties\"/>\n",
    "  </signal>\n",
    " </interface>\n",
);
