//! What was heard on a link: records, each with its own time. RFC 6762, 10

use std::{collections::BTreeMap, time::Duration};

use hickory_proto::{
    dnssec::rdata::DNSSECRData,
    rr::{DNSClass, Name, RData, Record, RecordType},
};

use crate::{
    cache::{DumpEntry, DumpKind},
    message::Question,
};

/// Records on one link and family, at most: anyone there can send more.
const MOST: usize = 2048;
/// Nothing is kept longer.
const LONGEST: u32 = 2 * 60 * 60;
/// What was taken back, or displaced, is gone after this: whoever else has it can say so. RFC 6762, 10.1, 10.2
const GRACE: Duration = Duration::from_secs(1);
/// In hundredths of its time: when a record that is needed is asked for again. RFC 6762, 5.2
const REFRESH: [u32; 4] = [80, 85, 90, 95];

#[derive(Debug)]
struct Entry {
    record: Record,
    at: Duration,
    until: Duration,
    /// How many of [`REFRESH`] are past.
    refreshed: usize,
}

/// What is known about a question.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    /// These, with what remains of their time.
    Records(Vec<Record>),
    /// The name's owner says that there are none.
    NoData,
    /// Nothing.
    Nothing,
}

/// The cache of a link and family.
#[derive(Debug, Default)]
pub(super) struct Heard {
    entries: BTreeMap<(Name, RecordType), Vec<Entry>>,
    count: usize,
}

impl Entry {
    fn lives(&self, now: Duration) -> bool {
        self.until > now
    }

    fn life(&self) -> Duration {
        Duration::from_secs(self.record.ttl.into())
    }

    /// When it is asked for again, if it is needed.
    fn refresh(&self) -> Option<Duration> {
        let hundredths = REFRESH.get(self.refreshed)?;
        // Not one that was taken back.
        (self.until >= self.at + self.life()).then(|| self.at + self.life() * *hundredths / 100)
    }

    fn aged(&self, now: Duration) -> Record {
        let mut record = self.record.clone();
        let rest = self.until.saturating_sub(now).as_secs();
        record.ttl = u32::try_from(rest).unwrap_or(u32::MAX);
        record.mdns_cache_flush = false;
        record
    }
}

impl Heard {
    /// Takes a record of a response. Whether anything came or is going.
    pub(super) fn put(&mut self, mut record: Record, now: Duration) -> bool {
        record.ttl = record.ttl.min(LONGEST);
        let key = (record.name.clone(), record.record_type());
        // A goodbye makes no place for a name that nobody told of.
        if record.ttl == 0 && !self.entries.contains_key(&key) {
            return true;
        }
        let entries = self.entries.entry(key).or_default();
        if record.mdns_cache_flush {
            for other in entries.iter_mut() {
                if other.record.data != record.data && other.at + GRACE < now {
                    other.until = other.until.min(now + GRACE);
                }
            }
        }
        let known = entries
            .iter_mut()
            .find(|entry| entry.record.data == record.data);
        if record.ttl == 0 {
            if let Some(known) = known {
                known.until = known.until.min(now + GRACE);
            }
            return true;
        }
        let entry = Entry {
            until: now + Duration::from_secs(record.ttl.into()),
            record,
            at: now,
            refreshed: 0,
        };
        if let Some(known) = known {
            *known = entry;
            return true;
        }
        entries.push(entry);
        self.count += 1;
        if self.count > MOST {
            self.make_room(now);
        }
        true
    }

    /// Forgets what is over; if that is not enough, what is over soonest.
    fn make_room(&mut self, now: Duration) {
        self.expire(now);
        if self.count <= MOST {
            return;
        }
        let mut ends: Vec<_> = self
            .entries
            .values()
            .flatten()
            .map(|entry| entry.until)
            .collect();
        // A part at once: a flood does not have us sort for each record.
        let (_, end, _) = ends.select_nth_unstable(MOST / 8);
        let end = *end;
        self.retain(|entry| entry.until > end);
    }

    fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        self.entries.retain(|_, entries| {
            entries.retain(&keep);
            !entries.is_empty()
        });
        self.count = self.entries.values().map(Vec::len).sum();
    }

    /// Forgets what is over. Whether that was anything.
    pub(super) fn expire(&mut self, now: Duration) -> bool {
        let before = self.count;
        self.retain(|entry| entry.lives(now));
        self.count != before
    }

    /// Forgets everything but what `stays`.
    pub(super) fn clear(&mut self, stays: impl Fn(&Name, RecordType) -> bool) {
        self.entries.retain(|(name, rtype), _| stays(name, *rtype));
        self.count = self.entries.values().map(Vec::len).sum();
    }

    fn of(&self, name: &Name, rtype: RecordType) -> impl Iterator<Item = &Entry> {
        let key = (name.clone(), rtype);
        self.entries.get(&key).into_iter().flatten()
    }

    /// What answers a question, of what was heard at `since` or later.
    pub(super) fn look_up(&self, question: &Question, since: Duration, now: Duration) -> Known {
        if question.class != DNSClass::IN {
            return Known::Nothing;
        }
        let types: Vec<RecordType> = if question.rtype == RecordType::ANY {
            let from = (question.name.clone(), RecordType::ZERO);
            let names = self.entries.range(from..).map(|(key, _)| key);
            let same = names.take_while(|(name, _)| *name == question.name);
            same.map(|(_, rtype)| *rtype).collect()
        } else {
            let mut types = vec![question.rtype, RecordType::CNAME];
            types.dedup();
            types
        };
        let fits = |entry: &&Entry| entry.lives(now) && entry.at >= since;
        let entries = types
            .iter()
            .flat_map(|rtype| self.of(&question.name, *rtype));
        let records: Vec<_> = entries.filter(fits).map(|entry| entry.aged(now)).collect();
        if !records.is_empty() {
            return Known::Records(records);
        }
        let mut absences = self.of(&question.name, RecordType::NSEC).filter(fits);
        if absences.any(|entry| denies(&entry.record, question.rtype)) {
            return Known::NoData;
        }
        Known::Nothing
    }

    /// What need not be said again in answer to a question: more than half of its time is left. RFC 6762, 7.1
    pub(super) fn known_answers(&self, question: &Question, now: Duration) -> Vec<Record> {
        let entries = self.of(&question.name, question.rtype);
        let fresh = entries.filter(|entry| entry.until.saturating_sub(now) > entry.life() / 2);
        fresh.map(|entry| entry.aged(now)).collect()
    }

    /// Whether records of that name and type should be asked for again now, since somebody needs them.
    pub(super) fn refresh(&mut self, name: &Name, rtype: RecordType, now: Duration) -> bool {
        let mut wanted = false;
        for entry in self
            .entries
            .get_mut(&(name.clone(), rtype))
            .into_iter()
            .flatten()
        {
            while entry.refresh().is_some_and(|due| due <= now) {
                entry.refreshed += 1;
                wanted = true;
            }
        }
        wanted
    }

    /// When [`Self::refresh`] or [`Self::expire`] next matter for that name and type.
    pub(super) fn deadline(&self, name: &Name, rtype: RecordType) -> Option<Duration> {
        let entries = self.of(name, rtype);
        let ends = entries.flat_map(|entry| [entry.refresh(), Some(entry.until)]);
        ends.flatten().min()
    }

    /// Names and types that there is room for.
    pub(super) fn places(&self) -> usize {
        self.entries.len()
    }

    /// All of it.
    pub(super) fn dump(&self, now: Duration) -> Vec<DumpEntry> {
        let dump = |((name, rtype), entries): (&(Name, RecordType), &Vec<Entry>)| {
            let living: Vec<_> = entries.iter().filter(|entry| entry.lives(now)).collect();
            Some(DumpEntry {
                name: name.to_lowercase(),
                class: DNSClass::IN,
                rtype: *rtype,
                kind: DumpKind::Records,
                until: living.iter().map(|entry| entry.until).min()?,
                records: living.iter().map(|entry| entry.record.clone()).collect(),
            })
        };
        self.entries.iter().filter_map(dump).collect()
    }
}

