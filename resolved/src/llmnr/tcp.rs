//! LLMNR over TCP: names of addresses, and what is too long for a datagram. RFC 4795, 2.4

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
    rc::Weak,
    sync::Arc,
    time::Duration,
};

use hickory_proto::op::ResponseCode;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Semaphore,
    time::timeout,
};

use super::{
    Llmnr, PORT,
    lookup::no_such_name,
    message::{self, Heard, Query, Reply},
};
use crate::{
    failure::Failure,
    links::Link,
    message::Question,
    multicast::{is_own, random},
    route::Family,
    sys::datagrams::bind_to_interface,
};

/// No router passes it on. RFC 4795, 2.5
const HOPS: u32 = 1;
/// A neighbour that has a listener answers at once.
const PATIENCE: Duration = Duration::from_secs(1);
/// A connection lasts as long as this, whatever it does.
const LIFE: Duration = Duration::from_secs(5);
/// Connections at a time, and waiting for their turn.
const MOST: usize = 16;

/// Opens the listener of a family, at all addresses.
pub(super) fn listen(family: Family) -> io::Result<TcpListener> {
    let (domain, any): (_, IpAddr) = match family {
        Family::V4 => (Domain::IPV4, Ipv4Addr::UNSPECIFIED.into()),
        Family::V6 => (Domain::IPV6, Ipv6Addr::UNSPECIFIED.into()),
    };
    let socket = Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    // After a restart, connections of before may still linger.
    socket.set_reuse_address(true)?;
    match family {
        Family::V4 => socket.set_ttl_v4(HOPS)?,
        Family::V6 => {
            socket.set_only_v6(true)?;
            socket.set_unicast_hops_v6(HOPS)?;
        }
    }
    socket.bind(&SocketAddr::new(any, PORT).into())?;
    socket.listen(MOST as _)?;
    TcpListener::from_std(socket.into())
}

/// Answers whoever connects.
pub(super) async fn serve(listener: TcpListener, llmnr: Weak<Llmnr>) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let llmnr = llmnr.clone();
                tokio::task::spawn_local(async move {
                    // What becomes of a connection is its peer's concern.
                    let _ = timeout(LIFE, answer(stream, peer, llmnr)).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!("LLMNR over TCP: {error}");
                tokio::time::sleep(PATIENCE).await;
            }
        }
    }
}

async fn answer(mut stream: TcpStream, peer: SocketAddr, llmnr: Weak<Llmnr>) -> io::Result<()> {
    let own = stream.local_addr()?;
    loop {
        let bytes = read(&mut stream).await?;
        let Some(Heard::Query(query)) = message::read(&bytes) else {
            return Ok(());
        };
        let reply = llmnr.upgrade().and_then(|llmnr| {
            let ifindex = llmnr.link_of(own)?;
            let family = crate::multicast::family_of(own.ip());
            let reply = llmnr.answer(ifindex, family, peer.ip(), &query)?;
            message::reply(&reply, usize::from(u16::MAX))
        });
        let Some(reply) = reply.filter(|_| !query.conflict) else {
            return Ok(());
        };
        write(&mut stream, &reply).await?;
    }
}

impl Llmnr {
    /// The link that has this address.
    fn link_of(&self, own: SocketAddr) -> Option<u32> {
        let state = self.state.borrow();
        match own {
            SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() => Some(v6.scope_id()),
            _ => {
                let mut links = state.links.values();
                links
                    .find(|link| is_own(link, own.ip()))
                    .map(|link| link.index)
            }
        }
    }
}

/// Asks a neighbour.
pub(super) async fn ask(
    link: &Link,
    address: IpAddr,
    question: &Question,
) -> Result<Reply, Failure> {
    let query = Query {
        id: random::id(),
        conflict: false,
        question: question.clone(),
    };
    let exchanged = timeout(PATIENCE, exchange(link, address, &query)).await;
    match exchanged {
        Ok(Ok(reply)) => {
            let matches = reply.id == query.id && reply.question == *question;
            match reply.rcode {
                _ if !matches || reply.tentative => Err(Failure::InvalidReply),
                ResponseCode::NoError | ResponseCode::NXDomain => Ok(reply),
                rcode => Err(Failure::Rcode(rcode, None)),
            }
        }
        // There is such a neighbour, and it has no LLMNR.
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Ok(no_such_name(question))
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => Err(Failure::InvalidReply),
        Ok(Err(_)) | Err(_) => Err(Failure::TimedOut),
    }
}

async fn exchange(link: &Link, address: IpAddr, query: &Query) -> io::Result<Reply> {
    let (socket, peer) = match address {
        IpAddr::V4(_) => (TcpSocket::new_v4()?, SocketAddr::new(address, PORT)),
        IpAddr::V6(v6) => {
            let peer = SocketAddrV6::new(v6, PORT, 0, link.index);
            (TcpSocket::new_v6()?, peer.into())
        }
    };
    match address {
        IpAddr::V4(_) => SockRef::from(&socket).set_ttl_v4(HOPS)?,
        IpAddr::V6(_) => SockRef::from(&socket).set_unicast_hops_v6(HOPS)?,
    }
    bind_to_interface(&socket, link.index)?;
    let mut stream = socket.connect(peer).await?;
    let bytes = message::query(query).ok_or(io::ErrorKind::InvalidInput)?;
    write(&mut stream, &bytes).await?;
    match message::read(&read(&mut stream).await?) {
        Some(Heard::Reply(reply)) => Ok(reply),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// A message after its length. RFC 1035, 4.2.2
async fn read(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn write(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    let bytes = [&length.to_be_bytes(), message].concat();
    stream.write_all(&bytes).await
}
