//! Outside: opens the namespaces, starts PID 1 in them, and holds the whole to its time limit.
//!
//! The program starts itself three times over, told by one variable which part it plays: outside (here), PID 1
//! ([`init`]), and the body of the test. Starting anew, rather than forking, is what a program with threads (the test
//! harness has some) may safely do.

use std::any::Any;
use std::env;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::process::{Command, Stdio, exit};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::cgroup::Own;
use crate::command::{handle, kept, text};
use crate::must::Must;
use crate::sandbox::Sandbox;
use crate::{Options, init, paths, wait};

/// Names the part this process plays; unset outside.
pub(crate) const PART: &str = "SWITCHYARD_SANDBOX";
/// Names the descriptor of a pipe that this process holds open: PID 1 ends when the pipe does, so that nothing outlives a
/// test program that was killed.
pub(crate) const LIFELINE: &str = "SWITCHYARD_SANDBOX_LIFELINE";
/// What the body ends with when it has passed: a harness that ran no test ends with 0.
pub(crate) const PASSED: i32 = 77;

/// Runs `body` in a sandbox; for [`sandbox!`](crate::sandbox), which knows the name of the test it stands in.
///
/// # Panics
/// Outside, when the body panicked or outlived the time limit: then what was printed inside has been printed.
pub fn run(here: &str, options: Options, body: impl FnOnce(&Sandbox)) {
    let name = here.split_once("::").map_or(here, |(_crate, path)| path);
    let name = name
        .split("::{{closure}}")
        .next()
        .unwrap_or(name)
        .trim_end_matches("::here");
    let again = [
        "--exact",
        name,
        "--nocapture",
        "--include-ignored",
        "--test-threads=1",
    ]
    .map(String::from);
    match env::var(PART).as_deref() {
        Err(_) => outside(&options, &again),
        Ok("init") => exit(init::run(&options, &again)),
        Ok(_) => exit(inside(&options, body)),
    }
}

/// Runs `body` in a sandbox with this process's own terminal, and no time limit; for programs. Its value is the
/// program's exit status.
pub fn run_program(options: &Options, body: impl FnOnce(&Sandbox) -> i32) -> i32 {
    let again: Vec<String> = env::args().skip(1).collect();
    match env::var(PART).as_deref() {
        Err(_) => {
            if paths::fetched().is_none() {
                return 1;
            }
            if options.needs_stage() && paths::stage().is_none() {
                eprintln!("missing: a staged install of this project: `make stage` makes it");
                return 1;
            }
            let own = Own::create();
            let mut command = namespaces(options, &own, &again);
            // Standard input is the program's own here, so the pipe is handed down beside it.
            let (lifeline, _held) = pipe_with(PipeFlags::CLOEXEC).must("pipe");
            fcntl_setfd(&lifeline, FdFlags::empty()).must("hand down the lifeline");
            command.env(LIFELINE, lifeline.as_raw_fd().to_string());
            let status = command.status().must("unshare (of util-linux)");
            status.code().unwrap_or(1)
        }
        Ok("init") => init::run(options, &again),
        Ok(_) => body(&Sandbox::open(options)),
    }
}

fn outside(options: &Options, again: &[String]) {
    let own = Own::create();
    let output = kept("sandbox");
    let mut command = namespaces(options, &own, again);
    command
        .env(LIFELINE, "0")
        .stdin(Stdio::piped())
        .stdout(handle(&output))
        .stderr(handle(&output));
    let mut child = command.spawn().must("unshare (of util-linux)");
    let ended = wait::child(&mut child, options.timeout).must("wait for the sandbox");
    if ended.is_none() {
        child.kill().must("kill the sandbox"); // unshare; the kernel then ends its PID 1, and with it all the others
        child.wait().must("wait for the killed sandbox");
    }
    let said = text(&output);
    print!("{said}");
    match ended.map(|status| status.code()) {
        Some(Some(PASSED)) => {}
        Some(Some(0)) => panic!("the sandbox ran no test of this name: {again:?}"),
        Some(_) if said.starts_with("unshare: ") => {
            panic!(
                "missing: leave to open namespaces (as root CAP_SYS_ADMIN, else user namespaces)"
            )
        }
        Some(_) => panic!("failed inside the sandbox; what it printed is above"),
        None => panic!(
            "still running after {:?}, and killed; its output is above",
            options.timeout
        ),
    }
}

/// This program again, as PID 1 of namespaces of its own.
fn namespaces(options: &Options, own: &Own, again: &[String]) -> Command {
    // The shell enters the cgroups, since the namespace's root is where its maker stands.
    let mut command = Command::new("/bin/sh");
    command.args([
        "-c",
        r#"for d in $CGROUPS; do echo $$ >"$d/cgroup.procs"; done; exec "$@""#,
        "sh",
        "unshare",
    ]);
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args([
        "--mount",
        "--net",
        "--pid",
        "--ipc",
        "--uts",
        "--cgroup",
        "--propagation=private",
    ]);
    command
        .args(["--fork", "--kill-child"])
        .arg(env::current_exe().must("current_exe"))
        .args(again);
    command.env(
        "CGROUPS",
        own.dirs()
            .iter()
            .map(|d| d.display().to_string())
            .collect::<Vec<_>>()
            .join(" "),
    );
    command.env(PART, "init").env(paths::PEERS, paths::peers());
    if options.needs_stage() {
        let stage = paths::stage()
            .must("there is no staged install of this project: `make stage` makes it");
        command.env(paths::STAGE, stage);
    }
    if options.newer {
        command.envs(paths::newer().map(|newer| (paths::NEWER, newer)));
    }
    command
}

fn inside(options: &Options, body: impl FnOnce(&Sandbox)) -> i32 {
    match catch_unwind(AssertUnwindSafe(|| body(&Sandbox::open(options)))) {
        Ok(()) => PASSED,
        Err(panic) => {
            tell_logs();
            resume_unwind(panic as Box<dyn Any + Send>)
        }
    }
}

/// The last lines of every daemon's log.
fn tell_logs() {
    for entry in Path::new(crate::daemon::LOGS)
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
    {
        let log =
            String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap_or_default()).into_owned();
        let lines: Vec<_> = log.lines().collect();
        println!("---- log of {}", entry.file_name().display());
        for line in lines.iter().skip(lines.len().saturating_sub(60)) {
            println!("{line}");
        }
    }
}
