//! What is kept under one key.

use std::time::Duration;

use hickory_proto::{
    dnssec::Proof,
    op::ResponseCode,
    rr::{Record, RecordType},
    serialize::binary::{BinDecodable, BinDecoder, BinEncodable, BinEncoder},
};

use super::{Policy, STALE_TTL, divide::Part, key::Kind};
use crate::{
    failure::Failure,
    flags::Flags,
    message::{ExtendedError, Question, Response},
};

/// Records one after the other, as in a message, names compressed against what stands before.
#[derive(Debug)]
pub(super) struct Wire {
    bytes: Box<[u8]>,
    answers: u16,
    authorities: u16,
}

#[derive(Debug)]
pub(super) enum Content {
    Records(Wire),
    NoData(Wire),
    NxDomain(Wire),
    Failure(Box<Failure>),
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) content: Content,
    pub(super) expires: Duration,
    /// At least `expires`: until then it serves as stale.
    pub(super) kept_until: Duration,
    ttl: u32,
    asked: u32,
    prefetched: bool,
    /// It has all signatures there are.
    signatures: bool,
    confidential: bool,
    from_localhost: bool,
    proof: Proof,
    ifindex: u32,
    /// Without those that say where it came from.
    flags: Flags,
    extended_error: Option<Box<ExtendedError>>,
}

impl Entry {
    /// `None` if it may not be kept (RFC 1035, 3.2.1: a TTL of 0), or can't be written.
    pub(super) fn new(
        part: &Part<'_>,
        response: &Response,
        policy: Policy,
        now: Duration,
    ) -> Option<Self> {
        if part.ttl == 0 {
            return None;
        }
        let wire = Wire::new(part)?;
        let content = match part.kind {
            Kind::NxDomain => Content::NxDomain(wire),
            _ if part.is_positive() => Content::Records(wire),
            _ => Content::NoData(wire),
        };
        let expires = now.saturating_add(Duration::from_secs(u64::from(part.ttl)));
        // A name that once did not exist says nothing about now.
        let retention = match content {
            Content::NxDomain(_) => Duration::ZERO,
            _ => policy.stale_retention,
        };
        let remark = response.extended_error.clone().filter(|_| part.last);
        Some(Self {
            content,
            expires,
            kept_until: expires.saturating_add(retention),
            ttl: part.ttl,
            asked: 0,
            prefetched: false,
            signatures: policy.dnssec_ok,
            confidential: response.confidential,
            from_localhost: response.from_localhost,
            proof: part.proof,
            ifindex: response.ifindex,
            flags: response.source - Flags::SOURCES,
            extended_error: remark.map(Box::new),
        })
    }

    pub(super) fn failure(failure: Failure, until: Duration) -> Self {
        Self {
            content: Content::Failure(Box::new(failure)),
            expires: until,
            kept_until: until,
            ttl: 0,
            asked: 0,
            prefetched: false,
            signatures: true,
            confidential: false,
            from_localhost: false,
            proof: Proof::Indeterminate,
            ifindex: 0,
            flags: Flags::empty(),
            extended_error: None,
        }
    }

    /// How often it was asked for.
    pub(super) const fn asked(&self) -> u32 {
        self.asked
    }

    /// The bytes that it takes beside itself.
    pub(super) fn heap_bytes(&self) -> usize {
        let content = match &self.content {
            Content::Records(wire) | Content::NoData(wire) | Content::NxDomain(wire) => {
                wire.bytes.len()
            }
            Content::Failure(_) => size_of::<Failure>(),
        };
        let remark = self.extended_error.as_ref();
        content + remark.map_or(0, |remark| size_of::<ExtendedError>() + remark.text.len())
    }

    /// Whether it can answer now.
    pub(super) fn serves(&self, dnssec_ok: bool, stale: bool, now: Duration) -> bool {
        let until = if stale { self.kept_until } else { self.expires };
        now < until && (self.signatures || !dnssec_ok)
    }

    /// What it says to a question; its names as the question has them.
    pub(super) fn outcome(
        &self,
        question: &Question,
        dnssec_ok: bool,
        now: Duration,
    ) -> Option<Result<Response, Failure>> {
        let (rcode, wire) = match &self.content {
            Content::Failure(failure) => return Some(Err((**failure).clone())),
            Content::Records(wire) | Content::NoData(wire) => (ResponseCode::NoError, wire),
            Content::NxDomain(wire) => (ResponseCode::NXDomain, wire),
        };
        let stale = now >= self.expires;
        let left = self.expires.saturating_sub(now).as_secs();
        let ttl = if stale {
            STALE_TTL
        } else {
            u32::try_from(left).unwrap_or(self.ttl)
        };
        let (mut answers, mut authorities) = wire.read()?;
        for record in answers.iter_mut().chain(&mut authorities) {
            record.ttl = ttl;
            record.proof = self.proof;
            if record.name == question.name {
                record.name = question.name.clone();
            }
        }
        if !dnssec_ok {
            answers.retain(|record| record.record_type() != RecordType::RRSIG);
            authorities.retain(|record| record.record_type() == RecordType::SOA);
        }
        Some(Ok(Response {
            rcode,
            answers,
            authorities,
            additionals: Vec::new(),
            proof: self.proof,
            confidential: self.confidential,
            source: self.flags | Flags::FROM_CACHE,
            ifindex: self.ifindex,
            from_localhost: self.from_localhost,
            stale,
            extended_error: self.extended_error.as_deref().cloned(),
        }))
    }

    /// Counts that it was asked for. True once: when that was often and little of its time is left.
    pub(super) fn wants_prefetch(&mut self, hot: u32, last_part: u32, now: Duration) -> bool {
        self.asked = self.asked.saturating_add(1);
        let left = self.expires.saturating_sub(now);
        let late = left * last_part < Duration::from_secs(u64::from(self.ttl));
        let wants = !self.prefetched && self.asked >= hot && late && !left.is_zero();
        self.prefetched |= wants;
        wants
    }

    /// Its records as they came, in time too.
    pub(super) fn records(&self) -> Vec<Record> {
        match &self.content {
            Content::Records(wire) => wire.read().map(|(answers, _)| answers).unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

impl Wire {
    fn new(part: &Part<'_>) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut encoder = BinEncoder::new(&mut bytes);
        for record in part.records.iter().chain(&part.authorities) {
            record.emit(&mut encoder).ok()?;
        }
        Some(Self {
            // Not the buffer itself: that is larger.
            bytes: bytes.as_slice().into(),
            answers: u16::try_from(part.records.len()).ok()?,
            authorities: u16::try_from(part.authorities.len()).ok()?,
        })
    }

    fn read(&self) -> Option<(Vec<Record>, Vec<Record>)> {
        let mut decoder = BinDecoder::new(&self.bytes);
        let mut some = |count: u16| -> Option<Vec<Record>> {
            (0..count)
                .map(|_| Record::read(&mut decoder).ok())
                .collect()
        };
        Some((some(self.answers)?, some(self.authorities)?))
    }
}
