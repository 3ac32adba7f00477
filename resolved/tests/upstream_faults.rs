//! Servers that are dead, slow, half deaf, or of another age.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod upstream_support;

use std::{
    cell::Cell,
    rc::Rc,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use hickory_proto::op::ResponseCode;
use resolved::{
    failure::Failure,
    server::DnsServer,
    upstream::{Settings, Upstream},
};
use upstream_support::*;

async fn timed(upstream: &Upstream, name: &str) -> Duration {
    let begun = Instant::now();
    truth(upstream, name).await;
    begun.elapsed()
}

#[tokio::test]
async fn a_dead_server_of_two_costs_less_than_a_second_once() {
    let silent = Fake::silent().await;
    let honest = Fake::honest().await;
    let upstream = upstream(vec![silent.server(), honest.server()]);
    let changes = Rc::new(Cell::new(0));
    upstream.on_change({
        let changes = Rc::clone(&changes);
        move || changes.set(changes.get() + 1)
    });
    let first = timed(&upstream, "one.test").await;
    println!("dead server of two, first question: {first:?}");
    assert!(first < Duration::from_secs(1));
    let second = timed(&upstream, "two.test").await;
    println!("dead server of two, second question: {second:?}");
    assert!(second < Duration::from_millis(100));
    assert_eq!(upstream.current_server(), Some(honest.server()));
    assert_eq!(changes.get(), 1);
    assert_eq!(silent.count(), 1);
}

#[tokio::test]
async fn port_unreachable_is_the_next_server_at_once() {
    let honest = Fake::honest().await;
    let upstream = upstream(vec![nobody().await, honest.server()]);
    assert!(timed(&upstream, "one.test").await < Duration::from_millis(200));
}

#[tokio::test]
async fn nobody_at_all_is_an_error_soon() {
    let begun = Instant::now();
    let result = lookup(&upstream(vec![nobody().await, nobody().await]), "x.test").await;
    assert_eq!(result.unwrap_err(), Failure::MaxAttempts);
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn a_black_hole_is_an_error_within_8_s() {
    let holes = [Fake::silent().await, Fake::silent().await];
    let begun = Instant::now();
    let result = lookup(
        &upstream(holes.iter().map(Fake::server).collect()),
        "x.test",
    )
    .await;
    println!("black hole: {:?}", begun.elapsed());
    assert_eq!(result.unwrap_err(), Failure::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(8));
    assert!(holes.iter().all(|hole| hole.count() >= 3));
}

#[tokio::test]
async fn a_slow_server_is_listened_to_beside_the_next() {
    let slow = Fake::new(|asked| {
        vec![
            Act::Wait(Duration::from_millis(1500)),
            Act::Say(address_for(asked)),
        ]
    })
    .await;
    let silent = Fake::silent().await;
    let upstream = upstream(vec![slow.server(), silent.server()]);
    let took = timed(&upstream, "slow.test").await;
    assert!(took < Duration::from_millis(1900), "{took:?}");
    assert_eq!(upstream.current_server(), Some(slow.server()));
}

#[tokio::test]
async fn lost_datagrams_are_sent_again() {
    let count = AtomicUsize::new(0);
    let lossy = Fake::new(
        move |asked| match count.fetch_add(1, Ordering::Relaxed) % 2 {
            0 => vec![],
            _ => vec![Act::Say(address_for(asked))],
        },
    )
    .await;
    assert!(timed(&upstream(vec![lossy.server()]), "lossy.test").await < Duration::from_secs(1));
}

#[tokio::test]
async fn failures_of_one_server_are_left_for_the_next() {
    for code in [
        ResponseCode::ServFail,
        ResponseCode::Refused,
        ResponseCode::NotImp,
        ResponseCode::FormErr,
    ] {
        let failing = Fake::new(move |asked| vec![Act::Say(rcode(asked, code))]).await;
        let honest = Fake::honest().await;
        let both = upstream(vec![failing.server(), honest.server()]);
        assert!(
            timed(&both, "one.test").await < Duration::from_millis(200),
            "{code}"
        );
        assert_eq!(both.current_server(), Some(honest.server()));
        let begun = Instant::now();
        match lookup(
            &upstream(vec![failing.server(), failing.server()]),
            "x.test",
        )
        .await
        {
            Err(Failure::Rcode(found, None)) => assert_eq!(found, code),
            other => panic!("{other:?}"),
        }
        assert!(begun.elapsed() < Duration::from_millis(200), "{code}");
    }
}

#[tokio::test]
async fn a_failure_is_told_though_another_server_is_silent() {
    let failing = Fake::new(|asked| vec![Act::Say(rcode(asked, ResponseCode::ServFail))]).await;
    let silent = Fake::silent().await;
    let begun = Instant::now();
    let result = lookup(&upstream(vec![silent.server(), failing.server()]), "x.test").await;
    assert_eq!(
        result.unwrap_err(),
        Failure::Rcode(ResponseCode::ServFail, None)
    );
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn without_edns_after_an_error_of_format() {
    let old = Fake::new(|asked| {
        vec![Act::Say(match asked.message.edns {
            Some(_) => {
                let mut message = rcode(asked, ResponseCode::FormErr);
                message.edns = None;
                message
            }
            None => address_for(asked),
        })]
    })
    .await;
    let upstream = upstream(vec![old.server()]);
    truth(&upstream, "one.test").await;
    truth(&upstream, "two.test").await;
    let edns: Vec<_> = old
        .all()
        .iter()
        .map(|asked| asked.message.edns.is_some())
        .collect();
    assert_eq!(
        edns,
        [true, true, false, false],
        "once more without a cookie, then never"
    );
    assert_eq!(upstream.state()[0].possible_feature_level, "UDP");
    upstream.reset_features();
    assert_eq!(upstream.state()[0].possible_feature_level, "UDP+EDNS0");
}

#[tokio::test]
async fn without_edns_where_it_is_dropped() {
    let deaf = Fake::new(|asked| match asked.message.edns {
        Some(_) => vec![],
        None => vec![Act::Say(address_for(asked))],
    })
    .await;
    let upstream = upstream(vec![deaf.server()]);
    let first = timed(&upstream, "one.test").await;
    assert!(first < Duration::from_secs(6), "{first:?}");
    assert!(timed(&upstream, "two.test").await < Duration::from_millis(200));
}

#[tokio::test]
async fn an_answer_without_edns_is_taken_and_remembered() {
    let bad = Fake::new(|asked| {
        let mut message = address_for(asked);
        message.edns = None;
        vec![Act::Say(message)]
    })
    .await;
    let upstream = upstream(vec![bad.server()]);
    truth(&upstream, "one.test").await;
    let state = &upstream.state()[0];
    assert!(state.packet_bad_opt);
    assert_eq!(state.possible_feature_level, "UDP");
}

#[tokio::test]
async fn tcp_alone_is_found_out() {
    let tcp_only = Fake::new(|asked| match asked.tcp {
        true => vec![Act::Say(address_for(asked))],
        false => vec![],
    })
    .await;
    let upstream = upstream(vec![tcp_only.server()]);
    let mut questions = 0;
    while lookup(&upstream, "x.test").await.is_err() {
        questions += 1;
        assert!(questions < 3);
    }
    assert_eq!(upstream.state()[0].possible_feature_level, "TCP");
    assert!(timed(&upstream, "two.test").await < Duration::from_millis(200));
}

#[tokio::test]
async fn cookies_are_kept_and_sent() {
    let server_part = [7; 16];
    let baker = Fake::new(move |asked| {
        let mut message = address_for(asked);
        let mut cookie = asked.cookie().unwrap();
        cookie.truncate(8);
        cookie.extend(server_part);
        with_option(&mut message, 10, cookie);
        vec![Act::Say(message)]
    })
    .await;
    let upstream = upstream(vec![baker.server()]);
    truth(&upstream, "one.test").await;
    truth(&upstream, "two.test").await;
    let cookies: Vec<_> = baker
        .all()
        .iter()
        .map(|asked| asked.cookie().unwrap())
        .collect();
    assert_eq!(cookies[0].len(), 8);
    assert_eq!(cookies[1], [&cookies[0][..], &server_part].concat());
}

#[tokio::test]
async fn a_wrong_cookie_is_somebody_elses() {
    let spoofed = Fake::new(|asked| {
        let mut acts = Vec::new();
        let mut lie = with_address(asked, LIE);
        with_option(&mut lie, 10, vec![0; 24]);
        acts.push(Act::Say(lie));
        // Once it is known that the server has cookies, an answer without is one too.
        if asked.cookie().unwrap().len() > 8 {
            acts.push(Act::Say(with_address(asked, LIE)));
        }
        let mut truth = address_for(asked);
        let mut cookie = asked.cookie().unwrap();
        cookie.truncate(8);
        cookie.extend([9; 8]);
        with_option(&mut truth, 10, cookie);
        acts.extend([Act::Wait(Duration::from_millis(50)), Act::Say(truth)]);
        acts
    })
    .await;
    let upstream = upstream(vec![spoofed.server()]);
    for _ in 0..3 {
        truth(&upstream, "cookie.test").await;
    }
    assert!(spoofed.count() <= 4);
}

#[tokio::test]
async fn a_server_may_lose_its_cookies() {
    let count = AtomicUsize::new(0);
    let forgetful = Fake::new(move |asked| {
        let mut message = address_for(asked);
        if count.fetch_add(1, Ordering::Relaxed) == 0 {
            let mut cookie = asked.cookie().unwrap();
            cookie.extend([9; 8]);
            with_option(&mut message, 10, cookie);
        }
        vec![Act::Say(message)]
    })
    .await;
    let upstream = upstream(vec![forgetful.server()]);
    truth(&upstream, "one.test").await;
    assert!(timed(&upstream, "two.test").await < Duration::from_secs(1));
    assert!(timed(&upstream, "three.test").await < Duration::from_millis(200));
}

#[tokio::test]
async fn bad_cookies_are_renewed_then_left_for_tcp() {
    for always in [false, true] {
        let strict = Fake::new(move |asked| {
            let mut cookie = asked.cookie().unwrap_or_default();
            let good = asked.tcp || (cookie.len() > 8 && !always);
            cookie.truncate(8);
            cookie.extend([5; 8]);
            let mut message = match good {
                true => address_for(asked),
                false => rcode(asked, ResponseCode::BADCOOKIE),
            };
            with_option(&mut message, 10, cookie);
            vec![Act::Say(message)]
        })
        .await;
        assert!(
            timed(&upstream(vec![strict.server()]), "one.test").await < Duration::from_millis(300)
        );
        assert_eq!(strict.last().tcp, always);
    }
}

#[tokio::test]
async fn connections_are_shared_reopened_and_closed_when_idle() {
    let closing = Fake::new(|asked| {
        if !asked.tcp {
            let mut message = response_to(asked);
            message.metadata.truncation = true;
            return vec![Act::Say(message)];
        }
        let mut acts = vec![Act::Say(address_for(asked))];
        if asked.name().to_lowercase() == n("last.test") {
            acts.push(Act::Close);
        }
        acts
    })
    .await;
    let upstream = upstream(vec![closing.server()]);
    let together: Vec<_> = (0..20).map(|index| format!("q{index}.test")).collect();
    futures_util::future::join_all(together.iter().map(|name| truth(&upstream, name))).await;
    truth(&upstream, "last.test").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    truth(&upstream, "after.test").await;
    let connections: std::collections::BTreeSet<_> = closing
        .all()
        .iter()
        .filter(|asked| asked.tcp)
        .map(|asked| asked.connection)
        .collect();
    assert_eq!(connections.len(), 2, "{connections:?}");
}

#[tokio::test]
async fn who_is_not_asked() {
    let honest = Fake::honest().await;
    let settings = Settings {
        servers: vec![honest.server()],
        stub_addresses: vec![honest.address],
        ..Settings::default()
    };
    let upstream = Upstream::new(settings.clone());
    assert_eq!(
        lookup(&upstream, "x.test").await.unwrap_err(),
        Failure::StubLoop
    );
    assert!(upstream.update(Settings::default()));
    assert_eq!(
        lookup(&upstream, "x.test").await.unwrap_err(),
        Failure::NoNameServers
    );
    assert!(upstream.update(Settings {
        stub_addresses: vec![],
        ..settings.clone()
    }));
    truth(&upstream, "x.test").await;
    assert!(!upstream.update(Settings {
        stub_addresses: vec![],
        ..settings
    }));
    assert_eq!(honest.count(), 1);
}

#[tokio::test]
async fn no_way_there_is_no_network() {
    // RFC 6666: the discard prefix has no route where there is no IPv6 default route; else it is silent.
    let server = DnsServer::new("100::1".parse().unwrap());
    let result = lookup(&upstream(vec![server]), "x.test").await;
    assert!(
        matches!(
            result,
            Err(Failure::NetworkDown | Failure::TimedOut | Failure::MaxAttempts)
        ),
        "{result:?}"
    );
}
