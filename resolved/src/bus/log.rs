//! The daemon's log, for LogControl1.

use std::io;

use daemon::log;
use dbus_serve::LogControl;

/// The one log of the process.
pub(super) struct Log;

impl LogControl for Log {
    fn level(&self) -> String {
        log::level().to_owned()
    }

    fn set_level(&self, level: &str) -> io::Result<()> {
        log::set_level(level)
    }

    fn target(&self) -> String {
        log::target().to_owned()
    }

    fn set_target(&self, target: &str) -> io::Result<()> {
        log::set_target(target)
    }

    fn identifier(&self) -> String {
        log::identifier().to_owned()
    }
}
