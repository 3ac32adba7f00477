//! Everything that can go wrong with a call, in one type that both interfaces map to their own names.

use std::{fmt, io};

use crate::argument::Argument;

/// Why a call failed. Its `Display` is the message that the caller sees.
#[derive(Debug)]
pub enum Error {
    /// No machine has this name.
    NoSuchMachine(String),
    /// No machine holds this process.
    NoMachineForPid(u32),
    /// No image has this name.
    NoSuchImage(String),
    /// The name is taken.
    MachineExists(String),
    /// The machine shares the host's network.
    NoPrivateNetworking(String),
    /// The user (named in the text) is not mapped.
    NoSuchUserMapping(String),
    /// The group (named in the text) is not mapped.
    NoSuchGroupMapping(String),
    /// A user id below 65536 belongs to the host, not to a container.
    UserInHostRange(u32),
    /// A group id below 65536 belongs to the host, not to a container.
    GroupInHostRange(u32),
    /// The machine has no readable os-release.
    NoOsRelease(String),
    /// The machine's user ids are not shifted by one number.
    NoUidShift(String),
    /// No SSH or other such access is known.
    NotAvailable(String),
    /// The machine has no bus to talk to.
    NoIpc(String),
    /// This kind of machine, or this program, can't do that.
    NotSupported(String),
    /// An argument is wrong that only one interface has; the text says which and why.
    InvalidArgs(String),
    /// This argument is wrong; the text says why.
    InvalidArgument(Argument, String),
    /// The caller may not do that.
    AccessDenied(String),
    /// polkit would allow it after asking a person, and the caller did not allow asking.
    InteractiveAuthorizationRequired(String),
    /// Too many operations run already.
    LimitsExceeded(String),
    /// The service manager could not start the scope.
    JobFailed(String),
    /// The operation took longer than it may.
    TimedOut(String),
    /// The system refused; the text says what was tried.
    Io(String, io::Error),
}

impl Error {
    /// Wraps an error of the system with what was tried: `fs::read(x).map_err(Error::io("Failed to read x"))`.
    pub fn io<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        move |error| Self::Io(what.into(), error.into())
    }
}

impl Error {
    /// The same, where what was wrong in itself was this argument.
    pub fn about(self, argument: Argument) -> Self {
        match self {
            Self::InvalidArgument(_, text) => Self::InvalidArgument(argument, text),
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchMachine(name) => write!(f, "No machine '{}' known", name.escape_debug()),
            Self::NoMachineForPid(pid) => {
                write!(f, "PID {pid} does not belong to any known machine")
            }
            Self::NoSuchImage(name) => write!(f, "No image '{}' known", name.escape_debug()),
            Self::MachineExists(name) => write!(f, "Machine '{name}' already exists"),
            Self::NoPrivateNetworking(name) => {
                write!(f, "Machine {name} does not use private networking")
            }
            Self::UserInHostRange(uid) => write!(f, "User ID {uid} belongs to the host"),
            Self::GroupInHostRange(gid) => write!(f, "Group ID {gid} belongs to the host"),
            Self::Io(what, error) => write!(f, "{what}: {error}"),
            Self::NoSuchUserMapping(text)
            | Self::NoSuchGroupMapping(text)
            | Self::NoOsRelease(text)
            | Self::NoUidShift(text)
            | Self::NotAvailable(text)
            | Self::NoIpc(text)
            | Self::NotSupported(text)
            | Self::InvalidArgs(text)
            | Self::InvalidArgument(_, text)
            | Self::AccessDenied(text)
            | Self::InteractiveAuthorizationRequired(text)
            | Self::LimitsExceeded(text)
            | Self::JobFailed(text)
            | Self::TimedOut(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(_, error) => Some(error),
            _ => None,
        }
    }
}
