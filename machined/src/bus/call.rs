//! From a call to what the registry understands: who is calling, and arguments that several methods share.

use std::net::IpAddr;

use dbus_serve::Call;

use crate::{
    address::Address,
    caller::{Caller, Subject},
    error::Error,
    inet,
    manager::Whom,
};

/// The longest path there is (PATH_MAX), with its final NUL.
const PATH_MAX: usize = 4096;

/// Who is calling, as the bus says.
pub(super) async fn caller(call: &Call) -> Result<Caller, dbus_serve::Error> {
    let credentials = call.credentials().await?;
    let pid = credentials.pid.ok_or_else(|| {
        dbus_serve::Error::access_denied("The bus does not tell which process is calling")
    })?;
    Ok(Caller {
        uid: credentials.uid,
        pid,
        pidfd: credentials.pidfd,
        subject: Subject::BusName(credentials.name),
        interactive: call.interactive(),
    })
}

/// Whom a signal is for.
pub(super) fn whom(word: &str) -> Result<Whom, Error> {
    match word {
        "" | "all" => Ok(Whom::All),
        "leader" => Ok(Whom::Leader),
        "supervisor" => Ok(Whom::Supervisor),
        other => Err(Error::InvalidArgs(format!(
            "Invalid kill parameter '{}': use 'all', 'leader' or 'supervisor'.",
            other.escape_debug()
        ))),
    }
}

/// A signal's number (signal(7): 1 to 64).
pub(super) fn signal(number: i32) -> Result<i32, Error> {
    match number {
        1..=64 => Ok(number),
        _ => Err(Error::InvalidArgs(format!("Invalid signal {number}"))),
    }
}

/// A path that must be absolute and must not climb. `what` begins the text of the error.
pub(super) fn absolute_path(what: &str, path: &str) -> Result<(), Error> {
    let wrong = if !path.starts_with('/') {
        "must be absolute"
    } else if path.len() >= PATH_MAX {
        "is too long"
    } else if path.split('/').any(|part| part == "..") {
        "must not contain '..'"
    } else {
        return Ok(());
    };
    Err(Error::InvalidArgs(format!("{what} path {wrong}.")))
}

/// The same, where the empty path stands for a default.
pub(super) fn optional_path(what: &str, path: &str) -> Result<(), Error> {
    match path {
        "" => Ok(()),
        path => absolute_path(what, path),
    }
}

/// Addresses as they go over the bus: family and bytes.
pub(super) fn wire_addresses(addresses: &[Address]) -> Vec<(i32, Vec<u8>)> {
    addresses
        .iter()
        .map(|address| inet::parts(address.ip))
        .collect()
}

/// An address as it comes over the bus.
pub(super) fn parsed_address(family: i32, bytes: &[u8]) -> Result<IpAddr, Error> {
    inet::address(family, bytes).ok_or_else(|| {
        Error::InvalidArgs(format!(
            "Invalid address: family {family} with {} bytes.",
            bytes.len()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::{absolute_path, optional_path, parsed_address, signal, whom};
    use crate::manager::Whom;

    #[test]
    fn arguments() {
        assert_eq!(whom("").unwrap(), Whom::All);
        assert!(whom("some").is_err());
        assert!(signal(0).is_err() && signal(65).is_err() && signal(-1).is_err());
        assert!(signal(64).is_ok());
        assert!(absolute_path("X", "/a/b").is_ok() && absolute_path("X", "/").is_ok());
        for path in ["", "a", "/a/../b", "/..", &format!("/{}", "x".repeat(4096))] {
            assert!(absolute_path("X", path).is_err(), "{path}");
        }
        assert!(optional_path("X", "").is_ok() && optional_path("X", "a").is_err());
    }

    #[test]
    fn addresses() {
        let ip = |family, bytes: &[u8]| parsed_address(family, bytes).map(|ip| ip.to_string()).ok();
        assert_eq!(ip(2, &[192, 0, 2, 1]).as_deref(), Some("192.0.2.1"));
        assert_eq!(ip(10, &[0; 16]).as_deref(), Some("::"));
        assert_eq!(ip(10, &[0; 4]), None);
        assert_eq!(ip(1, &[0; 4]), None);
    }
}
