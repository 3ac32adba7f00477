//! What a message tells.

use crate::{address::Address, link::Link, message::Message, route::DefaultRoute};

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
