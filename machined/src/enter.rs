//! Everything that enters a container, done by a process of its own that has taken leave of machined's privileges and
//! descriptors first: `machined-enter`.

mod bounded;
mod copy;
mod guest;
mod helper;
pub(crate) mod os_release;
mod rules;
mod slots;
mod terminal;

use std::{fs::File, io::Read, os::fd::AsFd, os::fd::OwnedFd, rc::Rc};

use machined_enter::Request;
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use crate::{
    access::Action, argument::Argument, caller::Caller, class::Class, error::Error,
    machine::Machine, manager::Manager,
};

/// Which way to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the machine to the host.
    FromMachine,
    /// From the host to the machine.
    ToMachine,
}

/// What to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copy<'a> {
    /// Which way.
    pub direction: Direction,
    /// An absolute path.
    pub source: &'a str,
    /// An absolute path; empty for the source's.
    pub destination: &'a str,
    /// Whether to write over what is there.
    pub replace: bool,
}

/// What to run on a new terminal in a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Terminal {
    /// Nothing: the terminal alone.
    Pty,
    /// A login prompt.
    Login,
    /// A program, by default the user's shell.
    Shell {
        /// The user; empty for root.
        user: String,
        /// The program; empty for the user's shell.
        path: String,
        /// Its arguments with argv\\[0\\]; empty for the path alone.
        args: Vec<String>,
        /// `KEY=value` each.
        environment: Vec<String>,
    },
}

/// The most that is read of the host's own os-release.
const OS_RELEASE_LIMIT: u64 = 64 * 1024;

impl Manager {
    /// The fields of /etc/os-release (or /usr/lib/os-release) in the machine, in order.
    ///
    /// # Errors
    /// [`Error::NotSupported`] for a VM; [`Error::NoOsRelease`] where there is no such file; [`Error::Io`] where it is none that
    /// can be read; [`Error::TimedOut`].
    pub async fn os_release(&self, machine: &Rc<Machine>) -> Result<Vec<(String, String)>, Error> {
        let none = || Error::NoOsRelease(format!("Machine {} has no os-release", machine.name));
        if machine.class == Class::Host {
            let mut text = Vec::new();
            File::open("/etc/os-release")
                .or_else(|_| File::open("/usr/lib/os-release"))
                .and_then(|file| file.take(OS_RELEASE_LIMIT).read_to_end(&mut text))
                .map_err(|_| none())?;
            return Ok(os_release::parse(&text));
        }
        rules::container(machine, "Requesting OS release data")?;
        let slot = slots::SHORT.take(machine.name.as_str())?;
        let leader = machine.leader.pidfd.as_fd();
        match helper::run(&Request::OsRelease, &[leader], &slot, "reading os-release").await {
            Ok(reply) => Ok(os_release::parse(&reply.text)),
            Err(Error::Io(_, error)) if error.kind() == std::io::ErrorKind::NotFound => Err(none()),
            Err(error) => Err(error),
        }
    }

    /// Mounts a directory or file of the host into the machine. An empty destination is the source's path.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a path that is not absolute and normalized; [`Error::NotSupported`] for other than
    /// containers, and where the file system can't be mounted with a container's own user ids; [`Error::AccessDenied`];
    /// [`Error::Io`]; [`Error::TimedOut`].
    pub async fn bind_mount(
        &self,
        caller: &Caller,
        machine: &Rc<Machine>,
        source: &str,
        destination: &str,
        read_only: bool,
        mkdir: bool,
    ) -> Result<(), Error> {
        let destination = if destination.is_empty() {
            source
        } else {
            destination
        };
        rules::container(machine, "Bind mounting")?;
        rules::normalized(source, Argument::Source)?;
        rules::normalized(destination, Argument::Destination)?;
        let details = [
            ("machine", machine.name.as_str()),
            ("verb", "bind"),
            ("src", source),
            ("dest", destination),
        ];
        self.authorize(caller, Action::ManageMachines, &details)
            .await?;
        let slot = slots::SHORT.take(machine.name.as_str())?;
        let request = Request::Bind {
            source: source.to_owned(),
            destination: destination.to_owned(),
            read_only,
            mkdir,
        };
        let leader = machine.leader.pidfd.as_fd();
        helper::run(&request, &[leader], &slot, "bind mounting").await?;
        Ok(())
    }

    /// A descriptor of the machine's root directory, open for reading.
    ///
    /// # Errors
    /// [`Error::NotSupported`] for a VM; [`Error::AccessDenied`]; [`Error::Io`]; [`Error::TimedOut`].
    pub async fn open_root_directory(
        &self,
        caller: &Caller,
        machine: &Rc<Machine>,
    ) -> Result<OwnedFd, Error> {
        let host = machine.class == Class::Host;
        if !host {
            rules::container(machine, "Opening the root directory")?;
        }
        let details = [
            ("machine", machine.name.as_str()),
            ("verb", "open_root_directory"),
        ];
        self.authorize(caller, Action::ManageMachines, &details)
            .await?;
        if host {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            return rustix::fs::open("/", flags, Mode::empty())
                .map_err(Error::io::<Errno>("Failed to open /"));
        }
        let slot = slots::SHORT.take(machine.name.as_str())?;
        let leader = machine.leader.pidfd.as_fd();
        let what = "opening the root directory";
        let reply = helper::run(&Request::RootDirectory, &[leader], &slot, what).await?;
        let [directory] = helper::descriptors(reply.fds)?;
        Ok(directory)
    }
}
