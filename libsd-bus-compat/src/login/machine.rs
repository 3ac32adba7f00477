//! What is known of a machine: a container or VM that machined keeps.

use super::Login;
use super::state::State;
use crate::number::parse_i32;
use crate::{Errno, Result};

/// The host itself.
const HOST: &str = ".host";
/// The longest name of a host (HOST_NAME_MAX).
const LONGEST: usize = 64;

impl Login {
    /// `container`, `vm` or `host`.
    ///
    /// # Errors
    /// EINVAL for a name that no machine can have, ENXIO without such a machine.
    pub fn machine_class(&self, name: &str) -> Result<String> {
        if name == HOST {
            return Ok("host".to_owned());
        }
        let state = self.machine(name)?;
        state.get("CLASS").map(str::to_owned).ok_or(Errno::IO)
    }

    /// The host's interfaces to it.
    ///
    /// # Errors
    /// As [`Login::machine_class`]; EUCLEAN if its file says what is no interface.
    pub fn machine_ifindices(&self, name: &str) -> Result<Vec<i32>> {
        let state = self.machine(name)?;
        let numbers = state.words("NETIF").map(|word| match parse_i32(word) {
            Ok(index) if index > 0 => Ok(index),
            _ => Err(Errno::UCLEAN),
        });
        numbers.collect()
    }

    fn machine(&self, name: &str) -> Result<State> {
        match is_name(name) {
            true => State::known(&self.path(&format!("/run/systemd/machines/{name}"))),
            false => Err(Errno::INVAL),
        }
    }
}

/// Whether a machine may have this name: labels of a host's.
pub(super) fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= LONGEST && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["web", "a.b", "A-1", "a_b", "1"] {
            assert!(is_name(name), "{name}");
        }
        let long = "a".repeat(65);
        for name in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "-a",
            "a-",
            "a/b",
            "ä",
            "unit:a.scope",
            &long,
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
