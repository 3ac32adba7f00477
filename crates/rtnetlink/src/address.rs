//! Addresses: `struct ifaddrmsg` and the attributes of linux/if_addr.h.

use std::net::IpAddr;

use crate::{attribute::attributes, message::u32_at};

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;

/// Bytes of `struct ifaddrmsg`.
const HEADER: usize = 8;

/// An address of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Of the link.
    pub ifindex: u32,
    /// Ours, not the peer's.
    pub address: IpAddr,
    /// Bits.
    pub prefix: u8,
    /// RT_SCOPE_*: 0 global, 200 site, 253 link, 254 host.
    pub scope: u8,
    /// IFA_F_*.
    pub flags: u32,
}

impl Address {
    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        let [_family, prefix, flags, scope] = *body.first_chunk()?;
        let ifindex = u32_at(body, 4)?;
        let mut flags = u32::from(flags);
        let (mut local, mut other) = (None, None);
        for (number, value) in attributes(body.get(HEADER..)?) {
            match number {
                IFA_LOCAL => local = value.address(),
                IFA_ADDRESS => other = value.address(),
                // All 32 of them, where the header has room for eight.
                IFA_FLAGS => flags = value.u32().unwrap_or(flags),
                _ => {}
            }
        }
        Some(Self {
            ifindex,
            // With a peer, IFA_ADDRESS is the peer's; without one IPv6 has IFA_ADDRESS alone.
            address: local.or(other)?,
            prefix,
            scope,
            flags,
        })
    }
}
