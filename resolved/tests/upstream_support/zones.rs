//! Signed zones, and a server that answers from all of them as a resolver in front of theirs would.
#![allow(dead_code, reason = "each test uses a part")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use hickory_proto::{
    dnssec::{
        Algorithm, DigestType, Nsec3HashAlgorithm, PublicKeyBuf, SigningKey, TBS,
        crypto::Ed25519SigningKey,
        rdata::{DNSKEY, DNSSECRData, DS, NSEC, RRSIG, sig::SigInput},
    },
    op::{Message, ResponseCode},
    rr::{DNSClass, Name, RData, Record, RecordType, SerialNumber, rdata},
};
use resolved::config::TrustAnchor;

use super::{Act, Asked, Fake, n, response_to, soa};

const DAY: u32 = 86400;
const SALT: [u8; 4] = [1, 2, 3, 4];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    Nsec,
    Nsec3 { opt_out: bool, iterations: u16 },
}

pub const NSEC3: Denial = Denial::Nsec3 {
    opt_out: false,
    iterations: 0,
};
pub const OPT_OUT: Denial = Denial::Nsec3 {
    opt_out: true,
    iterations: 0,
};

#[derive(Clone)]
pub struct Zone {
    pub name: Name,
    pub key: Option<Arc<Ed25519SigningKey>>,
    pub denial: Denial,
    pub sets: BTreeMap<(Name, RecordType), Vec<Record>>,
    /// Seconds from now.
    pub inception: i64,
    pub expiration: i64,
    /// What the parent says of its key.
    pub ds: Vec<DS>,
}

impl Zone {
    pub fn unsigned(name: &str) -> Self {
        let mut zone = Self {
            name: n(name),
            key: None,
            denial: Denial::Nsec,
            sets: BTreeMap::new(),
            inception: -i64::from(DAY),
            expiration: i64::from(DAY),
            ds: Vec::new(),
        };
        zone.add(soa(name));
        zone.add(ns(&zone.name.clone()));
        zone
    }

    pub fn signed(name: &str, denial: Denial) -> Self {
        let pkcs8 = Ed25519SigningKey::generate_pkcs8().unwrap();
        let key = Ed25519SigningKey::from_pkcs8(&pkcs8).unwrap();
        let mut zone = Self::unsigned(name);
        zone.denial = denial;
        let public = key.to_public_key().unwrap();
        zone.ds = vec![DS::from_key(&public, &zone.name, DigestType::SHA256).unwrap()];
        zone.key = Some(Arc::new(key));
        zone.add(record(
            &zone.name.clone(),
            DNSSECRData::DNSKEY(DNSKEY::with_flags(257, public)),
        ));
        zone
    }

    pub fn add(&mut self, record: Record) -> &mut Self {
        let key = (record.name.clone(), record.record_type());
        self.sets.entry(key).or_default().push(record);
        self
    }

    pub fn with(mut self, record: Record) -> Self {
        self.add(record);
        self
    }

    pub fn anchor(&self) -> TrustAnchor {
        TrustAnchor {
            name: self.name.clone(),
            data: DNSSECRData::DS(self.ds[0].clone()),
        }
    }

    pub fn key_anchor(&self) -> TrustAnchor {
        match &self.sets[&(self.name.clone(), RecordType::DNSKEY)][0].data {
            RData::DNSSEC(data) => TrustAnchor {
                name: self.name.clone(),
                data: data.clone(),
            },
            _ => unreachable!(),
        }
    }

    fn types(&self, name: &Name) -> BTreeSet<RecordType> {
        self.sets
            .keys()
            .filter(|(owner, _)| owner == name)
            .map(|(_, rtype)| *rtype)
            .collect()
    }

    fn exists(&self, name: &Name) -> bool {
        self.sets.keys().any(|(owner, _)| name.zone_of(owner))
    }

    fn is_delegation(&self, name: &Name) -> bool {
        *name != self.name && self.sets.contains_key(&(name.clone(), RecordType::NS))
    }

    /// A set as it is sent, `owner` in place of its wildcard.
    fn signed_set(&self, set: &[Record], owner: &Name) -> Vec<Record> {
        let mut out: Vec<Record> = set.to_vec();
        for record in &mut out {
            record.name = owner.clone();
        }
        let Some(key) = &self.key else { return out };
        let stored = &set[0].name;
        let rtype = set[0].record_type();
        if self.is_delegation(stored) && rtype == RecordType::NS {
            return out;
        }
        let now = i64::try_from(
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs(),
        )
        .unwrap();
        let time = |offset: i64| SerialNumber::new(u32::try_from(now + offset).unwrap());
        let input = SigInput {
            type_covered: rtype,
            algorithm: Algorithm::ED25519,
            num_labels: stored.num_labels(),
            original_ttl: set[0].ttl,
            sig_expiration: time(self.expiration),
            sig_inception: time(self.inception),
            key_tag: DNSKEY::with_flags(257, key.to_public_key().unwrap())
                .calculate_key_tag()
                .unwrap(),
            signer_name: self.name.clone(),
        };
        let tbs = TBS::from_input(owner, DNSClass::IN, &input, out.iter()).unwrap();
        let signature = RRSIG::from_sig(input, key.sign(&tbs).unwrap());
        let mut signature = record(owner, DNSSECRData::RRSIG(signature));
        signature.ttl = set[0].ttl;
        out.push(signature);
        out
    }

