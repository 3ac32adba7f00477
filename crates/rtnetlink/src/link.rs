//! Links: `struct ifinfomsg` of linux/rtnetlink.h, attributes of linux/if_link.h.

use crate::{
    attribute::{Value, attributes},
    message::u32_at,
};

const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_PROP_LIST: u16 = 52;
const IFLA_ALT_IFNAME: u16 = 53;

/// Bytes of `struct ifinfomsg`.
const HEADER: usize = 16;

/// What the kernel says of a network interface.
///
/// A few messages carry no more than what changed: what is `None` is as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// From 1.
    pub index: u32,
    /// IFF_*, netdevice(7).
    pub flags: u32,
    /// `eth0`.
    pub name: Option<String>,
    /// Bytes.
    pub mtu: Option<u32>,
    /// IF_OPER_*: 0 unknown, 6 up. RFC 2863
    pub operational_state: Option<u8>,
    /// Its other names.
    pub alternative_names: Option<Vec<String>>,
}

impl Link {
    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        // A bridge tells of its ports by messages of AF_BRIDGE: a port that leaves the bridge is "deleted" so, and stays.
        const AF_UNSPEC: u8 = 0;
        if *body.first()? != AF_UNSPEC {
            return None;
        }
        let mut link = Self {
            index: u32_at(body, 4)?,
            flags: u32_at(body, 8)?,
            ..Self::default()
        };
        for (number, value) in attributes(body.get(HEADER..)?) {
            match number {
                IFLA_IFNAME => link.name = Some(value.text()),
                IFLA_MTU => link.mtu = value.u32(),
                IFLA_OPERSTATE => link.operational_state = value.u8(),
                IFLA_PROP_LIST => link.alternative_names = Some(alternative_names(value)),
                _ => {}
            }
        }
        // A whole message has an MTU, and no list where there are no other names.
        if link.mtu.is_some() {
            link.alternative_names.get_or_insert_default();
        }
        Some(link)
    }
}

fn alternative_names(list: Value<'_>) -> Vec<String> {
    list.nested()
        .filter(|(number, _)| *number == IFLA_ALT_IFNAME)
        .map(|(_, value)| value.text())
        .collect()
}
