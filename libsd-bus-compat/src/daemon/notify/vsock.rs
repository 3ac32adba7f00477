//! A manager on the other side of a virtual machine (vsock(7)): `vsock:CID:PORT`, which a hypervisor gives its guest.

use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};

use super::End;
use crate::ffi::vsock::Address as To;
use crate::number::parse_u32;
use crate::{Errno, Result};

/// VMADDR_CID_ANY and VMADDR_PORT_ANY of linux/vm_sockets.h.
const ANY: u32 = u32::MAX;

/// The highest port that root alone may have.
const PRIVILEGED: u32 = 1023;

/// A kernel says so of a family, or of a type of socket, that it has not got. vsock has no datagrams with most hypervisors.
const UNSUPPORTED: [Errno; 7] = [
    Errno::OPNOTSUPP,
    Errno::PROTONOSUPPORT,
    Errno::SOCKTNOSUPPORT,
    Errno::AFNOSUPPORT,
    Errno::PFNOSUPPORT,
    Errno::NOSYS,
    Errno::NOTTY,
];

/// Where the manager listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub to: To,
    /// The type of socket, where it is said.
    kind: Option<SocketType>,
}

impl Address {
    /// # Errors
    /// EINVAL, and ERANGE for a number that is none of 32 bits.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let text = str::from_utf8(text).map_err(|_| Errno::INVAL)?;
        let (kind, text) = [
            ("vsock:", None),
            ("vsock-dgram:", Some(SocketType::DGRAM)),
            ("vsock-seqpacket:", Some(SocketType::SEQPACKET)),
            ("vsock-stream:", Some(SocketType::STREAM)),
        ]
        .into_iter()
        .find_map(|(prefix, kind)| Some((kind, text.strip_prefix(prefix)?)))
        .ok_or(Errno::INVAL)?;
        let (cid, port) = text.split_once(':').ok_or(Errno::INVAL)?;
        let port = parse_u32(port)?;
        let cid = match cid {
            "hypervisor" => 0,
            "local" => 1,
            "host" => 2,
            number => parse_u32(number)?,
        };
        if cid == ANY || port == ANY {
            return Err(Errno::INVAL);
        }
        let to = To { cid, port };
        Ok(Self { to, kind })
    }

    /// A socket of the type that is said, else of the first that there is.
    pub fn socket(&self) -> Result<(OwnedFd, End)> {
        let (kind, socket) = match self.kind {
            Some(kind) => (kind, open(kind)?),
            None => first()?,
        };
        // By its port the host knows that root speaks. Whoever may not have one is heard without.
        let mut from = To {
            cid: ANY,
            port: PRIVILEGED,
        };
        loop {
            match bind(&socket, &from) {
                Err(Errno::ADDRINUSE) if from.port > 1 => from.port -= 1,
                Err(Errno::ACCESS | Errno::PERM) => break,
                bound => break bound?,
            }
        }
        if kind == SocketType::DGRAM {
            return Ok((socket, End::OfDatagram));
        }
        connect(&socket, &self.to)?;
        Ok((socket, End::OfConnection))
    }
}

fn open(kind: SocketType) -> Result<OwnedFd> {
    socket_with(AddressFamily::VSOCK, kind, SocketFlags::CLOEXEC, None)
}

fn first() -> Result<(SocketType, OwnedFd)> {
    let (datagram, packet, stream) = (SocketType::DGRAM, SocketType::SEQPACKET, SocketType::STREAM);
    match open(datagram) {
        Err(error) if error == Errno::NODEV || UNSUPPORTED.contains(&error) => {}
        opened => return Ok((datagram, opened?)),
    }
    match open(packet) {
        Err(error) if UNSUPPORTED.contains(&error) => Ok((stream, open(stream)?)),
        opened => Ok((packet, opened?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What libsystemd 257 takes and refuses.
    #[test]
    fn addresses() {
        let parsed = |text: &str| Address::parse(text.as_bytes());
        let (dgram, packet) = (SocketType::DGRAM, SocketType::SEQPACKET);
        for (text, cid, port, kind) in [
            ("vsock:2:1", 2, 1, None),
            ("vsock:host:0", 2, 0, None),
            ("vsock-dgram:local:0x10", 1, 16, Some(dgram)),
            ("vsock-seqpacket:hypervisor:017", 0, 15, Some(packet)),
            ("vsock-stream: +7: 9", 7, 9, Some(SocketType::STREAM)),
            ("vsock:1:4294967294", 1, u32::MAX - 1, None),
        ] {
            let to = To { cid, port };
            assert_eq!(parsed(text), Ok(Address { to, kind }), "{text}");
        }
        for text in [
            "vsock:",
            "vsock::",
            "vsock:1",
            "vsock:1:",
            "vsock::1",
            "vsock:1:x",
            "vsock:x:1",
            "vsock:any:1",
            "vsock:HOST:1",
            "vsock:1:1:1",
            "vsock:1:1 ",
            "vsock:4294967295:1",
            "vsock:1:4294967295",
            "VSOCK:1:1",
            "vsock-raw:1:1",
            "vsock",
        ] {
            assert_eq!(parsed(text), Err(Errno::INVAL), "{text}");
        }
        for text in [
            "vsock:-1:1",
            "vsock:1:-1",
            "vsock:4294967296:1",
            "vsock:1:4294967296",
        ] {
            assert_eq!(parsed(text), Err(Errno::RANGE), "{text}");
        }
        assert_eq!(Address::parse(b"vsock:1:\xff"), Err(Errno::INVAL));
    }
}
