//! The link that a socket sends by, whatever it hears: IP_UNICAST_IF, ip(7), and its like of IPv6.

use std::{
    io,
    net::SocketAddr,
    num::NonZeroU32,
    os::fd::{AsFd, AsRawFd},
};

use libc::{c_int, c_void, socklen_t};

/// Has datagrams to `peer` go by a link. To be called while the socket is bound to no other: the kernel refuses it then.
///
/// socket2's `bind_device_by_index_v4` is SO_BINDTOIFINDEX on Linux, and ends when the socket is unbound.
pub(crate) fn send_by(socket: impl AsFd, peer: SocketAddr, link: NonZeroU32) -> io::Result<()> {
    let (level, option) = match peer {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_UNICAST_IF),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_IF),
    };
    // In network byte order, unlike all other options that take a link.
    let index = link.get().to_be();
    let value: *const c_void = std::ptr::from_ref(&index).cast();
    let length = size_of::<c_int>() as socklen_t;
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: the descriptor is borrowed for the call, and `value` points to `length` bytes that live as long.
    let done = unsafe { libc::setsockopt(socket, level, option, value, length) };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    fn by_the_loopback(address: &str) {
        let Ok(socket) = UdpSocket::bind((address, 0)) else {
            return; // a kernel without IPv6
        };
        let here = socket.local_addr().unwrap();
        send_by(&socket, here, NonZeroU32::MIN).unwrap();
        socket.send_to(b"hello", here).unwrap();
        assert_eq!(socket.recv(&mut [0; 9]).unwrap(), 5);
        // There is no such link.
        assert!(send_by(&socket, here, NonZeroU32::new(1 << 30).unwrap()).is_err());
    }

    #[test]
    fn datagrams_go_by_the_link() {
        by_the_loopback("127.0.0.1");
        by_the_loopback("::1");
    }
}
