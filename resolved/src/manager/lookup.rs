//! A lookup from end to end: what this machine knows, the scopes, the chain of aliases, and what stands in at last.

use std::rc::Rc;

use futures_util::{
    StreamExt,
    future::{LocalBoxFuture, join_all},
    stream::FuturesUnordered,
};
use hickory_proto::{
    dnssec::Proof,
    op::ResponseCode,
    rr::{Name, RData, Record, RecordType},
};

use super::{Manager, observe::Ended};
use crate::{
    failure::Failure,
    flags::Flags,
    local::World,
    message::{Answer, Found, Lookup, Question, Response},
    name,
    route::{self, ScopeId},
};

/// A chain of aliases is no longer.
const LONGEST_CHAIN: usize = 16;

impl Manager {
    /// Looks a name up, in the order of systemd-resolved.service(8): what this machine knows, hooks, the scopes that are
    /// responsible, and at last what this machine makes up.
    ///
    /// # Errors
    /// [`Failure::NoNameServers`] if nobody could know; [`Failure::NoSource`] if the flags left no way;
    /// [`Failure::Refused`]; [`Failure::CnameLoop`]; those of the scopes.
    pub async fn lookup(self: &Rc<Self>, lookup: &Lookup) -> Result<Answer, Failure> {
        self.note_local_changes();
        self.cache.published.renew();
        let mut collected = Vec::new();
        let result = self.find(lookup, &mut collected).await;
        self.observed.tell(|| Ended {
            questions: lookup.questions().collect(),
            collected,
            result: result.clone(),
        });
        result
    }

    async fn find(
        self: &Rc<Self>,
        lookup: &Lookup,
        collected: &mut Vec<Question>,
    ) -> Result<Answer, Failure> {
        let refused = &self.config().refuse_record_types;
        let mut lookup = lookup.clone();
        lookup.types.retain(|rtype| !refused.contains(rtype));
        if lookup.types.is_empty() {
            return Err(Failure::Refused);
        }
        let found = match self.known_here(&lookup).await {
            Some(Ok(answer)) => self.follow(&lookup, answer).await,
            Some(Err(failure)) => Err(failure),
            None => self.search(&lookup, collected).await,
        };
        let stand_in = if lookup.flags.contains(Flags::NO_SYNTHESIZE) {
            None
        } else {
            self.with_world(|world| self.local.after(&lookup, world, &found))
        };
        stand_in.map_or(found, Ok)
    }

