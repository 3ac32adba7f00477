//! One query, from whichever listener, and the reply to it.

use std::{
    cell::Cell,
    sync::{Arc, PoisonError, atomic::Ordering},
};

use hickory_proto::{
    op::ResponseCode,
    rr::{DNSClass, Name, Record, RecordType},
    serialize::binary::{BinDecodable, BinDecoder},
};

use super::{
    Common, Resolve,
    hot::may_be_copied,
    query::{self, Query, Wrong, bit},
    reply::{self, Contents},
    rules,
    sockets::Profile,
    wire::Moment,
};
use crate::{
    failure::Failure,
    flags::Flags,
    message::{Answer, ExtendedError, Lookup, Question, Response},
};

/// Lookups for clients of the stub at a time.
const MOST: usize = 2048;
/// How long copies hold after a question passed here: /etc/hosts is looked at again after two seconds at the latest.
const LEASE: u32 = 2;

/// Codes of RFC 8914, 4.
mod remark {
    pub(super) const STALE: u16 = 3;
    pub(super) const BOGUS: u16 = 6;
    pub(super) const PROHIBITED: u16 = 18;
    pub(super) const STALE_NXDOMAIN: u16 = 19;
    pub(super) const NO_REACHABLE_AUTHORITY: u16 = 22;
    pub(super) const NETWORK: u16 = 23;
    pub(super) const INVALID_DATA: u16 = 24;
}

/// What all listeners of the main thread share.
pub(super) struct Server<R> {
    resolver: R,
    pub(super) common: Arc<Common>,
    running: Cell<usize>,
}

/// A query and where it came from.
pub(super) struct Asked<'a> {
    pub(super) packet: &'a [u8],
    pub(super) profile: Profile,
    /// It came by TCP: nothing is cut.
    pub(super) stream: bool,
    /// The client has its answer already.
    pub(super) prefetch: bool,
}

/// Whether a query is to be looked up.
pub(super) enum Verdict {
    LookUp,
    /// At once.
    Reply(Vec<u8>),
    Ignore,
}

/// Says what is wrong with a packet that is not to be looked up.
pub(super) fn verdict(packet: &[u8], profile: Profile) -> Verdict {
    let query = match query::parse(packet) {
        Ok(query) => query,
        Err(Wrong::Ignored) => return Verdict::Ignore,
        Err(Wrong::NotImplemented(head)) => {
            return Verdict::Reply(reply::header(head, ResponseCode::NotImp));
        }
        Err(Wrong::Malformed(head)) => {
            return Verdict::Reply(reply::header(head, ResponseCode::FormErr));
        }
    };
    match rules::refusal(&query) {
        Some(code) => Verdict::Reply(coded(&query, profile, code)),
        None => Verdict::LookUp,
    }
}

fn coded(query: &Query<'_>, profile: Profile, code: ResponseCode) -> Vec<u8> {
    let reply = reply::compose(query, &Contents::code(code), usize::from(u16::MAX));
    reply.finish(query, profile.size())
}

/// Counts a lookup while it lives.
struct Running<'a>(&'a Cell<usize>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl<R: Resolve> Server<R> {
    pub(super) fn new(resolver: R, common: Arc<Common>) -> Self {
        Self {
            resolver,
            common,
            running: Cell::new(0),
        }
    }

    /// Looks a query up; [`verdict`] has said that it is one. `None`: nothing is to be said.
    pub(super) async fn look_up(&self, asked: Asked<'_>) -> Option<Vec<u8>> {
        let query = query::parse(asked.packet).ok()?;
        let name = Name::read(&mut BinDecoder::new(query.name)).ok()?;
        if self.running.get() >= MOST {
            return Some(coded(&query, asked.profile, ResponseCode::ServFail));
        }
        self.running.set(self.running.get() + 1);
        let _running = Running(&self.running);
        if asked.profile.proxy || rules::bypasses(&query) {
            return Some(self.bypass(&query, name, &asked).await);
        }
        // Of before the lookup: what changes while it runs voids its answer.
        let moment = Moment::now(&self.common.cache);
        let lookup = lookup(&query, name, asked.prefetch);
        let name = lookup.name.clone();
        let outcome = self.resolver.answer(lookup).await;
        self.common
            .lease
            .store(moment.now.saturating_add(LEASE), Ordering::Relaxed);
        if asked.prefetch {
            return None;
        }
        let contents = match &outcome {
            Ok(answer) => of_answer(answer),
            Err(failure) => of_failure(failure),
        };
        let reply = reply::compose(
            &query,
            &contents,
            limit(&query, asked.profile, asked.stream),
        );
        if let Ok(answer) = &outcome
            && !reply.truncated
            && asked.profile == Profile::STUB
            && answer.is_from_cache()
            && contents.extended_error.is_none()
            && may_be_copied(&query)
            && self.resolver.may_be_copied(&name)
        {
            let mut table = self
                .common
                .table
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            table.put(&query, &reply.message, contents.authentic, moment);
        }
        Some(reply.finish(&query, asked.profile.size()))
    }

