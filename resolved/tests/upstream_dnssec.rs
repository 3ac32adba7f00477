//! Validation, against zones that are signed well, wrongly and not at all.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod upstream_support;
#[path = "upstream_support/zones.rs"]
mod zones;

use std::time::{Duration, Instant};

use hickory_proto::{
    dnssec::{
        Algorithm, DigestType, Proof,
        rdata::{DNSSECRData, DS, RRSIG},
    },
    op::{Message, ResponseCode},
    rr::{Name, RData, RecordType},
};
use resolved::{
    config::TrustAnchor,
    failure::{DnssecFault, Failure},
    message::{Question, Response},
    mode::Dnssec,
    server::DnsServer,
    upstream::{Ask, Settings, Upstream},
};
use upstream_support::*;
use zones::*;

const ASK: Ask = Ask {
    dnssec_ok: false,
    validate: true,
    checking_disabled: false,
};

fn world(denial: Denial) -> World {
    let zone = |name: &str| Zone::signed(name, denial);
    World::new(vec![
        zone(".").with(a(&n("direct"), TRUTH)),
        zone("test"),
        zone("good.test")
            .with(a(&n("www.good.test"), TRUTH))
            .with(a(&n("a.b.c.good.test"), TRUTH))
            .with(a(&n("*.wild.good.test"), TRUTH))
            .with(cname(&n("alias.good.test"), "www.good.test"))
            .with(cname(&n("away.good.test"), "www.other.test"))
            .with(cname(&n("nowhere.good.test"), "nothing.other.test"))
            .with(cname(&n("unsigned.good.test"), "www.plain.test"))
            .with(cname(&n("*.many.good.test"), "www.other.test")),
        zone("other.test").with(a(&n("www.other.test"), TRUTH)),
        Zone::unsigned("plain.test")
            .with(a(&n("www.plain.test"), TRUTH))
            .with(cname(&n("back.plain.test"), "www.good.test")),
    ])
}

fn validating(
    servers: Vec<DnsServer>,
    dnssec: Dnssec,
    anchors: Vec<TrustAnchor>,
    negative: &[&str],
) -> Upstream {
    Upstream::new(Settings {
        servers,
        dnssec,
        trust_anchors: anchors,
        negative_trust_anchors: negative.iter().map(|name| n(name)).collect(),
        ..Settings::default()
    })
}

async fn ask(upstream: &Upstream, name: &str, rtype: RecordType) -> Result<Response, Failure> {
    upstream.query(&Question::new(n(name), rtype), ASK).await
}

/// The world as this server tells it, validated.
async fn told(
    world: World,
    tamper: impl Fn(&Asked, &mut Message) + Send + Sync + 'static,
) -> (Upstream, Fake) {
    let anchor = world.zone(".").anchor();
    let fake = world.serve(tamper).await;
    (
        validating(vec![fake.server()], Dnssec::Yes, vec![anchor], &[]),
        fake,
    )
}

