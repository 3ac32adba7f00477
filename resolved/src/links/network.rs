//! What others want to know of the network.

use std::net::IpAddr;

use super::{Link, LinkAddress, Network};
use crate::route::Family;

/// RT_SCOPE_LINK: good on this link alone.
const LINK_LOCAL: u8 = 253;
/// RT_SCOPE_HOST: good on this machine alone.
const HOST_LOCAL: u8 = 254;

impl Network {
    /// The link of this name; one of its other names does, too.
    #[must_use]
    pub fn link_by_name(&self, name: &str) -> Option<&Link> {
        let mut links = self.links.values();
        // The kernel lets no name stand for two links.
        links.find(|link| {
            link.name == name || link.alternative_names.iter().any(|other| other == name)
        })
    }

    /// The addresses by which this machine is reached from elsewhere, each with its link's index: those that go farthest first.
    pub fn usable_addresses(&self) -> impl Iterator<Item = (u32, &LinkAddress)> {
        let mut all: Vec<_> = self
            .links
            .values()
            .flat_map(|link| link.addresses.iter().map(|address| (link.index, address)))
            .filter(|(_, address)| !address.unusable && address.scope < HOST_LOCAL)
            .collect();
        all.sort_by_key(|(ifindex, address)| (address.scope, *ifindex));
        all.into_iter()
    }

    /// Whether the address is one of this machine's, in whatever state.
    #[must_use]
    pub fn has_address(&self, address: IpAddr) -> bool {
        let mut links = self.links.values();
        links.any(|link| link.addresses.iter().any(|own| own.address == address))
    }

    /// Whether anything beyond this machine may be reached at all.
    #[must_use]
    pub fn is_routable(&self) -> bool {
        self.links.values().any(Link::is_relevant_for_dns)
    }
}

impl Link {
    /// Whether DNS servers of this link may be reached: packets pass, and it has an address that goes beyond the link.
    ///
    /// What systemd-networkd says of it comes on top: [`super::networkd::State::is_operational`].
    #[must_use]
    pub fn is_relevant_for_dns(&self) -> bool {
        self.passes() && self.addresses.iter().any(|own| own.is_within(LINK_LOCAL))
    }

    /// Whether LLMNR and mDNS can be spoken on it: packets and multicasts pass, and it has an address of this family.
    #[must_use]
    pub fn is_relevant_for_multicast(&self, family: Family) -> bool {
        let fits = |own: &LinkAddress| own.address.is_ipv4() == (family == Family::V4);
        let mut addresses = self.addresses.iter();
        self.passes()
            && self.multicast
            && addresses.any(|own| fits(own) && own.is_within(HOST_LOCAL))
    }

    fn passes(&self) -> bool {
        !self.loopback && self.up && self.running
    }
}

impl LinkAddress {
    /// Whether it can be used, and goes farther than `scope`.
    const fn is_within(&self, scope: u8) -> bool {
        !self.unusable && self.scope < scope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(address: &str, scope: u8) -> Link {
        Link {
            index: 2,
            name: "eth0".to_owned(),
            alternative_names: vec!["enp0s1".to_owned()],
            up: true,
            running: true,
            multicast: true,
            addresses: vec![LinkAddress {
                address: address.parse().unwrap(),
                prefix: 24,
                scope,
                unusable: false,
            }],
            ..Link::default()
        }
    }

    #[test]
    fn by_any_name() {
        let network = Network {
            links: [(2, link("10.0.0.1", 0))].into(),
            ..Network::default()
        };
        assert_eq!(network.link_by_name("eth0").unwrap().index, 2);
        assert_eq!(network.link_by_name("enp0s1").unwrap().index, 2);
        assert!(network.link_by_name("eth1").is_none());
        assert!(network.is_routable());
        assert!(network.has_address("10.0.0.1".parse().unwrap()));
        assert_eq!(network.usable_addresses().count(), 1);
    }

    #[test]
    fn what_makes_a_link_relevant() {
        let global = link("10.0.0.1", 0);
        assert!(global.is_relevant_for_dns());
        assert!(global.is_relevant_for_multicast(Family::V4));
        assert!(!global.is_relevant_for_multicast(Family::V6));

        let link_local = link("fe80::1", LINK_LOCAL);
        assert!(!link_local.is_relevant_for_dns());
        assert!(link_local.is_relevant_for_multicast(Family::V6));
        assert!(!link("10.0.0.1", HOST_LOCAL).is_relevant_for_multicast(Family::V4));

        let without = |change: fn(&mut Link)| {
            let mut link = global.clone();
            change(&mut link);
            (
                link.is_relevant_for_dns(),
                link.is_relevant_for_multicast(Family::V4),
            )
        };
        assert_eq!(without(|link| link.up = false), (false, false));
        assert_eq!(without(|link| link.running = false), (false, false));
        assert_eq!(without(|link| link.loopback = true), (false, false));
        assert_eq!(
            without(|link| link.addresses[0].unusable = true),
            (false, false)
        );
        assert_eq!(without(|link| link.multicast = false), (true, false));
    }
}
