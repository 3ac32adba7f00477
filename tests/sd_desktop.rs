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
    // It says nowhere when it has begun to listen.
    let locked = || {
        tell("/org/freedesktop/login1/session/c1", "LockOrUnlock b true");
        swayidle.log()[before.1..]
            .lines()
            .any(|line| line == "locked")
    };
    s.wait_for(locked, "locked");
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
    let log = swayidle.log();
    let mut printed: Vec<_> = log[before.1..].lines().collect();
    printed.dedup();
    printed.join("\n") + &logind.log()[before.0..]
}

/// Games: a tree of objects by an enumerator and a fallback, a property that is told of, a call as a client.
#[test]
fn gamemoded() {
    sandbox!(closed(), |s| {
        open_bus(s);
        let saver = start_logind();
        let game = s.spawn("game", &["sleep", "1000"]);
        let said = compare(s, |library| {
            story_of_gamemoded(s, library, &saver, game.pid())
        });
        assert!(
            said.contains("/com/feralinteractive/GameMode/Games/PID"),
            "{said}"
        );
        assert!(said.contains("no screen saver: "), "{said}");
    });
}

fn story_of_gamemoded(s: &Sandbox, library: &str, saver: &Daemon, game: u32) -> String {
    const NAME: &str = "com.feralinteractive.GameMode";
    let before = saver.log().len();
    let monitor = Monitor::start(s, NAME);
    let daemon = start_service(s, library, &["gamemoded"], NAME);
    let pid = daemon.pid();
    assert_loaded(pid, library);
    let object = "/com/feralinteractive/GameMode";
    let call = |method: &str| {
        let line = format!("gdbus call --session -d {NAME} -o {object} -m {NAME}.{method}");
        ask(s, &line)
    };
    let mut said = ask(s, &format!("busctl --user introspect {NAME} {object}"));
    said += &call("QueryStatus 1");
    said += &call(&format!("RegisterGame {game}"));
    said += &call("ListGames");
    said += &ask(s, &format!("busctl --user tree {NAME}"));
    said += &ask(
        s,
        &format!("busctl --user introspect {NAME} {object}/Games/{game} | grep -v Timestamp"),
    );
    // The client's library speaks by libdbus.
    said += &ask(s, &format!("gamemoded -s; gamemoded -s{game}"));
    said += &call(&format!("QueryStatusByPID {game} {game}"));
    said += &call(&format!("RegisterGame {game}"));
    said += &call(&format!("UnregisterGame {game}"));
    said += &call(&format!("UnregisterGame {game}"));
    said += &call("ListGames");
    said += &call("RefreshConfig");
    monitor.wait_for("{'ClientCount': <0>}");
    s.wait_for(
        || saver.log()[before..].contains("\nscreen saver: "),
        "the end of the game",
    );
    said += &monitor.heard();
    daemon.end();
    said += &saver.log()[before..];
    said.replace(&game.to_string(), "PID")
}

/// A method of input: a binding of C++ with objects that come and go, variants as deep as a configuration, a program that types.
#[test]
fn fcitx5() {
    sandbox!(closed(), |s| {
        open_bus(s);
        fs::write("/tmp/type.py", include_str!("programs/type.py")).unwrap();
        let said = compare(s, |library| story_of_fcitx5(s, library));
        assert!(
            said.contains("\nUpdateFormattedPreedit ([], 0)\n"),
            "{said}"
        );
    });
}

fn story_of_fcitx5(s: &Sandbox, library: &str) -> String {
    const NAME: &str = "org.fcitx.Fcitx5";
    let _ = fs::remove_dir_all("/root/.config/fcitx5");
    let command = [
        "fcitx5",
        "--disable=all",
        "--enable=dbus,keyboard,dbusfrontend",
    ];
    let fcitx = start_service(s, library, &command, NAME);
    let controller = format!("{NAME} /controller org.fcitx.Fcitx.Controller1");
    let call = |method: &str| ask(s, &format!("busctl --user call {controller} {method}"));
    let configuration = ask(
        s,
        &format!("busctl --user --json=short call {controller} GetConfig s fcitx://config/global"),
    );
    [
        ask(s, &format!("busctl --user introspect {NAME} /controller")),
        ask(
            s,
            &format!("busctl --user introspect {NAME} /org/freedesktop/portal/inputmethod"),
        ),
        ask(s, &format!("busctl --user tree {NAME}")),
        call("State"),
        call("InputMethodGroups"),
        call("InputMethodGroupInfo s Default"),
        call("AddInputMethodGroup s Second"),
        call(r#"SetInputMethodGroupInfo ssa\(ss\) Second us 2 keyboard-us '' keyboard-de us"#),
        call("InputMethodGroupInfo s Second"),
        configuration,
        call(r#"SetConfig sv fcitx://config/global a{sv} 1 Behavior a{sv} 1 DefaultPageSize s 7"#),
        call("GetAddonsV2"),
        ask(s, "/usr/bin/python3 /tmp/type.py"),
        ask(s, "fcitx5-remote; fcitx5-remote -n; fcitx5-remote -e"),
        format!("{:?}", fcitx.wait()),
    ]
    .concat()
}

/// Mice for games: objects by enumerators below a fallback, in a loop of sd-event. There are none of these mice here.
#[test]
fn ratbagd() {
    sandbox!(closed(), |s| {
        open_bus(s);
        const NAME: &str = "org.freedesktop.ratbag1";
        let said = compare(s, |library| {
            let daemon = start_service(s, library, &["ratbagd"], NAME);
            let object = "/org/freedesktop/ratbag1";
            let none = s.run(&format!("busctl introspect {NAME} {object}/device/none"));
            let said = [
                ask(s, "ratbagctl list"),
                ask(s, &format!("busctl introspect {NAME} {object}")),
                ask(s, &format!("busctl introspect {NAME} {object}/device")),
                ask(s, &format!("busctl tree {NAME}")),
                none.stderr,
                ask(
                    s,
                    &format!(
                        "busctl get-property {NAME} {object} {NAME}.Manager Devices APIVersion"
                    ),
                ),
            ];
            daemon.end();
            said.concat() + &daemon.log()
        });
        assert!(said.contains("No devices available."), "{said}");
        assert!(said.contains("/org/freedesktop/ratbag1/device\n"), "{said}");
    });
}
