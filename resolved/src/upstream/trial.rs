//! What servers send, through all that judges it, without a socket or a server: for fuzzing.

use std::time::Duration;

use hickory_proto::{
    dnssec::rdata::{DNSKEY, DNSSECRData},
    op::{Message, ResponseCode},
    rr::{Name, RData, Record},
};
use tokio::time::Instant;

use super::{
    cookie::{Check, Cookies},
    ladder::{Ladder, Policy},
    reply::Reply,
    validate::proof_of_absence,
    wire::{self, Bits, Datagram, Match},
};
use crate::{
    message::Question,
    mode::{DnsOverTls, Dnssec},
};

/// What is believed of a message, were it the answer to the question in it.
#[derive(Clone, Debug)]
pub struct Believed {
    /// That question.
    pub question: Question,
    /// The names from it to the end of the aliases.
    pub chain: Vec<Name>,
    /// The aliases and what was asked for.
    pub answers: Vec<Record>,
    /// What proves that there is nothing.
    pub authorities: Vec<Record>,
}

fn question(message: &Message) -> Option<Question> {
    let query = message.queries.first()?;
    Some(Question {
        name: query.name.clone(),
        class: query.query_class,
        rtype: query.query_type,
    })
}

/// Judges a message.
#[must_use]
pub fn try_reply(message: Message) -> Option<Believed> {
    let question = question(&message)?;
    let reply = Reply::new(&question, message).ok()?;
    Some(Believed {
        question,
        chain: reply.chain,
        answers: reply.answers,
        authorities: reply.authorities,
    })
}

/// Asks a question with this id and with a cookie, and hears a datagram: the message, if it is taken for the answer.
#[must_use]
pub fn try_datagram(question: &Question, id: u16, datagram: &[u8]) -> Option<Message> {
    let bits = Bits {
        edns: true,
        ..Bits::default()
    };
    let mut asked = wire::message(question, bits);
    asked.metadata.id = id;
    let mut cookies = Cookies::default();
    let sent = Datagram::new(asked, false, Some(&mut cookies)).ok()?;
    if sent.matches(datagram) != Match::Answer {
        return None;
    }
    let mut bytes = datagram.to_vec();
    sent.restore(&mut bytes);
    let message = Message::from_vec(&bytes).ok()?;
    (cookies.check(&message) != Check::Foreign).then_some(message)
}

/// What the NSEC and NSEC3 records of a message prove, were all of them signed well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proofs {
    /// That there is no such name.
    pub no_name: bool,
    /// That the name has no such type.
    pub no_data: bool,
    /// Signatures that were in order.
    pub signed: usize,
}

/// Reads the proofs of a message about the question in it, its authorities being of this zone; and checks all signatures,
/// at this time, with the keys that stand among its answers.
#[must_use]
pub fn try_proofs(message: &Message, zone: &Name, now: u32) -> Option<Proofs> {
    let question = question(message)?;
    let keys: Vec<DNSKEY> = message.answers.iter().filter_map(key).cloned().collect();
    let prove = |rcode| proof_of_absence(&message.authorities, zone, &question, rcode);
    let all: Vec<Record> = message.all_sections().cloned().collect();
    Some(Proofs {
        no_name: prove(ResponseCode::NXDomain),
        no_data: prove(ResponseCode::NoError),
        signed: super::validate::signatures_in_order(&all, &keys, now),
    })
}

fn key(record: &Record) -> Option<&DNSKEY> {
    match &record.data {
        RData::DNSSEC(DNSSECRData::DNSKEY(key)) => Some(key),
        _ => None,
    }
}

/// The rungs on which a server is asked that does what the steps say, one after the other.
#[must_use]
pub fn try_ladder(tls: DnsOverTls, dnssec: Dnssec, steps: &[u8]) -> Vec<&'static str> {
    let mut ladder = Ladder::new(Policy { tls, dnssec });
    let mut now = Instant::now();
    let mut rungs = Vec::with_capacity(steps.len());
    for step in steps {
        now += Duration::from_secs(u64::from(step >> 3) * 60);
        let level = ladder.level(now);
        rungs.push(level.as_str());
        match step & 7 {
            0 => ladder.answered(level),
            1 | 2 => ladder.lost(level, now),
            3 => drop(ladder.not_understood(level, now)),
            4 if level.encrypted() => drop(ladder.no_tls(level, now)),
            5 => ladder.no_edns(now),
            6 => drop(ladder.no_signatures(now)),
            _ => {}
        }
    }
    rungs
}
