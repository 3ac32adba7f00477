//! Connections to a server: opened when needed, shared by all questions, closed when idle.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hickory_net::{
    NetError,
    h2::HttpsClientStream,
    quic::QuicClientStream,
    runtime::{QuicSocketBinder, RuntimeProvider, Spawn},
    tcp::TcpClientStream,
    tls::tls_client_connect,
    xfer::{DnsExchange, DnsHandle, DnsMultiplexer, FirstAnswer},
};
use hickory_proto::op::{DnsRequest, DnsRequestOptions, Message};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::time::Instant;

use super::socket::Sockets;

/// An idle connection is closed. RFC 7766, 6.2.3: a few seconds.
const IDLE: Duration = Duration::from_secs(10);
/// The question's own budget ends earlier.
const ANSWER: Duration = Duration::from_secs(10);
/// At once on one connection.
const QUESTIONS: usize = 1024;

/// What runs over the connection.
#[derive(Clone, Debug)]
pub(super) enum Carrier {
    /// In the clear.
    Tcp,
    /// RFC 7858
    Tls(Arc<ClientConfig>),
    /// RFC 8484, by POST to this path.
    Https(Arc<ClientConfig>, Arc<str>),
    /// RFC 9250
    Quic(Arc<ClientConfig>),
}

/// Where it leads.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub address: SocketAddr,
    /// The name to prove; none: the address.
    pub name: Option<Arc<str>>,
    pub sockets: Sockets,
}

/// At most one connection to a server. A clone is the same one.
#[derive(Clone, Default)]
pub(super) struct Stream(Arc<Slot>);

#[derive(Default)]
struct Slot {
    /// Held while connecting, so that questions that come together share the connection, or its failure.
    live: tokio::sync::Mutex<Live>,
    used: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Live {
    exchange: Option<DnsExchange<Sockets>>,
    opened: Option<Instant>,
    failed: Option<(Instant, NetError)>,
}

impl Slot {
    fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn idle_since(&self) -> Option<Instant> {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// Asks. `fresh`: not over the connection that is there, it may be dead. `connect`: how long connecting may take.
    ///
    /// # Errors
    /// Those of connecting and of the connection. One that the peer closed while idle is opened again.
    pub async fn ask(
        &self,
        peer: &Peer,
        carrier: &Carrier,
        message: &Message,
        fresh: bool,
        connect: Duration,
    ) -> Result<Message, NetError> {
        let (exchange, reused) = self.connection(peer, carrier, fresh, connect).await?;
        let mut answer = self.send(exchange, message).await;
        if reused && answer.is_err() {
            let (exchange, _) = self.connection(peer, carrier, true, connect).await?;
            answer = self.send(exchange, message).await;
        }
        answer
    }

    async fn send(
        &self,
        exchange: DnsExchange<Sockets>,
        message: &Message,
    ) -> Result<Message, NetError> {
        self.0.touch();
        let request = DnsRequest::new(message.clone(), DnsRequestOptions::default());
        let answer = exchange.send(request).first_answer().await;
        self.0.touch();
        Ok(answer?.into_message())
    }

    async fn connection(
        &self,
        peer: &Peer,
        carrier: &Carrier,
        fresh: bool,
        connect: Duration,
    ) -> Result<(DnsExchange<Sockets>, bool), NetError> {
        let begun = Instant::now();
        let mut live = self.0.live.lock().await;
        let opened_meanwhile = live.opened.is_some_and(|opened| opened >= begun);
        if let Some(exchange) = live
            .exchange
            .as_ref()
            .filter(|_| !fresh || opened_meanwhile)
        {
            return Ok((exchange.clone(), !opened_meanwhile));
        }
        if let Some((_, error)) = live.failed.as_ref().filter(|(failed, _)| *failed >= begun) {
            return Err(error.clone());
        }
        live.exchange = None;
        let opened = tokio::time::timeout(connect, open(peer, carrier, connect)).await;
        let opened = opened.unwrap_or(Err(NetError::Timeout));
        let exchange =
            opened.inspect_err(|error| live.failed = Some((Instant::now(), error.clone())))?;
        self.0.touch();
        live.exchange = Some(exchange.clone());
        live.opened = Some(Instant::now());
        drop(live);
        self.close_when_idle();
        Ok((exchange, false))
    }

    fn close_when_idle(&self) {
        let slot = Arc::downgrade(&self.0);
        drop(tokio::spawn(async move {
            loop {
                let Some(since) = slot.upgrade().and_then(|slot| slot.idle_since()) else {
                    return;
                };
                if since.elapsed() >= IDLE {
                    break;
                }
                tokio::time::sleep_until(since + IDLE).await;
            }
            if let Some(slot) = slot.upgrade() {
                slot.live.lock().await.exchange = None;
            }
        }));
    }
}

async fn open(
    peer: &Peer,
    carrier: &Carrier,
    connect: Duration,
) -> Result<DnsExchange<Sockets>, NetError> {
    let Peer {
        address, sockets, ..
    } = peer;
    match carrier {
        Carrier::Tcp => {
            let (stream, sender) = TcpClientStream::new(*address, None, Some(connect), *sockets);
            Ok(run(multiplexed(stream.await?, sender), *sockets))
        }
        Carrier::Tls(config) => {
            let name = server_name(peer)?;
            let (stream, sender) = tls_client_connect(*address, name, Arc::clone(config), *sockets);
            Ok(run(multiplexed(stream.await?, sender), *sockets))
        }
        Carrier::Https(config, path) => {
            let builder = HttpsClientStream::builder(Arc::clone(config), *sockets);
            let stream = builder
                .build(*address, host(peer), Arc::clone(path))
                .await?;
            Ok(run(stream, *sockets))
        }
        Carrier::Quic(config) => {
            let socket = sockets.bind_quic(*address, *address)?;
            let builder = QuicClientStream::builder().crypto_config(ClientConfig::clone(config));
            let stream = builder
                .build_with_future(socket, *address, host(peer))
                .await?;
            Ok(run(stream, *sockets))
        }
    }
}

fn multiplexed<S: hickory_net::xfer::DnsClientStream>(
    stream: S,
    sender: hickory_net::BufDnsStreamHandle,
) -> DnsMultiplexer<S> {
    DnsMultiplexer::new(stream, sender)
        .with_timeout(ANSWER)
        .with_max_active_requests(QUESTIONS)
}

fn run<S: hickory_net::xfer::DnsRequestSender>(
    stream: S,
    sockets: Sockets,
) -> DnsExchange<Sockets> {
    let (exchange, background) = DnsExchange::from_stream(stream);
    sockets.create_handle().spawn_bg(background);
    exchange
}

/// As text: a name or an address.
fn host(peer: &Peer) -> Arc<str> {
    match &peer.name {
        Some(name) => Arc::clone(name),
        None => peer.address.ip().to_string().into(),
    }
}

fn server_name(peer: &Peer) -> Result<ServerName<'static>, NetError> {
    match &peer.name {
        Some(name) => ServerName::try_from(name.to_string())
            .map_err(|error| NetError::from(io::Error::new(io::ErrorKind::InvalidInput, error))),
        None => Ok(ServerName::from(peer.address.ip())),
    }
}
