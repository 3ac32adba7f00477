//! Servers that lie, and others who speak in their place.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod upstream_support;

use std::{net::Ipv4Addr, time::Duration};

use hickory_proto::{
    op::ResponseCode,
    rr::{RData, Record, RecordType, rdata},
};
use resolved::{failure::Failure, message::Question, upstream::Ask};
use upstream_support::*;

const LATER: Duration = Duration::from_millis(60);

/// The lie comes first, the truth after it.
async fn first_a_lie(lie: impl Fn(&Asked) -> Vec<Act> + Send + Sync + 'static) -> Fake {
    Fake::new(move |asked| {
        if asked.tcp {
            return vec![Act::Say(address_for(asked))];
        }
        let mut acts = lie(asked);
        acts.extend([Act::Wait(LATER), Act::Say(address_for(asked))]);
        acts
    })
    .await
}

#[tokio::test]
async fn wrong_ids_get_in_never() {
    let fake = first_a_lie(|asked| {
        (1..=40)
            .map(|guess| {
                let mut lie = with_address(asked, LIE);
                lie.metadata.id = asked.message.id.wrapping_add(guess);
                Act::Say(lie)
            })
            .collect()
    })
    .await;
    let upstream = upstream(vec![fake.server()]);
    for round in 0..10 {
        truth(&upstream, &format!("wrong-id-{round}.example")).await;
    }
    assert!(fake.all().iter().all(|asked| !asked.tcp));
}

#[tokio::test]
async fn a_flood_of_guesses_is_left_for_tcp() {
    let fake = first_a_lie(|asked| {
        (1..=500)
            .map(|guess| {
                let mut lie = with_address(asked, LIE);
                lie.metadata.id = asked.message.id.wrapping_add(guess);
                Act::Say(lie)
            })
            .collect()
    })
    .await;
    truth(&upstream(vec![fake.server()]), "flood.example").await;
    assert!(fake.last().tcp);
}

#[tokio::test]
async fn another_port_is_not_heard() {
    let fake = first_a_lie(|asked| vec![Act::Elsewhere(with_address(asked, LIE))]).await;
    truth(&upstream(vec![fake.server()]), "port.example").await;
    assert_eq!(fake.count(), 1);
}

#[tokio::test]
async fn another_question_is_not_answered() {
    for change in 0..4 {
        let fake = first_a_lie(move |asked| {
            let mut lie = with_address(asked, LIE);
            match change {
                0 => lie.queries[0].name = n("other.example"),
                1 => lie.queries[0].query_type = RecordType::AAAA,
                2 => lie.queries.clear(),
                _ => lie.queries.push(lie.queries[0].clone()),
            }
            vec![Act::Say(lie)]
        })
        .await;
        truth(&upstream(vec![fake.server()]), "asked.example").await;
        assert_eq!(fake.count(), 1, "{change}");
    }
}

#[tokio::test]
async fn a_question_is_no_answer() {
    let fake = first_a_lie(|asked| {
        vec![
            Act::Say(asked.message.clone()),
            Act::Raw(vec![]),
            Act::Raw(vec![1, 2, 3]),
        ]
    })
    .await;
    truth(&upstream(vec![fake.server()]), "echo.example").await;
    assert_eq!(fake.count(), 1);
}

#[tokio::test]
async fn ports_ids_and_case_differ_each_time() {
    let fake = Fake::honest().await;
    let upstream = upstream(vec![fake.server()]);
    for _ in 0..8 {
        truth(&upstream, "a-name-with-many-letters.example").await;
    }
    let all = fake.all();
    let distinct = |values: Vec<String>| {
        let count = values.len();
        let distinct: std::collections::HashSet<_> = values.into_iter().collect();
        distinct.len() + 1 >= count
    };
    assert!(distinct(
        all.iter()
            .map(|asked| asked.from.port().to_string())
            .collect()
    ));
    assert!(distinct(
        all.iter()
            .map(|asked| asked.message.id.to_string())
            .collect()
    ));
    assert!(distinct(
        all.iter().map(|asked| asked.name().to_ascii()).collect()
    ));
}

