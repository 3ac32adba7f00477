//! DNSSEC (RFC 4033 to 4035, 5155, 6840): what is proven of a reply.
//!
//! hickory does the cryptography and the canonical forms. The rest is ours, as hickory's own validator sits in a resolver
//! that asks for each alias anew: a whole reply with a chain across zones is bogus to it (docs/decisions.md).
//!
//! [`chain`] finds the keys of a zone, from a trust anchor down, by DS and DNSKEY; [`rrset`] checks signatures with them;
//! [`denial`] reads proofs of absence. All of it is done within a [`Work`] for each lookup.

mod anchors;
mod chain;
mod denial;
mod nsec;
mod nsec3;
mod rrset;
mod zones;

use std::{
    cell::Cell,
    time::{SystemTime, UNIX_EPOCH},
};

use hickory_proto::{
    dnssec::{Proof, rdata::DNSKEY},
    op::ResponseCode,
    rr::{Name, Record, RecordType},
};

use self::{
    chain::{Absence, Of, Verdict},
    denial::{Denial, Denied},
    rrset::RrSet,
    zones::{Trust, Zones},
};
use super::{
    pool::Pool,
    reply::{Reply, dname_target, signature},
    server::{Answer, Server, Want},
};
use crate::{config::TrustAnchor, failure::DnssecFault, message::Question};

/// Signatures that are checked for one lookup (KeyTrap, CVE-2023-50387): as many as systemd does.
const VALIDATIONS: u32 = 64;
/// Questions that are asked beside the one of the lookup.
const QUERIES: u32 = 40;
/// RRsets of one reply that are looked at.
const SETS: usize = 48;

/// What it costs to validate one lookup.
#[derive(Default)]
struct Work {
    validations: Cell<u32>,
    queries: Cell<u32>,
}

impl Work {
    fn validation(&self) -> Result<(), DnssecFault> {
        spend(&self.validations, VALIDATIONS)
    }

    fn query(&self) -> Result<(), DnssecFault> {
        spend(&self.queries, QUERIES)
    }
}

fn spend(spent: &Cell<u32>, most: u32) -> Result<(), DnssecFault> {
    if spent.get() >= most {
        return Err(DnssecFault::TooManyValidations);
    }
    spent.set(spent.get() + 1);
    Ok(())
}

/// What is known of zones, for all lookups of a scope.
pub(super) struct Validator {
    zones: Zones,
}

impl Validator {
    pub fn new(positive: &[TrustAnchor], negative: &[Name]) -> Self {
        Self {
            zones: Zones::new(positive, negative),
        }
    }

    /// Nothing of it is to be proven.
    pub fn leaves_out(&self, name: &Name) -> bool {
        self.zones.anchors.above(name).is_none()
    }

    /// Work for one lookup. `skip`: which server is asked, counted from the current one.
    pub fn job<'a>(&'a self, pool: &'a Pool, skip: usize) -> Job<'a> {
        Job {
            zones: &self.zones,
            pool,
            skip,
            work: Work::default(),
            now: now(),
        }
    }
}

/// Validates one lookup.
pub(super) struct Job<'a> {
    zones: &'a Zones,
    pool: &'a Pool,
    skip: usize,
    work: Work,
    /// Seconds since 1970, as signatures have it.
    now: u32,
}

/// How replies must come for validation: with signatures, and unfiltered (RFC 6840, 5.9).
pub(super) const WANT: Want = Want {
    dnssec_ok: true,
    checking_disabled: true,
};

/// The server was asked for signatures, and answered as one who knows what that is.
pub(super) fn may_be_signed(answer: &Answer) -> bool {
    answer.level.signatures() && answer.reply.edns
}

/// Whether records of a zone, all of them verified, prove that what was asked for is not there.
pub(super) fn proof_of_absence(
    records: &[Record],
    zone: &Name,
    question: &Question,
    rcode: ResponseCode,
) -> bool {
    let sets = RrSet::group(records);
    Denial::new(zone, &sets).negative(rcode, &question.name, question.rtype) == Denied::Proven
}

/// How many signatures of these records one of the keys made, as far as one lookup may find out.
pub(super) fn signatures_in_order(records: &[Record], keys: &[DNSKEY], now: u32) -> usize {
    let work = Work::default();
    let sets = RrSet::group(records);
    let verified = sets.iter().flat_map(|set| {
        let signatures = set.signatures.iter();
        signatures.filter(|signature| set.verify(signature, keys, now, &work).is_ok())
    });
    verified.count()
}

