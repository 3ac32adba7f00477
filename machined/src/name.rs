//! Names of machines.

use std::fmt;

use crate::{argument::Argument, error::Error};

/// The longest name, in bytes: HOST_NAME_MAX of Linux, hostname(7).
pub const NAME_MAX: usize = 64;

/// The name of the machine that is the host itself. No machine can be registered under it: it starts with a dot.
pub const HOST: &str = ".host";

/// A valid name of a machine: labels of `[A-Za-z0-9_-]`, joined by single dots, at most [`NAME_MAX`] bytes in all.
///
/// It is the name of a file in /run/systemd/machines and a part of the name of a unit, so it can hold neither `/` nor
/// be `.` or `..`; it is case-sensitive, as file names are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachineName(Box<str>);

impl MachineName {
    /// Checks `name`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] that says which rule the name breaks.
    pub fn new(name: &str) -> Result<Self, Error> {
        match broken_rule(name) {
            None => Ok(Self(name.into())),
            Some(rule) => Err(Error::InvalidArgument(
                Argument::Name,
                format!("Invalid machine name '{}': {rule}.", name.escape_debug()),
            )),
        }
    }

    /// The name of the host's own record.
    pub fn host() -> Self {
        Self(HOST.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The rule that `name` breaks, in words, if any.
fn broken_rule(name: &str) -> Option<&'static str> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > NAME_MAX {
        Some("it is longer than 64 bytes")
    } else if !name.bytes().all(allowed) {
        Some("only letters of ASCII, digits, '.', '_' and '-' may stand in it")
    } else if name.split('.').any(str::is_empty) {
        Some("a dot may neither begin nor end it, nor follow another dot")
    } else {
        None
    }
}

impl fmt::Display for MachineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for MachineName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::MachineName;

    #[test]
    fn names_that_are_good() {
        for name in ["a", "web", "Web-1", "a.b", "0", "a_b", &"x".repeat(64)] {
            assert_eq!(MachineName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn names_that_are_not() {
        let long = "x".repeat(65);
        for name in [
            "", ".", "..", ".host", "a.", "a..b", "a/b", "../x", "a b", "ä", "a\0", "a\n", &long,
        ] {
            assert!(MachineName::new(name).is_err(), "{name:?}");
        }
    }
}