    fn nsec_names(&self) -> Vec<Name> {
        let names: BTreeSet<_> = self.sets.keys().map(|(owner, _)| owner.clone()).collect();
        names.into_iter().collect()
    }

    fn bitmap(&self, name: &Name) -> Vec<RecordType> {
        let mut types: Vec<_> = self.types(name).into_iter().collect();
        let signed = !self.is_delegation(name) || types.contains(&RecordType::DS);
        if signed && !types.is_empty() {
            types.push(RecordType::RRSIG);
        }
        types
    }

    /// The record that matches or covers a name.
    fn denial_for(&self, name: &Name) -> Vec<Record> {
        match self.denial {
            Denial::Nsec => {
                let names = self.nsec_names();
                let at = names
                    .iter()
                    .rposition(|owner| owner <= name)
                    .unwrap_or(names.len() - 1);
                let next = names[(at + 1) % names.len()].clone();
                let mut types = self.bitmap(&names[at]);
                types.extend([RecordType::NSEC, RecordType::RRSIG]);
                let set = [record(
                    &names[at],
                    DNSSECRData::NSEC(NSEC::new(next, types)),
                )];
                self.signed_set(&set, &names[at])
            }
            Denial::Nsec3 {
                opt_out,
                iterations,
            } => {
                let hash = |name: &Name| {
                    Nsec3HashAlgorithm::SHA1
                        .hash(&SALT, name, iterations)
                        .unwrap()
                        .as_ref()
                        .to_vec()
                };
                let mut hashes = BTreeMap::new();
                for owner in self.nsec_names() {
                    if opt_out
                        && self.is_delegation(&owner)
                        && !self.types(&owner).contains(&RecordType::DS)
                    {
                        continue;
                    }
                    for count in self.name.iter().count()..=owner.iter().count() {
                        let above = owner.trim_to(count);
                        hashes.insert(hash(&above), above);
                    }
                }
                let wanted = hash(name);
                let chain: Vec<_> = hashes.iter().collect();
                let at = chain
                    .iter()
                    .rposition(|(owner, _)| **owner <= wanted)
                    .unwrap_or(chain.len() - 1);
                let (owner, of) = chain[at];
                let next = chain[(at + 1) % chain.len()].0.clone();
                let new = |next: Vec<u8>| {
                    let alg = Nsec3HashAlgorithm::SHA1;
                    hickory_proto::dnssec::rdata::NSEC3::new(
                        alg,
                        opt_out,
                        iterations,
                        SALT.to_vec(),
                        next,
                        self.bitmap(of),
                    )
                };
                let label = new(owner.clone())
                    .next_hashed_owner_name_base32()
                    .unwrap()
                    .clone();
                let name = self.name.prepend_label(label.as_bytes()).unwrap();
                let set = [record(&name, DNSSECRData::NSEC3(new(next)))];
                self.signed_set(&set, &name)
            }
        }
    }

    /// The names whose records prove that a name is not there, and its wildcard neither.
    fn deny(&self, name: &Name, message: &mut Message, also_wildcard: bool) {
        if self.key.is_none() {
            return;
        }
        let mut encloser = name.base_name();
        let mut next = name.clone();
        while !self.exists(&encloser) {
            next = encloser.clone();
            encloser = encloser.base_name();
        }
        let mut names = match self.denial {
            Denial::Nsec => vec![name.clone()],
            Denial::Nsec3 { .. } => vec![encloser.clone(), next],
        };
        if also_wildcard {
            names.push(encloser.prepend_label("*").unwrap());
        }
        for name in names {
            for record in self.denial_for(&name) {
                if !message.authorities.contains(&record) {
                    message.add_authority(record);
                }
            }
        }
    }

    fn negative(&self, message: &mut Message) {
        let soa = &self.sets[&(self.name.clone(), RecordType::SOA)];
        message.add_authorities(self.signed_set(soa, &self.name));
    }

