//! What the NSEC and NSEC3 records of a response prove.

use hickory_proto::{
    dnssec::rdata::{DNSSECRData, NSEC, NSEC3},
    op::ResponseCode,
    rr::{Name, RData, RecordType, RecordTypeSet},
};

use super::{
    nsec::{Nsecs, is_delegation},
    nsec3::Nsec3s,
    rrset::RrSet,
};

/// Whether an absence is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    Proven,
    /// There may be something unsigned (opt-out, RFC 5155, 6), or it costs too much to know.
    Insecure,
    Unproven,
}

impl Denied {
    pub fn if_proven(proven: bool) -> Self {
        if proven { Self::Proven } else { Self::Unproven }
    }

    /// Proven, but for what was opted out.
    pub fn if_all(opt_out: bool) -> Self {
        if opt_out {
            Self::Insecure
        } else {
            Self::Proven
        }
    }
}

/// What the absence of a DS at a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ds {
    /// A delegation without one, or maybe one (opt-out): what is below is not signed.
    Unsigned,
    /// No zone begins there.
    NotACut,
    Unproven,
}

impl Ds {
    /// By the types at the name.
    pub fn at(types: &RecordTypeSet) -> Self {
        // The child's own record says nothing of its parent's DS: RFC 4035, 5.2.
        if types.contains(RecordType::DS) || types.contains(RecordType::SOA) {
            Self::Unproven
        } else if is_delegation(types) {
            Self::Unsigned
        } else {
            Self::NotACut
        }
    }
}

/// The verified NSEC or NSEC3 records of one zone.
pub(super) enum Denial<'a> {
    Nsec(Nsecs<'a>),
    Nsec3(Nsec3s<'a>),
}

impl<'a> Denial<'a> {
    /// `sets`: all of this zone.
    pub fn new(zone: &'a Name, sets: &'a [RrSet]) -> Self {
        let mut nsecs: Vec<(&Name, &NSEC)> = Vec::new();
        let mut nsec3s: Vec<(&Name, &NSEC3)> = Vec::new();
        for record in sets.iter().flat_map(|set| &set.records) {
            match &record.data {
                RData::DNSSEC(DNSSECRData::NSEC(nsec)) => nsecs.push((&record.name, nsec)),
                RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) => nsec3s.push((&record.name, nsec3)),
                _ => {}
            }
        }
        // A zone has one kind; both at once only while it changes from one to the other.
        if nsec3s.is_empty() {
            Self::Nsec(Nsecs {
                zone,
                records: nsecs,
            })
        } else {
            Self::Nsec3(Nsec3s::new(zone, &nsec3s))
        }
    }

    /// That a negative response is right.
    pub fn negative(&self, rcode: ResponseCode, name: &Name, rtype: RecordType) -> Denied {
        match (self, rcode) {
            (Self::Nsec(nsecs), ResponseCode::NXDomain) => nsecs.name_error(name),
            (Self::Nsec3(nsec3s), ResponseCode::NXDomain) => nsec3s.name_error(name),
            (Self::Nsec(nsecs), _) => nsecs.no_data(name, rtype),
            (Self::Nsec3(nsec3s), _) => nsec3s.no_data(name, rtype),
        }
    }

    /// What the absence of a DS means.
    pub fn ds(&self, name: &Name) -> Ds {
        match self {
            Self::Nsec(nsecs) => nsecs.ds(name),
            Self::Nsec3(nsec3s) => nsec3s.ds(name),
        }
    }

    /// That nothing is closer to the name than the wildcard below `parent`.
    pub fn wildcard(&self, name: &Name, parent: &Name) -> Denied {
        match self {
            Self::Nsec(nsecs) => nsecs.wildcard(name, parent),
            Self::Nsec3(nsec3s) => nsec3s.wildcard(name, parent),
        }
    }
}
