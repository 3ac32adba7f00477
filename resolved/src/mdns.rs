//! Multicast DNS and DNS-SD (RFC 6762, RFC 6763): resolver, responder, browser.
//!
//! What is learnt is kept here, not in the machine's cache: a goodbye, a record that displaces another, and a browser that
//! needs an answer kept alive all act on single records.
//!
//! The protocol is in [`engine`], one for each link and family; here are the sockets, and what all links share.

mod asking;
mod browse;
mod claim;
mod conflict;
mod engine;
mod heard;
mod lookup;
mod own;
mod packet;
mod responder;
mod schedule;
mod sockets;
mod specifier;
#[cfg(test)]
mod tests;
pub mod trial;
mod zone;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    rc::Rc,
    time::Duration,
};

use tokio::sync::Notify;

pub use browse::Browsed;

use crate::{
    cache::DumpEntry,
    clock::boottime,
    config::DnssdService,
    mode::Multicast,
    multicast::{
        FAMILIES, MulticastLink,
        label::Label,
        socket::{self, Membership, Port},
        task::Task,
        timer::{Timed, Timer},
    },
    route::Family,
};
use engine::{Engine, Event, Packet, To};
use own::Key;

/// RFC 6762, 3
const PORT: u16 = 5353;
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
/// What goes before a message in a packet: the headers of IPv6 and UDP.
const HEADERS: usize = 48;
/// What every link carries; and what fits into one frame of most, whatever a link carries beyond that: others may not.
const LEAST: usize = 512;
const FRAME: usize = 1500 - HEADERS;

type ScopeKey = (u32, Family);
type OnConflict = Rc<dyn Fn(&str)>;

/// mDNS on all links. Lives on one [`tokio::runtime::LocalRuntime`].
pub struct Mdns {
    state: RefCell<State>,
    on_change: RefCell<Option<Rc<dyn Fn()>>>,
    on_conflict: RefCell<Option<OnConflict>>,
}

#[derive(Default)]
struct State {
    label: Label,
    links: BTreeMap<u32, MulticastLink>,
    services: Vec<DnssdService>,
    /// Ids of services whose names others have.
    lost: BTreeSet<String>,
    scopes: BTreeMap<ScopeKey, Scope>,
    listeners: BTreeMap<Family, Listener>,
    /// Families that could not be listened on: said once.
    refused: BTreeSet<Family>,
    timer: Option<Timer>,
    browsers: browse::Browsers,
}

/// One link and family.
struct Scope {
    _membership: Membership,
    engine: Engine,
    /// Something was heard.
    heard: Rc<Notify>,
}

/// The socket of a family.
struct Listener {
    port: Rc<Port>,
    _task: Task,
}

const fn group(family: Family) -> IpAddr {
    socket::group(family, GROUP_V4, GROUP_V6)
}

impl Mdns {
    /// On no link yet; nothing is open.
    #[must_use]
    pub fn new() -> Rc<Self> {
        Rc::new(Self {
            state: RefCell::default(),
            on_change: RefCell::default(),
            on_conflict: RefCell::default(),
        })
    }

    /// The label below `local` that this machine answers to: what it was set to, unless another machine on some link had it.
    #[must_use]
    pub fn host_name(&self) -> String {
        self.state.borrow().label.as_str().to_owned()
    }

    /// Has it answer to another label: the machine's name changed. The same label as was set before changes nothing.
    pub fn set_host_name(self: &Rc<Self>, label: &str) {
        if self.state.borrow_mut().label.set(label) {
            self.announce(Duration::ZERO);
        }
    }

    /// Has it answer to what LLMNR had to take in a conflict: a machine has one name.
    pub fn follow_host_name(self: &Rc<Self>, label: &str) {
        if self.state.borrow_mut().label.follow(label) {
            self.announce(Duration::ZERO);
        }
    }

    /// Has `told` called after each change of [`Self::host_name`] that a conflict caused; not within a call of ours.
    pub fn on_change(&self, told: Box<dyn Fn()>) {
        self.on_change.replace(Some(told.into()));
    }

    /// Has `told` called with the id of a service whose name another machine has; it is announced no more, until
    /// [`Self::set_services`] has it otherwise than it was.
    pub fn on_conflict(&self, told: Box<dyn Fn(&str)>) {
        self.on_conflict.replace(Some(told.into()));
    }

