//! What a message tells.

use crate::{
    address::Address,
    link::Link,
    message::{Message, messages},
    route::DefaultRoute,
};

const RTM_NEWLINK: u16 = 16;
const RTM_DELLINK: u16 = 17;
const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_DELNEXTHOP: u16 = 105;

/// What there is, or what changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A link is there, or is different now.
    Link(Link),
    /// The link of this index is gone.
    LinkGone(u32),
    /// A link has an address, or it is different now.
    Address(Address),
    /// It has it no more.
    AddressGone(Address),
    /// A default route is there. In a change it may stand for another one (NLM_F_REPLACE), of which the kernel says nothing:
    /// so ask for all of them again.
    DefaultRoute(DefaultRoute),
    /// It is there no more.
    DefaultRouteGone(DefaultRoute),
    /// A next hop (ip-nexthop(8)) is gone, and the routes over it, of which the kernel says nothing.
    NextHopGone,
}

impl Event {
    /// `None` for all else.
    pub(crate) fn decode(message: &Message<'_>) -> Option<Self> {
        let body = message.body;
        match message.kind {
            RTM_NEWLINK => Link::decode(body).map(Self::Link),
            RTM_DELLINK => Link::decode(body).map(|link| Self::LinkGone(link.index)),
            RTM_NEWADDR => Address::decode(body).map(Self::Address),
            RTM_DELADDR => Address::decode(body).map(Self::AddressGone),
            RTM_NEWROUTE => DefaultRoute::decode(body).map(Self::DefaultRoute),
            RTM_DELROUTE => DefaultRoute::decode(body).map(Self::DefaultRouteGone),
            RTM_DELNEXTHOP => Some(Self::NextHopGone),
            _ => None,
        }
    }
}

/// What a datagram of the kernel's tells, in order.
pub fn events(datagram: &[u8]) -> impl Iterator<Item = Event> + '_ {
    messages(datagram).filter_map(|message| Event::decode(&message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::NextHop;

    /// RTM_NEWLINK as the kernel sends it, cut down to what is read and something that is not.
    fn link() -> Vec<u8> {
        let mut body = vec![0, 0, 1, 0, 7, 0, 0, 0];
        body.extend(0x1_0043_u32.to_ne_bytes());
        body.extend([0; 4]);
        attribute(&mut body, 3, b"eth0\0");
        attribute(&mut body, 4, &1500_u32.to_ne_bytes());
        attribute(&mut body, 999, b"of a later kernel");
        let mut names = Vec::new();
        attribute(&mut names, 53, b"enp0s1\0");
        attribute(&mut names, 53, b"uplink\0");
        attribute(&mut body, 0x8000 | 52, &names);
        attribute(&mut body, 16, &[6]);
        message(RTM_NEWLINK, &body)
    }

    /// RTM_NEWROUTE: a default route of two ways.
    fn route() -> Vec<u8> {
        let mut body = vec![2, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0];
        attribute(&mut body, 15, &254_u32.to_ne_bytes());
        attribute(&mut body, 6, &100_u32.to_ne_bytes());
        let mut hops = Vec::new();
        for index in [7_u32, 8] {
            hops.extend([16, 0, 0, 0]);
            hops.extend(index.to_ne_bytes());
            attribute(&mut hops, 5, &[192, 0, 2, 1]);
        }
        attribute(&mut body, 9, &hops);
        message(RTM_NEWROUTE, &body)
    }

    fn attribute(to: &mut Vec<u8>, number: u16, value: &[u8]) {
        let length = u16::try_from(4 + value.len()).unwrap();
        to.extend(length.to_ne_bytes());
        to.extend(number.to_ne_bytes());
        to.extend(value);
        to.resize(to.len().next_multiple_of(4), 0);
    }

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let message = Message {
            kind,
            flags: 0,
            sequence: 0,
            body,
        };
        message.to_bytes()
    }

    fn read(datagram: &[u8]) -> Vec<Event> {
        events(datagram).collect()
    }

    #[test]
    fn what_is_wanted_is_read() {
        let names = ["enp0s1", "uplink"].map(str::to_owned);
        let expected = Link {
            index: 7,
            flags: 0x1_0043,
            name: Some("eth0".to_owned()),
            mtu: Some(1500),
            operational_state: Some(6),
            alternative_names: Some(names.into()),
        };
        assert_eq!(read(&link()), [Event::Link(expected)]);
        let gateway = "192.0.2.1".parse().ok();
        let expected = DefaultRoute {
            metric: 100,
            preferred_source: None,
            next_hops: [7, 8].map(|ifindex| NextHop { ifindex, gateway }).into(),
        };
        assert_eq!(read(&route()), [Event::DefaultRoute(expected)]);
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_survived() {
        for whole in [link(), route()] {
            for at in 0..whole.len() {
                assert!(read(&whole[..at]).len() <= 1);
                for value in [0, 1, 2, 3, 4, 5, 8, 16, 127, 128, 254, 255] {
                    let mut damaged = whole.clone();
                    damaged[at] = value;
                    read(&damaged);
                }
            }
        }
    }
}
