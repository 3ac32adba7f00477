//! The system bus: the real dbus-daemon with the system's configuration.

use std::fs;

use crate::daemon::{Daemon, Ready};
use crate::must::Must;
use crate::sandbox::Sandbox;

pub(crate) const SOCKET: &str = "/run/dbus/system_bus_socket";
const CONFIG: &str = "/etc/dbus-1/sandbox.conf";

impl Sandbox {
    /// Starts the system bus and waits until it answers.
    #[track_caller]
    pub fn start_bus(&self) -> &Daemon {
        write_config();
        let config = format!("--config-file={CONFIG}");
        let command = ["dbus-daemon", &config, "--nofork", "--nopidfile"];
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

pub(crate) fn write_config() {
    fs::write(CONFIG, config()).must("write the bus's configuration");
}

/// The distribution's configuration as it is, less what only a daemon that boot started needs: another user, forking, a
/// log to syslog, and the setuid helper for activation (without it the daemon starts services itself).
/// Its folders are named relative to the file.
fn config() -> String {
    let original =
        fs::read_to_string("/usr/share/dbus-1/system.conf").must("the bus's configuration");
    let boot = [
        "<user>",
        "<fork/>",
        "<syslog/>",
        "<servicehelper>",
        "<pidfile>",
    ];
    let kept = |line: &&str| !boot.iter().any(|tag| line.trim_start().starts_with(tag));
    let lines: Vec<_> = original.lines().filter(kept).collect();
    let relative = "<includedir>system.d</includedir>";
    lines.join("\n").replace(
        relative,
        "<includedir>/usr/share/dbus-1/system.d</includedir>",
    )
}
