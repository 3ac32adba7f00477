//! An answer, as it is under the mask.

use crate::geometry::{BLOCK, INLINE};

/// The words before the items.
pub(crate) const HEAD: usize = 4;
/// The most bytes that items can have.
pub(crate) const LONGEST: usize = (INLINE + BLOCK - HEAD) * 4;
/// The expiry of what never expires.
pub(crate) const NEVER: u32 = u32::MAX;

/// The longest name in an answer (RFC 1035, section 2.3.4), a dot at its end included.
const LONGEST_NAME: usize = 254;

/// A part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// An address of a name's.
    Address {
        /// In network order: 4 bytes of IPv4 or 16 of IPv6.
        octets: &'a [u8],
        /// The link it is on, 0 if it means the same on all. IPv6 alone has such.
        ifindex: u32,
    },
    /// The canonical name, of which an answer with addresses has one or none (it is the one asked for);
    /// or a name of an address's, the canonical one first. Bytes from the daemon, to be checked like
    /// any other of its.
    Name(&'a [u8]),
}

/// What a map has to say. Times are what is left, in seconds; `None` is for as long as the daemon says
/// nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The answer, whose parts have been handed over.
    Found {
        /// For how long it holds.
        ttl: Option<u32>,
    },
    /// There is such a name, but nothing of the family asked for.
    NoData {
        /// For how long that holds.
        ttl: Option<u32>,
    },
    /// There is no such name or address.
    NotFound {
        /// For how long that holds.
        ttl: Option<u32>,
    },
    /// Nothing: the daemon must be asked. No part of an answer has been handed over.
    Miss,
}

/// What is put into a map.
#[cfg(any(test, feature = "writer"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Its parts.
    Found(&'a [Item<'a>]),
    /// There is such a name, but nothing of the family asked for.
    NoData,
    /// There is no such name or address.
    NotFound,
    /// There is an answer, but none that is the same for everybody: the daemon must be asked. In a
    /// complete map something has to stand for it.
    Ask,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Found,
    NoData,
    NotFound,
    Ask,
}

impl Kind {
    fn number(self) -> u32 {
        match self {
            Kind::Found => 1,
            Kind::NoData => 2,
            Kind::NotFound => 3,
            Kind::Ask => 4,
        }
    }

    fn from_number(number: u32) -> Option<Self> {
        [Kind::Found, Kind::NoData, Kind::NotFound, Kind::Ask]
            .into_iter()
            .find(|kind| kind.number() == number)
    }
}

/// What a record begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The second from which on it does not hold.
    pub(crate) expires: u32,
    pub(crate) epoch: u32,
    pub(crate) kind: Kind,
    /// The bytes of its items.
    pub(crate) length: usize,
    /// The block that it goes on in.
    pub(crate) block: Option<usize>,
}

impl Head {
    pub(crate) fn to_words(self) -> [u32; HEAD] {
        [
            self.expires,
            self.epoch,
            self.kind.number() | (self.length as u32) << 16,
            self.block.map_or(0, |block| block as u32 + 1),
        ]
    }

    /// `None` if it makes no sense.
    pub(crate) fn from_words([expires, epoch, form, block]: [u32; HEAD]) -> Option<Self> {
        let head = Self {
            expires,
            epoch,
            kind: Kind::from_number(form & 0xffff)?,
            length: (form >> 16) as usize,
            block: (block as usize).checked_sub(1),
        };
        let room = match head.block {
            Some(_) => INLINE + BLOCK,
            None => INLINE,
        };
        (head.words() <= room).then_some(head)
    }

    /// The words of the whole record.
    pub(crate) fn words(self) -> usize {
        HEAD.wrapping_add(self.length.div_ceil(4))
    }

    /// For how long it holds from `now` on, if it does at all.
    pub(crate) fn ttl(self, now: u32) -> Option<Option<u32>> {
        match self.expires {
            NEVER => Some(None),
            expires => expires.checked_sub(now).filter(|left| *left > 0).map(Some),
        }
    }
}

/// Appends an item. `false` if it makes no sense.
#[cfg(any(test, feature = "writer"))]
pub(crate) fn append(items: &mut std::vec::Vec<u8>, item: &Item<'_>) -> bool {
    match item {
        Item::Name(name) if matches!(name.len(), 1..=LONGEST_NAME) => {
            items.extend([1, name.len() as u8]);
            items.extend_from_slice(name);
        }
        Item::Address { octets, .. } if octets.len() == 4 => {
            items.push(4);
            items.extend_from_slice(octets);
        }
        Item::Address { octets, ifindex } if octets.len() == 16 => {
            items.push(6);
            items.extend(ifindex.to_ne_bytes());
            items.extend_from_slice(octets);
        }
        _ => return false,
    }
    true
}

/// The first item, and what follows it. `None` if it makes no sense.
fn split(items: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (kind, rest) = items.split_first()?;
    match kind {
        1 => {
            let (length, rest) = rest.split_first()?;
            let (name, rest) = rest.split_at_checked(usize::from(*length))?;
            matches!(name.len(), 1..=LONGEST_NAME).then_some((Item::Name(name), rest))
        }
        4 => {
            let (octets, rest) = rest.split_at_checked(4)?;
            Some((Item::Address { octets, ifindex: 0 }, rest))
        }
        6 => {
            let (ifindex, rest) = rest.split_first_chunk()?;
            let (octets, rest) = rest.split_at_checked(16)?;
            let ifindex = u32::from_ne_bytes(*ifindex);
            Some((Item::Address { octets, ifindex }, rest))
        }
        _ => None,
    }
}

/// Hands over the items, if all of them make sense: before that, none.
pub(crate) fn hand_over(items: &[u8], found: &mut dyn FnMut(Item<'_>)) -> bool {
    let mut rest = items;
    while !rest.is_empty() {
        match split(rest) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest = items;
    while let Some((item, after)) = split(rest) {
        found(item);
        rest = after;
    }
    !items.is_empty()
}
