//! `sd_bus_vtable`: what a program was compiled with, read once.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt::Write;
use std::ptr;

use super::connection::Bus;
use super::error::Error;
use super::message::Message;
use super::slot::Handler;
use crate::ffi::pointer::{optional_text, text};
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// `sd_bus_property_get_t` and `sd_bus_property_set_t`, which differ in what the message is for.
pub type Accessor = Option<
    unsafe extern "C" fn(
        *const Bus,
        *const c_char,
        *const c_char,
        *const c_char,
        *const Message,
        *mut c_void,
        *mut Error,
    ) -> c_int,
>;

pub const DEPRECATED: u64 = 1 << 0;
pub const HIDDEN: u64 = 1 << 1;
pub const UNPRIVILEGED: u64 = 1 << 2;
pub const METHOD_NO_REPLY: u64 = 1 << 3;
pub const PROPERTY_CONST: u64 = 1 << 4;
pub const PROPERTY_EMITS_CHANGE: u64 = 1 << 5;
pub const PROPERTY_EMITS_INVALIDATION: u64 = 1 << 6;
pub const PROPERTY_EXPLICIT: u64 = 1 << 7;
pub const SENSITIVE: u64 = 1 << 8;
/// Flags that properties alone may have.
const OF_PROPERTIES: u64 = PROPERTY_CONST | PROPERTY_EMITS_CHANGE | PROPERTY_EMITS_INVALIDATION;
const ABSOLUTE_OFFSET: u64 = 1 << 9;

/// `sd_bus_vtable`: an entry as it lies in memory. What the union has for a kind stands here as that many words.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Raw {
    /// The kind in the lowest 8 bits, and the flags.
    head: u64,
    words: [*const c_void; 5],
}

/// What an interface has.
#[derive(Debug)]
pub struct Vtable {
    pub flags: u64,
    pub methods: Vec<Method>,
    pub signals: Vec<Signal>,
    pub properties: Vec<Property>,
    /// What the entries are, in their order.
    order: Vec<u8>,
    /// Where the program has it.
    address: usize,
}

#[derive(Debug)]
pub struct Method {
    pub flags: u64,
    pub name: CString,
    pub signature: CString,
    pub result: Shared<CString>,
    pub handler: Handler,
    offset: usize,
    /// Of what goes in, and then of what comes out.
    pub names: Vec<CString>,
}

#[derive(Debug)]
pub struct Signal {
    pub flags: u64,
    pub name: CString,
    pub signature: CString,
    pub names: Vec<CString>,
}

#[derive(Debug)]
pub struct Property {
    pub flags: u64,
    pub name: CString,
    pub signature: CString,
    pub get: Accessor,
    pub set: Accessor,
    pub is_writable: bool,
    offset: usize,
}

/// Where a method or a property finds its own, from what the object has.
fn at(userdata: *mut c_void, flags: u64, offset: usize) -> *mut c_void {
    match flags & ABSOLUTE_OFFSET {
        0 => userdata.wrapping_byte_add(offset),
        _ => ptr::without_provenance_mut(offset),
    }
}

impl Method {
    pub fn userdata(&self, object: *mut c_void) -> *mut c_void {
        at(object, self.flags, self.offset)
    }
}

impl Property {
    pub fn userdata(&self, object: *mut c_void) -> *mut c_void {
        at(object, self.flags, self.offset)
    }
}

/// Texts one after the other, each with its 0; an empty one ends them.
unsafe fn names(place: *const c_char) -> Vec<CString> {
    let mut all = Vec::new();
    let mut place = place;
    loop {
        // SAFETY: the caller's promise.
        let next = unsafe { optional_text(place) };
        let Some(next) = next.filter(|next| !next.is_empty()) else {
            return all;
        };
        all.push(next.to_owned());
        place = place.wrapping_add(next.count_bytes() + 1);
    }
}

