//! Answers that wait for their time. RFC 6762, 6, 7.2, 7.4

use std::{net::IpAddr, time::Duration};

use hickory_proto::rr::Record;

use super::own::Own;

/// Batches that wait, at most: who asks from many addresses has them share one.
const MOST: usize = 64;

/// Answers for the questions of one packet.
#[derive(Debug)]
struct Batch {
    at: Duration,
    /// Who asked, and may still tell what it knows.
    asker: Option<IpAddr>,
    records: Vec<Own>,
    /// To a probe: these must not wait for what was told a moment ago.
    defence: bool,
}

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Schedule(Vec<Batch>);

impl Schedule {
    /// Adds answers for everyone. `asker`: has said that it will tell more of what it knows.
    pub(super) fn add(
        &mut self,
        at: Duration,
        asker: Option<IpAddr>,
        records: Vec<Own>,
        defence: bool,
    ) {
        let full = self.0.len() >= MOST;
        let joins = |batch: &&mut Batch| {
            full || (batch.at == at && batch.asker == asker && batch.defence == defence)
        };
        if let Some(batch) = self.0.iter_mut().rev().find(joins) {
            for own in records {
                if !batch.records.contains(&own) {
                    batch.records.push(own);
                }
            }
            return;
        }
        self.0.push(Batch {
            at,
            asker,
            records,
            defence,
        });
    }

    /// Who asked knows these already. RFC 6762, 7.2
    pub(super) fn known_by(&mut self, asker: IpAddr, known: &[Record]) {
        for batch in self.0.iter_mut().filter(|batch| batch.asker == Some(asker)) {
            batch.records.retain(|own| !is_known(own, known));
        }
    }

    /// Another machine just told everyone. RFC 6762, 7.4
    pub(super) fn heard(&mut self, record: &Record) {
        for batch in &mut self.0 {
            batch
                .records
                .retain(|own| own.record != *record || own.record.ttl > record.ttl);
        }
    }

    /// It is announced no more.
    pub(super) fn forget(&mut self, gone: &Own) {
        for batch in &mut self.0 {
            batch.records.retain(|own| own != gone);
        }
    }

    /// When [`Self::due`] wants to be called.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.0.iter().map(|batch| batch.at).min()
    }

    /// What is due, and whether it defends a name.
    pub(super) fn due(&mut self, now: Duration) -> Vec<(Own, bool)> {
        let mut due = Vec::new();
        self.0.retain(|batch| {
            if batch.at > now {
                return true;
            }
            due.extend(batch.records.iter().map(|own| (own.clone(), batch.defence)));
            false
        });
        due
    }
}

/// Whether an asker knows a record, and will for a while. RFC 6762, 7.1
pub(super) fn is_known(own: &Own, known: &[Record]) -> bool {
    known
        .iter()
        .any(|known| *known == own.record && known.ttl >= own.record.ttl / 2)
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::{RData, rdata::PTR};

    use super::*;
    use crate::mdns::own::local;

    fn pointer(instance: &str, ttl: u32) -> Own {
        let data = RData::PTR(PTR(local(&format!("{instance}._http._tcp")).unwrap()));
        Own {
            record: Record::from_rdata(local("_http._tcp").unwrap(), ttl, data),
            unique: false,
        }
    }

    const NOW: Duration = Duration::from_secs(1);

    #[test]
    fn answers_wait() {
        let mut schedule = Schedule::default();
        schedule.add(NOW, None, vec![pointer("a", 100)], false);
        schedule.add(NOW, None, vec![pointer("a", 100), pointer("b", 100)], false);
        assert_eq!(schedule.deadline(), Some(NOW));
        assert!(schedule.due(NOW - Duration::from_millis(1)).is_empty());
        assert_eq!(
            schedule.due(NOW),
            [(pointer("a", 100), false), (pointer("b", 100), false)]
        );
        assert_eq!(schedule.deadline(), None);
    }

    #[test]
    fn what_is_known_need_not_be_said() {
        let asker = IpAddr::from([192, 0, 2, 1]);
        let other = IpAddr::from([192, 0, 2, 2]);
        let known = |instance, ttl| [pointer(instance, ttl).record];
        let mut schedule = Schedule::default();
        schedule.add(
            NOW,
            Some(asker),
            vec![pointer("a", 100), pointer("b", 100)],
            false,
        );
        schedule.known_by(other, &known("a", 100));
        schedule.known_by(asker, &known("a", 49));
        assert_eq!(schedule.0[0].records.len(), 2);
        schedule.known_by(asker, &known("a", 50));
        schedule.heard(&pointer("b", 99).record);
        assert_eq!(schedule.0[0].records, [pointer("b", 100)]);
        schedule.heard(&pointer("b", 100).record);
        assert!(schedule.0[0].records.is_empty());
    }

    #[test]
    fn many_askers_share() {
        let mut schedule = Schedule::default();
        for n in 0..1000_u32 {
            let asker = std::net::Ipv4Addr::from_bits(n).into();
            schedule.add(NOW, Some(asker), vec![pointer("a", 100)], false);
        }
        assert_eq!(schedule.0.len(), MOST);
    }
}
