//! The way to a server: ways are tried in turn, until one leads there.

use std::collections::VecDeque;
use std::net::SocketAddr;

use dbus::address::{Address, Guid, Transport, Unix, addresses};
use rustix::net::sockopt::set_tcp_nodelay;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt,
};

use super::container::Inside;
use super::errno;
use super::program::Program;
use super::socket::Socket;
use super::watch::Watch;
use crate::ffi::resolve;
use crate::{Errno, Result};

/// A program and its arguments, of which the first is its name.
pub type Line = (Vec<u8>, Vec<Vec<u8>>);

/// One way.
#[derive(Debug)]
enum Way {
    Program(Line),
    Address(dbus::Result<Address>),
    Inside(Inside),
}

/// What a way has led to.
#[derive(Debug)]
pub enum Found {
    /// A server.
    Server(Socket),
    /// A program that speaks for one.
    Program(Socket, Program),
    /// One that is being connected to: the socket can be written to when it is known what came of it.
    Connecting(Socket),
    /// One that is not there yet.
    Awaited(Watch),
}

/// What is left to be tried.
#[derive(Debug)]
pub struct Route {
    ways: VecDeque<Way>,
    /// Addresses of the host of the way that is being tried.
    hosts: VecDeque<SocketAddr>,
    /// What the server at the end of it must say of itself.
    guid: Option<Guid>,
    last: Errno,
    /// Whether the way that is being tried leads to a socket of this machine.
    is_local: bool,
    /// Whether sockets that are not there are waited for.
    waits: bool,
}

impl Route {
    /// By a program, then a list of addresses, then into a container.
    pub fn new(program: Option<Line>, list: &[u8], inside: Option<Inside>, waits: bool) -> Self {
        let ways = program.into_iter().map(Way::Program);
        let ways = ways.chain(addresses(list).map(Way::Address));
        Self {
            ways: ways.chain(inside.map(Way::Inside)).collect(),
            hosts: VecDeque::new(),
            guid: None,
            is_local: false,
            last: Errno::CONNREFUSED,
            waits,
        }
    }

    /// What the server must say of itself.
    pub fn guid(&self) -> Option<Guid> {
        self.guid
    }

    /// Whether the server is one of this machine: not in a container, at the end of a program's pipe or of a network.
    pub fn is_local(&self) -> bool {
        self.is_local
    }

    /// The last way has led nowhere, after all.
    pub fn failed(&mut self, errno: Errno) {
        self.last = errno;
    }

    /// Tries what is left until something leads somewhere.
    ///
    /// # Errors
    /// Of the last way, ECONNREFUSED if there was none; EINVAL at an address that is none.
    pub fn follow(&mut self) -> Result<Found> {
        loop {
            if let Some(host) = self.hosts.pop_front() {
                match tcp(host) {
                    Ok(found) => return Ok(found),
                    Err(errno) => self.last = errno,
                }
                continue;
            }
            let way = self.ways.pop_front().ok_or(self.last)?;
            self.is_local = false;
            let transport = match way {
                Way::Program((path, arguments)) => Transport::UnixExec { path, arguments },
                Way::Inside(inside) => return inside.connect().map(Found::Server),
                Way::Address(address) => {
                    let Address { transport, guid } = address.map_err(errno)?;
                    self.guid = guid;
                    transport
                }
            };
            if matches!(
                transport,
                Transport::Unix(Unix::Directory(_) | Unix::Runtime)
            ) {
                // These are to listen at.
                return Err(Errno::INVAL);
            }
            self.is_local = matches!(transport, Transport::Unix(_));
            match self.go(transport) {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                Err(errno) => self.last = errno,
            }
        }
    }

    /// Nothing if it is a host whose addresses are to be tried now.
    fn go(&mut self, transport: Transport) -> Result<Option<Found>> {
        match transport {
            Transport::Unix(Unix::Path(path)) => self.path(path).map(Some),
            Transport::Unix(Unix::Abstract(name)) => {
                let address = SocketAddrUnix::new_abstract_name(&name).map_err(too_long)?;
                unix(&address).map(Found::Server).map(Some)
            }
            Transport::Unix(_) => Err(Errno::INVAL),
            Transport::UnixExec { path, arguments } => {
                let (socket, program) = Program::start(&path, &arguments)?;
                Ok(Some(Found::Program(socket, program)))
            }
            Transport::Tcp { host, port, family } => {
                self.hosts = resolve::addresses(&host, &port, family)?.into();
                self.last = Errno::ADDRNOTAVAIL;
                Ok(None)
            }
            Transport::Machine(machine) => {
                let inside = Inside::system(machine);
                inside.connect().map(Found::Server).map(Some)
            }
        }
    }

    fn path(&self, path: Vec<u8>) -> Result<Found> {
        match unix_path(&path) {
            Err(Errno::NOENT | Errno::CONNREFUSED) if self.waits => {}
            connected => return connected.map(Found::Server),
        }
        let mut watch = Watch::new(path)?;
        match watch.connect()? {
            Some(socket) => Ok(Found::Server(socket)),
            None => Ok(Found::Awaited(watch)),
        }
    }
}

/// Connects to a socket in the file system.
///
/// # Errors
/// Of connect(2); E2BIG if no path may be as long.
pub fn unix_path(path: &[u8]) -> Result<Socket> {
    unix(&SocketAddrUnix::new(path).map_err(too_long)?)
}

fn too_long(errno: Errno) -> Errno {
    match errno {
        Errno::NAMETOOLONG => Errno::TOOBIG,
        errno => errno,
    }
}

fn unix(address: &SocketAddrUnix) -> Result<Socket> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, address)?;
    Socket::of(socket, None)
}

fn tcp(address: SocketAddr) -> Result<Found> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    // A call is one small packet, and its answer is waited for.
    let _ = set_tcp_nodelay(&socket, true);
    let begun = connect(&socket, &address);
    let socket = Socket::of(socket, None)?;
    match begun {
        Ok(()) => Ok(Found::Server(socket)),
        Err(Errno::INPROGRESS) => Ok(Found::Connecting(socket)),
        Err(errno) => Err(errno),
    }
}

/// What has come of a socket that was being connected; nothing if that is not known yet.
///
/// # Errors
/// Of the connection.
pub fn connected(socket: &Socket) -> Result<Option<()>> {
    match socket.wait(false, true, Some(0)) {
        Ok(true) => {}
        Ok(false) | Err(Errno::INTR) => return Ok(None),
        Err(errno) => return Err(errno),
    }
    sockopt::socket_error(socket.input())??;
    Ok(Some(()))
}
