//! Sockets to servers: by the right link, with the right mark.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use hickory_net::runtime::{
    QuicSocketBinder, RuntimeProvider, Spawn, TokioTime, iocompat::AsyncIoTokioAsStd,
};
use rustix::net::netdevice;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpStream, UdpSocket};

use crate::sys::link;

/// Makes sockets. hickory opens its connections through it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sockets {
    /// 0: any.
    pub ifindex: u32,
    /// SO_MARK; 0: none.
    pub mark: u32,
}

/// Without a limit of its own.
const CONNECT: Duration = Duration::from_secs(5);

impl Sockets {
    /// Connected, so that the kernel drops what others send and tells of ICMP errors. The port is the kernel's choice at
    /// random: so it is none that /proc/sys/net/ipv4/ip_local_reserved_ports keeps for someone.
    pub fn udp(self, server: SocketAddr) -> io::Result<UdpSocket> {
        let socket = self.open(server, Type::DGRAM)?;
        if let Some(link) = self.link_to(server) {
            link::send_by(&socket, server, link)?;
            // Kernels before 6.2 look at SO_BINDTODEVICE alone when they choose the route in connect().
            bind(&socket, link)?;
            socket.connect(&server.into())?;
            // Answers come in by any link. Unbinding needs CAP_NET_RAW; without it they must come by this one.
            if let Err(error) = socket.bind_device(None) {
                tracing::debug!(%error, "the socket stays bound to its link");
            }
        } else {
            socket.connect(&server.into())?;
        }
        UdpSocket::from_std(socket.into())
    }

    async fn tcp(self, server: SocketAddr, within: Duration) -> io::Result<TcpStream> {
        let socket = self.open(server, Type::STREAM)?;
        // For good. The kernel routes a connection's packets by SO_BINDTODEVICE alone: were it unbound, what follows the first
        // would go where the routes lead, to another network's server of this address.
        if let Some(link) = self.link_to(server) {
            bind(&socket, link)?;
        }
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&server.into()) {
            Err(error)
                if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) =>
            {
                return Err(error);
            }
            _ => {}
        }
        let stream = TcpStream::from_std(socket.into())?;
        tokio::time::timeout(within, stream.writable()).await??;
        match stream.take_error()? {
            Some(error) => Err(error),
            None => Ok(stream),
        }
    }

    fn open(self, server: SocketAddr, kind: Type) -> io::Result<Socket> {
        let protocol = if kind == Type::DGRAM {
            Protocol::UDP
        } else {
            Protocol::TCP
        };
        let socket = Socket::new(
            Domain::for_address(server),
            kind.nonblocking().cloexec(),
            Some(protocol),
        )?;
        if self.mark != 0 {
            socket.set_mark(self.mark)?;
        }
        Ok(socket)
    }

    /// The loopback, and what else is this machine (dnsmasq on a bridge), is reached by no link.
    fn link_to(self, server: SocketAddr) -> Option<NonZeroU32> {
        NonZeroU32::new(self.ifindex).filter(|_| !server.ip().is_loopback() && !is_own(server))
    }
}

fn bind(socket: &Socket, link: NonZeroU32) -> io::Result<()> {
    let name = netdevice::index_to_name(socket, link.get())?;
    socket.bind_device(Some(name.as_bytes()))
}

/// Whether this machine has the address: it would be spoken with from the same one.
fn is_own(server: SocketAddr) -> bool {
    let source = || {
        let probe = Socket::new(Domain::for_address(server), Type::DGRAM.cloexec(), None)?;
        // Nothing is sent.
        probe.connect(&server.into())?;
        probe.local_addr()
    };
    // No way there: it is nobody's here.
    source().is_ok_and(|source| source.as_socket().map(|source| source.ip()) == Some(server.ip()))
}

/// Runs what hickory drives its connections with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tasks;

impl Spawn for Tasks {
    fn spawn_bg(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        // It ends with the connection: when the last sender of questions is dropped, or the peer closes.
        drop(tokio::spawn(future));
    }
}

impl RuntimeProvider for Sockets {
    type Handle = Tasks;
    type Timer = TokioTime;
    type Udp = UdpSocket;
    type Tcp = AsyncIoTokioAsStd<TcpStream>;

    fn create_handle(&self) -> Tasks {
        Tasks
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        _bind: Option<SocketAddr>,
        within: Option<Duration>,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<Self::Tcp>>>> {
        let sockets = *self;
        Box::pin(async move {
            let stream = sockets.tcp(server, within.unwrap_or(CONNECT)).await?;
            Ok(AsyncIoTokioAsStd(stream))
        })
    }

    fn bind_udp(
        &self,
        _local: SocketAddr,
        server: SocketAddr,
    ) -> Pin<Box<dyn Send + Future<Output = io::Result<UdpSocket>>>> {
        let socket = self.udp(server);
        Box::pin(std::future::ready(socket))
    }

    fn quic_binder(&self) -> Option<&dyn QuicSocketBinder> {
        Some(self)
    }
}

impl QuicSocketBinder for Sockets {
    fn bind_quic(
        &self,
        _local: SocketAddr,
        server: SocketAddr,
    ) -> io::Result<Arc<dyn quinn::AsyncUdpSocket>> {
        // quinn names the peer with each datagram, so the socket is not connected, and its link stays.
        let socket = self.open(server, Type::DGRAM)?;
        if let Some(link) = self.link_to(server) {
            bind(&socket, link)?;
        }
        let any: SocketAddr = match server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        socket.bind(&any.into())?;
        quinn::Runtime::wrap_udp_socket(&quinn::TokioRuntime, socket.into())
    }
}
