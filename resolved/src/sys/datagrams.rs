//! Datagrams by the batch, with the address that each was sent to: recvmmsg(2), sendmmsg(2), ip(7), ipv6(7).
//!
//! Socket addresses and control messages are read and written as bytes, in the layout of the kernel's ABI, so that the two
//! system calls are all that is unsafe here.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6},
    os::fd::{AsFd, AsRawFd},
};

use libc::{c_int, c_void, iovec, mmsghdr};
use rustix::net::{RecvFlags, SendFlags, recvfrom, sendto};

/// Datagrams that are received or sent by one call, at most.
pub(crate) const BATCH: usize = 16;

/// `struct sockaddr_in6`, the longest that there is here.
const ADDRESS: usize = 28;
/// `struct cmsghdr`: length, level, type.
const CONTROL_HEADER: usize = size_of::<usize>() + 8;
/// One `struct in6_pktinfo` with its header, aligned.
const CONTROL: usize = CONTROL_HEADER + 24;

/// Of `struct sockaddr` and control messages.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Aligned<const N: usize>([u8; N]);

/// Datagrams that came.
pub(crate) struct Inbox {
    buffers: Vec<Vec<u8>>,
    came: [Came; BATCH],
    count: usize,
    /// Calls since the last that asked for more than one.
    singles: u32,
    /// The socket tells destinations.
    told: bool,
}

/// What is known of a datagram.
#[derive(Clone, Copy, Default)]
struct Came {
    length: usize,
    /// None of families that are none of ours.
    peer: Option<SocketAddr>,
    destination: Option<IpAddr>,
}

/// Where datagrams come one by one, this many are taken so before it is tried again whether there are more: asking for more
/// costs a second look into the socket each time, and recvfrom(2) less than recvmmsg(2).
const SINGLES: u32 = 8;

/// One of them.
#[derive(Debug)]
pub(crate) struct Datagram<'a> {
    /// As much of it as there was room for.
    pub(crate) bytes: &'a [u8],
    /// Who sent it.
    pub(crate) peer: SocketAddr,
    /// Where to, if the socket was asked to tell ([`tell_destination`]).
    pub(crate) destination: Option<IpAddr>,
}

impl Inbox {
    /// Room for [`BATCH`] datagrams of this length. `told`: by a socket that tells their destination
    /// ([`tell_destination`]).
    pub(crate) fn new(longest: usize, told: bool) -> Self {
        Self {
            buffers: vec![vec![0; longest]; BATCH],
            came: [Came::default(); BATCH],
            count: 0,
            singles: SINGLES,
            told,
        }
    }

    /// Takes what is there in place of what was here. On a blocking socket it waits for the first.
    pub(crate) fn receive(&mut self, socket: impl AsFd) -> io::Result<()> {
        let one_by_one = self.count <= 1 && self.singles < SINGLES && !self.told;
        self.count = 0;
        if one_by_one {
            self.singles += 1;
            self.receive_one(socket)
        } else {
            self.singles = 0;
            self.receive_all(socket)
        }
    }

    fn receive_one(&mut self, socket: impl AsFd) -> io::Result<()> {
        if let (Some(buffer), Some(came)) = (self.buffers.first_mut(), self.came.first_mut()) {
            let (length, _, peer) = recvfrom(socket, buffer.as_mut_slice(), RecvFlags::empty())?;
            *came = Came {
                length,
                peer: peer.and_then(|peer| peer.try_into().ok()),
                destination: None,
            };
            self.count = 1;
        }
        Ok(())
    }

