//! Shapes that several methods share.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// AF_INET and AF_INET6 of Linux, which stand on the wire whatever the machine.
const AF_INET: i64 = 2;
const AF_INET6: i64 = 10;

/// An address: its family, its bytes, and the interface it is to be reached by.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireAddress {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ifindex: Option<i64>,
    pub family: i64,
    pub address: Vec<u8>,
}

impl WireAddress {
    pub fn new(ip: IpAddr, ifindex: Option<i64>) -> Self {
        let (family, address) = match ip {
            IpAddr::V4(ip) => (AF_INET, ip.octets().to_vec()),
            IpAddr::V6(ip) => (AF_INET6, ip.octets().to_vec()),
        };
        Self {
            ifindex,
            family,
            address,
        }
    }

    /// The address, if the bytes fit the family.
    pub fn ip(&self) -> Option<IpAddr> {
        ip(self.family, &self.address)
    }
}

/// An address of these bytes, if they fit the family.
pub(super) fn ip(family: i64, bytes: &[u8]) -> Option<IpAddr> {
    match family {
        AF_INET => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        AF_INET6 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

/// Which families a lookup asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Families {
    Both,
    V4,
    V6,
}

impl Families {
    /// Of AF_UNSPEC (or nothing), AF_INET, AF_INET6.
    pub fn new(family: Option<i64>) -> Option<Self> {
        match family {
            None | Some(0) => Some(Self::Both),
            Some(AF_INET) => Some(Self::V4),
            Some(AF_INET6) => Some(Self::V6),
            Some(_) => None,
        }
    }

    pub fn hold(self, ip: IpAddr) -> bool {
        match self {
            Self::Both => true,
            Self::V4 => ip.is_ipv4(),
            Self::V6 => ip.is_ipv6(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(ip(2, &[192, 0, 2, 1]).unwrap().to_string(), "192.0.2.1");
        assert_eq!(ip(10, &[0; 16]).unwrap().to_string(), "::");
        assert!(ip(2, &[0; 16]).is_none() && ip(10, &[0; 4]).is_none() && ip(1, &[0; 4]).is_none());
        let there_and_back = WireAddress::new("fe80::1".parse().unwrap(), Some(3)).ip();
        assert_eq!(there_and_back.unwrap().to_string(), "fe80::1");
    }

    #[test]
    fn families() {
        assert_eq!(Families::new(None), Some(Families::Both));
        assert_eq!(Families::new(Some(10)), Some(Families::V6));
        assert_eq!(Families::new(Some(1)), None);
        assert!(!Families::V4.hold("::1".parse().unwrap()));
    }
}
