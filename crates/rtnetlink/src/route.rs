//! Default routes: `struct rtmsg`, `struct rtnexthop` and the attributes of linux/rtnetlink.h.

use std::net::IpAddr;

use crate::{
    attribute::attributes,
    message::{u16_at, u32_at},
};

const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
const RTA_VIA: u16 = 18;

/// RT_TABLE_MAIN
const MAIN: u32 = 254;
/// RTN_UNICAST
const UNICAST: u8 = 1;
/// Bytes of `struct rtmsg`.
const HEADER: usize = 12;
/// Bytes of `struct rtnexthop`.
const NEXT_HOP_HEADER: usize = 8;

/// A default route of the main table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefaultRoute {
    /// The least is preferred.
    pub metric: u32,
    /// RTA_PREFSRC.
    pub preferred_source: Option<IpAddr>,
    /// Where packets go; several where they are spread.
    pub next_hops: Vec<NextHop>,
}

/// One way that a route goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NextHop {
    /// By this link.
    pub ifindex: u32,
    /// To this router; of the other family too (RFC 5549). None where the link itself leads there.
    pub gateway: Option<IpAddr>,
}

impl DefaultRoute {
    /// `None` for every other route, and cheaply so: a router has a million of them.
    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        let [
            family,
            prefix,
            source_prefix,
            _tos,
            table,
            _protocol,
            _scope,
            kind,
        ] = *body.first_chunk()?;
        let routed = family == AF_INET || family == AF_INET6;
        if !routed || prefix != 0 || source_prefix != 0 || kind != UNICAST {
            return None;
        }
        let mut table = u32::from(table);
        let mut route = Self::default();
        let mut single = NextHop::default();
        for (number, value) in attributes(body.get(HEADER..)?) {
            match number {
                // Tables above 255 have no room in the header.
                RTA_TABLE => table = value.u32().unwrap_or(table),
                RTA_PRIORITY => route.metric = value.u32().unwrap_or_default(),
                RTA_PREFSRC => route.preferred_source = value.address(),
                RTA_MULTIPATH => route.next_hops.extend(next_hops(value.0)),
                _ => single.read(number, value),
            }
        }
        if route.next_hops.is_empty() && single.ifindex != 0 {
            route.next_hops.push(single);
        }
        (table == MAIN).then_some(route)
    }
}

/// AF_INET
const AF_INET: u8 = 2;
/// AF_INET6
const AF_INET6: u8 = 10;

impl NextHop {
    fn read(&mut self, number: u16, value: crate::attribute::Value<'_>) {
        match number {
            RTA_OIF => self.ifindex = value.u32().unwrap_or_default(),
            RTA_GATEWAY => self.gateway = value.address(),
            RTA_VIA => self.gateway = value.via(),
            _ => {}
        }
    }
}

/// The ways of a route that has several.
fn next_hops(mut bytes: &[u8]) -> impl Iterator<Item = NextHop> {
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        let mut hop = NextHop {
            ifindex: u32_at(bytes, 4)?,
            gateway: None,
        };
        for (number, value) in attributes(bytes.get(NEXT_HOP_HEADER..length)?) {
            hop.read(number, value);
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(hop)
    })
}
