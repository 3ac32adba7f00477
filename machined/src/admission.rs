//! Who and what may be registered.

use std::os::fd::OwnedFd;

use crate::{
    argument::Argument,
    caller::Caller,
    class::Class,
    error::Error,
    leader::Leader,
    ownership,
    registration::{ProcessRef, Registration},
};

/// The longest text that a caller may leave with us, in bytes: PATH_MAX.
const LONGEST_TEXT: usize = 4096;

/// What can be told without looking at anything.
pub(crate) fn check(request: &Registration) -> Result<(), Error> {
    let invalid = |argument, text: String| Err(Error::InvalidArgument(argument, text));
    if request.class == Class::Host {
        return invalid(
            Argument::Class,
            "There is one host, and it is registered".to_owned(),
        );
    }
    let root = request.root_directory.as_str();
    if !root.is_empty() && !is_normal_path(root) {
        let root = root.escape_debug();
        return invalid(
            Argument::RootDirectory,
            format!("The root directory must be empty or an absolute path without '..': '{root}'"),
        );
    }
    if let Some(index) = request.network_interfaces.iter().find(|&&index| index <= 0) {
        return invalid(
            Argument::Interfaces,
            format!("Invalid network interface index {index}"),
        );
    }
    let texts = [
        (Argument::RootDirectory, "root directory", Some(root)),
        (Argument::Service, "service", Some(&request.service)),
        (
            Argument::SshAddress,
            "SSH address",
            request.ssh_address.as_deref(),
        ),
        (
            Argument::SshPrivateKeyPath,
            "SSH private key path",
            request.ssh_private_key_path.as_deref(),
        ),
    ];
    for (argument, what, text) in texts {
        // They go into files of lines, and into the log.
        if text.is_some_and(|text| text.len() > LONGEST_TEXT || text.chars().any(char::is_control))
        {
            return invalid(
                argument,
                format!("The {what} is too long or has control characters in it"),
            );
        }
    }
    Ok(())
}

/// Absolute, and no component of it leads up.
fn is_normal_path(path: &str) -> bool {
    path.starts_with('/') && !path.split('/').any(|part| part == "..") && path.len() < LONGEST_TEXT
}

/// The process that is to stand for the machine.
pub(crate) fn leader_of(caller: &Caller, process: &ProcessRef) -> Result<Leader, Error> {
    let leader = open(caller, process)?;
    if leader.pid == 1 {
        return Err(Error::InvalidArgument(
            Argument::Leader,
            "The leader of a machine can't be PID 1".to_owned(),
        ));
    }
    ownership::check(&leader, caller.uid)?;
    Ok(leader)
}

/// Who watches over the leader: the caller unless they say otherwise, or are it themselves.
pub(crate) fn supervisor_of(
    caller: &Caller,
    process: Option<&ProcessRef>,
    leader: &Leader,
) -> Result<Option<Leader>, Error> {
    let Some(process) = process else {
        // A caller that has gone since watches over nothing.
        let supervisor = open(caller, &ProcessRef::Caller).ok();
        return Ok(supervisor.filter(|supervisor| supervisor.pid != leader.pid));
    };
    let supervisor = open(caller, process).map_err(|error| error.about(Argument::Supervisor))?;
    if supervisor.pid == 1 {
        return Err(Error::InvalidArgument(
            Argument::Supervisor,
            "The supervisor of a machine can't be PID 1".to_owned(),
        ));
    }
    ownership::check(&supervisor, caller.uid)?;
    Ok((supervisor.pid != leader.pid).then_some(supervisor))
}

fn open(caller: &Caller, process: &ProcessRef) -> Result<Leader, Error> {
    let cloned = |fd: &OwnedFd| {
        fd.try_clone()
            .map_err(Error::io("Failed to hold the process"))
    };
    match process {
        ProcessRef::Caller => match &caller.pidfd {
            Some(pidfd) => Leader::from_pidfd(cloned(pidfd)?),
            None => Leader::open(caller.pid),
        },
        ProcessRef::Pid(pid) => Leader::open(*pid),
        ProcessRef::PidFd(pidfd) => Leader::from_pidfd(cloned(pidfd)?),
        ProcessRef::PidAndId(pid, id) => {
            let leader = Leader::open(*pid)?;
            if leader.pidfd_id != Some(*id) {
                let what = format!("Process {pid} is not the one with the id {id}");
                return Err(Error::Io(what, rustix::io::Errno::SRCH.into()));
            }
            Ok(leader)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_normal_path;

    #[test]
    fn roots() {
        for good in ["/", "/var/lib/machines/a", "/a//b/.", "/a..b"] {
            assert!(is_normal_path(good), "{good}");
        }
        let long = format!("/{}", "x".repeat(5000));
        for bad in ["", "a", "..", "/..", "/a/../b", "/a/..", &long] {
            assert!(!is_normal_path(bad), "{bad}");
        }
    }
}