/// Whether the record says that its name has none of a type. RFC 6762, 6.1
fn denies(record: &Record, rtype: RecordType) -> bool {
    match &record.data {
        RData::DNSSEC(DNSSECRData::NSEC(nsec)) => {
            rtype != RecordType::ANY && !nsec.type_set().contains(rtype)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::{
        dnssec::rdata::NSEC,
        rr::rdata::{A, CNAME, PTR},
    };

    use super::*;
    use crate::mdns::own::local;

    const SECOND: Duration = Duration::from_secs(1);

    fn a(last: u8, ttl: u32, flush: bool) -> Record {
        let data = RData::A(A::new(192, 0, 2, last));
        let mut record = Record::from_rdata(local("web").unwrap(), ttl, data);
        record.mdns_cache_flush = flush;
        record
    }

    fn ask(heard: &Heard, now: Duration) -> Vec<u32> {
        let question = Question::new(local("WEB").unwrap(), RecordType::A);
        match heard.look_up(&question, Duration::ZERO, now) {
            Known::Records(records) => records.iter().map(|record| record.ttl).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn records_age() {
        let mut heard = Heard::default();
        heard.put(a(1, 120, false), SECOND);
        heard.put(a(2, 10, false), SECOND);
        assert_eq!(ask(&heard, SECOND), [120, 10]);
        assert_eq!(ask(&heard, SECOND * 11), [110]);
        assert!(heard.expire(SECOND * 11) && !heard.expire(SECOND * 11));
        heard.put(a(1, 120, false), SECOND * 20);
        assert_eq!(ask(&heard, SECOND * 20), [120]);
        let question = Question::new(local("web").unwrap(), RecordType::A);
        assert_eq!(
            heard.look_up(&question, SECOND * 21, SECOND * 21),
            Known::Nothing
        );
        assert_eq!(heard.dump(SECOND * 21).len(), 1);
        heard.put(a(3, u32::MAX, false), SECOND * 20);
        assert_eq!(ask(&heard, SECOND * 20), [120, LONGEST]);
    }

    #[test]
    fn a_goodbye_of_the_unknown_leaves_nothing_behind() {
        let mut heard = Heard::default();
        for number in 0..100 {
            let name = local(&format!("host-{number}")).unwrap();
            let data = RData::A(A::new(192, 0, 2, 1));
            heard.put(Record::from_rdata(name, 0, data), SECOND);
        }
        assert_eq!(heard.places(), 0);
    }

    #[test]
    fn an_alias_is_told_once() {
        let mut heard = Heard::default();
        let data = RData::CNAME(CNAME(local("host").unwrap()));
        let alias = Record::from_rdata(local("web").unwrap(), 120, data);
        heard.put(alias.clone(), SECOND);
        let question = Question::new(local("web").unwrap(), RecordType::CNAME);
        let known = heard.look_up(&question, Duration::ZERO, SECOND);
        assert_eq!(known, Known::Records(vec![alias]));
    }

    #[test]
    fn a_goodbye_holds_after_a_second() {
        let mut heard = Heard::default();
        heard.put(a(1, 120, false), SECOND);
        heard.put(a(1, 0, false), SECOND * 5);
        heard.put(a(9, 0, false), SECOND * 5);
        assert_eq!(ask(&heard, SECOND * 5), [1]);
        assert_eq!(ask(&heard, SECOND * 6), [0; 0]);
    }

    #[test]
    fn what_is_unique_displaces_what_is_older() {
        let mut heard = Heard::default();
        heard.put(a(1, 120, true), SECOND);
        heard.put(a(2, 120, true), SECOND);
        assert_eq!(ask(&heard, SECOND * 2).len(), 2);
        heard.put(a(3, 120, true), SECOND * 5);
        heard.put(a(4, 120, true), SECOND * 5);
        assert_eq!(ask(&heard, SECOND * 5).len(), 4);
        assert_eq!(ask(&heard, SECOND * 6), [119, 119]);
    }

    #[test]
    fn absence() {
        let mut heard = Heard::default();
        let web = local("web").unwrap();
        let nsec = DNSSECRData::NSEC(NSEC::new(web.clone(), [RecordType::A]));
        heard.put(
            Record::from_rdata(web.clone(), 120, RData::DNSSEC(nsec)),
            SECOND,
        );
        let is = |rtype| heard.look_up(&Question::new(web.clone(), rtype), Duration::ZERO, SECOND);
        assert_eq!(is(RecordType::AAAA), Known::NoData);
        assert_eq!(is(RecordType::A), Known::Nothing);
        assert!(matches!(is(RecordType::ANY), Known::Records(_)));
    }

    #[test]
    fn what_is_needed_is_asked_for_in_time() {
        let mut heard = Heard::default();
        let (name, pointer) = (local("_http._tcp").unwrap(), RecordType::PTR);
        let data = RData::PTR(PTR(local("x._http._tcp").unwrap()));
        heard.put(Record::from_rdata(name.clone(), 100, data), Duration::ZERO);
        let mut asked = Vec::new();
        for second in 0..100 {
            if heard.refresh(&name, pointer, SECOND * second) {
                asked.push(second);
            }
        }
        assert_eq!(asked, [80, 85, 90, 95]);
        assert_eq!(heard.deadline(&name, pointer), Some(SECOND * 100));
        let question = Question::new(name, pointer);
        assert_eq!(heard.known_answers(&question, SECOND * 49).len(), 1);
        assert_eq!(heard.known_answers(&question, SECOND * 50).len(), 0);
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let mut heard = Heard::default();
        for n in 0..3 * u32::try_from(MOST).unwrap() {
            let data = RData::A(A::from(std::net::Ipv4Addr::from_bits(n)));
            let name = local(&format!("host{}", n % 100)).unwrap();
            heard.put(Record::from_rdata(name, 100 + n, data), SECOND);
            assert!(heard.count <= MOST);
        }
        assert!(heard.count > MOST / 2);
        heard.clear(|name, _| *name == local("host7").unwrap());
        assert_eq!(heard.dump(SECOND).len(), 1);
        heard.clear(|_, _| false);
        assert_eq!((heard.dump(SECOND).len(), heard.count), (0, 0));
    }
}
