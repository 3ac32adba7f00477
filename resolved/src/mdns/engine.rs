//! mDNS on one link over one family, without input or output: packets and the time go in, packets and events come out.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    time::Duration,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{DNSClass, Name, Record, RecordType},
};

use super::{
    PORT,
    asking::Asking,
    claim::{Claim, Due},
    heard::Heard,
    own::{Group, Key, Own},
    packet,
    schedule::Schedule,
};
use crate::{message::Question, name};

/// So many of our packets are remembered: those that come back to us within a moment.
const ECHOES: usize = 32;
/// Questions and records of a packet that are looked at.
pub(super) const MOST: usize = 256;

/// To whom a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Everyone,
    One(SocketAddr),
}

/// A packet to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) to: To,
    pub(super) bytes: Vec<u8>,
}

/// How a packet came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) peer: SocketAddr,
    /// To the group; else to us alone.
    pub(super) multicast: bool,
    /// The sender's address is this machine's, on whatever link.
    pub(super) own: bool,
    /// The sender's address is one of the link: it may be answered by unicast. RFC 6762, 11
    pub(super) neighbour: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Another machine has the name of this group, which is announced no more.
    Conflict(Key),
    /// What was heard is not what it was.
    Heard,
}

/// The state of one link and family.
#[derive(Debug)]
pub(super) struct Engine {
    /// Bytes of a packet.
    pub(super) limit: usize,
    pub(super) claims: Vec<Claim>,
    pub(super) heard: Heard,
    pub(super) asking: Asking,
    pub(super) schedule: Schedule,
    echoes: VecDeque<u64>,
    pub(super) packets: Vec<Packet>,
    pub(super) events: Vec<Event>,
}

