//! A response of a server into the cache and out again: nothing is kept under a name outside the chain from the question,
//! and nothing longer than two hours.

#![no_main]

use std::time::Duration;

use hickory_proto::{
    dnssec::Proof,
    op::Message,
    rr::{RData, Record},
};
use libfuzzer_sys::fuzz_target;
use resolved::{
    cache::{Cache, LONGEST, Need, Policy},
    flags::Flags,
    message::{Question, Response},
    mode::CacheMode,
    route::ScopeId,
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::from_vec(bytes) else {
        return;
    };
    let Some(query) = message.queries.first() else {
        return;
    };
    let question = Question {
        name: query.name().clone(),
        class: query.query_class(),
        rtype: query.query_type(),
    };
    let response = Response {
        rcode: message.metadata.response_code,
        answers: message.answers,
        authorities: message.authorities,
        additionals: message.additionals,
        proof: Proof::Indeterminate,
        confidential: false,
        source: Flags::DNS | Flags::FROM_NETWORK,
        ifindex: 0,
        from_localhost: false,
        stale: false,
        extended_error: None,
    };
    let policy = Policy {
        mode: CacheMode::Yes,
        stale_retention: Duration::from_secs(60),
        dnssec_ok: true,
    };
    let now = Duration::from_secs(1000);
    let cache = Cache::new(1 << 16);
    cache.put(ScopeId::Global, &question, &response, policy, now);
    assert!(cache.bytes() <= 1 << 16);
    for entry in cache.dump(ScopeId::Global) {
        assert!(entry.until <= now + LONGEST);
        let is_target = |record: &Record| matches!(&record.data, RData::CNAME(target) if target.0 == entry.name);
        assert!(entry.name == question.name || response.answers.iter().any(is_target));
        for later in [0, 1, 59, 7200, 7259] {
            let asked = Question {
                name: entry.name.clone(),
                class: entry.class,
                rtype: entry.rtype,
            };
            for stale in [false, true] {
                let need = Need {
                    dnssec_ok: true,
                    stale,
                };
                let hit = cache.get(
                    ScopeId::Global,
                    &asked,
                    need,
                    now + Duration::from_secs(later),
                );
                let Some(Ok(found)) = hit.map(|hit| hit.outcome) else {
                    continue;
                };
                assert!(found.answers.iter().all(|record| record.ttl <= 7200));
            }
        }
    }
});
