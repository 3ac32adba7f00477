//! The cache takes the memory that it says it takes. A program of its own: nothing else takes any meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::{fs, net::Ipv4Addr, time::Duration};

use hickory_proto::{
    dnssec::Proof,
    op::ResponseCode,
    rr::{RData, Record, RecordType, rdata::A},
};
use resolved::{
    cache::{Cache, Policy},
    flags::Flags,
    message::{Question, Response},
    mode::CacheMode,
    name,
    route::ScopeId,
};

/// Resident memory in bytes. proc_pid_status(5)
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.unwrap().split_whitespace().next().unwrap();
    number.parse::<usize>().unwrap() * 1024
}

fn put(cache: &Cache, number: usize) {
    let owner = name::parse(&format!("host-{number}.department.example")).unwrap();
    let data = RData::A(A(Ipv4Addr::from(u32::try_from(number).unwrap())));
    let response = Response {
        rcode: ResponseCode::NoError,
        answers: vec![Record::from_rdata(owner.clone(), 3600, data)],
        authorities: Vec::new(),
        additionals: Vec::new(),
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
        stale_retention: Duration::ZERO,
        dnssec_ok: false,
    };
    let question = Question::new(owner, RecordType::A);
    cache.put(
        ScopeId::Global,
        &question,
        &response,
        policy,
        Duration::ZERO,
    );
}

#[test]
fn it_takes_what_it_says() {
    const LIMIT: usize = 16 << 20;
    /// Of the allocator's, and what a table takes while it grows.
    const BESIDE: usize = 3 << 20;
    let cache = Cache::new(LIMIT);
    let before = resident();
    for number in 0..20_000 {
        put(&cache, number);
    }
    assert_eq!(cache.statistics().size, 20_000);
    let taken = resident() - before;
    assert!(
        taken < cache.bytes() + BESIDE,
        "{taken}, said: {}",
        cache.bytes()
    );
    // It stays at that, however much passes through.
    for number in 20_000..300_000 {
        put(&cache, number);
    }
    assert!(cache.bytes() <= LIMIT);
    let taken = resident() - before;
    assert!(taken < LIMIT + BESIDE, "{taken}");
}
