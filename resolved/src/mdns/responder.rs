//! Questions that come, and what is answered. RFC 6762, 6

use std::{net::SocketAddr, time::Duration};

use hickory_proto::{
    dnssec::rdata::{DNSSECRData, NSEC},
    op::{Message, Query},
    rr::{DNSClass, Name, RData, Record, RecordType},
};

use super::{
    PORT,
    claim::Claim,
    engine::{Arrival, Engine, MOST, To, wire},
    own::{Key, Own},
    packet,
    schedule::is_known,
};
use crate::{message::Question, multicast::random};

/// The same is not told everyone more often. RFC 6762, 6
const ONCE_IN: Duration = Duration::from_secs(1);
/// But to defend a name.
const ONCE_IN_DEFENCE: Duration = Duration::from_millis(250);
/// Seconds that what is not there may be remembered, as what is. RFC 6762, 6.1 and 10
const NEGATIVE_TTL: u32 = 120;

impl Engine {
    pub(super) fn query(&mut self, message: &Message, arrival: Arrival, now: Duration) {
        let peer = arrival.peer;
        if peer.port() != PORT {
            if arrival.neighbour {
                self.answer_legacy(message, peer);
            }
            return;
        }
        let known: Vec<_> = message.answers.iter().take(MOST).cloned().collect();
        if message.queries.is_empty() {
            self.schedule.known_by(peer.ip(), &known);
            return;
        }
        // Who asks for a name says which records it shall have.
        let is_probe = !message.authorities.is_empty();
        if is_probe && !arrival.own {
            self.ties(message, now);
        }
        let (mut to_all, mut to_one) = (Vec::new(), Vec::new());
        let mut shared = false;
        for query in message.queries.iter().take(MOST) {
            let question = question(query);
            if !arrival.own && arrival.multicast && known.is_empty() && !message.truncation {
                self.asking.heard(&question, now);
            }
            for own in self.answers(&question) {
                if is_known(&own, &known) {
                    continue;
                }
                shared |= !own.unique;
                let by_unicast =
                    arrival.neighbour && (query.mdns_unicast_response || !arrival.multicast);
                // Now and then everyone is to hear it. RFC 6762, 5.4
                if by_unicast
                    && self.was_told(
                        &own,
                        Duration::from_secs(u64::from(own.record.ttl) / 4),
                        now,
                    )
                {
                    to_one.push(own);
                } else {
                    to_all.push(own);
                }
            }
        }
        if !to_one.is_empty() {
            self.unicast(to_one, peer);
        }
        if to_all.is_empty() {
            return;
        }
        let (delay, asker) = if message.truncation {
            (random::millis(400, 500), Some(peer.ip()))
        } else if shared {
            // Others may answer, too. RFC 6762, 6
            (random::millis(20, 120), Some(peer.ip()))
        } else {
            (Duration::ZERO, None)
        };
        self.schedule.add(now + delay, asker, to_all, is_probe);
    }

    /// Others that ask for a name of ours at the same time.
    fn ties(&mut self, message: &Message, now: Duration) {
        let authorities = || message.authorities.iter().take(MOST);
        for claim in self.claims.iter_mut().filter(|claim| claim.is_probing()) {
            let theirs: Vec<&Record> = authorities()
                .filter(|record| record.name == *claim.name())
                .collect();
            if !theirs.is_empty() {
                claim.tie(&theirs, now);
            }
        }
    }

    /// What we have for a question: records, or that there are none.
    pub(super) fn answers(&self, question: &Question) -> Vec<Own> {
        if !matches!(question.class, DNSClass::IN | DNSClass::ANY) {
            return Vec::new();
        }
        let mut answers: Vec<Own> = Vec::new();
        let mut absent = None;
        for claim in self.claims.iter().filter(|claim| claim.is_published()) {
            for own in &claim.group.records {
                let rtype = own.record.record_type();
                if own.record.name == question.name
                    && (question.rtype == RecordType::ANY || question.rtype == rtype)
                    && !answers.contains(own)
                {
                    answers.push(own.clone());
                }
            }
            if *claim.name() == question.name {
                absent = Some(claim);
            }
        }
        if answers.is_empty() {
            answers.extend(absent.and_then(denial));
        }
        answers
    }

