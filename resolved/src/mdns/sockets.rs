//! Sockets and groups: opened for the links that want them, and what comes in by them.

use std::rc::{Rc, Weak};

use tokio::sync::Notify;

use super::{
    FRAME, HEADERS, LEAST, Listener, Mdns, PORT, Scope, State,
    engine::{Arrival, Engine},
    group,
};
use crate::{
    clock::boottime,
    links::Link,
    multicast::{
        is_neighbour, is_own,
        socket::{LONGEST, Membership, Origin, Port},
        task::Task,
    },
    route::Family,
};

impl Mdns {
    fn received(self: &Rc<Self>, family: Family, bytes: &[u8], origin: Origin) {
        let peer = origin.peer.ip();
        let arrival = {
            let state = self.state.borrow();
            let Some(on) = state.links.get(&origin.ifindex) else {
                return;
            };
            // A group of the link is no farther than the link; anything else may be. RFC 6762, 11
            let multicast = origin.destination == group(family);
            let neighbour = is_neighbour(&on.link, peer);
            if !multicast && !neighbour {
                return;
            }
            Arrival {
                peer: origin.peer,
                multicast,
                neighbour,
                own: state.links.values().any(|on| is_own(&on.link, peer)),
            }
        };
        self.run((origin.ifindex, family), |engine, now| {
            engine.receive(bytes, arrival, now)
        });
        if let Some(timer) = &self.state.borrow().timer {
            timer.wake();
        }
    }
}

impl State {
    pub(super) fn listen(&mut self, family: Family, mdns: Weak<Mdns>) {
        if self.listeners.contains_key(&family) {
            return;
        }
        // Other programs of this machine take part, too. RFC 6762, 15
        match Port::open(group(family), PORT, true) {
            Ok(port) => {
                self.refused.remove(&family);
                let port = Rc::new(port);
                let task = Task::start(receive(Rc::clone(&port), family, mdns));
                self.listeners
                    .insert(family, Listener { port, _task: task });
            }
            Err(error) => {
                if self.refused.insert(family) {
                    tracing::warn!(
                        "No mDNS over {family:?}, port {PORT} is not to be had: {error}"
                    );
                }
            }
        }
    }

    pub(super) fn speak(&mut self, ifindex: u32, family: Family) {
        if !self.listeners.contains_key(&family) {
            self.scopes.remove(&(ifindex, family));
            return;
        }
        let Some(on) = self.links.get(&ifindex) else {
            return;
        };
        let limit = limit(&on.link);
        if let Some(scope) = self.scopes.get_mut(&(ifindex, family)) {
            scope.engine.limit = limit;
            return;
        }
        match Membership::join(group(family), ifindex) {
            Ok(membership) => {
                let mut engine = Engine::new(limit);
                self.browsers.join(&mut engine, ifindex, boottime());
                let scope = Scope {
                    _membership: membership,
                    engine,
                    heard: Rc::new(Notify::new()),
                };
                self.scopes.insert((ifindex, family), scope);
            }
            // The link may just be going.
            Err(error) => tracing::debug!("No mDNS on link {ifindex}: {error}"),
        }
    }
}

fn limit(link: &Link) -> usize {
    let mtu = usize::try_from(link.mtu).unwrap_or(0);
    mtu.saturating_sub(HEADERS).clamp(LEAST, FRAME)
}

async fn receive(port: Rc<Port>, family: Family, mdns: Weak<Mdns>) {
    let mut buffer = vec![0; LONGEST];
    loop {
        let received = port.receive(&mut buffer).await;
        let Some(mdns) = mdns.upgrade() else {
            return;
        };
        match received {
            Ok((length, origin)) => {
                mdns.received(family, buffer.get(..length).unwrap_or_default(), origin);
            }
            // What a neighbour's ICMP says of an answer to it.
            Err(error) => tracing::debug!("mDNS over {family:?}: {error}"),
        }
        // A flood does not keep the rest of the daemon waiting.
        tokio::task::yield_now().await;
    }
}
