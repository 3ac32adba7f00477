//! Writer and readers in every order that the memory model allows, by loom.
//!
//! The code is that of the map. Of its words those take part that are named; the others are as they were
//! before it began.

use std::vec::Vec;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use crate::geometry::{Geometry, INLINE, PLAIN};
use crate::head::{Complete, Fixed, state};
use crate::memory::Memory;
use crate::question::{Family, Question};
use crate::record::{Answer, HEAD, Item, NEVER, Verdict};
use crate::sequence;
use crate::table::Table;
use crate::trial::{CLOCK, Heap};
use crate::view::View;
use crate::words::{Words, WordsMut};

mod shared;

pub(crate) use shared::Shared;

const SIZE: usize = 16 << 10;

fn name(name: &[u8]) -> Question<'_> {
    Question::name(name, Family::Any).unwrap()
}

/// A map in which `a` and perhaps more is known, and the places of the slot of `a`.
fn known(answer: Answer<'_>, complete: Complete) -> (Table<Heap>, Fixed, Places) {
    let (words, fixed) = Heap::map(SIZE, [3; 16]).unwrap();
    let mut table = Table::new(words, fixed);
    table.put(CLOCK, &name(b"a"), answer, CLOCK + 10);
    table.set_complete(complete);
    let geometry = fixed.geometry;
    let slot = (0..geometry.slots()).find(|slot| table.words().load(geometry.tag(*slot)) != 0);
    let places = Places {
        geometry,
        slot: slot.unwrap(),
    };
    (table, fixed, places)
}

#[derive(Clone, Copy)]
struct Places {
    geometry: Geometry,
    slot: usize,
}

impl Places {
    fn tag(self) -> usize {
        self.geometry.tag(self.slot)
    }

    fn sequence(self) -> usize {
        self.geometry.slot(self.slot)
    }

    /// The nonce and the head of the record.
    fn head(self) -> std::ops::Range<usize> {
        let start = self.sequence();
        start + PLAIN - 1..start + PLAIN + 4
    }
}

/// Checks all orders in which a thread is interrupted so many times, which is what bugs need few of.
pub(crate) fn check(preemptions: usize, work: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(work);
}

#[test]
fn a_sequence_tells_editions_apart_for_two_readers() {
    check(2, || {
        let shared = Shared::new(Heap::zeros(16), [0, 1, 2]);
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || edition(&shared))
            })
            .collect();
        write_edition(&shared);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

#[test]
#[should_panic(expected = "torn")]
fn without_the_readers_fence_it_would_not() {
    loom::model(|| {
        let mut shared = Shared::new(Heap::zeros(16), [0, 1, 2]);
        shared.has_fences = false;
        let reader = shared.clone();
        let reader = thread::spawn(move || edition(&reader));
        write_edition(&shared);
        reader.join().unwrap();
    });
}

fn edition(shared: &Shared) {
    if let Some(number) = sequence::begin(shared, 0) {
        let [one, other] = [1, 2].map(|at| shared.load(at));
        if sequence::holds(shared, 0, number) {
            assert_eq!(one, other, "torn");
        }
    }
}

fn write_edition(shared: &Shared) {
    sequence::write(shared, 0, || {
        shared.store(1, 1);
        shared.store(2, 1);
    });
}

#[test]
fn an_answer_that_changes_is_the_old_or_the_new() {
    check(3, || {
        let (table, fixed, places) = known(Answer::NoData, Complete::Nothing);
        let (mut table, shared) = share(table, places.head().chain([places.sequence()]));
        let reader = thread::spawn(move || shared.lookup(fixed, &name(b"a")));
        table.put(CLOCK, &name(b"a"), Answer::NotFound, CLOCK + 20);
        let verdict = reader.join().unwrap();
        let (old, new) = (
            Verdict::NoData { ttl: Some(10) },
            Verdict::NotFound { ttl: Some(20) },
        );
        assert!([old, new, Verdict::Miss].contains(&verdict), "{verdict:?}");
    });
}

#[test]
fn a_new_answer_is_there_as_a_whole_or_not_at_all() {
    check(3, || {
        let (mut table, fixed, places) = known(Answer::NoData, Complete::Nothing);
        table.remove(&name(b"a"));
        let start = places.sequence();
        let words = (start..places.head().end).chain([places.tag()]);
        let (mut table, shared) = share(table, words);
        let reader = shared.clone();
        let reader = thread::spawn(move || reader.lookup(fixed, &name(b"a")));
        table.put(CLOCK, &name(b"a"), Answer::NotFound, CLOCK + 20);
        let verdict = reader.join().unwrap();
        let new = Verdict::NotFound { ttl: Some(20) };
        assert!([new, Verdict::Miss].contains(&verdict), "{verdict:?}");
        assert_eq!(shared.lookup(fixed, &name(b"a")), new);
    });
}

