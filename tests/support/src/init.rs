//! PID 1 of the sandbox: lays out its system, starts the body, and reaps whatever is orphaned until the body ends.

use std::env;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio, exit};
use std::thread;

use rustix::process::{Pid, WaitOptions, wait};

use crate::launch::{LIFELINE, PART};
use crate::must::Must;
use crate::{Manager, Options, paths, root, skip, systemd};

/// Set for the body when the sandbox has cgroups it may write to.
pub(crate) const CGROUPS: &str = "SWITCHYARD_SANDBOX_CGROUPS";

/// Set for the body when systemd is the sandbox's service manager.
pub(crate) const MANAGER: &str = "SWITCHYARD_SANDBOX_MANAGER";

/// Runs PID 1 to the end of the sandbox and gives the status to end with.
#[expect(clippy::zombie_processes, reason = "reap_until waits for every child")]
pub(crate) fn run(options: &Options, again: &[String]) -> i32 {
    assert!(
        std::process::id() == 1,
        "the part of PID 1 is for PID 1: see support::launch"
    );
    let number = env::var(LIFELINE).must("no lifeline");
    let mut lifeline = File::open(format!("/proc/self/fd/{number}")).must("the lifeline");
    let exe = env::current_exe().must("current_exe");
    let stage = env::var_os(paths::STAGE)
        .map(PathBuf::from)
        .filter(|_| options.needs_stage());
    let newer = env::var_os(paths::NEWER).map(PathBuf::from);
    let here = env::current_dir().unwrap_or_default();
    let cgroups = root::enter(options, &paths::peers(), stage.as_deref(), newer.as_deref());
    let _ = rustix::system::sethostname(b"sandbox");
    quietly("ldconfig", &["-X"]);
    quietly("ip", &["link", "set", "lo", "up"]);

    let here = if here.is_dir() { here } else { "/".into() };
    let systemd = (options.manager == Manager::Systemd && cgroups).then(systemd::start);
    let mut command = match systemd {
        Some(leader) => systemd::beside(leader, exe, &here),
        None => Command::new(exe),
    };
    command.current_dir(&here);
    command.args(again).env_clear();
    if number == "0" {
        command.stdin(Stdio::null());
    }
    for name in PASSED_ON {
        command.envs(env::var_os(name).map(|value| (name, value)));
    }
    command
        .envs(ENVIRONMENT)
        .env(PART, "body")
        .env(paths::PEERS, paths::peers());
    let said = |fact| if fact { "1" } else { "" };
    command
        .env(CGROUPS, said(cgroups))
        .env(MANAGER, said(systemd.is_some()));
    command.envs(stage.map(|stage| (paths::STAGE, stage)));
    command.envs(newer.map(|newer| (paths::NEWER, newer)));
    let body = command.spawn().must("start the body of the test");
    thread::spawn(move || {
        let _ = lifeline.read(&mut [0]); // ends when the program outside does
        exit(1);
    });
    reap_until(Pid::from_child(&body))
}

/// What of the environment outside the body sees: the terminal's, and settings of tests and benchmarks.
const PASSED_ON: [&str; 11] = [
    "TERM",
    "COLUMNS",
    "LINES",
    "RUST_BACKTRACE",
    "SWITCHYARD_VERBOSE",
    "SWITCHYARD_BENCH",
    "SWITCHYARD_SEED",
    "SWITCHYARD_SOAK_PACKETS",
    "SWITCHYARD_SOAK_DAY",
    skip::REQUIRE,
    skip::SKIPPED,
];

const ENVIRONMENT: [(&str, &str); 7] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"),
    ("HOME", "/root"),
    ("USER", "root"),
    ("LANG", "C.UTF-8"),
    ("SYSTEMD_PAGER", ""),
    ("SYSTEMD_COLORS", "0"),
    ("SYSTEMD_LOG_TARGET", "console"),
];

fn reap_until(body: Pid) -> i32 {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == body => {
                return status
                    .exit_status()
                    .unwrap_or_else(|| 128 + status.terminating_signal().unwrap_or(0));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => panic!("wait: {error}"),
        }
    }
}

fn quietly(program: &str, args: &[&str]) {
    let output = Command::new(program)
        .args(args)
        .env("PATH", "/usr/sbin:/usr/bin")
        .output()
        .must(program);
    assert!(
        output.status.success(),
        "{program} {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
