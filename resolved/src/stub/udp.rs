//! Queries by UDP on the main thread: those that the threads hand over, and all of the other listeners.

use std::{
    cell::RefCell,
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    os::fd::AsFd,
    rc::Rc,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{io::Interest, net::UdpSocket, sync::mpsc::Receiver};

use super::{
    Resolve,
    hot::{Forwarded, LONGEST_QUERY},
    serve::{Asked, Server, Verdict, verdict},
    sockets::Profile,
};
use crate::sys::datagrams::{Inbox, Outgoing, send_one};

/// Queries under way: a client that asks again the same by the same port is told once.
type InFlight = RefCell<HashSet<(SocketAddr, Rc<[u8]>)>>;

/// A query that came by UDP.
struct Came<S> {
    packet: Rc<[u8]>,
    peer: SocketAddr,
    /// The address that it was sent to, where the socket has several.
    destination: Option<IpAddr>,
    socket: S,
    profile: Profile,
    prefetch: bool,
}

/// Takes what the threads hand over, until they are gone.
pub(super) async fn forwarded<R: Resolve>(server: Rc<Server<R>>, mut queries: Receiver<Forwarded>) {
    let in_flight = InFlight::default();
    let mut lookups = FuturesUnordered::new();
    loop {
        let query = tokio::select! {
            Some(()) = lookups.next() => continue,
            query = queries.recv() => query,
        };
        let Some(query) = query else {
            return;
        };
        let came = Came {
            packet: query.bytes.into(),
            peer: query.peer,
            destination: None,
            socket: query.socket,
            profile: Profile::STUB,
            prefetch: query.prefetch,
        };
        if let Some(came) = to_look_up(came, &in_flight) {
            lookups.push(look_up(&server, came, &in_flight));
        }
    }
}

/// Serves one socket.
pub(super) async fn listen<R: Resolve>(server: Rc<Server<R>>, socket: UdpSocket, profile: Profile) {
    let in_flight = InFlight::default();
    let mut lookups = FuturesUnordered::new();
    let told = socket
        .local_addr()
        .is_ok_and(|address| address.ip().is_unspecified());
    let mut inbox = Inbox::new(LONGEST_QUERY, told);
    loop {
        let received = tokio::select! {
            Some(()) = lookups.next() => continue,
            received = socket.async_io(Interest::READABLE, || inbox.receive(&socket)) => received,
        };
        if let Err(error) = received {
            tracing::warn!(%error, "The stub can't receive");
            tokio::time::sleep(super::hot::PAUSE).await;
            continue;
        }
        for datagram in inbox
            .iter()
            .filter(|datagram| profile.admits(datagram.peer))
        {
            let came = Came {
                packet: datagram.bytes.into(),
                peer: datagram.peer,
                destination: datagram.destination,
                socket: &socket,
                profile,
                prefetch: false,
            };
            if let Some(came) = to_look_up(came, &in_flight) {
                lookups.push(look_up(&server, came, &in_flight));
            }
        }
    }
}

/// Replies at once, if there is nothing to look up.
fn to_look_up<S: AsFd>(came: Came<S>, in_flight: &InFlight) -> Option<Came<S>> {
    match verdict(&came.packet, came.profile) {
        Verdict::Ignore => tracing::trace!(peer = %came.peer, "Ignored what is no query"),
        Verdict::Reply(reply) => came.reply(&reply),
        Verdict::LookUp => {
            let new = in_flight.borrow_mut().insert(came.key());
            return new.then_some(came);
        }
    }
    None
}

/// Replies when the answer is there.
async fn look_up<R: Resolve, S: AsFd>(server: &Server<R>, came: Came<S>, in_flight: &InFlight) {
    let asked = Asked {
        packet: &came.packet,
        profile: came.profile,
        stream: false,
        prefetch: came.prefetch,
    };
    let reply = server.look_up(asked).await;
    in_flight.borrow_mut().remove(&came.key());
    if let Some(reply) = reply {
        came.reply(&reply);
    }
}

impl<S: AsFd> Came<S> {
    fn key(&self) -> (SocketAddr, Rc<[u8]>) {
        (self.peer, Rc::clone(&self.packet))
    }

    fn reply(&self, bytes: &[u8]) {
        let reply = Outgoing {
            bytes,
            peer: self.peer,
            source: self.destination,
        };
        send_one(&self.socket, reply);
    }
}
