//! Lookups from end to end, against a server of the test's own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use std::{net::IpAddr, time::Duration};

use common::{Server, World, a, cname, lookup, run};
use hickory_proto::{
    op::ResponseCode,
    rr::{RData, RecordType, rdata},
};
use resolved::{failure::Failure, flags::Flags, message::Answer, name, request};

const A: &[RecordType] = &[RecordType::A];

fn addresses(answer: &Answer) -> Vec<String> {
    let addresses = answer.records.iter();
    let address = |found: &resolved::message::Found| found.record.data.ip_addr();
    addresses
        .filter_map(address)
        .map(|ip: IpAddr| ip.to_string())
        .collect()
}

#[test]
fn a_name_and_its_alias() {
    run(async {
        let server = Server::start().await;
        server.add("name.test", a("192.0.2.1"));
        server.add("alias.test", cname("name.test"));
        let world = World::new(&format!("DNS={}", server.address));
        let answer = world
            .manager
            .lookup(&lookup("alias.test", A))
            .await
            .unwrap();
        assert_eq!(addresses(&answer), ["192.0.2.1"]);
        assert_eq!(name::format(&answer.name), "name.test");
        assert!(answer.flags.contains(Flags::DNS | Flags::FROM_NETWORK));
        assert_eq!(server.asked.get(), 2);
        let again = world
            .manager
            .lookup(&lookup("ALIAS.test", A))
            .await
            .unwrap();
        assert!(again.flags.contains(Flags::FROM_CACHE));
        assert_eq!(addresses(&again), ["192.0.2.1"]);
        assert_eq!(server.asked.get(), 2);
        let both = [RecordType::A, RecordType::AAAA];
        let both = world
            .manager
            .lookup(&lookup("alias.test", &both))
            .await
            .unwrap();
        assert_eq!(addresses(&both), ["192.0.2.1"]);
        assert_eq!(both.records.len(), 2, "{both:?}");
    });
}

#[test]
fn aliases_end() {
    run(async {
        let server = Server::start().await;
        server.add("loop.test", cname("pool.test"));
        server.add("pool.test", cname("loop.test"));
        server.add("self.test", cname("self.test"));
        for hop in 0..20 {
            server.add(
                &format!("c{hop}.test"),
                cname(&format!("c{}.test", hop + 1)),
            );
        }
        server.add("one.test", cname("two.test"));
        let world = World::new(&format!("DNS={}", server.address));
        for name in ["loop.test", "self.test", "c0.test"] {
            let failed = world.manager.lookup(&lookup(name, A)).await;
            assert!(
                matches!(failed, Err(Failure::CnameLoop)),
                "{name}: {failed:?}"
            );
        }
        let mut unwanted = lookup("one.test", A);
        unwanted.flags |= Flags::NO_CNAME;
        let failed = world.manager.lookup(&unwanted).await;
        assert!(matches!(failed, Err(Failure::CnameLoop)), "{failed:?}");
        let dangling = world.manager.lookup(&lookup("one.test", A)).await.unwrap();
        assert_eq!(dangling.rcode, ResponseCode::NXDomain);
    });
}

#[test]
fn what_is_not_there() {
    run(async {
        let server = Server::start().await;
        server.add("text.test", RData::TXT(rdata::TXT::new(vec!["x".into()])));
        let world = World::new(&format!("DNS={}", server.address));
        let manager = &world.manager;
        let none = request::resolve_hostname(manager, 0, "none.test", 0, 0).await;
        assert!(
            matches!(none, Err(Failure::Rcode(ResponseCode::NXDomain, _))),
            "{none:?}"
        );
        let text = request::resolve_hostname(manager, 0, "text.test", 2, 0).await;
        assert_eq!(text.unwrap_err(), Failure::NoSuchRecord);
        let asked = server.asked.get();
        let none = request::resolve_record(manager, 0, "none.test", 1, 16, 0).await;
        assert!(
            matches!(none, Err(Failure::Rcode(ResponseCode::NXDomain, _))),
            "{none:?}"
        );
        assert_eq!(
            server.asked.get(),
            asked,
            "NXDOMAIN is of the name, not of the type"
        );
    });
}

#[test]
fn the_hosts_file_goes_before() {
    run(async {
        let server = Server::start().await;
        server.add("hosts.test", a("192.0.2.1"));
        let world = World::new(&format!("DNS={}", server.address));
        let answer = world
            .manager
            .lookup(&lookup("hosts.test", A))
            .await
            .unwrap();
        assert_eq!(addresses(&answer), ["192.0.2.99"]);
        assert!(answer.flags.contains(Flags::SYNTHETIC));
        let mut network = lookup("hosts.test", A);
        network.flags |= Flags::NO_SYNTHESIZE;
        let answer = world.manager.lookup(&network).await.unwrap();
        assert_eq!(addresses(&answer), ["192.0.2.1"]);
    });
}

