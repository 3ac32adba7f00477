//! Users and groups of a machine, as the kernel maps them: user_namespaces(7).
//!
//! A map is written once, so what was read of it is remembered: whose a user of the host's is can be told without reading
//! the maps of all machines. What is found so is read again before it is told.

use std::{cell::Cell, cell::RefCell, fs, rc::Rc};

use rustix::time::ClockId;

use crate::{class::Class, error::Error, machine::Machine, register};

/// Users or groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Group,
}

impl Kind {
    fn file(self) -> &'static str {
        match self {
            Self::User => "uid_map",
            Self::Group => "gid_map",
        }
    }

    fn no_such(self, text: String) -> Error {
        match self {
            Self::User => Error::NoSuchUserMapping(text),
            Self::Group => Error::NoSuchGroupMapping(text),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }
}

/// Ids below belong to the host: no range of a container starts there.
const HOST_RANGE: u32 = 0x10000;

/// The id that stands for "no id".
const INVALID: u32 = u32::MAX;

/// For how long a machine is new, in µs: whoever makes a container may register it before its user namespace or the map of
/// that is made, which follows within moments.
const NEW: u64 = 2_000_000;

/// What is remembered of a machine's maps.
#[derive(Debug, Default)]
pub(crate) struct Maps {
    users: RefCell<Box<[Range]>>,
    groups: RefCell<Box<[Range]>>,
    /// Whether nothing more is expected to come.
    is_settled: Cell<bool>,
}

impl Maps {
    fn of(&self, kind: Kind) -> &RefCell<Box<[Range]>> {
        match kind {
            Kind::User => &self.users,
            Kind::Group => &self.groups,
        }
    }
}

/// A line of a map: `length` ids from `inside` on are those from `outside` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    inside: u32,
    outside: u32,
    length: u32,
}

impl Range {
    fn to_outside(self, id: u32) -> Option<u32> {
        let offset = id.checked_sub(self.inside)?;
        let offset = (offset < self.length).then_some(offset)?;
        self.outside.checked_add(offset)
    }

    /// One that is not is the host's own, seen from a container without a user namespace.
    fn is_shifted(self) -> bool {
        self.inside != self.outside
    }

    fn to_inside(self, id: u32) -> Option<u32> {
        let turned = Self {
            inside: self.outside,
            outside: self.inside,
            ..self
        };
        turned.to_outside(id)
    }
}

fn parse(text: &str) -> Vec<Range> {
    let range = |line: &str| {
        let mut numbers = line.split_ascii_whitespace().map(|word| word.parse().ok());
        Some(Range {
            inside: numbers.next()??,
            outside: numbers.next()??,
            length: numbers.next()??,
        })
    };
    text.lines().filter_map(range).collect()
}

/// Reads a map, and remembers it.
fn read(machine: &Machine, kind: Kind) -> Vec<Range> {
    let path = format!("/proc/{}/{}", machine.leader.pid, kind.file());
    let text = fs::read_to_string(path).unwrap_or_default();
    // Else the number may have been another process's already.
    let ranges = match machine.leader.is_alive() {
        true => parse(&text),
        false => Vec::new(),
    };
    machine.maps.of(kind).replace(ranges.as_slice().into());
    ranges
}

/// Reads both maps of a machine that is about to be one.
pub(crate) fn remember(machine: &Machine) {
    if machine.class == Class::Container {
        settle(machine);
    }
}

/// Reads the maps of a machine as long as something may still be missing of them.
fn settle(machine: &Machine) {
    let maps = &machine.maps;
    if maps.is_settled.get() {
        return;
    }
    let is_shifted = |kind| read(machine, kind).iter().any(|range| range.is_shifted());
    let is_whole = [Kind::User, Kind::Group].map(is_shifted) == [true; 2];
    let age = register::now(ClockId::Monotonic).saturating_sub(machine.monotonic);
    maps.is_settled.set(is_whole || age > NEW);
}

pub(crate) fn shift(machine: &Machine) -> Result<u32, Error> {
    match machine.class {
        Class::Host => Ok(0),
        Class::Vm => Err(Error::NotSupported(
            "The user ids of a virtual machine are its own".to_owned(),
        )),
        Class::Container => {
            let (users, groups) = (read(machine, Kind::User), read(machine, Kind::Group));
            single_shift(&users, &groups).ok_or_else(|| {
                Error::NoUidShift(format!(
                    "Machine {} has a complex UID/GID mapping",
                    machine.name
                ))
            })
        }
    }
}

