//! What goes between the parts of the resolver: questions, what a source answers, what a lookup yields.

use hickory_proto::{
    dnssec::Proof,
    op::ResponseCode,
    rr::{DNSClass, Name, Record, RecordType},
    serialize::binary::{BinEncodable, BinEncoder, NameEncoding},
};

use crate::flags::Flags;

/// One question, as on the wire. RFC 9499: QNAME, QTYPE, QCLASS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// Absolute.
    pub name: Name,
    /// Of what class.
    pub class: DNSClass,
    /// Of what type.
    pub rtype: RecordType,
}

impl Question {
    /// A question of class IN.
    #[must_use]
    pub const fn new(name: Name, rtype: RecordType) -> Self {
        Self {
            name,
            class: DNSClass::IN,
            rtype,
        }
    }
}

/// What a lookup is to find: a name, and records of some types that belong together (A and AAAA).
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Absolute; with U-labels where the client wrote them.
    pub name: Name,
    /// One class for all.
    pub class: DNSClass,
    /// At least one.
    pub types: Vec<RecordType>,
    /// Only by this link; 0 for any.
    pub ifindex: u32,
    /// How. See [`Flags::from_call`].
    pub flags: Flags,
    /// The signatures are wanted too (the DO bit, RFC 3225).
    pub dnssec_ok: bool,
}

impl Lookup {
    /// The question for each type.
    pub fn questions(&self) -> impl Iterator<Item = Question> + '_ {
        self.types.iter().map(|rtype| Question {
            name: self.name.clone(),
            class: self.class,
            rtype: *rtype,
        })
    }
}

/// An extended DNS error (RFC 8914).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedError {
    /// INFO-CODE.
    pub code: u16,
    /// EXTRA-TEXT, from outside.
    pub text: String,
}

/// What one source (servers, cache, LLMNR, mDNS) has for one [`Question`]: a response as in RFC 1035, section by section.
#[derive(Clone, Debug)]
pub struct Response {
    /// NOERROR and NXDOMAIN; all others are a [`Failure`](crate::failure::Failure).
    pub rcode: ResponseCode,
    /// With [`Record::proof`] where validated.
    pub answers: Vec<Record>,
    /// SOA, NSEC of a negative answer.
    pub authorities: Vec<Record>,
    /// As received; never believed.
    pub additionals: Vec<Record>,
    /// Of the response as a whole, the proof of absence included: [`Proof::Secure`] is authenticated.
    pub proof: Proof,
    /// It came encrypted, or never left the machine.
    pub confidential: bool,
    /// [`Flags::FROM_NETWORK`], [`Flags::FROM_CACHE`] …, and the protocol.
    pub source: Flags,
    /// The link it came by; 0 where none is bound to it.
    pub ifindex: u32,
    /// It came from a server on a loopback address.
    pub from_localhost: bool,
    /// Past its time to live (RFC 8767).
    pub stale: bool,
    /// The server's remark.
    pub extended_error: Option<ExtendedError>,
}

/// A record, and the link it was found by (0: none).
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Of the link.
    pub ifindex: u32,
    /// Its time to live is what remains.
    pub record: Record,
}

/// What a lookup yields.
///
/// A name that does not exist ([`ResponseCode::NXDomain`]) and one without such records (none of the asked type in
/// `records`) are answers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// NOERROR or NXDOMAIN.
    pub rcode: ResponseCode,
    /// Where the chain of CNAMEs ended; spelt as in the last record.
    pub name: Name,
    /// The chain of CNAMEs and DNAMEs in order, then what was asked for; RRSIGs if they were wanted.
    pub records: Vec<Found>,
    /// SOA and, if wanted, NSEC and RRSIG of a negative answer.
    pub authorities: Vec<Record>,
    /// Where it came from, authenticated, confidential.
    pub flags: Flags,
    /// Past its time to live (RFC 8767).
    pub stale: bool,
    /// The server's remark.
    pub extended_error: Option<ExtendedError>,
}

impl Answer {
    /// An answer that this machine makes by itself.
    #[must_use]
    pub fn made_here(name: Name, records: Vec<Found>) -> Self {
        Self {
            rcode: ResponseCode::NoError,
            name,
            records,
            authorities: Vec::new(),
            flags: Flags::DNS | Flags::AUTHENTICATED | Flags::CONFIDENTIAL | Flags::SYNTHETIC,
            stale: false,
            extended_error: None,
        }
    }

    /// This machine knows by itself that there is no such name.
    #[must_use]
    pub fn no_such_name(name: Name) -> Self {
        Self {
            rcode: ResponseCode::NXDomain,
            ..Self::made_here(name, Vec::new())
        }
    }

    /// Whether all of it came out of the cache, where DNS had put it.
    #[must_use]
    pub fn is_from_cache(&self) -> bool {
        let from = self.flags & (Flags::SOURCES | Flags::PROTOCOLS);
        from == Flags::FROM_CACHE | Flags::DNS
    }

    /// For how many seconds all of it holds: the least time to live of its records, 0 without any.
    #[must_use]
    pub fn ttl(&self) -> u32 {
        let ttls = self.records.iter().map(|found| found.record.ttl);
        ttls.min().unwrap_or(0)
    }

    /// The records of these types: without the chain and the signatures.
    pub fn of_types<'a>(&'a self, types: &'a [RecordType]) -> impl Iterator<Item = &'a Found> {
        self.records.iter().filter(move |found| {
            let rtype = found.record.record_type();
            types.contains(&rtype) || types.contains(&RecordType::ANY)
        })
    }
}

/// A record on its own in wire format, no name compressed; `None` where it has none (hickory made it from nothing).
#[must_use]
pub fn record_bytes(record: &Record) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    encoder.set_name_encoding(NameEncoding::Uncompressed);
    record.emit(&mut encoder).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::{RData, rdata::CNAME};

    use super::*;
    use crate::name;

    #[test]
    fn records_stand_on_their_own() {
        let [owner, target] = ["a.example", "b.example"].map(|text| name::parse(text).unwrap());
        let record = Record::from_rdata(owner, 1, RData::CNAME(CNAME(target)));
        let bytes = record_bytes(&record).unwrap();
        assert!(
            bytes.ends_with(b"\x00\x0b\x01b\x07example\x00"),
            "{bytes:?}"
        );
    }
}
