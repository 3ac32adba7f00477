//! Names (D-Bus specification, "Valid Names").

use crate::element::{self, DIGIT, DOT, HYPHEN, LETTER};

/// What elements of bus names consist of.
const ANY: u8 = LETTER | DIGIT | HYPHEN;

/// The longest name of any kind, in bytes.
pub const MAX_LENGTH: usize = 255;

/// Whether it is the name of an interface: elements of letters, digits and `_`, at least two, none beginning with a digit.
pub fn is_interface(name: &[u8]) -> bool {
    is_dotted(name, 2, LETTER, LETTER | DIGIT)
}

/// Whether it is the name of an error: formed as an interface's.
pub fn is_error(name: &[u8]) -> bool {
    is_interface(name)
}

/// Whether it is the name of a method, a signal or a property.
pub fn is_member(name: &[u8]) -> bool {
    element::count(name, 0, LETTER, LETTER | DIGIT).is_some() && name.len() <= MAX_LENGTH
}

/// Whether it is any bus name: unique or well-known.
pub fn is_bus(name: &[u8]) -> bool {
    is_unique(name) || is_well_known(name)
}

/// Whether it is the name that a bus gives to a connection, such as `:1.42`.
pub fn is_unique(name: &[u8]) -> bool {
    match name {
        [b':', elements @ ..] => name.len() <= MAX_LENGTH && is_dotted(elements, 2, ANY, ANY),
        _ => false,
    }
}

/// Whether it is a name that connections ask for: as an interface's, with `-` as well. Such a name can have a service file,
/// so that the bus starts its owner; `org.freedesktop.DBus` alone is the bus's own.
pub fn is_well_known(name: &[u8]) -> bool {
    is_dotted(name, 2, LETTER | HYPHEN, ANY)
}

/// Whether it is one that the bus can start a service for: well-known, and not the bus's own.
pub fn is_activatable(name: &[u8]) -> bool {
    is_well_known(name) && name != b"org.freedesktop.DBus"
}

/// Whether it is a well-known name or one element of one: what `arg0namespace` may be.
pub fn is_namespace(name: &[u8]) -> bool {
    is_dotted(name, 1, LETTER | HYPHEN, ANY)
}

/// Whether a name is this one or below it: `a.b.c` is below `a.b`, `a.bc` is not.
pub fn is_below(name: &[u8], namespace: &[u8]) -> bool {
    match name.strip_prefix(namespace) {
        Some([] | [b'.', ..]) => true,
        Some(_) | None => false,
    }
}

/// At least so many elements, which begin with these and go on with these.
fn is_dotted(name: &[u8], least: usize, first: u8, rest: u8) -> bool {
    let count = element::count(name, DOT, first, rest);
    count.is_some_and(|count| count >= least) && name.len() <= MAX_LENGTH
}

#[cfg(test)]
mod tests;