#[test]
fn search_domains_are_tried_in_order() {
    run(async {
        let server = Server::start().await;
        server.add("web.two.test", a("192.0.2.2"));
        server.add("web.three.test", a("192.0.2.3"));
        let world = World::new(&format!(
            "DNS={}\nDomains=one.test two.test three.test ~routed.test",
            server.address
        ));
        let answer = world.manager.lookup(&lookup("web", A)).await.unwrap();
        assert_eq!(addresses(&answer), ["192.0.2.2"]);
        assert_eq!(name::format(&answer.name), "web.two.test");
        let mut exact = lookup("web", A);
        exact.flags |= Flags::NO_SEARCH;
        let failed = world.manager.lookup(&exact).await;
        assert!(matches!(failed, Err(Failure::NoNameServers)), "{failed:?}");
        exact.flags |= Flags::RELAX_SINGLE_LABEL;
        let asked = world.manager.lookup(&exact).await.unwrap();
        assert_eq!(asked.rcode, ResponseCode::NXDomain);
    });
}

#[test]
fn those_who_ask_at_once_share_a_question() {
    run(async {
        let server = Server::start().await;
        server.add("name.test", a("192.0.2.1"));
        server.delay.set(Duration::from_millis(100));
        let world = World::new(&format!("DNS={}", server.address));
        let question = lookup("name.test", A);
        let asking = (0..50).map(|_| world.manager.lookup(&question));
        for answer in futures_util::future::join_all(asking).await {
            assert_eq!(addresses(&answer.unwrap()), ["192.0.2.1"]);
        }
        assert_eq!(server.asked.get(), 1);
        assert_eq!(world.manager.statistics.total_transactions.get(), 1);
        assert_eq!(world.manager.statistics.current_transactions.get(), 0);
    });
}

#[test]
fn stale_answers_stand_in() {
    run(async {
        let server = Server::start().await;
        server.add_for("name.test", 1, a("192.0.2.1"));
        let world = World::new(&format!("DNS={}\nStaleRetentionSec=1h", server.address));
        let question = lookup("name.test", A);
        world.manager.lookup(&question).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2100)).await;
        server.rcode.set(Some(ResponseCode::ServFail));
        let answer = world.manager.lookup(&question).await.unwrap();
        assert_eq!(addresses(&answer), ["192.0.2.1"]);
        assert!(answer.stale && answer.records[0].record.ttl <= 30);
        let mut fresh = question.clone();
        fresh.flags |= Flags::NO_STALE;
        let failed = world.manager.lookup(&fresh).await;
        assert!(
            matches!(failed, Err(Failure::Rcode(ResponseCode::ServFail, _))),
            "{failed:?}"
        );
        assert_eq!(
            world
                .manager
                .statistics
                .total_failed_responses_served_stale
                .get(),
            1
        );
    });
}

#[test]
fn refused_types_are_not_asked_for() {
    run(async {
        let server = Server::start().await;
        server.add("name.test", a("192.0.2.1"));
        let world = World::new(&format!(
            "DNS={}\nRefuseRecordTypes=AAAA HINFO",
            server.address
        ));
        let both = [RecordType::A, RecordType::AAAA];
        let answer = world
            .manager
            .lookup(&lookup("name.test", &both))
            .await
            .unwrap();
        assert_eq!(addresses(&answer), ["192.0.2.1"]);
        assert_eq!(server.asked.get(), 1);
        let refused = world
            .manager
            .lookup(&lookup("name.test", &[RecordType::AAAA]))
            .await;
        assert_eq!(refused.unwrap_err(), Failure::Refused);
    });
}

#[test]
fn nobody_to_ask() {
    run(async {
        let world = World::new("FallbackDNS=");
        let failed = world.manager.lookup(&lookup("name.test", A)).await;
        assert_eq!(failed.unwrap_err(), Failure::NoNameServers);
        let local = world.manager.lookup(&lookup("localhost", A)).await.unwrap();
        assert_eq!(addresses(&local), ["127.0.0.1"]);
    });
}

#[test]
fn a_delegate_has_its_domains() {
    run(async {
        let (global, delegate) = (Server::start().await, Server::start().await);
        global.add("a.corp.test", a("192.0.2.1"));
        delegate.add("a.corp.test", a("192.0.2.2"));
        let world = World::new(&format!("DNS={}", global.address));
        world.write(
            "etc/systemd/dns-delegate.d/corp.dns-delegate",
            &format!("[Delegate]\nDNS={}\nDomains=corp.test\n", delegate.address),
        );
        assert!(world.manager.reload().is_empty());
        let answer = world
            .manager
            .lookup(&lookup("a.corp.test", A))
            .await
            .unwrap();
        assert_eq!(addresses(&answer), ["192.0.2.2"]);
        assert_eq!(global.asked.get(), 0);
        assert_eq!(world.manager.delegates().len(), 1);
    });
}
