//! Link-local multicast name resolution (RFC 4795): resolver and responder.
//!
//! Answers are not kept here: they may be put into the machine's cache, for the time that they say.

mod lookup;
mod message;
mod responder;
mod tcp;
pub mod trial;
mod uniqueness;
mod zone;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    rc::{Rc, Weak},
    time::Duration,
};

use tokio::sync::mpsc::UnboundedSender;

use crate::{
    clock::boottime,
    links::Link,
    mode::Multicast,
    multicast::{
        FAMILIES, MulticastLink,
        label::Label,
        socket::{self, LONGEST, Membership, Origin, Port},
        task::Task,
        timer::Timer,
    },
    route::Family,
};
use message::Reply;
use uniqueness::Uniqueness;

/// RFC 4795, 2
const PORT: u16 = 5355;
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 252);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 3);

/// LLMNR on all links. Lives on one [`tokio::runtime::LocalRuntime`].
pub struct Llmnr {
    state: RefCell<State>,
    on_change: RefCell<Option<Rc<dyn Fn()>>>,
}

#[derive(Default)]
struct State {
    label: Label,
    links: BTreeMap<u32, Link>,
    /// By link and family.
    spoken: BTreeMap<(u32, Family), Spoken>,
    listeners: BTreeMap<Family, Listener>,
    /// Families that could not be listened on: said once.
    refused: BTreeSet<Family>,
    /// Who waits for replies, by link, family and id.
    waiting: HashMap<(u32, Family, u16), UnboundedSender<(Reply, Origin)>>,
    timer: Option<Timer>,
}

/// One link and family.
struct Spoken {
    _membership: Membership,
    /// Of our name; `None`: we answer for none here.
    uniqueness: Option<Uniqueness>,
}

/// The sockets of a family.
struct Listener {
    port: Rc<Port>,
    _tasks: [Task; 2],
}

const fn group(family: Family) -> IpAddr {
    socket::group(family, GROUP_V4, GROUP_V6)
}

impl Llmnr {
    /// On no link yet; nothing is open.
    #[must_use]
    pub fn new() -> Rc<Self> {
        Rc::new(Self {
            state: RefCell::default(),
            on_change: RefCell::default(),
        })
    }

    /// The label that this machine answers to: what it was set to, unless another machine on some link had it.
    #[must_use]
    pub fn host_name(&self) -> String {
        self.state.borrow().label.as_str().to_owned()
    }

    /// Has it answer to another label: the machine's name changed. The same label as was set before changes nothing.
    pub fn set_host_name(self: &Rc<Self>, label: &str) {
        let mut state = self.state.borrow_mut();
        if state.label.set(label) {
            state.claim(boottime(), Duration::ZERO);
        }
    }

    /// Has it answer to what mDNS had to take in a conflict: a machine has one name.
    pub fn follow_host_name(self: &Rc<Self>, label: &str) {
        let mut state = self.state.borrow_mut();
        if state.label.follow(label) {
            state.claim(boottime(), Duration::ZERO);
        }
    }

    /// Has `told` called after each change of [`Self::host_name`] that a conflict caused; not within a call of ours.
    pub fn on_change(&self, told: Box<dyn Fn()>) {
        self.on_change.replace(Some(told.into()));
    }

    /// Where it is spoken now: links that are up, can multicast, and are not the loopback. Opens and closes what that needs.
    /// Must be called in a [`tokio::runtime::LocalRuntime`].
    pub fn set_links(self: &Rc<Self>, links: &[MulticastLink]) {
        let mut wanted = BTreeMap::new();
        for MulticastLink { link, mode } in links {
            for family in FAMILIES {
                if *mode != Multicast::No && link.is_relevant_for_multicast(family) {
                    wanted.insert((link.index, family), *mode);
                }
            }
        }
        let mut state = self.state.borrow_mut();
        state.links = links
            .iter()
            .map(|on| (on.link.index, on.link.clone()))
            .collect();
        state.spoken.retain(|key, _| wanted.contains_key(key));
        for family in FAMILIES {
            if wanted.keys().any(|(_, wanted)| *wanted == family) {
                state.listen(family, Rc::downgrade(self));
            } else {
                state.listeners.remove(&family);
                state.refused.remove(&family);
            }
        }
        for ((ifindex, family), mode) in wanted {
            state.speak(ifindex, family, mode);
        }
        if state.spoken.is_empty() {
            state.timer = None;
        } else if let Some(timer) = &state.timer {
            timer.wake();
        } else {
            state.timer = Some(Timer::start(Rc::downgrade(self)));
        }
    }

