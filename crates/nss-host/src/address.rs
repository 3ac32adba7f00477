//! Addresses of the two families that NSS knows.

/// `AF_INET` or `AF_INET6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4
    Inet,
    /// IPv6
    Inet6,
}

impl Family {
    /// The family that C numbers so.
    pub fn from_raw(family: i32) -> Option<Self> {
        match family {
            libc::AF_INET => Some(Family::Inet),
            libc::AF_INET6 => Some(Family::Inet6),
            _ => None,
        }
    }

    /// C's number.
    pub fn raw(self) -> i32 {
        match self {
            Family::Inet => libc::AF_INET,
            Family::Inet6 => libc::AF_INET6,
        }
    }

    /// How many bytes an address has.
    pub fn size(self) -> usize {
        match self {
            Family::Inet => 4,
            Family::Inet6 => 16,
        }
    }
}

/// An address in network order, with the link it is on if it means nothing without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    family: Family,
    /// The first [`Family::size`] bytes; zero beyond.
    octets: [u8; 16],
    scope: u32,
}

impl Address {
    /// An address of 4 or 16 bytes, received from or by the link `ifindex` (0: unknown), which
    /// counts only for a link-local address of IPv6 (fe80::/10, RFC 4007, section 11).
    pub fn new(octets: &[u8], ifindex: u32) -> Option<Self> {
        let family = match octets.len() {
            4 => Family::Inet,
            16 => Family::Inet6,
            _ => return None,
        };
        let mut new = Self {
            family,
            octets: [0; 16],
            scope: 0,
        };
        for (place, octet) in new.octets.iter_mut().zip(octets) {
            *place = *octet;
        }
        if family == Family::Inet6 && matches!(new.octets, [0xfe, 0x80..=0xbf, ..]) {
            new.scope = ifindex;
        }
        Some(new)
    }

    /// Its family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Its 4 or 16 bytes.
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..self.family.size()).unwrap_or_default()
    }

    /// Its bytes, zero beyond the fourth for IPv4.
    pub fn padded(&self) -> [u8; 16] {
        self.octets
    }

    /// The link, 0 if it needs none.
    pub fn scope(&self) -> u32 {
        self.scope
    }

    /// The IPv4 address that an IPv4-mapped one of IPv6 stands for (::ffff:a.b.c.d, RFC 4291,
    /// section 2.5.5.2), else the address itself.
    pub fn unmapped(self) -> Self {
        match (self.family, self.octets) {
            (Family::Inet6, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]) => {
                Self::new(&[a, b, c, d], 0).unwrap_or(self)
            }
            _ => self,
        }
    }

    /// Whether it can be another network namespace's: neither unspecified, nor loopback, nor
    /// multicast.
    pub fn can_be_remote(&self) -> bool {
        match (self.family, self.octets) {
            (Family::Inet, [first, ..]) => !matches!(first, 0 | 127 | 224..),
            (Family::Inet6, [0xff, ..]) => false,
            (Family::Inet6, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]) => last > 1,
            (Family::Inet6, _) => true,
        }
    }
}
