//! What a bus may send in answer to GetMachineAddresses, good and bad: D-Bus messages byte by byte, since no library
//! writes the bad ones (D-Bus specification, "Message Format").

use crate::nss_probe::Behaviour;

const BAD: &str = "UNAVAIL errno=74 h_errno=3";
const HUNG_UP: &str = "UNAVAIL errno=104 h_errno=3";
pub const TOO_LATE: &str = "UNAVAIL errno=110 h_errno=3";
const REFUSED: &str = "UNAVAIL errno=13 h_errno=3";
const NOT_FOUND: &str = "NOTFOUND errno=0 h_errno=1";
const NO_DATA: &str = "NOTFOUND errno=0 h_errno=4";
pub const FOUND: &str = "SUCCESS errno=0 h_errno=0 ttl=0 name=web 10.88.0.2";
const FAILED: &str = "UNAVAIL errno=121 h_errno=3";
const TOO_BIG: &str = "UNAVAIL errno=90 h_errno=3";

const GREETING: &[u8] = b"DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n";
const V4: &[u8] = &[10, 88, 0, 2];
/// Of the two messages that the module sends.
const HELLO: u32 = 1;
const CALL: u32 = 2;

const ERROR: u8 = 3;
const SIGNAL: u8 = 4;

/// One message, in either byte order.
#[derive(Clone)]
struct Reply {
    kind: u8,
    big: bool,
    serial: u32,
    fields: Vec<(u8, &'static [u8], Vec<u8>)>,
    body: Vec<u8>,
}

/// The reply to a call, without a body.
fn to(serial: u32) -> Reply {
    let fields = vec![(5, &b"\x01u\0"[..], serial.to_le_bytes().to_vec())];
    Reply {
        kind: 2,
        big: false,
        serial: 9,
        fields,
        body: vec![],
    }
}

/// The reply to the call, with a body of this signature.
fn with(signature: &str, body: Vec<u8>) -> Reply {
    let mut reply = to(CALL);
    let text = [&[signature.len() as u8], signature.as_bytes(), b"\0"].concat();
    reply.fields.push((8, b"\x01g\0", text));
    reply.body = body;
    reply
}

/// The reply to the call, with these addresses.
fn found(addresses: &[(u32, &[u8])]) -> Reply {
    with("a(iay)", list(addresses))
}

fn error(serial: u32, name: &str) -> Reply {
    let mut reply = to(serial);
    reply.kind = ERROR;
    reply.fields.push((4, b"\x01s\0", string(name)));
    reply
}

fn list(addresses: &[(u32, &[u8])]) -> Vec<u8> {
    let mut elements = Vec::new();
    for (family, octets) in addresses {
        pad(&mut elements, 8);
        elements.extend(family.to_le_bytes());
        elements.extend((octets.len() as u32).to_le_bytes());
        elements.extend(*octets);
    }
    let mut body = (elements.len() as u32).to_le_bytes().to_vec();
    pad(&mut body, 8);
    body.extend(elements);
    body
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes(), text.as_bytes(), b"\0"].concat()
}

fn pad(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

impl Reply {
    fn bytes(&self) -> Vec<u8> {
        self.bytes_with(self.body.len() as u32)
    }

    /// With a length of the body that may be a lie.
    fn bytes_with(&self, length: u32) -> Vec<u8> {
        let number = |value: u32| match self.big {
            true => value.to_be_bytes(),
            false => value.to_le_bytes(),
        };
        let mut fields = vec![];
        for (code, kind, value) in &self.fields {
            pad(&mut fields, 8);
            fields.push(*code);
            fields.extend(*kind);
            fields.extend(value);
        }
        let mut bytes = vec![if self.big { b'B' } else { b'l' }, self.kind, 0, 1];
        bytes.extend(number(length));
        bytes.extend(number(self.serial));
        bytes.extend(number(fields.len() as u32));
        bytes.extend(fields);
        pad(&mut bytes, 8);
        bytes.extend(&self.body);
        bytes
    }

    /// With this byte in place of another.
    fn changed(&self, at: usize, byte: u8) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes[at] = byte;
        bytes
    }
}

/// As a bus would write it, `'B'` first.
fn big_endian() -> Reply {
    let mut reply = found(&[]);
    reply.big = true;
    reply.fields[0].2 = CALL.to_be_bytes().to_vec();
    let element = [&2_u32.to_be_bytes()[..], &4_u32.to_be_bytes(), V4].concat();
    reply.body = [&12_u32.to_be_bytes()[..], &[0; 4], &element].concat();
    reply
}

