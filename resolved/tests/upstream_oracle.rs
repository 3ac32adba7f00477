//! The same zones to our validator and to hickory's: where both have an opinion, they agree; and where hickory's has none
//! that a stub resolver could use, it is said here (docs/decisions.md).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod upstream_support;
#[path = "upstream_support/zones.rs"]
mod zones;

use std::{net::SocketAddr, sync::Arc};

use hickory_net::{
    DnsError, NetError,
    dnssec::DnssecDnsHandle,
    runtime::TokioRuntimeProvider,
    udp::UdpClientStream,
    xfer::{DnsHandle, FirstAnswer},
};
use hickory_proto::{
    dnssec::{Proof, TrustAnchors, rdata::DNSSECRData},
    op::{DnsRequestOptions, Query},
    rr::RecordType,
};
use resolved::{
    failure::Failure,
    message::Question,
    mode::Dnssec,
    upstream::{Ask, Settings, Upstream},
};
use upstream_support::*;
use zones::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opinion {
    Secure,
    Insecure,
    Bogus,
}

fn of(proofs: impl Iterator<Item = Proof>) -> Opinion {
    proofs.fold(Opinion::Secure, |whole, proof| match (whole, proof) {
        (_, Proof::Bogus | Proof::Indeterminate) | (Opinion::Bogus, _) => Opinion::Bogus,
        (_, Proof::Insecure) | (Opinion::Insecure, _) => Opinion::Insecure,
        (Opinion::Secure, Proof::Secure) => Opinion::Secure,
    })
}

async fn hickorys(server: SocketAddr, world: &World, name: &str, rtype: RecordType) -> Opinion {
    let exchange = UdpClientStream::builder(server, TokioRuntimeProvider::new()).exchange();
    let mut anchors = TrustAnchors::empty();
    let DNSSECRData::DNSKEY(key) = world.zone(".").key_anchor().data else {
        unreachable!()
    };
    anchors.insert(key.public_key());
    let handle = DnssecDnsHandle::with_trust_anchor(exchange, Arc::new(anchors));
    let answer = handle
        .lookup(Query::query(n(name), rtype), DnsRequestOptions::default())
        .first_answer()
        .await;
    match answer {
        Ok(message) => of(message
            .answers
            .iter()
            .chain(&message.authorities)
            .filter(|record| record.record_type() != RecordType::RRSIG)
            .map(|record| record.proof)),
        Err(NetError::Dns(DnsError::Nsec { proof, .. })) => of(std::iter::once(proof)),
        Err(error) => panic!("{name}: {error}"),
    }
}

async fn ours(fake: &Fake, world: &World, name: &str, rtype: RecordType) -> Opinion {
    let upstream = Upstream::new(Settings {
        servers: vec![fake.server()],
        dnssec: Dnssec::Yes,
        trust_anchors: vec![world.zone(".").anchor()],
        ..Settings::default()
    });
    let ask = Ask {
        validate: true,
        ..Ask::default()
    };
    match upstream.query(&Question::new(n(name), rtype), ask).await {
        Ok(response) => of(std::iter::once(response.proof)),
        Err(Failure::DnssecFailed(..)) => Opinion::Bogus,
        Err(failure) => panic!("{name}: {failure}"),
    }
}

fn world(denial: Denial) -> World {
    let mut late = Zone::signed("late.test", denial).with(a(&n("www.late.test"), TRUTH));
    late.expiration = -60;
    let mut forged = Zone::signed("forged.test", denial).with(a(&n("www.forged.test"), TRUTH));
    forged.ds = Zone::signed("forged.test", denial).ds;
    World::new(vec![
        Zone::signed(".", denial),
        Zone::signed("test", denial),
        Zone::signed("good.test", denial)
            .with(a(&n("www.good.test"), TRUTH))
            .with(a(&n("b.c.good.test"), TRUTH))
            .with(a(&n("*.wild.good.test"), TRUTH))
            .with(cname(&n("away.good.test"), "www.other.test")),
        Zone::signed("other.test", denial).with(a(&n("www.other.test"), TRUTH)),
        Zone::unsigned("plain.test").with(a(&n("www.plain.test"), TRUTH)),
        late,
        forged,
    ])
}

#[tokio::test]
async fn both_agree() {
    use RecordType as T;
    for denial in [Denial::Nsec, NSEC3] {
        let world = world(denial);
        let fake = world
            .clone()
            .serve(|asked, message| {
                if asked.name() == n("stripped.good.test") || asked.name() == n("b.c.good.test") {
                    strip(message);
                }
            })
            .await;
        for (name, rtype, expected) in [
            ("www.good.test", T::A, Opinion::Secure),
            ("www.good.test", T::AAAA, Opinion::Secure),
            ("c.good.test", T::A, Opinion::Secure),
            ("x.wild.good.test", T::AAAA, Opinion::Secure),
            ("nothing.good.test", T::A, Opinion::Secure),
            ("x.y.nothing.good.test", T::A, Opinion::Secure),
            ("good.test", T::DNSKEY, Opinion::Secure),
            ("good.test", T::DS, Opinion::Secure),
            ("plain.test", T::DS, Opinion::Secure),
            ("away.good.test", T::A, Opinion::Secure),
            ("www.plain.test", T::A, Opinion::Insecure),
            ("nothing.plain.test", T::A, Opinion::Insecure),
            ("www.late.test", T::A, Opinion::Bogus),
            ("www.forged.test", T::A, Opinion::Bogus),
            ("b.c.good.test", T::A, Opinion::Bogus),
            ("stripped.good.test", T::A, Opinion::Bogus),
        ] {
            let theirs = hickorys(fake.address, &world, name, rtype).await;
            let ours = ours(&fake, &world, name, rtype).await;
            assert_eq!((theirs, ours), (expected, expected), "{name} {rtype}");
        }
    }
}

/// Why theirs is not used: an alias whose end is in another zone and has no such record, which is every AAAA of a host
/// behind an IPv4-only CDN.
#[tokio::test]
async fn a_chain_across_zones_that_ends_in_nothing() {
    let world = world(Denial::Nsec);
    let fake = world.clone().serve(|_, _| {}).await;
    let theirs = hickorys(fake.address, &world, "away.good.test", RecordType::AAAA).await;
    let ours = ours(&fake, &world, "away.good.test", RecordType::AAAA).await;
    assert_eq!((theirs, ours), (Opinion::Bogus, Opinion::Secure));
}

/// And a wildcard whose own NSEC covers the name, as NSD sends it (RFC 4035, B.6).
#[tokio::test]
async fn made_by_a_wildcard() {
    let world = world(Denial::Nsec);
    let fake = world.clone().serve(|_, _| {}).await;
    let theirs = hickorys(fake.address, &world, "x.wild.good.test", RecordType::A).await;
    let ours = ours(&fake, &world, "x.wild.good.test", RecordType::A).await;
    assert_eq!((theirs, ours), (Opinion::Bogus, Opinion::Secure));
}

/// And names that may be opted out: RFC 5155, 9.2 has them insecure.
#[tokio::test]
async fn opted_out() {
    let world = world(OPT_OUT);
    let fake = world.clone().serve(|_, _| {}).await;
    let theirs = hickorys(fake.address, &world, "nothing.good.test", RecordType::A).await;
    let ours = ours(&fake, &world, "nothing.good.test", RecordType::A).await;
    assert_eq!((theirs, ours), (Opinion::Secure, Opinion::Insecure));
}
