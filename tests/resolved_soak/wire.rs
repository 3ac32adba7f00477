//! Just enough of DNS messages, by hand: the questions and answers of these tests are of one form.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, TcpStream, UdpSocket},
    time::Duration,
};

pub const A: u16 = 1;
pub const SOA: u16 = 6;
pub const CNAME: u16 = 5;
pub const STUB: &str = "127.0.0.53:53";

/// A query for a name, with RD.
pub fn query(id: u16, name: &str, rtype: u16) -> Vec<u8> {
    let mut query = id.to_be_bytes().to_vec();
    query.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    query.extend(encoded(name));
    query.extend(rtype.to_be_bytes());
    query.extend([0, 1]);
    query
}

pub fn encoded(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.') {
        wire.push(u8::try_from(label.len()).unwrap());
        wire.extend(label.bytes());
    }
    wire.push(0);
    wire
}

/// What came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    pub id: u16,
    pub rcode: u8,
    pub addresses: Vec<Ipv4Addr>,
    /// The least of the answers' times to live.
    pub ttl: u32,
}

pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Where the name at this place ends.
fn after_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            0xc0.. => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

/// Reads a reply to one question; `None`: it is none.
pub fn reply(bytes: &[u8]) -> Option<Reply> {
    let [_, _, flags, codes, ..] = *bytes else {
        return None;
    };
    if flags & 0x80 == 0 || u16_at(bytes, 4)? != 1 {
        return None;
    }
    let mut reply = Reply {
        id: u16_at(bytes, 0)?,
        rcode: codes & 0xf,
        addresses: Vec::new(),
        ttl: u32::MAX,
    };
    let mut at = after_name(bytes, 12)? + 4;
    for _ in 0..u16_at(bytes, 6)? {
        at = after_name(bytes, at)?;
        let rtype = u16_at(bytes, at)?;
        let ttl = u32::from_be_bytes(*bytes.get(at + 4..)?.first_chunk()?);
        let length = usize::from(u16_at(bytes, at + 8)?);
        let data = bytes.get(at + 10..)?.get(..length)?;
        if rtype == A {
            let octets: [u8; 4] = data.try_into().ok()?;
            reply.addresses.push(octets.into());
        }
        reply.ttl = reply.ttl.min(ttl);
        at += 10 + length;
    }
    Some(reply)
}

/// A socket to ask the stub by.
pub fn client(timeout: Duration) -> UdpSocket {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.set_read_timeout(Some(timeout)).unwrap();
    client.connect(STUB).unwrap();
    client
}

/// Asks by UDP, and passes over whatever else comes.
pub fn ask(client: &UdpSocket, id: u16, name: &str) -> io::Result<Reply> {
    client.send(&query(id, name, A))?;
    let mut bytes = [0; 4096];
    loop {
        let length = client.recv(&mut bytes)?;
        match reply(&bytes[..length]) {
            Some(reply) if reply.id == id => return Ok(reply),
            _ => {}
        }
    }
}

/// Asks by TCP, on a connection of its own.
pub fn ask_by_tcp(id: u16, name: &str, timeout: Duration) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(STUB)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.write_all(&framed(&query(id, name, A)))?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes)?;
    reply(&bytes).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Behind its length. RFC 1035, 4.2.2
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap();
    [&length.to_be_bytes(), message].concat()
}
