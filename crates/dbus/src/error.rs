//! What goes wrong, in the terms of sd-bus.

use std::fmt;

/// Why something was refused. Each stands for one error number, whose value is the platform's and so is left to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// `EINVAL`: an argument that is never right, such as a text that is no name.
    Invalid,
    /// `ERANGE`: a number that is none of these.
    Range,
    /// `ENXIO`: not the type that stands here.
    Mismatch,
    /// `EPERM`: not in this state, such as a change to a message that is sealed.
    NotPermitted,
    /// `EBUSY`: a container was left before its end.
    Busy,
    /// `EBADMSG`: bytes that are not D-Bus.
    Malformed,
    /// `EEXIST`: what can be said once was said before.
    Exists,
    /// `ENOMEM`: there is no memory for it, or a message would be larger than any may be.
    NoMemory,
    /// `ENOBUFS`: a queue is full.
    Full,
    /// `EOPNOTSUPP`: not possible in this version of the protocol, or with this peer.
    Unsupported,
}

/// Of everything here.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Its name in `errno(3)`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invalid => "EINVAL",
            Self::Range => "ERANGE",
            Self::Mismatch => "ENXIO",
            Self::NotPermitted => "EPERM",
            Self::Busy => "EBUSY",
            Self::Malformed => "EBADMSG",
            Self::Exists => "EEXIST",
            Self::NoMemory => "ENOMEM",
            Self::Full => "ENOBUFS",
            Self::Unsupported => "EOPNOTSUPP",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl std::error::Error for Error {}
