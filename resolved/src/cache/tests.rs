//! Tests of the cache as a whole.

mod budget;
mod kinds;
mod model;
mod time;

use std::{net::Ipv4Addr, time::Duration};

use hickory_proto::{
    dnssec::Proof,
    op::ResponseCode,
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, CNAME, SOA},
    },
};

use super::*;
use crate::{flags::Flags, name};

const POLICY: Policy = Policy {
    mode: CacheMode::Yes,
    stale_retention: Duration::ZERO,
    dnssec_ok: false,
};
const PLAIN: Need = Need {
    dnssec_ok: false,
    stale: false,
};
const STALE: Need = Need {
    dnssec_ok: false,
    stale: true,
};
const GLOBAL: ScopeId = ScopeId::Global;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(1000 + seconds)
}

fn named(text: &str) -> Name {
    name::parse(text).unwrap()
}

fn question(text: &str, rtype: RecordType) -> Question {
    Question::new(named(text), rtype)
}

fn a(owner: &str, ttl: u32, last: u8) -> Record {
    Record::from_rdata(
        named(owner),
        ttl,
        RData::A(A(Ipv4Addr::new(192, 0, 2, last))),
    )
}

fn cname(owner: &str, ttl: u32, target: &str) -> Record {
    Record::from_rdata(named(owner), ttl, RData::CNAME(CNAME(named(target))))
}

fn soa(zone: &str, ttl: u32, minimum: u32) -> Record {
    let soa = SOA::new(named("ns.test"), named("admin.test"), 1, 2, 3, 4, minimum);
    Record::from_rdata(named(zone), ttl, RData::SOA(soa))
}

fn response(rcode: ResponseCode, answers: Vec<Record>, authorities: Vec<Record>) -> Response {
    Response {
        rcode,
        answers,
        authorities,
        additionals: vec![a("additional.test", 3600, 66)],
        proof: Proof::Indeterminate,
        confidential: false,
        source: Flags::DNS | Flags::FROM_NETWORK,
        ifindex: 7,
        from_localhost: false,
        stale: false,
        extended_error: None,
    }
}

fn positive(answers: Vec<Record>) -> Response {
    response(ResponseCode::NoError, answers, Vec::new())
}

/// What the cache says in the global scope.
fn ask(
    cache: &Cache,
    text: &str,
    rtype: RecordType,
    need: Need,
    now: Duration,
) -> Option<Response> {
    let hit = cache.get(GLOBAL, &question(text, rtype), need, now)?;
    Some(hit.outcome.unwrap())
}
