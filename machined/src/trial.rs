//! What files and the kernel say, through all that reads it, without a daemon: for fuzzing.

use crate::{
    address::{Address, Table},
    enter::os_release,
    record::Record,
    rtnetlink::{self, Message},
};

/// A state file of this name, read, and as it would be written again; `None` if it is set aside.
#[must_use]
pub fn try_state_file(name: &str, text: &str) -> Option<String> {
    Some(Record::parse(name, text).ok()?.format())
}

/// The addresses that a machine has after these datagrams.
#[must_use]
pub fn try_datagrams(datagrams: &[&[u8]]) -> Box<[Address]> {
    let mut table = Table::default();
    for message in datagrams
        .iter()
        .flat_map(|datagram| rtnetlink::parse(datagram))
    {
        if let Message::Route(message) = message {
            table.apply(&message);
        }
    }
    table.sorted()
}

/// The fields of a machine's os-release(5).
#[must_use]
pub fn try_os_release(text: &[u8]) -> Vec<(String, String)> {
    os_release::parse(text)
}
