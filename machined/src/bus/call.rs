//! From a call to what the registry understands: who is calling, and arguments that several methods share.

use std::net::IpAddr;

use dbus_serve::Call;
use serde::{Serialize, Serializer};
use zbus::{Signature, Type};

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

/// An address as it goes over the bus: family and bytes.
pub(super) struct WireAddress(IpAddr);

impl From<Address> for WireAddress {
    fn from(address: Address) -> Self {
        Self(address.ip)
    }
}

impl Type for WireAddress {
    const SIGNATURE: &'static Signature = <(i32, &[u8])>::SIGNATURE;
}

impl Serialize for WireAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            IpAddr::V4(ip) => (inet::AF_INET, Bytes(&ip.octets())).serialize(serializer),
            IpAddr::V6(ip) => (inet::AF_INET6, Bytes(&ip.octets())).serialize(serializer),
        }
    }
}

/// Bytes that are written at once: of a slice serde writes one after the other.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
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
    use std::net::IpAddr;

    use zbus::Message;

    use super::{WireAddress, absolute_path, optional_path, parsed_address, signal, whom};
    use crate::{inet, manager::Whom};

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

    #[test]
    fn addresses_go_out_as_they_come_in() {
        let addresses: Vec<IpAddr> = vec!["192.0.2.1".parse().unwrap(), "fd00::1".parse().unwrap()];
        let wire: Vec<_> = addresses.iter().map(|ip| WireAddress(*ip)).collect();
        let ours = Message::method_call("/", "Call").build(&wire).unwrap();
        let parts: Vec<_> = addresses.iter().map(|ip| inet::parts(*ip)).collect();
        let theirs = Message::method_call("/", "Call").build(&parts).unwrap();
        assert_eq!(ours.body().signature().to_string(), "a(iay)");
        assert_eq!(ours.body().data().bytes(), theirs.body().data().bytes());
    }
}