/// Whether there can be such names: none, or one for each argument.
fn are_names(names: &[CString], types: [&CStr; 2]) -> bool {
    let count = |types: &CStr| {
        let mut rest = types.to_bytes();
        let mut count = 0;
        while let Some(length) = dbus::signature::first(rest) {
            rest = rest.get(length..).unwrap_or_default();
            count += 1;
        }
        count
    };
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let wanted: usize = types.map(count).iter().sum();
    (names.is_empty() || names.len() == wanted)
        && names.iter().all(|name| name.to_bytes().iter().all(is_part))
}

/// Sees that there can be such a property, with or without functions to get and set it.
fn is_property(
    kind: u8,
    flags: u64,
    types: &[u8],
    (get, set): (*const c_void, *const c_void),
) -> Result<()> {
    let is_basic = matches!(types, [code] if dbus::types::is_basic(*code));
    let told = [
        PROPERTY_CONST,
        PROPERTY_EMITS_CHANGE,
        PROPERTY_EMITS_INVALIDATION,
    ];
    let told = told.iter().filter(|flag| flags & **flag != 0).count();
    let is_writable = kind == b'W';
    let explicit = PROPERTY_EXPLICIT | PROPERTY_EMITS_CHANGE;
    let is_good = dbus::signature::is_single(types)
        && (!get.is_null() || is_basic || types == b"as")
        && (!is_writable || !set.is_null() || is_basic)
        && told <= 1
        && flags & explicit != explicit
        && flags & METHOD_NO_REPLY == 0
        && (is_writable || flags & UNPRIVILEGED == 0)
        && !(is_writable && flags & PROPERTY_CONST != 0);
    is_good.then_some(()).ok_or(Errno::INVAL)
}

impl Vtable {
    /// Reads a program's table.
    ///
    /// # Errors
    /// EINVAL: it is none.
    ///
    /// # Safety
    /// The pointer is null or to such a table; the functions in it are of their types.
    pub unsafe fn read(table: *const Raw) -> Result<Self> {
        /// Without names of arguments, as of systemd 221.
        const SHORT: usize = 8 + 5 * size_of::<usize>();
        /// With them, as of systemd 243.
        const LONG: usize = 8 + 6 * size_of::<usize>();
        if table.is_null() {
            return Err(Errno::INVAL);
        }
        // SAFETY: the caller's promise: the first entry has as many bytes.
        let first = unsafe { table.read() };
        let [size, features, ..] = first.words;
        let size = size.addr();
        let has_names = size >= LONG && features.addr() & 1 != 0;
        if first.head.to_ne_bytes().first() != Some(&b'<') || (size != SHORT && size != LONG) {
            return Err(Errno::INVAL);
        }
        let mut vtable = Self {
            flags: first.head >> 8,
            methods: Vec::new(),
            signals: Vec::new(),
            properties: Vec::new(),
            order: Vec::new(),
            address: table.addr(),
        };
        let mut place = table;
        loop {
            place = place.wrapping_byte_add(size);
            // SAFETY: the caller's promise: there is an entry after each but the last.
            let entry = unsafe { place.read() };
            let (kind, flags) = (entry.head as u8, entry.head >> 8);
            if kind == b'>' {
                vtable.are_named()?;
                return vtable.is_unique().then_some(vtable).ok_or(Errno::EXIST);
            }
            let [name, signature, third, fourth, fifth] = entry.words;
            // SAFETY: the caller's promise.
            let name = unsafe { text(name.cast()) }?.to_owned();
            // SAFETY: the caller's promise.
            let signature = unsafe { optional_text(signature.cast()) }.unwrap_or_default();
            if !dbus::name::is_member(name.to_bytes())
                || !dbus::signature::is_valid(signature.to_bytes())
            {
                return Err(Errno::INVAL);
            }
            let signature = signature.to_owned();
            vtable.order.push(kind);
            match kind {
                b'M' => {
                    // SAFETY: the caller's promise.
                    let result = unsafe { optional_text(third.cast()) }.unwrap_or_default();
                    let has_result = !result.is_empty();
                    // Without a function there is nothing to be said, and nothing to answer.
                    if !dbus::signature::is_valid(result.to_bytes())
                        || fourth.is_null() && (has_result || !signature.is_empty())
                        || flags & OF_PROPERTIES != 0
                    {
                        return Err(Errno::INVAL);
                    }
                    let last = place.wrapping_byte_add(SHORT).cast::<*const c_char>();
                    vtable.methods.push(Method {
                        flags,
                        name,
                        signature,
                        result: Shared::new(result.to_owned()),
                        // SAFETY: the caller's promise; a null pointer is None.
                        handler: unsafe { std::mem::transmute::<*const c_void, Handler>(fourth) },
                        offset: fifth.addr(),
                        names: match has_names {
                            true => {
                                // SAFETY: the caller's promise: the entry has a sixth word.
                                let list = unsafe { last.read() };
                                // SAFETY: likewise.
                                unsafe { names(list) }
                            }
                            false => Vec::new(),
                        },
                    });
                }
                b'S' if flags & (OF_PROPERTIES | UNPRIVILEGED) != 0 => {
                    return Err(Errno::INVAL);
                }
                b'S' => vtable.signals.push(Signal {
                    flags,
                    name,
                    signature,
                    names: match has_names {
                        // SAFETY: the caller's promise.
                        true => unsafe { names(third.cast()) },
                        false => Vec::new(),
                    },
                }),
                b'P' | b'W' => {
                    is_property(kind, flags, signature.to_bytes(), (third, fourth))?;
                    vtable.properties.push(Property {
                        flags,
                        name,
                        signature,
                        // SAFETY: the caller's promise; a null pointer is None.
                        get: unsafe { std::mem::transmute::<*const c_void, Accessor>(third) },
                        // SAFETY: likewise.
                        set: unsafe { std::mem::transmute::<*const c_void, Accessor>(fourth) },
                        is_writable: kind == b'W',
                        offset: fifth.addr(),
                    });
                }
                _ => return Err(Errno::INVAL),
            }
        }
    }

