//! From a call to what the registry understands: who is calling, and which machine is meant.

use std::rc::Rc;

use serde::Deserialize;
use varlink_serve::{Call, Failure, Peer};

use super::{error::failure, process::ProcessId};
use crate::{
    caller::{Caller, Subject},
    error::Error,
    machine::Machine,
    manager::Manager,
    name::{HOST, MachineName},
};

/// Who is calling, as the kernel says.
pub(super) fn caller(peer: &Peer, interactive: Option<bool>) -> Result<Caller, Failure> {
    let process = peer.process().map_err(|error| Failure::system(&error))?;
    Ok(Caller {
        uid: peer.uid(),
        pid: process.pid,
        pidfd: process.pidfd,
        subject: Subject::Process,
        interactive: interactive.unwrap_or(false),
    })
}

/// The parameters by which every method that is about one machine finds it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Which {
    pub name: Option<String>,
    pub pid: Option<ProcessId>,
    pub allow_interactive_authentication: Option<bool>,
}

/// Finds the machine of this name, of this process, or both. PID 0 is the caller's.
///
/// # Errors
/// NoSuchMachine: also where neither is given, and where they are two different machines.
pub(super) async fn find(
    manager: &Manager,
    call: &Call<'_>,
    name: Option<&str>,
    pid: Option<ProcessId>,
) -> Result<Rc<Machine>, Failure> {
    let unknown = || failure(Error::NoSuchMachine(name.unwrap_or_default().to_owned()));
    let by_name = name.map(|name| named(manager, name)).transpose()?;
    let by_pid = match pid {
        None => None,
        Some(process) => {
            let pid = match process.pid() {
                0 => caller(call.peer(), None)?.pid,
                pid => pid,
            };
            let machine = manager.machine_of_pid(pid).map_err(failure)?;
            // Asked after the look, so that it proves whom the look was about.
            if process.pid() != 0 && !process.is_current() {
                return Err(unknown());
            }
            Some(machine)
        }
    };
    match (by_name, by_pid) {
        (Some(one), Some(other)) if !Rc::ptr_eq(&one, &other) => Err(unknown()),
        (Some(machine), _) | (None, Some(machine)) => Ok(machine),
        (None, None) => Err(unknown()),
    }
}

/// The machine of this name.
fn named(manager: &Manager, name: &str) -> Result<Rc<Machine>, Failure> {
    if name != HOST && MachineName::new(name).is_err() {
        return Err(Failure::invalid_parameter("name"));
    }
    manager.machine(name).map_err(failure)
}