    fn receive_all(&mut self, socket: impl AsFd) -> io::Result<()> {
        let mut addresses = [Aligned([0; ADDRESS]); BATCH];
        let mut controls = [Aligned([0; CONTROL]); BATCH];
        let mut vectors = [NO_VECTOR; BATCH];
        let mut headers = [no_header(); BATCH];
        let memory = self
            .buffers
            .iter_mut()
            .zip(&mut addresses)
            .zip(&mut controls);
        let parts = memory.zip(vectors.iter_mut().zip(&mut headers));
        for (((buffer, address), control), (vector, header)) in parts {
            vector.iov_base = buffer.as_mut_ptr().cast();
            vector.iov_len = buffer.len();
            let header = &mut header.msg_hdr;
            header.msg_name = address.0.as_mut_ptr().cast();
            header.msg_namelen = ADDRESS as _;
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_control = control.0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL as _;
        }
        let socket = socket.as_fd().as_raw_fd();
        let flags = libc::MSG_WAITFORONE;
        let no_timeout = std::ptr::null_mut();
        // SAFETY: there are BATCH headers; each points to one vector, an address, control bytes and a buffer, all of the
        // lengths that it states, that live and are borrowed by nobody else until the call returns.
        let count = unsafe {
            libc::recvmmsg(
                socket,
                headers.as_mut_ptr(),
                BATCH as _,
                flags as _,
                no_timeout,
            )
        };
        self.count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        let told = headers
            .iter()
            .zip(&addresses)
            .zip(&controls)
            .take(self.count);
        for (came, ((header, address), control)) in self.came.iter_mut().zip(told) {
            #[allow(
                clippy::unnecessary_cast,
                reason = "other C libraries have a u32 there"
            )]
            let controls = header.msg_hdr.msg_controllen as usize;
            *came = Came {
                length: header.msg_len as usize,
                peer: read_address(&address.0),
                destination: control.0.get(..controls).and_then(read_destination),
            };
        }
        Ok(())
    }

    /// What came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Datagram<'_>> {
        let came = self.buffers.iter().zip(&self.came).take(self.count);
        came.filter_map(|(buffer, came)| {
            Some(Datagram {
                bytes: buffer.get(..came.length)?,
                peer: came.peer?,
                destination: came.destination,
            })
        })
    }
}

/// A datagram to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) peer: SocketAddr,
    /// From which address, on a socket that has several.
    pub(crate) source: Option<IpAddr>,
}

/// Sends one without waiting, if it can be sent.
pub(crate) fn send_one(socket: impl AsFd, datagram: Outgoing<'_>) {
    if datagram.source.is_some() {
        return send(socket, std::iter::once(datagram));
    }
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    // One that can't be sent is lost, as datagrams are.
    let _ = sendto(socket, datagram.bytes, flags, &datagram.peer);
}

/// Sends datagrams without waiting, [`BATCH`] at most, those that can be sent.
pub(crate) fn send<'a>(socket: impl AsFd, datagrams: impl Iterator<Item = Outgoing<'a>>) {
    let mut addresses = [Aligned([0; ADDRESS]); BATCH];
    let mut controls = [Aligned([0; CONTROL]); BATCH];
    let mut vectors = [NO_VECTOR; BATCH];
    let mut headers = [no_header(); BATCH];
    let parts = addresses
        .iter_mut()
        .zip(&mut controls)
        .zip(&mut vectors)
        .zip(&mut headers);
    let mut count = 0;
    for (datagram, (((address, control), vector), header)) in datagrams.zip(parts) {
        // The kernel only reads it.
        vector.iov_base = datagram.bytes.as_ptr().cast_mut().cast();
        vector.iov_len = datagram.bytes.len();
        let header = &mut header.msg_hdr;
        header.msg_namelen = write_address(datagram.peer, &mut address.0) as _;
        header.msg_name = address.0.as_mut_ptr().cast();
        header.msg_iov = vector;
        header.msg_iovlen = 1;
        if let Some(source) = datagram.source {
            header.msg_controllen = write_source(source, &mut control.0) as _;
            header.msg_control = control.0.as_mut_ptr().cast();
        }
        count += 1;
    }
    let socket = socket.as_fd().as_raw_fd();
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    let mut rest = headers.get_mut(..count).unwrap_or_default();
    while !rest.is_empty() {
        // SAFETY: each of the headers of `rest` points to one vector, an address, perhaps control bytes, and the bytes of
        // a datagram, all of the lengths that it states, that live until the call returns.
        let sent =
            unsafe { libc::sendmmsg(socket, rest.as_mut_ptr(), rest.len() as _, flags as _) };
        // An error is the first one's: the buffer is full, a filter refuses it, nobody is there.
        let done = usize::try_from(sent).unwrap_or_default().max(1);
        rest = rest.get_mut(done..).unwrap_or_default();
    }
}