/// One range from 0 on, long enough for `nobody` (65534), and the same for groups.
fn single_shift(users: &[Range], groups: &[Range]) -> Option<u32> {
    match users {
        [range] if users == groups && range.inside == 0 && range.length >= 65534 => {
            Some(range.outside)
        }
        _ => None,
    }
}

pub(crate) fn from_machine(machine: &Machine, kind: Kind, id: u32) -> Result<u32, Error> {
    if machine.class != Class::Container {
        return Err(Error::NotSupported(format!(
            "Only containers map {}s to the host's",
            kind.word()
        )));
    }
    let found = read(machine, kind)
        .into_iter()
        .find_map(|range| range.to_outside(id));
    let found = found.filter(|_| id != INVALID);
    found.ok_or_else(|| {
        let word = kind.word();
        kind.no_such(format!(
            "Machine '{}' has no {word} mapping for {id}",
            machine.name
        ))
    })
}

pub(crate) fn to_machine<'m>(
    machines: impl Iterator<Item = &'m Rc<Machine>>,
    kind: Kind,
    id: u32,
) -> Result<(Rc<Machine>, u32), Error> {
    if id < HOST_RANGE {
        return Err(match kind {
            Kind::User => Error::UserInHostRange(id),
            Kind::Group => Error::GroupInHostRange(id),
        });
    }
    let mut containers = machines.filter(|machine| machine.class == Class::Container);
    let found = containers.find_map(|machine| {
        settle(machine);
        inside(&machine.maps.of(kind).borrow(), id)?;
        Some((Rc::clone(machine), inside(&read(machine, kind), id)?))
    });
    let found = found.filter(|_| id != INVALID);
    found.ok_or_else(|| {
        let word = kind.word();
        kind.no_such(format!("No machine has a {word} that is {id} here"))
    })
}

/// The id inside for one outside.
fn inside(ranges: &[Range], id: u32) -> Option<u32> {
    let mut shifted = ranges.iter().filter(|range| range.is_shifted());
    shifted.find_map(|range| range.to_inside(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outside(map: &str, id: u32) -> Option<u32> {
        parse(map)
            .into_iter()
            .find_map(|range| range.to_outside(id))
    }

    fn inside(map: &str, id: u32) -> Option<u32> {
        super::inside(&parse(map), id)
    }

    #[test]
    fn maps_with_gaps() {
        let map = "         0     100000       1000\n      2000     300000         10\n";
        assert_eq!(outside(map, 999), Some(100_999));
        assert_eq!(outside(map, 1000), None);
        assert_eq!(outside(map, 2009), Some(300_009));
        assert_eq!(inside(map, 300_009), Some(2009));
        assert_eq!(inside(map, 300_010), None);
        assert_eq!(inside(map, 99_999), None);
    }

    #[test]
    fn nothing_overflows() {
        let map = "0 4294967290 100\n4294967290 0 100\n";
        assert_eq!(outside(map, 5), Some(u32::MAX));
        assert_eq!(outside(map, 6), None);
        assert_eq!(inside(map, 5), Some(u32::MAX));
        assert_eq!(inside(map, 6), None);
        // The host's own are nobody else's.
        assert_eq!(inside("0 0 4294967295", 100_000), None);
    }

    #[test]
    fn shifts() {
        let shift = |users, groups| single_shift(&parse(users), &parse(groups));
        let whole = "0 0 4294967295";
        assert_eq!(shift(whole, whole), Some(0));
        assert_eq!(shift("0 65536 65536", "0 65536 65536"), Some(65536));
        assert_eq!(shift("0 65536 65536", "0 65537 65536"), None);
        assert_eq!(shift("0 65536 1000", "0 65536 1000"), None);
        assert_eq!(shift("1 65536 65536", "1 65536 65536"), None);
        let two = "0 1000 1\n1 100000 65535";
        assert_eq!(shift(two, two), None);
        assert_eq!(shift("", ""), None);
        assert_eq!(shift("x", "x"), None);
    }
}