    /// Sees that arguments have names, all or none of a member's.
    fn are_named(&self) -> Result<()> {
        let mut methods = self.methods.iter();
        let mut signals = self.signals.iter();
        let is_good = methods
            .all(|method| are_names(&method.names, [&method.signature, &method.result]))
            && signals.all(|signal| are_names(&signal.names, [&signal.signature, c""]));
        is_good.then_some(()).ok_or(Errno::INVAL)
    }

    /// Whether no method and no property is there twice.
    fn is_unique(&self) -> bool {
        let methods = self.methods.iter().map(|method| &method.name);
        let properties = self.properties.iter().map(|property| &property.name);
        let is_first = |all: Vec<&CString>| {
            let count = all.len();
            let set: std::collections::BTreeSet<_> = all.into_iter().collect();
            set.len() == count
        };
        is_first(methods.collect()) && is_first(properties.collect())
    }

    /// Whether there is a method or a property that another has, too; a table of signals may not be there twice.
    pub fn shares(&self, other: &Self) -> bool {
        if self.address == other.address {
            return true;
        }
        let mut methods = self.methods.iter();
        let mut properties = self.properties.iter();
        methods.any(|method| other.method(method.name.to_bytes()).is_some())
            || properties.any(|property| other.property(property.name.to_bytes()).is_some())
    }

    pub fn method(&self, name: &[u8]) -> Option<&Method> {
        let mut methods = self.methods.iter();
        methods.find(|method| method.name.to_bytes() == name)
    }

    pub fn property(&self, name: &[u8]) -> Option<&Property> {
        let mut properties = self.properties.iter();
        properties.find(|property| property.name.to_bytes() == name)
    }
}

/// What tells a client of it, as introspection has it.
impl Vtable {
    /// Begins an interface, whose parts are described one after the other.
    pub fn begin(&self, interface: &CStr, to: &mut String) {
        // A String takes all that is written to it.
        let _ = writeln!(to, " <interface name=\"{}\">", shown(interface));
    }

    pub fn describe(&self, is_trusted: bool, to: &mut String) {
        annotate(
            to,
            "  ",
            self.flags & DEPRECATED != 0,
            "DBus.Deprecated",
            "true",
        );
        let (mut methods, mut signals, mut properties) = (
            self.methods.iter(),
            self.signals.iter(),
            self.properties.iter(),
        );
        let guards = |flags: u64| !is_trusted && flags & UNPRIVILEGED == 0;
        for kind in &self.order {
            match kind {
                b'M' => methods
                    .next()
                    .map(|method| method.describe(guards(method.flags), to)),
                b'S' => signals.next().map(|signal| signal.describe(to)),
                _ => properties
                    .next()
                    .map(|property| property.describe(&guards, to)),
            };
        }
    }
}

