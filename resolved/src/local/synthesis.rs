//! Answers made out of what the machine knows of itself: `localhost`, its own name and addresses, its routers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use hickory_proto::rr::{DNSClass, Name, RecordType};

use super::{
    World,
    answer::{Made, link_of},
    special::Special,
};
use crate::{
    links::{Gateway, Network},
    message::{Answer, Lookup},
};

/// The stub's address, and that of the one that only passes on.
const STUB: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 53);
const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 54);
/// The address that stands for the machine where it has no other.
const OWN: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// The answer for a name that is special.
pub(super) fn special(lookup: &Lookup, world: &World<'_>, special: Special) -> Option<Answer> {
    if lookup.class != DNSClass::IN {
        return None;
    }
    let mut made = Made::new(lookup);
    let mut addresses = |addresses: &[(IpAddr, u32)]| {
        for (address, ifindex) in addresses {
            made.address(&lookup.name, *address, *ifindex);
        }
    };
    match special {
        Special::Localhost => addresses(&loopback(lookup, world.network, Ipv4Addr::LOCALHOST)),
        Special::Stub => addresses(&[(STUB.into(), link_of(lookup))]),
        Special::Proxy => addresses(&[(PROXY.into(), link_of(lookup))]),
        Special::Gateway | Special::Outbound => {
            let known = match special {
                Special::Gateway => gateways(lookup, world.network),
                _ => outbound(lookup, world.network),
            };
            if known.is_empty() {
                return Some(made.no_such_name());
            }
            addresses(&known);
        }
        Special::LoopbackReverse => loopback_reverse(&mut made, lookup, world),
        Special::Nowhere => return Some(made.no_such_name()),
    }
    Some(made.answer())
}

/// The answer for the machine's own name, and for the names of its addresses and its routers'; that the root has no address,
/// which nobody is asked for (see [`crate::route`]); `None` for all others.
pub(super) fn own(lookup: &Lookup, world: &World<'_>, host_name: bool) -> Option<Answer> {
    if lookup.class != DNSClass::IN {
        return None;
    }
    let mut made = Made::new(lookup);
    let addresses = [RecordType::A, RecordType::AAAA];
    if lookup.name.is_root() && lookup.types.iter().all(|rtype| addresses.contains(rtype)) {
        return Some(made.answer());
    }
    if host_name && world.host_name.is(&lookup.name) {
        for (address, ifindex) in local_addresses(lookup, world.network) {
            made.address(&lookup.name, address, ifindex);
        }
        return Some(made.answer());
    }
    let address = reverse(&lookup.name)?;
    let links = world.network.links.values();
    let of_ours = |address| {
        links
            .filter(|link| fits(lookup, link.index))
            .find_map(move |link| {
                let mut own = link.addresses.iter();
                own.any(|own| own.address == address && given_out(own))
                    .then_some(link.index)
            })
    };
    if let Some(ifindex) = of_ours(address).filter(|_| host_name) {
        for name in world.host_name.all() {
            made.pointer(name, ifindex);
        }
        return Some(made.answer());
    }
    let routers = gateways(lookup, world.network);
    let (_, ifindex) = routers.into_iter().find(|(router, _)| *router == address)?;
    made.pointer(Name::from_labels(["_gateway"]).ok()?, ifindex);
    Some(made.answer())
}

/// The loopback addresses: this one of IPv4, and ::1 if there is IPv6 here.
fn loopback(lookup: &Lookup, network: &Network, v4: Ipv4Addr) -> Vec<(IpAddr, u32)> {
    let link = link_of(lookup);
    let mut addresses = vec![(v4.into(), link)];
    if has_ipv6(network) {
        addresses.push((Ipv6Addr::LOCALHOST.into(), link));
    }
    addresses
}

/// Without IPv6 (net.ipv6.conf.all.disable_ipv6) no link has an address of it, the loopback included.
fn has_ipv6(network: &Network) -> bool {
    let mut addresses = network.links.values().flat_map(|link| &link.addresses);
    addresses.any(|address| address.address.is_ipv6())
}

