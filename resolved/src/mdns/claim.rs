//! The life of a group of records: asked for, announced, answered for. RFC 6762, 8

use std::{cmp::Ordering, time::Duration};

use hickory_proto::{
    rr::{Name, Record, RecordType},
    serialize::binary::BinEncodable,
};

use super::own::{Group, Own};
use crate::multicast::random;

/// Between probes, and after the last. RFC 6762, 8.1
const PROBE_INTERVAL: Duration = Duration::from_millis(250);
const PROBES: u8 = 3;
/// Between announcements. RFC 6762, 8.3
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(1);
const ANNOUNCEMENTS: u8 = 2;
/// Who loses to another that asks at the same time asks again then, if the other is gone. RFC 6762, 8.2
const DEFER: Duration = Duration::from_secs(1);

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Probing {
        sent: u8,
        next: Duration,
    },
    Announcing {
        sent: u8,
        next: Duration,
    },
    Settled,
    /// The name is another's.
    Lost,
}

/// A record that is announced, and when everyone was last told of it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) own: Own,
    pub(super) at: Option<Duration>,
}

/// A group of records, and how far it is.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) group: Group,
    pub(super) records: Vec<Told>,
    phase: Phase,
    /// When everyone was last told what there is not.
    pub(super) denied_at: Option<Duration>,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Probe,
    Announce,
}

fn untold(records: &[Own]) -> Vec<Told> {
    let told = |own: &Own| Told {
        own: own.clone(),
        at: None,
    };
    records.iter().map(told).collect()
}

impl Claim {
    /// Begins to ask, after `pause` and up to 250 ms, so that machines switched on together do not all ask at once.
    pub(super) fn begin(group: Group, now: Duration, pause: Duration) -> Self {
        Self {
            records: untold(&group.records),
            group,
            phase: Phase::Probing {
                sent: 0,
                next: now + pause + random::millis(0, 250),
            },
            denied_at: None,
        }
    }

    /// The same name has other records now. What it no longer has is returned, if others were told of it.
    pub(super) fn update(&mut self, group: Group, now: Duration) -> Vec<Own> {
        let is_in = |own: &Own, records: &[Own]| records.contains(own);
        let told = self.is_published();
        let gone = self.records.iter().map(|told| &told.own);
        let gone: Vec<_> = gone
            .filter(|own| !is_in(own, &group.records))
            .cloned()
            .collect();
        let known = &self.group.records;
        let is_new = group.records.iter().any(|own| !is_in(own, known));
        let mut records = untold(&group.records);
        for record in &mut records {
            let before = self.records.iter().find(|before| before.own == record.own);
            record.at = before.and_then(|before| before.at);
        }
        self.records = records;
        self.group = group;
        if told && (is_new || !gone.is_empty()) {
            self.phase = Phase::Announcing { sent: 0, next: now };
        }
        if told { gone } else { Vec::new() }
    }

    /// The name is ours, as far as anybody said: we answer for it.
    pub(super) const fn is_published(&self) -> bool {
        matches!(self.phase, Phase::Announcing { .. } | Phase::Settled)
    }

    pub(super) const fn is_probing(&self) -> bool {
        matches!(self.phase, Phase::Probing { .. })
    }

    /// When [`Self::due`] wants to be called.
    pub(super) const fn deadline(&self) -> Option<Duration> {
        match self.phase {
            Phase::Probing { next, .. } | Phase::Announcing { next, .. } => Some(next),
            Phase::Settled | Phase::Lost => None,
        }
    }

    /// What to do now.
    pub(super) fn due(&mut self, now: Duration) -> Due {
        match self.phase {
            Phase::Probing { sent, next } if next <= now && sent < PROBES => {
                self.phase = Phase::Probing {
                    sent: sent + 1,
                    next: now + PROBE_INTERVAL,
                };
                Due::Probe
            }
            Phase::Probing { next, .. } if next <= now => {
                self.phase = Phase::Announcing {
                    sent: 1,
                    next: now + ANNOUNCE_INTERVAL,
                };
                Due::Announce
            }
            Phase::Announcing { sent, next } if next <= now => {
                let sent = sent + 1;
                self.phase = if sent < ANNOUNCEMENTS {
                    Phase::Announcing {
                        sent,
                        next: now + ANNOUNCE_INTERVAL,
                    }
                } else {
                    Phase::Settled
                };
                Due::Announce
            }
            _ => Due::Nothing,
        }
    }

    /// The records of the name itself: what is asked about, and defended.
    pub(super) fn proposed(&self) -> Vec<Record> {
        let of_the_name = self
            .group
            .records
            .iter()
            .filter(|own| own.record.name == self.group.name);
        of_the_name.map(|own| own.record.clone()).collect()
    }

    /// Another asks for the name at the same time, for these records: the later in order has it. RFC 6762, 8.2
    pub(super) fn tie(&mut self, theirs: &[&Record], now: Duration) {
        let own = self.proposed();
        if self.is_probing() && order(&own.iter().collect::<Vec<_>>(), theirs) == Ordering::Less {
            self.phase = Phase::Probing {
                sent: 0,
                next: now + DEFER,
            };
        }
    }

