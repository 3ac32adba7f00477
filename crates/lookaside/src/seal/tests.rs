use std::format;
use std::vec::Vec;

use super::Seal;
use crate::question::{Family, Question};
use crate::record::{Answer, Item, NEVER, Verdict};
use crate::table::Table;
use crate::trial::{CLOCK, Heap, name};

/// Of a question, and of the second pair of words in the edition with nonce 7: by the reference implementation and by Python, for the seal of
/// docs/lookaside.md.
const KEY: [u8; 16] = [
    0x83, 0x88, 0xde, 0x0a, 0x1a, 0x9a, 0x02, 0x0d, 0x35, 0x7c, 0x37, 0xc7, 0x24, 0xb6, 0xdb, 0xfe,
];
const MASK: [u8; 8] = [0x85, 0x3b, 0x47, 0x27, 0x39, 0x57, 0x00, 0xb4];

fn map() -> Table<Heap> {
    let (words, fixed) = Heap::map(1 << 20, [3; 16]).unwrap();
    Table::new(words, fixed)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn who_does_not_know_a_name_finds_neither_it_nor_its_answer() {
    let mut map = map();
    let octets = [198, 51, 100, 77];
    let v6 = *b"\x20\x01\x0d\xb8somewhere!!!";
    let address = |octets| Item::Address { octets, ifindex: 0 };
    let parts = [
        address(&octets),
        address(&v6),
        Item::Name(b"real-name.example"),
    ];
    let known: Vec<Question<'_>> = (0..100)
        .map(|at| name(&format!("secret-{at}.example")))
        .collect();
    for question in &known {
        assert!(map.put(CLOCK, question, Answer::Found(&parts), NEVER));
    }
    map.put(
        CLOCK,
        &Question::address(&octets).unwrap(),
        Answer::Found(&parts[2..]),
        NEVER,
    );

    let bytes = map.words().bytes();
    for plain in [
        &b"secret"[..],
        b"SECRET",
        b"example",
        b"real-name",
        &octets,
        &v6[..8],
    ] {
        assert!(!contains(&bytes, plain), "{}", plain.escape_ascii());
    }
    for at in 0..10_000 {
        let wrong = name(&format!("secret-{at}.example.org"));
        assert_eq!(map.words().lookup(CLOCK, &wrong).0, Verdict::Miss);
    }
    assert!(
        known
            .iter()
            .all(|known| map.words().lookup(CLOCK, known).0 != Verdict::Miss)
    );
}

#[test]
fn equal_answers_do_not_look_alike() {
    let salt = [3; 16];
    let (one, other) = (Seal::new(&salt, &name("a")), Seal::new(&salt, &name("b")));
    assert_ne!(one.key, other.key);
    assert_ne!(one.mask(1, 0), other.mask(1, 0));
    // Nor do two editions, nor two parts of one.
    assert_ne!(one.mask(1, 0), one.mask(2, 0));
    assert_ne!(one.mask(1, 0), one.mask(1, 1));
    // Nor do those of another file.
    let elsewhere = Seal::new(&[4; 16], &name("a"));
    assert_ne!(one.key, elsewhere.key);
    assert_ne!(one.mask(1, 0), elsewhere.mask(1, 0));
}

#[test]
fn a_key_is_as_documented() {
    let salt = core::array::from_fn(|at| at as u8);
    let question = Question::name(b"www.EXAMPLE.com", Family::Inet).unwrap();
    let seal = Seal::new(&salt, &question);
    let key: Vec<u8> = seal.key.0.into_iter().flat_map(u32::to_ne_bytes).collect();
    assert_eq!(key, KEY);
    let mask: Vec<u8> = seal
        .mask(7, 1)
        .into_iter()
        .flat_map(u32::to_ne_bytes)
        .collect();
    assert_eq!(mask, MASK);
}
