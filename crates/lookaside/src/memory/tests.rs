use std::format;
use std::string::String;
use std::vec::Vec;

use loom::sync::Arc;
use loom::thread;

use super::*;
use crate::head::Complete;
use crate::model::{Shared, check};
use crate::question::Family;
use crate::record::{Answer, Item, Kind, NEVER, Verdict};
use crate::table::Table;
use crate::trial::{CLOCK, Heap, Part, name};
use crate::words::WordsMut;

const SIZE: usize = 1 << 20;

fn table() -> Table<Heap> {
    let (words, fixed) = Heap::map(SIZE, [3; 16]).unwrap();
    Table::new(words, fixed)
}

fn ask(table: &Table<Heap>, memory: &Memory, question: &Question<'_>) -> (Verdict, Vec<Part>) {
    table.words().lookup_with(memory, CLOCK, question)
}

/// Makes it impossible to find anything by its hash, as no writer does: what is told then was remembered.
fn hide(table: &Table<Heap>) {
    let geometry = crate::geometry::Geometry::of(SIZE).unwrap();
    for slot in 0..geometry.slots() {
        table.words().store(geometry.tag(slot), 0);
    }
}

#[test]
fn an_answer_is_remembered() {
    let octets = [0x20; 16];
    let items = [
        Item::Address {
            octets: &octets,
            ifindex: 7,
        },
        Item::Address {
            octets: &[192, 0, 2, 1],
            ifindex: 0,
        },
        Item::Name(b"alias.example"),
    ];
    let v4 = Question::address(&[192, 0, 2, 1]).unwrap();
    let inet = Question::name(b"web", Family::Inet).unwrap();
    let (mut table, memory) = (table(), Memory::new());
    let answers = [
        (name("web"), Answer::Found(&items)),
        (inet, Answer::NoData),
        (v4, Answer::Found(&items[2..])),
        (name("none.example"), Answer::NotFound),
    ];
    for (question, answer) in &answers {
        table.put(CLOCK, question, *answer, CLOCK + 9);
    }
    let told = answers.map(|(question, _)| (question, ask(&table, &memory, &question)));
    assert_eq!(told[0].1.1.len(), 3);
    hide(&table);
    // Two in each row of two; these four are in different ones.
    for (question, told) in &told {
        assert_ne!(told.0, Verdict::Miss);
        assert_eq!(ask(&table, &memory, question), *told, "{question:?}");
    }
    let other = Question::name(b"web", Family::Inet6).unwrap();
    for question in [name("wea"), name("webb"), name("web\0"), name("we"), other] {
        assert_eq!(ask(&table, &memory, &question).0, Verdict::Miss);
    }
}

#[test]
fn it_holds_for_as_long_as_the_map_has_it() {
    let (mut table, memory, question) = (table(), Memory::new(), name("web.example"));
    let absent = Verdict::NotFound { ttl: Some(9) };
    table.put(CLOCK, &question, Answer::NotFound, CLOCK + 9);
    for _ in 0..2 {
        assert_eq!(ask(&table, &memory, &question).0, absent);
    }
    // As time goes by.
    let later = |clock| table.words().lookup_with(&memory, clock, &question).0;
    assert_eq!(later(CLOCK + 4), Verdict::NotFound { ttl: Some(5) });
    assert_eq!(later(CLOCK + 5), Verdict::Miss, "the lease");
    table.put(CLOCK, &question, Answer::NoData, NEVER);
    assert_eq!(
        ask(&table, &memory, &question).0,
        Verdict::NoData { ttl: None }
    );
    table.remove(&question);
    assert_eq!(ask(&table, &memory, &question).0, Verdict::Miss);
    table.put(CLOCK, &question, Answer::NotFound, CLOCK + 9);
    assert_eq!(ask(&table, &memory, &question).0, absent);
    table.void();
    assert_eq!(ask(&table, &memory, &question).0, Verdict::Miss);
    table.set_complete(Complete::Names);
    let complete = Verdict::NotFound { ttl: None };
    assert_eq!(ask(&table, &memory, &question).0, complete);
}

#[test]
fn it_is_of_one_map() {
    let (mut table, memory, question) = (table(), Memory::new(), name("web.example"));
    table.put(CLOCK, &question, Answer::NotFound, NEVER);
    assert_ne!(ask(&table, &memory, &question).0, Verdict::Miss);
    hide(&table);
    let recall = |map| {
        let asked = Asked::new(map, &question).unwrap();
        memory.recall(&asked, |_, _| true, &mut [0; ITEMS])
    };
    assert!(recall(1).is_some());
    assert!(recall(2).is_none());
}

