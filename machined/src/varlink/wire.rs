//! Shapes that several methods share.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{leader::Leader, registration::ProcessRef};

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

/// A process as a caller names it: a number, or an object that can prove which one.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(super) enum ProcessId {
    Number(u32),
    #[serde(rename_all = "camelCase")]
    Object {
        pid: u32,
        pidfd_id: Option<u64>,
    },
}

impl ProcessId {
    pub fn pid(self) -> u32 {
        match self {
            Self::Number(pid) | Self::Object { pid, .. } => pid,
        }
    }
}

impl From<ProcessId> for ProcessRef {
    fn from(process: ProcessId) -> Self {
        match process {
            ProcessId::Number(0) | ProcessId::Object { pid: 0, .. } => Self::Caller,
            ProcessId::Object {
                pid,
                pidfd_id: Some(id),
            } => Self::PidAndId(pid, id),
            ProcessId::Number(pid) | ProcessId::Object { pid, .. } => Self::Pid(pid),
        }
    }
}

/// A process as we name it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireProcess {
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pidfd_id: Option<u64>,
}

impl From<&Leader> for WireProcess {
    fn from(leader: &Leader) -> Self {
        Self {
            pid: leader.pid,
            pidfd_id: leader.pidfd_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes() {
        let parse = |text| serde_json::from_str::<ProcessId>(text).map(ProcessRef::from);
        assert!(matches!(parse("0"), Ok(ProcessRef::Caller)));
        assert!(matches!(parse("7"), Ok(ProcessRef::Pid(7))));
        assert!(matches!(parse(r#"{"pid":7}"#), Ok(ProcessRef::Pid(7))));
        let proven = parse(r#"{"pid":7,"pidfdId":9,"bootId":"00"}"#);
        assert!(matches!(proven, Ok(ProcessRef::PidAndId(7, 9))));
        for wrong in [
            "-1",
            "4294967296",
            "1.5",
            "{}",
            "[]",
            "\"7\"",
            r#"{"pid":-1}"#,
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

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
