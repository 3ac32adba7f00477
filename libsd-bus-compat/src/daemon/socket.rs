//! What kind of socket a descriptor is of.

use std::net::{Ipv4Addr, SocketAddrV6};
use std::os::fd::BorrowedFd;

use rustix::fs::{FileType, fstat};
use rustix::net::{AddressFamily, SocketAddrAny, SocketType, getsockname, sockopt};

use crate::ffi::sys::unix_name;
use crate::{Errno, Result};

/// An address of the Internet that a socket may be bound to; what is 0 in it may be anything.
#[derive(Clone, Copy, Debug)]
pub enum Local {
    /// `struct sockaddr_in`
    V4(Ipv4Addr, u16),
    /// `struct sockaddr_in6`
    V6(SocketAddrV6),
    /// One of this family that is shorter than it must be: no error for a socket of another.
    Short(AddressFamily),
}

/// Whether it is a socket of this family and type, that listens or does not.
///
/// # Errors
/// Of the descriptor.
pub fn is_socket(
    descriptor: BorrowedFd<'_>,
    family: Option<AddressFamily>,
    kind: Option<SocketType>,
    listening: Option<bool>,
) -> Result<bool> {
    if !is_kind(descriptor, kind, listening)? {
        return Ok(false);
    }
    match family {
        None => Ok(true),
        Some(family) => Ok(getsockname(descriptor)?.address_family() == family),
    }
}

/// Whether it is such a socket of the Internet, and bound to this port if one is given.
///
/// # Errors
/// Of the descriptor.
pub fn is_socket_inet(
    descriptor: BorrowedFd<'_>,
    family: Option<AddressFamily>,
    kind: Option<SocketType>,
    listening: Option<bool>,
    port: Option<u16>,
) -> Result<bool> {
    if !is_kind(descriptor, kind, listening)? {
        return Ok(false);
    }
    let name = getsockname(descriptor)?;
    let own = match name.address_family() {
        AddressFamily::INET | AddressFamily::INET6 => name.address_family(),
        _ => return Ok(false),
    };
    if family.is_some_and(|family| family != own) {
        return Ok(false);
    }
    match port {
        None => Ok(true),
        Some(port) => Ok(internet(name)?.port() == port),
    }
}

/// Whether it is such a socket that is bound to this address.
///
/// # Errors
/// Of the descriptor.
pub fn is_socket_sockaddr(
    descriptor: BorrowedFd<'_>,
    kind: Option<SocketType>,
    address: &Local,
    listening: Option<bool>,
) -> Result<bool> {
    if !is_kind(descriptor, kind, listening)? {
        return Ok(false);
    }
    let name = getsockname(descriptor)?;
    Ok(match (name.address_family(), address) {
        (family, Local::Short(short)) if family == *short => return Err(Errno::INVAL),
        (AddressFamily::INET, Local::V4(address, port)) => {
            let own = internet(name)?;
            (*port == 0 || own.port() == *port) && own.ip() == *address
        }
        (AddressFamily::INET6, Local::V6(wanted)) => {
            let own = rustix::net::SocketAddrV6::try_from(name)?;
            let fits = |wanted: u32, own: u32| wanted == 0 || wanted == own;
            (wanted.port() == 0 || own.port() == wanted.port())
                && fits(wanted.flowinfo(), own.flowinfo())
                && fits(wanted.scope_id(), own.scope_id())
                && own.ip() == wanted.ip()
        }
        _ => false,
    })
}

/// Whether it is such a socket of AF_UNIX, bound to this path or, if it begins with 0, to this abstract name; an empty one
/// means a socket that is not bound.
///
/// # Errors
/// Of the descriptor.
pub fn is_socket_unix(
    descriptor: BorrowedFd<'_>,
    kind: Option<SocketType>,
    listening: Option<bool>,
    path: Option<&[u8]>,
) -> Result<bool> {
    if !is_kind(descriptor, kind, listening)? {
        return Ok(false);
    }
    let Some(name) = unix_name(descriptor)? else {
        return Ok(false);
    };
    Ok(match path {
        None => true,
        // What is not abstract ends with a 0.
        Some(path) if !matches!(path, [] | [0, ..]) => name.strip_suffix(&[0]) == Some(path),
        Some(path) => name == path,
    })
}

/// The address and port, if it has any.
fn internet(name: SocketAddrAny) -> Result<std::net::SocketAddr> {
    std::net::SocketAddr::try_from(name)
}

fn is_kind(
    descriptor: BorrowedFd<'_>,
    kind: Option<SocketType>,
    listening: Option<bool>,
) -> Result<bool> {
    let stat = fstat(descriptor)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Socket {
        return Ok(false);
    }
    if let Some(kind) = kind
        && sockopt::socket_type(descriptor)? != kind
    {
        return Ok(false);
    }
    if let Some(listening) = listening
        && sockopt::socket_acceptconn(descriptor)? != listening
    {
        return Ok(false);
    }
    Ok(true)
}