#[test]
fn a_slot_that_is_used_again_does_not_answer_for_the_old() {
    // Which name goes where is chance; one that goes into the same slot.
    let (_, fixed, places) = known(Answer::NoData, Complete::Nothing);
    let first = |question: &Question<'_>| {
        let seal = crate::seal::Seal::new(&fixed.salt, question);
        let [first, _] = fixed.geometry.candidates(&seal.key);
        first
    };
    let other = b"bcdefghijklmnopqrstuvwxyz"
        .chunks(1)
        .map(name)
        .find(|name| first(name) == places.slot)
        .unwrap();
    check(3, move || {
        let (table, fixed, places) = known(Answer::NoData, Complete::Nothing);
        // Without the key, which would give it away in most orders.
        let [nonce, expires, _, kind, ..] = places.head().collect::<Vec<_>>()[..] else {
            return;
        };
        let words = [places.tag(), places.sequence(), nonce, expires, kind];
        let (mut table, shared) = share(table, words);
        let reader = thread::spawn(move || shared.lookup(fixed, &name(b"a")));
        table.remove(&name(b"a"));
        table.put(CLOCK, &other, Answer::NotFound, CLOCK + 20);
        let verdict = reader.join().unwrap();
        let old = Verdict::NoData { ttl: Some(10) };
        assert!([old, Verdict::Miss].contains(&verdict), "{verdict:?}");
    });
}

#[test]
fn a_block_that_is_used_again_is_not_part_of_the_old_answer() {
    // One name, which may be any bytes, so that it would be believed.
    const LENGTH: usize = 4 * (INLINE + 2 - HEAD) - 2;
    check(3, || {
        let (old, new) = ([b'o'; LENGTH], [b'n'; LENGTH]);
        let (table, fixed, places) = known(Answer::Found(&[Item::Name(&old)]), Complete::Nothing);
        let block = fixed.geometry.block(0).unwrap();
        let start = places.sequence();
        let words = [places.tag(), start, start + 1, block, block + 1];
        let (mut table, shared) = share(table, words);
        let reader = thread::spawn(move || {
            let view = View {
                words: &shared,
                origin: &fixed,
                memory: &Memory::new(),
                map: 1,
            };
            let mut found = Vec::new();
            let verdict = view.lookup(CLOCK, &name(b"a"), &mut |item| {
                if let Item::Name(name) = item {
                    found.extend_from_slice(name);
                }
            });
            (verdict, found)
        });
        table.remove(&name(b"a"));
        table.put(
            CLOCK,
            &name(b"b"),
            Answer::Found(&[Item::Name(&new)]),
            NEVER,
        );
        let (verdict, found) = reader.join().unwrap();
        assert!(found == old || verdict == Ok(Verdict::Miss), "{found:?}");
    });
}

#[test]
fn after_all_was_voided_nothing_is_found() {
    check(3, || {
        let (table, fixed, places) = known(Answer::NoData, Complete::All);
        let words = [
            places.tag(),
            places.sequence(),
            state::EPOCH,
            state::COMPLETE,
        ];
        let (mut table, shared) = share(table, words);
        let acknowledged = loom::sync::Arc::new(AtomicBool::new(false));
        let heard = acknowledged.clone();
        let reader = thread::spawn(move || {
            let is_void = heard.load(Ordering::Acquire);
            (is_void, shared.lookup(fixed, &name(b"a")))
        });
        table.void();
        acknowledged.store(true, Ordering::Release);
        let (is_void, verdict) = reader.join().unwrap();
        let old = Verdict::NoData { ttl: Some(10) };
        assert!(
            verdict == Verdict::Miss || (verdict == old && !is_void),
            "{verdict:?}"
        );
    });
}

#[test]
fn after_an_answer_was_taken_out_it_is_not_remembered() {
    check(3, || {
        let (table, fixed, places) = known(Answer::NoData, Complete::Nothing);
        let words = [places.tag(), places.sequence(), state::EPOCH];
        let (mut table, shared) = share(table, words);
        let (memory, old) = (Memory::new(), Verdict::NoData { ttl: Some(10) });
        let ask = move |memory: &Memory| shared.lookup_with(memory, fixed, &name(b"a"));
        assert_eq!(ask(&memory), old);
        let acknowledged = loom::sync::Arc::new(AtomicBool::new(false));
        let heard = acknowledged.clone();
        let reader = thread::spawn(move || {
            let is_out = heard.load(Ordering::Acquire);
            (is_out, ask(&memory))
        });
        table.remove(&name(b"a"));
        acknowledged.store(true, Ordering::Release);
        let (is_out, verdict) = reader.join().unwrap();
        assert!(
            verdict == Verdict::Miss || (verdict == old && !is_out),
            "{verdict:?}"
        );
    });
}

#[test]
fn what_made_room_in_a_complete_map_is_not_said_not_to_exist() {
    check(3, || {
        let (table, fixed, places) = known(Answer::NoData, Complete::All);
        let words = [places.tag(), places.sequence(), state::COMPLETE];
        let (mut table, shared) = share(table, words);
        let reader = thread::spawn(move || shared.lookup(fixed, &name(b"a")));
        table.evict(places.slot);
        let verdict = reader.join().unwrap();
        let old = Verdict::NoData { ttl: Some(10) };
        assert!([old, Verdict::Miss].contains(&verdict), "{verdict:?}");
    });
}

/// The table with memory in which these words are shared.
fn share(table: Table<Heap>, words: impl IntoIterator<Item = usize>) -> (Table<Shared>, Shared) {
    let mut shared = None;
    let table = table.map_words(|before| shared.insert(Shared::new(before, words)).clone());
    (table, shared.unwrap())
}
