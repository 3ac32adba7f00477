//! Sockets that a service manager opens, and hands over when somebody calls.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use serde_json::{Value, json};
use support::{Manager, Options, Sandbox, sandbox, skip};

const MACHINE: &str = "/run/systemd/machine/io.systemd.Machine";
const SOCKETS: [&str; 4] = [
    MACHINE,
    "/run/systemd/userdb/io.systemd.Machine",
    "/run/systemd/resolve.hook/io.systemd.Machine",
    "/run/switchyard/machined/io.switchyard.Machines",
];

fn list(s: &Sandbox) -> Value {
    s.varlink(
        MACHINE,
        "io.systemd.Machine.List",
        &json!({ "name": ".host" }),
    )
}

/// With the first so many passed, and one that means nothing to us.
fn passed(s: &Sandbox, count: usize) {
    let sockets = &SOCKETS[..count];
    let mut line = "exec systemd-socket-activate --fdname=varlink".to_owned();
    for socket in sockets.iter().chain([&"/run/unknown"]) {
        fs::create_dir_all(Path::new(socket).parent().unwrap()).unwrap();
        line.push_str(&format!(" -l {socket}"));
    }
    line.push_str(" /usr/libexec/switchyard/machined");
    let daemon = s.spawn("machined", &["sh", "-c", &line]);
    let there = || sockets.iter().all(|socket| Path::new(socket).exists());
    s.wait_for(there, "the sockets");
    let inode = |socket: &str| {
        use std::os::unix::fs::MetadataExt;
        fs::symlink_metadata(socket).unwrap().ino()
    };
    let before: Vec<_> = sockets.iter().map(|socket| inode(socket)).collect();
    // Nobody has started it yet.
    assert!(!Path::new("/run/switchyard/machined/lock").exists());
    assert_eq!(list(s)["parameters"]["class"], "host");
    for socket in SOCKETS {
        let kind = fs::symlink_metadata(socket).unwrap().file_type();
        assert!(kind.is_socket(), "{socket}");
        let described = s.varlink(socket, "org.varlink.service.GetInfo", &json!({}));
        assert_eq!(described["parameters"]["product"], "machined", "{socket}");
    }
    assert!(
        daemon.log().contains("nothing is known"),
        "{}",
        daemon.log()
    );
    let status = daemon.end();
    assert!(status.success(), "{status}");
    // What is the service manager's stays, and is the same.
    let after: Vec<_> = sockets.iter().map(|socket| inode(socket)).collect();
    assert_eq!(before, after);
    for socket in &SOCKETS[count..] {
        assert!(!Path::new(socket).exists(), "{socket}");
    }
}

#[test]
fn sockets_are_taken_over_and_left() {
    sandbox!(alone(), |s| passed(s, SOCKETS.len()));
}

#[test]
fn what_is_not_passed_is_made() {
    sandbox!(alone(), |s| passed(s, 1));
}

fn alone() -> Options {
    Options::new().machined(None).bus(false)
}

#[test]
fn systemd_starts_machined_when_it_is_called() {
    sandbox!(
        Options::new().machined(None).manager(Manager::Systemd),
        |s| {
            if !s.has_manager() {
                skip!("systemd wants root, and cgroups to write to");
            }
            s.run("systemctl start switchyard-machined.socket").ok();
            let state = || {
                s.run("systemctl is-active switchyard-machined.service")
                    .stdout
            };
            assert_eq!(state().trim(), "inactive");
            for socket in SOCKETS {
                assert!(
                    fs::symlink_metadata(socket)
                        .unwrap()
                        .file_type()
                        .is_socket()
                );
            }
            // A program that looks a name up.
            assert_eq!(s.run("getent hosts nosuchmachine").status, Some(2));
            s.wait_for(|| state().trim() == "active", "machined to be started");
            assert_eq!(list(s)["parameters"]["class"], "host");
            s.run("systemctl stop switchyard-machined.service").ok();
            assert_eq!(list(s)["parameters"]["class"], "host");
            s.wait_for(
                || state().trim() == "active",
                "machined to be started again",
            );
        }
    );
}
