//! org.freedesktop.DBus.ObjectManager: GetManagedObjects, and sd_bus_emit_object_added(3) and its like.

use std::collections::BTreeSet;
use std::ffi::{CStr, c_char, c_int};
use std::iter;
use std::ptr;
use std::sync::Arc;

use dbus::{Builder, types};

use super::dispatch::{Call, Found, Node, Stop};
use super::{Enumerate, OBJECT_MANAGER, OWN, Object, What};
use crate::ffi::boundary::entry;
use crate::ffi::bus::arguments::{Arguments, List};
use crate::ffi::bus::call::send;
use crate::ffi::bus::connection::{Bus, shared};
use crate::ffi::bus::error::Error;
use crate::ffi::bus::message::{Message, errno};
use crate::ffi::bus::message_new::method_return;
use crate::ffi::bus::vtable::{HIDDEN, PROPERTY_EMITS_INVALIDATION, PROPERTY_EXPLICIT};
use crate::ffi::pointer::{list, text, text_list_taken};
use crate::ffi::shared::Shared;
use crate::{Errno, Result};

/// Paths in the order in which they were found, each once.
#[derive(Default)]
struct Paths {
    list: Vec<Arc<CStr>>,
    known: BTreeSet<Arc<CStr>>,
}

impl Paths {
    fn add(&mut self, path: Arc<CStr>) {
        if self.known.insert(Arc::clone(&path)) {
            self.list.push(path);
        }
    }
}

/// The interfaces of an object, and the parts of each.
type Interfaces = Vec<(Arc<CStr>, Vec<Found>)>;