    /// Where it is spoken now: links that are up, can multicast, and are not the loopback. Opens and closes what that needs.
    /// Must be called in a [`tokio::runtime::LocalRuntime`].
    pub fn set_links(self: &Rc<Self>, links: &[MulticastLink]) {
        let mut wanted = BTreeSet::new();
        for MulticastLink { link, mode } in links {
            for family in FAMILIES {
                if *mode != Multicast::No && link.is_relevant_for_multicast(family) {
                    wanted.insert((link.index, family));
                }
            }
        }
        // What ends says so while it still can.
        let ends: Vec<_> = {
            let state = self.state.borrow();
            state
                .scopes
                .keys()
                .filter(|key| !wanted.contains(key))
                .copied()
                .collect()
        };
        for key in ends {
            self.run(key, |engine, _| engine.goodbye());
            self.state.borrow_mut().scopes.remove(&key);
        }
        {
            let mut state = self.state.borrow_mut();
            state.links = links.iter().map(|on| (on.link.index, on.clone())).collect();
            for family in FAMILIES {
                if wanted.iter().any(|(_, wanted)| *wanted == family) {
                    state.listen(family, Rc::downgrade(self));
                } else {
                    state.listeners.remove(&family);
                    state.refused.remove(&family);
                }
            }
            for (ifindex, family) in wanted {
                state.speak(ifindex, family);
            }
            if state.scopes.is_empty() {
                state.timer = None;
            } else if state.timer.is_none() {
                state.timer = Some(Timer::start(Rc::downgrade(self)));
            }
        }
        self.announce(Duration::ZERO);
        self.tell_browsers();
    }

    /// What is announced beside the host. Those that are gone are taken back.
    pub fn set_services(self: &Rc<Self>, services: &[DnssdService]) {
        {
            let mut state = self.state.borrow_mut();
            if state.services == services {
                return;
            }
            let before = std::mem::replace(&mut state.services, services.to_vec());
            state.lost.retain(|id| {
                let find = |services: &[DnssdService]| {
                    services.iter().find(|service| service.id == *id).cloned()
                };
                find(services).is_some_and(|service| find(&before) == Some(service))
            });
        }
        self.announce(Duration::ZERO);
    }

    /// What is kept for one link and family.
    #[must_use]
    pub fn dump(&self, ifindex: u32, family: Family) -> Vec<DumpEntry> {
        let state = self.state.borrow();
        let scope = state.scopes.get(&(ifindex, family));
        scope
            .map(|scope| scope.engine.heard.dump(boottime()))
            .unwrap_or_default()
    }

    /// Forgets what was heard, but for what is browsed.
    pub fn flush(&self) {
        for scope in self.state.borrow_mut().scopes.values_mut() {
            scope.engine.flush();
        }
    }

    /// Takes back all that was announced: the daemon ends.
    pub fn goodbye(self: &Rc<Self>) {
        for key in self.keys() {
            self.run(key, |engine, _| engine.goodbye());
        }
    }

    fn keys(&self) -> Vec<ScopeKey> {
        self.state.borrow().scopes.keys().copied().collect()
    }

    /// Gives every link what it is to announce now; new names after `pause`.
    fn announce(self: &Rc<Self>, pause: Duration) {
        for key in self.keys() {
            let groups = zone::groups(&self.state.borrow(), key.0);
            self.run(key, |engine, now| engine.announce(groups, now, pause));
        }
        if let Some(timer) = &self.state.borrow().timer {
            timer.wake();
        }
    }

    /// Does something with a link's engine, then sends what it has to send and sees to what happened.
    fn run<T>(
        self: &Rc<Self>,
        key: ScopeKey,
        work: impl FnOnce(&mut Engine, Duration) -> T,
    ) -> Option<T> {
        let (result, packets, events, port) = {
            let mut state = self.state.borrow_mut();
            let State {
                scopes, listeners, ..
            } = &mut *state;
            let scope = scopes.get_mut(&key)?;
            let result = work(&mut scope.engine, boottime());
            let packets = std::mem::take(&mut scope.engine.packets);
            let events = std::mem::take(&mut scope.engine.events);
            if events.contains(&Event::Heard) {
                scope.heard.notify_waiters();
            }
            let port = listeners
                .get(&key.1)
                .map(|listener| Rc::clone(&listener.port));
            (result, packets, events, port)
        };
        for Packet { to, bytes } in packets {
            let sent = port.as_ref().map(|port| match to {
                To::Everyone => port.multicast(&bytes, key.0),
                To::One(peer) => port.send(&bytes, peer, key.0),
            });
            if let Some(Err(error)) = sent {
                tracing::debug!("Failed to send mDNS by link {}: {error}", key.0);
            }
        }
        self.follow_up(&events);
        Some(result)
    }

    fn follow_up(self: &Rc<Self>, events: &[Event]) {
        if events.contains(&Event::Heard) {
            self.tell_browsers();
        }
        for event in events {
            match event {
                Event::Heard => {}
                Event::Conflict(Key::Host) => self.lose_host_name(),
                Event::Conflict(Key::Service(id)) => self.lose_service(id),
            }
        }
    }
}

impl Timed for Mdns {
    fn tick(self: &Rc<Self>, _: Duration) -> Option<Duration> {
        let ticks = self
            .keys()
            .into_iter()
            .map(|key| self.run(key, Engine::tick));
        ticks.flatten().flatten().min()
    }
}
