//! What there is room for, and what makes room.

use std::format;
use std::string::String;
use std::vec::Vec;

use super::{MEBIBYTE, table, v4};
use crate::geometry::{BLOCK, INLINE};
use crate::head::{Complete, counter, state};
use crate::question::Question;
use crate::record::{Answer, HEAD, Item, NEVER, Verdict};
use crate::trial::{CLOCK, name};
use crate::words::{Words, WordsMut};

#[test]
fn four_mebibytes_have_room_for_16384_typical_answers() {
    let mut table = table(4 * MEBIBYTE);
    let names: Vec<Question<'_>> = (0..16_384)
        .map(|at| name(&format!("host-{at}.example.com")))
        .collect();
    for name in &names {
        let parts = [
            v4(&[192, 0, 2, 1]),
            Item::Address {
                octets: &[0x20; 16],
                ifindex: 0,
            },
        ];
        assert!(table.publish(name, Answer::Found(&parts)));
    }
    assert!(names.iter().all(|name| table.has(name)));
    assert_eq!(table.words.load(counter::EVICTED), 0);
    assert_eq!(table.words.load(counter::ENTRIES), 16_384);
}

#[test]
fn what_expired_makes_room_first_then_what_was_not_asked_for_the_longest() {
    let mut table = table(16 << 10);
    let slots = table.fixed.geometry.slots();
    let label = |kind: &str, at: usize| name(&format!("{kind}-{at}"));
    // Twice as many as there is room for, of which every other expires soon.
    for at in 0..slots {
        let now = CLOCK + at as u32 / 8;
        table.put(now, &label("old", at), Answer::NoData, CLOCK + 1000);
        table.put(now, &label("brief", at), Answer::NoData, CLOCK + 100);
    }
    let later = CLOCK + 200;
    for at in 0..slots / 2 {
        table.put(later, &label("new", at), Answer::NoData, later + 1000);
    }
    table.words.store(state::LEASE, later + 5);
    let count = |kind: &str, of: core::ops::Range<usize>| {
        let found = |at: &usize| table.words.lookup(later, &label(kind, *at)).0 != Verdict::Miss;
        of.filter(found).count()
    };
    let new = count("new", 0..slots / 2);
    let (oldest, old) = (count("old", 0..slots / 2), count("old", slots / 2..slots));
    assert!(new * 10 >= slots / 2 * 9, "{new} of {}", slots / 2);
    assert!(old > oldest, "{oldest} {old}");
    assert_eq!(count("brief", 0..slots), 0);
    let entries = table.words.load(counter::ENTRIES) as usize;
    assert!(entries <= slots && entries * 10 >= slots * 9, "{entries}");
}

#[test]
fn of_long_answers_the_one_not_asked_for_the_longest_makes_room() {
    let mut table = table(16 << 10);
    let blocks = table.fixed.geometry.buckets();
    let parts = [v4(&[1; 4]); 60];
    let label = |at: usize| name(&format!("long-{at}"));
    for at in 0..blocks + 3 {
        let now = CLOCK + at as u32;
        assert!(table.put(now, &label(at), Answer::Found(&parts), NEVER));
    }
    table.words.store(state::LEASE, CLOCK + 5);
    let found: Vec<bool> = (0..blocks + 3).map(|at| table.has(&label(at))).collect();
    assert_eq!(found.iter().filter(|found| **found).count(), blocks);
    assert!(found[3..].iter().all(|found| *found), "{found:?}");
}

#[test]
fn a_map_that_is_full_is_not_complete() {
    let mut table = table(16 << 10);
    table.set_complete(Complete::All);
    let slots = table.fixed.geometry.slots();
    let names: Vec<Question<'_>> = (0..2 * slots)
        .map(|at| name(&format!("host-{at}")))
        .collect();
    for (at, asked) in names.iter().enumerate() {
        table.publish(asked, Answer::NoData);
        let absent = Verdict::NotFound { ttl: None };
        assert!(
            names[..at]
                .iter()
                .all(|earlier| table.ask(earlier) != absent)
        );
    }
    assert_eq!(table.ask(&name("unknown")), Verdict::Miss);
}

#[test]
fn an_answer_has_as_many_bytes_as_documented_at_most() {
    // Names of two bytes with their two of form, to the last byte.
    let longest = (INLINE + BLOCK - HEAD) * 4;
    assert_eq!(longest, 600);
    let parts = [Item::Name(b"ab"); 151];
    let mut table = table(MEBIBYTE);
    assert!(table.publish(&name("a"), Answer::Found(&parts[..longest / 4])));
    assert_eq!(table.words.lookup(CLOCK, &name("a")).1.len(), 150);
    assert!(!table.publish(&name("a"), Answer::Found(&parts)));
    assert_eq!(table.ask(&name("a")), Verdict::Miss, "it is out of date");
    table.set_complete(Complete::All);
    assert!(!table.publish(&name("b"), Answer::Found(&parts)));
    assert_eq!(table.ask(&name("b")), Verdict::Miss, "it exists");
    assert_eq!(table.words.load(counter::REFUSED), 2);
}

#[test]
fn what_makes_no_sense_is_not_published() {
    let mut table = table(MEBIBYTE);
    let long = String::from_utf8(std::vec![b'a'; 255]).unwrap();
    for item in [
        Item::Name(b""),
        Item::Name(long.as_bytes()),
        Item::Address {
            octets: &[0; 5],
            ifindex: 0,
        },
    ] {
        assert!(!table.publish(&name("a"), Answer::Found(&[item])));
        assert_eq!(table.ask(&name("a")), Verdict::Miss);
    }
}
