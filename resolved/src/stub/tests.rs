//! Tests of the stub by bytes.

mod copies;
mod listeners;
mod packets;
mod queries;
mod replies;
mod trials;

use hickory_proto::{
    op::Message,
    rr::{Name, RData, Record, rdata::A},
};

use super::{
    query::{self, HEADER},
    serve::{Verdict, verdict},
    sockets::Profile,
};
use crate::name;

const RD: u16 = 1 << 8;
const CD: u16 = 1 << 4;
const AD: u16 = 1 << 5;

/// A query as bytes, part by part.
#[derive(Clone)]
struct Bytes {
    id: u16,
    flags: u16,
    counts: [u16; 4],
    body: Vec<u8>,
}

/// A question of class IN, RD set.
fn ask(text: &str, rtype: u16) -> Bytes {
    let mut body = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        body.push(label.len() as u8);
        body.extend(label.bytes());
    }
    body.push(0);
    body.extend(rtype.to_be_bytes());
    body.extend([0, 1]);
    Bytes {
        id: 0x1234,
        flags: RD,
        counts: [1, 0, 0, 0],
        body,
    }
}

impl Bytes {
    fn flags(mut self, flags: u16) -> Self {
        self.flags = flags;
        self
    }

    fn id(mut self, id: u16) -> Self {
        self.id = id;
        self
    }

    fn counts(mut self, counts: [u16; 4]) -> Self {
        self.counts = counts;
        self
    }

    fn append(mut self, bytes: &[u8]) -> Self {
        self.body.extend(bytes);
        self
    }

    fn class(mut self, class: u16) -> Self {
        let end = self.body.len() - 2;
        self.body.truncate(end);
        self.append(&class.to_be_bytes())
    }

    /// An OPT record more.
    fn opt(mut self, size: u16, version: u8, dnssec_ok: bool) -> Self {
        self.counts[3] += 1;
        let [s0, s1] = size.to_be_bytes();
        let flags = u8::from(dnssec_ok) << 7;
        self.append(&[0, 0, 41, s0, s1, 0, version, flags, 0, 0, 0])
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.extend(self.flags.to_be_bytes());
        bytes.extend(self.counts.iter().flat_map(|count| count.to_be_bytes()));
        assert_eq!(bytes.len(), HEADER);
        bytes.extend(&self.body);
        bytes
    }
}

fn named(text: &str) -> Name {
    name::parse(text).unwrap()
}

fn a(owner: &str, ttl: u32, last: u8) -> Record {
    Record::from_rdata(named(owner), ttl, RData::A(A::new(192, 0, 2, last)))
}

/// What a client reads; whether the bits are those of any reply to `asked`.
fn read(reply: &[u8], asked: &Bytes) -> Message {
    let message = Message::from_vec(reply).unwrap();
    assert_eq!(message.metadata.id, asked.id);
    assert!(message.metadata.recursion_available);
    assert_eq!(message.metadata.recursion_desired, asked.flags & RD != 0);
    assert_eq!(message.metadata.checking_disabled, asked.flags & CD != 0);
    message
}
