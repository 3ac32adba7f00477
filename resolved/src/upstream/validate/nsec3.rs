//! Proofs that something is not there, by NSEC3. RFC 5155, 8; RFC 9276

use std::{cell::RefCell, collections::HashMap};

use hickory_proto::{
    dnssec::{Nsec3HashAlgorithm, rdata::NSEC3},
    rr::{Name, RecordType},
};

use super::{
    denial::{Denied, Ds},
    labels,
    nsec::{lacks, leads_away, wildcard},
};

/// More are not computed. RFC 9276, 3.2: what they would prove is not proven, and not wrong either.
const ITERATIONS: u16 = 100;
/// RFC 5155, 3.1.2.1. Records with other flags are ignored (8.2).
const OPT_OUT: u8 = 1;

/// The NSEC3 records of one response, each verified, all of one zone and with one salt.
pub(super) struct Nsec3s<'a> {
    zone: &'a Name,
    records: Vec<(Vec<u8>, &'a NSEC3)>,
    hashes: RefCell<HashMap<Name, Vec<u8>>>,
}

/// The closest name that exists, and that the next one towards the name does not. RFC 5155, 8.3
struct Encloser {
    name: Name,
    opt_out: bool,
}

impl<'a> Nsec3s<'a> {
    pub fn new(zone: &'a Name, records: &[(&Name, &'a NSEC3)]) -> Self {
        let parameters = |nsec3: &NSEC3| (nsec3.iterations(), nsec3.salt().to_vec());
        let first = records.first().map(|(_, nsec3)| parameters(nsec3));
        let usable = records.iter().filter(|(owner, nsec3)| {
            nsec3.flags() & !OPT_OUT == 0
                && Some(parameters(nsec3)) == first
                && owner.base_name() == *zone
        });
        Self {
            zone,
            records: usable
                .filter_map(|(owner, nsec3)| Some((decode(owner.iter().next()?)?, *nsec3)))
                .collect(),
            hashes: RefCell::default(),
        }
    }

    fn too_costly(&self) -> bool {
        self.records
            .iter()
            .any(|(_, nsec3)| nsec3.iterations() > ITERATIONS)
    }

    /// No such name, and no wildcard in its place.
    pub fn name_error(&self, name: &Name) -> Denied {
        if self.too_costly() {
            return Denied::Insecure;
        }
        match self.encloser(name) {
            Some(encloser)
                if wildcard(&encloser.name)
                    .is_some_and(|wildcard| self.covering(&wildcard).is_some()) =>
            {
                Denied::if_all(encloser.opt_out)
            }
            _ => Denied::Unproven,
        }
    }

    /// No such type at the name, or at the wildcard in its place.
    pub fn no_data(&self, name: &Name, rtype: RecordType) -> Denied {
        if self.too_costly() {
            return Denied::Insecure;
        }
        if let Some(nsec3) = self.matching(name) {
            return Denied::if_proven(lacks(nsec3.type_set(), rtype, name.is_root()));
        }
        let Some(encloser) = self.encloser(name) else {
            return Denied::Unproven;
        };
        let by_wildcard = wildcard(&encloser.name)
            .and_then(|wildcard| self.matching(&wildcard))
            .is_some_and(|nsec3| lacks(nsec3.type_set(), rtype, false));
        if by_wildcard || encloser.opt_out {
            Denied::if_all(encloser.opt_out)
        } else {
            Denied::Unproven
        }
    }

    /// What the absence of a DS means.
    pub fn ds(&self, name: &Name) -> Ds {
        if self.too_costly() {
            return Ds::Unsigned;
        }
        if let Some(nsec3) = self.matching(name) {
            return Ds::at(nsec3.type_set());
        }
        match (self.no_data(name, RecordType::DS), self.name_error(name)) {
            (Denied::Insecure, _) => Ds::Unsigned,
            (Denied::Proven, _) | (_, Denied::Proven) => Ds::NotACut,
            _ => Ds::Unproven,
        }
    }

    /// Nothing closer to the name than this wildcard's parent. RFC 5155, 8.8
    pub fn wildcard(&self, name: &Name, parent: &Name) -> Denied {
        if self.too_costly() {
            return Denied::Insecure;
        }
        match self.covering(&name.trim_to(labels(parent) + 1)) {
            Some(nsec3) => Denied::if_all(nsec3.opt_out()),
            None => Denied::Unproven,
        }
    }

    fn encloser(&self, name: &Name) -> Option<Encloser> {
        if self.matching(name).is_some() || !self.zone.zone_of(name) {
            return None;
        }
        for count in (labels(self.zone)..labels(name)).rev() {
            let above = name.trim_to(count);
            if let Some(nsec3) = self.matching(&above) {
                if leads_away(nsec3.type_set()) {
                    return None;
                }
                let next = self.covering(&name.trim_to(count + 1))?;
                return Some(Encloser {
                    name: above,
                    opt_out: next.opt_out(),
                });
            }
        }
        None
    }

    fn matching(&self, name: &Name) -> Option<&NSEC3> {
        let hash = self.hash(name)?;
        self.records
            .iter()
            .find(|(owner, _)| *owner == hash)
            .map(|(_, nsec3)| *nsec3)
    }

    fn covering(&self, name: &Name) -> Option<&NSEC3> {
        let hash = self.hash(name)?;
        let covers = |owner: &[u8], next: &[u8]| {
            if owner < next {
                owner < hash.as_slice() && hash.as_slice() < next
            } else {
                owner < hash.as_slice() || hash.as_slice() < next
            }
        };
        self.records
            .iter()
            .find(|(owner, nsec3)| covers(owner, nsec3.next_hashed_owner_name()))
            .map(|(_, nsec3)| *nsec3)
    }

    fn hash(&self, name: &Name) -> Option<Vec<u8>> {
        if let Some(hash) = self.hashes.borrow().get(name) {
            return Some(hash.clone());
        }
        let (_, nsec3) = self.records.first()?;
        let digest = Nsec3HashAlgorithm::SHA1
            .hash(nsec3.salt(), name, nsec3.iterations())
            .ok()?;
        let hash = digest.as_ref().to_vec();
        self.hashes.borrow_mut().insert(name.clone(), hash.clone());
        Some(hash)
    }
}

/// Base 32 with the extended hex alphabet, without padding. RFC 4648, 7
fn decode(label: &[u8]) -> Option<Vec<u8>> {
    let mut bits = 0u32;
    let mut held = 0;
    let mut bytes = Vec::with_capacity(label.len() * 5 / 8);
    for letter in label {
        let digit = match letter.to_ascii_lowercase() {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'v' => digit - b'a' + 10,
            _ => return None,
        };
        bits = (bits << 5 | u32::from(digit)) & 0xfff;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name;

    #[test]
    fn hashes_of_rfc_5155() {
        // Appendix A: salt aabbccdd, 12 iterations.
        let salt = [0xaa, 0xbb, 0xcc, 0xdd];
        for (text, hash) in [
            ("example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
            ("a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
            ("*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
        ] {
            let digest = Nsec3HashAlgorithm::SHA1.hash(&salt, &name::parse(text).unwrap(), 12);
            assert_eq!(decode(hash.as_bytes()).unwrap(), digest.unwrap().as_ref());
        }
        assert_eq!(decode(b"0p9mw"), None);
    }
}
