//! The machine's network: links, addresses, gateways, and what each link was told about names.
//!
//! [`Monitor`] knows it and hears of changes; [`networkd`] reads what systemd-networkd says of links, [`saved`] keeps what calls said.

mod apply;
mod monitor;
mod network;
pub mod networkd;
pub mod saved;
mod words;

pub use monitor::Monitor;

use std::{collections::BTreeMap, net::IpAddr};

use hickory_proto::rr::Name;

use crate::{
    mode::{DnsOverTls, Dnssec, Multicast},
    server::{DnsServer, Domain},
};

/// Links, addresses and gateways at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// By index.
    pub links: BTreeMap<u32, Link>,
    /// The preferred ones first.
    pub gateways: Vec<Gateway>,
}

/// A network interface, as the kernel tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// From 1.
    pub index: u32,
    /// `eth0`.
    pub name: String,
    /// IFLA_ALT_IFNAME.
    pub alternative_names: Vec<String>,
    /// IFF_LOOPBACK.
    pub loopback: bool,
    /// IFF_UP.
    pub up: bool,
    /// IFF_LOWER_UP, not IFF_DORMANT, and IF_OPER_UP or UNKNOWN: packets can pass.
    pub running: bool,
    /// IFF_MULTICAST.
    pub multicast: bool,
    /// IFF_POINTOPOINT.
    pub point_to_point: bool,
    /// Bytes.
    pub mtu: u32,
    /// In order of address and prefix.
    pub addresses: Vec<LinkAddress>,
}

/// An address of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkAddress {
    /// Ours, not the peer's.
    pub address: IpAddr,
    /// Bits.
    pub prefix: u8,
    /// RT_SCOPE_*: 0 global, 200 site, 253 link, 254 host.
    pub scope: u8,
    /// Deprecated, tentative or failed in duplicate address detection: not given out.
    pub unusable: bool,
}

/// A default route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gateway {
    /// The least is preferred.
    pub metric: u32,
    /// By this link.
    pub ifindex: u32,
    /// Where to; none on a point-to-point link.
    pub address: Option<IpAddr>,
    /// RTA_PREFSRC.
    pub preferred_source: Option<IpAddr>,
}

/// What a link was told: by a call (SetLinkDNS …), or by systemd-networkd in /run/systemd/netif/links.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkSettings {
    /// Their `ifindex` is the link's.
    pub servers: Vec<DnsServer>,
    /// Search and routing domains.
    pub domains: Vec<Domain>,
    /// Names outside of all routing domains come here; `None`: if there is no route-only domain.
    pub default_route: Option<bool>,
    /// `None`: as the machine's.
    pub llmnr: Option<Multicast>,
    /// `None`: as the machine's.
    pub mdns: Option<Multicast>,
    /// `None`: as the machine's.
    pub dns_over_tls: Option<DnsOverTls>,
    /// `None`: as the machine's.
    pub dnssec: Option<Dnssec>,
    /// Below these nothing is validated, beside those of the machine.
    pub negative_trust_anchors: Vec<Name>,
    /// systemd-networkd set them: calls are refused.
    pub managed: bool,
}
