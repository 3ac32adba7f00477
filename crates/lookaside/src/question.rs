//! What is asked.

use crate::blake3::BLOCK;

/// The longest name, with a dot at its end (RFC 1035, section 2.3.4, counts 255 bytes on the wire).
const LONGEST: usize = 254;

/// How much of what is hashed [`Question::start`] is, in eights of bytes.
pub(crate) const START: usize = 5;

/// The family of addresses that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4 and IPv6
    Any,
    /// IPv4
    Inet,
    /// IPv6
    Inet6,
}

/// The kinds of questions, each a bit of its own.
pub(crate) const NAME: u8 = 1;
pub(crate) const ADDRESS: u8 = 2;

impl Family {
    fn number(self) -> u8 {
        match self {
            Family::Any => 0,
            Family::Inet => 4,
            Family::Inet6 => 6,
        }
    }
}

/// A question: kind, family, and the name or the address, which are hashed in this order.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    head: [u8; 2],
    octets: &'q [u8],
}

impl<'q> Question<'q> {
    /// The addresses of a name, whatever its case. `None` if it is empty or longer than 254 bytes: no
    /// map has those. A dot at its end is part of the name; whoever knows that it means nothing takes
    /// it off.
    pub fn name(name: &'q [u8], family: Family) -> Option<Self> {
        matches!(name.len(), 1..=LONGEST).then_some(Self {
            head: [NAME, family.number()],
            octets: name,
        })
    }

    /// The names of an address: 4 or 16 bytes in network order.
    pub fn address(octets: &'q [u8]) -> Option<Self> {
        let family = match octets.len() {
            4 => Family::Inet,
            16 => Family::Inet6,
            _ => return None,
        };
        let head = [ADDRESS, family.number()];
        Some(Self { head, octets })
    }

    /// A number by which it can be told from others, not to be relied on against who chooses names.
    #[cfg(any(test, feature = "writer"))]
    pub fn digest(&self) -> u64 {
        use std::hash::{DefaultHasher, Hasher};
        let mut hasher = DefaultHasher::new();
        self.blocks(|block, length, _| {
            hasher.write(block);
            hasher.write_usize(length);
        });
        hasher.finish()
    }

    /// [`NAME`] or [`ADDRESS`].
    pub(crate) fn kind(&self) -> u32 {
        let [kind, _] = self.head;
        kind.into()
    }

    /// The family that is asked for, as it is hashed.
    pub(crate) fn family(&self) -> u8 {
        let [_, family] = self.head;
        family
    }

    /// The name or the address, as it was put.
    pub(crate) fn octets(&self) -> &[u8] {
        self.octets
    }

    /// The start of what is hashed, by eights, and zeros after its end.
    pub(crate) fn start(&self) -> [u64; START] {
        self.message().eights()
    }

    /// Hands over what is hashed in blocks of [`BLOCK`] bytes, with the length of each and whether it is the last, which
    /// zeros follow.
    pub(crate) fn blocks(&self, mut take: impl FnMut(&[u8; BLOCK], usize, bool)) {
        let mut left = self.head.len().wrapping_add(self.octets.len());
        let mut message = self.message();
        while left > BLOCK {
            take(&message.block(), BLOCK, false);
            left = left.wrapping_sub(BLOCK);
        }
        take(&message.block(), left, true);
    }

    fn message(&self) -> Message<'q> {
        let [kind, _] = self.head;
        Message {
            before: u16::from_le_bytes(self.head).into(),
            rest: self.octets,
            is_name: kind == NAME,
        }
    }
}

/// What is hashed of a question, by eights: what is stored by bytes can't be loaded by words at once.
struct Message<'q> {
    /// The two bytes that come before the rest.
    before: u64,
    rest: &'q [u8],
    is_name: bool,
}

impl Message<'_> {
    /// The next block, with zeros at the end. Not inlined: a module has no room to spare, and only a search needs it.
    #[inline(never)]
    fn block(&mut self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let (places, _) = block.as_chunks_mut();
        for (place, eight) in places.iter_mut().zip(self.eights::<8>()) {
            *place = eight.to_le_bytes();
        }
        block
    }

    /// What comes next, by eights, with zeros at the end.
    fn eights<const N: usize>(&mut self) -> [u64; N] {
        let mut eights = [0; N];
        for place in &mut eights {
            let next = self.eight();
            *place = self.before | next << 16;
            self.before = next >> 48;
            if self.before == 0 && self.rest.is_empty() {
                break;
            }
        }
        eights
    }

    /// The next eight bytes, in lower case if it is a name, the first of them the lowest.
    fn eight(&mut self) -> u64 {
        let eight = match self.rest.split_first_chunk() {
            Some((eight, rest)) => {
                self.rest = rest;
                u64::from_le_bytes(*eight)
            }
            None => {
                let rest = core::mem::take(&mut self.rest);
                let backwards = rest.iter().rev();
                backwards.fold(0, |eight, octet| eight << 8 | u64::from(*octet))
            }
        };
        if self.is_name {
            lower_case(eight)
        } else {
            eight
        }
    }
}

/// Eight bytes at once, as [`u8::to_ascii_lowercase`] does each.
fn lower_case(eight: u64) -> u64 {
    const EACH: u64 = u64::MAX / 0xff;
    const HIGHEST: u64 = EACH << 7;
    // The highest bit of each byte: whether it is as large as `A`, and whether it is larger than `Z`.
    let low = eight & !HIGHEST;
    let is_a = low.wrapping_add(EACH * (0x80 - b'A' as u64));
    let is_beyond = low.wrapping_add(EACH * (0x7f - b'Z' as u64));
    let is_upper = is_a & !is_beyond & !eight & HIGHEST;
    eight | is_upper >> 2
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn message(question: Option<Question<'_>>) -> Vec<u8> {
        let (mut message, mut is_over) = (Vec::new(), false);
        let question = question.unwrap();
        question.blocks(|block, length, is_last| {
            assert!(!is_over && (is_last || length == BLOCK));
            assert!(block[length..].iter().all(|octet| *octet == 0));
            message.extend(&block[..length]);
            is_over = is_last;
        });
        assert!(is_over);
        message
    }

    #[test]
    fn the_case_of_a_name_means_nothing() {
        let question = Question::name(b"Www.EXAMPLE.com", Family::Inet6);
        assert_eq!(message(question), b"\x01\x06www.example.com");
    }

    #[test]
    fn an_address_is_taken_as_it_is() {
        assert_eq!(message(Question::address(b"ABCD")), b"\x02\x04ABCD");
        assert_eq!(message(Question::address(&[b'A'; 16]))[1], 6);
        assert!(Question::address(&[0; 5]).is_none());
    }

    #[test]
    fn what_is_too_long_is_no_question() {
        assert!(Question::name(b"", Family::Any).is_none());
        assert!(Question::name(&[b'a'; 255], Family::Any).is_none());
    }

    #[test]
    fn a_name_of_any_length_is_all_there() {
        for length in 1..=LONGEST {
            let name: Vec<u8> = (0..length).map(|at| b'a' + (at % 26) as u8).collect();
            let message = message(Question::name(&name, Family::Any));
            assert_eq!(message, [&[NAME, 0], name.as_slice()].concat());
        }
    }
}
