//! Addresses where a host name is expected.

use std::net::{IpAddr, Ipv6Addr};

use crate::links::Network;

/// An address written as one where a host name is expected; the network is never asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// The address.
    pub address: IpAddr,
    /// The link of its zone (`%eth0`: RFC 4007, 11), else the one asked for.
    pub ifindex: u32,
    /// How it is written best: the canonical name of the answer.
    pub text: String,
}

/// Reads an address; its zone is a link's name or number.
#[must_use]
pub fn literal(text: &str, ifindex: u32, network: &Network) -> Option<Literal> {
    let (address, ifindex) = match text.split_once('%') {
        None => (text.parse().ok()?, ifindex),
        Some((v6, zone)) => (
            IpAddr::V6(v6.parse::<Ipv6Addr>().ok()?),
            zone_index(zone, network)?,
        ),
    };
    let text = match address {
        IpAddr::V6(v6) if v6.is_unicast_link_local() && ifindex > 0 => format!("{v6}%{ifindex}"),
        _ => address.to_string(),
    };
    Some(Literal {
        address,
        ifindex,
        text,
    })
}

fn zone_index(zone: &str, network: &Network) -> Option<u32> {
    if let Ok(index) = zone.parse::<u32>() {
        return i32::try_from(index)
            .is_ok_and(|index| index > 0)
            .then_some(index);
    }
    let is = |name: &String| name == zone;
    let named =
        |link: &&crate::links::Link| is(&link.name) || link.alternative_names.iter().any(is);
    network.links.values().find(named).map(|link| link.index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> Network {
        let link = crate::links::Link {
            index: 3,
            name: "eth0".to_owned(),
            alternative_names: vec!["enp0s1".to_owned()],
            ..Default::default()
        };
        let mut network = Network::default();
        network.links.insert(3, link);
        network
    }

    #[test]
    fn addresses_and_zones() {
        let read = |text: &str, ifindex| {
            literal(text, ifindex, &network()).map(|found| (found.text, found.ifindex))
        };
        let told = |text: &str, ifindex| Some((text.to_owned(), ifindex));
        assert_eq!(read("192.0.2.1", 0), told("192.0.2.1", 0));
        assert_eq!(read("192.0.2.1", 7), told("192.0.2.1", 7));
        assert_eq!(read("FE80::1", 0), told("fe80::1", 0));
        assert_eq!(read("fe80::1", 7), told("fe80::1%7", 7));
        assert_eq!(read("fe80::1%eth0", 0), told("fe80::1%3", 3));
        assert_eq!(read("fe80::1%enp0s1", 0), told("fe80::1%3", 3));
        assert_eq!(read("fe80::1%77", 0), told("fe80::1%77", 77));
        assert_eq!(read("2001:db8::1%3", 0), told("2001:db8::1", 3));
        for text in [
            "192.0.2.1.",
            "192.0.2",
            "192.0.2.1%eth0",
            "fe80::1%eth1",
            "fe80::1%",
            "fe80::1%0",
            "::1%-1",
            "web",
            "",
        ] {
            assert_eq!(read(text, 0), None, "{text}");
        }
    }
}
