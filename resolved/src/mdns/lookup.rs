//! The resolver: one question on one link. RFC 6762, 5

use std::{rc::Rc, time::Duration};

use hickory_proto::{
    op::ResponseCode,
    rr::{Record, RecordType},
};
use tokio::time::{Instant, timeout_at};

use super::{Mdns, engine::Engine, heard::Known};
use crate::{
    clock::boottime,
    failure::Failure,
    flags::Flags,
    message::{Question, Response},
    multicast::{is_neighbour, is_own, response, reverse_address},
    route::Family,
};

/// When to ask, from the first question on. RFC 6762, 5.2: the next after a second at least.
const TRANSMISSIONS: [Duration; 2] = [Duration::ZERO, Duration::from_secs(1)];
/// When to give up.
const PATIENCE: Duration = Duration::from_secs(3);
/// Who told everyone so shortly before need not say it again, and won't. RFC 6762, 6
const JUST_TOLD: Duration = Duration::from_secs(1);

/// Whether many may have records of that name: pointers to services. RFC 6763, 4
fn is_shared(question: &Question) -> bool {
    let first = question.name.iter().next().unwrap_or_default();
    question.rtype == RecordType::PTR && first.starts_with(b"_")
}

/// Our own, with others' of that name beside them.
fn own_records(engine: &Engine, question: &Question) -> Vec<Record> {
    let own = engine.answers(question).into_iter();
    let own = own.filter(|own| own.record.record_type() != RecordType::NSEC);
    own.map(|own| own.record).collect()
}

impl Mdns {
    /// What this machine itself announces on a link: for lookups that may be answered from the zone. `None`: nothing that
    /// answers the question, or others may know more (a type of services), or a better name (an address).
    #[must_use]
    pub fn zone(&self, ifindex: u32, family: Family, question: &Question) -> Option<Response> {
        if reverse_address(&question.name).is_some() {
            return None;
        }
        let state = self.state.borrow();
        let scope = state.scopes.get(&(ifindex, family))?;
        let own = scope.engine.answers(question);
        if own.is_empty() || own.iter().any(|own| !own.unique) {
            return None;
        }
        let own = own.into_iter().map(|own| own.record);
        let records = own.filter(|record| {
            record.record_type() != RecordType::NSEC || question.rtype == RecordType::NSEC
        });
        Some(found(records.collect(), ifindex, family, Flags::FROM_ZONE))
    }

    /// What was heard on a link and still holds: for lookups that may be answered from the cache. `None`: it must be asked.
    #[must_use]
    pub fn cached(&self, ifindex: u32, family: Family, question: &Question) -> Option<Response> {
        // Who has one service may not have heard of all.
        if is_shared(question) {
            return None;
        }
        let state = self.state.borrow();
        let scope = state.scopes.get(&(ifindex, family))?;
        let known = scope
            .engine
            .heard
            .look_up(question, Duration::ZERO, boottime());
        let records = match known {
            Known::Records(records) => records,
            Known::NoData => Vec::new(),
            Known::Nothing => return None,
        };
        Some(found(records, ifindex, family, Flags::FROM_CACHE))
    }

    /// Asks on one link, over one family. The response need not be put into a cache.
    ///
    /// Takes 3 s at most where nobody answers, and 1 s where many may (types of services).
    ///
    /// # Errors
    /// [`Failure::MaxAttempts`] if nobody answers, which is how a name that nobody has looks like; [`Failure::NetworkDown`]
    /// where the link has no mDNS, or the address is not a neighbour's.
    pub async fn query(
        self: &Rc<Self>,
        ifindex: u32,
        family: Family,
        question: &Question,
    ) -> Result<Response, Failure> {
        let key = (ifindex, family);
        if let Some(address) = reverse_address(&question.name) {
            let state = self.state.borrow();
            let link = state.links.get(&ifindex).map(|on| &on.link);
            // Our own have other sources.
            let asks = |link| is_neighbour(link, address) && !is_own(link, address);
            if !link.is_some_and(asks) {
                return Err(Failure::NetworkDown);
            }
        }
        let begun = Instant::now();
        let since = boottime().saturating_sub(JUST_TOLD);
        let ends = TRANSMISSIONS.iter().skip(1).chain([&PATIENCE]);
        for end in ends {
            self.ask(key, question)?;
            let end = begun + *end;
            loop {
                let heard = {
                    let state = self.state.borrow();
                    let scope = state.scopes.get(&key).ok_or(Failure::NetworkDown)?;
                    Rc::clone(&scope.heard)
                };
                // Before the look, so that nothing is missed between that and the wait.
                let heard = heard.notified();
                let over = Instant::now() >= end;
                if let Some(records) = self.answer(key, question, since, over)? {
                    return Ok(found(records, ifindex, family, Flags::FROM_NETWORK));
                }
                if over || timeout_at(end, heard).await.is_err() {
                    if let Some(records) = self.answer(key, question, since, true)? {
                        return Ok(found(records, ifindex, family, Flags::FROM_NETWORK));
                    }
                    break;
                }
            }
        }
        Err(Failure::MaxAttempts)
    }

    fn ask(self: &Rc<Self>, key: super::ScopeKey, question: &Question) -> Result<(), Failure> {
        self.run(key, |engine, _| engine.asking.once(question))
            .ok_or(Failure::NetworkDown)?;
        if let Some(timer) = &self.state.borrow().timer {
            timer.wake();
        }
        Ok(())
    }

    /// What there is by now, if that will do; `over`: nothing more is waited for.
    fn answer(
        &self,
        key: super::ScopeKey,
        question: &Question,
        since: Duration,
        over: bool,
    ) -> Result<Option<Vec<Record>>, Failure> {
        let state = self.state.borrow();
        let engine = &state.scopes.get(&key).ok_or(Failure::NetworkDown)?.engine;
        let now = boottime();
        let heard = engine.heard.look_up(question, since, now);
        if is_shared(question) {
            let mut records = own_records(engine, question);
            if let Known::Records(heard) = heard {
                records.extend(heard);
            }
            return Ok((over && !records.is_empty()).then_some(records));
        }
        Ok(match heard {
            Known::Records(records) => Some(records),
            Known::NoData => Some(Vec::new()),
            // Not all say what they have not. A machine that told its addresses of one family has none of the other: it
            // would have sent them along (RFC 6762, 6.2).
            Known::Nothing if over => sibling(question).and_then(|sibling| {
                let known = engine.heard.look_up(&sibling, since, now);
                matches!(known, Known::Records(_)).then(Vec::new)
            }),
            Known::Nothing => None,
        })
    }
}

/// The question for addresses of the other family.
fn sibling(question: &Question) -> Option<Question> {
    let rtype = match question.rtype {
        RecordType::A => RecordType::AAAA,
        RecordType::AAAA => RecordType::A,
        _ => return None,
    };
    Some(Question::new(question.name.clone(), rtype))
}

fn found(records: Vec<Record>, ifindex: u32, family: Family, from: Flags) -> Response {
    let protocol = match family {
        Family::V4 => Flags::MDNS_IPV4,
        Family::V6 => Flags::MDNS_IPV6,
    };
    response(ResponseCode::NoError, records, ifindex, protocol | from)
}