impl Job<'_> {
    /// Validates a reply to [`WANT`]. Each record is marked, and the proof of the whole is given: Secure or Insecure.
    pub async fn reply(
        &self,
        question: &Question,
        reply: &mut Reply,
    ) -> Result<Proof, DnssecFault> {
        if matches!(question.rtype, RecordType::RRSIG) {
            // Signatures are not signed. RFC 4035, 2.2
            return Ok(Proof::Insecure);
        }
        let sets = RrSet::group(&reply.answers);
        let negative = reply.is_negative(question);
        if sets.len() > SETS {
            return Err(DnssecFault::TooManyValidations);
        }
        let mut whole = Proof::Secure;
        for set in &sets {
            if let Some(proof) = made_by_dname(set, &reply.answers) {
                mark(&mut reply.answers, set, proof, u32::MAX);
                continue;
            }
            let (proof, ttl) = match self.set(set, None).await? {
                Verdict::Insecure => (Proof::Insecure, u32::MAX),
                Verdict::Secure {
                    signer,
                    encloser,
                    ttl,
                } => {
                    let proof = match encloser {
                        Some(encloser) => {
                            self.wildcard(&set.name, &encloser, &signer, reply).await?
                        }
                        None => Proof::Secure,
                    };
                    (proof, ttl)
                }
            };
            mark(&mut reply.answers, set, proof, ttl);
            whole = lesser(whole, proof);
        }
        if negative {
            let proof = self.negative(question, reply).await?;
            whole = lesser(whole, proof);
        }
        Ok(whole)
    }

    /// That a set made by a wildcard was rightly so.
    async fn wildcard(
        &self,
        name: &Name,
        parent: &Name,
        signer: &Name,
        reply: &mut Reply,
    ) -> Result<Proof, DnssecFault> {
        let of = Of {
            signer: Some(signer),
            ..Of::name(name)
        };
        match self.absence(&mut reply.authorities, of).await? {
            Absence::Proof { zone, sets } => {
                proof(Denial::new(&zone, &sets).wildcard(name, parent))
            }
            Absence::None | Absence::Insecure => Err(DnssecFault::NsecMismatch),
        }
    }

    async fn negative(&self, question: &Question, reply: &mut Reply) -> Result<Proof, DnssecFault> {
        let Some(end) = reply.end().cloned() else {
            return Err(DnssecFault::NsecMismatch);
        };
        // A DS is its parent's (RFC 4035, 2.4).
        let parent_side = question.rtype == RecordType::DS && !end.is_root();
        let place = if parent_side {
            end.base_name()
        } else {
            end.clone()
        };
        let Some(anchor) = self.zones.anchors.above(&place) else {
            return Ok(Proof::Insecure);
        };
        let of = Of {
            parent_side,
            ..Of::name(&end)
        };
        let proven = match self.absence(&mut reply.authorities, of).await? {
            Absence::Insecure => return Ok(Proof::Insecure),
            Absence::Proof { zone, sets } if anchor.zone_of(&zone) => {
                proof(Denial::new(&zone, &sets).negative(reply.rcode, &end, question.rtype))
            }
            Absence::Proof { .. } => Err(DnssecFault::NsecMismatch),
            Absence::None => Err(DnssecFault::NoSignature),
        };
        let mut whole = match proven {
            Ok(proof) => proof,
            Err(fault) => match self.containing(&place).await? {
                Trust::Secure(_) => return Err(fault),
                Trust::Insecure | Trust::NotACut => return Ok(Proof::Insecure),
            },
        };
        // How long it holds stands in the SOA (RFC 2308, 5): that must be true too.
        for set in RrSet::group(&reply.authorities) {
            if set.rtype == RecordType::SOA {
                let (proof, ttl) = match self.set(&set, None).await? {
                    Verdict::Insecure => (Proof::Insecure, u32::MAX),
                    Verdict::Secure { ttl, .. } => (Proof::Secure, ttl),
                };
                mark(&mut reply.authorities, &set, proof, ttl);
                whole = lesser(whole, proof);
            }
        }
        Ok(whole)
    }

    /// Whether this server leaves out signatures where there must be some: of a trust anchor's keys.
    pub async fn strips(&self, name: &Name, server: &Server) -> bool {
        let Some(anchor) = self.zones.anchors.above(name) else {
            return false;
        };
        let question = Question::new(anchor.clone(), RecordType::DNSKEY);
        match server.attempt(&question, WANT, false).await {
            Ok(answer) => !answer
                .reply
                .answers
                .iter()
                .any(|record| signature(record).is_some()),
            Err(_) => false,
        }
    }
}

fn proof(denied: Denied) -> Result<Proof, DnssecFault> {
    match denied {
        Denied::Proven => Ok(Proof::Secure),
        Denied::Insecure => Ok(Proof::Insecure),
        Denied::Unproven => Err(DnssecFault::NsecMismatch),
    }
}

fn lesser(one: Proof, other: Proof) -> Proof {
    if one == Proof::Secure { other } else { one }
}

/// An alias that stands for a DNAME is as good as that one. RFC 6672, 5.3.1
fn made_by_dname(set: &RrSet, answers: &[Record]) -> Option<Proof> {
    if set.rtype != RecordType::CNAME || !set.signatures.is_empty() {
        return None;
    }
    answers
        .iter()
        .find(|record| {
            dname_target(record).is_some()
                && record.name != set.name
                && record.name.zone_of(&set.name)
        })
        .map(|dname| dname.proof)
}

/// Marks the records of a set and its signatures. `ttl`: the most that they are kept, in seconds.
fn mark(records: &mut [Record], set: &RrSet, proof: Proof, ttl: u32) {
    for record in records.iter_mut().filter(|record| record.name == set.name) {
        let covered = signature(record).map(|signature| signature.input().type_covered);
        if covered.unwrap_or(record.record_type()) == set.rtype {
            record.proof = proof;
            record.ttl = record.ttl.min(ttl);
        }
    }
}

/// How many labels there are, `*` too (RRSIG does not count it).
fn labels(name: &Name) -> usize {
    name.iter().count()
}

fn now() -> u32 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // Signatures compare by RFC 1982, so the lowest 32 bits are what is wanted after 2106 too.
    (since.as_secs() & u64::from(u32::MAX)) as u32
}