#[tokio::test]
async fn names_are_spelt_as_asked() {
    let fake = Fake::new(|asked| {
        let mut message = response_to(asked);
        message.add_answer(cname(
            &asked.name(),
            &format!("web.{}", asked.name().base_name().to_ascii()),
        ));
        message.add_answer(a(
            &n(&format!("web.{}", asked.name().base_name().to_ascii())),
            TRUTH,
        ));
        vec![Act::Say(message)]
    })
    .await;
    let response = lookup(
        &upstream(vec![fake.server()]),
        "www.spelling-of-names.example",
    )
    .await
    .unwrap();
    let names: Vec<_> = response
        .answers
        .iter()
        .map(|record| record.name.to_ascii())
        .collect();
    assert_eq!(
        names,
        [
            "www.spelling-of-names.example.",
            "web.spelling-of-names.example."
        ]
    );
}

#[tokio::test]
async fn a_server_that_changes_the_case_is_asked_by_tcp_then_without() {
    let fake = Fake::new(|asked| {
        let mut message = address_for(asked);
        if !asked.tcp {
            message.queries[0].name = asked.name().to_lowercase();
        }
        vec![Act::Say(message)]
    })
    .await;
    let upstream = upstream(vec![fake.server()]);
    for _ in 0..3 {
        truth(&upstream, "mixed-case-is-not-kept.example").await;
    }
    let by_tcp: Vec<_> = fake.all().iter().map(|asked| asked.tcp).collect();
    assert_eq!(by_tcp, [false, true, false, true, false]);
}

#[tokio::test]
async fn changing_the_case_without_tcp_costs_one_attempt() {
    let fake = Fake::new(|asked| {
        if asked.tcp {
            return vec![Act::Close];
        }
        let mut message = address_for(asked);
        message.queries[0].name = asked.name().to_lowercase();
        vec![Act::Say(message)]
    })
    .await;
    let upstream = upstream(vec![fake.server()]);
    truth(&upstream, "mixed-case-is-not-kept.example").await;
    truth(&upstream, "mixed-case-is-not-kept.example").await;
}

#[tokio::test]
async fn what_was_not_asked_is_dropped() {
    let fake = Fake::new(|asked| {
        let mut message = address_for(asked);
        message.add_answer(a(&n("bank.example"), LIE));
        message.add_authority(Record::from_rdata(
            n("example"),
            300,
            RData::NS(rdata::NS(n("ns.evil.example"))),
        ));
        message.add_authority(soa("bank.example"));
        vec![Act::Say(message)]
    })
    .await;
    let response = lookup(&upstream(vec![fake.server()]), "bailiwick.test")
        .await
        .unwrap();
    assert_eq!(addresses(&response), [TRUTH]);
    assert_eq!(response.answers.len(), 1);
    assert!(response.authorities.is_empty());
}

#[tokio::test]
async fn an_answer_to_something_else_is_none() {
    let liar = Fake::new(|asked| {
        let mut message = response_to(asked);
        message.add_answer(a(&n("bank.example"), LIE));
        vec![Act::Say(message)]
    })
    .await;
    let alone = lookup(&upstream(vec![liar.server()]), "else.test").await;
    assert_eq!(alone.unwrap_err(), Failure::InvalidReply);
    let honest = Fake::honest().await;
    truth(&upstream(vec![liar.server(), honest.server()]), "else.test").await;
}

#[tokio::test]
async fn referrals_are_no_answers() {
    let lame = Fake::new(|asked| {
        let mut message = response_to(asked);
        message.add_authority(Record::from_rdata(
            n("."),
            300,
            RData::NS(rdata::NS(n("a.root-servers.net"))),
        ));
        vec![Act::Say(message)]
    })
    .await;
    let honest = Fake::honest().await;
    truth(&upstream(vec![lame.server(), honest.server()]), "lame.test").await;
}