    async fn bypass(&self, query: &Query<'_>, name: Name, asked: &Asked<'_>) -> Vec<u8> {
        let question = Question {
            name,
            class: DNSClass::from(query.class),
            rtype: RecordType::from(query.rtype),
        };
        let disabled = query.has(bit::CHECKING_DISABLED);
        let outcome = self
            .resolver
            .bypass(question, query.dnssec_ok(), disabled)
            .await;
        let contents = match &outcome {
            Ok(response) => of_response(response),
            Err(failure) => of_failure(failure),
        };
        let reply = reply::compose(query, &contents, limit(query, asked.profile, asked.stream));
        reply.finish(query, asked.profile.size())
    }
}

/// The longest reply that the client takes.
pub(super) fn limit(query: &Query<'_>, profile: Profile, stream: bool) -> usize {
    /// RFC 1035, 4.2.1
    const PLAIN: u16 = 512;
    if stream {
        return usize::from(u16::MAX);
    }
    let size = query.edns.map_or(PLAIN, |edns| edns.size);
    usize::from(size.min(profile.size()))
}

fn lookup(query: &Query<'_>, name: Name, prefetch: bool) -> Lookup {
    let mut flags = Flags::PROTOCOLS | Flags::NO_SEARCH;
    flags.set(Flags::NO_VALIDATE, query.has(bit::CHECKING_DISABLED));
    flags.set(Flags::NO_CACHE, prefetch);
    Lookup {
        name,
        // Any class is this one: there is no other ([`rules`]).
        class: DNSClass::IN,
        types: vec![RecordType::from(query.rtype)],
        ifindex: 0,
        flags,
        dnssec_ok: query.dnssec_ok(),
    }
}

fn records<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<&'a Record> {
    records.into_iter().collect()
}

fn of_answer(answer: &Answer) -> Contents<'_> {
    let stale = match answer.rcode {
        _ if !answer.stale => None,
        ResponseCode::NXDomain => Some(remark::STALE_NXDOMAIN),
        _ => Some(remark::STALE),
    };
    Contents {
        rcode: answer.rcode,
        authentic: answer.flags.contains(Flags::AUTHENTICATED),
        authoritative: answer.flags.contains(Flags::SYNTHETIC),
        answers: records(answer.records.iter().map(|found| &found.record)),
        authorities: records(&answer.authorities),
        additionals: Vec::new(),
        extended_error: stale
            .map(without_text)
            .or_else(|| answer.extended_error.clone()),
    }
}

fn of_response(response: &Response) -> Contents<'_> {
    Contents {
        rcode: response.rcode,
        authentic: response.proof.is_secure(),
        authoritative: false,
        answers: records(&response.answers),
        authorities: records(&response.authorities),
        additionals: records(response.additionals.iter().filter(|record| {
            // It is between two servers, not part of what is told.
            record.record_type() != RecordType::OPT
        })),
        extended_error: response.extended_error.clone(),
    }
}

const fn without_text(code: u16) -> ExtendedError {
    ExtendedError {
        code,
        text: String::new(),
    }
}

fn of_failure(failure: &Failure) -> Contents<'static> {
    let (rcode, remark) = match failure {
        Failure::Rcode(rcode, remark) => (*rcode, remark.clone()),
        Failure::NoSuchRecord => (ResponseCode::NoError, None),
        Failure::DnssecFailed(fault, remark) => {
            let ours = || ExtendedError {
                code: remark::BOGUS,
                text: fault.as_str().to_owned(),
            };
            (
                ResponseCode::ServFail,
                Some(remark.clone().unwrap_or_else(ours)),
            )
        }
        Failure::TimedOut | Failure::MaxAttempts => (
            ResponseCode::ServFail,
            Some(without_text(remark::NO_REACHABLE_AUTHORITY)),
        ),
        Failure::NetworkDown => (ResponseCode::ServFail, Some(without_text(remark::NETWORK))),
        Failure::InvalidReply => (
            ResponseCode::ServFail,
            Some(without_text(remark::INVALID_DATA)),
        ),
        Failure::Refused => (
            ResponseCode::Refused,
            Some(without_text(remark::PROHIBITED)),
        ),
        // Names that no server is for: systemd's stub says so too.
        Failure::NoNameServers
        | Failure::NoSource
        | Failure::NoTrustAnchor
        | Failure::TypeObsolete
        | Failure::TypeInvalidForQuery
        | Failure::ZoneTransferNotPermitted => (ResponseCode::Refused, None),
        Failure::RecordTypeUnsupported => (ResponseCode::NotImp, None),
        _ => (ResponseCode::ServFail, None),
    };
    Contents {
        extended_error: remark,
        ..Contents::code(rcode)
    }
}