impl Call<'_> {
    /// The same for another path.
    fn at<'p>(&'p self, path: &'p CStr) -> Call<'p> {
        Call {
            bus: self.bus,
            message: self.message,
            path,
            interface: c"",
            member: b"",
            types: b"",
            wants_reply: false,
        }
    }

    /// What is below, as far as it is known or told by enumerators; `all` of it, but for what is below another object manager.
    pub(super) fn below(
        &self,
        node: &Node<'_>,
        all: bool,
    ) -> std::result::Result<Vec<Arc<CStr>>, Stop> {
        let mut paths = Paths::default();
        let mut next: Vec<Arc<CStr>> = Vec::new();
        if let Some((path, _)) = self.bus.enter()?.objects.find(node.path) {
            next.push(Arc::clone(path));
        }
        let mut is_first = true;
        while let Some(at) = next.pop() {
            let (here, mut below) = {
                let state = self.bus.enter()?;
                let here = state.objects.at(at.to_bytes()).unwrap_or_default().to_vec();
                let below: Vec<Arc<CStr>> = state.objects.below(at.to_bytes()).cloned().collect();
                (here, below)
            };
            if !is_first {
                let mut here = here.iter();
                let is_manager = here.any(|object| matches!(object.what, What::Manager));
                paths.add(at);
                if is_manager {
                    continue;
                }
            }
            for object in &here {
                if let What::Enumerator(enumerate) = object.what {
                    self.enumerate(object.slot, enumerate, &mut paths)?;
                }
            }
            below.retain(|path| dbus::path::is_below(path.to_bytes(), self.path.to_bytes()));
            match all {
                true => next.extend(below.into_iter().rev()),
                false => below.into_iter().for_each(|path| paths.add(path)),
            }
            is_first = false;
        }
        Ok(paths.list)
    }

    /// Asks a program for the paths of its objects.
    fn enumerate(
        &self,
        number: u64,
        enumerate: Enumerate,
        to: &mut Paths,
    ) -> std::result::Result<(), Stop> {
        let (Some(slot), Some(enumerate)) = (self.slot(number)?, enumerate) else {
            return Ok(());
        };
        let (_, userdata) = slot.callback()?;
        let mut paths = ptr::null_mut();
        let mut error = Error::NULL;
        self.begin(&slot, None, userdata)?;
        // SAFETY: C has given both for this; all that is pointed to is here.
        let answer = unsafe {
            enumerate(
                Shared::as_ptr(self.bus),
                self.path.as_ptr(),
                userdata,
                &raw mut paths,
                &raw mut error,
            )
        };
        self.end();
        Stop::check(answer, error)?;
        // SAFETY: the contract of C: it is a list for the caller, or null.
        for path in unsafe { text_list_taken(paths) } {
            if !dbus::path::is_valid(path.to_bytes()) {
                return Err(Errno::INVAL.into());
            }
            to.add(path.into());
        }
        drop(slot);
        self.slot(number)?.map(drop).ok_or(Stop::Gone)
    }

    /// Answers for all below an object manager. False if there is none here.
    pub(super) fn managed(&self, node: &Node<'_>) -> std::result::Result<bool, Stop> {
        if node.is_above || !node.has_manager() {
            return Ok(false);
        }
        if !self.types.is_empty() {
            let error = b"org.freedesktop.DBus.Error.InvalidArgs";
            self.refuse(error, "Expected no parameters")?;
            return Ok(true);
        }
        let answer = method_return(self.message)?;
        answer.open_container(types::ARRAY, b"{oa{sa{sv}}}")?;
        for path in self.below(node, true)? {
            let object = self.at(&path);
            let interfaces = object.interfaces()?;
            if interfaces.is_empty() {
                continue;
            }
            answer.open_container(types::DICT_ENTRY, b"oa{sa{sv}}")?;
            answer.append_path(&path)?;
            object.append_object(&interfaces, &answer, HIDDEN | PROPERTY_EXPLICIT)?;
            answer.close_container()?;
        }
        answer.close_container()?;
        self.finish(&answer)?;
        Ok(true)
    }

    /// The interfaces of an object. One that is nearer hides those of its name above.
    fn interfaces(&self) -> std::result::Result<Interfaces, Stop> {
        let mut all: Interfaces = Vec::new();
        for node in self.nodes() {
            let node = node?;
            let hidden = all.len();
            for object in node.here() {
                let Some(one) = self.find(object)? else {
                    continue;
                };
                let known = all.iter_mut().enumerate();
                let known = known.into_iter().find(|(_, (name, _))| *name == one.name);
                match known {
                    Some((index, _)) if index < hidden => {}
                    Some((_, (_, parts))) => parts.push(one),
                    None => all.push((Arc::clone(&one.name), vec![one])),
                }
            }
        }
        Ok(all)
    }

    /// An interface of an object, with all its parts, at the nearest path that has it.
    pub(super) fn interface(&self, name: &CStr) -> std::result::Result<Vec<Found>, Stop> {
        for node in self.nodes() {
            let node = node?;
            let mut parts = Vec::new();
            for object in node.here() {
                if matches!(&object.what, What::Interface { name: own, .. } if **own == *name) {
                    parts.extend(self.find(object)?);
                }
            }
            if !parts.is_empty() {
                return Ok(parts);
            }
        }
        Ok(Vec::new())
    }

    /// The interfaces that this object has of the library.
    fn own(&self) -> Result<impl Iterator<Item = &'static CStr>> {
        let state = self.bus.enter()?;
        let mut here = state
            .objects
            .at(self.path.to_bytes())
            .unwrap_or_default()
            .iter();
        let is_manager = here.any(|object| matches!(object.what, What::Manager));
        Ok(OWN.into_iter().chain(is_manager.then_some(OBJECT_MANAGER)))
    }

    /// Appends all interfaces with their properties.
    fn append_object(
        &self,
        interfaces: &Interfaces,
        to: &Shared<Message>,
        skipped: u64,
    ) -> std::result::Result<(), Stop> {
        to.open_container(types::ARRAY, b"{sa{sv}}")?;
        for name in self.own()? {
            self.append_interface(name, &[], to, skipped)?;
        }
        for (name, parts) in interfaces {
            self.append_interface(name, parts, to, skipped)?;
        }
        Ok(to.close_container()?)
    }

    fn append_interface(
        &self,
        name: &CStr,
        parts: &[Found],
        to: &Shared<Message>,
        skipped: u64,
    ) -> std::result::Result<(), Stop> {
        to.open_container(types::DICT_ENTRY, b"sa{sv}")?;
        to.append_text(name)?;
        to.open_container(types::ARRAY, b"{sv}")?;
        for one in parts {
            self.append_all(one, to, skipped)?;
        }
        to.close_container()?;
        Ok(to.close_container()?)
    }
}

