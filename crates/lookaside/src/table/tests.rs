use std::format;
use std::vec::Vec;

use super::Table;
use crate::head::{Complete, LONGEST_LEASE, counter, state};
use crate::question::{Family, Question};
use crate::record::{Answer, Item, NEVER, Verdict};
use crate::trial::{CLOCK, Heap, Part, name};
use crate::words::{Words, WordsMut};

mod room;

const MEBIBYTE: usize = 1 << 20;

fn table(size: usize) -> Table<Heap> {
    let (words, fixed) = Heap::map(size, [3; 16]).unwrap();
    Table::new(words, fixed)
}

fn v4(octets: &[u8; 4]) -> Item<'_> {
    Item::Address { octets, ifindex: 0 }
}

impl<W> Table<W> {
    /// The same entries in other memory.
    pub(crate) fn map_words<V>(self, map: impl FnOnce(W) -> V) -> Table<V> {
        Table {
            words: map(self.words),
            fixed: self.fixed,
            epoch: self.epoch,
            complete: self.complete,
            nonce: self.nonce,
            expires: self.expires,
            asked: self.asked,
            blocks: self.blocks,
        }
    }
}

impl Table<Heap> {
    fn publish(&mut self, question: &Question<'_>, answer: Answer<'_>) -> bool {
        self.put(CLOCK, question, answer, CLOCK + 60)
    }

    fn ask(&self, question: &Question<'_>) -> Verdict {
        self.words.lookup(CLOCK, question).0
    }

    fn has(&self, question: &Question<'_>) -> bool {
        self.ask(question) != Verdict::Miss
    }
}

#[test]
fn every_kind_of_answer_comes_back() {
    let mut table = table(MEBIBYTE);
    let link_local = Item::Address {
        octets: &[0xfe; 16],
        ifindex: 0x0102_0304,
    };
    let parts = [v4(&[192, 0, 2, 1]), link_local, Item::Name(b"web.example")];
    let ttl = Some(60);
    let (web, address) = (name("www.example"), Question::address(&[7; 16]).unwrap());
    assert!(table.publish(&web, Answer::Found(&parts)));
    assert!(table.publish(&address, Answer::Found(&parts[2..])));
    assert!(table.publish(&name("v4.only"), Answer::NoData));
    assert!(table.publish(&name("nobody"), Answer::NotFound));
    assert!(table.publish(&name("some"), Answer::Ask));

    let kept: Vec<Part> = parts.into_iter().map(Part::from).collect();
    let found = Verdict::Found { ttl };
    assert_eq!(
        table.words.lookup(CLOCK, &name("WWW.EXAMPLE")),
        (found, kept.clone())
    );
    assert_eq!(
        table.words.lookup(CLOCK, &address),
        (found, kept[2..].to_vec())
    );
    assert_eq!(table.ask(&name("v4.only")), Verdict::NoData { ttl });
    assert_eq!(table.ask(&name("nobody")), Verdict::NotFound { ttl });
    assert_eq!(table.ask(&name("some")), Verdict::Miss);
    assert_eq!(table.words.load(counter::ENTRIES), 5);
}

#[test]
fn another_family_kind_or_name_is_another_question() {
    let mut table = table(MEBIBYTE);
    table.publish(&name("abcd"), Answer::NoData);
    for other in [
        Question::name(b"abcd", Family::Inet),
        Question::name(b"abcd", Family::Inet6),
        Question::name(b"abcd.", Family::Any),
        Question::name(b"abc", Family::Any),
        Question::address(b"abcd"),
    ] {
        assert_eq!(table.ask(&other.unwrap()), Verdict::Miss);
    }
}

#[test]
fn an_answer_holds_for_its_time() {
    let mut table = table(MEBIBYTE);
    table.put(CLOCK, &name("short"), Answer::NoData, CLOCK + 2);
    table.put(CLOCK, &name("long"), Answer::NoData, NEVER);
    let at = |second: u32, name: &Question<'_>| {
        table.words.store(state::LEASE, CLOCK + second + 1);
        table.words.lookup(CLOCK + second, name).0
    };
    let (short, long) = (name("short"), name("long"));
    assert_eq!(at(0, &short), Verdict::NoData { ttl: Some(2) });
    assert_eq!(at(1, &short), Verdict::NoData { ttl: Some(1) });
    assert_eq!(at(2, &short), Verdict::Miss);
    assert_eq!(at(1_000_000, &long), Verdict::NoData { ttl: None });
}

#[test]
fn time_asleep_counts() {
    let mut table = table(MEBIBYTE);
    table.put(CLOCK, &name("a"), Answer::NoData, CLOCK + 60);
    table.words.store(state::ASLEEP, 50);
    table.words.store(state::LEASE, CLOCK + 55);
    assert_eq!(table.ask(&name("a")), Verdict::NoData { ttl: Some(10) });
}

