//! Addresses of machines: which of those that stand in a network namespace are told, and in which order.

use std::net::IpAddr;

use netlink_packet_route::{
    RouteNetlinkMessage,
    address::{AddressAttribute, AddressFlags, AddressMessage},
};

/// RT_SCOPE_HOST of rtnetlink(7): this and anything above (RT_SCOPE_NOWHERE) can't be reached from elsewhere.
const SCOPE_HOST: u8 = 254;

/// More than any machine has need of; a machine that has more is not let fill our memory.
const MOST: usize = 4096;

/// One address of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// RT_SCOPE_* of rtnetlink(7): 0 global, 200 site, 253 link.
    pub scope: u8,
    /// The interface it stands on, as numbered *inside* the machine; 0 where it is not known.
    pub ifindex: u32,
}

/// The addresses of a namespace, kept up to date message by message, in the order of [`Entry::key`]: a machine may have the
/// kernel tell of a hundred thousand, and each is looked for.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Entry>);

/// An address as the kernel tells them apart: the same one may stand twice on an interface, with another prefix or peer.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    address: Address,
    peer: Option<IpAddr>,
    prefix_len: u8,
}

impl Entry {
    fn key(&self) -> (IpAddr, u32, Option<IpAddr>, u8) {
        let Address { ip, ifindex, .. } = self.address;
        (ip, ifindex, self.peer, self.prefix_len)
    }
}

impl Table {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes in a message of the kernel's.
    pub fn apply(&mut self, message: &RouteNetlinkMessage) {
        let (message, is_new) = match message {
            RouteNetlinkMessage::NewAddress(message) => (message, true),
            RouteNetlinkMessage::DelAddress(message) => (message, false),
            _ => return,
        };
        let Some(entry) = entry_of(message) else {
            return;
        };
        let place = self.0.binary_search_by_key(&entry.key(), Entry::key);
        let is_wanted = is_new && is_told(message);
        match place {
            // An address that changed, by its flags say, comes as new once more.
            Ok(place) if is_wanted => self.0.splice(place..=place, [entry]).for_each(drop),
            Ok(place) => drop(self.0.remove(place)),
            Err(place) if is_wanted && self.0.len() < MOST => self.0.insert(place, entry),
            Err(_) => {}
        }
    }

    /// The addresses as GetMachineAddresses gives them: IPv4 first, then the widest scope, then by interface.
    pub fn sorted(&self) -> Box<[Address]> {
        let mut addresses: Vec<_> = self.0.iter().map(|entry| entry.address).collect();
        // systemd-machined has a metric between scope and interface, but sets it for gateways only.
        addresses.sort_by_key(|a| (a.ip.is_ipv6(), a.scope, a.ifindex, a.ip));
        addresses.dedup();
        addresses.into()
    }
}

fn entry_of(message: &AddressMessage) -> Option<Entry> {
    let (mut local, mut peer) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(ip) => local = Some(*ip),
            AddressAttribute::Address(ip) => peer = Some(*ip),
            _ => {}
        }
    }
    // On a point-to-point link IFA_ADDRESS is the other end's. rtnetlink(7)
    Some(Entry {
        address: Address {
            ip: local.or(peer)?,
            scope: message.header.scope.into(),
            ifindex: message.header.index,
        },
        peer: local.and(peer),
        prefix_len: message.header.prefix_len,
    })
}

/// Left out are addresses on their way out, those that can't be reached from elsewhere, and those that are tentative:
/// until the kernel has made sure that nobody else has it, an address does not answer (RFC 4862, 5.4). systemd tells those,
/// too; but the kernel tells of a new one only when it is sure, so that they would come and go by when one asks.
fn is_told(message: &AddressMessage) -> bool {
    // The header has room for the first eight flags only, the attribute has them all.
    let of_header = u32::from(message.header.flags.bits());
    let of_attribute = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            AddressAttribute::Flags(flags) => Some(*flags),
            _ => None,
        });
    let flags = of_attribute.unwrap_or(AddressFlags::from_bits_retain(of_header));
    let is_tentative =
        flags.contains(AddressFlags::Tentative) && !flags.contains(AddressFlags::Optimistic);
    let is_ending = flags.contains(AddressFlags::Deprecated);
    u8::from(message.header.scope) < SCOPE_HOST && !is_ending && !is_tentative
}

