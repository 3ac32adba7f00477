//! What an event makes of the network.

use std::net::IpAddr;

use rtnetlink::{Address, DefaultRoute, Event};

use super::{Gateway, Link, LinkAddress, Network};

/// IFF_*, netdevice(7).
const IFF_UP: u32 = 1 << 0;
const IFF_LOOPBACK: u32 = 1 << 3;
const IFF_POINTOPOINT: u32 = 1 << 4;
const IFF_MULTICAST: u32 = 1 << 12;
const IFF_LOWER_UP: u32 = 1 << 16;
const IFF_DORMANT: u32 = 1 << 17;

/// IF_OPER_*, linux/if.h.
const IF_OPER_UNKNOWN: u8 = 0;
const IF_OPER_UP: u8 = 6;

/// IFA_F_DADFAILED, IFA_F_DEPRECATED and IFA_F_TENTATIVE, linux/if_addr.h.
const UNUSABLE: u32 = 0x08 | 0x20 | 0x40;

/// What came of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effect {
    /// The network is another.
    pub changed: bool,
    /// The gateways may be others: ask for them.
    pub ask_for_gateways: bool,
}

impl Network {
    /// Takes in one event.
    ///
    /// Gateways are never taken from events: the kernel drops routes of IPv4 without a word when their link goes down or their
    /// address goes, and replaces routes without naming the old one. So any sign that they may be others says to ask.
    pub(super) fn apply(&mut self, event: Event) -> Effect {
        match event {
            Event::Link(news) => self.apply_link(news),
            Event::LinkGone(index) => Effect {
                changed: self.links.remove(&index).is_some(),
                ask_for_gateways: self.has_gateway_by(index),
            },
            Event::Address(news) => Effect {
                changed: self.apply_address(news),
                ask_for_gateways: false,
            },
            Event::AddressGone(gone) => Effect {
                changed: self.remove_address(&gone),
                ask_for_gateways: self.has_gateway_by(gone.ifindex)
                    || self.has_gateway_from(gone.address),
            },
            Event::DefaultRoute(_) | Event::DefaultRouteGone(_) => Effect {
                changed: false,
                ask_for_gateways: true,
            },
            Event::NextHopGone => Effect {
                changed: false,
                ask_for_gateways: !self.gateways.is_empty(),
            },
        }
    }

    fn apply_link(&mut self, news: rtnetlink::Link) -> Effect {
        let index = news.index;
        let old = self.links.get(&index);
        let mut link = old.cloned().unwrap_or_default();
        read_link(&mut link, news);
        let was_up = old.is_some_and(|old| old.up);
        let effect = Effect {
            changed: old != Some(&link),
            ask_for_gateways: was_up != link.up && self.has_gateway_by(index),
        };
        self.links.insert(index, link);
        effect
    }

    fn apply_address(&mut self, news: Address) -> bool {
        // A link that is gone by now: the address went with it.
        let Some(link) = self.links.get_mut(&news.ifindex) else {
            return false;
        };
        let news = LinkAddress {
            address: news.address,
            prefix: news.prefix,
            scope: news.scope,
            unusable: news.flags & UNUSABLE != 0,
        };
        match position(&link.addresses, news.address, news.prefix) {
            Ok(at) => link
                .addresses
                .get_mut(at)
                .is_some_and(|own| std::mem::replace(own, news) != news),
            Err(at) => {
                link.addresses.insert(at, news);
                true
            }
        }
    }

    fn remove_address(&mut self, gone: &Address) -> bool {
        let link = self.links.get_mut(&gone.ifindex);
        let Some((link, Ok(at))) = link.map(|link| {
            let at = position(&link.addresses, gone.address, gone.prefix);
            (link, at)
        }) else {
            return false;
        };
        link.addresses.remove(at);
        true
    }

    fn has_gateway_by(&self, ifindex: u32) -> bool {
        self.gateways
            .iter()
            .any(|gateway| gateway.ifindex == ifindex)
    }

    fn has_gateway_from(&self, address: IpAddr) -> bool {
        let mut gateways = self.gateways.iter();
        gateways.any(|gateway| gateway.preferred_source == Some(address))
    }
}

/// Where an address is, or where it belongs.
fn position(addresses: &[LinkAddress], address: IpAddr, prefix: u8) -> Result<usize, usize> {
    addresses.binary_search_by_key(&(address, prefix), |own| (own.address, own.prefix))
}

fn read_link(link: &mut Link, news: rtnetlink::Link) {
    let has = |flag: u32| news.flags & flag != 0;
    link.index = news.index;
    link.up = has(IFF_UP);
    link.loopback = has(IFF_LOOPBACK);
    link.multicast = has(IFF_MULTICAST);
    link.point_to_point = has(IFF_POINTOPOINT);
    // A message without the state has nothing new about it.
    let passes = match news.operational_state {
        Some(state) => state == IF_OPER_UP || state == IF_OPER_UNKNOWN,
        None => link.running,
    };
    link.running = passes && has(IFF_LOWER_UP) && !has(IFF_DORMANT);
    if let Some(name) = news.name {
        link.name = name;
    }
    if let Some(names) = news.alternative_names {
        link.alternative_names = names;
    }
    if let Some(mtu) = news.mtu {
        link.mtu = mtu;
    }
}

/// The gateways of these routes, the preferred ones first.
pub(super) fn gateways(routes: Vec<DefaultRoute>) -> Vec<Gateway> {
    let mut gateways: Vec<_> = routes
        .into_iter()
        .flat_map(|route| {
            route.next_hops.into_iter().map(move |hop| Gateway {
                metric: route.metric,
                ifindex: hop.ifindex,
                address: hop.gateway,
                preferred_source: route.preferred_source,
            })
        })
        .collect();
    gateways.sort();
    gateways.dedup();
    gateways
}
