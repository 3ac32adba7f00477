//! Attributes: `struct rtattr` of linux/rtnetlink.h.

use std::net::IpAddr;

use crate::message::{u16_at, u32_at};

/// NLA_F_NESTED and NLA_F_NET_BYTEORDER, which are no part of the number.
const FLAGS: u16 = 0xc000;

/// Bytes of the header.
const HEADER: usize = 4;

/// What one attribute holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a>(pub &'a [u8]);

/// The attributes in these bytes: number and value. What is cut short ends them.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, Value<'_>)> {
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        let number = u16_at(bytes, 2)? & !FLAGS;
        let value = bytes.get(HEADER..length)?;
        // Each begins at a multiple of four.
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((number, Value(value)))
    })
}

impl<'a> Value<'a> {
    pub fn u8(self) -> Option<u8> {
        self.0.first().copied()
    }

    pub fn u32(self) -> Option<u32> {
        u32_at(self.0, 0)
    }

    /// Text up to its NUL. The kernel takes names of links in any encoding; one that is not UTF-8 nobody can ask for.
    pub fn text(self) -> String {
        let text = self.0.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }

    /// An address; its length says of which family.
    pub fn address(self) -> Option<IpAddr> {
        match self.0.len() {
            4 => <[u8; 4]>::try_from(self.0).ok().map(IpAddr::from),
            16 => <[u8; 16]>::try_from(self.0).ok().map(IpAddr::from),
            _ => None,
        }
    }

    /// `struct rtvia`: a family, and an address of it.
    pub fn via(self) -> Option<IpAddr> {
        Value(self.0.get(2..)?).address()
    }

    /// The attributes inside.
    pub fn nested(self) -> impl Iterator<Item = (u16, Value<'a>)> {
        attributes(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_without_flags_and_values_without_padding() {
        let bytes = [5, 0, 3, 0x80, b'x', 0, 0, 0, 8, 0, 4, 0, 1, 0, 0, 0];
        let all: Vec<_> = attributes(&bytes).collect();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].0, all[0].1.text()), (3, "x".to_owned()));
        assert_eq!(
            (all[1].0, all[1].1.u32()),
            (4, Some(u32::from_ne_bytes([1, 0, 0, 0])))
        );
    }

    #[test]
    fn broken_attributes_end_the_walk() {
        let cases: [&[u8]; 5] = [
            &[],
            &[4, 0, 1],
            &[0, 0, 1, 0],
            &[3, 0, 1, 0],
            &[9, 0, 1, 0, 1, 2, 3, 4],
        ];
        for case in cases {
            assert_eq!(attributes(case).count(), 0, "{case:?}");
        }
    }

    #[test]
    fn addresses_by_length() {
        assert_eq!(Value(&[10, 0, 0, 1]).address(), "10.0.0.1".parse().ok());
        assert_eq!(Value(&[0; 16]).address(), "::".parse().ok());
        assert_eq!(Value(&[0; 5]).address(), None);
        assert_eq!(Value(&[2, 0, 10, 0, 0, 1]).via(), "10.0.0.1".parse().ok());
    }
}
