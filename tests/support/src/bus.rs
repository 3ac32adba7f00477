//! The system bus: the real dbus-daemon with the system's configuration.

use std::fs;

use crate::daemon::{Daemon, Ready};
use crate::must::Must;
use crate::sandbox::Sandbox;

const SOCKET: &str = "/run/dbus/system_bus_socket";
const CONFIG: &str = "/usr/share/dbus-1/system.conf";

impl Sandbox {
    /// Starts the system bus and waits until it answers.
    #[track_caller]
    pub fn start_bus(&self) -> &Daemon {
        fs::write(CONFIG, config()).must("write the bus's configuration");
        let command = ["dbus-daemon", "--system", "--nofork", "--nopidfile"];
        let bus = Daemon::start("dbus", &command, &[], Ready::Socket(SOCKET.into()));
        assert!(self.bus.set(bus).is_ok(), "the bus was started twice");
        self.bus()
    }

    /// Starts polkit's daemon, which decides by the files of actions and rules. It must be able to change its user.
    #[track_caller]
    pub fn start_polkit(&self) -> Daemon {
        assert!(!self.is_rootless(), "polkitd needs a second user");
        let name = "org.freedesktop.PolicyKit1".into();
        Daemon::start(
            "polkitd",
            &["/usr/lib/polkit-1/polkitd", "--no-debug"],
            &[],
            Ready::BusName(name),
        )
    }
}

/// The distribution's configuration as it is, less what only a daemon that boot started needs: another user, forking, a
/// log to syslog, and the setuid helper for activation (without it the daemon starts services itself).
fn config() -> String {
    let original = fs::read_to_string(CONFIG).must("the bus's configuration");
    let left_out = [
        "<user>",
        "<fork/>",
        "<syslog/>",
        "<servicehelper>",
        "<pidfile>",
    ];
    original
        .lines()
        .filter(|line| {
            !left_out
                .iter()
                .any(|tag| line.trim_start().starts_with(tag))
        })
        .map(|l| format!("{l}\n"))
        .collect()
}
