//! A query in wire form, read in place: RFC 1035, 4; RFC 6891, 6.1.
//!
//! No allocation, and no byte is looked at twice: a packet costs what it is long.

/// RFC 1035, 4.1.1
pub(super) const HEADER: usize = 12;

/// Bits of the second word of the header.
pub(super) mod bit {
    pub(crate) const RESPONSE: u16 = 1 << 15;
    pub(crate) const OPCODE: u16 = 0xf << 11;
    pub(crate) const AUTHORITATIVE: u16 = 1 << 10;
    pub(crate) const TRUNCATED: u16 = 1 << 9;
    pub(crate) const RECURSION_DESIRED: u16 = 1 << 8;
    pub(crate) const RECURSION_AVAILABLE: u16 = 1 << 7;
    pub(crate) const AUTHENTIC_DATA: u16 = 1 << 5;
    pub(crate) const CHECKING_DISABLED: u16 = 1 << 4;
}

/// The type of the OPT pseudo-record.
const OPT: u16 = 41;

/// What the OPT record of a query says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edns {
    /// The longest UDP message that the client takes; at least 512.
    pub(super) size: u16,
    pub(super) version: u8,
    /// RFC 3225
    pub(super) dnssec_ok: bool,
}

/// A query.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'a> {
    pub(super) id: u16,
    /// The second word of the header.
    pub(super) flags: u16,
    /// The name in wire form, as the client spelt it.
    pub(super) name: &'a [u8],
    pub(super) rtype: u16,
    pub(super) class: u16,
    pub(super) edns: Option<Edns>,
}

impl Query<'_> {
    pub(super) const fn has(&self, bit: u16) -> bool {
        self.flags & bit != 0
    }

    pub(super) fn dnssec_ok(&self) -> bool {
        self.edns.is_some_and(|edns| edns.dnssec_ok)
    }

    /// Whether the client wants to know that an answer is authenticated. RFC 6840, 5.7
    pub(super) fn wants_authentic(&self) -> bool {
        self.has(bit::AUTHENTIC_DATA) || self.dnssec_ok()
    }
}

/// What is no query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Shorter than a header, or a response: an answer could go round for ever.
    Ignored,
    /// Another operation than QUERY; the header, to answer.
    NotImplemented([u8; 4]),
    /// Broken; the header, to answer.
    Malformed([u8; 4]),
}

/// Reads a packet. What stands after the last record is of no interest.
pub(super) fn parse(packet: &[u8]) -> Result<Query<'_>, Wrong> {
    let mut reader = Reader { rest: packet };
    let (Some(id), Some(flags)) = (reader.u16(), reader.u16()) else {
        return Err(Wrong::Ignored);
    };
    if packet.len() < HEADER || flags & bit::RESPONSE != 0 {
        return Err(Wrong::Ignored);
    }
    let [i0, i1] = id.to_be_bytes();
    let [f0, f1] = flags.to_be_bytes();
    if flags & bit::OPCODE != 0 {
        return Err(Wrong::NotImplemented([i0, i1, f0, f1]));
    }
    reader
        .query(id, flags)
        .ok_or(Wrong::Malformed([i0, i1, f0, f1]))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn query(&mut self, id: u16, flags: u16) -> Option<Query<'a>> {
        let counts = [self.u16()?, self.u16()?, self.u16()?];
        let additionals = self.u16()?;
        if counts != [1, 0, 0] || flags & bit::TRUNCATED != 0 {
            return None;
        }
        let mut query = Query {
            id,
            flags,
            name: self.plain_name()?,
            rtype: self.u16()?,
            class: self.u16()?,
            edns: None,
        };
        for _ in 0..additionals {
            if let Some(edns) = self.record()? {
                // RFC 6891, 6.1.1: one at most.
                if query.edns.replace(edns).is_some() {
                    return None;
                }
            }
        }
        Some(query)
    }

    /// A name without a pointer: nothing stands before the first one that could be pointed at.
    fn plain_name(&mut self) -> Option<&'a [u8]> {
        /// RFC 1035, 2.3.4
        const LONGEST: usize = 255;
        let whole = self.rest;
        loop {
            match self.u8()? {
                0 => break,
                length @ 1..=63 => drop(self.take(usize::from(length))?),
                _ => return None,
            }
        }
        let length = whole.len() - self.rest.len();
        whole.get(..length).filter(|name| name.len() <= LONGEST)
    }

    /// A record, of which only OPT is of interest.
    fn record(&mut self) -> Option<Option<Edns>> {
        let is_root = self.skip_name()?;
        let rtype = self.u16()?;
        let class = self.u16()?;
        let [_extended_rcode, version, flags, _] = *self.take(4)? else {
            return None;
        };
        let length = self.u16()?;
        let mut data = Reader {
            rest: self.take(usize::from(length))?,
        };
        if rtype != OPT {
            return Some(None);
        }
        while !data.rest.is_empty() {
            let _code = data.u16()?;
            let length = data.u16()?;
            data.take(usize::from(length))?;
        }
        // RFC 6891, 6.1.2 and 6.2.3
        is_root.then_some(Some(Edns {
            size: class.max(512),
            version,
            dnssec_ok: flags & 0x80 != 0,
        }))
    }

    /// A name that may end in a pointer, which is not followed; whether it is the root.
    fn skip_name(&mut self) -> Option<bool> {
        let mut is_root = true;
        loop {
            match self.u8()? {
                0 => return Some(is_root),
                length @ 1..=63 => drop(self.take(usize::from(length))?),
                0xc0.. => {
                    self.u8()?;
                    return Some(false);
                }
                _ => return None,
            }
            is_root = false;
        }
    }

    fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn u16(&mut self) -> Option<u16> {
        let (word, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u16::from_be_bytes(*word))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}
