//! Packets made by hand, that no program sends: what the stub says to each, by UDP and TCP, beside systemd's.

mod nss_resolve_world;

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use nss_resolve_world::{World, options};
use support::{Which, sandbox, skip};

const STUB: &str = "127.0.0.53:53";
const RD: u16 = 1 << 8;

/// A packet, part by part.
#[derive(Clone)]
struct Packet {
    flags: u16,
    counts: [u16; 4],
    body: Vec<u8>,
}

/// A question in order: `name.test IN A`, recursion desired.
fn question() -> Packet {
    let body = b"\x04name\x04test\0\0\x01\0\x01".to_vec();
    Packet {
        flags: RD,
        counts: [1, 0, 0, 0],
        body,
    }
}

impl Packet {
    fn flags(mut self, flags: u16) -> Self {
        self.flags = flags;
        self
    }

    fn counts(mut self, counts: [u16; 4]) -> Self {
        self.counts = counts;
        self
    }

    fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    fn append(mut self, bytes: &[u8]) -> Self {
        self.body.extend(bytes);
        self
    }

    /// One more record of the additional section.
    fn more(mut self, record: &[u8]) -> Self {
        self.counts[3] += 1;
        self.append(record)
    }

    fn kind(mut self, kind: u16, class: u16) -> Self {
        let at = self.body.len() - 4;
        self.body.truncate(at);
        self.append(&kind.to_be_bytes())
            .append(&class.to_be_bytes())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0xab, 0xcd];
        bytes.extend(self.flags.to_be_bytes());
        bytes.extend(self.counts.iter().flat_map(|count| count.to_be_bytes()));
        bytes.extend(&self.body);
        bytes
    }
}

const OPT: &[u8] = b"\0\0\x29\x04\xd0\0\0\0\0\0\0";