const NO_VECTOR: iovec = iovec {
    iov_base: std::ptr::null_mut(),
    iov_len: 0,
};

fn no_header() -> mmsghdr {
    // SAFETY: all of its fields are numbers and pointers, for which 0 is a value.
    unsafe { std::mem::zeroed() }
}

fn read_address(bytes: &[u8; ADDRESS]) -> Option<SocketAddr> {
    let [f0, f1, p0, p1, rest @ ..] = bytes;
    let port = u16::from_be_bytes([*p0, *p1]);
    match c_int::from(u16::from_ne_bytes([*f0, *f1])) {
        libc::AF_INET => Some((Ipv4Addr::from(*rest.first_chunk::<4>()?), port).into()),
        libc::AF_INET6 => {
            let flow = u32::from_be_bytes(*rest.first_chunk()?);
            let address: [u8; 16] = *rest.get(4..)?.first_chunk()?;
            let scope = u32::from_ne_bytes(*rest.get(20..)?.first_chunk()?);
            Some(SocketAddrV6::new(address.into(), port, flow, scope).into())
        }
        _ => None,
    }
}

fn write_address(address: SocketAddr, bytes: &mut [u8; ADDRESS]) -> usize {
    let fill = |bytes: &mut [u8; ADDRESS], parts: &[&[u8]]| {
        for (place, byte) in bytes.iter_mut().zip(parts.iter().copied().flatten()) {
            *place = *byte;
        }
    };
    let port = address.port().to_be_bytes();
    match address {
        SocketAddr::V4(v4) => {
            let family = (libc::AF_INET as u16).to_ne_bytes();
            fill(bytes, &[&family, &port, &v4.ip().octets()]);
            16
        }
        SocketAddr::V6(v6) => {
            let family = (libc::AF_INET6 as u16).to_ne_bytes();
            let flow = v6.flowinfo().to_be_bytes();
            let scope = v6.scope_id().to_ne_bytes();
            fill(bytes, &[&family, &port, &flow, &v6.ip().octets(), &scope]);
            ADDRESS
        }
    }
}

/// The destination in the one control message that is asked for.
fn read_destination(bytes: &[u8]) -> Option<IpAddr> {
    let (header, data) = bytes.split_at_checked(CONTROL_HEADER)?;
    let number = |at: usize| Some(c_int::from_ne_bytes(*header.get(at..)?.first_chunk()?));
    let (level, kind) = (number(size_of::<usize>())?, number(size_of::<usize>() + 4)?);
    match (level, kind) {
        // ipi_ifindex, ipi_spec_dst, ipi_addr
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            Some(Ipv4Addr::from(*data.get(8..)?.first_chunk::<4>()?).into())
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            Some(Ipv6Addr::from(*data.first_chunk::<16>()?).into())
        }
        _ => None,
    }
}

/// A control message that says which address to send from; its length with what aligns it.
fn write_source(source: IpAddr, bytes: &mut [u8; CONTROL]) -> usize {
    let (level, kind, data, length) = match source {
        IpAddr::V4(v4) => {
            let mut data = [0; 24];
            for (place, byte) in data.iter_mut().skip(4).zip(v4.octets()) {
                *place = byte;
            }
            (libc::IPPROTO_IP, libc::IP_PKTINFO, data, 12)
        }
        IpAddr::V6(v6) => {
            let mut data = [0; 24];
            for (place, byte) in data.iter_mut().zip(v6.octets()) {
                *place = byte;
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, data, 20)
        }
    };
    let whole = (CONTROL_HEADER + length).to_ne_bytes();
    let (level, kind) = (level.to_ne_bytes(), kind.to_ne_bytes());
    let parts = whole.iter().chain(&level).chain(&kind).chain(&data);
    for (place, byte) in bytes.iter_mut().zip(parts) {
        *place = *byte;
    }
    CONTROL_HEADER + length.next_multiple_of(size_of::<usize>())
}

