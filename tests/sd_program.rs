//! Programs that were linked against systemd's library, on that and on ours.
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs;
use std::path::Path;

use support::{Daemon, Options, Ready, Sandbox};

pub use crate::sd_probe::{OURS, quiet, theirs};

/// The one bus of the sandbox, which is the user's bus, too.
pub const BUS: &str = "unix:path=/run/dbus/system_bus_socket";

/// A sandbox whose bus is started by [`open_bus`].
pub fn closed() -> Options {
    quiet()
}

/// Starts a system bus on which everybody may have every name, and call everybody.
pub fn open_bus(s: &Sandbox) {
    fs::write("/etc/dbus-1/system.d/programs.conf", OPEN_TO_ALL).unwrap();
    s.start_bus();
}

const OPEN_TO_ALL: &str = r#"<busconfig>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
  </policy>
</busconfig>
"#;

/// Does the same with systemd's library and with ours, and gives what was seen with ours, which must be the same.
#[track_caller]
pub fn compare(s: &Sandbox, what: impl Fn(&str) -> String) -> String {
    let (theirs, ours) = (what(&theirs(s)), what(OURS));
    for (number, (theirs, ours)) in theirs.lines().zip(ours.lines()).enumerate() {
        assert_eq!(ours, theirs, "line {number}: ours is left");
    }
    assert_eq!(ours, theirs, "ours is left");
    ours
}

/// Starts a program on a library.
#[track_caller]
pub fn start(name: &str, library: &str, command: &[&str], ready: Ready) -> Daemon {
    let env = [
        ("LD_LIBRARY_PATH", library),
        ("DBUS_SESSION_BUS_ADDRESS", BUS),
        ("TERM", "linux"),
        ("XDG_RUNTIME_DIR", "/tmp"),
    ];
    Daemon::start(name, command, &env, ready)
}

/// Starts a program on a library, and waits until it has this name on the bus. It must be this library that it has loaded.
#[track_caller]
pub fn start_service(s: &Sandbox, library: &str, command: &[&str], name: &str) -> Daemon {
    let log = Path::new(command[0]).file_name().unwrap();
    let ready = Ready::BusName(name.into());
    let daemon = start(log.to_str().unwrap(), library, command, ready);
    assert_loaded(owner(s, name), library);
    daemon
}

/// Starts a stand-in of logind.
pub fn start_logind() -> Daemon {
    fs::write("/tmp/login.py", include_str!("programs/login.py")).unwrap();
    let command = ["/usr/bin/python3", "/tmp/login.py"];
    let ready = Ready::BusName("org.freedesktop.login1".into());
    start("logind", "", &command, ready)
}

/// The process that has a name on the bus.
#[track_caller]
pub fn owner(s: &Sandbox, name: &str) -> u32 {
    let method = "org.freedesktop.DBus / org.freedesktop.DBus GetConnectionUnixProcessID";
    let said = s.run(&format!("busctl call {method} s {name}")).ok();
    said.trim().trim_start_matches("u ").parse().unwrap()
}

/// A process has loaded the library of this folder, and no other of its kind.
#[track_caller]
pub fn assert_loaded(pid: u32, library: &str) {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let folders: Vec<_> = maps
        .lines()
        .filter_map(|line| line.split_once('/')?.1.split_once("/libsystemd.so.0"))
        .map(|(folder, _)| format!("/{folder}"))
        .collect();
    assert!(!folders.is_empty(), "no libsystemd.so.0 in:\n{maps}");
    assert!(folders.iter().all(|it| it == library), "{folders:?}");
}

/// What clients of the user's bus print; each must succeed.
#[track_caller]
pub fn ask(s: &Sandbox, line: &str) -> String {
    s.run(&format!("export DBUS_SESSION_BUS_ADDRESS={BUS}; {line}"))
        .ok()
}

/// GLib's `gdbus monitor`: the signals of whoever has a name, as lines.
pub struct Monitor<'s> {
    sandbox: &'s Sandbox,
    process: Daemon,
    /// Where its part of the log begins.
    begin: usize,
}

impl<'s> Monitor<'s> {
    /// Listens to a name, which need not be there yet.
    #[track_caller]
    pub fn start(sandbox: &'s Sandbox, name: &str) -> Self {
        let log = Path::new("/run/log/sandbox/monitor");
        let begin = fs::read(log).unwrap_or_default().len();
        let command = ["gdbus", "monitor", "--session", "--dest", name];
        let process = start("monitor", "", &command, Ready::Now);
        let monitor = Self {
            sandbox,
            process,
            begin,
        };
        let told = || monitor.said().contains("The name ");
        sandbox.wait_for(told, "gdbus to listen");
        monitor
    }

    fn said(&self) -> String {
        self.process.log()[self.begin..].to_owned()
    }

    /// Waits until a signal with this in its line has come.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        let has_come = || self.heard().contains(text);
        self.sandbox.wait_for(has_come, text);
    }

    /// The signals that have come, one in a line.
    pub fn heard(&self) -> String {
        let said = self.said();
        let complete = said.rsplit_once('\n').map_or("", |(lines, _)| lines);
        let signals = complete.lines().filter(|line| line.starts_with('/'));
        signals.map(|line| format!("{line}\n")).collect()
    }
}

impl Drop for Monitor<'_> {
    fn drop(&mut self) {
        self.process.end();
    }
}
