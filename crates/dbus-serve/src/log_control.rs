//! org.freedesktop.LogControl1: what is logged, and where to, set while the daemon runs (`systemctl log-level`).

use std::rc::Rc;

use zbus::Variant;

use crate::{
    error::Error,
    table::{Change, Interface, Property},
};

/// Where every daemon has it.
pub const LOG_CONTROL_PATH: &str = "/org/freedesktop/LogControl1";

/// What the object asks of a daemon's logging.
pub trait LogControl {
    /// The highest level that is logged: a name of syslog(3), e.g. `info`.
    fn level(&self) -> String;
    /// Sets it; `false` for a name that is none.
    fn set_level(&self, level: &str) -> bool;
    /// Where to: `journal`, `syslog`, `kmsg`, `console`, …
    fn target(&self) -> String;
    /// Sets it; `false` for a name that is none.
    fn set_target(&self, target: &str) -> bool;
    /// The name that log lines carry.
    fn identifier(&self) -> String;
}

/// A daemon's logging.
type Log = Rc<dyn LogControl>;

/// The interface, for a [`crate::Bound`] whose object is the daemon's logging.
pub static LOG_CONTROL: Interface<Log> = Interface {
    name: "org.freedesktop.LogControl1",
    methods: &[],
    properties: &[
        Property::new("LogLevel", "s", Change::Silent, |log: &Log| {
            log.level().into()
        })
        .writable(|log: &Log, value| match log.set_level(text(value)) {
            true => Ok(()),
            false => Err(invalid("level", value)),
        }),
        Property::new("LogTarget", "s", Change::Silent, |log: &Log| {
            log.target().into()
        })
        .writable(|log: &Log, value| match log.set_target(text(value)) {
            true => Ok(()),
            false => Err(invalid("target", value)),
        }),
        Property::new("SyslogIdentifier", "s", Change::Silent, |log: &Log| {
            log.identifier().into()
        }),
    ],
    signals: &[],
};

fn text<'a>(value: &'a Variant<'_>) -> &'a str {
    match value {
        Variant::Str(text) => text.as_str(),
        _ => "",
    }
}

fn invalid(what: &str, value: &Variant<'_>) -> Error {
    Error::invalid_args(format!("Invalid log {what} '{}'", text(value)))
}
