//! Answers that are given again.

use hickory_proto::op::ResponseCode;

use super::*;
use crate::stub::{
    hot::from_copy,
    reply::{Contents, compose},
    wire::{Given, Moment, Table},
};

const THEN: Moment = Moment {
    generation: 1,
    now: 1000,
};

fn later(seconds: u32) -> Moment {
    Moment {
        now: THEN.now + seconds,
        ..THEN
    }
}

fn keep(table: &mut Table, asked: &Bytes, answers: &[Record], authentic: bool) {
    let packet = asked.bytes();
    let query = query::parse(&packet).unwrap();
    let contents = Contents {
        answers: answers.iter().collect(),
        authentic,
        ..Contents::code(ResponseCode::NoError)
    };
    let reply = compose(&query, &contents, 4096);
    table.put(&query, &reply.message, authentic, THEN);
}

fn given(table: &Table, asked: &Bytes, moment: Moment) -> Option<(Message, Given)> {
    let mut answer = Vec::new();
    let given = from_copy(table, &asked.bytes(), moment, &mut answer);
    assert_eq!(given.is_none(), answer.is_empty());
    given.map(|given| {
        assert_eq!(given.length, answer.len());
        (read(&answer, asked), given)
    })
}

#[test]
fn a_copy_answers_as_the_first_did() {
    let mut table = Table::new(1 << 20);
    keep(
        &mut table,
        &ask("web.test", 1),
        &[a("web.test", 60, 1), a("web.test", 90, 2)],
        true,
    );
    let asked = ask("WEB.Test", 1).id(77).flags(RD | AD).opt(1232, 0, false);
    let (message, _) = given(&table, &asked, later(20)).unwrap();
    assert_eq!(message.queries[0].name().to_string(), "WEB.Test.");
    assert!(message.metadata.authentic_data);
    let told: Vec<_> = message
        .answers
        .iter()
        .map(|record| (record.name.to_string(), record.ttl))
        .collect();
    assert_eq!(
        told,
        [("WEB.Test.".to_owned(), 40), ("WEB.Test.".to_owned(), 70)]
    );
    assert_eq!(message.edns.unwrap().max_payload(), 65494);
    let (plain, _) = given(&table, &ask("web.test", 1), later(0)).unwrap();
    assert!(!plain.metadata.authentic_data && plain.edns.is_none());
}

#[test]
fn a_copy_is_for_its_question_alone() {
    let mut table = Table::new(1 << 20);
    keep(
        &mut table,
        &ask("web.test", 1),
        &[a("web.test", 60, 1)],
        false,
    );
    for asked in [
        ask("web.test", 28),
        ask("web.tes", 1),
        ask("w.eb.test", 1),
        ask("web.test", 1).class(255),
        ask("web.test", 1).opt(1232, 0, true),
        ask("web.test", 1).opt(1232, 1, false),
        ask("web.test", 1).flags(RD | CD),
        ask("web.test", 1).flags(0),
        ask("web.test", 1).flags(RD | 1 << 15),
        ask("web.test", 1).counts([2, 0, 0, 0]),
    ] {
        assert!(
            given(&table, &asked, later(0)).is_none(),
            "{:02x?}",
            asked.bytes()
        );
    }
}

#[test]
fn a_copy_ends() {
    let mut table = Table::new(1 << 20);
    let asked = ask("web.test", 1);
    keep(
        &mut table,
        &asked,
        &[a("web.test", 60, 1), a("web.test", 90, 2)],
        false,
    );
    assert!(given(&table, &asked, later(59)).is_some());
    assert!(given(&table, &asked, later(60)).is_none());
    let flushed = Moment {
        generation: 2,
        ..THEN
    };
    assert!(given(&table, &asked, flushed).is_none());
    keep(
        &mut table,
        &ask("none.test", 1),
        &[a("none.test", 0, 1)],
        false,
    );
    assert!(given(&table, &ask("none.test", 1), later(0)).is_none());
}

#[test]
fn a_hot_one_is_fetched_before_its_end() {
    let mut table = Table::new(1 << 20);
    let asked = ask("web.test", 1);
    keep(&mut table, &asked, &[a("web.test", 100, 1)], false);
    let wants = |now| given(&table, &asked, later(now)).unwrap().1.prefetch;
    assert!(!wants(1) && !wants(2) && !wants(90));
    assert!(wants(91));
    assert!(!wants(92), "once");
}

#[test]
fn who_takes_less_is_not_given_more() {
    let mut table = Table::new(1 << 20);
    let records: Vec<_> = (0..100).map(|last| a("web.test", 60, last)).collect();
    keep(&mut table, &ask("web.test", 1), &records, false);
    assert!(given(&table, &ask("web.test", 1), THEN).is_none());
    assert!(given(&table, &ask("web.test", 1).opt(1232, 0, false), THEN).is_none());
    let (message, _) = given(&table, &ask("web.test", 1).opt(4096, 0, false), THEN).unwrap();
    assert_eq!(message.answers.len(), 100);
}

#[test]
fn copies_stay_within_their_budget() {
    let mut table = Table::new(50_000);
    let hot = ask("hot.test", 1);
    keep(&mut table, &hot, &[a("hot.test", 60, 1)], false);
    for number in 0..2000 {
        let name = format!("n{number}.test");
        keep(&mut table, &ask(&name, 1), &[a(&name, 60, 1)], false);
        assert!(table.bytes() <= 50_000);
        assert!(given(&table, &ask(&name, 1), THEN).is_some());
        assert!(given(&table, &hot, THEN).is_some(), "{number}");
    }
}

#[test]
fn ten_thousand_names_of_two_types_fit_into_a_quarter_of_16_mib() {
    let mut table = Table::new(4 << 20);
    for number in 0..10_000 {
        let name = format!("host-{number}.department.example");
        for rtype in [1, 28] {
            keep(&mut table, &ask(&name, rtype), &[a(&name, 60, 1)], false);
        }
    }
    assert!(table.bytes() > 2 << 20, "{}", table.bytes());
    for number in 0..10_000 {
        let name = format!("host-{number}.department.example");
        assert!(given(&table, &ask(&name, 28), THEN).is_some(), "{number}");
    }
}
