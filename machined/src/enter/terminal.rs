//! Terminals in machines, and what runs on them.

use std::{
    os::fd::{AsFd, OwnedFd},
    rc::Rc,
};

use machined_enter::{Request, request::Program};

use super::{Terminal, guest::ServiceManager, helper, rules, slots};
use crate::{
    access::Action, caller::Caller, class::Class, error::Error, machine::Machine, manager::Manager,
};

/// What machines call their superuser.
const ROOT: &str = "root";

impl Manager {
    /// Opens a terminal in the machine: our end, and the path of the other as seen inside.
    ///
    /// Logins and shells are run by the machine's service manager. A machine without one runs them all the same, by a
    /// process that enters it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`]; [`Error::NotSupported`] for a VM; [`Error::AccessDenied`]; [`Error::JobFailed`] if its
    /// service manager would not; [`Error::TimedOut`].
    pub async fn open_terminal(
        &self,
        caller: &Caller,
        machine: &Rc<Machine>,
        mut terminal: Terminal,
    ) -> Result<(OwnedFd, String), Error> {
        let host = machine.class == Class::Host;
        if !host {
            rules::container(machine, "Opening a terminal")?;
        }
        if let Terminal::Shell {
            user,
            path,
            args,
            environment,
        } = &mut terminal
        {
            if user.is_empty() {
                ROOT.clone_into(user);
            }
            rules::user(user)?;
            rules::program(path, args, environment)?;
        }
        self.may_open(caller, machine, &terminal).await?;
        let slot = slots::SHORT.take(machine.name.as_str())?;
        let request = Request::Terminal {
            host,
            bus: !host && terminal != Terminal::Pty,
        };
        let leader = machine.leader.pidfd.as_fd();
        let reply = helper::run(&request, &[leader], &slot, "opening a terminal").await?;
        let path = String::from_utf8_lossy(&reply.text).into_owned();
        let mut fds = reply.fds.into_iter();
        let (Some(ours), Some(theirs), bus) = (fds.next(), fds.next(), fds.next()) else {
            return Err(helper::unexpected());
        };
        if terminal == Terminal::Pty {
            return Ok((ours, path));
        }
        let manager = match (bus, self.bus()) {
            (Some(bus), _) => Some(ServiceManager::of_socket(bus).await?),
            (None, Some(bus)) if host => Some(ServiceManager::of_bus(bus)),
            (None, _) => None,
        };
        let runs = match manager {
            Some(manager) => manager.start(&terminal, &path, &theirs).await?,
            None => false,
        };
        if !runs {
            session(machine, host, terminal, &theirs, &slot).await?;
        }
        Ok((ours, path))
    }

    async fn may_open(
        &self,
        caller: &Caller,
        machine: &Machine,
        terminal: &Terminal,
    ) -> Result<(), Error> {
        let host = machine.class == Class::Host;
        let mut details = vec![("machine", machine.name.as_str())];
        let command;
        let action = match terminal {
            Terminal::Pty if host => Action::HostOpenPty,
            Terminal::Pty => Action::OpenPty,
            Terminal::Login if host => Action::HostLogin,
            Terminal::Login => Action::Login,
            Terminal::Shell {
                user, path, args, ..
            } => {
                command = if args.is_empty() {
                    path.clone()
                } else {
                    args.join(" ")
                };
                details.push(("user", user));
                details.push(("program", &command));
                if host {
                    Action::HostShell
                } else {
                    Action::Shell
                }
            }
        };
        self.authorize(caller, action, &details).await
    }
}

/// Runs it without the machine's help.
async fn session(
    machine: &Machine,
    host: bool,
    terminal: Terminal,
    theirs: &OwnedFd,
    slot: &slots::Slot,
) -> Result<(), Error> {
    let program = match terminal {
        Terminal::Shell {
            user,
            path,
            args,
            environment,
        } => Program::Shell {
            user,
            path,
            args,
            environment,
        },
        _ => Program::Login {
            environment: Vec::new(),
        },
    };
    let request = Request::Session { host, program };
    let fds = [machine.leader.pidfd.as_fd(), theirs.as_fd()];
    helper::run(&request, &fds, slot, "starting a program").await?;
    Ok(())
}
