//! The map of machines that nss-mymachines reads in every process: docs/lookaside.md
//!
//! What is the same for everybody is in it. What is not, or may be old, stands there as a question to be asked: the map is
//! complete, so that a name which is not in it is no machine's.

mod known;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    rc::Rc,
};

use lookaside::{Answer, Complete, Family, Item, Question, Writer};
use rustix::time::{ClockId, clock_gettime};

use self::known::Known;
use crate::{inet, machine::Machine, name::MachineName};

/// The map, where there is one.
#[derive(Debug, Default)]
pub(crate) struct Published(RefCell<Option<Map>>);

impl Published {
    /// From now on machines are published. It is said to be [complete](Self::complete) later.
    pub fn begin(&self, writer: Writer) {
        self.0.replace(Some(Map::new(writer)));
    }

    /// Retires the map: readers ask whoever comes next.
    pub fn end(&self) {
        self.0.take();
    }

    /// Says that all machines there are have been published.
    pub fn complete(&self) {
        self.with(|map| {
            map.has_all = true;
            map.say_complete();
        });
    }

    /// Publishes a machine, or what has changed of it.
    pub fn put(&self, machine: &Rc<Machine>) {
        self.with(|map| map.put(machine));
    }

    /// Takes a machine out.
    pub fn take(&self, machine: &Rc<Machine>) {
        self.with(|map| map.take(machine));
    }

    /// Whether a second has begun since the map was last renewed.
    pub fn is_due(&self) -> bool {
        let map = self.0.borrow();
        map.as_ref().is_some_and(|map| map.renewed != second())
    }

    /// Vouches for the map.
    pub fn renew(&self) {
        self.with(|map| {
            map.renewed = second();
            map.writer.renew();
        });
    }

    fn with(&self, act: impl FnOnce(&mut Map)) {
        if let Some(map) = self.0.borrow_mut().as_mut() {
            act(map);
        }
    }
}

fn second() -> i64 {
    clock_gettime(ClockId::Monotonic).tv_sec
}

#[derive(Debug)]
struct Map {
    writer: Writer,
    renewed: i64,
    has_all: bool,
    machines: BTreeMap<MachineName, Entry>,
    /// The machines by their names in lower case: names in the map have no case (RFC 4343).
    by_name: HashMap<Box<str>, BTreeSet<MachineName>>,
    by_address: HashMap<IpAddr, BTreeSet<MachineName>>,
    /// Those that may have addresses which are not known.
    in_part: BTreeSet<MachineName>,
}

#[derive(Debug)]
struct Entry {
    machine: Rc<Machine>,
    known: Known,
}

impl Map {
    fn new(writer: Writer) -> Self {
        Self {
            writer,
            renewed: 0,
            has_all: false,
            machines: BTreeMap::new(),
            by_name: HashMap::new(),
            by_address: HashMap::new(),
            in_part: BTreeSet::new(),
        }
    }

    fn put(&mut self, machine: &Rc<Machine>) {
        let (name, known) = (&machine.name, Known::of(machine));
        if !known.is_all {
            // Before what is known goes.
            self.in_part.insert(name.clone());
            self.say_complete();
        }
        let (addresses, is_all) = (known.addresses.clone(), known.is_all);
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
        self.tell_name(&group);
        for &ip in before.union(&addresses) {
            if !is_as_before || !before.contains(&ip) || !addresses.contains(&ip) {
                self.tell_address(ip);
            }
        }
        if is_all {
            self.in_part.remove(name);
            self.say_complete();
        }
    }

    fn take(&mut self, machine: &Rc<Machine>) {
        let name = &machine.name;
        let is_it = |entry: &&Entry| Rc::ptr_eq(&entry.machine, machine);
        if self.machines.get(name).filter(is_it).is_none() {
            return;
        }
        let Some(Entry { known, .. }) = self.machines.remove(name) else {
            return;
        };
        let group = lower(name);
        remove(&mut self.by_name, &group, name);
        self.tell_name(&group);
        for ip in known.addresses {
            remove(&mut self.by_address, &ip, name);
            self.tell_address(ip);
        }
        self.in_part.remove(name);
        self.say_complete();
    }

    /// Of what the map has all that there is.
    fn say_complete(&mut self) {
        // What had to make room for another is there all the same.
        let complete = if !self.has_all || self.writer.evicted() > 0 {
            Complete::Nothing
        } else if self.in_part.is_empty() {
            Complete::All
        } else {
            Complete::Names
        };
        self.writer.set_complete(complete);
    }

    /// Publishes what a name, in lower case, stands for.
    fn tell_name(&mut self, group: &str) {
        let named = self.by_name.get(group);
        let mut entries = named
            .into_iter()
            .flatten()
            .filter_map(|name| self.machines.get(name));
        let (first, is_only) = (entries.next(), entries.next().is_none());
        for family in [Family::Any, Family::Inet, Family::Inet6] {
            let Some(question) = Question::name(group.as_bytes(), family) else {
                continue;
            };
            let Some(entry) = first else {
                self.writer.remove(&question);
                continue;
            };
            let hosts = entry.known.hosts.as_deref().filter(|_| is_only);
            let Some(hosts) = hosts else {
                self.writer.publish(&question, Answer::Ask, None);
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
            let name = Item::Name(entry.machine.name.as_str().as_bytes());
            let items: Vec<_> = addresses.chain([name]).collect();
            let answer = if octets.is_empty() {
                Answer::NoData
            } else {
                Answer::Found(&items)
            };
            self.writer.publish(&question, answer, None);
        }
    }

    /// Publishes whose an address is.
    fn tell_address(&mut self, ip: IpAddr) {
        let (_, octets) = inet::parts(ip);
        let Some(question) = Question::address(&octets) else {
            return;
        };
        let Some(named) = self.by_address.get(&ip) else {
            return self.writer.remove(&question);
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
        self.writer.publish(&question, answer, None);
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