async fn fault(upstream: &Upstream, name: &str, rtype: RecordType) -> DnssecFault {
    match ask(upstream, name, rtype).await {
        Err(Failure::DnssecFailed(fault, _)) => fault,
        other => panic!("{name}: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_proven() {
    use RecordType as T;
    let kinds = [
        Denial::Nsec,
        NSEC3,
        Denial::Nsec3 {
            opt_out: false,
            iterations: 50,
        },
    ];
    for (index, denial) in kinds.into_iter().enumerate() {
        let (upstream, _fake) = told(world(denial), |_, _| {}).await;
        for (name, rtype, rcode, records, proof) in [
            ("www.good.test", T::A, "ok", 1, Proof::Secure),
            ("direct", T::A, "ok", 1, Proof::Secure),
            ("alias.good.test", T::A, "ok", 2, Proof::Secure),
            ("away.good.test", T::A, "ok", 2, Proof::Secure),
            ("x.wild.good.test", T::A, "ok", 1, Proof::Secure),
            ("x.y.wild.good.test", T::A, "ok", 1, Proof::Secure),
            ("x.many.good.test", T::A, "ok", 2, Proof::Secure),
            ("good.test", T::DNSKEY, "ok", 1, Proof::Secure),
            ("good.test", T::DS, "ok", 1, Proof::Secure),
            (".", T::DNSKEY, "ok", 1, Proof::Secure),
            ("good.test", T::SOA, "ok", 1, Proof::Secure),
            // Not there.
            ("nothing.good.test", T::A, "none", 0, Proof::Secure),
            ("x.y.nothing.good.test", T::A, "none", 0, Proof::Secure),
            ("nothing", T::A, "none", 0, Proof::Secure),
            ("www.good.test", T::AAAA, "ok", 0, Proof::Secure),
            ("good.test", T::MX, "ok", 0, Proof::Secure),
            ("b.c.good.test", T::A, "ok", 0, Proof::Secure),
            ("x.wild.good.test", T::AAAA, "ok", 0, Proof::Secure),
            ("away.good.test", T::AAAA, "ok", 1, Proof::Secure),
            ("nowhere.good.test", T::A, "none", 1, Proof::Secure),
            ("x.many.good.test", T::AAAA, "ok", 1, Proof::Secure),
            ("www.good.test", T::DS, "ok", 0, Proof::Secure),
            ("plain.test", T::DS, "ok", 0, Proof::Secure),
            // Not signed.
            ("www.plain.test", T::A, "ok", 1, Proof::Insecure),
            ("www.plain.test", T::AAAA, "ok", 0, Proof::Insecure),
            ("nothing.plain.test", T::A, "none", 0, Proof::Insecure),
            ("unsigned.good.test", T::A, "ok", 2, Proof::Insecure),
            ("back.plain.test", T::A, "ok", 2, Proof::Insecure),
            ("back.plain.test", T::AAAA, "ok", 1, Proof::Insecure),
        ] {
            let response = ask(&upstream, name, rtype)
                .await
                .unwrap_or_else(|failure| panic!("{index} {name} {rtype}: {failure}"));
            let expected = if rcode == "ok" {
                ResponseCode::NoError
            } else {
                ResponseCode::NXDomain
            };
            let count = response
                .answers
                .iter()
                .filter(|record| record.record_type() != T::RRSIG)
                .count();
            assert_eq!(
                (response.rcode, count, response.proof),
                (expected, records, proof),
                "{index} {name} {rtype}"
            );
        }
        let response = ask(&upstream, "unsigned.good.test", T::A).await.unwrap();
        let proofs: Vec<_> = response
            .answers
            .iter()
            .filter(|record| record.record_type() != T::RRSIG)
            .map(|record| record.proof)
            .collect();
        assert_eq!(proofs, [Proof::Secure, Proof::Insecure]);
        assert!(upstream.dnssec_supported());
    }
}

#[tokio::test]
async fn opted_out_names_are_insecure() {
    let (upstream, _fake) = told(world(OPT_OUT), |_, _| {}).await;
    for (name, proof) in [
        ("www.good.test", Proof::Secure),
        ("www.plain.test", Proof::Insecure),
        ("nothing.test", Proof::Insecure),
        ("nothing.good.test", Proof::Insecure),
        ("x.wild.good.test", Proof::Insecure),
    ] {
        assert_eq!(
            ask(&upstream, name, RecordType::A).await.unwrap().proof,
            proof,
            "{name}"
        );
    }
    let response = ask(&upstream, "www.good.test", RecordType::AAAA)
        .await
        .unwrap();
    assert_eq!(response.proof, Proof::Secure);
}

#[tokio::test]
async fn too_many_iterations_prove_nothing() {
    let costly = Denial::Nsec3 {
        opt_out: false,
        iterations: 101,
    };
    let (upstream, _fake) = told(world(costly), |_, _| {}).await;
    for (name, proof) in [
        ("www.good.test", Proof::Secure),
        ("nothing.good.test", Proof::Insecure),
        ("www.plain.test", Proof::Insecure),
    ] {
        assert_eq!(
            ask(&upstream, name, RecordType::A).await.unwrap().proof,
            proof,
            "{name}"
        );
    }
}

/// Changes what is answered to one name.
fn only(
    name: &'static str,
    change: impl Fn(&mut Message) + Send + Sync,
) -> impl Fn(&Asked, &mut Message) + Send + Sync {
    move |asked, message| {
        if asked.name() == n(name) {
            change(message);
        }
    }
}

#[tokio::test]
async fn lies_are_found() {
    for denial in [Denial::Nsec, NSEC3] {
        let lie = |message: &mut Message| {
            for record in &mut message.answers {
                if let RData::A(address) = &mut record.data {
                    address.0 = LIE;
                }
            }
        };
        let (upstream, _f) = told(world(denial), only("www.good.test", lie)).await;
        assert_eq!(
            fault(&upstream, "www.good.test", RecordType::A).await,
            DnssecFault::Invalid
        );

        let (upstream, _f) = told(world(denial), only("www.good.test", strip)).await;
        assert_eq!(
            fault(&upstream, "www.good.test", RecordType::A).await,
            DnssecFault::NoSignature
        );
        assert_eq!(
            fault(&upstream, "www.good.test", RecordType::AAAA).await,
            DnssecFault::NoSignature
        );

        // That it is not there, with another name's proof.
        let other = world(denial);
        let (upstream, _f) = told(world(denial), {
            let other = other.clone();
            move |asked, message| {
                if asked.name() == n("www.good.test") {
                    let mut elsewhere = asked.clone();
                    elsewhere.message.queries[0].name = n("nothing.good.test");
                    let queries = message.queries.clone();
                    *message = other.answer(&elsewhere);
                    message.queries = queries;
                }
            }
        })
        .await;
        let found = fault(&upstream, "www.good.test", RecordType::A).await;
        assert!(
            matches!(found, DnssecFault::Invalid | DnssecFault::MissingKey),
            "other keys: {found:?}"
        );

        // A wildcard's record for a name that has its own, without the proof.
        let bare = |message: &mut Message| message.authorities.clear();
        let (upstream, _f) = told(world(denial), only("x.wild.good.test", bare)).await;
        assert_eq!(
            fault(&upstream, "x.wild.good.test", RecordType::A).await,
            DnssecFault::NsecMismatch
        );
    }
}

#[tokio::test]
async fn proofs_of_other_names_do_not_hold() {
    for denial in [Denial::Nsec, NSEC3] {
        let world = world(denial);
        for (asked_for, told_of) in [
            ("www.good.test", "nothing.good.test"),
            ("www.other.test", "good.test"),
            ("x.wild.good.test", "nothing.good.test"),
            ("www.good.test", "www.test"),
            ("good.test", "nothing"),
        ] {
            let liar = world.clone();
            let (upstream, _f) = told(world.clone(), move |asked, message| {
                if asked.name() == n(asked_for)
                    && asked.message.queries[0].query_type == RecordType::A
                {
                    let mut elsewhere = asked.clone();
                    elsewhere.message.queries[0].name = n(told_of);
                    let queries = message.queries.clone();
                    *message = liar.answer(&elsewhere);
                    message.queries = queries;
                    message.answers.clear();
                }
            })
            .await;
            let found = ask(&upstream, asked_for, RecordType::A).await;
            assert!(
                matches!(
                    found,
                    Err(Failure::DnssecFailed(
                        DnssecFault::NsecMismatch | DnssecFault::NoSignature,
                        _
                    ) | Failure::InvalidReply)
                ),
                "{asked_for} by {told_of}: {found:?}"
            );
        }
    }
}

#[tokio::test]
async fn signatures_have_their_time() {
    for (inception, expiration) in [(-7200, -3600), (3600, 7200)] {
        let mut late = Zone::signed("late.test", Denial::Nsec).with(a(&n("www.late.test"), TRUTH));
        late.inception = inception;
        late.expiration = expiration;
        let world = World::new(vec![
            Zone::signed(".", Denial::Nsec),
            Zone::signed("test", Denial::Nsec),
            late,
        ]);
        let (upstream, _f) = told(world, |_, _| {}).await;
        assert_eq!(
            fault(&upstream, "www.late.test", RecordType::A).await,
            DnssecFault::SignatureExpired
        );
    }
}

#[tokio::test]
async fn nothing_is_kept_longer_than_its_signature() {
    let mut short = Zone::signed("short.test", Denial::Nsec).with(a(&n("www.short.test"), TRUTH));
    short.expiration = 20;
    let world = World::new(vec![Zone::signed(".", Denial::Nsec), short]);
    let (upstream, _f) = told(world, |_, _| {}).await;
    let response = ask(&upstream, "www.short.test", RecordType::A)
        .await
        .unwrap();
    assert!(response.answers.iter().all(|record| record.ttl <= 20));
}

#[tokio::test]
async fn a_delegation_is_not_forged() {
    // A zone whose key the parent does not know.
    let mut forged =
        Zone::signed("forged.test", Denial::Nsec).with(a(&n("www.forged.test"), TRUTH));
    forged.ds = Zone::signed("forged.test", Denial::Nsec).ds;
    let world_of = |zone: Zone| {
        World::new(vec![
            Zone::signed(".", Denial::Nsec),
            Zone::signed("test", Denial::Nsec),
            zone,
        ])
    };
    let (upstream, _f) = told(world_of(forged), |_, _| {}).await;
    assert_eq!(
        fault(&upstream, "www.forged.test", RecordType::A).await,
        DnssecFault::MissingKey
    );
    // A signed zone as if it were not.
    let zone = Zone::signed("good.test", Denial::Nsec).with(a(&n("www.good.test"), TRUTH));
    let (upstream, _f) = told(world_of(zone), |asked, message| {
        if n("good.test").zone_of(&asked.name()) {
            strip(message);
            message
                .answers
                .retain(|record| record.record_type() != RecordType::DS);
        }
    })
    .await;
    assert_eq!(
        fault(&upstream, "www.good.test", RecordType::A).await,
        DnssecFault::NoSignature
    );
}

#[tokio::test]
async fn unknown_algorithms_are_as_none() {
    let mut future =
        Zone::signed("future.test", Denial::Nsec).with(a(&n("www.future.test"), TRUTH));
    let of =
        |ds: &DS, algorithm, digest| DS::new(ds.key_tag(), algorithm, digest, ds.digest().to_vec());
    for ds in [
        of(&future.ds[0], Algorithm::Unknown(200), DigestType::SHA256),
        of(&future.ds[0], Algorithm::ED25519, DigestType::Unknown(200)),
    ] {
        future.ds = vec![ds];
        let world = World::new(vec![Zone::signed(".", Denial::Nsec), future.clone()]);
        let (upstream, _f) = told(world, |_, _| {}).await;
        assert_eq!(
            ask(&upstream, "www.future.test", RecordType::A)
                .await
                .unwrap()
                .proof,
            Proof::Insecure
        );
    }
}

#[tokio::test]
async fn negative_trust_anchors() {
    let world = world(Denial::Nsec);
    let anchor = world.zone(".").anchor();
    let fake = world.serve(only("www.good.test", strip)).await;
    let upstream = validating(
        vec![fake.server()],
        Dnssec::Yes,
        vec![anchor],
        &["good.test"],
    );
    let response = ask(&upstream, "www.good.test", RecordType::A)
        .await
        .unwrap();
    assert_eq!(response.proof, Proof::Insecure);
    assert_eq!(fake.count(), 1, "nothing else was asked");
    assert_eq!(
        ask(&upstream, "www.other.test", RecordType::A)
            .await
            .unwrap()
            .proof,
        Proof::Secure
    );
}

#[tokio::test]
async fn islands_are_secure_and_stay_so() {
    let island =
        Zone::signed("island.plain.test", Denial::Nsec).with(a(&n("www.island.plain.test"), TRUTH));
    for anchor in [island.anchor(), island.key_anchor()] {
        let mut detached = island.clone();
        detached.ds.clear();
        let world = World::new(vec![
            Zone::signed(".", Denial::Nsec),
            Zone::unsigned("test"),
            Zone::unsigned("plain.test"),
            detached,
        ]);
        let anchors = vec![world.zone(".").anchor(), anchor];
        let fake = world.clone().serve(|_, _| {}).await;
        let upstream = validating(vec![fake.server()], Dnssec::Yes, anchors.clone(), &[]);
        assert_eq!(
            ask(&upstream, "www.island.plain.test", RecordType::A)
                .await
                .unwrap()
                .proof,
            Proof::Secure
        );
        assert_eq!(
            ask(&upstream, "x.plain.test", RecordType::A)
                .await
                .unwrap()
                .proof,
            Proof::Insecure
        );
        let fake = world.serve(only("www.island.plain.test", strip)).await;
        let upstream = validating(vec![fake.server()], Dnssec::Yes, anchors, &[]);
        let found = fault(&upstream, "www.island.plain.test", RecordType::A).await;
        assert_eq!(found, DnssecFault::NoSignature);
    }
}

#[tokio::test]
async fn a_server_that_strips_is_found_out() {
    let world = world(Denial::Nsec);
    let anchor = world.zone(".").anchor();
    let fake = world.serve(|_, message| strip(message)).await;
    let strict = validating(vec![fake.server()], Dnssec::Yes, vec![anchor.clone()], &[]);
    for name in ["www.good.test", "www.plain.test"] {
        assert_eq!(
            fault(&strict, name, RecordType::A).await,
            DnssecFault::IncompatibleServer,
            "{name}"
        );
    }
    let lenient = validating(
        vec![fake.server()],
        Dnssec::AllowDowngrade,
        vec![anchor.clone()],
        &[],
    );
    assert!(lenient.dnssec_supported());
    let response = ask(&lenient, "www.good.test", RecordType::A).await.unwrap();
    assert_eq!(
        (response.proof, response.rcode),
        (Proof::Insecure, ResponseCode::NoError)
    );
    assert!(!lenient.dnssec_supported());
    assert!(lenient.state()[0].packet_rrsig_missing);
    let before = fake.count();
    assert_eq!(
        ask(&lenient, "www.other.test", RecordType::A)
            .await
            .unwrap()
            .proof,
        Proof::Insecure
    );
    assert_eq!(fake.count(), before + 1);

    // One without EDNS.
    let old = self::world(Denial::Nsec)
        .serve(|_, message| {
            strip(message);
            message.edns = None;
        })
        .await;
    let strict = validating(vec![old.server()], Dnssec::Yes, vec![anchor.clone()], &[]);
    assert_eq!(
        fault(&strict, "www.good.test", RecordType::A).await,
        DnssecFault::IncompatibleServer
    );
    let lenient = validating(
        vec![old.server()],
        Dnssec::AllowDowngrade,
        vec![anchor],
        &[],
    );
    assert_eq!(
        ask(&lenient, "www.good.test", RecordType::A)
            .await
            .unwrap()
            .proof,
        Proof::Insecure
    );
}

#[tokio::test]
async fn a_lie_is_not_downgraded() {
    let world = world(Denial::Nsec);
    let anchor = world.zone(".").anchor();
    let fake = world.serve(only("www.good.test", strip)).await;
    let lenient = validating(
        vec![fake.server()],
        Dnssec::AllowDowngrade,
        vec![anchor],
        &[],
    );
    assert_eq!(
        fault(&lenient, "www.good.test", RecordType::A).await,
        DnssecFault::NoSignature
    );
    assert!(lenient.dnssec_supported());
}

#[tokio::test]
async fn another_server_may_tell_the_truth() {
    let world = world(Denial::Nsec);
    let anchor = world.zone(".").anchor();
    let liar = world.clone().serve(only("www.good.test", strip)).await;
    let honest = world.serve(|_, _| {}).await;
    let upstream = validating(
        vec![liar.server(), honest.server()],
        Dnssec::Yes,
        vec![anchor],
        &[],
    );
    let response = ask(&upstream, "www.good.test", RecordType::A)
        .await
        .unwrap();
    assert_eq!(response.proof, Proof::Secure);
    assert_eq!(upstream.current_server(), Some(honest.server()));
}

#[tokio::test]
async fn known_zones_cost_nothing_more() {
    let (upstream, fake) = told(world(NSEC3), |_, _| {}).await;
    ask(&upstream, "www.good.test", RecordType::A)
        .await
        .unwrap();
    // The name, and the root's keys, then DS and keys of two zones.
    assert_eq!(fake.count(), 6);
    ask(&upstream, "x.wild.good.test", RecordType::A)
        .await
        .unwrap();
    ask(&upstream, "nothing.good.test", RecordType::A)
        .await
        .unwrap();
    assert_eq!(fake.count(), 8);
    ask(&upstream, "www.plain.test", RecordType::A)
        .await
        .unwrap();
    assert_eq!(fake.count(), 10);
    ask(&upstream, "www.plain.test", RecordType::AAAA)
        .await
        .unwrap();
    assert_eq!(fake.count(), 11);
}

#[tokio::test]
async fn who_does_not_want_it_gets_it_as_it_is() {
    let (upstream, fake) = told(world(Denial::Nsec), only("www.good.test", strip)).await;
    for ask in [
        Ask::default(),
        Ask {
            validate: true,
            checking_disabled: true,
            dnssec_ok: true,
        },
    ] {
        let response = upstream
            .query(&question("www.good.test"), ask)
            .await
            .unwrap();
        assert_eq!(response.proof, Proof::Indeterminate);
    }
    assert_eq!(fake.count(), 2);
}

/// A zone with many keys of one tag, and a name with many signatures by them.
fn trap(
    keys: usize,
    signatures: usize,
) -> (World, impl Fn(&Asked, &mut Message) + Send + Sync + 'static) {
    let keys = colliding_keys(keys);
    let tag = keys[0].calculate_key_tag().unwrap();
    assert!(
        keys.iter()
            .all(|key| key.calculate_key_tag().unwrap() == tag)
    );
    let mut zone = Zone::signed("trap.test", Denial::Nsec).with(a(&n("www.trap.test"), TRUTH));
    let apex = zone.name.clone();
    for key in &keys {
        zone.add(record(&apex, DNSSECRData::DNSKEY(key.clone())));
    }
    let world = World::new(vec![
        Zone::signed(".", Denial::Nsec),
        Zone::signed("test", Denial::Nsec),
        zone,
    ]);
    let tamper = move |asked: &Asked, message: &mut Message| {
        if asked.name() != n("www.trap.test") {
            return;
        }
        let honest = message.answers.pop().unwrap();
        let RData::DNSSEC(DNSSECRData::RRSIG(honest)) = &honest.data else {
            unreachable!()
        };
        for turn in 0..signatures {
            let mut input = honest.input().clone();
            input.key_tag = tag;
            let bytes = (0..64)
                .map(|byte| u8::try_from((byte + turn) % 256).unwrap())
                .collect();
            message.add_answer(record(
                &asked.name(),
                DNSSECRData::RRSIG(RRSIG::from_sig(input, bytes)),
            ));
        }
    };
    (world, tamper)
}

#[tokio::test]
async fn key_traps_cost_little() {
    let (world, tamper) = trap(200, 200);
    let (upstream, fake) = told(world, tamper).await;
    ask(&upstream, "trap.test", RecordType::SOA).await.unwrap();
    let begun = Instant::now();
    let found = fault(&upstream, "www.trap.test", RecordType::A).await;
    println!("key trap: {:?}", begun.elapsed());
    assert!(matches!(
        found,
        DnssecFault::Invalid | DnssecFault::TooManyValidations
    ));
    assert!(begun.elapsed() < Duration::from_millis(500));
    assert!(fake.count() < 20);
}

#[tokio::test]
async fn many_sets_are_too_many() {
    // Names without end, each with a signature to check.
    let mut zone = Zone::signed("deep.test", Denial::Nsec);
    for step in 0..15 {
        zone.add(cname(
            &n(&format!("l{step}.deep.test")),
            &format!("l{}.deep.test", step + 1),
        ));
    }
    zone.add(a(&n("l15.deep.test"), TRUTH));
    let world = World::new(vec![Zone::signed(".", Denial::Nsec), zone]);
    let (upstream, _f) = told(world, |_, message| {
        // Eight wrong signatures before each right one.
        let mut answers = Vec::new();
        for record in message.answers.drain(..) {
            if let RData::DNSSEC(DNSSECRData::RRSIG(honest)) = &record.data
                && honest.input().type_covered == RecordType::CNAME
            {
                for turn in 0..7 {
                    let wrong = RRSIG::from_sig(honest.input().clone(), vec![turn; 64]);
                    answers.push(zones::record(&record.name, DNSSECRData::RRSIG(wrong)));
                }
            }
            answers.push(record);
        }
        message.answers = answers;
    })
    .await;
    let found = fault(&upstream, "l0.deep.test", RecordType::A).await;
    assert_eq!(found, DnssecFault::TooManyValidations);
}

#[tokio::test]
async fn a_chain_without_end_is_too_long() {
    // Every name is a zone of its own.
    let deep: Vec<String> = (0..60).map(|step| format!("z{step}")).collect();
    let mut zones = vec![Zone::signed(".", Denial::Nsec)];
    for count in 1..=deep.len() {
        let name: Vec<_> = deep.iter().take(count).rev().cloned().collect();
        zones.push(Zone::signed(&name.join("."), Denial::Nsec));
    }
    let last = zones.last().unwrap().name.clone();
    let (upstream, fake) = told(World::new(zones), |_, _| {}).await;
    let result = upstream
        .query(&Question::new(last, RecordType::SOA), ASK)
        .await;
    assert!(
        matches!(
            result,
            Err(Failure::DnssecFailed(DnssecFault::TooManyValidations, _))
        ),
        "{result:?}"
    );
    assert!(fake.count() <= 42, "{}", fake.count());
}

#[tokio::test]
async fn names_below_a_dead_end() {
    let world = world(Denial::Nsec);
    let anchor = world.zone(".").anchor();
    // Keys can't be had.
    let fake = world
        .serve(|asked, message| {
            if asked.message.queries[0].query_type == RecordType::DNSKEY
                && asked.name() == n("good.test")
            {
                message.metadata.response_code = ResponseCode::ServFail;
                message.answers.clear();
            }
        })
        .await;
    let upstream = validating(vec![fake.server()], Dnssec::Yes, vec![anchor], &[]);
    assert_eq!(
        fault(&upstream, "www.good.test", RecordType::A).await,
        DnssecFault::FailedAuxiliary
    );
    let _: Name = n("x");
}
