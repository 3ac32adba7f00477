//! What of a response is kept, and under what.

use super::*;

#[test]
fn an_answer_comes_back() {
    let cache = Cache::new(1 << 20);
    let asked = question("Web.Test", RecordType::A);
    let records = vec![a("web.test", 60, 1), a("web.test", 60, 2)];
    cache.put(GLOBAL, &asked, &positive(records), POLICY, at(0));
    let hit = cache.get(GLOBAL, &asked, PLAIN, at(10)).unwrap();
    assert!(!hit.prefetch);
    let found = hit.outcome.unwrap();
    assert_eq!(found.answers.len(), 2);
    assert!(found.answers.iter().all(|record| record.ttl == 50));
    assert_eq!(found.source, Flags::DNS | Flags::FROM_CACHE);
    assert_eq!(found.ifindex, 7);
    assert!(!found.stale && found.additionals.is_empty());
    // As the question spells it: clients compare so (draft-vixie-dnsext-dns0x20).
    assert!(found.answers[0].name.eq_case(&asked.name));
    assert!(ask(&cache, "WEB.test", RecordType::A, PLAIN, at(10)).is_some());
    assert!(ask(&cache, "web.test", RecordType::AAAA, PLAIN, at(10)).is_none());
    assert!(cache.get(ScopeId::Link(3), &asked, PLAIN, at(10)).is_none());
    let expected = CacheStatistics {
        size: 1,
        hits: 2,
        misses: 2,
    };
    assert_eq!(cache.statistics(), expected);
}

#[test]
fn a_chain_is_kept_link_by_link() {
    let cache = Cache::new(1 << 20);
    let records = vec![
        cname("www.test", 100, "web.test"),
        a("web.test", 50, 1),
        a("victim.test", 3600, 66),
    ];
    let asked = question("www.test", RecordType::A);
    cache.put(GLOBAL, &asked, &positive(records), POLICY, at(0));
    for rtype in [RecordType::A, RecordType::MX, RecordType::CNAME] {
        let found = ask(&cache, "www.test", rtype, PLAIN, at(0)).unwrap();
        assert_eq!(found.answers, [cname("www.test", 100, "web.test")]);
    }
    assert_eq!(
        ask(&cache, "web.test", RecordType::A, PLAIN, at(0))
            .unwrap()
            .answers
            .len(),
        1
    );
    // Neither what stood beside the chain nor the additional section.
    for name in ["victim.test", "additional.test"] {
        assert!(ask(&cache, name, RecordType::A, PLAIN, at(0)).is_none());
    }
}

#[test]
fn a_chain_may_end_in_nothing() {
    let cache = Cache::new(1 << 20);
    let said = response(
        ResponseCode::NXDomain,
        vec![cname("www.test", 100, "gone.test")],
        vec![soa("test", 900, 30)],
    );
    cache.put(
        GLOBAL,
        &question("www.test", RecordType::A),
        &said,
        POLICY,
        at(0),
    );
    let link = ask(&cache, "www.test", RecordType::A, PLAIN, at(0)).unwrap();
    assert_eq!(link.rcode, ResponseCode::NoError);
    let gone = ask(&cache, "gone.test", RecordType::TXT, PLAIN, at(0)).unwrap();
    assert_eq!(gone.rcode, ResponseCode::NXDomain);
    assert_eq!(gone.authorities.len(), 1);
    assert_eq!(gone.authorities[0].ttl, 30);
}

#[test]
fn a_loop_is_not_kept() {
    let cache = Cache::new(1 << 20);
    let records = vec![
        cname("a.test", 100, "b.test"),
        cname("b.test", 100, "a.test"),
    ];
    cache.put(
        GLOBAL,
        &question("a.test", RecordType::A),
        &positive(records),
        POLICY,
        at(0),
    );
    assert_eq!(cache.statistics().size, 0);
}

