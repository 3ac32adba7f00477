//! What kind of machine a machine is.

use std::fmt;

use crate::{argument::Argument, error::Error};

/// The class of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A container: its processes are processes of this kernel.
    Container,
    /// A virtual machine: its leader is the hypervisor's process.
    Vm,
    /// The machine that machined runs on. Never registered by anyone: a caller who could choose it would own a record
    /// whose shell is the host's (CVE-2026-4105).
    Host,
}

impl Class {
    /// The class that a caller may ask for. The empty string stands for a container, as in systemd.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for every other word, `host` included.
    pub fn from_caller(word: &str) -> Result<Self, Error> {
        match word {
            "" | "container" => Ok(Self::Container),
            "vm" => Ok(Self::Vm),
            other => Err(Error::InvalidArgument(
                Argument::Class,
                format!(
                    "Invalid machine class '{}': use 'container' or 'vm'.",
                    other.escape_debug()
                ),
            )),
        }
    }

    /// The word for it on every interface and in the state file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Vm => "vm",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