#[test]
fn nothing_is_answered_without_a_lease() {
    let mut table = table(MEBIBYTE);
    table.publish(&name("a"), Answer::NoData);
    table.set_complete(Complete::All);
    for (lease, answers) in [
        (0, false),
        (CLOCK - 1, false),
        (CLOCK, false),
        (CLOCK + 1, true),
        (CLOCK + LONGEST_LEASE, true),
        (CLOCK + LONGEST_LEASE + 1, false),
        (u32::MAX, false),
    ] {
        table.words.store(state::LEASE, lease);
        assert_eq!(table.has(&name("a")), answers, "{lease}");
        assert_eq!(table.has(&name("b")), answers, "{lease}");
    }
    table.words.store(state::LEASE, CLOCK + 5);
    table.words.store(state::RETIRED, 1);
    assert!(!table.has(&name("a")) && !table.has(&name("b")));
}

#[test]
fn a_later_answer_takes_the_place_of_an_earlier() {
    let mut table = table(MEBIBYTE);
    let a = name("a");
    let (short, long) = ([v4(&[1; 4])], [v4(&[2; 4]); 100]);
    for _ in 0..10 {
        for parts in [&short[..], &long, &long[..99], &short] {
            assert!(table.publish(&a, Answer::Found(parts)));
            let kept: Vec<Part> = parts.iter().copied().map(Part::from).collect();
            assert_eq!(table.words.lookup(CLOCK, &a).1, kept);
            let long_entries = u32::from(parts.len() > 1);
            assert_eq!(table.words.load(counter::BLOCKS), long_entries);
        }
    }
    assert_eq!(table.words.load(counter::ENTRIES), 1);
}

#[test]
fn what_was_removed_is_gone() {
    let mut table = table(MEBIBYTE);
    let empty = table.words.bytes();
    table.publish(&name("a"), Answer::Found(&[v4(&[1; 4])]));
    table.remove(&name("a"));
    assert_eq!(table.ask(&name("a")), Verdict::Miss);
    table.remove(&name("a"));
    // But for the sequence of its slot, and the counters.
    let changed = table.words.bytes();
    let changed = changed
        .iter()
        .zip(&empty)
        .skip(4096)
        .filter(|(a, b)| a != b);
    assert_eq!(changed.count(), 1);
}

#[test]
fn voiding_takes_all_at_once() {
    let mut table = table(MEBIBYTE);
    let names: Vec<Question<'_>> = (0..500).map(|at| name(&format!("host-{at}"))).collect();
    for name in &names {
        table.publish(name, Answer::NoData);
    }
    table.set_complete(Complete::All);
    table.void();
    assert!(!names.iter().any(|name| table.has(name)));
    assert!(!table.has(&name("unknown")));
    assert_eq!(table.words.load(counter::ENTRIES), 0);
    table.publish(&names[0], Answer::NoData);
    assert!(table.has(&names[0]));
}

#[test]
fn an_entry_of_an_earlier_epoch_is_void() {
    let mut table = table(MEBIBYTE);
    table.publish(&name("a"), Answer::NoData);
    table.words.store(state::EPOCH, 1);
    assert!(!table.has(&name("a")));
}

#[test]
fn a_complete_map_knows_what_does_not_exist() {
    let mut table = table(MEBIBYTE);
    table.publish(&name("a"), Answer::NoData);
    assert_eq!(table.ask(&name("b")), Verdict::Miss);
    table.set_complete(Complete::All);
    assert_eq!(table.ask(&name("b")), Verdict::NotFound { ttl: None });
    table.publish(&name("b"), Answer::Ask);
    assert_eq!(table.ask(&name("b")), Verdict::Miss);
    table.remove(&name("b"));
    assert_eq!(table.ask(&name("b")), Verdict::NotFound { ttl: None });
    // Names alone.
    let address = Question::address(&[192, 0, 2, 1]).unwrap();
    assert_eq!(table.ask(&address), Verdict::NotFound { ttl: None });
    table.set_complete(Complete::Names);
    assert_eq!(table.ask(&address), Verdict::Miss);
    assert_eq!(table.ask(&name("b")), Verdict::NotFound { ttl: None });
    // What has expired did exist.
    table.put(CLOCK, &name("c"), Answer::NoData, CLOCK);
    assert_eq!(table.ask(&name("c")), Verdict::Miss);
}

#[test]
fn an_entry_whose_writer_was_killed_is_a_miss() {
    let mut table = table(MEBIBYTE);
    table.publish(&name("a"), Answer::NoData);
    table.set_complete(Complete::All);
    let geometry = table.fixed.geometry;
    let slot = (0..geometry.slots()).find(|slot| table.is_used(*slot));
    let sequence = geometry.slot(slot.unwrap());
    table.words.store(sequence, table.words.load(sequence) | 1);
    assert_eq!(table.ask(&name("a")), Verdict::Miss);
}
