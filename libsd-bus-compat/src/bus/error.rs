//! Errors of D-Bus and errors of the system: which name stands for which number (sd_bus_error(3)).

mod names;

use std::ffi::CStr;
use std::sync::{PoisonError, RwLock};

use self::names::{NUMBERS, SYSTEM};

/// What a name stands for that nobody knows.
pub const UNKNOWN: i32 = libc::EIO;

/// Names that a program has added.
static ADDED: RwLock<Vec<Map>> = RwLock::new(Vec::new());

/// Names of a program's own, by their address: the program has them for as long as it runs, and may add them twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Where they are.
    pub address: usize,
    /// Each and its number.
    pub entries: Vec<(Vec<u8>, i32)>,
}

/// Adds names. False if they were added before.
pub fn add(map: Map) -> bool {
    let mut added = ADDED.write().unwrap_or_else(PoisonError::into_inner);
    let is_new = !added.iter().any(|known| known.address == map.address);
    if is_new {
        added.push(map);
    }
    is_new
}

/// The number that a name stands for.
pub fn number(name: &[u8]) -> i32 {
    known(name).or_else(|| of_program(name)).unwrap_or(UNKNOWN)
}

fn known(name: &[u8]) -> Option<i32> {
    let found = NUMBERS.binary_search_by(|(known, _)| known.as_bytes().cmp(name));
    if let Some((_, number)) = found.ok().and_then(|index| NUMBERS.get(index)) {
        return Some(*number);
    }
    // Numbers that have two names.
    let name: &[u8] = match name {
        b"System.Error.EWOULDBLOCK" => b"System.Error.EAGAIN",
        b"System.Error.EDEADLOCK" => b"System.Error.EDEADLK",
        b"System.Error.ENOTSUP" => b"System.Error.EOPNOTSUPP",
        name => name,
    };
    let mut system = SYSTEM.iter();
    let found = system.find(|(known, _)| known.to_bytes() == name);
    found.map(|(_, number)| *number)
}

fn of_program(name: &[u8]) -> Option<i32> {
    let added = ADDED.read().unwrap_or_else(PoisonError::into_inner);
    let mut entries = added.iter().flat_map(|map| &map.entries);
    let found = entries.find(|(known, _)| known == name);
    found.map(|(_, number)| *number)
}

/// The name for a number: that of the D-Bus specification if there is one, else that of the number itself.
pub fn name(number: i32) -> &'static CStr {
    use libc::*;
    match number {
        ENOMEM => c"org.freedesktop.DBus.Error.NoMemory",
        EPERM | EACCES => c"org.freedesktop.DBus.Error.AccessDenied",
        EINVAL => c"org.freedesktop.DBus.Error.InvalidArgs",
        ESRCH => c"org.freedesktop.DBus.Error.UnixProcessIdUnknown",
        ENOENT => c"org.freedesktop.DBus.Error.FileNotFound",
        EEXIST => c"org.freedesktop.DBus.Error.FileExists",
        ETIMEDOUT | ETIME => c"org.freedesktop.DBus.Error.Timeout",
        EIO => c"org.freedesktop.DBus.Error.IOError",
        ENETRESET | ECONNABORTED | ECONNRESET => c"org.freedesktop.DBus.Error.Disconnected",
        EOPNOTSUPP => c"org.freedesktop.DBus.Error.NotSupported",
        EADDRNOTAVAIL => c"org.freedesktop.DBus.Error.BadAddress",
        ENOBUFS => c"org.freedesktop.DBus.Error.LimitsExceeded",
        EADDRINUSE => c"org.freedesktop.DBus.Error.AddressInUse",
        EBADMSG => c"org.freedesktop.DBus.Error.InconsistentMessage",
        _ => {
            let found = SYSTEM.iter().find(|(_, known)| *known == number);
            found.map_or(c"org.freedesktop.DBus.Error.Failed", |(name, _)| *name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        assert!(NUMBERS.is_sorted_by_key(|(name, _)| *name));
        for (name, number) in NUMBERS {
            assert_eq!(super::number(name.as_bytes()), number, "{name}");
        }
        for (_, number) in SYSTEM {
            let name = name(number).to_bytes();
            let same = |other: i32| name == super::name(other).to_bytes();
            assert!(same(super::number(name)), "{number}");
        }
        assert_eq!(number(b"org.example.Nobody"), UNKNOWN);
        assert_eq!(number(b"System.Error.EPERM"), libc::EPERM);
        assert_eq!(name(4096), c"org.freedesktop.DBus.Error.Failed");
    }

    #[test]
    fn names_of_a_program() {
        let map = Map {
            address: 7,
            entries: vec![(b"org.example.Own".to_vec(), 42)],
        };
        assert!(add(map.clone()));
        assert!(!add(map));
        assert_eq!(number(b"org.example.Own"), 42);
    }
}
