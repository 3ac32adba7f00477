//! Programs of a desktop, unmodified, on systemd's library and on ours: their clients see the same. The compositor that they want, and
//! logind, are stand-ins.

mod sd_probe;
mod sd_program;

use std::fs;

use sd_program::{
    Monitor, ask, assert_loaded, closed, compare, open_bus, start, start_logind, start_service,
};
use support::{Daemon, Ready, Sandbox, sandbox};

/// Starts what the programs of Wayland want to be there.
fn start_compositor() -> Daemon {
    fs::write("/tmp/compositor.py", include_str!("programs/compositor.py")).unwrap();
    let command = ["/usr/bin/python3", "/tmp/compositor.py", "/tmp/wayland-0"];
    let ready = Ready::Socket("/tmp/wayland-0".into());
    start("compositor", "", &command, ready)
}

/// Notifications: vtables, signals, arrays of dictionaries with variants.
#[test]
fn mako() {
    sandbox!(closed(), |s| {
        open_bus(s);
        let _compositor = start_compositor();
        const NAME: &str = "org.freedesktop.Notifications";
        let said = compare(s, |library| {
            let monitor = Monitor::start(s, NAME);
            let mako = start_service(s, library, &["mako"], NAME);
            let introspect = format!("busctl --user introspect {NAME}");
            let call = format!(
                "gdbus call --session -d {NAME} -o /org/freedesktop/Notifications -m {NAME}"
            );
            let lines = [
                &format!("{introspect} /org/freedesktop/Notifications"),
                &format!("{introspect} /fr/emersion/Mako"),
                &format!("{call}.GetServerInformation"),
                &format!("{call}.GetCapabilities"),
                &format!(
                    r#"{call}.Notify prog 0 icon Summary '<b>Body</b>' "['default', 'Open', 'x', 'Other']" \
                    "{{'urgency': <byte 2>, 'category': <'im'>, 'unknown': <(1, 'y')>}}" 0"#
                ),
                &format!(r#"{call}.Notify prog 0 '' Two '' "@as []" "@a{{sv}} {{}}" 0"#),
                "makoctl list",
                "makoctl invoke x",
                "makoctl dismiss",
                &format!("{call}.CloseNotification 1"),
                &format!("{call}.CloseNotification 7"),
                "makoctl list",
                "makoctl set-mode dark",
                "makoctl mode",
                "makoctl reload",
            ];
            let mut said: String = lines.iter().map(|line| ask(s, line)).collect();
            monitor.wait_for("NotificationClosed (uint32 1, ");
            said += &monitor.heard();
            mako.end();
            said + &mako.log()
        });
        assert!(
            said.contains(r#""summary":{"type":"s","data":"Summary"}"#),
            "{said}"
        );
    });
}

/// A bus in a loop of another kind: a lock as a descriptor, signals of a session and of the machine.
#[test]
fn swayidle() {
    sandbox!(closed(), |s| {
        open_bus(s);
        let _compositor = start_compositor();
        compare(s, |library| story_of_swayidle(s, library));
    });
}

fn story_of_swayidle(s: &Sandbox, library: &str) -> String {
    let logind = start_logind();
    let before = (
        logind.log().len(),
        fs::read("/run/log/sandbox/swayidle").map_or(0, |log| log.len()),
    );
    let command = "export XDG_SESSION_ID=c1; exec swayidle -w lock 'echo locked' unlock 'echo unlocked' \
        before-sleep 'echo asleep' after-resume 'echo awake'";
    let swayidle = start("swayidle", library, &["sh", "-c", command], Ready::Now);
    let printed = |text: &str| {
        let is_there = || swayidle.log()[before.1..].lines().any(|line| line == text);
        s.wait_for(is_there, text);
    };
    let asked = |text: &str| {
        s.wait_for(|| logind.log()[before.0..].contains(text), text);
    };
    asked("inhibited:");
    assert_loaded(swayidle.pid(), library);
    let tell = |path: &str, what: &str| {
        ask(
            s,
            &format!("busctl call org.freedesktop.login1 {path} org.example.Test {what}"),
        );
    };
    tell("/org/freedesktop/login1/session/c1", "LockOrUnlock b true");
    printed("locked");
    tell("/org/freedesktop/login1/session/c1", "LockOrUnlock b false");
    printed("unlocked");
    tell("/org/freedesktop/login1", "Sleep b true");
    printed("asleep");
    asked("released:");
    tell("/org/freedesktop/login1", "Sleep b false");
    printed("awake");
    let count = |text: &str| {
        s.wait_for(|| logind.log()[before.0..].matches(text).count() == 2, text);
    };
    count("inhibited:");
    swayidle.end();
    count("released:");
    logind.end();
    swayidle.log()[before.1..].to_owned() + &logind.log()[before.0..]
}