#[test]
fn nothing_of_a_type_and_no_such_name() {
    let cache = Cache::new(1 << 20);
    let nodata = response(ResponseCode::NoError, vec![], vec![soa("test", 20, 900)]);
    cache.put(
        GLOBAL,
        &question("v4.test", RecordType::AAAA),
        &nodata,
        POLICY,
        at(0),
    );
    let found = ask(&cache, "v4.test", RecordType::AAAA, PLAIN, at(5)).unwrap();
    assert_eq!(
        (found.rcode, found.answers.len()),
        (ResponseCode::NoError, 0)
    );
    assert_eq!(found.authorities[0].ttl, 15);
    assert!(ask(&cache, "v4.test", RecordType::A, PLAIN, at(5)).is_none());

    let nxdomain = response(ResponseCode::NXDomain, vec![], vec![soa("test", 20, 900)]);
    cache.put(
        GLOBAL,
        &question("no.test", RecordType::A),
        &nxdomain,
        POLICY,
        at(0),
    );
    for rtype in [RecordType::A, RecordType::AAAA, RecordType::MX] {
        let found = ask(&cache, "no.test", rtype, PLAIN, at(5)).unwrap();
        assert_eq!(found.rcode, ResponseCode::NXDomain);
    }
    // It appears.
    cache.put(
        GLOBAL,
        &question("no.test", RecordType::A),
        &positive(vec![a("no.test", 60, 1)]),
        POLICY,
        at(6),
    );
    assert_eq!(
        ask(&cache, "no.test", RecordType::A, PLAIN, at(6))
            .unwrap()
            .answers
            .len(),
        1
    );
    assert!(ask(&cache, "no.test", RecordType::MX, PLAIN, at(6)).is_none());
    // And goes again.
    cache.put(
        GLOBAL,
        &question("no.test", RecordType::MX),
        &nxdomain,
        POLICY,
        at(7),
    );
    let found = ask(&cache, "no.test", RecordType::A, PLAIN, at(7)).unwrap();
    assert_eq!(found.rcode, ResponseCode::NXDomain);
}

#[test]
fn absence_needs_an_soa_from_above() {
    let cache = Cache::new(1 << 20);
    for authorities in [
        vec![],
        vec![soa("other", 20, 900)],
        vec![soa("sub.no.test", 20, 900)],
    ] {
        let said = response(ResponseCode::NXDomain, vec![], authorities);
        cache.put(
            GLOBAL,
            &question("no.test", RecordType::A),
            &said,
            POLICY,
            at(0),
        );
    }
    assert_eq!(cache.statistics().size, 0);
}

#[test]
fn modes() {
    let cache = Cache::new(1 << 20);
    let nodata = response(ResponseCode::NoError, vec![], vec![soa("test", 20, 900)]);
    let found = positive(vec![a("web.test", 60, 1)]);
    let with = |mode| Policy { mode, ..POLICY };
    let (one, other) = (
        question("web.test", RecordType::A),
        question("web.test", RecordType::MX),
    );
    cache.put(GLOBAL, &one, &found, with(CacheMode::No), at(0));
    assert_eq!(cache.statistics().size, 0);
    cache.put(GLOBAL, &one, &found, with(CacheMode::NoNegative), at(0));
    cache.put(GLOBAL, &other, &nodata, with(CacheMode::NoNegative), at(0));
    assert_eq!(cache.statistics().size, 1);
}

#[test]
fn what_is_bogus_or_no_rrset_is_not_kept() {
    let cache = Cache::new(1 << 20);
    let mut said = positive(vec![a("web.test", 60, 1)]);
    for rtype in [RecordType::ANY, RecordType::RRSIG] {
        cache.put(GLOBAL, &question("web.test", rtype), &said, POLICY, at(0));
    }
    said.proof = Proof::Bogus;
    cache.put(
        GLOBAL,
        &question("web.test", RecordType::A),
        &said,
        POLICY,
        at(0),
    );
    assert_eq!(cache.statistics().size, 0);
}

