//! The sockets: one that is asked, one that listens.
//!
//! They are two, so that what is dumped and what changes meanwhile do not mix: open the listening one first, then ask, then
//! take in the changes. A change that the dump has already shown is told twice, which does no harm.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, netlink, recvfrom,
        sendto, socket_with, sockopt,
    },
};

use crate::{
    event::{Event, events},
    message::{self, Message, messages},
};

/// The kernel's own port.
const KERNEL: netlink::SocketAddrNetlink = netlink::SocketAddrNetlink::new(0, 0);
/// As long as the longest part of a dump: the kernel fills 32 KiB if it can.
const LONGEST_DATAGRAM: usize = 32 * 1024;
/// A dump is made while we wait for it; a kernel that takes longer than this does not answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a dump is begun again before a part of it has to do.
const ATTEMPTS: usize = 16;

/// The group of this number, from 1, as a bit.
const fn bit(group: u32) -> u32 {
    1 << (group - 1)
}

/// What to hear of; RTNLGRP_* as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Groups(u32);

impl Groups {
    /// RTNLGRP_LINK
    pub const LINKS: Self = Self(bit(1));
    /// RTNLGRP_IPV4_IFADDR and RTNLGRP_IPV6_IFADDR
    pub const ADDRESSES: Self = Self(bit(5) | bit(9));
    /// RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE and RTNLGRP_NEXTHOP
    pub const ROUTES: Self = Self(bit(7) | bit(11) | bit(32));

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What to ask for. Of all families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dump {
    /// [`Event::Link`]
    Links,
    /// [`Event::Address`]
    Addresses,
    /// [`Event::DefaultRoute`]
    DefaultRoutes,
}

impl Dump {
    /// RTM_GET*, and the header of the question: zeros.
    const fn question(self) -> (u16, &'static [u8]) {
        match self {
            Self::Links => (18, &[0; 16]),
            Self::Addresses => (22, &[0; 8]),
            Self::DefaultRoutes => (26, &[0; 12]),
        }
    }
}

/// The answer to a question.
#[derive(Debug)]
pub struct Found<T> {
    /// In the kernel's order.
    pub items: Vec<T>,
    /// Not whole: what was asked for changed again and again in the middle, and changes that will be heard follow. Ask again then.
    pub interrupted: bool,
}

/// A socket to ask.
#[derive(Debug)]
pub struct Questions {
    socket: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Questions {
    /// In the calling thread's network namespace, for good.
    ///
    /// # Errors
    /// Of the system.
    pub fn open() -> io::Result<Self> {
        let socket = open(SocketFlags::empty(), 0)?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(PATIENCE))?;
        Ok(Self {
            socket,
            sequence: 0,
            buffer: vec![0; LONGEST_DATAGRAM],
        })
    }

    /// Asks for all there is, and keeps what `take` makes of it. Begins again when the kernel says that it changed meanwhile.
    ///
    /// This waits for the kernel: some microseconds for each item.
    ///
    /// # Errors
    /// Of the system; [`io::ErrorKind::TimedOut`] if the kernel does not answer.
    pub fn ask<T>(
        &mut self,
        what: Dump,
        mut take: impl FnMut(Event) -> Option<T>,
    ) -> io::Result<Found<T>> {
        let mut items = Vec::new();
        for _ in 0..ATTEMPTS {
            items.clear();
            if !self.ask_once(what, |event| items.extend(take(event)))? {
                let interrupted = false;
                return Ok(Found { items, interrupted });
            }
        }
        let interrupted = true;
        Ok(Found { items, interrupted })
    }

