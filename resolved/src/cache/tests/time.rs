//! How long things are kept.

use super::*;

#[test]
fn an_rrset_ends_with_its_first_record() {
    let cache = Cache::new(1 << 20);
    let asked = question("web.test", RecordType::A);
    let said = positive(vec![a("web.test", 60, 1), a("web.test", 20, 2)]);
    cache.put(GLOBAL, &asked, &said, POLICY, at(0));
    let found = cache
        .get(GLOBAL, &asked, PLAIN, at(5))
        .unwrap()
        .outcome
        .unwrap();
    // RFC 2181, 5.2: one TTL for all.
    assert!(found.answers.iter().all(|record| record.ttl == 15));
    assert!(cache.get(GLOBAL, &asked, PLAIN, at(19)).is_some());
    assert!(cache.get(GLOBAL, &asked, PLAIN, at(20)).is_none());
}

#[test]
fn two_hours_are_the_most_and_zero_is_nothing() {
    let cache = Cache::new(1 << 20);
    let asked = question("web.test", RecordType::A);
    let put = |ttl| {
        cache.put(
            GLOBAL,
            &asked,
            &positive(vec![a("web.test", ttl, 1)]),
            POLICY,
            at(0),
        )
    };
    put(1_000_000);
    let found = cache
        .get(GLOBAL, &asked, PLAIN, at(0))
        .unwrap()
        .outcome
        .unwrap();
    assert_eq!(found.answers[0].ttl, 7200);
    assert!(cache.get(GLOBAL, &asked, PLAIN, at(7200)).is_none());
    // What was known before is no longer true then.
    put(0);
    assert!(cache.get(GLOBAL, &asked, PLAIN, at(0)).is_none());
    put(u32::MAX);
    assert_eq!(cache.statistics().size, 0);
}

#[test]
fn stale_answers_stand_in_when_nothing_else_is_to_be_had() {
    let cache = Cache::new(1 << 20);
    let policy = Policy {
        stale_retention: Duration::from_secs(100),
        ..POLICY
    };
    let asked = question("web.test", RecordType::A);
    cache.put(
        GLOBAL,
        &asked,
        &positive(vec![a("web.test", 60, 1)]),
        policy,
        at(0),
    );
    let gone = response(ResponseCode::NXDomain, vec![], vec![soa("test", 60, 60)]);
    cache.put(
        GLOBAL,
        &question("no.test", RecordType::A),
        &gone,
        policy,
        at(0),
    );
    let nodata = response(ResponseCode::NoError, vec![], vec![soa("test", 60, 60)]);
    cache.put(
        GLOBAL,
        &question("web.test", RecordType::AAAA),
        &nodata,
        policy,
        at(0),
    );

    assert!(
        !ask(&cache, "web.test", RecordType::A, STALE, at(59))
            .unwrap()
            .stale
    );
    assert!(ask(&cache, "web.test", RecordType::A, PLAIN, at(60)).is_none());
    let failed = Failure::Rcode(ResponseCode::ServFail, None);
    cache.put_failure(GLOBAL, &asked, &failed, at(60));
    assert_eq!(
        cache
            .get(GLOBAL, &asked, PLAIN, at(61))
            .unwrap()
            .outcome
            .unwrap_err(),
        failed
    );
    let found = ask(&cache, "web.test", RecordType::A, STALE, at(61)).unwrap();
    assert!(found.stale);
    assert_eq!(found.answers[0].ttl, STALE_TTL);
    assert!(
        ask(&cache, "web.test", RecordType::AAAA, STALE, at(61))
            .unwrap()
            .stale
    );
    // Never that there is no such name.
    assert!(ask(&cache, "no.test", RecordType::A, STALE, at(61)).is_none());
    assert!(ask(&cache, "web.test", RecordType::A, STALE, at(160)).is_none());
}

#[test]
fn a_failure_lasts_ten_seconds() {
    let cache = Cache::new(1 << 20);
    let asked = question("bad.test", RecordType::A);
    let failed = Failure::Rcode(ResponseCode::ServFail, None);
    cache.put_failure(GLOBAL, &asked, &failed, at(0));
    assert_eq!(
        cache
            .get(GLOBAL, &asked, PLAIN, at(9))
            .unwrap()
            .outcome
            .unwrap_err(),
        failed
    );
    assert!(cache.get(GLOBAL, &asked, PLAIN, at(10)).is_none());
    cache.put_failure(GLOBAL, &asked, &failed, at(20));
    cache.put(
        GLOBAL,
        &asked,
        &positive(vec![a("bad.test", 60, 1)]),
        POLICY,
        at(21),
    );
    assert!(
        cache
            .get(GLOBAL, &asked, PLAIN, at(22))
            .unwrap()
            .outcome
            .is_ok()
    );
}

#[test]
fn what_is_asked_often_is_fetched_before_it_ends() {
    let cache = Cache::new(1 << 20);
    let asked = question("hot.test", RecordType::A);
    let wants = |now| cache.get(GLOBAL, &asked, PLAIN, now).unwrap().prefetch;
    cache.put(
        GLOBAL,
        &asked,
        &positive(vec![a("hot.test", 100, 1)]),
        POLICY,
        at(0),
    );
    assert!(!wants(at(1)) && !wants(at(2)) && !wants(at(3)) && !wants(at(90)));
    assert!(wants(at(91)));
    assert!(!wants(at(92)), "once");
    cache.put(
        GLOBAL,
        &asked,
        &positive(vec![a("hot.test", 100, 1)]),
        POLICY,
        at(95),
    );
    assert!(!wants(at(190)), "asked only once since");
}
