//! Answers that this machine makes.

use std::net::IpAddr;

use hickory_proto::rr::{
    DNSClass, Name, RData, Record, RecordType,
    rdata::{A, AAAA, CNAME, PTR},
};

use crate::{
    flags::Flags,
    message::{Answer, Found, Lookup},
};

/// It may change at any time, and asking again is cheap.
const TTL: u32 = 0;

/// The loopback link's number: the first that a network namespace has.
pub(super) const LOOPBACK: u32 = 1;

/// Collects what a lookup asks for, in order.
#[derive(Debug)]
pub(super) struct Made<'a> {
    lookup: &'a Lookup,
    records: Vec<Found>,
}

impl<'a> Made<'a> {
    pub fn new(lookup: &'a Lookup) -> Self {
        Self {
            lookup,
            records: Vec::new(),
        }
    }

    /// Adds an address, if asked for.
    pub fn address(&mut self, name: &Name, address: IpAddr, ifindex: u32) {
        let (rtype, data) = match address {
            IpAddr::V4(v4) => (RecordType::A, RData::A(A(v4))),
            IpAddr::V6(v6) => (RecordType::AAAA, RData::AAAA(AAAA(v6))),
        };
        if asks_for(self.lookup, rtype) {
            self.push(name, data, ifindex);
        }
    }

    /// Adds the name of the address asked about, if not there yet.
    pub fn pointer(&mut self, target: Name, ifindex: u32) {
        if asks_for(self.lookup, RecordType::PTR) {
            self.push(&self.lookup.name, RData::PTR(PTR(target)), ifindex);
        }
    }

    /// Adds an alias.
    pub fn alias(&mut self, name: &Name, canonical: Name) {
        self.push(name, RData::CNAME(CNAME(canonical)), 0);
    }

    fn push(&mut self, name: &Name, data: RData, ifindex: u32) {
        let mut record = Record::from_rdata(name.clone(), TTL, data);
        record.dns_class = DNSClass::IN;
        let found = Found { ifindex, record };
        if !self.records.contains(&found) {
            self.records.push(found);
        }
    }

    /// The answer, be it that there are no such records.
    pub fn answer(self) -> Answer {
        let name = self.records.last().map(|found| &found.record.name);
        let name = name.unwrap_or(&self.lookup.name).clone();
        of_protocol(self.lookup, Answer::made_here(name, self.records))
    }

    /// The answer that there is no such name.
    pub fn no_such_name(self) -> Answer {
        of_protocol(self.lookup, Answer::no_such_name(self.lookup.name.clone()))
    }
}

/// Whether records of a type are among what is asked for.
pub(super) fn asks_for(lookup: &Lookup, rtype: RecordType) -> bool {
    lookup.types.contains(&rtype) || lookup.types.contains(&RecordType::ANY)
}

/// The link of an answer that belongs to none: the one asked for, else the loopback.
pub(super) fn link_of(lookup: &Lookup) -> u32 {
    match lookup.ifindex {
        0 => LOOPBACK,
        index => index,
    }
}

/// Says that an answer came by a protocol that was asked for: a client that allows LLMNR alone takes none by DNS.
pub(super) fn of_protocol(lookup: &Lookup, mut answer: Answer) -> Answer {
    let asked = lookup.flags & Flags::PROTOCOLS;
    let protocol = [
        Flags::DNS,
        Flags::LLMNR_IPV4,
        Flags::LLMNR_IPV6,
        Flags::MDNS_IPV4,
        Flags::MDNS_IPV6,
    ]
    .into_iter()
    .find(|protocol| asked.contains(*protocol));
    answer.flags.remove(Flags::PROTOCOLS);
    answer.flags.insert(protocol.unwrap_or(Flags::DNS));
    answer
}