#[test]
fn names_of_every_length_are_told_apart() {
    let (mut table, memory) = (table(), Memory::new());
    let names: Vec<String> = (1..=254).map(|length| "x".repeat(length)).collect();
    for (at, text) in names.iter().enumerate() {
        table.put(CLOCK, &name(text), Answer::NotFound, CLOCK + 9 + at as u32);
    }
    for (at, text) in names.iter().enumerate() {
        let told = Verdict::NotFound {
            ttl: Some(9 + at as u32),
        };
        for spelling in [text.clone(), text.to_uppercase()] {
            for _ in 0..2 {
                assert_eq!(ask(&table, &memory, &name(&spelling)).0, told, "{at}");
            }
        }
    }
}

#[test]
fn an_entry_is_written_once_a_second() {
    let memory = Memory::new();
    let questions: Vec<_> = (0..100).map(|at| name(&format!("{at}.example"))).collect();
    let head = |expires| Head {
        expires,
        epoch: 0,
        kind: Kind::NoData,
        length: 0,
        block: None,
    };
    let asked = |question: &Question<'_>| Asked::new(1, question).unwrap();
    let keep = |second, expires| {
        for question in &questions {
            memory.keep(second, &asked(question), (0, 0), head(expires), &[]);
        }
    };
    let recalled = || {
        let recall = |question| memory.recall(&asked(question), |_, _| true, &mut [0; ITEMS]);
        let expires = questions.iter().filter_map(recall).map(|head| head.expires);
        expires.collect::<Vec<_>>()
    };
    keep(1, 10);
    assert_eq!(recalled(), [10; ENTRIES]);
    keep(1, 11);
    assert_eq!(recalled(), [10; ENTRIES]);
    keep(2, 12);
    assert_eq!(recalled(), [12; ENTRIES]);
}

#[test]
fn one_that_was_being_written_at_a_fork_is_done_without() {
    let (mut table, memory, question) = (table(), Memory::new(), name("web.example"));
    for entry in &memory.entries {
        assert!(entry.claim(place::SEQUENCE, 0));
    }
    for expires in [5, 6] {
        table.put(CLOCK, &question, Answer::NotFound, CLOCK + expires);
        let told = Verdict::NotFound { ttl: Some(expires) };
        assert_eq!(ask(&table, &memory, &question).0, told);
    }
    hide(&table);
    assert_eq!(ask(&table, &memory, &question).0, Verdict::Miss);
}

/// What two threads keep and a third one recalls, in every order.
fn keep_and_recall(has_fences: bool) {
    let parts = [
        place::SEQUENCE,
        place::ASKED,
        place::NUMBER,
        place::RECORD,
        place::RECORD + 2,
    ];
    let entry = || {
        let mut entry = Shared::new(Heap::zeros(4 * super::SIZE), parts);
        entry.has_fences = has_fences;
        entry
    };
    let entries = core::array::from_fn(|_| entry());
    let memory = Arc::new(Memory { entries });
    let asked = |which| {
        let mut words = [0; ASKED];
        words[0] = which;
        Asked { words, entry: 0 }
    };
    let keepers: Vec<_> = [1, 2]
        .into_iter()
        .map(|which| {
            let memory = memory.clone();
            let head = Head {
                expires: which,
                epoch: 0,
                kind: Kind::NoData,
                length: 0,
                block: None,
            };
            let keep = move || memory.keep(which, &asked(which), (0, which), head, &[]);
            thread::spawn(keep)
        })
        .collect();
    for which in [1, 2] {
        let is_good = |_, number| {
            assert_eq!(number, which, "torn");
            true
        };
        if let Some(head) = memory.recall(&asked(which), is_good, &mut [0; ITEMS]) {
            assert_eq!(head.expires, which, "torn");
        }
    }
    keepers
        .into_iter()
        .for_each(|keeper| keeper.join().unwrap());
}

#[test]
fn what_is_recalled_is_of_one_answer() {
    check(2, || keep_and_recall(true));
}

#[test]
#[should_panic(expected = "torn")]
fn without_fences_it_would_not_be() {
    check(2, || keep_and_recall(false));
}
