//! `switchyard-oci-hook`: registers a container with machined when it starts, and forgets it when it has stopped.
//!
//! An OCI runtime runs it as a hook, with the container's state as JSON on standard input; other container managers call
//! its verbs. See switchyard-oci-hook(1).
//!
//! A hook that fails makes the runtime refuse the container, and one that hangs hangs it. So this one has a single deadline
//! for everything it does, and whatever goes wrong is a message on standard error and an exit status of 0, unless the
//! administrator asked for `--strict`.
#![forbid(unsafe_code)]

mod bundle;
mod cli;
mod container;
mod name;
mod registry;
mod state;
pub mod trial;

use std::{
    io::{self, Read, Write},
    process::ExitCode,
    sync::mpsc,
    thread,
    time::Duration,
};

use cli::{Action, Invocation};
use container::Container;
use registry::Registry;

/// For everything together: reading the state, the manager's files and the talk with machined.
const DEADLINE: Duration = Duration::from_secs(2);

/// The longest state that is read. Runtimes send a few kilobytes; annotations can make it longer.
const STATE_MAX: u64 = 1 << 20;

/// Runs it: what it was called for, and how it ends.
pub fn main() -> ExitCode {
    let invocation = match cli::parse(std::env::args_os().skip(1)) {
        Ok(invocation) => invocation,
        Err(error) => {
            complain(&format!("{error}\nTry 'switchyard-oci-hook --help'."));
            return ExitCode::from(2);
        }
    };
    let strict = invocation.strict;
    match invocation.action {
        Action::Help => return print(cli::HELP),
        Action::Version => {
            return print(concat!(
                "switchyard-oci-hook ",
                env!("CARGO_PKG_VERSION"),
                "\n"
            ));
        }
        _ => (),
    }
    match in_time(move || run(invocation)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            complain(&message);
            if strict {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            }
        }
    }
}

/// Runs `work`, but no longer than the deadline: the end of the process ends what still blocks, whichever call it is in.
fn in_time(work: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), String> {
    let (done, result) = mpsc::channel();
    let spawned = thread::Builder::new().spawn(move || done.send(work()));
    match spawned {
        Ok(_) => result
            .recv_timeout(DEADLINE)
            .unwrap_or_else(|_| Err(format!("gave up after {} s", DEADLINE.as_secs()))),
        Err(error) => Err(format!("failed to start: {error}")),
    }
}

/// Does what was asked for.
fn run(invocation: Invocation) -> Result<(), String> {
    let registry = Registry::new(invocation.socket);
    match invocation.action {
        Action::Register(container) => registry.register(&container),
        Action::Unregister(container) => registry.unregister(&container),
        Action::FromState(options) => {
            let state = state::parse(&read_stdin()?)?;
            match (state::stage(&state)?, Container::of(&state, &options)?) {
                (_, None) => Ok(()),
                (state::Stage::Start, Some(container)) => registry.register(&container),
                (state::Stage::Stopped, Some(container)) => registry.unregister(&container),
            }
        }
        Action::Help | Action::Version => Ok(()),
    }
}

fn read_stdin() -> Result<Vec<u8>, String> {
    let mut state = Vec::new();
    io::stdin()
        .lock()
        .take(STATE_MAX + 1)
        .read_to_end(&mut state)
        .map_err(|error| format!("failed to read the container's state: {error}"))?;
    if state.len() as u64 > STATE_MAX {
        return Err(format!(
            "the container's state is longer than {STATE_MAX} bytes"
        ));
    }
    Ok(state)
}

/// Writes to standard error, which may be closed: there is nobody left to tell then.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "switchyard-oci-hook: {message}");
}

fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
