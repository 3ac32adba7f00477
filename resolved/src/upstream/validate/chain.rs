//! The keys of zones, from a trust anchor down.

use std::rc::Rc;

use futures_util::future::{FutureExt, LocalBoxFuture};
use hickory_proto::{
    dnssec::{
        DigestType, Proof, PublicKey,
        rdata::{DNSKEY, DNSSECRData, DS},
    },
    rr::{Name, RData, Record, RecordType},
};

use super::{
    Job, WANT,
    denial::{Denial, Ds},
    labels, mark, may_be_signed,
    rrset::RrSet,
    zones::Trust,
};
use crate::{failure::DnssecFault, message::Question, upstream::reply::Reply};

/// Signatures of one set that are looked at.
const SIGNATURES: usize = 8;
/// DS records of one delegation that are looked at.
const DELEGATION_SIGNERS: usize = 16;
/// Keys that one DS may stand for: they differ, but have one tag (KeyTrap, CVE-2023-50387).
const KEYS_OF_ONE_DS: usize = 2;
/// Where nothing says how long.
const UNTOLD: u32 = 60;

/// What is proven of an RRset.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    Secure {
        /// The zone.
        signer: Name,
        /// It was made by the wildcard below this.
        encloser: Option<Name>,
        /// Seconds that it may be kept.
        ttl: u32,
    },
    /// Not signed, and that is proven.
    Insecure,
}

/// What a response has of proofs of absence.
#[derive(Debug)]
pub(super) enum Absence {
    /// Nothing signed.
    None,
    /// Of a zone that is not signed.
    Insecure,
    /// Verified, all of one zone.
    Proof { zone: Name, sets: Vec<RrSet> },
}

/// Which proofs of absence count.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    /// What is absent.
    pub name: &'a Name,
    /// By the zone above its own.
    pub parent_side: bool,
    /// By this zone; none: by the closest.
    pub signer: Option<&'a Name>,
}

impl<'a> Of<'a> {
    pub fn name(name: &'a Name) -> Self {
        Self {
            name,
            parent_side: false,
            signer: None,
        }
    }

    fn counts(&self, signer: &Name) -> bool {
        signer.zone_of(self.name)
            && !(self.parent_side && signer == self.name)
            && self.signer.is_none_or(|wanted| wanted == signer)
    }
}