    /// Answers, and gives where an alias leads.
    fn answer(&self, name: &Name, rtype: RecordType, message: &mut Message) -> Option<Name> {
        let mut found = name.clone();
        if !self.exists(name) {
            let mut encloser = name.base_name();
            while !self.exists(&encloser) {
                encloser = encloser.base_name();
            }
            let wildcard = encloser.prepend_label("*").unwrap();
            if !self.exists(&wildcard) {
                message.metadata.response_code = ResponseCode::NXDomain;
                self.negative(message);
                self.deny(name, message, true);
                return None;
            }
            self.deny(name, message, false);
            found = wildcard;
        }
        if let Some(set) = self.sets.get(&(found.clone(), rtype)) {
            message.add_answers(self.signed_set(set, name));
            return None;
        }
        if let Some(set) = self.sets.get(&(found.clone(), RecordType::CNAME)) {
            message.add_answers(self.signed_set(set, name));
            match &set[0].data {
                RData::CNAME(rdata::CNAME(target)) => return Some(target.clone()),
                _ => unreachable!(),
            }
        }
        self.negative(message);
        if self.key.is_some() {
            let opted_out = matches!(self.denial, Denial::Nsec3 { opt_out: true, .. })
                && self.is_delegation(&found)
                && !self.types(&found).contains(&RecordType::DS);
            if opted_out {
                self.deny(&found, message, false);
            } else {
                for record in self.denial_for(&found) {
                    if !message.authorities.contains(&record) {
                        message.add_authority(record);
                    }
                }
            }
        }
        None
    }
}

fn ns(zone: &Name) -> Record {
    let target = n("ns.nowhere.test");
    Record::from_rdata(zone.clone(), 300, RData::NS(rdata::NS(target)))
}

pub fn record(name: &Name, data: DNSSECRData) -> Record {
    Record::from_rdata(name.clone(), 300, RData::DNSSEC(data))
}

/// The root and what is below it.
#[derive(Clone)]
pub struct World(Vec<Zone>);

impl World {
    /// Zones, each delegated from the one above it that is here.
    pub fn new(mut zones: Vec<Zone>) -> Self {
        let children: Vec<_> = zones
            .iter()
            .map(|zone| (zone.name.clone(), zone.ds.clone()))
            .collect();
        for (name, ds) in children.iter().filter(|(name, _)| !name.is_root()) {
            let parent = zones
                .iter_mut()
                .filter(|zone| zone.name != *name && zone.name.zone_of(name))
                .max_by_key(|zone| zone.name.iter().count());
            if let Some(parent) = parent {
                parent.add(ns(name));
                for ds in ds {
                    parent.add(record(name, DNSSECRData::DS(ds.clone())));
                }
            }
        }
        Self(zones)
    }

    pub fn zone(&self, name: &str) -> &Zone {
        self.0.iter().find(|zone| zone.name == n(name)).unwrap()
    }

    pub fn answer(&self, asked: &Asked) -> Message {
        let mut message = response_to(asked);
        let rtype = asked.message.queries[0].query_type;
        let mut name = asked.name();
        for _ in 0..8 {
            let zone = self
                .0
                .iter()
                .filter(|zone| {
                    zone.name.zone_of(&name) && (rtype != RecordType::DS || zone.name != name)
                })
                .max_by_key(|zone| zone.name.iter().count());
            let Some(target) = zone.and_then(|zone| zone.answer(&name, rtype, &mut message)) else {
                break;
            };
            name = target;
        }
        message
    }

    pub async fn serve(
        self,
        tamper: impl Fn(&Asked, &mut Message) + Send + Sync + 'static,
    ) -> Fake {
        Fake::new(move |asked| {
            let mut message = self.answer(asked);
            tamper(asked, &mut message);
            let bytes = message.to_vec().unwrap();
            if !asked.tcp && bytes.len() > 1232 {
                let mut short = response_to(asked);
                short.metadata.truncation = true;
                return vec![Act::Say(short)];
            }
            vec![Act::Say(message)]
        })
        .await
    }
}

/// Takes the signatures out.
pub fn strip(message: &mut Message) {
    let keep = |record: &Record| {
        !matches!(
            record.record_type(),
            RecordType::RRSIG | RecordType::NSEC | RecordType::NSEC3
        )
    };
    message.answers.retain(keep);
    message.authorities.retain(keep);
}

/// Keys that differ and have one tag: it is a sum of 16 bit words, so their order does not matter.
pub fn colliding_keys(count: usize) -> Vec<DNSKEY> {
    let mut bytes: Vec<u8> = (0..32).collect();
    (0..count)
        .map(|turn| {
            let (one, other) = (2 * (turn % 15), 2 * (turn % 15) + 2);
            if turn % 2 == 0 {
                bytes.swap(one, other);
                bytes.swap(one + 1, other + 1);
            } else {
                bytes.rotate_left(2);
            }
            DNSKEY::with_flags(257, PublicKeyBuf::new(bytes.clone(), Algorithm::ED25519))
        })
        .collect()
}