fn signal() -> Vec<u8> {
    let mut signal = with("s", string(":1.7"));
    signal.kind = SIGNAL;
    signal.fields[0] = (1, b"\x01o\0", string("/org/freedesktop/DBus"));
    signal.bytes()
}

/// What is sent after a greeting that lets the module in.
fn greeted(messages: &[&[u8]]) -> Vec<u8> {
    [GREETING, &messages.concat()].concat()
}

fn sends(messages: &[&[u8]]) -> Behaviour {
    Behaviour::Send(greeted(messages))
}

/// A kind of reply, the reply, and what `gethostbyname4_r` must make of it: how its line starts.
pub fn replies() -> Vec<(&'static str, Behaviour, &'static str)> {
    let good = found(&[(2, V4)]);
    let bytes = good.bytes();
    let half = bytes.len() / 2;
    let failed = |name: &str| sends(&[&error(CALL, name).bytes()]);
    let lying = |at: usize, length: u32| {
        let mut lie = good.clone();
        lie.body[at..at + 4].copy_from_slice(&length.to_le_bytes());
        sends(&[&lie.bytes()])
    };
    let (hello, signals) = (to(HELLO).bytes(), signal().repeat(20_000));
    let many = vec![(2, V4); 300];
    let mut nameless = error(CALL, "a.B");
    nameless.fields.remove(0);
    let mut with_nul = good.clone();
    with_nul
        .fields
        .push((7, b"\x01s\0", b"\x02\0\0\0a\0\0".to_vec()));
    vec![
        // First what is right, so that the rest is not refused for another reason.
        ("the reply alone", sends(&[&bytes]), FOUND),
        (
            "as a bus sends it",
            sends(&[&hello, &signal(), &bytes]),
            FOUND,
        ),
        (
            "the other byte order",
            sends(&[&big_endian().bytes()]),
            FOUND,
        ),
        ("two replies", sends(&[&bytes, &failed_bytes("a.B")]), FOUND),
        ("a reply and garbage", sends(&[&bytes, &[0xff; 64]]), FOUND),
        (
            "a reply, then silence",
            Behaviour::SendAndHold(greeted(&[&bytes])),
            FOUND,
        ),
        (
            "unknown families",
            sends(&[&found(&[(1, b"x"), (2, V4), (99, b"")]).bytes()]),
            FOUND,
        ),
        ("300 addresses", sends(&[&found(&many).bytes()]), FOUND),
        // Answers that are no addresses.
        ("no address", sends(&[&found(&[]).bytes()]), NO_DATA),
        (
            "unknown families alone",
            sends(&[&found(&[(7, b"x")]).bytes()]),
            NO_DATA,
        ),
        (
            "NoSuchMachine",
            failed("org.freedesktop.machine1.NoSuchMachine"),
            NOT_FOUND,
        ),
        (
            "NoPrivateNetworking",
            failed("org.freedesktop.machine1.NoPrivateNetworking"),
            NO_DATA,
        ),
        (
            "NotSupported",
            failed("org.freedesktop.DBus.Error.NotSupported"),
            NO_DATA,
        ),
        (
            "AccessDenied",
            failed("org.freedesktop.DBus.Error.AccessDenied"),
            REFUSED,
        ),
        (
            "ServiceUnknown",
            failed("org.freedesktop.DBus.Error.ServiceUnknown"),
            FAILED,
        ),
        (
            "NoReply",
            failed("org.freedesktop.DBus.Error.NoReply"),
            FAILED,
        ),
        ("an error of 2 MiB", failed(&"x".repeat(2 << 20)), TOO_BIG),
        (
            "an error to Hello",
            sends(&[&error(HELLO, "org.freedesktop.DBus.Error.LimitsExceeded").bytes()]),
            FAILED,
        ),
        ("an error to nobody", sends(&[&nameless.bytes()]), BAD),
        // No way in.
        (
            "hung up at once",
            Behaviour::Refuse,
            "UNAVAIL errno=104|UNAVAIL errno=32",
        ),
        ("hung up in silence", Behaviour::Send(vec![]), HUNG_UP),
        (
            "rejected",
            Behaviour::Send(b"DATA\r\nREJECTED EXTERNAL\r\n".to_vec()),
            REFUSED,
        ),
        ("no greeting", Behaviour::Send(bytes.clone()), BAD),
        (
            "another protocol",
            Behaviour::Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
            BAD,
        ),
        (
            "a greeting without end",
            Behaviour::Flood(vec![b'x'; 4096]),
            BAD,
        ),
        (
            "a greeting and no more",
            Behaviour::Send(GREETING.to_vec()),
            HUNG_UP,
        ),
        // Messages that are none, or not the one.
        ("half a header", sends(&[&bytes[..10]]), HUNG_UP),
        ("half a message", sends(&[&bytes[..half]]), HUNG_UP),
        (
            "all but a byte",
            sends(&[&bytes[..bytes.len() - 1]]),
            HUNG_UP,
        ),
        ("no byte order", sends(&[&good.changed(0, b'x')]), BAD),
        ("no kind", sends(&[&good.changed(1, 0)]), BAD),
        ("a call", sends(&[&good.changed(1, 1)]), HUNG_UP),
        ("another version", sends(&[&good.changed(3, 2)]), BAD),
        (
            "no serial",
            sends(&[&Reply {
                serial: 0,
                ..good.clone()
            }
            .bytes()]),
            BAD,
        ),
        (
            "the reply to another call",
            sends(&[&to(77).bytes()]),
            HUNG_UP,
        ),
        (
            "a reply to nobody",
            sends(&[&Reply {
                fields: vec![],
                ..good.clone()
            }
            .bytes()]),
            BAD,
        ),
        (
            "no signature",
            sends(&[&Reply {
                body: list(&[(2, V4)]),
                ..to(CALL)
            }
            .bytes()]),
            BAD,
        ),
        (
            "another signature",
            sends(&[&with("a(uay)", list(&[(2, V4)])).bytes()]),
            BAD,
        ),
        (
            "another type",
            sends(&[&with("s", string("10.88.0.2")).bytes()]),
            BAD,
        ),
        ("a header with NUL", sends(&[&with_nul.bytes()]), BAD),
        ("a body of no length", sends(&[&good.bytes_with(0)]), BAD),
        ("a body too short", sends(&[&good.bytes_with(15)]), BAD),
        (
            "a body of 4 GiB",
            sends(&[&good.bytes_with(u32::MAX)]),
            TOO_BIG,
        ),
        ("an array of 4 GiB", lying(0, u32::MAX), BAD),
        ("an array of 64 MiB", lying(0, 64 << 20), BAD),
        ("an array too long", lying(0, 13), BAD),
        ("an array too short", lying(0, 11), BAD),
        ("an address of 4 GiB", lying(12, u32::MAX), BAD),
        ("an address too long", lying(12, 5), BAD),
        (
            "3 bytes of IPv4",
            sends(&[&found(&[(2, b"abc")]).bytes()]),
            BAD,
        ),
        (
            "16 bytes of IPv4",
            sends(&[&found(&[(2, &[7; 16])]).bytes()]),
            BAD,
        ),
        (
            "4 bytes of IPv6",
            sends(&[&found(&[(10, V4)]).bytes()]),
            BAD,
        ),
        (
            "2 MiB of addresses",
            sends(&[&found(&vec![(2, V4); 140_000]).bytes()]),
            TOO_BIG,
        ),
        ("signals", sends(&[&signals]), TOO_BIG),
        (
            "signals for ever",
            Behaviour::Flood(greeted(&[]).into_iter().chain(signals).collect()),
            TOO_BIG,
        ),
    ]
}

fn failed_bytes(name: &str) -> Vec<u8> {
    error(CALL, name).bytes()
}

/// Buses that keep the module waiting: each costs the one deadline of a lookup.
pub fn stalls() -> Vec<(&'static str, Behaviour)> {
    let bytes = found(&[(2, V4)]).bytes();
    let part = |length: usize| Behaviour::SendAndHold(greeted(&[&bytes[..length]]));
    vec![
        ("says nothing", Behaviour::SendAndHold(vec![])),
        ("greets", Behaviour::SendAndHold(GREETING.to_vec())),
        ("stops in the header", part(20)),
        ("stops in the body", part(bytes.len() - 1)),
        (
            "answers another",
            Behaviour::SendAndHold(greeted(&[&to(77).bytes()])),
        ),
        ("drips", Behaviour::Drip(b'O')),
    ]
}

/// A link-local address and another, which is what tells whether the interface of the state file was read.
pub fn scoped() -> Behaviour {
    let link_local = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    sends(&[&found(&[(2, V4), (10, &link_local)]).bytes()])
}