    /// Says whether it was interrupted.
    fn ask_once(&mut self, what: Dump, mut take: impl FnMut(Event)) -> io::Result<bool> {
        let (kind, body) = what.question();
        self.sequence = self.sequence.wrapping_add(1);
        let question = Message {
            kind,
            flags: message::REQUEST | message::DUMP,
            sequence: self.sequence,
            body,
        };
        sendto(
            &self.socket,
            &question.to_bytes(),
            SendFlags::empty(),
            &KERNEL,
        )?;
        let mut interrupted = false;
        loop {
            let datagram = match receive(&self.socket, &mut self.buffer) {
                Ok(Some(datagram)) => datagram,
                Ok(None) => continue,
                Err(Errno::AGAIN) => return Err(io::ErrorKind::TimedOut.into()),
                Err(Errno::NOBUFS) => return Ok(true),
                Err(error) => return Err(error.into()),
            };
            // What is left of an answer that was given up has an older number.
            for message in messages(datagram).filter(|message| message.sequence == self.sequence) {
                interrupted |= message.flags & message::INTERRUPTED != 0;
                match message.kind {
                    message::DONE | message::ERROR if message.errno() != 0 => {
                        return Err(io::Error::from_raw_os_error(message.errno()));
                    }
                    message::DONE | message::ERROR => return Ok(interrupted),
                    _ => Event::decode(&message).into_iter().for_each(&mut take),
                }
            }
        }
    }
}

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// Nothing, for now.
    Nothing,
    /// These, in order; none if they were about something else.
    Events(Vec<Event>),
    /// The kernel dropped changes for want of room: what is known may be wrong, so ask again.
    Overrun,
}

/// A socket that listens. It never blocks, and is readable when there is something.
#[derive(Debug)]
pub struct Changes {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

impl Changes {
    /// In the calling thread's network namespace, for good. `room`: bytes that the kernel may keep for us.
    ///
    /// # Errors
    /// Of the system.
    pub fn open(groups: Groups, room: usize) -> io::Result<Self> {
        let socket = open(SocketFlags::NONBLOCK, groups.0)?;
        // Beyond net.core.rmem_max only with CAP_NET_ADMIN.
        sockopt::set_socket_recv_buffer_size_force(&socket, room)
            .or_else(|_| sockopt::set_socket_recv_buffer_size(&socket, room))?;
        Ok(Self {
            socket,
            buffer: vec![0; LONGEST_DATAGRAM],
        })
    }

    /// Takes in one datagram.
    ///
    /// # Errors
    /// Of the system.
    pub fn receive(&mut self) -> io::Result<Received> {
        match receive(&self.socket, &mut self.buffer) {
            Ok(datagram) => {
                let events = events(datagram.unwrap_or_default());
                Ok(Received::Events(events.collect()))
            }
            Err(Errno::AGAIN) => Ok(Received::Nothing),
            Err(Errno::NOBUFS) => Ok(Received::Overrun),
            Err(error) => Err(error.into()),
        }
    }
}

impl AsFd for Changes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn open(flags: SocketFlags, groups: u32) -> rustix::io::Result<OwnedFd> {
    // Protocol 0 is NETLINK_ROUTE.
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        flags | SocketFlags::CLOEXEC,
        None,
    )?;
    bind(&socket, &netlink::SocketAddrNetlink::new(0, groups))?;
    Ok(socket)
}

/// One datagram; `None` if it is not the kernel's, which root of the namespace can send too, or a signal came.
fn receive(socket: impl AsFd, buffer: &mut [u8]) -> rustix::io::Result<Option<&[u8]>> {
    let (length, sender) = match recvfrom(socket, &mut *buffer, RecvFlags::TRUNC) {
        Ok((_, length, sender)) => (length, sender),
        Err(Errno::INTR) => return Ok(None),
        Err(error) => return Err(error),
    };
    let sender = sender.and_then(|sender| netlink::SocketAddrNetlink::try_from(sender).ok());
    if sender.is_none_or(|sender| sender.pid() != 0) {
        return Ok(None);
    }
    // Longer than there was room: part of it is lost, as if the kernel had dropped it.
    buffer.get(..length).map(Some).ok_or(Errno::NOBUFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_answers() {
        let mut questions = Questions::open().unwrap();
        let links = questions
            .ask(Dump::Links, |event| match event {
                Event::Link(link) => Some(link),
                _ => None,
            })
            .unwrap();
        let lo = links.items.iter().find(|link| link.index == 1).unwrap();
        assert_eq!(lo.name.as_deref(), Some("lo"));
        assert!(lo.mtu.is_some());
        assert_eq!(lo.alternative_names, Some(Vec::new()));
        // Again on the same socket.
        for what in [Dump::Addresses, Dump::DefaultRoutes] {
            assert!(!questions.ask(what, Some).unwrap().interrupted);
        }
    }

    #[test]
    fn nothing_has_changed() {
        // The groups of someone else's namespace may be busy: none is asked for.
        let mut changes = Changes::open(Groups(0), 4096).unwrap();
        assert_eq!(changes.receive().unwrap(), Received::Nothing);
    }
}
