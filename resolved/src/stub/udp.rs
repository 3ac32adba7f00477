//! Queries by UDP on the main thread: those that the threads hand over, and all of the other listeners.

use std::{
    cell::RefCell,
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    os::fd::AsFd,
    rc::Rc,
};

use tokio::{io::Interest, net::UdpSocket, sync::mpsc::Receiver, task::JoinSet};

use super::{
    Resolve,
    hot::{Forwarded, LONGEST_QUERY},
    serve::{Asked, Server, Verdict, verdict},
    sockets::Profile,
};
use crate::sys::datagrams::{Inbox, Outgoing, send_one};

/// Queries under way: a client that asks again the same by the same port is told once.
type InFlight = Rc<RefCell<HashSet<(SocketAddr, Rc<[u8]>)>>>;

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
pub(super) async fn forwarded<R: Resolve + 'static>(
    server: Rc<Server<R>>,
    mut queries: Receiver<Forwarded>,
) {
    let in_flight = InFlight::default();
    let mut tasks = JoinSet::new();
    while let Some(query) = queries.recv().await {
        let came = Came {
            packet: query.bytes.into(),
            peer: query.peer,
            destination: None,
            socket: query.socket,
            profile: Profile::STUB,
            prefetch: query.prefetch,
        };
        take(&server, came, &in_flight, &mut tasks);
    }
}

/// Serves one socket.
pub(super) async fn listen<R: Resolve + 'static>(
    server: Rc<Server<R>>,
    socket: UdpSocket,
    profile: Profile,
) {
    let socket = Rc::new(socket);
    let in_flight = InFlight::default();
    let mut tasks = JoinSet::new();
    let told = socket
        .local_addr()
        .is_ok_and(|address| address.ip().is_unspecified());
    let mut inbox = Inbox::new(LONGEST_QUERY, told);
    loop {
        let received = socket.async_io(Interest::READABLE, || inbox.receive(&*socket));
        if let Err(error) = received.await {
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
                socket: Rc::clone(&socket),
                profile,
                prefetch: false,
            };
            take(&server, came, &in_flight, &mut tasks);
        }
    }
}

/// Replies at once, or when the answer is there.
fn take<R: Resolve + 'static, S: AsFd + Clone + 'static>(
    server: &Rc<Server<R>>,
    came: Came<S>,
    in_flight: &InFlight,
    tasks: &mut JoinSet<()>,
) {
    while tasks.try_join_next().is_some() {}
    match verdict(&came.packet, came.profile) {
        Verdict::Ignore => tracing::trace!(peer = %came.peer, "Ignored what is no query"),
        Verdict::Reply(reply) => came.reply(&reply),
        Verdict::LookUp => {
            let key = (came.peer, Rc::clone(&came.packet));
            if !in_flight.borrow_mut().insert(key.clone()) {
                return;
            }
            let (server, in_flight) = (Rc::clone(server), Rc::clone(in_flight));
            tasks.spawn_local(async move {
                let asked = Asked {
                    packet: &came.packet,
                    profile: came.profile,
                    stream: false,
                    prefetch: came.prefetch,
                };
                let reply = server.look_up(asked).await;
                in_flight.borrow_mut().remove(&key);
                if let Some(reply) = reply {
                    came.reply(&reply);
                }
            });
        }
    }
}

impl<S: AsFd> Came<S> {
    fn reply(&self, bytes: &[u8]) {
        let reply = Outgoing {
            bytes,
            peer: self.peer,
            source: self.destination,
        };
        send_one(&self.socket, reply);
    }
}
