//! How much memory it takes, and what goes first.

use super::*;
use hickory_proto::rr::rdata::AAAA;

fn aaaa(owner: &str) -> Record {
    Record::from_rdata(
        named(owner),
        3600,
        RData::AAAA(AAAA("2001:db8::1".parse().unwrap())),
    )
}

#[test]
fn ten_thousand_names_are_kept() {
    const NAMES: usize = 10_000;
    let cache = Cache::new(16 << 20);
    for number in 0..NAMES {
        let name = format!("host-{number}.department.example");
        let said = positive(vec![a(&name, 3600, 1)]);
        cache.put(
            GLOBAL,
            &question(&name, RecordType::A),
            &said,
            POLICY,
            at(0),
        );
        let said = positive(vec![aaaa(&name)]);
        cache.put(
            GLOBAL,
            &question(&name, RecordType::AAAA),
            &said,
            POLICY,
            at(0),
        );
    }
    assert_eq!(cache.statistics().size, 2 * NAMES as u64);
    assert!(cache.bytes() < 9 << 20, "{} bytes", cache.bytes());
    for number in 0..NAMES {
        let name = format!("host-{number}.department.example");
        assert!(ask(&cache, &name, RecordType::A, PLAIN, at(1)).is_some());
    }
    assert_eq!(cache.statistics().misses, 0);
}

#[test]
fn a_smaller_budget_holds_at_once() {
    let cache = Cache::new(1 << 20);
    let put = |number: u32| {
        let name = format!("n{number}.test");
        let said = positive(vec![a(&name, 3600, 1)]);
        let asked = question(&name, RecordType::A);
        cache.put(GLOBAL, &asked, &said, POLICY, at(0));
    };
    let knows = |number: u32| {
        let name = format!("n{number}.test");
        ask(&cache, &name, RecordType::A, PLAIN, at(0)).is_some()
    };
    (0..100).for_each(put);
    let half = cache.bytes() / 2;
    cache.set_limit(half);
    assert!(cache.bytes() <= half && cache.statistics().size >= 49);
    assert!(knows(99) && !knows(0));
    // None at all.
    cache.set_limit(0);
    assert_eq!((cache.bytes(), cache.statistics().size), (0, 0));
    put(100);
    assert!(!knows(99) && !knows(100));
    cache.set_limit(1 << 20);
    put(100);
    assert!(knows(100));
}

#[test]
fn what_nobody_asked_for_goes_first() {
    let cache = Cache::new(20_000);
    let put = |number: u32, ttl| {
        let name = format!("n{number}.test");
        let said = positive(vec![a(&name, ttl, 1)]);
        cache.put(
            GLOBAL,
            &question(&name, RecordType::A),
            &said,
            POLICY,
            at(0),
        );
    };
    put(0, 3600);
    for number in 1..1000 {
        put(number, 3600);
        assert!(ask(&cache, "n0.test", RecordType::A, PLAIN, at(0)).is_some());
        assert!(cache.bytes() <= 20_000);
    }
    assert!(ask(&cache, "n999.test", RecordType::A, PLAIN, at(0)).is_some());
    assert!(ask(&cache, "n1.test", RecordType::A, PLAIN, at(0)).is_none());
}

#[test]
fn what_has_expired_goes_before_that() {
    let cache = Cache::new(20_000);
    let put = |number: u32, ttl, now| {
        let name = format!("n{number}.test");
        let said = positive(vec![a(&name, ttl, 1)]);
        cache.put(GLOBAL, &question(&name, RecordType::A), &said, POLICY, now);
    };
    put(0, 3600, at(0));
    let mut number = 0;
    while cache.bytes() + 500 < 20_000 {
        number += 1;
        put(number, 10, at(0));
    }
    // The oldest of all, and the only one that still holds.
    for more in 1..10 {
        put(number + more, 3600, at(60));
    }
    assert!(ask(&cache, "n0.test", RecordType::A, PLAIN, at(61)).is_some());
    assert_eq!(cache.statistics().size, 10);
}

#[test]
fn what_is_larger_than_all_is_not_kept() {
    let cache = Cache::new(1000);
    let records = (0..=255).map(|last| a("web.test", 60, last)).collect();
    cache.put(
        GLOBAL,
        &question("web.test", RecordType::A),
        &positive(records),
        POLICY,
        at(0),
    );
    assert_eq!((cache.statistics().size, cache.bytes()), (0, 0));
}
