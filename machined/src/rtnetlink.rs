//! Questions to the kernel about addresses and neighbours, and its answers: rtnetlink(7).

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::{
    AddressFamily, RouteNetlinkMessage, address::AddressMessage, neighbour::NeighbourMessage,
};
use rustix::{
    io::Errno,
    net::{
        AddressFamily as SocketFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind,
        netlink, recvfrom, sendto, socket_with, sockopt,
    },
};

/// The kernel's own port.
const KERNEL: netlink::SocketAddrNetlink = netlink::SocketAddrNetlink::new(0, 0);

/// RTNLGRP_IPV4_IFADDR and RTNLGRP_IPV6_IFADDR as bits.
pub(crate) const ADDRESS_CHANGES: u32 = 1 << (5 - 1) | 1 << (9 - 1);

/// As long as the longest part of a dump: NLMSG_GOODSIZE is at most a page, and the kernel fills 32 KiB if it can.
pub(crate) const LONGEST_DATAGRAM: usize = 32 * 1024;

/// A socket that never blocks, in the calling thread's network namespace, subscribed to `groups`.
pub(crate) fn socket(groups: u32) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let route = None; // protocol 0 is NETLINK_ROUTE
    let socket = socket_with(SocketFamily::NETLINK, SocketType::RAW, flags, route)?;
    // What a machine can make the kernel queue for us is kernel memory; what does not fit is asked for again.
    sockopt::set_socket_recv_buffer_size(&socket, LONGEST_DATAGRAM)?;
    bind(&socket, &netlink::SocketAddrNetlink::new(0, groups))?;
    Ok(socket)
}

/// Asks for all addresses of the namespace.
pub(crate) fn ask_for_addresses(socket: impl AsFd) -> io::Result<()> {
    ask(
        socket,
        RouteNetlinkMessage::GetAddress(AddressMessage::default()),
    )
}

/// Asks for all neighbours of this family; of [`AddressFamily::Bridge`]: where bridges learnt hardware addresses.
pub(crate) fn ask_for_neighbours(socket: impl AsFd, family: AddressFamily) -> io::Result<()> {
    let mut message = NeighbourMessage::default();
    message.header.family = family;
    ask(socket, RouteNetlinkMessage::GetNeighbour(message))
}

fn ask(socket: impl AsFd, question: RouteNetlinkMessage) -> io::Result<()> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(question));
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    Ok(sendto(socket, &bytes, SendFlags::empty(), &KERNEL).map(drop)?)
}

/// What came in.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// Nothing, for now.
    Nothing,
    /// The kernel dropped messages for want of room: what is known may be wrong.
    Overrun,
    /// These, in order.
    Messages(Vec<Message>),
}

/// One message.
#[derive(Debug)]
pub(crate) enum Message {
    /// Of the protocol; the rest is about the exchange itself.
    Route(RouteNetlinkMessage),
    /// A dump is complete. `interrupted`: what was dumped changed meanwhile, and part of it may be missing.
    Done { interrupted: bool },
    /// The kernel refused a question.
    Refused(io::Error),
}

/// Takes in one datagram. `buffer` has room for [`LONGEST_DATAGRAM`].
pub(crate) fn receive(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Incoming> {
    let (datagram, sender) = match recvfrom(socket, &mut *buffer, RecvFlags::empty()) {
        Ok((_, length, sender)) => (buffer.get(..length).unwrap_or_default(), sender),
        Err(Errno::AGAIN) => return Ok(Incoming::Nothing),
        Err(Errno::NOBUFS) => return Ok(Incoming::Overrun),
        Err(Errno::INTR) => return Ok(Incoming::Messages(Vec::new())),
        Err(error) => return Err(error.into()),
    };
    // Whoever has CAP_NET_ADMIN in the namespace, root in the container, can write to this socket too.
    let sender = sender.and_then(|sender| netlink::SocketAddrNetlink::try_from(sender).ok());
    if sender.is_none_or(|sender| sender.pid() != 0) {
        return Ok(Incoming::Messages(Vec::new()));
    }
    Ok(Incoming::Messages(parse(datagram)))
}

pub(crate) fn parse(mut datagram: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    // Each begins with its length in the machine's byte order, and the next is aligned to four. netlink(7)
    while let Some(length) = datagram
        .first_chunk()
        .map(|bytes| u32::from_ne_bytes(*bytes))
    {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let Some(message) = datagram.get(..length).filter(|_| length >= 16) else {
            break;
        };
        messages.extend(decode(message));
        datagram = datagram
            .get(length.next_multiple_of(4)..)
            .unwrap_or_default();
    }
    messages
}

/// What can't be decoded is of a kind that this program does not know, and has not asked for.
fn decode(bytes: &[u8]) -> Option<Message> {
    let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(bytes).ok()?;
    let interrupted = message.header.flags & NLM_F_DUMP_INTR != 0;
    match message.payload {
        NetlinkPayload::InnerMessage(inner) => Some(Message::Route(inner)),
        NetlinkPayload::Done(_) => Some(Message::Done { interrupted }),
        // Not by its own `to_io`, to which the least of all numbers is one too many.
        NetlinkPayload::Error(error) => {
            let number = error.raw_code().saturating_neg();
            Some(Message::Refused(io::Error::from_raw_os_error(number)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_datagrams_end() {
        let cases: [&[u8]; 5] = [&[], &[1, 2, 3], &[0; 16], &[255; 64], &[16, 0, 0, 0]];
        for case in cases {
            assert!(parse(case).is_empty());
        }
        // A length that is no multiple of four at the very end.
        let mut done = vec![17, 0, 0, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(parse(&done).len() <= 1);
        done.extend([0, 0, 0, 9]);
        assert!(parse(&done).len() <= 1);
    }

    #[test]
    fn the_kernel_answers() {
        let socket = socket(ADDRESS_CHANGES).unwrap();
        ask_for_addresses(&socket).unwrap();
        let mut buffer = vec![0; LONGEST_DATAGRAM];
        let mut done = false;
        while let Incoming::Messages(messages) = receive(&socket, &mut buffer).unwrap() {
            done |= messages
                .iter()
                .any(|message| matches!(message, Message::Done { .. }));
        }
        assert!(done);
    }
}
