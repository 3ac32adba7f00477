//! Datagrams one by one, with the link and the address that each came by: recvmsg(2), sendmsg(2), ip(7), ipv6(7).

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::fd::AsFd,
};

use libc::c_int;
use socket2::{MaybeUninitSlice, MsgHdr, MsgHdrMut, SockAddr, SockRef};

/// Of `struct cmsghdr`: length, level, type.
const HEADER: usize = size_of::<usize>() + 8;
/// One `struct in6_pktinfo` with its header, aligned; `struct in_pktinfo` is shorter.
const CONTROL: usize = HEADER + 24;

/// Where a datagram came from, and where it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Who sent it.
    pub(crate) peer: SocketAddr,
    /// To whom: a group, or an address of ours.
    pub(crate) destination: IpAddr,
    /// By which link.
    pub(crate) ifindex: u32,
}

/// Takes one datagram into a buffer, as much of it as there is room for; its length and origin. No origin: the socket was not
/// asked to tell ([`super::datagrams::tell_destination`]).
pub(crate) fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<(usize, Option<Origin>)> {
    let mut control = [0; CONTROL];
    // The longer of the two: there is room for either.
    let mut peer = SockAddr::from(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)));
    let mut buffers = [MaybeUninitSlice::new(writable(buffer))];
    let mut message = MsgHdrMut::new()
        .with_addr(&mut peer)
        .with_buffers(&mut buffers)
        .with_control(writable(&mut control));
    let length = SockRef::from(&socket).recvmsg(&mut message, libc::MSG_DONTWAIT)?;
    let told = message.control_len();
    let origin = control.get(..told).and_then(|control| {
        let (destination, ifindex) = read(control)?;
        Some(Origin {
            peer: peer.as_socket()?,
            destination,
            ifindex,
        })
    });
    Ok((length, origin))
}

/// Sends a datagram by a link, without waiting.
pub(crate) fn send(
    socket: impl AsFd,
    bytes: &[u8],
    peer: SocketAddr,
    ifindex: u32,
) -> io::Result<()> {
    let (control, length) = write(peer.ip(), ifindex);
    let peer = SockAddr::from(peer);
    let buffers = [IoSlice::new(bytes)];
    let message = MsgHdr::new()
        .with_addr(&peer)
        .with_buffers(&buffers)
        .with_control(control.get(..length).unwrap_or_default());
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    SockRef::from(&socket).sendmsg(&message, flags).map(drop)
}

/// Bytes as socket2 wants them, to be written to.
fn writable(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: both have one layout. What is written through it is bytes that the kernel has: they are initialised.
    unsafe { &mut *(std::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>]) }
}

/// The destination and the link in the one control message that is asked for.
fn read(control: &[u8]) -> Option<(IpAddr, u32)> {
    let (header, data) = control.split_at_checked(HEADER)?;
    let number = |at: usize| Some(c_int::from_ne_bytes(*header.get(at..)?.first_chunk()?));
    match (number(size_of::<usize>())?, number(size_of::<usize>() + 4)?) {
        // ipi_ifindex, ipi_spec_dst, ipi_addr
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            let address = Ipv4Addr::from(*data.get(8..)?.first_chunk::<4>()?);
            Some((address.into(), u32::from_ne_bytes(*data.first_chunk()?)))
        }
        // ipi6_addr, ipi6_ifindex
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            let address = Ipv6Addr::from(*data.first_chunk::<16>()?);
            let ifindex = u32::from_ne_bytes(*data.get(16..)?.first_chunk()?);
            Some((address.into(), ifindex))
        }
        _ => None,
    }
}

/// The control message that says which link to send by; its length with what aligns it.
fn write(peer: IpAddr, ifindex: u32) -> ([u8; CONTROL], usize) {
    let (level, kind, before, length) = match peer {
        IpAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_PKTINFO, 0, 12),
        IpAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, 16, 20),
    };
    let mut control = [0; CONTROL];
    let whole = (HEADER + length).to_ne_bytes();
    // No source address: the kernel's choice for that link.
    let parts = whole
        .into_iter()
        .chain(level.to_ne_bytes())
        .chain(kind.to_ne_bytes())
        .chain(std::iter::repeat_n(0, before))
        .chain(ifindex.to_ne_bytes());
    for (place, byte) in control.iter_mut().zip(parts) {
        *place = byte;
    }
    let aligned = HEADER + length.next_multiple_of(size_of::<usize>());
    (control, aligned)
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::sys::datagrams::tell_destination;

    fn by_the_loopback(address: &str) {
        let Ok(socket) = UdpSocket::bind((address, 0)) else {
            return; // a kernel without IPv6
        };
        tell_destination(&socket, address.contains(':')).unwrap();
        let here = socket.local_addr().unwrap();
        send(&socket, b"hello", here, 1).unwrap();
        let mut buffer = [0; 3];
        let (length, origin) = receive(&socket, &mut buffer).unwrap();
        assert_eq!((length, &buffer), (3, b"hel"));
        let expected = Origin {
            peer: here,
            destination: here.ip(),
            ifindex: 1,
        };
        assert_eq!(origin, Some(expected));
        let error = receive(&socket, &mut buffer).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_datagram_tells_its_link() {
        by_the_loopback("127.0.0.1");
        by_the_loopback("::1");
    }

    #[test]
    fn a_socket_that_does_not_tell() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        send(&socket, b"x", socket.local_addr().unwrap(), 1).unwrap();
        assert_eq!(receive(&socket, &mut [0; 9]).unwrap(), (1, None));
    }
}