#[cfg(test)]
mod tests {
    use netlink_packet_route::address::AddressHeaderFlags;

    use super::*;

    fn message(ip: &str, scope: u8, index: u32) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.scope = scope.into();
        message.header.index = index;
        message.header.prefix_len = 24;
        message.attributes = vec![AddressAttribute::Address(ip.parse().unwrap())];
        message
    }

    fn table(messages: impl IntoIterator<Item = AddressMessage>) -> Table {
        let mut table = Table::default();
        for message in messages {
            table.apply(&RouteNetlinkMessage::NewAddress(message));
        }
        table
    }

    fn told(table: &Table) -> Vec<String> {
        table
            .sorted()
            .iter()
            .map(|a| format!("{}%{}", a.ip, a.ifindex))
            .collect()
    }

    #[test]
    fn order_and_filter() {
        let mut deprecated = message("fd00::9", 0, 2);
        deprecated
            .attributes
            .push(AddressAttribute::Flags(AddressFlags::Deprecated));
        let mut tentative = message("fd00::8", 0, 2);
        tentative.header.flags = AddressHeaderFlags::Tentative;
        let mut optimistic = message("fd00::7", 0, 2);
        optimistic.header.flags = AddressHeaderFlags::Tentative | AddressHeaderFlags::Optimistic;
        let table = table([
            message("fe80::1", 253, 2),
            message("fd00::2", 0, 3),
            message("fd00::2", 0, 2),
            deprecated,
            tentative,
            optimistic,
            message("169.254.0.1", 253, 1),
            message("10.0.0.9", 0, 2),
            message("10.0.0.2", 0, 2),
            message("10.0.0.3", 200, 1),
            message("127.0.0.1", 254, 1),
            message("::1", 254, 1),
            message("10.0.0.4", 255, 1),
        ]);
        let expected = [
            "10.0.0.2%2",
            "10.0.0.9%2",
            "10.0.0.3%1",
            "169.254.0.1%1",
            "fd00::2%2",
            "fd00::7%2",
            "fd00::2%3",
            "fe80::1%2",
        ];
        assert_eq!(told(&table), expected);
    }

    #[test]
    fn the_end_that_is_ours() {
        let mut message = message("10.0.0.1", 0, 2);
        message
            .attributes
            .push(AddressAttribute::Local("10.0.0.2".parse().unwrap()));
        assert_eq!(told(&table([message])), ["10.0.0.2%2"]);
    }

    #[test]
    fn the_same_address_with_two_prefixes() {
        let mut wide = message("10.0.0.1", 0, 2);
        wide.header.prefix_len = 8;
        let mut table = table([message("10.0.0.1", 0, 2), wide.clone()]);
        assert_eq!(told(&table), ["10.0.0.1%2"]);
        table.apply(&RouteNetlinkMessage::DelAddress(wide));
        assert_eq!(told(&table), ["10.0.0.1%2"]);
        table.apply(&RouteNetlinkMessage::DelAddress(message("10.0.0.1", 0, 2)));
        assert!(told(&table).is_empty());
    }

    #[test]
    fn a_flag_that_comes_later() {
        let mut table = table([message("fd00::1", 0, 2)]);
        let mut deprecated = message("fd00::1", 0, 2);
        deprecated.header.flags = AddressHeaderFlags::Deprecated;
        table.apply(&RouteNetlinkMessage::NewAddress(deprecated));
        assert!(told(&table).is_empty());
    }

    #[test]
    fn no_machine_fills_our_memory() {
        let many = (0..MOST as u32 + 10).map(|n| {
            let mut message = message("10.0.0.1", 0, 2);
            message.header.index = n;
            message
        });
        assert_eq!(table(many).0.len(), MOST);
    }
}
