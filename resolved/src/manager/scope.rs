//! Who is asked: the scopes as things stand, and one question to one of them.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, Shared, WeakShared},
};
use hickory_proto::{
    dnssec::Proof,
    op::ResponseCode,
    rr::{Name, RData, Record},
};

use super::Manager;
use crate::{
    cache::{Need, Policy},
    clock::boottime,
    failure::Failure,
    flags::Flags,
    message::{Question, Response},
    mode::{CacheMode, DnsOverTls, Dnssec},
    route::{Candidate, ScopeId},
    server::{DnsServer, Domain},
    stats::count,
    upstream::{Ask, Upstream},
};

/// A scope of unicast DNS.
pub struct Unicast {
    /// Global, Link or Delegate.
    pub id: ScopeId,
    /// The delegate's id.
    pub delegate: Option<String>,
    /// Its servers.
    pub upstream: Upstream,
    /// The same, as they were set.
    pub servers: Vec<DnsServer>,
    /// Search and routing domains.
    pub domains: Vec<Domain>,
    /// It takes what no domain matches.
    pub default_route: bool,
    /// As set for it.
    pub dnssec: Dnssec,
    /// As set for it.
    pub dns_over_tls: DnsOverTls,
}

/// Who is asked, as things stand.
#[derive(Default)]
pub struct Scopes {
    pub(super) unicast: Vec<Rc<Unicast>>,
    pub(super) multicast: Vec<ScopeId>,
    /// Of the machine: below these nothing is validated.
    pub negative_trust_anchors: Vec<Name>,
}

impl Scopes {
    /// Those of unicast DNS.
    #[must_use]
    pub fn unicast(&self) -> &[Rc<Unicast>] {
        &self.unicast
    }

    /// Those of LLMNR and mDNS.
    #[must_use]
    pub fn multicast(&self) -> &[ScopeId] {
        &self.multicast
    }

    /// One of unicast DNS.
    #[must_use]
    pub fn unicast_of(&self, id: ScopeId) -> Option<&Rc<Unicast>> {
        self.unicast.iter().find(|unicast| unicast.id == id)
    }

    /// The protocols that are spoken on a link.
    #[must_use]
    pub fn protocols_of(&self, ifindex: u32) -> Flags {
        let unicast = self.unicast.iter().map(|unicast| unicast.id);
        unicast
            .chain(self.multicast.iter().copied())
            .filter(|id| ifindex != 0 && id.ifindex() == ifindex)
            .map(ScopeId::protocol)
            .collect()
    }

    /// Whether a link takes what no domain matches.
    #[must_use]
    pub fn is_default_route(&self, ifindex: u32) -> bool {
        self.unicast_of(ScopeId::Link(ifindex))
            .is_some_and(|unicast| unicast.default_route)
    }

    pub(super) fn candidates(&self) -> Vec<Candidate<'_>> {
        let unicast = self.unicast.iter().map(|unicast| Candidate {
            id: unicast.id,
            domains: &unicast.domains,
            default_route: unicast.default_route,
        });
        let multicast = self.multicast.iter().map(|id| Candidate {
            id: *id,
            domains: &[],
            default_route: false,
        });
        unicast.chain(multicast).collect()
    }
}

type Outcome = Result<Rc<Response>, Failure>;
type Transaction = Shared<LocalBoxFuture<'static, Outcome>>;
type Key = (ScopeId, Question, [bool; 2]);