    fn answer_legacy(&mut self, message: &Message, peer: SocketAddr) {
        let mut answers: Vec<Record> = Vec::new();
        let mut is_ours = false;
        for query in message.queries.iter().take(MOST) {
            for own in self.answers(&question(query)) {
                is_ours = true;
                // To such a program no records is what an answer without any says.
                if own.record.record_type() != RecordType::NSEC && !answers.contains(&own.record) {
                    answers.push(own.record);
                }
            }
        }
        if !is_ours {
            return;
        }
        if let Some(bytes) = packet::legacy(message.id, &message.queries, &answers, self.limit) {
            self.send(To::One(peer), bytes);
        }
    }

    fn unicast(&mut self, records: Vec<Own>, peer: SocketAddr) {
        let mut once: Vec<Own> = Vec::new();
        for own in records {
            if !once.contains(&own) {
                once.push(own);
            }
        }
        let additionals = self.additionals(&once);
        let answers: Vec<_> = once.into_iter().map(wire).collect();
        for bytes in packet::responses(&answers, &additionals, self.limit) {
            self.send(To::One(peer), bytes);
        }
    }

    /// Tells everyone what is due, and was not told a moment ago.
    pub(super) fn answer_what_is_due(&mut self, now: Duration) {
        let mut records = Vec::new();
        for (own, defence) in self.schedule.due(now) {
            let within = if defence { ONCE_IN_DEFENCE } else { ONCE_IN };
            if self.was_told(&own, within, now) {
                continue;
            }
            if own.record.record_type() == RecordType::NSEC {
                let mut claims = self.claims.iter_mut();
                if let Some(claim) = claims.find(|claim| *claim.name() == own.record.name) {
                    claim.denied_at = Some(now);
                }
            }
            records.push(own);
        }
        if !records.is_empty() {
            self.multicast(records, now);
        }
    }

    /// Whether everyone was told a record within this time.
    fn was_told(&self, own: &Own, within: Duration, now: Duration) -> bool {
        let recent = |at: Option<Duration>| at.is_some_and(|at| at + within > now);
        self.claims.iter().any(|claim| {
            if own.record.record_type() == RecordType::NSEC {
                return *claim.name() == own.record.name && recent(claim.denied_at);
            }
            claim
                .records
                .iter()
                .any(|told| told.own == *own && recent(told.at))
        })
    }

    /// What who asked will want to know next. RFC 6763, 12; RFC 6762, 6.2
    pub(super) fn additionals(&self, answers: &[Own]) -> Vec<Record> {
        let mut additionals: Vec<Own> = Vec::new();
        let mut targets: Vec<Name> = Vec::new();
        for own in answers {
            match &own.record.data {
                RData::PTR(target) => targets.push(target.0.clone()),
                RData::SRV(srv) => targets.push(srv.target.clone()),
                RData::A(_) | RData::AAAA(_) => targets.push(own.record.name.clone()),
                _ => {}
            }
        }
        let published = || self.claims.iter().filter(|claim| claim.is_published());
        let mut at = 0;
        // A pointer leads to a service, and that to its host.
        while let Some(target) = targets.get(at).cloned() {
            at += 1;
            for claim in published().filter(|claim| *claim.name() == target) {
                let records = claim
                    .group
                    .records
                    .iter()
                    .filter(|own| own.record.name == target);
                for own in records {
                    if let RData::SRV(srv) = &own.record.data
                        && !targets.contains(&srv.target)
                    {
                        targets.push(srv.target.clone());
                    }
                    if !answers.contains(own) && !additionals.contains(own) {
                        additionals.push(own.clone());
                    }
                }
                // That the machine has addresses of one family alone is worth knowing.
                let is_half = claim.group.key == Key::Host && claim.types().len() == 1;
                additionals.extend(denial(claim).filter(|own| is_half && !answers.contains(own)));
            }
        }
        additionals.into_iter().map(wire).collect()
    }
}

fn question(query: &Query) -> Question {
    Question {
        name: query.name.clone(),
        class: query.query_class,
        rtype: query.query_type,
    }
}

/// That a name has no other types than these. RFC 6762, 6.1
pub(super) fn denial(claim: &Claim) -> Option<Own> {
    let nsec = NSEC::new(claim.name().clone(), claim.types());
    let data = RData::DNSSEC(DNSSECRData::NSEC(nsec));
    claim.is_published().then(|| Own {
        record: Record::from_rdata(claim.name().clone(), NEGATIVE_TTL, data),
        unique: true,
    })
}
