//! Addresses, servers and domains as they go over the bus.

use std::net::IpAddr;

use crate::{
    manager::Manager,
    name,
    request::{AF_INET, AF_INET6},
    server::{DnsServer, Domain},
};

/// Family and bytes in network order; 0 and none for no address.
pub(super) type Address = (i32, Vec<u8>);
/// A server of the machine's: link (0 for any), family, bytes.
pub(super) type GlobalServer = (i32, i32, Vec<u8>);
/// The same with port (0: the usual one) and name (empty: none).
pub(super) type GlobalServerEx = (i32, i32, Vec<u8>, u16, String);
/// A link's server with port and name.
pub(super) type LinkServerEx = (i32, Vec<u8>, u16, String);
/// A domain of a link (0: the machine's): its name, and whether it only routes.
pub(super) type GlobalDomain = (i32, String, bool);

/// The loopback interface's number, on every Linux.
const LOOPBACK: i32 = 1;

pub(super) fn address(address: IpAddr) -> Address {
    match address {
        IpAddr::V4(address) => (AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (AF_INET6, address.octets().to_vec()),
    }
}

/// Of links by their number.
pub(super) fn ifindex(index: u32) -> i32 {
    // The kernel's are never more than an int holds.
    i32::try_from(index).unwrap_or(0)
}

pub(super) fn global_server(server: &DnsServer) -> GlobalServer {
    // Whoever was told of it: there is one way to such an address.
    let link = match server.address.is_loopback() {
        true => LOOPBACK,
        false => ifindex(server.ifindex),
    };
    let (family, bytes) = address(server.address);
    (link, family, bytes)
}

pub(super) fn global_server_ex(server: &DnsServer) -> GlobalServerEx {
    let (link, family, bytes) = global_server(server);
    (link, family, bytes, server.port, name_of(server))
}

pub(super) fn link_server(server: &DnsServer) -> Address {
    address(server.address)
}

pub(super) fn link_server_ex(server: &DnsServer) -> LinkServerEx {
    let (family, bytes) = address(server.address);
    (family, bytes, server.port, name_of(server))
}

fn name_of(server: &DnsServer) -> String {
    server.name.clone().unwrap_or_default()
}

pub(super) fn domain(domain: &Domain) -> (String, bool) {
    (name::format(&domain.name), domain.route_only)
}

/// The servers of the machine, and those of all links.
pub(super) fn all_servers(manager: &Manager, own: &[DnsServer]) -> Vec<DnsServer> {
    let links = manager.link_indices().into_iter();
    let links = links.flat_map(|index| manager.link_settings(index).servers.clone());
    own.iter().cloned().chain(links).collect()
}

/// The domains of the machine, and those of all links.
pub(super) fn all_domains(manager: &Manager, own: &[Domain]) -> Vec<GlobalDomain> {
    let mut all = Vec::new();
    let mut add = |index: u32, domains: &[Domain]| {
        for one in domains {
            let (name, route_only) = domain(one);
            all.push((ifindex(index), name, route_only));
        }
    };
    add(0, own);
    for index in manager.link_indices() {
        add(index, &manager.link_settings(index).domains);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers() {
        let mut server = DnsServer::new([192, 0, 2, 1].into());
        assert_eq!(global_server(&server), (0, 2, vec![192, 0, 2, 1]));
        server.port = 5353;
        server.ifindex = 7;
        server.name = Some("dns.example".to_owned());
        assert_eq!(
            global_server_ex(&server),
            (7, 2, vec![192, 0, 2, 1], 5353, "dns.example".to_owned())
        );
        let local = DnsServer::new([127, 0, 0, 10].into());
        assert_eq!(global_server(&local).0, LOOPBACK);
        assert_eq!(link_server(&local), (2, vec![127, 0, 0, 10]));
    }
}
