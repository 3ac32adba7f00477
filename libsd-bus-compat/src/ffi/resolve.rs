//! Names of hosts: getaddrinfo(3).

use std::ffi::CString;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ptr;

use dbus::address::Family;

use crate::{Errno, Result};

/// Where a service of a host is, the best address first. It waits for whoever knows.
///
/// # Errors
/// EADDRNOTAVAIL if there is no such host or service; of the system.
pub fn addresses(host: &[u8], port: &[u8], family: Option<Family>) -> Result<Vec<SocketAddr>> {
    let text = |bytes: &[u8]| CString::new(bytes).map_err(|_| Errno::INVAL);
    let (host, port) = (text(host)?, text(port)?);
    let hints = libc::addrinfo {
        ai_flags: 0,
        ai_family: match family {
            None => libc::AF_UNSPEC,
            Some(Family::Ipv4) => libc::AF_INET,
            Some(Family::Ipv6) => libc::AF_INET6,
        },
        ai_socktype: libc::SOCK_STREAM,
        ai_protocol: 0,
        ai_addrlen: 0,
        ai_addr: ptr::null_mut(),
        ai_canonname: ptr::null_mut(),
        ai_next: ptr::null_mut(),
    };
    let mut first = ptr::null_mut();
    // SAFETY: both are text; the rest is read and written as its type says.
    let result = unsafe {
        libc::getaddrinfo(
            host.as_ptr(),
            port.as_ptr(),
            &raw const hints,
            &raw mut first,
        )
    };
    match result {
        0 => {}
        libc::EAI_SYSTEM => return Err(super::sys::last()),
        libc::EAI_MEMORY => return Err(Errno::NOMEM),
        _ => return Err(Errno::ADDRNOTAVAIL),
    }
    let mut all = Vec::new();
    let mut at = first;
    // SAFETY: the C library has made the list, and ends it with null.
    while let Some(one) = unsafe { at.as_ref() } {
        // SAFETY: its address is of its family.
        all.extend(unsafe { address(one) });
        at = one.ai_next;
    }
    // SAFETY: it is of getaddrinfo(3), and nothing of it is kept.
    unsafe { libc::freeaddrinfo(first) };
    Ok(all)
}

/// # Safety
/// The address is of the family that is said of it.
unsafe fn address(of: &libc::addrinfo) -> Option<SocketAddr> {
    let length = usize::try_from(of.ai_addrlen).ok()?;
    match of.ai_family {
        libc::AF_INET if length >= size_of::<libc::sockaddr_in>() => {
            // SAFETY: it is one, by the caller's promise.
            let address = unsafe { of.ai_addr.cast::<libc::sockaddr_in>().read_unaligned() };
            let ip = Ipv4Addr::from_bits(u32::from_be(address.sin_addr.s_addr));
            let port = u16::from_be(address.sin_port);
            Some(SocketAddrV4::new(ip, port).into())
        }
        libc::AF_INET6 if length >= size_of::<libc::sockaddr_in6>() => {
            // SAFETY: it is one, by the caller's promise.
            let address = unsafe { of.ai_addr.cast::<libc::sockaddr_in6>().read_unaligned() };
            let ip = Ipv6Addr::from(address.sin6_addr.s6_addr);
            let port = u16::from_be(address.sin6_port);
            Some(SocketAddrV6::new(ip, port, 0, address.sin6_scope_id).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_addresses() {
        let found =
            |host: &str, port: &str, family| addresses(host.as_bytes(), port.as_bytes(), family);
        let one = |text: &str| Ok(vec![text.parse().unwrap()]);
        assert_eq!(found("127.0.0.1", "80", None), one("127.0.0.1:80"));
        assert_eq!(found("::1", "80", Some(Family::Ipv6)), one("[::1]:80"));
        for (host, port, family) in [
            ("::1", "80", Some(Family::Ipv4)),
            ("127.0.0.1", "80", Some(Family::Ipv6)),
            ("127.0.0.1", "no such service", None),
        ] {
            assert_eq!(found(host, port, family), Err(Errno::ADDRNOTAVAIL));
        }
    }
}