#[tokio::test]
async fn chains_of_aliases() {
    let fake = Fake::new(|asked| {
        let mut message = response_to(asked);
        let name = asked.name().to_lowercase().to_ascii();
        match name.as_str() {
            "loop.test." => {
                message.add_answer(cname(&asked.name(), "loop2.test"));
                message.add_answer(cname(&n("loop2.test"), "loop.test"));
            }
            "self.test." => {
                message.add_answer(cname(&asked.name(), "self.test"));
            }
            "long.test." => {
                message.add_answer(cname(&asked.name(), "l0.test"));
                for step in 0..30 {
                    message.add_answer(cname(
                        &n(&format!("l{step}.test")),
                        &format!("l{}.test", step + 1),
                    ));
                }
            }
            _ => {
                // The order does not matter, and what hangs on no chain is dropped.
                message.add_answer(a(&n("c.test"), TRUTH));
                message.add_answer(a(&n("stray.test"), LIE));
                message.add_answer(cname(&n("b.test"), "c.test"));
                message.add_answer(cname(&asked.name(), "b.test"));
            }
        }
        vec![Act::Say(message)]
    })
    .await;
    let upstream = upstream(vec![fake.server()]);
    for name in ["loop.test", "self.test", "long.test"] {
        assert_eq!(
            lookup(&upstream, name).await.unwrap_err(),
            Failure::CnameLoop,
            "{name}"
        );
    }
    let response = lookup(&upstream, "a.test").await.unwrap();
    let names: Vec<_> = response
        .answers
        .iter()
        .map(|record| record.name.to_ascii())
        .collect();
    assert_eq!(names, ["a.test.", "b.test.", "c.test."]);
    assert_eq!(addresses(&response), [TRUTH]);
}

#[tokio::test]
async fn a_dname_is_followed_by_its_own_word() {
    let fake = Fake::new(|asked| {
        let mut message = response_to(asked);
        let target = n("new.test");
        let mut bytes = Vec::new();
        for label in target.iter() {
            bytes.push(u8::try_from(label.len()).unwrap());
            bytes.extend(label);
        }
        bytes.push(0);
        message.add_answer(Record::from_rdata(
            n("old.test"),
            300,
            RData::Unknown {
                code: RecordType::DNAME,
                rdata: rdata::NULL::with(bytes),
            },
        ));
        // A CNAME that is not what the DNAME says.
        message.add_answer(cname(&asked.name(), "evil.test"));
        message.add_answer(a(&n("evil.test"), LIE));
        message.add_answer(a(&n("x.new.test"), TRUTH));
        vec![Act::Say(message)]
    })
    .await;
    truth(&upstream(vec![fake.server()]), "x.old.test").await;
}

#[tokio::test]
async fn garbage_is_left_for_the_next_server() {
    for change in 0..3 {
        let garbage = Fake::new(move |asked| {
            let mut bytes = address_for(asked).to_vec().unwrap();
            match change {
                // Cut off, a pointer to itself, more records than there are.
                0 => bytes.truncate(bytes.len() - 20),
                1 => {
                    let at = bytes.len() - 11 - 16;
                    bytes[at] = 0xc0;
                    bytes[at + 1] = u8::try_from(at).unwrap();
                }
                _ => bytes[6] = 0xff,
            }
            vec![Act::Raw(bytes)]
        })
        .await;
        let honest = Fake::honest().await;
        let begun = std::time::Instant::now();
        truth(
            &upstream(vec![garbage.server(), honest.server()]),
            "garbage.test",
        )
        .await;
        assert!(begun.elapsed() < Duration::from_millis(300), "{change}");
        let alone = lookup(&upstream(vec![garbage.server()]), "garbage.test").await;
        assert_eq!(alone.unwrap_err(), Failure::InvalidReply, "{change}");
    }
}

#[tokio::test]
async fn more_than_we_take_is_asked_by_tcp() {
    let fake = Fake::new(|asked| {
        let mut message = address_for(asked);
        if !asked.tcp {
            for last in 0..100 {
                message.add_answer(a(&asked.name(), Ipv4Addr::new(192, 0, 3, last)));
            }
        }
        vec![Act::Say(message)]
    })
    .await;
    truth(&upstream(vec![fake.server()]), "oversized.example").await;
    assert!(fake.last().tcp);
}