/// Lets a socket talk through one interface alone. SO_BINDTOIFINDEX of socket(7)
pub(crate) fn bind_to_interface(socket: impl AsFd, ifindex: u32) -> io::Result<()> {
    let ifindex = c_int::try_from(ifindex).map_err(io::Error::other)?;
    set_option(socket, libc::SOL_SOCKET, libc::SO_BINDTOIFINDEX, ifindex)
}

/// Has a socket tell which address each datagram was sent to. IP_PKTINFO of ip(7), IPV6_RECVPKTINFO of ipv6(7)
pub(crate) fn tell_destination(socket: impl AsFd, ipv6: bool) -> io::Result<()> {
    if ipv6 {
        set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)
    } else {
        set_option(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)
    }
}

fn set_option(socket: impl AsFd, level: c_int, option: c_int, value: c_int) -> io::Result<()> {
    let pointer: *const c_int = &raw const value;
    // SAFETY: the kernel reads one int from where the pointer points to.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            option,
            pointer.cast::<c_void>(),
            size_of::<c_int>() as _,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use std::{net::UdpSocket, time::Duration};

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    /// Sends three datagrams to a socket and them back, `rounds` times.
    fn there_and_back(address: &str, local: &str, told: bool, rounds: usize) {
        let server = UdpSocket::bind((address, 0)).unwrap();
        server.set_read_timeout(Some(SOON)).unwrap();
        if told {
            tell_destination(&server, address.contains(':')).unwrap();
        }
        let port = server.local_addr().unwrap().port();
        let client = UdpSocket::bind((local, 0)).unwrap();
        client.set_read_timeout(Some(SOON)).unwrap();
        let mut inbox = Inbox::new(100, told);
        for _ in 0..rounds {
            for number in 0..3 {
                client.send_to(&[number; 5], (local, port)).unwrap();
            }
            let mut count = 0;
            while count < 3 {
                inbox.receive(&server).unwrap();
                let expected = told.then(|| local.parse().unwrap());
                assert!(
                    inbox
                        .iter()
                        .all(|datagram| datagram.destination == expected)
                );
                let outgoing = || {
                    inbox.iter().map(|datagram| Outgoing {
                        bytes: datagram.bytes,
                        peer: datagram.peer,
                        source: datagram.destination,
                    })
                };
                match outgoing().count() {
                    1 => outgoing().for_each(|datagram| send_one(&server, datagram)),
                    _ => send(&server, outgoing()),
                }
                count += inbox.iter().count();
            }
            for number in 0..3 {
                let mut buffer = [0; 100];
                let (length, peer) = client.recv_from(&mut buffer).unwrap();
                assert_eq!(
                    (&buffer[..length], peer.ip()),
                    (&[number; 5][..], local.parse().unwrap())
                );
            }
        }
    }

    #[test]
    fn datagrams_of_both_families_go_there_and_back() {
        there_and_back("0.0.0.0", "127.0.0.9", true, 20);
        there_and_back("127.0.0.1", "127.0.0.1", false, 20);
        // Where the kernel has IPv6.
        if UdpSocket::bind("[::1]:0").is_ok() {
            there_and_back("::", "::1", true, 20);
            there_and_back("::1", "::1", false, 20);
        }
    }

    #[test]
    fn what_is_too_long_is_cut_and_what_is_refused_is_passed_over() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(SOON)).unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let peer = server.local_addr().unwrap();
        let to = |peer| Outgoing {
            bytes: &[7; 300],
            peer,
            source: None,
        };
        // Nobody may send to port 0.
        let nowhere = to("127.0.0.1:0".parse().unwrap());
        send_one(&client, nowhere);
        send(
            &client,
            [nowhere, to(peer), nowhere, nowhere, to(peer)].into_iter(),
        );
        let mut inbox = Inbox::new(100, false);
        let mut count = 0;
        while count < 2 {
            inbox.receive(&server).unwrap();
            assert!(inbox.iter().all(|datagram| datagram.bytes == [7; 100]));
            count += inbox.iter().count();
        }
    }
}
