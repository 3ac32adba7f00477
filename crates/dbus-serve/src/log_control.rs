//! org.freedesktop.LogControl1: what is logged, and where to, set while the daemon runs (`systemctl log-level`).

use std::{io, rc::Rc};

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
    /// Sets it.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for a name that is none.
    fn set_level(&self, level: &str) -> io::Result<()>;
    /// Where to: `journal`, `syslog`, `kmsg`, `console`, …
    fn target(&self) -> String;
    /// Sets it.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for a name that is none; others where the target can't be reached.
    fn set_target(&self, target: &str) -> io::Result<()>;
    /// The name that log lines carry.
    fn identifier(&self) -> String;
}

/// A daemon's logging.
pub type Log = Rc<dyn LogControl>;

/// The interface, for a [`crate::Bound`] whose object is the daemon's logging.
pub static LOG_CONTROL: Interface<Log> = Interface {
    name: "org.freedesktop.LogControl1",
    methods: &[],
    properties: &[
        Property::new("LogLevel", "s", Change::Silent, |log: &Log| {
            log.level().into()
        })
        .writable(|log, value| {
            let level = text(value);
            log.set_level(level)
                .map_err(|error| refused("level", level, &error))
        }),
        Property::new("LogTarget", "s", Change::Silent, |log: &Log| {
            log.target().into()
        })
        .writable(|log, value| {
            let target = text(value);
            log.set_target(target)
                .map_err(|error| refused("target", target, &error))
        }),
        Property::new("SyslogIdentifier", "s", Change::Silent, |log: &Log| {
            log.identifier().into()
        }),
    ],
    signals: &[],
};

/// The text of a value; its type has been checked.
fn text<'a>(value: &'a Variant<'_>) -> &'a str {
    match value {
        Variant::Str(text) => text.as_str(),
        _ => "",
    }
}

fn refused(what: &str, word: &str, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::InvalidInput => Error::invalid_args(format!("Invalid log {what} '{word}'")),
        _ => Error::failed(format!("Failed to set the log {what}: {error}")),
    }
}