    fn with_world<T>(&self, with: impl FnOnce(&World<'_>) -> T) -> T {
        let (config, host_name, network) = (self.config(), self.host_name(), self.network());
        with(&World {
            network: &network,
            host_name: &host_name,
            config: &config,
        })
    }

    /// /etc/hosts, static records or a hook changed: answers that were copied may be others now.
    pub fn note_local_changes(&self) {
        let generation = self.with_world(|world| self.local.generation(world));
        if self.local_generation.replace(generation) != generation {
            self.cache.new_generation();
        }
    }

    /// Files of this machine's own answers have changed, or may have.
    pub fn local_files_changed(&self) {
        self.local.look_again();
        self.note_local_changes();
    }

    /// Follows what the hooks want; never returns.
    pub async fn follow_hooks(&self) {
        loop {
            self.local.hooks_changed().await;
            self.note_local_changes();
        }
    }

    async fn known_here(&self, lookup: &Lookup) -> Option<Result<Answer, Failure>> {
        let before = self.with_world(|world| self.local.before(lookup, world));
        before.await
    }

    /// An answer of this machine's own may be an alias for a name elsewhere.
    async fn follow(self: &Rc<Self>, lookup: &Lookup, answer: Answer) -> Result<Answer, Failure> {
        let mut chain: Vec<Found> = Vec::new();
        let mut answer = answer;
        let mut lookup = lookup.clone();
        loop {
            let records = answer.records.iter().map(|found| &found.record);
            let Some(target) = alias(&lookup.name, &lookup.types, records) else {
                answer.records.splice(0..0, chain);
                return Ok(answer);
            };
            if lookup.flags.contains(Flags::NO_CNAME) || chain.len() >= LONGEST_CHAIN {
                return Err(Failure::CnameLoop);
            }
            chain.append(&mut answer.records);
            lookup.name = target;
            answer = match self.known_here(&lookup).await {
                Some(answer) => answer?,
                None => {
                    let mut elsewhere = self.elsewhere(&lookup, None).await?;
                    elsewhere.flags |= answer.flags & Flags::SOURCES;
                    elsewhere.records.splice(0..0, chain);
                    return Ok(elsewhere);
                }
            };
        }
    }

    /// The name as it is, and for a single label in each search domain: all scopes at once, the domains of one scope in
    /// their order. What finds something first wins.
    async fn search(
        self: &Rc<Self>,
        lookup: &Lookup,
        collected: &mut Vec<Question>,
    ) -> Result<Answer, Failure> {
        let mut ways: FuturesUnordered<LocalBoxFuture<'_, Result<Answer, Failure>>> =
            FuturesUnordered::new();
        ways.push(Box::pin(self.elsewhere(lookup, None)));
        if route::wants_search(&lookup.name, lookup.flags) && lookup.flags.contains(Flags::DNS) {
            for unicast in self.scopes().unicast() {
                let scope = unicast.id;
                let names = self.search_list(scope, lookup);
                if names.is_empty() {
                    continue;
                }
                for name in &names {
                    collected.extend(lookup.types.iter().map(|rtype| Question {
                        name: name.clone(),
                        class: lookup.class,
                        rtype: *rtype,
                    }));
                }
                ways.push(Box::pin(self.search_in(scope, names, lookup)));
            }
        }
        let mut best = Err(Failure::NoNameServers);
        while let Some(result) = ways.next().await {
            match result {
                Ok(answer) if answer.of_types(&lookup.types).next().is_some() => return Ok(answer),
                result => best = telling(best, result),
            }
        }
        best
    }

    fn search_list(&self, scope: ScopeId, lookup: &Lookup) -> Vec<Name> {
        let scopes = self.scopes();
        let Some(unicast) = scopes.unicast_of(scope) else {
            return Vec::new();
        };
        if lookup.ifindex != 0 && scope.ifindex() != lookup.ifindex {
            return Vec::new();
        }
        unicast
            .domains
            .iter()
            .filter(|domain| !domain.route_only && !domain.name.is_root())
            .filter_map(|domain| lookup.name.clone().append_domain(&domain.name).ok())
            .collect()
    }

    async fn search_in(
        self: &Rc<Self>,
        scope: ScopeId,
        names: Vec<Name>,
        lookup: &Lookup,
    ) -> Result<Answer, Failure> {
        let mut best = Err(Failure::NoNameServers);
        for name in names {
            let lookup = Lookup {
                name,
                ..lookup.clone()
            };
            match self.elsewhere(&lookup, Some(scope)).await {
                Ok(answer) if answer.of_types(&lookup.types).next().is_some() => return Ok(answer),
                result => best = telling(best, result),
            }
        }
        best
    }

    /// Each type by itself, at once, and put together. One that fails does not hide another's records.
    async fn elsewhere(
        self: &Rc<Self>,
        lookup: &Lookup,
        only: Option<ScopeId>,
    ) -> Result<Answer, Failure> {
        let walks = lookup
            .questions()
            .map(|question| self.walk(question, lookup, only));
        let results = join_all(walks).await;
        let any = results.iter().any(|result| {
            result
                .as_ref()
                .is_ok_and(|answer| answer.of_types(&lookup.types).next().is_some())
        });
        let mut together: Option<Answer> = None;
        for result in results {
            match (result, &mut together) {
                (Ok(answer), None) => together = Some(answer),
                (Ok(answer), Some(together)) => merge(together, answer, &lookup.types),
                (Err(_), _) if any => {}
                // Nobody is asked for that type: LLMNR on a link without IPv6. The others tell.
                (Err(Failure::NoNameServers), _) => {}
                (Err(failure), _) => return Err(failure),
            }
        }
        together.ok_or(Failure::NoNameServers)
    }

    /// One question, through its aliases.
    async fn walk(
        self: &Rc<Self>,
        mut question: Question,
        lookup: &Lookup,
        only: Option<ScopeId>,
    ) -> Result<Answer, Failure> {
        let mut flags = lookup.flags;
        let mut chain = Answer {
            records: Vec::new(),
            flags: Flags::AUTHENTICATED | Flags::CONFIDENTIAL,
            ..Answer::made_here(question.name.clone(), Vec::new())
        };
        let mut only = only;
        for hop in 0..=LONGEST_CHAIN {
            let scopes = match only.take() {
                Some(scope) => vec![scope],
                None => self.route(&question, flags, lookup),
            };
            let response = self
                .ask_scopes(&scopes, &question, flags, lookup.dnssec_ok)
                .await?;
            let target = alias(&question.name, &[question.rtype], response.answers.iter());
            let complete = target.is_none() || !response.authorities.is_empty();
            extend(&mut chain, &response, lookup.dnssec_ok);
            let end = end_of_chain(&question.name, response.answers.iter());
            if end != question.name && flags.contains(Flags::NO_CNAME) {
                return Err(Failure::CnameLoop);
            }
            chain.name = end;
            if complete {
                return Ok(chain);
            }
            if hop == LONGEST_CHAIN {
                break;
            }
            // What DNS says leads nowhere but to DNS: a name of the link is not the Internet's to point to.
            if response.source.contains(Flags::DNS) {
                flags = flags.difference(Flags::PROTOCOLS) | Flags::DNS;
            }
            question.name = chain.name.clone();
            let next = Lookup {
                name: question.name.clone(),
                types: vec![question.rtype],
                flags,
                ..lookup.clone()
            };
            if let Some(answer) = self.known_here(&next).await {
                merge(&mut chain, answer?, &lookup.types);
                chain.name = question.name;
                return Ok(chain);
            }
        }
        Err(Failure::CnameLoop)
    }

    fn route(&self, question: &Question, flags: Flags, lookup: &Lookup) -> Vec<ScopeId> {
        let single_label =
            self.config().resolve_unicast_single_label || flags.contains(Flags::RELAX_SINGLE_LABEL);
        let scopes = self.scopes();
        route::route(
            question,
            flags,
            lookup.ifindex,
            single_label,
            &scopes.candidates(),
        )
    }

    /// All of them at once; the first with something wins, then the first that knows there is nothing.
    async fn ask_scopes(
        self: &Rc<Self>,
        scopes: &[ScopeId],
        question: &Question,
        flags: Flags,
        dnssec_ok: bool,
    ) -> Result<Rc<Response>, Failure> {
        let mut asked: FuturesUnordered<_> = scopes
            .iter()
            .map(|scope| async move {
                let question = for_scope(*scope, question).ok_or(Failure::NoNameServers)?;
                self.ask(*scope, &question, flags, dnssec_ok).await
            })
            .collect();
        let mut negative = None;
        let mut failure = None;
        while let Some(outcome) = asked.next().await {
            match outcome {
                Ok(response) if !response.answers.is_empty() => return Ok(response),
                Ok(response) => negative = negative.or(Some(response)),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match (negative, failure) {
            (Some(response), _) => Ok(response),
            (None, Some(failure)) => Err(failure),
            (None, None) => Err(Failure::NoNameServers),
        }
    }
}

/// Unicast DNS has A-labels, the others UTF-8 (RFC 4795, 2; RFC 6762, 16).
fn for_scope(scope: ScopeId, question: &Question) -> Option<Question> {
    let name = if scope.protocol() == Flags::DNS {
        name::to_ascii(&question.name)?
    } else {
        question.name.clone()
    };
    Some(Question {
        name,
        ..question.clone()
    })
}

/// Where the chain of CNAMEs from `name` ends in these records.
fn end_of_chain<'a>(name: &Name, records: impl Iterator<Item = &'a Record> + Clone) -> Name {
    let mut end = name::to_ascii(name).unwrap_or_else(|| name.clone());
    for _ in 0..LONGEST_CHAIN {
        let next = records.clone().find_map(|record| match &record.data {
            RData::CNAME(target) if record.name == end => Some(target.0.clone()),
            _ => None,
        });
        match next {
            Some(target) => end = target,
            None => break,
        }
    }
    end
}

/// The name to go on with: the records lead to it, and have nothing of these types there.
fn alias<'a>(
    name: &Name,
    types: &[RecordType],
    records: impl Iterator<Item = &'a Record> + Clone,
) -> Option<Name> {
    let follows = |rtype: &RecordType| !matches!(rtype, RecordType::CNAME | RecordType::ANY);
    if !types.iter().all(follows) {
        return None;
    }
    let end = end_of_chain(name, records.clone());
    let start = name::to_ascii(name).unwrap_or_else(|| name.clone());
    let mut there = records.filter(|record| record.name == end);
    let found = there.any(|record| types.contains(&record.record_type()));
    (end != start && !found).then_some(end)
}

/// Adds what a scope had to say.
fn extend(chain: &mut Answer, response: &Response, dnssec_ok: bool) {
    let signatures = |record: &&Record| dnssec_ok || record.record_type() != RecordType::RRSIG;
    for record in response.answers.iter().filter(signatures) {
        chain.records.push(Found {
            ifindex: response.ifindex,
            record: record.clone(),
        });
    }
    chain.rcode = response.rcode;
    chain.authorities.clone_from(&response.authorities);
    chain.stale |= response.stale;
    if response.extended_error.is_some() {
        chain.extended_error.clone_from(&response.extended_error);
    }
    if response.proof != Proof::Secure {
        chain.flags.remove(Flags::AUTHENTICATED);
    }
    if !response.confidential {
        chain.flags.remove(Flags::CONFIDENTIAL);
    }
    chain.flags |= response.source;
}

/// Puts two answers for one name together.
fn merge(together: &mut Answer, other: Answer, types: &[RecordType]) {
    let every = Flags::AUTHENTICATED | Flags::CONFIDENTIAL;
    together.flags =
        (together.flags & other.flags & every) | (together.flags | other.flags).difference(every);
    together.stale |= other.stale;
    if together.of_types(types).next().is_none() && other.of_types(types).next().is_some() {
        together.name = other.name;
        together.rcode = other.rcode;
    }
    together.extended_error = together.extended_error.take().or(other.extended_error);
    for found in other.records {
        let known = |known: &Found| {
            known.record.name == found.record.name && known.record.data == found.record.data
        };
        if !together.records.iter().any(known) {
            together.records.push(found);
        }
    }
    if together.authorities.is_empty() {
        together.authorities = other.authorities;
    }
}

/// Which of two results without records tells more: that there is nothing, then why nobody could say.
fn telling(
    one: Result<Answer, Failure>,
    other: Result<Answer, Failure>,
) -> Result<Answer, Failure> {
    match (&one, &other) {
        (Ok(known), Ok(answer))
            if known.rcode == ResponseCode::NXDomain && answer.rcode == ResponseCode::NoError =>
        {
            other
        }
        (Ok(_), _) | (Err(_), Err(Failure::NoNameServers)) => one,
        _ => other,
    }
}
