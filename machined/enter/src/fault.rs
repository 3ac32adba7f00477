//! What went wrong, for a person: what was tried, and the system's error number.

use std::{fmt, path::Path};

use rustix::io::Errno;

/// A failed operation. It crosses the socket to machined, which puts the two parts into its own error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What was tried, as in "Failed to open /etc/passwd".
    pub what: String,
    /// Why it did not work.
    pub errno: Errno,
}

impl Fault {
    /// A fault with this text.
    pub fn new(what: impl Into<String>, errno: Errno) -> Self {
        Self {
            what: what.into(),
            errno,
        }
    }

    /// For `map_err`: "Failed to WHAT".
    pub fn to(what: impl fmt::Display) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::new(format!("Failed to {what}"), errno)
    }

    /// For `map_err`: "Failed to VERB PATH".
    pub fn on(verb: &str, path: &Path) -> impl FnOnce(Errno) -> Self {
        Self::to(format_args!("{verb} {}", path.display()).to_string())
    }

    /// A refusal that is not the system's: EOPNOTSUPP, which machined reports as NotSupported.
    pub fn refused(what: impl Into<String>) -> Self {
        Self::new(what, Errno::OPNOTSUPP)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.errno)
    }
}

/// The error number inside an error of std.
pub(crate) fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