fn fingerprint(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

impl Engine {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            claims: Vec::new(),
            heard: Heard::default(),
            asking: Asking::default(),
            schedule: Schedule::default(),
            echoes: VecDeque::new(),
            packets: Vec::new(),
            events: Vec::new(),
        }
    }

    /// What is to be announced from now on; new names after `pause`. What is gone is taken back.
    pub(super) fn announce(&mut self, groups: Vec<Group>, now: Duration, pause: Duration) {
        let mut old = std::mem::take(&mut self.claims);
        let mut gone = Vec::new();
        for group in groups {
            let same = |claim: &Claim| claim.group.key == group.key && *claim.name() == group.name;
            if let Some(at) = old.iter().position(same) {
                let mut claim = old.swap_remove(at);
                gone.extend(claim.update(group, now));
                self.claims.push(claim);
            } else {
                self.claims.push(Claim::begin(group, now, pause));
            }
        }
        let published = old.into_iter().filter(Claim::is_published);
        gone.extend(published.flat_map(|claim| claim.group.records));
        self.take_back(gone);
    }

    /// Takes back all that was announced.
    pub(super) fn goodbye(&mut self) {
        let claims = std::mem::take(&mut self.claims);
        let published = claims.into_iter().filter(Claim::is_published);
        self.take_back(published.flat_map(|claim| claim.group.records).collect());
    }

    /// Tells everyone that these are no more, but for those that others of our groups still have. RFC 6762, 10.1
    fn take_back(&mut self, gone: Vec<Own>) {
        let stays = |own: &Own| {
            self.claims
                .iter()
                .any(|claim| claim.group.records.contains(own))
        };
        let mut records: Vec<Record> = Vec::new();
        for own in gone {
            self.schedule.forget(&own);
            if !stays(&own) {
                let mut record = own.record;
                record.ttl = 0;
                records.push(record);
            }
        }
        for bytes in packet::responses(&records, &[], self.limit) {
            self.send(To::Everyone, bytes);
        }
    }

    /// Takes a packet.
    pub(super) fn receive(&mut self, bytes: &[u8], arrival: Arrival, now: Duration) {
        if arrival.own && self.echoes.contains(&fingerprint(bytes)) {
            return;
        }
        let Ok(message) = Message::from_vec(bytes) else {
            return;
        };
        // RFC 6762, 18.3 and 18.11
        if message.op_code != OpCode::Query || message.response_code != ResponseCode::NoError {
            return;
        }
        match message.message_type {
            MessageType::Query => self.query(&message, arrival, now),
            // Anything else could have come from a program without privileges. RFC 6762, 6
            MessageType::Response if arrival.peer.port() == PORT => {
                self.response(message, arrival, now)
            }
            MessageType::Response => {}
        }
    }

    fn response(&mut self, message: Message, arrival: Arrival, now: Duration) {
        let records = message.answers.into_iter().chain(message.additionals);
        let mut heard = false;
        for record in records.take(MOST) {
            if record.dns_class != DNSClass::IN || !is_ours_to_hear(&record.name) {
                continue;
            }
            if !arrival.own {
                self.schedule.heard(&record);
                for claim in &mut self.claims {
                    if claim.heard(&record, now) {
                        self.events.push(Event::Conflict(claim.group.key.clone()));
                    }
                }
            }
            heard |= self.heard.put(record, now);
        }
        if heard {
            self.events.push(Event::Heard);
        }
    }

    /// Forgets what was heard, but for what somebody watches: that is kept up to date anyway, and to lose it would look as if
    /// all were gone.
    pub(super) fn flush(&mut self) {
        let Self { heard, asking, .. } = self;
        heard.clear(|name, rtype| rtype == RecordType::PTR && asking.watches(name));
    }

    /// Does what is due, and says when it wants to be called next.
    pub(super) fn tick(&mut self, now: Duration) -> Option<Duration> {
        if self.asking.is_watching() && self.heard.expire(now) {
            self.events.push(Event::Heard);
        }
        self.tick_claims(now);
        self.answer_what_is_due(now);
        for bytes in self.asking.due(&mut self.heard, now, self.limit) {
            self.send(To::Everyone, bytes);
        }
        let claims = self.claims.iter().filter_map(Claim::deadline).min();
        let asking = self.asking.deadline(&self.heard, now);
        [claims, asking, self.schedule.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn tick_claims(&mut self, now: Duration) {
        let mut probes = Vec::new();
        let mut announced = Vec::new();
        for claim in &mut self.claims {
            match claim.due(now) {
                Due::Nothing => {}
                Due::Probe => {
                    let question = Question::new(claim.name().clone(), RecordType::ANY);
                    probes.extend(packet::probe(&question, &claim.proposed()));
                }
                Due::Announce => announced.extend(claim.group.records.iter().cloned()),
            }
        }
        for bytes in probes {
            self.send(To::Everyone, bytes);
        }
        self.multicast(announced, now);
    }

    /// Everyone is told these, once each.
    pub(super) fn multicast(&mut self, mut records: Vec<Own>, now: Duration) {
        let mut seen: Vec<Own> = Vec::new();
        records.retain(|own| {
            let is_new = !seen.contains(own);
            if is_new {
                seen.push(own.clone());
            }
            is_new
        });
        for told in self.claims.iter_mut().flat_map(|claim| &mut claim.records) {
            if records.contains(&told.own) {
                told.at = Some(now);
            }
        }
        let additionals = self.additionals(&records);
        let answers: Vec<_> = records.into_iter().map(wire).collect();
        for bytes in packet::responses(&answers, &additionals, self.limit) {
            self.send(To::Everyone, bytes);
        }
    }

    pub(super) fn send(&mut self, to: To, bytes: Vec<u8>) {
        if to == To::Everyone {
            self.echoes.push_back(fingerprint(&bytes));
            if self.echoes.len() > ECHOES {
                self.echoes.pop_front();
            }
        }
        self.packets.push(Packet { to, bytes });
    }
}

/// As it goes out: what is unique displaces what others heard before. RFC 6762, 10.2
pub(super) fn wire(own: Own) -> Record {
    let mut record = own.record;
    record.mdns_cache_flush = own.unique;
    record
}

/// Names below `local`, and of addresses: for others nobody here can speak. RFC 6762, 3 and 4
fn is_ours_to_hear(of: &Name) -> bool {
    let zones = ["local", "in-addr.arpa", "ip6.arpa"];
    zones
        .iter()
        .any(|zone| name::parse(zone).is_ok_and(|zone| zone.zone_of(of)))
}
