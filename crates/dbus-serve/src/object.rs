//! An object as the server sees it: its tables, whatever type they work on.

use zbus::Variant;

use crate::{
    call::Call,
    dict::Dict,
    error::Error,
    introspect,
    table::{Arg, Handler, Interface, Later, Reply},
};

/// A method found.
pub struct Found {
    pub(crate) interface: &'static str,
    pub(crate) name: &'static str,
    pub(crate) takes: &'static [Arg],
    pub(crate) privileged: bool,
    pub(crate) operation: bool,
    index: (usize, usize),
}

/// What a handler did.
pub enum Outcome {
    /// It replied.
    Now(Reply),
    /// It will.
    Later(Later),
}

/// How a property answered to a set.
pub(crate) enum Setting {
    Unknown,
    ReadOnly,
    WrongType(&'static str),
    Done(Result<(), Error>),
}

/// An object with its interfaces. Made by [`Bound`].
pub trait Object {
    #[doc(hidden)]
    fn has_interface(&self, name: &str) -> bool;
    #[doc(hidden)]
    fn method(&self, interface: Option<&str>, member: &str) -> Option<Found>;
    #[doc(hidden)]
    fn invoke(&self, found: &Found, call: Call) -> Outcome;
    #[doc(hidden)]
    fn get(&self, interface: &str, property: &str) -> Option<Variant<'static>>;
    #[doc(hidden)]
    fn get_all(&self, interface: &str) -> Dict<Variant<'static>>;
    #[doc(hidden)]
    #[allow(private_interfaces, reason = "called by the server alone")]
    fn set(&self, interface: &str, property: &str, value: Option<&Variant<'_>>) -> Setting;
    #[doc(hidden)]
    fn describe(&self, xml: &mut String);
}

/// An object of a type with the interfaces that work on it. The object is cloned for each call that takes time, so it is
/// best an `Rc`.
pub struct Bound<O: 'static> {
    /// What the handlers get.
    pub object: O,
    /// Its interfaces; none at all for a path that exists only to have others below it.
    pub interfaces: &'static [&'static Interface<O>],
}

impl<O: Clone> Bound<O> {
    fn properties<'a>(
        &'a self,
        interface: &'a str,
    ) -> impl Iterator<Item = &'static crate::table::Property<O>> + 'a {
        self.interfaces
            .iter()
            .filter(move |table| interface.is_empty() || table.name == interface)
            .flat_map(|table| table.properties)
    }
}

impl<O: Clone> Object for Bound<O> {
    fn has_interface(&self, name: &str) -> bool {
        self.interfaces.iter().any(|table| table.name == name)
    }

    fn method(&self, interface: Option<&str>, member: &str) -> Option<Found> {
        self.interfaces
            .iter()
            .enumerate()
            .filter(|(_, table)| interface.is_none_or(|name| name == table.name))
            .find_map(|(at, table)| {
                let (index, method) = table
                    .methods
                    .iter()
                    .enumerate()
                    .find(|(_, method)| method.name == member)?;
                Some(Found {
                    interface: table.name,
                    name: method.name,
                    takes: method.takes,
                    privileged: method.privileged,
                    operation: method.operation,
                    index: (at, index),
                })
            })
    }

    fn invoke(&self, found: &Found, call: Call) -> Outcome {
        let (interface, method) = found.index;
        let table = self.interfaces.get(interface);
        match table.and_then(|table| table.methods.get(method)) {
            Some(method) => match method.handler {
                Handler::Now(handler) => Outcome::Now(handler(&self.object, &call)),
                Handler::Later(handler) => Outcome::Later(handler(self.object.clone(), call)),
            },
            None => Outcome::Now(Err(Error::failed("No such method"))),
        }
    }

    fn get(&self, interface: &str, property: &str) -> Option<Variant<'static>> {
        let mut properties = self.properties(interface);
        let found = properties.find(|found| found.name == property)?;
        Some((found.get)(&self.object))
    }

    fn get_all(&self, interface: &str) -> Dict<Variant<'static>> {
        let shown = self.properties(interface).filter(|found| !found.hidden);
        Dict(
            shown
                .map(|found| (found.name.to_owned(), (found.get)(&self.object)))
                .collect(),
        )
    }

    #[allow(private_interfaces, reason = "called by the server alone")]
    fn set(&self, interface: &str, property: &str, value: Option<&Variant<'_>>) -> Setting {
        let mut properties = self.properties(interface);
        let Some(found) = properties.find(|found| found.name == property) else {
            return Setting::Unknown;
        };
        match (found.set, value) {
            (None, _) => Setting::ReadOnly,
            (Some(set), Some(value)) if *value.value_signature() == found.signature => {
                Setting::Done(set(&self.object, value))
            }
            (Some(_), Some(_)) => Setting::WrongType(found.signature),
            (Some(_), None) => Setting::Done(Ok(())),
        }
    }

    fn describe(&self, xml: &mut String) {
        for interface in self.interfaces {
            introspect::interface(xml, interface);
        }
    }
}
