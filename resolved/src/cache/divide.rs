//! Dividing a response into what is kept each for itself.

use hickory_proto::{
    dnssec::{Proof, rdata::DNSSECRData},
    op::ResponseCode,
    rr::{Name, RData, Record, RecordType},
};

use super::{LONGEST, key::Kind};
use crate::message::{Question, Response};

/// More CNAMEs than this are no chain.
const LONGEST_CHAIN: usize = 16;

/// An RRset, or that there is none.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) name: Name,
    /// Never [`Kind::Failure`].
    pub(super) kind: Kind,
    /// With their signatures; a DNAME stands before the CNAME that was made from it. None of a negative answer.
    pub(super) records: Vec<&'a Record>,
    /// SOA, NSEC, NSEC3 and their signatures: of a negative answer, or of one that a wild card stood in for.
    pub(super) authorities: Vec<&'a Record>,
    /// Seconds, never above [`LONGEST`]; 0: it may not be kept.
    pub(super) ttl: u32,
    pub(super) proof: Proof,
    /// The part that answers the question, after the chain.
    pub(super) last: bool,
}

impl Part<'_> {
    pub(super) fn is_positive(&self) -> bool {
        !self.records.is_empty()
    }
}

/// The parts of a response; `None` where nothing of it is to be kept.
pub(super) fn divide<'a>(question: &Question, response: &'a Response) -> Option<Vec<Part<'a>>> {
    // RFC 8482: what is said to ANY is no RRset. Signatures alone are no RRset either (RFC 4035, 2.2).
    let no_rrset = matches!(
        question.rtype,
        RecordType::ANY | RecordType::RRSIG | RecordType::SIG | RecordType::OPT | RecordType::TSIG
    );
    let negative = response.rcode == ResponseCode::NXDomain;
    if no_rrset
        || response.proof == Proof::Bogus
        || !(negative || response.rcode == ResponseCode::NoError)
    {
        return None;
    }
    let mut parts = Vec::new();
    let mut name = question.name.clone();
    for _ in 0..=LONGEST_CHAIN {
        let records = rrset(&response.answers, &name, question.rtype);
        if !records.is_empty() {
            if negative {
                return None;
            }
            parts.push(positive(name, question.rtype, records, response, true));
            return Some(parts);
        }
        let mut records = rrset(&response.answers, &name, RecordType::CNAME);
        let Some(target) = records.iter().find_map(|record| target(record)) else {
            parts.extend(absence(name, question.rtype, response));
            return Some(parts);
        };
        records.splice(0..0, dname(&response.answers, &name));
        parts.push(positive(name, RecordType::CNAME, records, response, false));
        name = target;
    }
    None
}

/// The records of a type at a name, and the signatures over them; empty if there are none but signatures.
fn rrset<'a>(records: &'a [Record], name: &Name, rtype: RecordType) -> Vec<&'a Record> {
    let at = |record: &&Record| record.name == *name && covers(record) == rtype;
    let set: Vec<_> = records.iter().filter(at).collect();
    if set.iter().any(|record| record.record_type() == rtype) {
        set
    } else {
        Vec::new()
    }
}

/// The DNAME that a CNAME at this name was made from, with its signatures (RFC 6672, 3.1).
fn dname<'a>(records: &'a [Record], name: &Name) -> Vec<&'a Record> {
    let above = |record: &&Record| {
        covers(record) == RecordType::DNAME && record.name != *name && record.name.zone_of(name)
    };
    records.iter().filter(above).collect()
}

fn target(record: &Record) -> Option<Name> {
    match &record.data {
        RData::CNAME(target) => Some(target.0.clone()),
        _ => None,
    }
}

/// The type that a record is of, or that a signature is over.
fn covers(record: &Record) -> RecordType {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => signature.input().type_covered,
        _ => record.record_type(),
    }
}

fn positive<'a>(
    name: Name,
    rtype: RecordType,
    records: Vec<&'a Record>,
    response: &'a Response,
    last: bool,
) -> Part<'a> {
    let authorities = if last && records.iter().any(|record| of_wild_card(record)) {
        proofs(response, None)
    } else {
        Vec::new()
    };
    let each = records
        .iter()
        .map(|record| record.proof)
        .min()
        .unwrap_or_default();
    let ttls = records.iter().chain(&authorities).map(|record| ttl(record));
    Part {
        name,
        kind: Kind::Records(rtype),
        ttl: ttls.min().unwrap_or(0),
        proof: response.proof.max(each),
        records,
        authorities,
        last,
    }
}

/// Whether a signature is over a wild card that stood in for this name (RFC 4035, 5.3.1).
fn of_wild_card(record: &Record) -> bool {
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => {
            signature.input().num_labels < record.name.num_labels()
        }
        _ => false,
    }
}

/// A negative answer is kept if it has the SOA of a zone that the name is in. RFC 2308, 5
fn absence(name: Name, rtype: RecordType, response: &Response) -> Option<Part<'_>> {
    let (zone, minimum) = response
        .authorities
        .iter()
        .find_map(|record| match &record.data {
            RData::SOA(soa) if record.name.zone_of(&name) => Some((&record.name, soa.minimum)),
            _ => None,
        })?;
    let authorities = proofs(response, Some(zone));
    let ttls = authorities.iter().map(|record| ttl(record));
    let kind = if response.rcode == ResponseCode::NXDomain {
        Kind::NxDomain
    } else {
        Kind::Records(rtype)
    };
    Some(Part {
        name,
        kind,
        records: Vec::new(),
        ttl: ttls.min().unwrap_or(0).min(minimum),
        authorities,
        proof: response.proof,
        last: true,
    })
}

/// NSEC and NSEC3 with their signatures, and the SOA of this zone.
fn proofs<'a>(response: &'a Response, zone: Option<&Name>) -> Vec<&'a Record> {
    let wanted = |record: &&Record| match covers(record) {
        RecordType::NSEC | RecordType::NSEC3 => true,
        RecordType::SOA => Some(&record.name) == zone,
        _ => false,
    };
    response.authorities.iter().filter(wanted).collect()
}

/// How long a record may be kept, in seconds.
fn ttl(record: &Record) -> u32 {
    // RFC 2181, 8: with the highest bit set it is no time.
    let said = if record.ttl > i32::MAX.unsigned_abs() {
        0
    } else {
        record.ttl
    };
    let longest = u32::try_from(LONGEST.as_secs()).unwrap_or(u32::MAX);
    let signed = match &record.data {
        // RFC 4035, 5.3.3
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => signature.input().original_ttl,
        _ => longest,
    };
    said.min(signed).min(longest)
}
