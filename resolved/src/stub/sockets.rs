//! The listening sockets. Made while the process may bind to port 53.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    os::fd::OwnedFd,
    thread::available_parallelism,
};

use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, listen, netdevice::name_to_index, socket_with,
    sockopt,
};

use super::Settings;
use crate::{
    mode::StubListener,
    sys::datagrams::{bind_to_interface, tell_destination},
};

/// The stub. systemd-resolved.service(8)
const STUB: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 53);
/// The proxy.
const PROXY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 54);
const PORT: u16 = 53;
/// More cores than this are not needed to answer one machine.
const MOST_THREADS: usize = 4;
/// Connections that wait to be accepted.
const BACKLOG: i32 = 64;

/// What holds for one listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Profile {
    /// Questions go to the servers as they are.
    pub(super) proxy: bool,
    /// Only from and to this machine.
    pub(super) local: bool,
}

impl Profile {
    pub(super) const STUB: Self = Self {
        proxy: false,
        local: true,
    };
    pub(super) const PROXY: Self = Self {
        proxy: true,
        local: true,
    };
    pub(super) const EXTRA: Self = Self {
        proxy: false,
        local: false,
    };

    /// The longest UDP message: nothing is lost on the loopback device, whose MTU is 65536, less headers; elsewhere
    /// fragments are to be avoided (dnsflagday.net/2020).
    pub(super) const fn size(self) -> u16 {
        if self.local { 65494 } else { 1232 }
    }

    /// Whether to listen to this sender at all.
    pub(super) fn admits(self, peer: SocketAddr) -> bool {
        !self.local || peer.ip().is_loopback()
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct Sockets {
    /// Of the stub, blocking: one for each thread.
    pub(super) hot: Vec<UdpSocket>,
    pub(super) datagrams: Vec<(UdpSocket, Profile)>,
    pub(super) streams: Vec<(TcpListener, Profile)>,
}

impl Sockets {
    /// Makes them; and says which could not be, and why.
    ///
    /// The stub's are bound to the loopback device, and share their port with sockets of the same user alone (SO_REUSEPORT
    /// of socket(7)): of the user who makes them, so that is to be root or the daemon's own.
    #[must_use]
    pub fn bind(settings: &Settings) -> (Self, Vec<(SocketAddr, io::Error)>) {
        let mut sockets = Self::default();
        let mut errors = Vec::new();
        let mut note = |address, result: io::Result<()>| {
            if let Err(error) = result {
                errors.push((address, error));
            }
        };
        let threads = match settings.threads {
            0 => available_parallelism()
                .map_or(1, usize::from)
                .min(MOST_THREADS),
            threads => threads,
        };
        let (stub, proxy) = (
            SocketAddr::from((STUB, PORT)),
            SocketAddr::from((PROXY, PORT)),
        );
        if settings.listener.udp() {
            note(stub, sockets.add_hot(stub, threads));
        }
        sockets.add(proxy, settings.listener, Profile::PROXY, &mut note);
        if settings.listener.tcp() {
            sockets.add(stub, StubListener::Tcp, Profile::STUB, &mut note);
        }
        for extra in &settings.extra {
            let address = SocketAddr::new(extra.address, extra.port);
            sockets.add(address, extra.protocol, Profile::EXTRA, &mut note);
        }
        (sockets, errors)
    }

    fn add(
        &mut self,
        address: SocketAddr,
        protocol: StubListener,
        profile: Profile,
        note: &mut impl FnMut(SocketAddr, io::Result<()>),
    ) {
        if protocol.udp() {
            let result = datagram(address, profile, false)
                .map(|socket| self.datagrams.push((socket, profile)));
            note(address, result);
        }
        if protocol.tcp() {
            let result =
                stream(address, profile).map(|socket| self.streams.push((socket, profile)));
            note(address, result);
        }
    }

    fn add_hot(&mut self, address: SocketAddr, threads: usize) -> io::Result<()> {
        for _ in 0..threads {
            let socket = datagram(address, Profile::STUB, true)?;
            socket.set_nonblocking(false)?;
            self.hot.push(socket);
        }
        Ok(())
    }
}

fn datagram(address: SocketAddr, profile: Profile, shared: bool) -> io::Result<UdpSocket> {
    let socket = socket(address, SocketType::DGRAM, profile)?;
    if shared {
        sockopt::set_socket_reuseport(&socket, true)?;
    }
    if address.ip().is_unspecified() {
        tell_destination(&socket, address.is_ipv6())?;
    }
    bind(&socket, &address)?;
    Ok(socket.into())
}

fn stream(address: SocketAddr, profile: Profile) -> io::Result<TcpListener> {
    let socket = socket(address, SocketType::STREAM, profile)?;
    // Connections of a daemon before us may linger.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

fn socket(address: SocketAddr, kind: SocketType, profile: Profile) -> io::Result<OwnedFd> {
    let family = match address.ip() {
        IpAddr::V4(_) => AddressFamily::INET,
        IpAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, kind, flags, None)?;
    if family == AddressFamily::INET6 {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    if profile.local {
        let loopback = name_to_index(&socket, "lo")?;
        bind_to_interface(&socket, loopback)?;
    } else if family == AddressFamily::INET6 {
        sockopt::set_ipv6_freebind(&socket, true)?;
    } else {
        sockopt::set_ip_freebind(&socket, true)?;
    }
    Ok(socket)
}
