//! Everything that enters a container, done by a process of its own that has taken leave of machined's privileges and
//! descriptors first: `machined-enter`.

use std::{os::fd::OwnedFd, rc::Rc};

use crate::{caller::Caller, error::Error, machine::Machine, manager::Manager};

/// Which way to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the machine to the host.
    FromMachine,
    /// From the host to the machine.
    ToMachine,
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

impl Manager {
    /// The fields of /etc/os-release (or /usr/lib/os-release) in the machine, in order.
    pub async fn os_release(&self, machine: &Rc<Machine>) -> Result<Vec<(String, String)>, Error> {
        Err(Error::NoOsRelease(machine.name.to_string()))
    }

    /// Copies a file or a tree. An empty destination is the source's path. `replace`: over what is there.
    pub async fn copy(
        &self,
        caller: &Caller,
        machine: &Rc<Machine>,
        direction: Direction,
        source: &str,
        destination: &str,
        replace: bool,
    ) -> Result<(), Error> {
        let _ = (caller, machine, direction, source, destination, replace);
        Err(Error::NotSupported(String::new()))
    }

    /// Mounts a directory or file of the host into the machine. An empty destination is the source's path.
    pub async fn bind_mount(
        &self,
        caller: &Caller,
        machine: &Rc<Machine>,
        source: &str,
        destination: &str,
        read_only: bool,
        mkdir: bool,
    ) -> Result<(), Error> {
        let _ = (caller, machine, source, destination, read_only, mkdir);
        Err(Error::NotSupported(String::new()))
    }

    /// Opens a terminal in the machine: our end, and the path of the other as seen inside.
    pub async fn open_terminal(
        &self,
        caller: &Caller,
        machine: &Rc<Machine>,
        terminal: Terminal,
    ) -> Result<(OwnedFd, String), Error> {
        let _ = (caller, machine, terminal);
        Err(Error::NotSupported(String::new()))
    }

    /// A descriptor of the machine's root directory.
    pub async fn open_root_directory(
        &self,
        caller: &Caller,
        machine: &Rc<Machine>,
    ) -> Result<OwnedFd, Error> {
        let _ = (caller, machine);
        Err(Error::NotSupported(String::new()))
    }
}
