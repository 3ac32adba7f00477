//! UDP sockets of a protocol: one for each family, for all links; and what keeps a link in a group.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};

pub(crate) use crate::sys::origin::Origin;
use crate::{
    route::Family,
    sys::{datagrams::tell_destination, origin},
};

/// The greatest number of hops: who gets a packet with as many left knows that no router had it. RFC 6762, 11
const FARTHEST: u32 = 255;
/// As long as a datagram of either protocol may be. RFC 6762, 17
pub(crate) const LONGEST: usize = 9000;

/// A socket on a port, for one family.
#[derive(Debug)]
pub(crate) struct Port {
    socket: UdpSocket,
    group: SocketAddr,
}

impl Port {
    /// Listens on the group's port, at all addresses, together with others who let that be. `echo`: programs of this machine
    /// hear what we multicast, and so do we.
    pub(crate) fn open(group: IpAddr, port: u16, echo: bool) -> io::Result<Self> {
        let (domain, any): (_, IpAddr) = match group {
            IpAddr::V4(_) => (Domain::IPV4, Ipv4Addr::UNSPECIFIED.into()),
            IpAddr::V6(_) => (Domain::IPV6, Ipv6Addr::UNSPECIFIED.into()),
        };
        let socket = Socket::new(domain, Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
        // For datagrams it lets others bind too, if they also set it. socket(7)
        socket.set_reuse_address(true)?;
        if group.is_ipv6() {
            socket.set_only_v6(true)?;
            socket.set_multicast_hops_v6(FARTHEST)?;
            socket.set_unicast_hops_v6(FARTHEST)?;
            socket.set_multicast_loop_v6(echo)?;
        } else {
            socket.set_multicast_ttl_v4(FARTHEST)?;
            socket.set_ttl_v4(FARTHEST)?;
            socket.set_multicast_loop_v4(echo)?;
        }
        tell_destination(&socket, group.is_ipv6())?;
        socket.bind(&SocketAddr::new(any, port).into())?;
        Ok(Self {
            socket: UdpSocket::from_std(socket.into())?,
            group: SocketAddr::new(group, port),
        })
    }

    /// The next datagram: its length, at most the buffer's, and its origin.
    pub(crate) async fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Origin)> {
        loop {
            let receive = || origin::receive(&self.socket, buffer);
            if let (length, Some(origin)) =
                self.socket.async_io(Interest::READABLE, receive).await?
            {
                return Ok((length, origin));
            }
        }
    }

    /// To everyone on a link. Without waiting: what does not fit into the socket's buffer is lost.
    pub(crate) fn multicast(&self, bytes: &[u8], ifindex: u32) -> io::Result<()> {
        origin::send(&self.socket, bytes, self.group, ifindex)
    }

    /// To one on a link.
    pub(crate) fn send(&self, bytes: &[u8], peer: SocketAddr, ifindex: u32) -> io::Result<()> {
        origin::send(&self.socket, bytes, peer, ifindex)
    }
}

/// Keeps a link in a group for as long as it lives.
///
/// It is a socket of its own: one socket may be in 20 groups (net.ipv4.igmp_max_memberships), and a machine has more links. The
/// sockets of a [`Port`] get what comes for any group that the machine is in. (IP_MULTICAST_ALL of ip(7))
#[derive(Debug)]
pub(crate) struct Membership {
    _socket: Socket,
}

impl Membership {
    /// Joins.
    pub(crate) fn join(group: IpAddr, ifindex: u32) -> io::Result<Self> {
        let socket = match group {
            IpAddr::V4(v4) => {
                let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
                socket.join_multicast_v4_n(&v4, &InterfaceIndexOrAddress::Index(ifindex))?;
                socket
            }
            IpAddr::V6(v6) => {
                let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
                socket.join_multicast_v6(&v6, ifindex)?;
                socket
            }
        };
        Ok(Self { _socket: socket })
    }
}

/// The group of a family.
pub(crate) const fn group(family: Family, v4: Ipv4Addr, v6: Ipv6Addr) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(v4),
        Family::V6 => IpAddr::V6(v6),
    }
}
