//! The `sandbox` program, as a person calls it.

use std::io::Read;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn sandbox(args: &[&str]) -> std::io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(args)
        .output()
}

#[test]
fn it_runs_a_command_and_ends_with_its_status() {
    let output = sandbox(&[
        "--peer",
        "--",
        "sh",
        "-c",
        "hostname; busctl --no-legend list | grep -c machine1; exit 7",
    ])
    .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "sandbox\n1\n",
        "{output:?}"
    );
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn it_says_what_is_wrong_with_a_command_line() {
    for (args, complaint) in [
        (&["--no-such"][..], "no option --no-such"),
        (&["--modules"], "--modules wants a value"),
        (&["--machined", "theirs"], "ours or peer, not theirs"),
        (
            &["--container", "web:mail"],
            "VIA is create, register or varlink, not mail",
        ),
    ] {
        let output = sandbox(args).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(complaint),
            "{output:?}"
        );
    }
}

#[test]
fn it_helps() {
    let output = sandbox(&["--help"]).unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("usage: sandbox"));
}

#[test]
fn nothing_outlives_it_when_it_is_killed() {
    let mut sandbox = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    sandbox
        .args(["--peer", "--", "sh", "-c", "echo up; exec sleep 86321"])
        .stdout(Stdio::piped());
    let mut sandbox = sandbox.spawn().unwrap();
    let mut line = [0; 3];
    sandbox
        .stdout
        .take()
        .unwrap()
        .read_exact(&mut line)
        .unwrap();
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    let left = || {
        Command::new("pgrep")
            .args(["-xf", "sleep 86321"])
            .output()
            .unwrap()
            .stdout
    };
    let deadline = Instant::now() + Duration::from_secs(5);
    while !left().is_empty() && Instant::now() < deadline {
        sleep(Duration::from_millis(10));
    }
    assert_eq!(String::from_utf8_lossy(&left()), "");
}