fn loopback_reverse(made: &mut Made<'_>, lookup: &Lookup, world: &World<'_>) {
    let link = link_of(lookup);
    let name = match reverse(&lookup.name) {
        Some(IpAddr::V4(STUB)) => "_localdnsstub",
        Some(IpAddr::V4(PROXY)) => "_localdnsproxy",
        Some(IpAddr::V4(OWN)) => {
            for name in world.host_name.all() {
                made.pointer(name, link);
            }
            "localhost"
        }
        _ => "localhost",
    };
    if let Ok(name) = Name::from_labels([name]) {
        made.pointer(name, link);
    }
}

fn fits(lookup: &Lookup, ifindex: u32) -> bool {
    lookup.ifindex == 0 || lookup.ifindex == ifindex
}

/// Those of scope host lead nowhere from elsewhere. RT_SCOPE_HOST: rtnetlink(7)
fn given_out(address: &crate::links::LinkAddress) -> bool {
    const HOST: u8 = 254;
    !address.unusable && address.scope < HOST
}

/// The machine's addresses: IPv4 first, the widest scope first, then by link, then by value.
fn local_addresses(lookup: &Lookup, network: &Network) -> Vec<(IpAddr, u32)> {
    let links = network
        .links
        .values()
        .filter(|link| fits(lookup, link.index));
    let mut all: Vec<_> = links
        .flat_map(|link| link.addresses.iter().map(|address| (link.index, address)))
        .filter(|(_, address)| given_out(address))
        .map(|(index, address)| {
            (
                address.address.is_ipv6(),
                address.scope,
                index,
                address.address,
            )
        })
        .collect();
    if all.is_empty() {
        return loopback(lookup, network, OWN);
    }
    all.sort_unstable();
    all.into_iter()
        .map(|(_, _, index, address)| (address, index))
        .collect()
}

/// The routers of the default routes: IPv4 first, the preferred first.
fn gateways(lookup: &Lookup, network: &Network) -> Vec<(IpAddr, u32)> {
    let known = by_preference(lookup, network).into_iter();
    known
        .filter_map(|gateway| Some((gateway.address?, gateway.ifindex)))
        .collect()
}

fn by_preference<'n>(lookup: &Lookup, network: &'n Network) -> Vec<&'n Gateway> {
    let mut known: Vec<_> = network
        .gateways
        .iter()
        .filter(|gateway| fits(lookup, gateway.ifindex))
        .collect();
    known.sort_by_key(|gateway| {
        (
            gateway.address.is_none_or(|address| address.is_ipv6()),
            gateway.metric,
            gateway.ifindex,
        )
    });
    known
}

/// Where connections to the world come from: the route's own word, else what the kernel would choose.
fn outbound(lookup: &Lookup, network: &Network) -> Vec<(IpAddr, u32)> {
    let mut sources = Vec::new();
    for gateway in by_preference(lookup, network) {
        let source = gateway.preferred_source.or_else(|| source_towards(gateway));
        if let Some(source) = source
            && !sources.contains(&(source, gateway.ifindex))
        {
            sources.push((source, gateway.ifindex));
        }
    }
    sources
}

/// The kernel's choice of a source (RFC 6724), which it makes when a datagram socket is connected; nothing is sent.
fn source_towards(gateway: &Gateway) -> Option<IpAddr> {
    /// Any: it takes no part in the choice.
    const PORT: u16 = 53;
    let mut there = SocketAddr::new(gateway.address?, PORT);
    let any: SocketAddr = match &mut there {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(v6) => {
            v6.set_scope_id(gateway.ifindex);
            (Ipv6Addr::UNSPECIFIED, 0).into()
        }
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(there).ok()?;
    socket.local_addr().ok().map(|here| here.ip())
}

/// The address that a name under in-addr.arpa or ip6.arpa is of, if it is a whole one. RFC 1035, 3.5; RFC 3596, 2.5
pub(super) fn reverse(name: &Name) -> Option<IpAddr> {
    let network = name.parse_arpa_name().ok()?;
    (network.prefix_len() == network.max_prefix_len()).then(|| network.addr())
}