    /// Another machine's response has a record. Whether the name is lost by it. RFC 6762, 8.1 and 9
    pub(super) fn heard(&mut self, record: &Record, now: Duration) -> bool {
        if record.name != self.group.name || record.ttl == 0 || self.phase == Phase::Lost {
            return false;
        }
        let own = self.proposed();
        if own.iter().any(|own| own.data == record.data) {
            return false;
        }
        if let Phase::Probing { sent, .. } = self.phase {
            // Before the first probe it can be an echo of what we were before.
            let lost = sent > 0;
            if lost {
                self.phase = Phase::Lost;
            }
            return lost;
        }
        if own
            .iter()
            .any(|own| own.record_type() == record.record_type())
        {
            // It may not know of us yet: ask again, as at the start.
            self.phase = Phase::Probing { sent: 0, next: now };
        }
        false
    }

    /// The types that the name has: all others are denied. RFC 6762, 6.1
    pub(super) fn types(&self) -> Vec<RecordType> {
        let mut types: Vec<_> = self.proposed().iter().map(Record::record_type).collect();
        types.sort_unstable();
        types.dedup();
        types
    }

    pub(super) const fn name(&self) -> &Name {
        &self.group.name
    }
}

/// Class, type and data, as they are compared: in bytes, without compression. RFC 6762, 8.2
fn sort_key(record: &Record) -> (u16, u16, Vec<u8>) {
    (
        record.dns_class.into(),
        record.record_type().into(),
        record.data.to_bytes().unwrap_or_default(),
    )
}

fn order(ours: &[&Record], theirs: &[&Record]) -> Ordering {
    let sorted = |records: &[&Record]| {
        let mut keys: Vec<_> = records.iter().map(|record| sort_key(record)).collect();
        keys.sort();
        keys
    };
    sorted(ours).cmp(&sorted(theirs))
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::{RData, rdata::A};

    use super::*;
    use crate::mdns::own::{Key, local};

    fn group(last: &[u8]) -> Group {
        let name = local("web").unwrap();
        let own = |last: &u8| Own {
            record: Record::from_rdata(name.clone(), 120, RData::A(A::new(192, 0, 2, *last))),
            unique: true,
        };
        Group {
            key: Key::Host,
            records: last.iter().map(own).collect(),
            name: name.clone(),
        }
    }

    fn settled() -> Claim {
        let mut claim = Claim::begin(group(&[5]), Duration::ZERO, Duration::ZERO);
        while let Some(next) = claim.deadline() {
            claim.due(next);
        }
        claim
    }

    #[test]
    fn three_probes_and_two_announcements() {
        let mut claim = Claim::begin(group(&[5]), Duration::ZERO, Duration::from_secs(5));
        let mut seen = Vec::new();
        let mut last = claim.deadline().unwrap();
        assert!(last >= Duration::from_secs(5) && last < Duration::from_millis(5250));
        while let Some(next) = claim.deadline() {
            assert_eq!(claim.due(next - Duration::from_millis(1)), Due::Nothing);
            seen.push((claim.due(next), (next - last).as_millis()));
            last = next;
        }
        assert_eq!(
            seen,
            [
                (Due::Probe, 0),
                (Due::Probe, 250),
                (Due::Probe, 250),
                (Due::Announce, 250),
                (Due::Announce, 1000),
            ]
        );
        assert!(claim.is_published());
    }

    #[test]
    fn a_name_that_another_has_is_lost() {
        let mut claim = Claim::begin(group(&[5]), Duration::ZERO, Duration::ZERO);
        let theirs = &group(&[9]).records[0].record;
        assert!(!claim.heard(theirs, Duration::ZERO));
        claim.due(Duration::from_secs(1));
        assert!(!claim.heard(&group(&[5]).records[0].record, Duration::ZERO));
        assert!(claim.heard(theirs, Duration::ZERO));
        assert!(!claim.is_published() && !claim.is_probing() && claim.deadline().is_none());
    }

    #[test]
    fn a_name_that_we_have_is_asked_for_again() {
        let mut claim = settled();
        let theirs = &group(&[9]).records[0].record;
        let mut goodbye = theirs.clone();
        goodbye.ttl = 0;
        assert!(!claim.heard(&goodbye, Duration::ZERO) && claim.is_published());
        assert!(!claim.heard(theirs, Duration::from_secs(9)) && claim.is_probing());
        assert_eq!(claim.deadline(), Some(Duration::from_secs(9)));
    }

    #[test]
    fn of_two_that_ask_the_later_wins() {
        let tie = |theirs: &[u8]| {
            let mut claim = Claim::begin(group(&[5]), Duration::ZERO, Duration::ZERO);
            let now = Duration::from_secs(1);
            claim.due(now);
            let theirs = group(theirs);
            claim.tie(
                &theirs
                    .records
                    .iter()
                    .map(|own| &own.record)
                    .collect::<Vec<_>>(),
                now,
            );
            claim.deadline() == Some(now + DEFER)
        };
        assert!(tie(&[9]) && tie(&[5, 9]) && !tie(&[9, 1]));
        assert!(!tie(&[4]) && !tie(&[5]) && !tie(&[]));
        let mut claim = settled();
        claim.tie(&[&group(&[9]).records[0].record], Duration::ZERO);
        assert!(claim.is_published());
    }

    #[test]
    fn other_records_are_announced_and_old_ones_taken_back() {
        let mut claim = settled();
        assert_eq!(claim.update(group(&[5]), Duration::ZERO), []);
        assert_eq!(claim.deadline(), None);
        let gone = claim.update(group(&[6]), Duration::from_secs(9));
        assert_eq!(gone, group(&[5]).records);
        assert_eq!(claim.deadline(), Some(Duration::from_secs(9)));
        let mut claim = Claim::begin(group(&[5]), Duration::ZERO, Duration::ZERO);
        assert_eq!(claim.update(group(&[6]), Duration::ZERO), []);
        assert!(claim.is_probing());
    }
}