/// Transactions under way, so that two lookups share one.
#[derive(Default)]
pub(super) struct InFlight(RefCell<HashMap<Key, WeakShared<LocalBoxFuture<'static, Outcome>>>>);

/// When an expired answer is given out while the servers have not answered. RFC 8767, 5
const STALE_AFTER: Duration = Duration::from_millis(1800);

impl Manager {
    /// One question to one scope: from the cache, or from the network.
    ///
    /// # Errors
    /// Those of [`Upstream::query`], and of the cache ([`Failure::Rcode`]).
    pub(super) async fn ask(
        self: &Rc<Self>,
        scope: ScopeId,
        question: &Question,
        flags: Flags,
        dnssec_ok: bool,
    ) -> Outcome {
        let config = self.config();
        let now = boottime();
        if !flags.contains(Flags::NO_CACHE) && config.cache != CacheMode::No {
            let need = Need {
                dnssec_ok,
                stale: false,
            };
            if let Some(hit) = self.cache.get(scope, question, need, now) {
                if hit.prefetch && !flags.contains(Flags::NO_NETWORK) {
                    self.refresh(scope, question, flags, dnssec_ok);
                }
                return hit.outcome.map(Rc::new);
            }
        }
        if let Some(response) = self.trust_anchor(question, flags) {
            return Ok(Rc::new(response));
        }
        if let Some(response) = self.on_the_link(scope, question, flags) {
            return Ok(Rc::new(response));
        }
        if flags.contains(Flags::NO_NETWORK) {
            return Err(Failure::NoSource);
        }
        let stale = || {
            let wanted = !config.stale_retention.is_zero()
                && !flags.intersects(Flags::NO_STALE | Flags::NO_CACHE);
            let need = Need {
                dnssec_ok,
                stale: true,
            };
            wanted
                .then(|| self.cache.get(scope, question, need, boottime()))
                .flatten()
                .and_then(|hit| hit.outcome.ok())
                .map(Rc::new)
        };
        let transaction = self.transaction(scope, question, flags, dnssec_ok);
        if stale().is_none() {
            return transaction.await;
        }
        tokio::select! {
            outcome = transaction.clone() => match (outcome, stale()) {
                (Err(failure), Some(response)) => {
                    count(if matches!(failure, Failure::Rcode(..)) {
                        &self.statistics.total_failed_responses_served_stale
                    } else {
                        &self.statistics.total_timeouts_served_stale
                    });
                    Ok(response)
                }
                (outcome, _) => outcome,
            },
            () = tokio::time::sleep(STALE_AFTER) => {
                count(&self.statistics.total_timeouts_served_stale);
                // It goes on, for the next who asks.
                tokio::task::spawn_local(transaction.clone());
                match stale() {
                    Some(response) => Ok(response),
                    None => transaction.await,
                }
            }
        }
    }

    /// What validation begins with is known without asking.
    fn trust_anchor(&self, question: &Question, flags: Flags) -> Option<Response> {
        if flags.contains(Flags::NO_TRUST_ANCHOR) {
            return None;
        }
        let config = self.config();
        let anchors = config.trust_anchors.iter();
        let records: Vec<_> = anchors
            .map(|anchor| {
                Record::from_rdata(anchor.name.clone(), 0, RData::DNSSEC(anchor.data.clone()))
            })
            .filter(|record| {
                record.name == question.name
                    && record.record_type() == question.rtype
                    && record.dns_class == question.class
            })
            .collect();
        (!records.is_empty()).then(|| Response {
            rcode: ResponseCode::NoError,
            answers: records,
            authorities: Vec::new(),
            additionals: Vec::new(),
            proof: Proof::Secure,
            confidential: true,
            source: Flags::DNS | Flags::FROM_TRUST_ANCHOR,
            ifindex: 0,
            from_localhost: false,
            stale: false,
            extended_error: None,
        })
    }

    /// mDNS keeps what it heard, and what it announces, by link.
    fn on_the_link(&self, scope: ScopeId, question: &Question, flags: Flags) -> Option<Response> {
        let ScopeId::Mdns(ifindex, family) = scope else {
            return None;
        };
        let zone = || self.mdns.zone(ifindex, family, question);
        let cached = || self.mdns.cached(ifindex, family, question);
        let zone = (!flags.contains(Flags::NO_ZONE)).then(zone).flatten();
        let kept = !flags.contains(Flags::NO_CACHE) && self.config().cache != CacheMode::No;
        zone.or_else(|| kept.then(cached).flatten())
    }

    /// Asks again for what will soon expire and is often asked for.
    fn refresh(
        self: &Rc<Self>,
        scope: ScopeId,
        question: &Question,
        flags: Flags,
        dnssec_ok: bool,
    ) {
        tokio::task::spawn_local(self.transaction(scope, question, flags, dnssec_ok));
    }

    /// The transaction for a question: one for all who ask at the same time.
    fn transaction(
        self: &Rc<Self>,
        scope: ScopeId,
        question: &Question,
        flags: Flags,
        dnssec_ok: bool,
    ) -> Transaction {
        let ask = Ask {
            dnssec_ok,
            validate: !flags.contains(Flags::NO_VALIDATE),
            checking_disabled: false,
        };
        let key = (scope, question.clone(), [ask.dnssec_ok, ask.validate]);
        let mut in_flight = self.in_flight.0.borrow_mut();
        if let Some(shared) = in_flight.get(&key).and_then(WeakShared::upgrade) {
            return shared;
        }
        // What nobody waits for any more was dropped, and with it the question to the network.
        in_flight.retain(|_, shared| {
            shared
                .upgrade()
                .is_some_and(|shared| shared.peek().is_none())
        });
        let manager = Rc::clone(self);
        let question = question.clone();
        let shared = async move { manager.transact(scope, &question, ask).await }
            .boxed_local()
            .shared();
        if let Some(weak) = shared.downgrade() {
            in_flight.insert(key, weak);
        }
        shared
    }

    /// To the network, and into the cache.
    async fn transact(self: Rc<Self>, scope: ScopeId, question: &Question, ask: Ask) -> Outcome {
        let _counted = Counted::new(&self);
        let outcome = self.send(scope, question, ask).await;
        self.count(scope, ask, &outcome);
        let config = self.config();
        let now = boottime();
        // The ground may have changed meanwhile: a scope that is gone leaves nothing behind.
        let lives = match scope {
            ScopeId::Global | ScopeId::Link(_) | ScopeId::Delegate(_) => {
                self.scopes().unicast_of(scope).is_some()
            }
            ScopeId::Llmnr(..) => self.scopes().multicast.contains(&scope),
            ScopeId::Mdns(..) => false,
        };
        match &outcome {
            Ok(response) if lives && (!response.from_localhost || config.cache_from_localhost) => {
                let policy = Policy {
                    mode: config.cache,
                    stale_retention: config.stale_retention,
                    dnssec_ok: ask.dnssec_ok,
                };
                self.cache.put(scope, question, response, policy, now);
            }
            Err(failure @ Failure::Rcode(ResponseCode::ServFail, _))
                if lives && config.cache == CacheMode::Yes =>
            {
                self.cache.put_failure(scope, question, failure, now);
            }
            _ => {}
        }
        outcome.map(Rc::new)
    }

    async fn send(
        &self,
        scope: ScopeId,
        question: &Question,
        ask: Ask,
    ) -> Result<Response, Failure> {
        match scope {
            ScopeId::Global | ScopeId::Link(_) | ScopeId::Delegate(_) => {
                let upstream = self
                    .scopes()
                    .unicast_of(scope)
                    .map(|unicast| unicast.upstream.clone())
                    .ok_or(Failure::Aborted)?;
                tokio::select! {
                    outcome = upstream.query(question, ask) => outcome,
                    () = self.gone(scope) => Err(Failure::NetworkDown),
                }
            }
            ScopeId::Llmnr(ifindex, family) => self.llmnr.query(ifindex, family, question).await,
            ScopeId::Mdns(ifindex, family) => self.mdns.query(ifindex, family, question).await,
        }
    }

    /// Waits until a scope of unicast DNS is no more: its link was pulled, or its servers were taken away. Nobody will answer
    /// then, and who asks again is told by others.
    async fn gone(&self, scope: ScopeId) {
        loop {
            let moved = self.moved.notified();
            if self.scopes().unicast_of(scope).is_none() {
                return;
            }
            moved.await;
        }
    }

    /// A question as it is, to whoever is responsible for the name: nothing validated, nothing kept.
    ///
    /// # Errors
    /// [`Failure::NoNameServers`]; those of [`Upstream::query`].
    pub async fn bypass(
        self: &Rc<Self>,
        question: &Question,
        dnssec_ok: bool,
        checking_disabled: bool,
    ) -> Result<Response, Failure> {
        let ask = Ask {
            dnssec_ok,
            validate: false,
            checking_disabled,
        };
        let scopes =
            crate::route::route(question, Flags::DNS, 0, true, &self.scopes().candidates());
        let mut last = Failure::NoNameServers;
        for scope in scopes {
            match self.send(scope, question, ask).await {
                Ok(response) => return Ok(response),
                Err(failure) => last = failure,
            }
        }
        Err(last)
    }

    fn count(&self, scope: ScopeId, ask: Ask, outcome: &Result<Response, Failure>) {
        let scopes = self.scopes();
        let unicast = scopes.unicast_of(scope);
        let validated = unicast.is_some_and(|unicast| unicast.dnssec != Dnssec::No) && ask.validate;
        match outcome {
            Ok(response) if validated => {
                self.statistics.verdict(response.proof);
            }
            Err(Failure::TimedOut | Failure::MaxAttempts) => count(&self.statistics.total_timeouts),
            Err(Failure::Rcode(..)) => count(&self.statistics.total_failed_responses),
            Err(Failure::DnssecFailed(..)) => count(&self.statistics.dnssec_bogus),
            _ => {}
        }
    }
}

/// A transaction under way.
struct Counted(Rc<Manager>);

impl Counted {
    fn new(manager: &Rc<Manager>) -> Self {
        count(&manager.statistics.total_transactions);
        count(&manager.statistics.current_transactions);
        Self(Rc::clone(manager))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let current = &self.0.statistics.current_transactions;
        current.set(current.get().saturating_sub(1));
    }
}
