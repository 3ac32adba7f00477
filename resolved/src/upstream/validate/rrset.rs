//! RRsets and their signatures.

use hickory_proto::{
    dnssec::{
        PublicKey, Verifier,
        rdata::{DNSKEY, RRSIG},
    },
    rr::{DNSClass, Name, RData, Record, RecordType, SerialNumber, rdata::NULL},
};

use super::{super::reply::signature, Work};
use crate::failure::DnssecFault;

/// With the same tag and algorithm: more are a trap (KeyTrap, CVE-2023-50387).
const COLLIDING_KEYS: usize = 2;

/// The records of one name and type, with what signs them.
#[derive(Clone, Debug)]
pub(super) struct RrSet {
    pub name: Name,
    pub rtype: RecordType,
    pub class: DNSClass,
    pub records: Vec<Record>,
    pub signatures: Vec<RRSIG>,
}

impl RrSet {
    /// Sorts records into sets, in the order in which they come.
    pub fn group(records: &[Record]) -> Vec<Self> {
        let mut sets: Vec<Self> = Vec::new();
        for record in records.iter().filter(|record| signature(record).is_none()) {
            let set = sets
                .iter_mut()
                .find(|set| set.name == record.name && set.rtype == record.record_type());
            let record = canonical(record);
            match set {
                Some(set) => set.records.push(record),
                None => sets.push(Self {
                    name: record.name.clone(),
                    rtype: record.record_type(),
                    class: record.dns_class,
                    records: vec![record],
                    signatures: Vec::new(),
                }),
            }
        }
        for record in records {
            if let Some(signature) = signature(record)
                && let Some(set) = sets.iter_mut().find(|set| {
                    set.name == record.name && set.rtype == signature.input().type_covered
                })
            {
                set.signatures.push(signature.clone());
            }
        }
        sets
    }

    /// Whether a signature is in order and by one of these keys of its signer. Gives for how long it can be kept, in seconds.
    pub fn verify(
        &self,
        signature: &RRSIG,
        keys: &[DNSKEY],
        now: u32,
        work: &Work,
    ) -> Result<u32, DnssecFault> {
        let input = signature.input();
        if !input.algorithm.is_supported() {
            return Err(DnssecFault::UnsupportedAlgorithm);
        }
        let time = SerialNumber::new(now);
        if !(input.sig_inception <= time && time <= input.sig_expiration) {
            return Err(DnssecFault::SignatureExpired);
        }
        let fitting = keys.iter().filter(|key| {
            key.zone_key()
                && !key.revoke()
                && key.public_key().algorithm() == input.algorithm
                && key
                    .calculate_key_tag()
                    .is_ok_and(|tag| tag == input.key_tag)
        });
        let mut fault = DnssecFault::MissingKey;
        for key in fitting.take(COLLIDING_KEYS) {
            work.validation()?;
            if key
                .verify_rrsig(&self.name, self.class, signature, self.records.iter())
                .is_ok()
            {
                let ttls = self
                    .records
                    .iter()
                    .map(|record| signature.authenticated_ttl(record, now));
                return Ok(ttls.min().unwrap_or(0));
            }
            fault = DnssecFault::Invalid;
        }
        Err(fault)
    }

    /// What the name was made from by a wildcard: the closest encloser that the signature tells of. RFC 4035, 5.3.4
    pub fn encloser(&self, signature: &RRSIG) -> Option<Name> {
        let signed = signature.input().num_labels;
        (signed < self.name.num_labels()).then(|| self.name.trim_to(usize::from(signed)))
    }
}

/// hickory knows no DNAME, so its target is not in lower case yet. RFC 4034, 6.2
fn canonical(record: &Record) -> Record {
    let mut record = record.clone();
    if let RData::Unknown {
        code: RecordType::DNAME,
        rdata,
    } = &mut record.data
    {
        // The lengths of labels are no letters: at most 63.
        *rdata = NULL::with(rdata.anything.to_ascii_lowercase());
    }
    record
}
