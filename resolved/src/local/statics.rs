//! Records that the administrator wrote down: *.rr files.

use std::path::PathBuf;

use hickory_proto::rr::{RData, RecordType};

use super::answer::{asks_for, of_protocol};
use crate::{
    config::StaticRecords,
    message::{Answer, Found, Lookup},
    name,
};

/// The files' records.
#[derive(Debug)]
pub(super) struct Statics(StaticRecords);

impl Statics {
    pub fn new(directories: Vec<PathBuf>) -> Self {
        Self(StaticRecords::new(directories))
    }

    /// They have changed: the next who asks looks at them.
    pub fn look_again(&self) {
        self.0.look_again();
    }

    /// Counts how often the files changed.
    pub fn generation(&self) -> u64 {
        self.0.generation()
    }

    /// The answer, if the files have such records.
    ///
    /// As with /etc/hosts, a name that has an address there has no other, of neither family; its other records are the network's.
    /// An alias is one for every type.
    pub fn answer(&self, lookup: &Lookup) -> Option<Answer> {
        let records = self.0.lookup(&name::to_ascii(&lookup.name)?)?;
        let of_class = records
            .iter()
            .filter(|record| record.dns_class == lookup.class);
        let mut has_address = false;
        let mut found = Vec::new();
        for record in of_class {
            let rtype = record.record_type();
            has_address |= is_address(rtype);
            if asks_for(lookup, rtype) || matches!(record.data, RData::CNAME(_)) {
                let record = record.clone();
                found.push(Found { ifindex: 0, record });
            }
        }
        let overridden = has_address && lookup.types.iter().all(|rtype| is_address(*rtype));
        if found.is_empty() && !overridden {
            return None;
        }
        let answer = Answer::made_here(lookup.name.clone(), found);
        Some(of_protocol(lookup, answer))
    }
}

fn is_address(rtype: RecordType) -> bool {
    matches!(rtype, RecordType::A | RecordType::AAAA)
}