/// What there is to be said of each, and why it is wrong.
fn packets() -> Vec<(&'static str, Vec<u8>)> {
    let plain = question;
    let long = [b"\x3f".as_slice(), &[b'x'; 63]].concat().repeat(4);
    let whole = plain().bytes();
    let mut packets: Vec<(&str, Vec<u8>)> = vec![
        ("nothing wrong", whole.clone()),
        ("nothing wrong, with EDNS", plain().more(OPT).bytes()),
        ("nothing at all", Vec::new()),
        ("one byte", vec![0xab]),
        ("half a header", whole[..6].to_vec()),
        ("a header alone", whole[..12].to_vec()),
        ("half a name", whole[..15].to_vec()),
        ("no type", whole[..22].to_vec()),
        ("half a class", whole[..whole.len() - 1].to_vec()),
        ("bytes after the end", plain().append(b"more").bytes()),
        ("no question", plain().counts([0; 4]).body(b"").bytes()),
        (
            "a question that is not counted",
            plain().counts([0; 4]).bytes(),
        ),
        (
            "two questions",
            plain()
                .append(b"\x04name\x04test\0\0\x1c\0\x01")
                .counts([2, 0, 0, 0])
                .bytes(),
        ),
        ("65535 questions", plain().counts([0xffff, 0, 0, 0]).bytes()),
        (
            "an answer",
            plain()
                .counts([1, 1, 0, 0])
                .append(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x7f\0\0\x01")
                .bytes(),
        ),
        (
            "an answer that is not there",
            plain().counts([1, 1, 0, 0]).bytes(),
        ),
        (
            "an authority",
            plain()
                .counts([1, 0, 1, 0])
                .append(b"\xc0\x0c\0\x02\0\x01\0\0\0\x3c\0\x01\0")
                .bytes(),
        ),
        (
            "additionals that are not there",
            plain().counts([1, 0, 0, 9]).bytes(),
        ),
        (
            "an additional record",
            plain()
                .more(b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x7f\0\0\x01")
                .bytes(),
        ),
        (
            "data beyond the end",
            plain().more(b"\0\0\x01\0\x01\0\0\0\0\0\x09\x7f").bytes(),
        ),
        (
            "a pointer to itself",
            plain().body(b"\xc0\x0c\0\x01\0\x01").bytes(),
        ),
        (
            "a pointer forward",
            plain().body(b"\xc0\x12\0\x01\0\x01\x01a\0").bytes(),
        ),
        (
            "a pointer beyond the end",
            plain().body(b"\xff\xff\0\x01\0\x01").bytes(),
        ),
        (
            "a pointer into the header",
            plain().body(b"\x01a\xc0\0\0\x01\0\x01").bytes(),
        ),
        ("half a pointer", plain().body(b"\xc0").bytes()),
        (
            "a label of an unknown kind",
            plain().body(b"\x41a\0\0\x01\0\x01").bytes(),
        ),
        ("another", plain().body(b"\x81a\0\0\x01\0\x01").bytes()),
        (
            "a name of 257 bytes",
            plain()
                .body(&[&long, b"\0\0\x01\0\x01".as_slice()].concat())
                .bytes(),
        ),
        (
            "a label beyond the end",
            plain().body(b"\x3fname\0\0\x01\0\x01").bytes(),
        ),
        ("the root", plain().body(b"\0\0\x01\0\x01").bytes()),
        ("a response", plain().flags(RD | 1 << 15).bytes()),
        ("truncated", plain().flags(RD | 1 << 9).bytes()),
        ("authoritative", plain().flags(RD | 1 << 10).bytes()),
        ("recursion available", plain().flags(RD | 1 << 7).bytes()),
        ("the reserved bit", plain().flags(RD | 1 << 6).bytes()),
        ("a code", plain().flags(RD | 5).bytes()),
        ("recursion not desired", plain().flags(0).bytes()),
        ("type 0", plain().kind(0, 1).bytes()),
        ("type OPT", plain().kind(41, 1).bytes()),
        ("type TSIG", plain().kind(250, 1).bytes()),
        ("type IXFR", plain().kind(251, 1).bytes()),
        ("type AXFR", plain().kind(252, 1).bytes()),
        ("type MAILB", plain().kind(253, 1).bytes()),
        ("type MAILA", plain().kind(254, 1).bytes()),
        ("class 0", plain().kind(1, 0).bytes()),
        ("class CH", plain().kind(16, 3).bytes()),
        ("class NONE", plain().kind(1, 254).bytes()),
        ("class ANY", plain().kind(1, 255).bytes()),
        ("two OPT records", plain().more(OPT).more(OPT).bytes()),
        (
            "EDNS of version 1",
            plain().more(b"\0\0\x29\x04\xd0\0\x01\0\0\0\0").bytes(),
        ),
        (
            "EDNS of version 255",
            plain().more(b"\0\0\x29\x04\xd0\0\xff\0\0\0\0").bytes(),
        ),
        (
            "EDNS of a size of 0",
            plain().more(b"\0\0\x29\0\0\0\0\0\0\0\0").bytes(),
        ),
        (
            "an OPT record with a name",
            plain().more(b"\x01a\0\0\x29\x04\xd0\0\0\0\0\0\0").bytes(),
        ),
        (
            "half an option",
            plain()
                .more(b"\0\0\x29\x04\xd0\0\0\0\0\0\x03\0\x0a\0")
                .bytes(),
        ),
        (
            "an option beyond its record",
            plain()
                .more(b"\0\0\x29\x04\xd0\0\0\0\0\0\x04\0\x0a\0\x09")
                .bytes(),
        ),
        (
            "an unknown option",
            plain()
                .more(b"\0\0\x29\x04\xd0\0\0\0\0\0\x05\xfd\xe9\0\x01x")
                .bytes(),
        ),
        (
            "an OPT record among the answers",
            plain().counts([1, 1, 0, 0]).append(OPT).bytes(),
        ),
    ];
    for (opcode, name) in [
        (1, "IQUERY"),
        (2, "STATUS"),
        (4, "NOTIFY"),
        (5, "UPDATE"),
        (15, "operation 15"),
    ] {
        packets.push((name, plain().flags(RD | opcode << 11).bytes()));
    }
    packets
}

/// The reply's meaning: its code and the one of EDNS, and how many answers; nothing at all if none comes.
fn meaning(reply: &[u8]) -> String {
    if reply.len() < 12 {
        return format!("{} bytes", reply.len());
    }
    assert_eq!(reply[..2], [0xab, 0xcd]);
    assert_ne!(reply[2] & 0x80, 0, "not a response");
    let answers = u16::from_be_bytes([reply[6], reply[7]]);
    let extended = reply.windows(3).rposition(|bytes| bytes == [0, 0, 41]);
    let extended = extended
        .and_then(|at| reply.get(at + 5))
        .copied()
        .unwrap_or(0);
    format!(
        "code {}, {answers} answers",
        u16::from(reply[3] & 15) | u16::from(extended) << 4
    )
}

/// All are asked at once, so that this is waited for once.
const PATIENCE: Duration = Duration::from_secs(3);
const NOTHING: &str = "nothing";

fn by_udp(packet: &[u8]) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(STUB).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send(packet).unwrap();
    let mut reply = [0; 4096];
    match socket.recv(&mut reply) {
        Ok(length) => meaning(&reply[..length]),
        Err(_) => NOTHING.to_owned(),
    }
}

fn by_tcp(packet: &[u8]) -> String {
    let mut stream = TcpStream::connect(STUB).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = u16::try_from(packet.len()).unwrap().to_be_bytes();
    stream
        .write_all(&[length.as_slice(), packet].concat())
        .unwrap();
    let mut length = [0; 2];
    if stream.read_exact(&mut length).is_err() {
        return NOTHING.to_owned();
    }
    let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut reply).unwrap();
    meaning(&reply)
}

