//! Addresses that the host has seen behind an interface: its neighbour table, arp(7). For virtual machines, whose own
//! network nobody can look into.

use std::{collections::BTreeSet, io, net::IpAddr};

use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage,
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState},
};

use crate::{
    address::Address,
    rtnetlink::{self, Incoming, Message},
};

/// RT_SCOPE_LINK of rtnetlink(7).
const SCOPE_LINK: u8 = 253;

/// The neighbours on these interfaces of the host. For the port of a bridge they are among the bridge's neighbours: those
/// whose hardware address the bridge has learnt on that port.
pub(crate) fn on_interfaces(interfaces: &[i32], buffer: &mut [u8]) -> io::Result<Vec<Address>> {
    if interfaces.is_empty() {
        return Ok(Vec::new());
    }
    let neighbours = dump(AddressFamily::Unspec, buffer)?;
    let learnt = dump(AddressFamily::Bridge, buffer)?;
    Ok(select(interfaces, &neighbours, &learnt))
}

fn select(
    interfaces: &[i32],
    neighbours: &[NeighbourMessage],
    learnt: &[NeighbourMessage],
) -> Vec<Address> {
    let is_ours = |message: &NeighbourMessage| {
        interfaces
            .iter()
            .any(|&index| i64::from(index) == i64::from(message.header.ifindex))
    };
    let behind: BTreeSet<_> = learnt
        .iter()
        // A permanent entry is the port's own address.
        .filter(|message| is_ours(message) && message.header.state != NeighbourState::Permanent)
        .filter_map(hardware_address)
        .collect();
    let mut addresses: Vec<_> = neighbours
        .iter()
        .filter(|message| is_known(message.header.state))
        .filter(|message| {
            is_ours(message)
                || hardware_address(message).is_some_and(|address| behind.contains(address))
        })
        .filter_map(ip_address)
        .map(|ip| Address {
            ip,
            scope: scope_of(ip),
            ifindex: 0,
        })
        .collect();
    addresses.sort_by_key(|address| (address.ip.is_ipv6(), address.scope, address.ip));
    addresses.dedup();
    addresses
}

/// Whether there is, or was lately, somebody at the address.
fn is_known(state: NeighbourState) -> bool {
    use NeighbourState::{Delay, Permanent, Probe, Reachable, Stale};
    matches!(state, Reachable | Stale | Delay | Probe | Permanent)
}

fn hardware_address(message: &NeighbourMessage) -> Option<&[u8]> {
    message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::LinkLayerAddress(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
}

fn ip_address(message: &NeighbourMessage) -> Option<IpAddr> {
    let ip = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(ip)) => Some(IpAddr::from(*ip)),
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(ip)) => Some(IpAddr::from(*ip)),
            _ => None,
        });
    ip.filter(|ip| !ip.is_multicast())
}

fn scope_of(ip: IpAddr) -> u8 {
    let is_link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    if is_link_local { SCOPE_LINK } else { 0 }
}

fn dump(family: AddressFamily, buffer: &mut [u8]) -> io::Result<Vec<NeighbourMessage>> {
    let socket = rtnetlink::socket(0)?;
    rtnetlink::ask_for_neighbours(&socket, family)?;
    let mut neighbours = Vec::new();
    while let Incoming::Messages(messages) = rtnetlink::receive(&socket, buffer)? {
        for message in messages {
            match message {
                Message::Route(RouteNetlinkMessage::NewNeighbour(one)) => neighbours.push(one),
                Message::Done { .. } => return Ok(neighbours),
                Message::Refused(error) => return Err(error),
                Message::Route(_) => {}
            }
        }
    }
    Ok(neighbours)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(index: u32, state: NeighbourState, ip: &str, hardware: u8) -> NeighbourMessage {
        let mut message = NeighbourMessage::default();
        message.header.ifindex = index;
        message.header.state = state;
        let hardware = NeighbourAttribute::LinkLayerAddress(vec![hardware; 6]);
        message.attributes.push(hardware);
        let ip = match ip.parse() {
            Ok(IpAddr::V4(ip)) => NeighbourAddress::Inet(ip),
            Ok(IpAddr::V6(ip)) => NeighbourAddress::Inet6(ip),
            Err(_) => return message,
        };
        message.attributes.push(NeighbourAttribute::Destination(ip));
        message
    }

    #[test]
    fn on_the_interface_or_behind_the_port() {
        use NeighbourState::{Failed, Permanent, Reachable, Stale};
        let neighbours = [
            message(5, Reachable, "192.0.2.1", 1),
            message(5, Failed, "192.0.2.2", 1),
            message(9, Stale, "192.0.2.3", 2),
            message(9, Stale, "192.0.2.4", 3),
            message(9, Stale, "fe80::3", 2),
            message(9, Permanent, "ff02::1", 2),
        ];
        let learnt = [
            message(5, Reachable, "", 2),
            message(6, Reachable, "", 3),
            message(5, Permanent, "", 3),
        ];
        let found = select(&[5], &neighbours, &learnt);
        let found: Vec<_> = found.iter().map(|address| address.ip.to_string()).collect();
        assert_eq!(found, ["192.0.2.1", "192.0.2.3", "fe80::3"]);
    }
}
