//! Threads that answer from copies: each with a socket of its own, nothing allocated, one call for what has come and one
//! for what goes.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::{Arc, PoisonError, atomic::Ordering},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use rustix::io::Errno;
use tokio::sync::mpsc::Sender;

use super::{
    Common,
    query::{self, Query, bit},
    rules,
    sockets::Profile,
    wire::{self, Given, Moment, Table},
};
use crate::sys::datagrams::{BATCH, Inbox, Outgoing, send, send_one};

/// Questions that wait for the main thread. What comes beyond is dropped: clients ask again.
pub(super) const QUEUE: usize = 2048;
/// The longest query: a longer one is cut, which makes it malformed.
pub(super) const LONGEST_QUERY: usize = 4096;
/// No recursion and no large buffer on it.
const STACK: usize = 128 << 10;
/// After an error of the socket that does not go away by itself.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// A question for the main thread.
#[derive(Debug)]
pub(super) struct Forwarded {
    pub(super) bytes: Box<[u8]>,
    pub(super) peer: SocketAddr,
    /// To answer by.
    pub(super) socket: Arc<UdpSocket>,
    /// It has been answered; the answer is to be fetched anew.
    pub(super) prefetch: bool,
}

pub(super) fn spawn(
    socket: Arc<UdpSocket>,
    common: Arc<Common>,
    forward: Sender<Forwarded>,
) -> io::Result<JoinHandle<()>> {
    let thread = Builder::new().name("stub".to_owned()).stack_size(STACK);
    thread.spawn(move || run(&socket, &common, &forward))
}

fn run(socket: &Arc<UdpSocket>, common: &Common, forward: &Sender<Forwarded>) {
    let mut inbox = Inbox::new(LONGEST_QUERY, false);
    let mut answers: [Vec<u8>; BATCH] = std::array::from_fn(|_| Vec::with_capacity(wire::LONGEST));
    loop {
        let received = inbox.receive(socket);
        if common.stopping.load(Ordering::Acquire) {
            return;
        }
        if let Err(error) = received {
            if error.raw_os_error() != Some(Errno::INTR.raw_os_error()) {
                tracing::warn!(%error, "The stub can't receive");
                std::thread::sleep(PAUSE);
            }
            continue;
        }
        let peers = answer(&inbox, socket, common, forward, &mut answers);
        let answered = || {
            answers.iter().zip(peers).filter_map(|(bytes, peer)| {
                Some(Outgoing {
                    bytes,
                    peer: peer?,
                    source: None,
                })
            })
        };
        let mut one = answered();
        match (one.next(), one.next()) {
            (Some(only), None) => send_one(socket, only),
            _ => send(socket, answered()),
        }
    }
}

/// Writes the answers to what has come; to whom each goes. The rest is handed to the main thread.
fn answer(
    inbox: &Inbox,
    socket: &Arc<UdpSocket>,
    common: &Common,
    forward: &Sender<Forwarded>,
    answers: &mut [Vec<u8>; BATCH],
) -> [Option<SocketAddr>; BATCH] {
    let mut peers = [None; BATCH];
    let mut hits = 0;
    let moment = Moment::now(&common.cache);
    let holds = moment.now < common.lease.load(Ordering::Relaxed);
    let table = holds.then(|| common.table.read().unwrap_or_else(PoisonError::into_inner));
    for ((datagram, answer), to) in inbox.iter().zip(answers).zip(&mut peers) {
        if !Profile::STUB.admits(datagram.peer) {
            continue;
        }
        answer.clear();
        let given = table
            .as_ref()
            .and_then(|table| from_copy(table, datagram.bytes, moment, answer));
        if given.is_some() {
            *to = Some(datagram.peer);
            hits += 1;
        }
        if given.is_none_or(|given| given.prefetch) {
            // Full: it is dropped.
            drop(forward.try_send(Forwarded {
                bytes: datagram.bytes.into(),
                peer: datagram.peer,
                socket: Arc::clone(socket),
                prefetch: given.is_some(),
            }));
        }
    }
    common.cache.count_hits(hits);
    peers
}

/// Answers a packet from a copy, if it is a query in order and there is one.
pub(super) fn from_copy(
    table: &Table,
    packet: &[u8],
    moment: Moment,
    answer: &mut Vec<u8>,
) -> Option<Given> {
    let query = query::parse(packet).ok().filter(may_be_copied)?;
    let given = table.answer(&query, Profile::STUB.size(), moment, answer);
    if given.is_none() {
        answer.clear();
    }
    given
}

/// Whether copies are for this query at all.
pub(super) fn may_be_copied(query: &Query<'_>) -> bool {
    rules::refusal(query).is_none() && !query.has(bit::CHECKING_DISABLED)
}
