//! Shapes that several methods share.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::inet::{self, AF_INET, AF_INET6};

/// An address: its family, its bytes, and the interface it is to be reached by.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireAddress {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ifindex: Option<i64>,
    pub family: i32,
    pub address: Vec<u8>,
}

impl WireAddress {
    pub fn new(ip: IpAddr, ifindex: Option<i64>) -> Self {
        let (family, address) = inet::parts(ip);
        Self {
            ifindex,
            family,
            address,
        }
    }

    /// The address, if the bytes fit the family.
    pub fn ip(&self) -> Option<IpAddr> {
        inet::address(self.family, &self.address)
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
    pub fn new(family: Option<i32>) -> Option<Self> {
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
