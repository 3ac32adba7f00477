//! The property of the fuzzing target, for bytes at random: whatever they are, what a reader makes of them
//! is of the form that is promised.

use std::vec::Vec;

use super::{is_well_formed, try_changed, try_map, try_record};
use crate::geometry::Geometry;
use crate::head::{Fixed, fixed, state};
use crate::record::Verdict;
use crate::trial::{CLOCK, Heap};
use crate::words::WordsMut;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        // Knuth's MMIX.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

#[test]
fn a_map_of_random_bytes_is_no_map() {
    let mut random = Random(1);
    for _ in 0..100 {
        let size = random.below(40_000) as usize;
        assert_eq!(try_map(&random.bytes(size)), (Verdict::Miss, Vec::new()));
    }
}

#[test]
fn a_map_with_a_good_header_and_random_entries_is_believed_in_form_alone() {
    let mut random = Random(2);
    let size = 16 << 10;
    let geometry = Geometry::of(size).unwrap();
    for _ in 0..300 {
        let map = Heap::zeros(size);
        for at in 0..size / 4 {
            // Few different ones, so that tags and sequences meet.
            map.store(at, random.below(3));
        }
        for (at, word) in Fixed::words(geometry, size) {
            map.store(at, word);
        }
        map.store(fixed::SALT, random.next());
        map.store(state::RETIRED, 0);
        map.store(state::ASLEEP, 0);
        map.store(state::LEASE, CLOCK + random.below(4));
        assert!(is_well_formed(&try_map(&map.bytes())));
    }
}

#[test]
fn a_record_of_random_bytes_is_believed_in_form_alone() {
    let mut random = Random(3);
    let (mut found, mut absent, mut missed) = (0, 0, 0);
    for _ in 0..4000 {
        let mut items = Vec::new();
        let end = random.below(64) * random.below(10);
        while items.len() < end as usize {
            // Seldom one that there is not.
            let [kind, other] = [random.below(40), random.next()];
            let kind = [1, 4, 6, other as u8][(kind % 13 / 4) as usize];
            items.push(kind);
            let size = match kind {
                1 => {
                    let size = random.below(30) as u8;
                    items.push(size);
                    size.into()
                }
                4 => 4,
                _ => 20,
            };
            items.extend(random.bytes(size));
        }
        let length = match random.below(4) {
            0 => random.next() >> 16,
            1 => random.below(640),
            _ => items.len() as u32,
        };
        let kind = [1, random.below(6)][random.below(2) as usize];
        let block = random.below(3) * random.below(3) * random.below(3);
        let head = [
            CLOCK + random.below(5),
            random.below(20) / 19,
            kind | length << 16,
            block,
        ];
        let mut record: Vec<u8> = head.into_iter().flat_map(u32::to_ne_bytes).collect();
        record.extend(items);
        let outcome = try_record(&record);
        assert!(is_well_formed(&outcome), "{record:?} {outcome:?}");
        match outcome.0 {
            Verdict::Found { .. } => found += 1,
            Verdict::Miss => missed += 1,
            _ => absent += 1,
        }
    }
    // Else it would show nothing.
    assert!(
        found > 100 && absent > 100 && missed > 100,
        "{found} {absent} {missed}"
    );
}

#[test]
fn a_good_map_with_words_changed_is_believed_in_form_alone() {
    let mut random = Random(4);
    let good = try_changed(&[]);
    assert_eq!(
        (good.0, good.1.len()),
        (Verdict::Found { ttl: Some(60) }, 3)
    );
    let (mut same, mut other, mut missed) = (0, 0, 0);
    for _ in 0..20_000 {
        let mut changes = Vec::new();
        for _ in 0..=random.below(4) {
            let bit = 1 << random.below(32);
            let turned = [bit, random.below(256), random.next()][random.below(3) as usize];
            changes.push(random.below(100) as u8);
            changes.extend(turned.to_ne_bytes());
        }
        let outcome = try_changed(&changes);
        assert!(is_well_formed(&outcome), "{changes:?} {outcome:?}");
        match outcome {
            _ if outcome == good => same += 1,
            (Verdict::Miss, _) => missed += 1,
            _ => other += 1,
        }
    }
    // Else it would show nothing.
    assert!(
        same > 1000 && other > 1000 && missed > 1000,
        "{same} {other} {missed}"
    );
}

/// What fuzzing begins with was made from docs/lookaside.md by another program, on a machine like most.
#[cfg(target_endian = "little")]
#[test]
fn maps_and_records_as_documented_are_read() {
    use super::Part;

    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fuzz/corpus/lookaside_reader"
    );
    let read = |name: &str| {
        let bytes = std::fs::read(std::path::Path::new(corpus).join(name)).unwrap();
        let (kind, bytes) = bytes.split_first().unwrap();
        match kind & 3 {
            0 => try_map(bytes),
            2 => try_changed(bytes),
            _ => try_record(bytes),
        }
    };
    let (v4, mut v6) = (Part::Address([192, 0, 2, 1].to_vec(), 0), [0; 16]);
    (v6[0], v6[1], v6[2], v6[3], v6[15]) = (0x20, 0x01, 0x0d, 0xb8, 1);
    let v6 = Part::Address(v6.to_vec(), 0);
    let name = |name: &str| Part::Name(name.into());
    let ttl = Some(60);
    let found = |parts: &[Part]| (Verdict::Found { ttl }, parts.to_vec());
    assert_eq!(read("map_found"), found(&[v4.clone(), v6.clone()]));
    assert_eq!(
        read("record_both"),
        found(&[v4.clone(), v6.clone(), name("web.example")])
    );
    assert_eq!(read("record_names"), found(&[name("a"), name("b.example")]));
    assert_eq!(read("record_nodata"), (Verdict::NoData { ttl }, Vec::new()));
    assert_eq!(
        read("record_notfound"),
        (Verdict::NotFound { ttl }, Vec::new())
    );
    assert_eq!(read("record_ask"), (Verdict::Miss, Vec::new()));
    assert_eq!(
        read("map_complete"),
        (Verdict::NotFound { ttl: None }, Vec::new())
    );
    assert_eq!(read("changed_not"), try_changed(&[]));
    assert_eq!(read("changed_retired"), (Verdict::Miss, Vec::new()));
    assert_eq!(read("changed_complete").0, Verdict::NotFound { ttl: None });
    let (verdict, parts) = read("record_long");
    assert_eq!((verdict, parts.len()), (Verdict::Found { ttl }, 17));
    assert_eq!(
        (parts.first(), parts.last()),
        (Some(&v4), Some(&name("edge.example.net")))
    );
    let (_, parts) = read("record_link");
    assert!(matches!(parts[..], [Part::Address(_, 3)]), "{parts:?}");
}
