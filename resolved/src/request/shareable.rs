//! Answers that are the same for whoever asks, and so may be told to all.

use std::net::IpAddr;

use hickory_proto::{
    op::ResponseCode,
    rr::{Name, RecordType},
};
use lookaside::{Family, Item, Question};

use crate::{
    manager::Manager,
    message::Answer,
    request::{AF_INET, AF_INET6},
};

/// A question as nss-resolve puts it.
pub(super) struct Shareable<'q> {
    question: Question<'q>,
    /// Of the cache, before the lookup: what changes while it runs voids its answer.
    generation: u64,
}

impl<'q> Shareable<'q> {
    /// For a host's addresses; `None` if it is put in a way of the caller's own, or nothing is shared.
    pub fn hostname(
        manager: &Manager,
        name: &'q str,
        family: i32,
        (ifindex, flags): (i64, u64),
    ) -> Option<Self> {
        let family = match family {
            AF_INET => Family::Inet,
            AF_INET6 => Family::Inet6,
            _ => Family::Any,
        };
        Self::new(manager, (ifindex, flags), || {
            Question::name(name.as_bytes(), family)
        })
    }

    /// For an address's names.
    pub fn address(
        manager: &Manager,
        bytes: &'q [u8],
        (ifindex, flags): (i64, u64),
    ) -> Option<Self> {
        Self::new(manager, (ifindex, flags), || Question::address(bytes))
    }

    fn new(
        manager: &Manager,
        way: (i64, u64),
        question: impl FnOnce() -> Option<Question<'q>>,
    ) -> Option<Self> {
        if way != (0, 0) || !manager.cache.published.is_on() {
            return None;
        }
        Some(Self {
            question: question()?,
            generation: manager.cache.generation(),
        })
    }

    /// Tells all: addresses with their links, or names, the canonical one of a host last. None are told of an answer without.
    pub fn publish(
        &self,
        manager: &Manager,
        name: &Name,
        answer: &Answer,
        (addresses, names): (&[(u32, IpAddr)], &[&str]),
    ) {
        // First what most often holds where many ask.
        if manager.cache.published.is_recent(&self.question)
            || !answer.is_from_cache()
            || answer.stale
            || !manager.may_be_copied(name)
            || manager.cache.generation() != self.generation
        {
            return;
        }
        let Some(ttl) = holds(answer).filter(|ttl| *ttl > 0) else {
            return;
        };
        let octets: Vec<_> = addresses
            .iter()
            .map(|(ifindex, address)| match address {
                IpAddr::V4(v4) => (0, v4.octets().to_vec()),
                IpAddr::V6(v6) => (*ifindex, v6.octets().to_vec()),
            })
            .collect();
        let addresses = octets.iter().map(|(ifindex, octets)| Item::Address {
            octets,
            ifindex: *ifindex,
        });
        let names = names.iter().map(|name| Item::Name(name.as_bytes()));
        let items: Vec<_> = addresses.chain(names).collect();
        let told = match (items.is_empty(), answer.rcode) {
            (false, _) => lookaside::Answer::Found(&items),
            (true, ResponseCode::NXDomain) => lookaside::Answer::NotFound,
            (true, _) => lookaside::Answer::NoData,
        };
        manager.cache.published.put(&self.question, told, ttl);
    }
}

/// For how many seconds an answer holds, and what it has not got: RFC 2308, 5.
fn holds(answer: &Answer) -> Option<u32> {
    let records = answer.records.iter().map(|found| found.record.ttl);
    let absence = answer
        .authorities
        .iter()
        .filter(|record| record.record_type() == RecordType::SOA)
        .map(|record| record.ttl);
    records.chain(absence).min()
}