fn shown(text: &CStr) -> std::borrow::Cow<'_, str> {
    text.to_string_lossy()
}

fn annotate(to: &mut String, indent: &str, is: bool, name: &str, value: &str) {
    if is {
        let _ = writeln!(
            to,
            "{indent}<annotation name=\"org.freedesktop.{name}\" value=\"{value}\"/>"
        );
    }
}

impl Method {
    fn describe(&self, is_guarded: bool, to: &mut String) {
        if self.flags & HIDDEN != 0 {
            return;
        }
        let _ = writeln!(to, "  <method name=\"{}\">", shown(&self.name));
        let mut names = self.names.iter();
        for (types, direction) in [(&*self.signature, "in"), (&*self.result, "out")] {
            arguments(types, Some(direction), &mut names, to);
        }
        let is = |flag: u64| self.flags & flag != 0;
        annotate(to, "   ", is(DEPRECATED), "DBus.Deprecated", "true");
        annotate(
            to,
            "   ",
            is(METHOD_NO_REPLY),
            "DBus.Method.NoReply",
            "true",
        );
        annotate(to, "   ", is_guarded, "systemd1.Privileged", "true");
        to.push_str("  </method>\n");
    }
}

impl Signal {
    fn describe(&self, to: &mut String) {
        if self.flags & HIDDEN != 0 {
            return;
        }
        let _ = writeln!(to, "  <signal name=\"{}\">", shown(&self.name));
        arguments(&self.signature, None, &mut self.names.iter(), to);
        annotate(
            to,
            "   ",
            self.flags & DEPRECATED != 0,
            "DBus.Deprecated",
            "true",
        );
        to.push_str("  </signal>\n");
    }
}

impl Property {
    fn describe(&self, guards: &impl Fn(u64) -> bool, to: &mut String) {
        if self.flags & HIDDEN != 0 {
            return;
        }
        let access = if self.is_writable {
            "readwrite"
        } else {
            "read"
        };
        let (name, types) = (shown(&self.name), shown(&self.signature));
        let _ = writeln!(
            to,
            "  <property name=\"{name}\" type=\"{types}\" access=\"{access}\">"
        );
        let is = |flag: u64| self.flags & flag != 0;
        annotate(to, "   ", is(DEPRECATED), "DBus.Deprecated", "true");
        annotate(
            to,
            "   ",
            is(PROPERTY_EXPLICIT),
            "systemd1.Explicit",
            "true",
        );
        let emits = match () {
            () if is(PROPERTY_CONST) => "const",
            () if is(PROPERTY_EMITS_INVALIDATION) => "invalidates",
            () if is(PROPERTY_EMITS_CHANGE) => "",
            () => "false",
        };
        let name = "DBus.Property.EmitsChangedSignal";
        annotate(to, "   ", !emits.is_empty(), name, emits);
        let is_guarded = self.is_writable && guards(self.flags);
        annotate(to, "   ", is_guarded, "systemd1.Privileged", "true");
        to.push_str("  </property>\n");
    }
}

fn arguments<'n>(
    types: &CStr,
    direction: Option<&str>,
    names: &mut impl Iterator<Item = &'n CString>,
    to: &mut String,
) {
    let mut rest = types.to_bytes();
    while let Some(length) = dbus::signature::first(rest) {
        let Some((one, after)) = rest.split_at_checked(length) else {
            return;
        };
        to.push_str("   <arg type=\"");
        to.push_str(&String::from_utf8_lossy(one));
        if let Some(name) = names.next() {
            to.push_str("\" name=\"");
            to.push_str(&name.to_string_lossy());
        }
        if let Some(direction) = direction {
            to.push_str("\" direction=\"");
            to.push_str(direction);
        }
        to.push_str("\"/>\n");
        rest = after;
    }
}
