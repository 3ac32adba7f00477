//! What comes in: answers for our own name, and its defence.

use std::{net::IpAddr, rc::Rc, time::Duration};

use hickory_proto::{op::ResponseCode, rr::RecordType};

use super::{
    Llmnr, PORT, State, group,
    message::{self, Heard, Query, Reply},
    uniqueness::Verdict,
    zone,
};
use crate::{
    clock::boottime,
    links::Link,
    message::Question,
    multicast::{
        is_neighbour,
        socket::{LONGEST, Origin},
        timer::Timed,
    },
    route::Family,
};

/// What goes before a message in a packet: the headers of IPv6 and UDP.
const HEADERS: usize = 48;
/// The least that a link carries. RFC 4795, 2.1
const LEAST: usize = 512;

impl Llmnr {
    pub(super) fn heard(self: &Rc<Self>, family: Family, bytes: &[u8], origin: Origin) {
        match message::read(bytes) {
            Some(Heard::Query(query)) => self.heard_query(family, &query, origin),
            Some(Heard::Reply(reply)) => self.heard_reply(family, reply, origin),
            None => {}
        }
    }

    fn heard_query(self: &Rc<Self>, family: Family, query: &Query, origin: Origin) {
        // Those by UDP are multicast, or nobody's. RFC 4795, 2.4
        if origin.destination != group(family) {
            return;
        }
        let peer = origin.peer.ip();
        // Our own, come in by another link of ours.
        if origin.peer.port() == PORT && self.is_own(peer) {
            return;
        }
        if query.conflict {
            self.state.borrow_mut().doubt(origin.ifindex, family, query);
            return;
        }
        let Some(reply) = self.answer(origin.ifindex, family, peer, query) else {
            return;
        };
        if reply.rcode != ResponseCode::NoError {
            return;
        }
        let longest = self.longest(origin.ifindex);
        if let (Some(bytes), Some(port)) = (message::reply(&reply, longest), self.port(family))
            && let Err(error) = port.send(&bytes, origin.peer, origin.ifindex)
        {
            tracing::debug!("Failed to answer {} by LLMNR: {error}", origin.peer);
        }
    }

    fn longest(&self, ifindex: u32) -> usize {
        let state = self.state.borrow();
        let mtu = state.links.get(&ifindex).map_or(0, |link| link.mtu);
        let mtu = usize::try_from(mtu).unwrap_or(0);
        mtu.saturating_sub(HEADERS).clamp(LEAST, LONGEST)
    }

    /// The reply to a query that came by a link from a neighbour; that there is no such name here is said over TCP alone.
    pub(super) fn answer(
        &self,
        ifindex: u32,
        family: Family,
        peer: IpAddr,
        query: &Query,
    ) -> Option<Reply> {
        let state = self.state.borrow();
        let link = state.links.get(&ifindex)?;
        let uniqueness = state.spoken.get(&(ifindex, family))?.uniqueness.as_ref()?;
        if !is_neighbour(link, peer) {
            return None;
        }
        let answers = state.answers(link, &query.question);
        Some(Reply {
            id: query.id,
            conflict: false,
            tentative: answers.is_some() && !uniqueness.is_settled(),
            truncated: false,
            rcode: match answers {
                Some(_) => ResponseCode::NoError,
                None => ResponseCode::NXDomain,
            },
            question: query.question.clone(),
            answers: answers.unwrap_or_default(),
        })
    }

    fn heard_reply(self: &Rc<Self>, family: Family, reply: Reply, origin: Origin) {
        let peer = origin.peer.ip();
        let is_sound = origin.peer.port() == PORT
            && origin.destination != group(family)
            && reply.rcode == ResponseCode::NoError
            && !self.is_own(peer);
        if !is_sound {
            return;
        }
        let mut state = self.state.borrow_mut();
        let key = (origin.ifindex, family);
        if !state
            .links
            .get(&origin.ifindex)
            .is_some_and(|link| is_neighbour(link, peer))
        {
            return;
        }
        let name = zone::name_of(state.label.as_str());
        let uniqueness = state
            .spoken
            .get(&key)
            .and_then(|spoken| spoken.uniqueness.as_ref());
        if name.is_some_and(|name| name == reply.question.name)
            && uniqueness.is_some_and(|uniqueness| {
                uniqueness.heard(&reply, peer, origin.destination) == Verdict::Lost
            })
        {
            state.yield_to(peer);
            drop(state);
            self.tell_change();
            return;
        }
        // Replies that are tentative are for who defends a name. RFC 4795, 2.1.1
        if !reply.tentative
            && let Some(waiting) = state.waiting.get(&(origin.ifindex, family, reply.id))
        {
            // Who no longer waits has no use for it.
            let _ = waiting.send((reply, origin));
        }
    }

    /// Not within the call that led here.
    fn tell_change(&self) {
        if let Some(told) = self.on_change.borrow().clone() {
            tokio::task::spawn_local(async move { told() });
        }
    }
}

impl State {
    fn answers(&self, link: &Link, question: &Question) -> Option<Vec<hickory_proto::rr::Record>> {
        zone::answers(&zone::name_of(self.label.as_str())?, link, question)
    }

    fn doubt(&mut self, ifindex: u32, family: Family, query: &Query) {
        let is_ours =
            zone::name_of(self.label.as_str()).is_some_and(|name| name == query.question.name);
        let spoken = self.spoken.get_mut(&(ifindex, family));
        if let Some(uniqueness) = spoken
            .and_then(|spoken| spoken.uniqueness.as_mut())
            .filter(|_| is_ours)
        {
            uniqueness.doubt(boottime());
            if let Some(timer) = &self.timer {
                timer.wake();
            }
        }
    }

    fn yield_to(&mut self, peer: IpAddr) {
        let now = boottime();
        let before = self.label.as_str().to_owned();
        let pause = self.label.yield_to_other(now);
        tracing::warn!(
            "Another machine, {peer}, has the LLMNR name {before}: this one is {} from now on",
            self.label.as_str()
        );
        self.claim(now, pause);
    }
}

impl Timed for Llmnr {
    fn tick(self: &Rc<Self>, now: Duration) -> Option<Duration> {
        let mut state = self.state.borrow_mut();
        let State {
            label,
            spoken,
            listeners,
            ..
        } = &mut *state;
        let name = zone::name_of(label.as_str())?;
        for ((ifindex, family), spoken) in spoken.iter_mut() {
            let Some(id) = spoken
                .uniqueness
                .as_mut()
                .and_then(|uniqueness| uniqueness.due(now))
            else {
                continue;
            };
            let query = Query {
                id,
                conflict: false,
                question: Question::new(name.clone(), RecordType::ANY),
            };
            if let (Some(bytes), Some(listener)) = (message::query(&query), listeners.get(family))
                && let Err(error) = listener.port.multicast(&bytes, *ifindex)
            {
                tracing::debug!("Failed to ask for our own name on link {ifindex}: {error}");
            }
        }
        let states = spoken
            .values()
            .filter_map(|spoken| spoken.uniqueness.as_ref());
        states.filter_map(super::Uniqueness::deadline).min()
    }
}
