//! org.freedesktop.DBus.Properties.

use zbus::Variant;

use crate::{
    call::Call,
    error::Error,
    object::{Object, Outcome, Setting},
    serve::only_root,
    standard::{INTROSPECTABLE, PEER, PROPERTIES},
    table::{Reply, fits},
};

/// Answers a call of the interface; `None` for a method that it has not.
pub(crate) fn answer(object: Box<dyn Object>, member: &str, call: Call) -> Option<Outcome> {
    match member {
        "Get" => Some(Outcome::Now(get(&*object, &call))),
        "GetAll" => Some(Outcome::Now(get_all(&*object, &call))),
        "Set" => Some(set(object, call)),
        _ => None,
    }
}

fn get(object: &dyn Object, call: &Call) -> Reply {
    expect(
        call,
        &["s", "s"],
        "Expected interface and member parameters",
    )?;
    let (interface, property) = call.args::<(&str, &str)>()?;
    match object.get(interface, property) {
        Some(value) if !interface.is_empty() => call.reply(&value),
        _ => Err(unknown(interface, property)),
    }
}

fn get_all(object: &dyn Object, call: &Call) -> Reply {
    expect(call, &["s"], "Expected interface parameter")?;
    let interface = call.args::<&str>()?;
    // The standard interfaces are there and have no properties; the empty name stands for all interfaces.
    let known = [PEER, INTROSPECTABLE, PROPERTIES, ""].contains(&interface);
    if !known && !object.has_interface(interface) {
        return Err(Error::unknown_interface(format!(
            "Unknown interface '{interface}'."
        )));
    }
    call.reply(&object.get_all(interface))
}

fn set(object: Box<dyn Object>, call: Call) -> Outcome {
    match check_set(&*object, &call) {
        Err(error) => Outcome::Now(Err(error)),
        Ok(()) => Outcome::Later(Box::pin(async move {
            let (interface, property, value) = call.args::<(&str, &str, Variant<'_>)>()?;
            only_root(&call, interface, property).await?;
            let done = object.set(interface, property, Some(&value));
            settle(done, interface, property, &value)?;
            call.reply(&())
        })),
    }
}

/// What is wrong with a Set whoever calls.
fn check_set(object: &dyn Object, call: &Call) -> Result<(), Error> {
    expect(
        call,
        &["s", "s", "v"],
        "Expected interface and member parameters",
    )?;
    let (interface, property, value) = call.args::<(&str, &str, Variant<'_>)>()?;
    if interface.is_empty() {
        return Err(unknown(interface, property));
    }
    let asked = object.set(interface, property, None);
    settle(asked, interface, property, &value)
}

fn settle(
    setting: Setting,
    interface: &str,
    property: &str,
    value: &Variant<'_>,
) -> Result<(), Error> {
    match setting {
        Setting::Done(done) => done,
        Setting::Unknown => Err(unknown(interface, property)),
        Setting::ReadOnly => Err(Error::property_read_only(format!(
            "Property '{property}' is not writable."
        ))),
        Setting::WrongType(expected) => Err(Error::invalid_args(format!(
            "Incorrect parameters for property '{property}', expected '{expected}', got '{}'.",
            value.value_signature()
        ))),
    }
}

fn unknown(interface: &str, property: &str) -> Error {
    Error::unknown_property(format!(
        "Unknown interface {interface} or property {property}."
    ))
}

fn expect(call: &Call, takes: &[&'static str], text: &str) -> Result<(), Error> {
    let args: Vec<_> = takes.iter().map(|signature| (*signature, "")).collect();
    match fits(call.body().signature(), &args) {
        true => Ok(()),
        false => Err(Error::invalid_args(text)),
    }
}
