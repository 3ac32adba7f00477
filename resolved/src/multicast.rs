//! What LLMNR and mDNS share: links, sockets that know the link of each packet, and names that change in a conflict.

pub(crate) mod label;
pub(crate) mod random;
pub(crate) mod socket;
pub(crate) mod task;
pub(crate) mod timer;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_proto::{
    dnssec::Proof,
    op::ResponseCode,
    rr::{Name, RData, Record, rdata},
};

use crate::{flags::Flags, links::Link, message::Response, mode::Multicast, route::Family};

/// A link that names are looked up on by multicast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MulticastLink {
    /// As the kernel has it.
    pub link: Link,
    /// How far it goes: [`Multicast::Resolve`] or [`Multicast::Yes`].
    pub mode: Multicast,
}

/// Both of them.
pub(crate) const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// RT_SCOPE_HOST of rtnetlink(7): known to this machine alone.
const HOST_SCOPE: u8 = 254;

/// Of an address.
pub(crate) const fn family_of(address: IpAddr) -> Family {
    match address {
        IpAddr::V4(_) => Family::V4,
        IpAddr::V6(_) => Family::V6,
    }
}

/// What the link's neighbours may be told: its addresses that can be used, link-local ones first, which are right for
/// everyone who asks here. RFC 4795, 2.6
pub(crate) fn published(link: &Link) -> Vec<IpAddr> {
    let usable = link.addresses.iter();
    let usable = usable.filter(|own| !own.unusable && own.scope < HOST_SCOPE);
    let mut addresses: Vec<_> = usable.map(|own| own.address).collect();
    addresses.sort_by_key(|address| !is_link_local(*address));
    addresses
}

/// Whether an address holds on its link alone.
pub(crate) fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// Whether an address is a neighbour's: link-local, or of a network that the link is in. RFC 4795, 2.2; RFC 6762, 11
pub(crate) fn is_neighbour(link: &Link, address: IpAddr) -> bool {
    is_link_local(address)
        || link
            .addresses
            .iter()
            .any(|own| match (own.address, address) {
                (IpAddr::V4(own_v4), IpAddr::V4(v4)) => {
                    let mask = u32::MAX.checked_shl(32 - u32::from(own.prefix.min(32)));
                    (own_v4.to_bits() ^ v4.to_bits()) & mask.unwrap_or(0) == 0
                }
                (IpAddr::V6(own_v6), IpAddr::V6(v6)) => {
                    let mask = u128::MAX.checked_shl(128 - u32::from(own.prefix.min(128)));
                    (own_v6.to_bits() ^ v6.to_bits()) & mask.unwrap_or(0) == 0
                }
                _ => false,
            })
}

/// Whether an address is the link's own.
pub(crate) fn is_own(link: &Link, address: IpAddr) -> bool {
    link.addresses.iter().any(|own| own.address == address)
}

/// An address as a record's data.
pub(crate) const fn address_data(address: IpAddr) -> RData {
    match address {
        IpAddr::V4(v4) => RData::A(rdata::A(v4)),
        IpAddr::V6(v6) => RData::AAAA(rdata::AAAA(v6)),
    }
}

/// What was found on a link. Nobody proves anything there.
pub(crate) fn response(
    rcode: ResponseCode,
    answers: Vec<Record>,
    ifindex: u32,
    source: Flags,
) -> Response {
    Response {
        rcode,
        answers,
        authorities: Vec::new(),
        additionals: Vec::new(),
        proof: Proof::Indeterminate,
        confidential: false,
        source,
        ifindex,
        from_localhost: false,
        stale: false,
        extended_error: None,
    }
}

/// The address that a name below in-addr.arpa or ip6.arpa is of, if it is of a whole one.
pub(crate) fn reverse_address(name: &Name) -> Option<IpAddr> {
    let labels: Vec<&[u8]> = name.iter().collect();
    let (labels, zone) = labels.split_at_checked(labels.len().checked_sub(2)?)?;
    let is = |zone_is: [&[u8]; 2]| {
        zone.iter()
            .zip(zone_is)
            .all(|(label, is)| label.eq_ignore_ascii_case(is))
    };
    let text = |label: &[u8]| std::str::from_utf8(label).ok().map(str::to_owned);
    if is([b"in-addr", b"arpa"]) {
        let mut octets = [0; 4];
        if labels.len() != octets.len() {
            return None;
        }
        for (octet, label) in octets.iter_mut().zip(labels.iter().rev()) {
            let label = text(label)?;
            *octet = label
                .parse()
                .ok()
                .filter(|octet: &u8| octet.to_string() == label)?;
        }
        return Some(Ipv4Addr::from(octets).into());
    }
    if !is([b"ip6", b"arpa"]) || labels.len() != 32 {
        return None;
    }
    let mut bits = 0;
    for label in labels.iter().rev() {
        let label = text(label).filter(|label| label.len() == 1)?;
        bits = (bits << 4) | u128::from_str_radix(&label, 16).ok()?;
    }
    Some(Ipv6Addr::from_bits(bits).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::links::LinkAddress;

    fn link(addresses: &[(&str, u8, u8)]) -> Link {
        let addresses = addresses
            .iter()
            .map(|(address, prefix, scope)| LinkAddress {
                address: address.parse().unwrap(),
                prefix: *prefix,
                scope: *scope,
                unusable: false,
            });
        Link {
            addresses: addresses.collect(),
            ..Link::default()
        }
    }

    #[test]
    fn neighbours() {
        let link = link(&[("192.168.1.2", 24, 0), ("2001:db8::2", 64, 0)]);
        let is = |address: &str| is_neighbour(&link, address.parse().unwrap());
        assert!(is("192.168.1.77") && is("169.254.9.9") && is("2001:db8::9") && is("fe80::1"));
        assert!(!is("192.168.2.77") && !is("2001:db8:1::9") && !is("8.8.8.8"));
        let everything = super::tests::link(&[("10.0.0.1", 0, 0)]);
        assert!(is_neighbour(&everything, "8.8.8.8".parse().unwrap()));
        let one = super::tests::link(&[("10.0.0.1", 32, 0)]);
        assert!(!is_neighbour(&one, "10.0.0.2".parse().unwrap()));
    }

    #[test]
    fn what_neighbours_are_told() {
        let mut link = link(&[
            ("2001:db8::2", 64, 0),
            ("10.0.0.1", 8, HOST_SCOPE),
            ("fe80::2", 64, 253),
        ]);
        link.addresses[0].unusable = true;
        let addresses = published(&link);
        assert_eq!(addresses, ["fe80::2".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn names_of_addresses() {
        let of = |text: &str| reverse_address(&crate::name::parse(text).unwrap());
        for address in ["192.0.2.1", "0.0.0.0", "fe80::1234:5678"] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(reverse_address(&Name::from(address)), Some(address));
        }
        assert_eq!(of("1.2.0.192.IN-ADDR.arpa"), of("1.2.0.192.in-addr.ARPA"));
        for text in [
            "2.0.192.in-addr.arpa",
            "1.1.2.0.192.in-addr.arpa",
            "01.2.0.192.in-addr.arpa",
            "256.2.0.192.in-addr.arpa",
            "1.ip6.arpa",
            "x.local",
            "arpa",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