    /// Forgets what was learnt: nothing is kept here.
    pub fn flush(&self) {}

    /// Whether an address is this machine's, on whatever link.
    fn is_own(&self, address: IpAddr) -> bool {
        let state = self.state.borrow();
        state
            .links
            .values()
            .any(|link| crate::multicast::is_own(link, address))
    }

    fn port(&self, family: Family) -> Option<Rc<Port>> {
        let state = self.state.borrow();
        state
            .listeners
            .get(&family)
            .map(|listener| Rc::clone(&listener.port))
    }
}

impl State {
    fn listen(&mut self, family: Family, llmnr: Weak<Llmnr>) {
        if self.listeners.contains_key(&family) {
            return;
        }
        match Listener::open(family, llmnr) {
            Ok(listener) => {
                self.refused.remove(&family);
                self.listeners.insert(family, listener);
            }
            Err(error) => {
                if self.refused.insert(family) {
                    tracing::warn!(
                        "No LLMNR over {family:?}, port {PORT} is not to be had: {error}"
                    );
                }
            }
        }
    }

    fn speak(&mut self, ifindex: u32, family: Family, mode: Multicast) {
        if !self.listeners.contains_key(&family) {
            self.spoken.remove(&(ifindex, family));
            return;
        }
        let responds = mode == Multicast::Yes;
        let begin = || responds.then(|| Uniqueness::begin(boottime(), Duration::ZERO));
        match self.spoken.get_mut(&(ifindex, family)) {
            Some(spoken) if spoken.uniqueness.is_some() == responds => {}
            Some(spoken) => spoken.uniqueness = begin(),
            None => match Membership::join(group(family), ifindex) {
                Ok(membership) => {
                    let spoken = Spoken {
                        _membership: membership,
                        uniqueness: begin(),
                    };
                    self.spoken.insert((ifindex, family), spoken);
                }
                // The link may just be going.
                Err(error) => tracing::debug!("No LLMNR on link {ifindex}: {error}"),
            },
        }
    }

    /// Begins anew with our name, everywhere.
    fn claim(&mut self, now: Duration, pause: Duration) {
        for spoken in self.spoken.values_mut() {
            if spoken.uniqueness.is_some() {
                spoken.uniqueness = Some(Uniqueness::begin(now, pause));
            }
        }
        if let Some(timer) = &self.timer {
            timer.wake();
        }
    }
}

impl Listener {
    fn open(family: Family, llmnr: Weak<Llmnr>) -> io::Result<Self> {
        let port = Rc::new(Port::open(group(family), PORT, false)?);
        let streams = tcp::listen(family)?;
        let receive = receive(Rc::clone(&port), family, llmnr.clone());
        Ok(Self {
            port,
            _tasks: [
                Task::start(receive),
                Task::start(tcp::serve(streams, llmnr)),
            ],
        })
    }
}

async fn receive(port: Rc<Port>, family: Family, llmnr: Weak<Llmnr>) {
    let mut buffer = vec![0; LONGEST];
    loop {
        let received = port.receive(&mut buffer).await;
        let Some(llmnr) = llmnr.upgrade() else {
            return;
        };
        match received {
            Ok((length, origin)) => {
                llmnr.heard(family, buffer.get(..length).unwrap_or_default(), origin);
            }
            // What a neighbour's ICMP says of an answer to it.
            Err(error) => tracing::debug!("LLMNR over {family:?}: {error}"),
        }
        // A flood does not keep the rest of the daemon waiting.
        tokio::task::yield_now().await;
    }
}
