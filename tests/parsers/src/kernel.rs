//! What the kernel sends: of a namespace in which others are root.

use machined::trial::try_datagrams;
use rtnetlink::{Event, events};

use crate::parts;

/// Messages about links, addresses and routes: no more of them than there is room for, whatever follows them.
pub fn rtnetlink_events(bytes: &[u8]) {
    const HEADER: usize = 16;
    let read: Vec<Event> = events(bytes).collect();
    assert!(read.len() <= bytes.len() / HEADER);
    let mut more = bytes.to_vec();
    more.resize(bytes.len().next_multiple_of(4), 0);
    more.extend([0; HEADER]);
    let again: Vec<Event> = events(&more).collect();
    assert!(again.starts_with(&read));
}

/// Datagrams about a machine's addresses: these are bounded, in order, each once.
pub fn machine_addresses(bytes: &[u8]) {
    let datagrams: Vec<_> = parts(bytes).collect();
    let addresses = try_datagrams(&datagrams);
    assert!(addresses.len() <= 4096);
    let key = |a: &machined::address::Address| (a.ip.is_ipv6(), a.scope, a.ifindex, a.ip);
    assert!(addresses.is_sorted_by(|a, b| key(a) < key(b)));
}
