//! What is asked on a link: once, or for as long as somebody watches. RFC 6762, 5

use std::{collections::BTreeMap, time::Duration};

use hickory_proto::rr::{Name, Record, RecordType};

use super::{heard::Heard, packet};
use crate::{message::Question, multicast::random};

/// Between the first two questions for what is watched; then twice as long each time. RFC 6762, 5.2
const FIRST_INTERVAL: Duration = Duration::from_secs(1);
const LAST_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Pointers that somebody watches.
#[derive(Debug)]
struct Watched {
    watchers: usize,
    next: Duration,
    interval: Duration,
}

/// The questions of a link and family.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// To be asked now, once.
    once: Vec<Question>,
    watched: BTreeMap<Name, Watched>,
}

impl Asking {
    /// To be asked with the next packet.
    pub(super) fn once(&mut self, question: &Question) {
        if !self.once.contains(question) {
            self.once.push(question.clone());
        }
    }

    /// One more watches these pointers.
    pub(super) fn watch(&mut self, name: &Name, now: Duration) {
        let begin = || Watched {
            watchers: 0,
            // What many may have been waiting for, such as a link, is not asked for by all at once.
            next: now + random::millis(20, 120),
            interval: FIRST_INTERVAL,
        };
        self.watched
            .entry(name.clone())
            .or_insert_with(begin)
            .watchers += 1;
    }

    /// One less does.
    pub(super) fn unwatch(&mut self, name: &Name) {
        if let Some(watched) = self.watched.get_mut(name) {
            watched.watchers = watched.watchers.saturating_sub(1);
            if watched.watchers == 0 {
                self.watched.remove(name);
            }
        }
    }

    /// Another machine just asked this of everyone, and named no answers that it knows: ours would bring nothing new.
    /// RFC 6762, 7.3
    pub(super) fn heard(&mut self, question: &Question, now: Duration) {
        if question.rtype == RecordType::PTR
            && let Some(watched) = self.watched.get_mut(&question.name)
            && watched.next <= now + FIRST_INTERVAL
        {
            watched.wait(now);
        }
    }

    /// The packets to send now.
    pub(super) fn due(&mut self, heard: &mut Heard, now: Duration, limit: usize) -> Vec<Vec<u8>> {
        // Who asks once wants to hear it all.
        let mut questions = std::mem::take(&mut self.once);
        let mut known: Vec<Record> = Vec::new();
        for (name, watched) in &mut self.watched {
            let refresh = heard.refresh(name, RecordType::PTR, now);
            if watched.next > now && !refresh {
                continue;
            }
            if watched.next <= now {
                watched.wait(now);
            }
            let question = Question::new(name.clone(), RecordType::PTR);
            if !questions.contains(&question) {
                known.extend(heard.known_answers(&question, now));
                questions.push(question);
            }
        }
        packet::queries(&questions, &known, limit)
    }

    /// When [`Self::due`] wants to be called.
    pub(super) fn deadline(&self, heard: &Heard, now: Duration) -> Option<Duration> {
        if !self.once.is_empty() {
            return Some(now);
        }
        let watched = self.watched.iter().flat_map(|(name, watched)| {
            [Some(watched.next), heard.deadline(name, RecordType::PTR)]
        });
        watched.flatten().min()
    }

    /// Whether anybody watches pointers of this name.
    pub(super) fn watches(&self, name: &Name) -> bool {
        self.watched.contains_key(name)
    }

    /// Whether anybody needs to know when something ends.
    pub(super) fn is_watching(&self) -> bool {
        !self.watched.is_empty()
    }
}

impl Watched {
    fn wait(&mut self, now: Duration) {
        self.next = now + self.interval;
        self.interval = (self.interval * 2).min(LAST_INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::{
        op::Message,
        rr::{RData, rdata::PTR},
    };

    use super::*;
    use crate::mdns::own::local;

    fn seconds(asking: &mut Asking, heard: &mut Heard, until: u64) -> Vec<(u64, usize)> {
        let mut asked = Vec::new();
        let mut now = Duration::ZERO;
        while let Some(next) = asking
            .deadline(heard, now)
            .filter(|next| next.as_secs() < until)
        {
            now = next;
            heard.expire(now);
            for packet in asking.due(heard, now, 1400) {
                let message = Message::from_vec(&packet).unwrap();
                assert_eq!(message.queries.len(), 1);
                asked.push((now.as_secs(), message.answers.len()));
            }
        }
        asked
    }

    #[test]
    fn what_is_watched_is_asked_ever_more_seldom() {
        let (mut asking, mut heard) = (Asking::default(), Heard::default());
        let name = local("_http._tcp").unwrap();
        asking.watch(&name, Duration::ZERO);
        asking.watch(&name, Duration::ZERO);
        let asked = seconds(&mut asking, &mut heard, 100);
        assert_eq!(
            asked.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
            [0, 1, 3, 7, 15, 31, 63]
        );
        asking.unwatch(&name);
        assert!(asking.is_watching());
        asking.unwatch(&name);
        assert!(!asking.is_watching());
        assert_eq!(asking.deadline(&heard, Duration::ZERO), None);
    }

    #[test]
    fn what_is_known_is_said_and_kept_alive() {
        let (mut asking, mut heard) = (Asking::default(), Heard::default());
        let name = local("_http._tcp").unwrap();
        let data = RData::PTR(PTR(local("x._http._tcp").unwrap()));
        heard.put(Record::from_rdata(name.clone(), 1000, data), Duration::ZERO);
        asking.watch(&name, Duration::ZERO);
        let asked = seconds(&mut asking, &mut heard, 960);
        let regular = [0, 1, 3, 7, 15, 31, 63, 127, 255].map(|at| (at, 1));
        assert_eq!(asked[..9], regular);
        // Half of its time is over: who has it is to say so again.
        assert_eq!(asked[9..], [511, 800, 850, 900, 950].map(|at| (at, 0)));
    }

    #[test]
    fn what_another_asks_need_not_be_asked() {
        let (mut asking, heard) = (Asking::default(), Heard::default());
        let question = Question::new(local("_http._tcp").unwrap(), RecordType::PTR);
        asking.watch(&question.name, Duration::ZERO);
        asking.heard(&question, Duration::ZERO);
        assert_eq!(
            asking.deadline(&heard, Duration::ZERO),
            Some(FIRST_INTERVAL)
        );
    }

    #[test]
    fn questions_of_a_moment_share_a_packet() {
        let (mut asking, mut heard) = (Asking::default(), Heard::default());
        let web = local("web").unwrap();
        for rtype in [RecordType::A, RecordType::AAAA, RecordType::A] {
            asking.once(&Question::new(web.clone(), rtype));
        }
        assert_eq!(
            asking.deadline(&heard, Duration::ZERO),
            Some(Duration::ZERO)
        );
        let packets = asking.due(&mut heard, Duration::ZERO, 1400);
        assert_eq!(packets.len(), 1);
        assert_eq!(Message::from_vec(&packets[0]).unwrap().queries.len(), 2);
        assert!(asking.due(&mut heard, Duration::ZERO, 1400).is_empty());
    }
}
