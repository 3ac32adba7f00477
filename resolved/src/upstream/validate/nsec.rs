//! Proofs that something is not there, by NSEC. RFC 4035, 5.4; RFC 6840, 4

use hickory_proto::{
    dnssec::rdata::NSEC,
    rr::{Name, RecordType, RecordTypeSet},
};

use super::denial::{Denied, Ds};

/// The NSEC records of one response, each verified, all of one zone.
pub(super) struct Nsecs<'a> {
    pub zone: &'a Name,
    pub records: Vec<(&'a Name, &'a NSEC)>,
}

impl Nsecs<'_> {
    /// No such name, and no wildcard in its place.
    pub fn name_error(&self, name: &Name) -> Denied {
        let proven = self.covering(name).is_some_and(|(owner, nsec)| {
            !is_above(name, nsec.next_domain_name())
                && wildcard(&encloser(name, owner, nsec))
                    .is_some_and(|wildcard| self.covering(&wildcard).is_some())
        });
        Denied::if_proven(proven)
    }

    /// No such type at the name, or at the wildcard in its place.
    pub fn no_data(&self, name: &Name, rtype: RecordType) -> Denied {
        if let Some(types) = self.matching(name) {
            return Denied::if_proven(lacks(types, rtype, name.is_root()));
        }
        let proven = self.covering(name).is_some_and(|(owner, nsec)| {
            // A name with nothing of its own, but with names below it: RFC 4592, 2.2.2.
            is_above(name, nsec.next_domain_name())
                || wildcard(&encloser(name, owner, nsec))
                    .and_then(|wildcard| self.matching(&wildcard))
                    .is_some_and(|types| lacks(types, rtype, false))
        });
        Denied::if_proven(proven)
    }

    /// What the absence of a DS means.
    pub fn ds(&self, name: &Name) -> Ds {
        match self.matching(name) {
            Some(types) => Ds::at(types),
            None if self.no_data(name, RecordType::DS) == Denied::Proven => Ds::NotACut,
            None if self.name_error(name) == Denied::Proven => Ds::NotACut,
            None => Ds::Unproven,
        }
    }

    /// Nothing closer to the name than this wildcard's parent.
    pub fn wildcard(&self, name: &Name, parent: &Name) -> Denied {
        let proven = self.covering(name).is_some_and(|(owner, nsec)| {
            !is_above(name, nsec.next_domain_name()) && encloser(name, owner, nsec) == *parent
        });
        Denied::if_proven(proven)
    }

    fn matching(&self, name: &Name) -> Option<&RecordTypeSet> {
        let (_, nsec) = self.records.iter().find(|(owner, _)| *owner == name)?;
        Some(nsec.type_set())
    }

    fn covering(&self, name: &Name) -> Option<(&Name, &NSEC)> {
        self.records.iter().copied().find(|(owner, nsec)| {
            let next = nsec.next_domain_name();
            let between = if *owner < next {
                *owner < name && name < next
            } else {
                // The last of the zone leads back to its apex.
                *owner < name && next == self.zone
            };
            // RFC 6840, 4.1: what is below a delegation or a DNAME is not this zone's to deny.
            between
                && self.zone.zone_of(name)
                && !(is_above(owner, name) && leads_away(nsec.type_set()))
        })
    }
}

/// A delegation, seen from above, or a DNAME.
pub(super) fn leads_away(types: &RecordTypeSet) -> bool {
    types.contains(RecordType::DNAME) || is_delegation(types)
}

pub(super) fn is_delegation(types: &RecordTypeSet) -> bool {
    types.contains(RecordType::NS) && !types.contains(RecordType::SOA)
}

/// The record at the name says that there is no such type.
pub(super) fn lacks(types: &RecordTypeSet, rtype: RecordType, is_root: bool) -> bool {
    // RFC 6840, 4.3
    if types.contains(rtype) || types.contains(RecordType::CNAME) {
        return false;
    }
    if rtype == RecordType::DS {
        // RFC 4035, 5.2: the parent's word is needed; the root has none.
        !types.contains(RecordType::SOA) || is_root
    } else {
        !is_delegation(types)
    }
}

/// The longest name that is above both the name and one of the ends of what covers it: it exists.
fn encloser(name: &Name, owner: &Name, nsec: &NSEC) -> Name {
    let common = |other: &Name| {
        let both = name.iter().rev().zip(other.iter().rev());
        both.take_while(|(one, other)| one.eq_ignore_ascii_case(other))
            .count()
    };
    name.trim_to(common(owner).max(common(nsec.next_domain_name())))
}

/// `None`: it would be too long, so there is none.
pub(super) fn wildcard(parent: &Name) -> Option<Name> {
    parent.prepend_label("*").ok()
}

fn is_above(name: &Name, below: &Name) -> bool {
    name != below && name.zone_of(below)
}
