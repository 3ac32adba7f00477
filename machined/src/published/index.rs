//! Which machines there are, by what the map is asked for.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    rc::Rc,
};

use lookaside::{Answer, Family, Item, Question, Writer};

use super::known::Known;
use crate::{inet, machine::Machine, name::MachineName};

/// All that the map has to say.
#[derive(Debug, Default)]
pub(super) struct Index {
    machines: BTreeMap<MachineName, Entry>,
    /// The machines by their names in lower case: names in the map have no case (RFC 4343).
    by_name: HashMap<Box<str>, BTreeSet<MachineName>>,
    by_address: HashMap<IpAddr, BTreeSet<MachineName>>,
    /// Those that may have addresses which are not known.
    pub in_part: BTreeSet<MachineName>,
}

#[derive(Debug)]
struct Entry {
    machine: Rc<Machine>,
    known: Known,
}

impl Index {
    /// Takes in what is known of a machine, and publishes it.
    pub fn put(&mut self, machine: &Rc<Machine>, known: Known, writer: &mut Writer) {
        let name = &machine.name;
        let addresses = known.addresses.clone();
        let entry = Entry {
            machine: Rc::clone(machine),
            known,
        };
        let is_told = entry.known.hosts.is_some();
        let before = self.machines.insert(name.clone(), entry);
        let before = before.map(|entry| entry.known).unwrap_or_default();
        let is_as_before = before.hosts.is_some() == is_told;
        let before = before.addresses;
        for &ip in before.difference(&addresses) {
            remove(&mut self.by_address, &ip, name);
        }
        for &ip in &addresses {
            let named = self.by_address.entry(ip).or_default();
            named.insert(name.clone());
        }
        let group = lower(name);
        let named = self.by_name.entry(group.clone()).or_default();
        named.insert(name.clone());
        self.tell_name(&group, writer);
        for &ip in before.union(&addresses) {
            if !is_as_before || !before.contains(&ip) || !addresses.contains(&ip) {
                self.tell_address(ip, writer);
            }
        }
    }

    /// Takes a machine out, unless another has its name; whether it was there.
    pub fn take(&mut self, machine: &Rc<Machine>, writer: &mut Writer) -> bool {
        let name = &machine.name;
        let is_it = |entry: &&Entry| Rc::ptr_eq(&entry.machine, machine);
        if self.machines.get(name).filter(is_it).is_none() {
            return false;
        }
        let Some(Entry { known, .. }) = self.machines.remove(name) else {
            return false;
        };
        let group = lower(name);
        remove(&mut self.by_name, &group, name);
        self.tell_name(&group, writer);
        for ip in known.addresses {
            remove(&mut self.by_address, &ip, name);
            self.tell_address(ip, writer);
        }
        self.in_part.remove(name);
        true
    }

    /// Publishes all of it, in a map that has nothing.
    pub fn tell_all(&self, writer: &mut Writer) {
        for group in self.by_name.keys() {
            self.tell_name(group, writer);
        }
        for &ip in self.by_address.keys() {
            self.tell_address(ip, writer);
        }
    }

    /// Publishes what a name, in lower case, stands for.
    fn tell_name(&self, group: &str, writer: &mut Writer) {
        let named = self.by_name.get(group);
        let mut entries = named
            .into_iter()
            .flatten()
            .filter_map(|name| self.machines.get_key_value(name));
        let (first, is_only) = (entries.next(), entries.next().is_none());
        for family in [Family::Any, Family::Inet, Family::Inet6] {
            let Some(question) = Question::name(group.as_bytes(), family) else {
                continue;
            };
            let Some((name, entry)) = first else {
                writer.remove(&question);
                continue;
            };
            let hosts = entry.known.hosts.as_deref().filter(|_| is_only);
            let Some(hosts) = hosts else {
                writer.publish(&question, Answer::Ask, None);
                continue;
            };
            let octets: Vec<_> = hosts
                .iter()
                .filter(|(ip, _)| holds(family, *ip))
                .map(|(ip, interface)| (inet::parts(*ip).1, *interface))
                .collect();
            let addresses = octets.iter().map(|(octets, interface)| Item::Address {
                octets,
                ifindex: interface.and_then(|i| i.try_into().ok()).unwrap_or(0),
            });
            let name = Item::Name(name.as_str().as_bytes());
            let items: Vec<_> = addresses.chain([name]).collect();
            let answer = if octets.is_empty() {
                Answer::NoData
            } else {
                Answer::Found(&items)
            };
            writer.publish(&question, answer, None);
        }
    }

    /// Publishes whose an address is.
    fn tell_address(&self, ip: IpAddr, writer: &mut Writer) {
        let (_, octets) = inet::parts(ip);
        let Some(question) = Question::address(&octets) else {
            return;
        };
        let Some(named) = self.by_address.get(&ip) else {
            return writer.remove(&question);
        };
        let is_told = |name: &MachineName| {
            let entry = self.machines.get(name);
            entry.is_some_and(|entry| entry.known.hosts.is_some())
        };
        let items: Vec<_> = named
            .iter()
            .map(|name| Item::Name(name.as_str().as_bytes()))
            .collect();
        let answer = if named.iter().all(is_told) {
            Answer::Found(&items)
        } else {
            Answer::Ask
        };
        writer.publish(&question, answer, None);
    }
}

fn holds(family: Family, ip: IpAddr) -> bool {
    match family {
        Family::Any => true,
        Family::Inet => ip.is_ipv4(),
        Family::Inet6 => ip.is_ipv6(),
    }
}

fn lower(name: &MachineName) -> Box<str> {
    name.as_str().to_ascii_lowercase().into()
}

/// Takes a name out of those of a key, and the key with the last.
fn remove<K, Q>(index: &mut HashMap<K, BTreeSet<MachineName>>, key: &Q, name: &MachineName)
where
    K: std::hash::Hash + Eq + std::borrow::Borrow<Q>,
    Q: std::hash::Hash + Eq + ?Sized,
{
    if let Some(named) = index.get_mut(key) {
        named.remove(name);
        if named.is_empty() {
            index.remove(key);
        }
    }
}