#[test]
fn signatures_are_given_to_who_wants_them() {
    let cache = Cache::new(1 << 20);
    let asked = question("web.test", RecordType::A);
    let want = Need {
        dnssec_ok: true,
        stale: false,
    };
    cache.put(
        GLOBAL,
        &asked,
        &positive(vec![a("web.test", 60, 1)]),
        POLICY,
        at(0),
    );
    assert!(cache.get(GLOBAL, &asked, want, at(0)).is_none());
    let signed = Policy {
        dnssec_ok: true,
        ..POLICY
    };
    let mut said = positive(vec![
        a("web.test", 60, 1),
        signature("web.test", RecordType::A, 60),
    ]);
    said.proof = Proof::Secure;
    cache.put(GLOBAL, &asked, &said, signed, at(0));
    let with = cache
        .get(GLOBAL, &asked, want, at(0))
        .unwrap()
        .outcome
        .unwrap();
    assert_eq!(with.answers.len(), 2);
    assert_eq!(
        (with.proof, with.answers[0].proof),
        (Proof::Secure, Proof::Secure)
    );
    let without = cache
        .get(GLOBAL, &asked, PLAIN, at(0))
        .unwrap()
        .outcome
        .unwrap();
    assert_eq!(without.answers.len(), 1);
}

fn signature(owner: &str, covered: RecordType, ttl: u32) -> Record {
    use hickory_proto::dnssec::{
        Algorithm,
        rdata::{DNSSECRData, RRSIG, SigInput},
    };
    let input = SigInput {
        type_covered: covered,
        algorithm: Algorithm::ED25519,
        num_labels: 2,
        original_ttl: ttl,
        sig_expiration: 0.into(),
        sig_inception: 0.into(),
        key_tag: 1,
        signer_name: named("test"),
    };
    let data = DNSSECRData::RRSIG(RRSIG::from_sig(input, vec![0; 64]));
    Record::from_rdata(named(owner), ttl, RData::DNSSEC(data))
}

#[test]
fn flushing() {
    let cache = Cache::new(1 << 20);
    let fill = || {
        for name in ["a.test", "b.test"] {
            for scope in [GLOBAL, ScopeId::Link(2)] {
                let said = positive(vec![a(name, 60, 1)]);
                cache.put(scope, &question(name, RecordType::A), &said, POLICY, at(0));
            }
        }
    };
    fill();
    let shared = cache.shared();
    let first = shared.generation();
    cache.flush_name(&named("A.test"));
    assert_eq!(cache.statistics().size, 2);
    assert_ne!(shared.generation(), first);
    fill();
    cache.flush_scope(GLOBAL);
    assert_eq!(cache.statistics().size, 2);
    assert_eq!(cache.dump(GLOBAL).len(), 0);
    assert_eq!(cache.dump(ScopeId::Link(2)).len(), 2);
    cache.flush();
    assert_eq!((cache.statistics().size, cache.bytes()), (0, 0));
}

#[test]
fn a_dump_tells_what_there_is() {
    let cache = Cache::new(1 << 20);
    let said = positive(vec![a("web.test", 60, 1)]);
    cache.put(
        GLOBAL,
        &question("Web.test", RecordType::A),
        &said,
        POLICY,
        at(0),
    );
    let gone = response(ResponseCode::NXDomain, vec![], vec![soa("test", 20, 900)]);
    cache.put(
        GLOBAL,
        &question("no.test", RecordType::A),
        &gone,
        POLICY,
        at(0),
    );
    let failed = Failure::Rcode(ResponseCode::ServFail, None);
    cache.put_failure(GLOBAL, &question("bad.test", RecordType::A), &failed, at(0));
    let mut dump = cache.dump(GLOBAL);
    dump.sort_by_key(|entry| entry.name.clone());
    let told: Vec<_> = dump
        .iter()
        .map(|entry| {
            (
                name::format(&entry.name),
                entry.kind,
                entry.rtype,
                entry.until,
            )
        })
        .collect();
    let expected = [
        (
            "bad.test".to_owned(),
            DumpKind::Failure,
            RecordType::A,
            at(10),
        ),
        (
            "no.test".to_owned(),
            DumpKind::NxDomain,
            RecordType::ANY,
            at(20),
        ),
        (
            "web.test".to_owned(),
            DumpKind::Records,
            RecordType::A,
            at(60),
        ),
    ];
    assert_eq!(told, expected);
    assert_eq!(dump[2].records, [a("web.test", 60, 1)]);
}