/// Sends a signal of the object manager that is in charge of a path; `body` appends what follows the path.
fn emit(
    bus: &Shared<Bus>,
    path: &CStr,
    member: &[u8],
    body: impl Fn(&Call<'_>, &Shared<Message>) -> std::result::Result<(), Stop>,
) -> Result<c_int> {
    let manager = manager(bus, path)?;
    loop {
        let interface = OBJECT_MANAGER.to_bytes();
        let signal = Builder::signal(manager.to_bytes(), interface, member).map_err(errno)?;
        let signal = Message::new(Shared::clone(bus), signal);
        signal.append_path(path)?;
        let call = Call {
            bus,
            message: &signal,
            path,
            interface: c"",
            member: b"",
            types: b"",
            wants_reply: false,
        };
        match body(&call, &signal) {
            Ok(()) => return send(bus, &signal, false).map(|_| 1),
            Err(Stop::Gone) => {}
            Err(stop @ Stop::Failed(..)) => return Err(stop.into_errno()),
        }
    }
}

/// The nearest path with an object manager.
fn manager(bus: &Shared<Bus>, path: &CStr) -> Result<Arc<CStr>> {
    let state = bus.enter()?;
    let is_manager = |object: &Object| matches!(object.what, What::Manager);
    let mut paths = iter::once(path.to_bytes()).chain(dbus::path::ancestors(path.to_bytes()));
    let manager = paths.find_map(|path| {
        let (path, here) = state.objects.find(path)?;
        here.iter().any(is_manager).then(|| Arc::clone(path))
    });
    manager.ok_or(Errno::SRCH)
}

/// What all of these functions begin with.
unsafe fn begin<'a>(of: *const Bus, path: *const c_char) -> Result<(Shared<Bus>, &'a CStr)> {
    // SAFETY: the caller's promise.
    let bus = unsafe { shared(of) }?;
    // SAFETY: the caller's promise.
    let path = unsafe { text(path) }?;
    if !dbus::path::is_valid(path.to_bytes()) {
        return Err(Errno::INVAL);
    }
    bus.enter()?.connection.check_open()?;
    Ok((bus, path))
}

/// What is not told in signals: also what is only said to be invalid when it changes.
const UNTOLD: u64 = HIDDEN | PROPERTY_EXPLICIT | PROPERTY_EMITS_INVALIDATION;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_emit_object_added(of: *const Bus, path: *const c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let (bus, path) = unsafe { begin(of, path) }?;
        emit(&bus, path, b"InterfacesAdded", |call, signal| {
            call.append_object(&call.interfaces()?, signal, UNTOLD)
        })
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sd_bus_emit_object_removed(of: *const Bus, path: *const c_char) -> c_int {
    entry(|| {
        // SAFETY: the contract of C.
        let (bus, path) = unsafe { begin(of, path) }?;
        emit(&bus, path, b"InterfacesRemoved", |call, signal| {
            let interfaces = call.interfaces()?;
            signal.open_container(types::ARRAY, b"s")?;
            for name in call.own()? {
                signal.append_text(name)?;
            }
            for (name, _) in &interfaces {
                signal.append_text(name)?;
            }
            Ok(signal.close_container()?)
        })
    })
}

fn interfaces_added(bus: &Shared<Bus>, path: &CStr, names: &[&CStr]) -> Result<c_int> {
    if names.is_empty() {
        return Ok(0);
    }
    emit(bus, path, b"InterfacesAdded", |call, signal| {
        signal.open_container(types::ARRAY, b"{sa{sv}}")?;
        for name in names {
            if !dbus::name::is_interface(name.to_bytes()) {
                return Err(Errno::INVAL.into());
            }
            let parts = call.interface(name)?;
            if parts.is_empty() {
                return Err(Errno::NOENT.into());
            }
            call.append_interface(name, &parts, signal, UNTOLD)?;
        }
        Ok(signal.close_container()?)
    })
}

fn interfaces_removed(bus: &Shared<Bus>, path: &CStr, names: &[&CStr]) -> Result<c_int> {
    if names.is_empty() {
        return Ok(0);
    }
    emit(bus, path, b"InterfacesRemoved", |_, signal| {
        signal.open_container(types::ARRAY, b"s")?;
        for name in names {
            signal.append_text(name)?;
        }
        Ok(signal.close_container()?)
    })
}

macro_rules! emitters {
    ($($strv:ident, $variadic:ident => $emit:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $strv(
            of: *const Bus,
            path: *const c_char,
            names: *const *const c_char,
        ) -> c_int {
            entry(|| {
                // SAFETY: the contract of C.
                let (bus, path) = unsafe { begin(of, path) }?;
                // SAFETY: the contract of C.
                $emit(&bus, path, &unsafe { list(names) })
            })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $variadic(
            of: *const Bus,
            path: *const c_char,
            first: *const c_char,
            rest: *mut List,
        ) -> c_int {
            entry(|| {
                // SAFETY: the contract of C.
                let (bus, path) = unsafe { begin(of, path) }?;
                // SAFETY: C's part has made it of the program's arguments.
                let mut rest = unsafe { Arguments::new(rest) };
                // SAFETY: the contract of C.
                let names = unsafe { rest.texts_behind(first) };
                $emit(&bus, path, &names)
            })
        }
    )* };
}

emitters! {
    sd_bus_emit_interfaces_added_strv, compat_emit_interfaces_added => interfaces_added;
    sd_bus_emit_interfaces_removed_strv, compat_emit_interfaces_removed => interfaces_removed;
}
