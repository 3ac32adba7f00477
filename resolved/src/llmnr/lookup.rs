//! The resolver: one question on one link. RFC 4795, 2.2, 2.7

use std::{rc::Rc, time::Duration};

use hickory_proto::{
    op::ResponseCode,
    rr::{DNSClass, RecordType},
};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver},
    time::{Instant, sleep, timeout_at},
};

use super::{
    Llmnr,
    message::{self, Query, Reply},
    tcp,
};
use crate::{
    failure::Failure,
    flags::Flags,
    links::Link,
    message::{Question, Response},
    multicast::{
        family_of, is_neighbour, is_own, random, response, reverse_address, socket::Origin,
    },
    route::Family,
};

/// How long each transmission is waited for: LLMNR_TIMEOUT and JITTER_INTERVAL at least, on a link that loses packets longer.
/// RFC 4795, 2.7 and 7
const WAITS: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_millis(300),
    Duration::from_millis(500),
];
/// JITTER_INTERVAL: senders do not all speak at once. RFC 4795, 7
const JITTER: u64 = 100;
/// After a first reply, another machine's would have come by then.
const SECOND_REPLY: Duration = Duration::from_millis(200);

/// A place among those who wait for replies.
struct Waiting {
    llmnr: Rc<Llmnr>,
    key: (u32, Family, u16),
    replies: UnboundedReceiver<(Reply, Origin)>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.llmnr.state.borrow_mut().waiting.remove(&self.key);
    }
}

impl Llmnr {
    /// Asks on one link, over one family.
    ///
    /// Takes 1.1 s at most where nobody answers: then there is no such name. Names of addresses are asked of the address
    /// itself, over TCP.
    ///
    /// # Errors
    /// [`Failure::NetworkDown`] where the link has no LLMNR, or the address is not a neighbour's; [`Failure::TimedOut`] and
    /// others over TCP.
    pub async fn query(
        self: &Rc<Self>,
        ifindex: u32,
        family: Family,
        question: &Question,
    ) -> Result<Response, Failure> {
        let link = {
            let state = self.state.borrow();
            let spoken = state.spoken.contains_key(&(ifindex, family));
            let link = state.links.get(&ifindex).filter(|_| spoken);
            link.cloned().ok_or(Failure::NetworkDown)?
        };
        if question.class != DNSClass::IN {
            return Err(Failure::TypeInvalidForQuery);
        }
        let found = |reply: Reply| {
            let source = Flags::FROM_NETWORK
                | match family {
                    Family::V4 => Flags::LLMNR_IPV4,
                    Family::V6 => Flags::LLMNR_IPV6,
                };
            response(reply.rcode, reply.answers, ifindex, source)
        };
        let reverse = matches!(question.rtype, RecordType::PTR | RecordType::ANY)
            .then(|| reverse_address(&question.name))
            .flatten();
        if let Some(address) = reverse {
            // Our own have other sources.
            let is_other = is_neighbour(&link, address) && !is_own(&link, address);
            if family_of(address) != family || !is_other {
                return Err(Failure::NetworkDown);
            }
            return tcp::ask(&link, address, question).await.map(found);
        }
        match self.multicast(&link, family, question).await? {
            Some((reply, origin)) if reply.truncated => {
                let peer = origin.peer.ip();
                tcp::ask(&link, peer, question).await.map(found)
            }
            Some((reply, _)) => Ok(found(reply)),
            None => Ok(found(no_such_name(question))),
        }
    }

    /// `None`: nobody replied.
    async fn multicast(
        self: &Rc<Self>,
        link: &Link,
        family: Family,
        question: &Question,
    ) -> Result<Option<(Reply, Origin)>, Failure> {
        let mut waiting = self.wait(link.index, family);
        let bytes = message::query(&Query {
            id: waiting.key.2,
            conflict: false,
            question: question.clone(),
        });
        let bytes = bytes.ok_or(Failure::TypeInvalidForQuery)?;
        sleep(random::millis(0, JITTER)).await;
        for wait in WAITS {
            let port = self.port(family).ok_or(Failure::NetworkDown)?;
            port.multicast(&bytes, link.index)
                .map_err(|error| Failure::system("Failed to multicast", &error))?;
            let until = Instant::now() + wait;
            while let Ok(Some((reply, origin))) = timeout_at(until, waiting.replies.recv()).await {
                if reply.question != *question {
                    continue;
                }
                if !reply.conflict {
                    let first = (reply.clone(), origin);
                    tokio::task::spawn_local(waiting.watch_for_conflict(first.1, question.clone()));
                }
                return Ok(Some((reply, origin)));
            }
        }
        Ok(None)
    }

    fn wait(self: &Rc<Self>, ifindex: u32, family: Family) -> Waiting {
        let (sender, replies) = mpsc::unbounded_channel();
        let mut state = self.state.borrow_mut();
        let mut key = (ifindex, family, random::id());
        // There are 65,536 of them, and far fewer questions.
        while state.waiting.contains_key(&key) {
            key.2 = key.2.wrapping_add(1);
        }
        state.waiting.insert(key, sender);
        Waiting {
            llmnr: Rc::clone(self),
            key,
            replies,
        }
    }
}

impl Waiting {
    /// A second machine that answers, and knows of no conflict: both are told of it. RFC 4795, 4.1
    async fn watch_for_conflict(mut self, first: Origin, question: Question) {
        let until = Instant::now() + SECOND_REPLY;
        while let Ok(Some((reply, origin))) = timeout_at(until, self.replies.recv()).await {
            if reply.question != question || reply.conflict || origin.peer == first.peer {
                continue;
            }
            let (first, second) = (first.peer.ip(), origin.peer.ip());
            tracing::warn!(
                "{first} and {second} both have the LLMNR name {}",
                question.name
            );
            let bytes = message::query(&Query {
                id: random::id(),
                conflict: true,
                question,
            });
            if let (Some(bytes), Some(port)) = (bytes, self.llmnr.port(self.key.1)) {
                // Not sent again. RFC 4795, 2.1.1
                let _ = port.multicast(&bytes, self.key.0);
            }
            return;
        }
    }
}

/// A reply that there is no such name.
pub(super) fn no_such_name(question: &Question) -> Reply {
    Reply {
        id: 0,
        conflict: false,
        tentative: false,
        truncated: false,
        rcode: ResponseCode::NXDomain,
        question: question.clone(),
        answers: Vec::new(),
    }
}