#[tokio::test]
async fn truncated_is_asked_by_tcp_and_not_for_ever() {
    let fake = Fake::new(|asked| {
        let mut message = address_for(asked);
        if !asked.tcp {
            message.answers.clear();
            message.metadata.truncation = true;
        }
        vec![Act::Say(message)]
    })
    .await;
    let upstream_one = upstream(vec![fake.server()]);
    truth(&upstream_one, "truncated.example").await;
    truth(&upstream_one, "truncated.example").await;
    let connections: Vec<_> = fake
        .all()
        .iter()
        .filter(|asked| asked.tcp)
        .map(|asked| asked.connection)
        .collect();
    assert_eq!(connections, [0, 0], "one connection serves both");
    assert!(upstream_one.state()[0].packet_truncated);

    let looping = Fake::new(|asked| {
        let mut message = response_to(asked);
        message.metadata.truncation = true;
        vec![Act::Say(message)]
    })
    .await;
    let begun = std::time::Instant::now();
    let result = lookup(&upstream(vec![looping.server()]), "tc-loop.example").await;
    assert_eq!(result.unwrap_err(), Failure::InvalidReply);
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(looping.count(), 2);
    let honest = Fake::honest().await;
    truth(
        &upstream(vec![looping.server(), honest.server()]),
        "tc-loop.example",
    )
    .await;
}

#[tokio::test]
async fn extended_errors_and_negative_answers() {
    let fake = Fake::new(|asked| {
        let name = asked.name().to_lowercase().to_ascii();
        let mut message = match name.as_str() {
            "none.test." => rcode(asked, ResponseCode::NXDomain),
            "filtered.test." => {
                let mut message = rcode(asked, ResponseCode::ServFail);
                with_option(&mut message, 15, [&[0, 15][..], b"blocked"].concat());
                message
            }
            _ => response_to(asked),
        };
        message.add_authority(soa("test"));
        vec![Act::Say(message)]
    })
    .await;
    let upstream = upstream(vec![fake.server()]);
    let response = lookup(&upstream, "none.test").await.unwrap();
    assert_eq!(
        (response.rcode, response.authorities.len()),
        (ResponseCode::NXDomain, 1)
    );
    let response = lookup(&upstream, "nodata.test").await.unwrap();
    assert_eq!(
        (response.rcode, response.answers.len()),
        (ResponseCode::NoError, 0)
    );
    match lookup(&upstream, "filtered.test").await {
        Err(Failure::Rcode(ResponseCode::ServFail, Some(error))) => {
            assert_eq!((error.code, error.text.as_str()), (15, "blocked"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn bits_are_as_asked() {
    let fake = Fake::honest().await;
    let upstream = upstream(vec![fake.server()]);
    let ask = Ask {
        dnssec_ok: true,
        validate: true,
        checking_disabled: true,
    };
    upstream
        .query(&Question::new(n("bits.test"), RecordType::A), ask)
        .await
        .unwrap();
    let asked = fake.last().message;
    assert!(asked.checking_disabled && asked.recursion_desired);
    let edns = asked.edns.unwrap();
    assert!(edns.flags().dnssec_ok);
    assert_eq!(edns.max_payload(), 1232);
    truth(&upstream, "bits.test").await;
    let asked = fake.last().message;
    assert!(!asked.checking_disabled && !asked.edns.unwrap().flags().dnssec_ok);
}

#[tokio::test]
async fn an_alias_that_is_asked_for_is_the_answer() {
    let fake = Fake::new(|asked| {
        let mut message = response_to(asked);
        message.add_answer(cname(&asked.name(), "b.test"));
        message.add_answer(cname(&n("b.test"), "c.test"));
        vec![Act::Say(message)]
    })
    .await;
    let question = Question::new(n("a.test"), RecordType::CNAME);
    let response = upstream(vec![fake.server()])
        .query(&question, Ask::default())
        .await
        .unwrap();
    assert_eq!(response.answers.len(), 1);
}