impl Job<'_> {
    /// Validates a set. `below`: it is the word of a zone strictly above this name.
    pub(super) async fn set(
        &self,
        set: &RrSet,
        below: Option<&Name>,
    ) -> Result<Verdict, DnssecFault> {
        let parent_side = set.rtype == RecordType::DS && !set.name.is_root();
        let below = below.or_else(|| parent_side.then_some(&set.name));
        let place = if parent_side {
            set.name.base_name()
        } else {
            set.name.clone()
        };
        let Some(anchor) = self.zones.anchors.above(&place) else {
            return Ok(Verdict::Insecure);
        };
        if set.signatures.is_empty() {
            return match self.containing(&place).await? {
                Trust::Secure(_) => Err(DnssecFault::NoSignature),
                Trust::Insecure | Trust::NotACut => Ok(Verdict::Insecure),
            };
        }
        let mut fault = DnssecFault::Invalid;
        for signature in set.signatures.iter().take(SIGNATURES) {
            let signer = &signature.input().signer_name;
            let in_place = signer.zone_of(&set.name)
                && anchor.zone_of(signer)
                && below.is_none_or(|below| signer != below && signer.zone_of(below))
                && signature.input().num_labels <= set.name.num_labels();
            if !in_place {
                continue;
            }
            let checked = match self.cut(signer.clone()).await {
                Ok(Trust::Insecure) => return Ok(Verdict::Insecure),
                Ok(Trust::NotACut) => Err(DnssecFault::MissingKey),
                Ok(Trust::Secure(keys)) => set.verify(signature, &keys, self.now, &self.work),
                Err(fault) => Err(fault),
            };
            match checked {
                Ok(ttl) => {
                    return Ok(Verdict::Secure {
                        signer: signer.clone(),
                        encloser: set.encloser(signature),
                        ttl,
                    });
                }
                Err(DnssecFault::TooManyValidations) => {
                    return Err(DnssecFault::TooManyValidations);
                }
                Err(found) => fault = found,
            }
        }
        Err(fault)
    }

    /// Verifies the proofs of absence in an authority section, and marks them.
    pub(super) async fn absence(
        &self,
        authorities: &mut [Record],
        of: Of<'_>,
    ) -> Result<Absence, DnssecFault> {
        let mut sets = RrSet::group(authorities);
        sets.retain(|set| matches!(set.rtype, RecordType::NSEC | RecordType::NSEC3));
        let signers = sets
            .iter()
            .flat_map(|set| &set.signatures)
            .map(|signature| &signature.input().signer_name);
        let closest = signers
            .filter(|signer| of.counts(signer))
            .max_by_key(|signer| labels(signer));
        let Some(zone) = closest.cloned() else {
            return Ok(Absence::None);
        };
        let mut proven = Vec::new();
        for mut set in sets {
            set.signatures
                .retain(|signature| signature.input().signer_name == zone);
            if set.signatures.is_empty() {
                continue;
            }
            match self.set(&set, of.parent_side.then_some(of.name)).await? {
                Verdict::Insecure => {
                    mark(authorities, &set, Proof::Insecure, u32::MAX);
                    return Ok(Absence::Insecure);
                }
                // A wildcard's own record, spelt for another name, denies nothing. RFC 4035, 5.4
                Verdict::Secure {
                    encloser: Some(_), ..
                } => {}
                Verdict::Secure { ttl, .. } => {
                    mark(authorities, &set, Proof::Secure, ttl);
                    proven.push(set);
                }
            }
        }
        Ok(Absence::Proof { zone, sets: proven })
    }

    /// Of the zone that a name is in, without a signature to tell which that is: Secure or Insecure.
    pub(super) async fn containing(&self, name: &Name) -> Result<Trust, DnssecFault> {
        let Some(anchor) = self.zones.anchors.above(name) else {
            return Ok(Trust::Insecure);
        };
        let mut trust = Trust::Insecure;
        for count in labels(anchor)..=labels(name) {
            match self.cut(name.trim_to(count)).await? {
                Trust::Insecure => return Ok(Trust::Insecure),
                Trust::NotACut => {}
                keys @ Trust::Secure(_) => trust = keys,
            }
        }
        Ok(trust)
    }

    /// Where a name stands. Asks for what is not known yet. Each step leads to a name that is shorter.
    fn cut(&self, name: Name) -> LocalBoxFuture<'_, Result<Trust, DnssecFault>> {
        async move {
            let Some(anchor) = self.zones.anchors.above(&name) else {
                return Ok(Trust::Insecure);
            };
            if let Some(trust) = self.zones.get(&name) {
                return Ok(trust);
            }
            let (trust, ttl) = if *anchor == name {
                self.keys(&name, |key| self.zones.anchors.trust(&name, key), true)
                    .await?
            } else {
                self.below_parent(&name).await?
            };
            self.zones.put(&name, &trust, ttl);
            Ok(trust)
        }
        .boxed_local()
    }

    /// By what its parent says.
    async fn below_parent(&self, name: &Name) -> Result<(Trust, u32), DnssecFault> {
        let mut reply = self.fetch(name, RecordType::DS).await?;
        let sets = RrSet::group(&reply.answers);
        if let Some(alias) = sets
            .iter()
            .find(|set| set.rtype == RecordType::CNAME && set.name == *name)
        {
            // No zone begins at an alias (RFC 1034, 3.6.2).
            return match self.set(alias, Some(name)).await? {
                Verdict::Secure { ttl, .. } => Ok((Trust::NotACut, ttl)),
                Verdict::Insecure => Ok((Trust::Insecure, least_ttl(&reply.answers))),
            };
        }
        let Some(set) = sets
            .iter()
            .find(|set| set.rtype == RecordType::DS && set.name == *name)
        else {
            return self.without_ds(name, &mut reply).await;
        };
        let Verdict::Secure { ttl, .. } = self.set(set, None).await? else {
            return Ok((Trust::Insecure, least_ttl(&reply.answers)));
        };
        let signers = usable(&set.records);
        if signers.is_empty() {
            // RFC 4035, 5.2: algorithms that nobody here knows are as good as none.
            return Ok((Trust::Insecure, ttl));
        }
        let used: Vec<_> = signers.iter().map(|_| std::cell::Cell::new(0)).collect();
        let trusted = |key: &DNSKEY| {
            signers.iter().zip(&used).any(|(ds, used)| {
                let tag = key.calculate_key_tag().ok();
                if ds.algorithm() != key.public_key().algorithm() || tag != Some(ds.key_tag()) {
                    return false;
                }
                used.set(used.get() + 1);
                used.get() <= KEYS_OF_ONE_DS && ds.covers(name, key).unwrap_or(false)
            })
        };
        let (trust, keys_ttl) = self.keys(name, trusted, false).await?;
        Ok((trust, ttl.min(keys_ttl)))
    }

    async fn without_ds(
        &self,
        name: &Name,
        reply: &mut Reply,
    ) -> Result<(Trust, u32), DnssecFault> {
        let ttl = least_ttl(&reply.authorities);
        let of = Of {
            parent_side: true,
            ..Of::name(name)
        };
        match self.absence(&mut reply.authorities, of).await? {
            Absence::Insecure => Ok((Trust::Insecure, ttl)),
            Absence::None => match self.containing(&name.base_name()).await? {
                Trust::Secure(_) => Err(DnssecFault::NoSignature),
                Trust::Insecure | Trust::NotACut => Ok((Trust::Insecure, ttl)),
            },
            Absence::Proof { zone, sets } => match Denial::new(&zone, &sets).ds(name) {
                Ds::Unsigned => Ok((Trust::Insecure, ttl)),
                Ds::NotACut => Ok((Trust::NotACut, ttl)),
                Ds::Unproven => Err(DnssecFault::NsecMismatch),
            },
        }
    }

    /// The keys of a zone: those that one that is `trusted` vouches for.
    async fn keys(
        &self,
        zone: &Name,
        trusted: impl Fn(&DNSKEY) -> bool,
        is_anchor: bool,
    ) -> Result<(Trust, u32), DnssecFault> {
        let reply = self.fetch(zone, RecordType::DNSKEY).await?;
        let sets = RrSet::group(&reply.answers);
        let set = sets
            .iter()
            .find(|set| set.rtype == RecordType::DNSKEY && set.name == *zone);
        // An anchor's keys are there and signed: who has none, or no signatures, does not do DNSSEC.
        let Some(set) = set else {
            return Err(if is_anchor {
                DnssecFault::IncompatibleServer
            } else {
                DnssecFault::MissingKey
            });
        };
        if set.signatures.is_empty() {
            return Err(if is_anchor {
                DnssecFault::IncompatibleServer
            } else {
                DnssecFault::NoSignature
            });
        }
        let keys: Rc<[DNSKEY]> = set.records.iter().filter_map(key).cloned().collect();
        let trusted: Vec<_> = keys
            .iter()
            .filter(|key| key.zone_key() && trusted(key))
            .cloned()
            .collect();
        let mut fault = DnssecFault::MissingKey;
        for signature in set.signatures.iter().take(SIGNATURES) {
            if signature.input().signer_name != *zone {
                continue;
            }
            match set.verify(signature, &trusted, self.now, &self.work) {
                Ok(ttl) => return Ok((Trust::Secure(keys), ttl)),
                Err(DnssecFault::TooManyValidations) => {
                    return Err(DnssecFault::TooManyValidations);
                }
                // Of several, that one with a key that we trust says most.
                Err(found) if fault == DnssecFault::MissingKey => fault = found,
                Err(_) => {}
            }
        }
        Err(fault)
    }

    async fn fetch(&self, name: &Name, rtype: RecordType) -> Result<Reply, DnssecFault> {
        self.work.query()?;
        let question = Question::new(name.clone(), rtype);
        let (answer, _) = self
            .pool
            .ask(&question, WANT, self.skip)
            .await
            .map_err(|_| DnssecFault::FailedAuxiliary)?;
        if !may_be_signed(&answer) {
            return Err(DnssecFault::IncompatibleServer);
        }
        Ok(answer.reply)
    }
}

/// Those of algorithms that we know; SHA-1 only if there is nothing better (RFC 4509, 3).
fn usable(records: &[Record]) -> Vec<&DS> {
    let mut signers: Vec<_> = records
        .iter()
        .filter_map(|record| match &record.data {
            RData::DNSSEC(DNSSECRData::DS(ds)) => Some(ds),
            _ => None,
        })
        .filter(|ds| ds.algorithm().is_supported() && ds.digest_type().is_supported())
        .collect();
    if signers
        .iter()
        .any(|ds| ds.digest_type() != DigestType::SHA1)
    {
        signers.retain(|ds| ds.digest_type() != DigestType::SHA1);
    }
    signers.truncate(DELEGATION_SIGNERS);
    signers
}

fn key(record: &Record) -> Option<&DNSKEY> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::DNSKEY(key)) => Some(key),
        _ => None,
    }
}

fn least_ttl(records: &[Record]) -> u32 {
    let least = |record: &Record| match &record.data {
        // RFC 2308, 5
        RData::SOA(soa) => record.ttl.min(soa.minimum),
        _ => record.ttl,
    };
    records.iter().map(least).min().unwrap_or(UNTOLD)
}