const FORMERR: &str = "code 1, 0 answers";
const NOTIMP: &str = "code 4, 0 answers";

/// Where ours says otherwise than systemd's of version 252, and why.
const DIFFERENT: &[(&str, &str)] = &[
    // What is malformed is said to be (RFC 1035, 4.1.1), where systemd's says nothing.
    ("no question", FORMERR),
    ("a question that is not counted", FORMERR),
    ("two questions", FORMERR),
    ("65535 questions", FORMERR),
    ("an answer", FORMERR),
    ("an answer that is not there", FORMERR),
    ("truncated", FORMERR),
    ("an OPT record among the answers", FORMERR),
    // Or overlooks it. RFC 6891, 6.1.1: "MUST be returned".
    ("an authority", FORMERR),
    ("two OPT records", FORMERR),
    ("an OPT record with a name", FORMERR),
    ("half an option", FORMERR),
    ("an option beyond its record", FORMERR),
    // It tries to ask for it.
    ("a name of 257 bytes", FORMERR),
    // RFC 1035, 4.1.1
    ("IQUERY", NOTIMP),
    ("STATUS", NOTIMP),
    ("NOTIFY", NOTIMP),
    ("UPDATE", NOTIMP),
    ("operation 15", NOTIMP),
];

#[test]
fn packets_bent_by_hand_are_answered_as_by_systemds() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let ask = |which| {
            let world = World::start_of(s, which);
            let said: Vec<_> = thread::scope(|threads| {
                let ask = |(what, packet): (&'static str, Vec<u8>)| {
                    threads.spawn(move || (what, by_udp(&packet), by_tcp(&packet)))
                };
                let asked: Vec<_> = packets().into_iter().map(ask).collect();
                let said = asked.into_iter().map(|thread| thread.join().unwrap());
                said.collect()
            });
            // It has come to no harm.
            assert_eq!(by_udp(&question().bytes()), "code 0, 1 answers");
            assert_eq!(by_tcp(&question().bytes()), "code 0, 1 answers");
            assert!(world.resolved.is_running());
            world.end(s);
            said
        };
        let (theirs, ours) = (ask(Which::Peer), ask(Which::Ours));
        let mut wrong = Vec::new();
        for (their, our) in theirs.iter().zip(&ours) {
            let expected = match DIFFERENT.iter().find(|(what, _)| *what == our.0) {
                Some((what, said)) => (*what, (*said).to_owned(), (*said).to_owned()),
                None => their.clone(),
            };
            if *our != expected {
                wrong.push(format!("{our:?}, and not {expected:?}"));
            }
        }
        assert!(
            wrong.is_empty(),
            "{} differ:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    });
}
