//! What servers send.

use std::time::Duration;

use hickory_proto::{
    dnssec::{Proof, rdata::DNSSECRData},
    op::Message,
    rr::{DNSClass, Name, RData, Record, RecordType},
};
use resolved::{
    cache::{Cache, LONGEST, Need, Policy},
    flags::Flags,
    message::{Question, Response},
    mode::{CacheMode, DnsOverTls, Dnssec},
    name,
    route::ScopeId,
    upstream::trial::{try_datagram, try_ladder, try_proofs, try_reply},
};

/// A response of a server into the cache and out again: nothing is kept under a name outside the chain from the question,
/// and nothing longer than two hours.
pub fn cache_response(bytes: &[u8]) {
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
                let now = now + Duration::from_secs(later);
                let hit = cache.get(ScopeId::Global, &asked, need, now);
                let Some(Ok(found)) = hit.map(|hit| hit.outcome) else {
                    continue;
                };
                assert!(found.answers.iter().all(|record| record.ttl <= 7200));
            }
        }
    }
}

/// A response of a server: what is left of it belongs to the question, and would be left of what is left.
pub fn upstream_reply(bytes: &[u8]) {
    let Ok(message) = Message::from_vec(bytes) else {
        return;
    };
    let Some(believed) = try_reply(message.clone()) else {
        return;
    };
    let question = &believed.question;
    assert_eq!(believed.chain.first(), Some(&question.name));
    assert!(believed.chain.len() <= 17);
    for record in believed.answers.iter().chain(&believed.authorities) {
        assert!(record.dns_class == question.class && record.ttl <= i32::MAX as u32);
    }
    for record in &believed.answers {
        let is_dname = record.record_type() == RecordType::DNAME
            || matches!(&record.data, RData::DNSSEC(DNSSECRData::RRSIG(_)));
        let of_chain = |name: &Name| record.name == *name || is_dname && record.name.zone_of(name);
        assert!(believed.chain.iter().any(of_chain));
    }
    for record in &believed.authorities {
        let proves = [
            RecordType::SOA,
            RecordType::NSEC,
            RecordType::NSEC3,
            RecordType::RRSIG,
        ];
        assert!(proves.contains(&record.record_type()));
    }
    let mut again = message;
    again.answers = believed.answers.clone();
    again.authorities = believed.authorities.clone();
    let again = try_reply(again).expect("no less");
    assert_eq!(again.chain, believed.chain);
    assert_eq!(again.answers, believed.answers);
    assert_eq!(again.authorities, believed.authorities);
}

/// A datagram after a question: what is taken for the answer has its id, and its name in its own spelling.
pub fn upstream_datagram(bytes: &[u8]) {
    const ID: u16 = 0x1234;
    let name = name::parse("wWw.Example.com").unwrap();
    let question = Question::new(name, RecordType::A);
    let Some(message) = try_datagram(&question, ID, bytes) else {
        return;
    };
    assert_eq!(message.metadata.id, ID);
    assert!(message.queries.len() <= 1);
    for query in &message.queries {
        assert!(query.name.eq_case(&question.name));
        assert_eq!(query.query_type, RecordType::A);
        assert_eq!(query.query_class, DNSClass::IN);
    }
}

/// Answers, losses and faults of a server: it is never asked by what the settings forbid.
pub fn upstream_ladder(bytes: &[u8]) {
    let Some((kind, steps)) = bytes.split_first() else {
        return;
    };
    let tls = [DnsOverTls::No, DnsOverTls::Opportunistic, DnsOverTls::Yes][usize::from(kind % 3)];
    let dnssec = [Dnssec::No, Dnssec::AllowDowngrade, Dnssec::Yes][usize::from(kind / 3 % 3)];
    for rung in try_ladder(tls, dnssec, steps) {
        match tls {
            DnsOverTls::No => assert!(!rung.starts_with("TLS")),
            DnsOverTls::Opportunistic => {}
            DnsOverTls::Yes => assert!(rung.starts_with("TLS")),
        }
        match dnssec {
            Dnssec::No => assert!(!rung.ends_with("DO")),
            Dnssec::AllowDowngrade => {}
            Dnssec::Yes => assert!(rung.ends_with("DO")),
        }
    }
}

/// NSEC, NSEC3, RRSIG and DNSKEY of a response: what is there is not proven away, and what costs too much proves nothing.
pub fn dnssec_proofs(bytes: &[u8]) {
    let Ok(message) = Message::from_vec(bytes) else {
        return;
    };
    let Some(query) = message.queries.first() else {
        return;
    };
    let zone = query.name.base_name();
    let Some(proofs) = try_proofs(&message, &zone, 1_700_000_000) else {
        return;
    };
    assert!(proofs.signed <= 64);
    let mut nsecs = Vec::new();
    let mut costs = Vec::new();
    for record in &message.authorities {
        match &record.data {
            RData::DNSSEC(DNSSECRData::NSEC(nsec)) => nsecs.push((&record.name, nsec)),
            RData::DNSSEC(DNSSECRData::NSEC3(nsec3)) => costs.push(nsec3.iterations()),
            _ => {}
        }
    }
    if nsecs.is_empty() && costs.is_empty() {
        assert!(!proofs.no_name && !proofs.no_data);
    }
    // Several could contradict each other: then nobody knows what is true.
    if let ([(owner, nsec)], []) = (nsecs.as_slice(), costs.as_slice())
        && **owner == query.name
    {
        assert!(!proofs.no_name);
        assert!(!(proofs.no_data && nsec.type_set().contains(query.query_type)));
    }
    if !costs.is_empty() && costs.iter().all(|iterations| *iterations > 100) {
        assert!(!proofs.no_name && !proofs.no_data);
    }
}
