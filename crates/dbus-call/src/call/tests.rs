use super::*;

/// A message, the way a bus would write it.
struct Reply {
    kind: u8,
    big: bool,
    fields: Vec<(u8, u8, Vec<u8>)>,
    body: Vec<u8>,
}

impl Reply {
    fn to(serial: u32) -> Self {
        let fields = vec![
            (5, b'u', serial.to_le_bytes().into()),
            (8, b'g', b"\x06a(iay)\0".into()),
        ];
        Self {
            kind: 2,
            big: false,
            fields,
            body: vec![],
        }
    }

    fn error(serial: u32, name: &str) -> Self {
        let mut reply = Self::to(serial);
        reply.kind = 3;
        reply.fields[1] = (4, b's', string(name));
        reply
    }

    fn signal() -> Self {
        Self {
            kind: 4,
            big: false,
            fields: vec![(1, b'o', string("/a")), (8, b'g', b"\x01s\0".into())],
            body: string("x"),
        }
    }

    fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let number = |value: u32| {
            if self.big {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            }
        };
        let mut fields = vec![];
        for (code, kind, value) in &self.fields {
            pad(&mut fields, 8);
            fields.extend([*code, 1, *kind, 0]);
            fields.extend(value);
        }
        let mut bytes = vec![if self.big { b'B' } else { b'l' }, self.kind, 0, 1];
        bytes.extend(number(self.body.len() as u32));
        bytes.extend(number(9));
        bytes.extend(number(fields.len() as u32));
        bytes.extend(fields);
        pad(&mut bytes, 8);
        bytes.extend(&self.body);
        bytes
    }
}

fn pad(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u32).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes.push(0);
    bytes
}

const WELCOME: &[u8] = b"DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n";

/// An `a(iay)` of one IPv4 address.
fn addresses() -> Vec<u8> {
    let mut body = 12_u32.to_le_bytes().to_vec();
    pad(&mut body, 8);
    body.extend(2_u32.to_le_bytes());
    body.extend(4_u32.to_le_bytes());
    body.extend([10, 0, 0, 1]);
    body
}

fn hear(parts: &[&[u8]]) -> (Result<Outcome, Fault>, Vec<Vec<u8>>) {
    let bytes = parts.concat();
    let mut source = bytes.as_slice();
    let mut found = vec![];
    let outcome = reply(&mut Reader::new(&mut source), "a(iay)", &mut |body| {
        body.array(8, &mut |body| {
            let mut address = vec![];
            body.u32()?;
            body.array(1, &mut |body| {
                address.push(body.u8()?);
                Ok(())
            })?;
            found.push(address);
            Ok(())
        })
    });
    (outcome, found)
}

#[test]
fn finds_the_reply_among_other_messages() {
    let hello = Reply::to(1).body(string(":1.7")).bytes();
    let answer = Reply::to(2).body(addresses()).bytes();
    let expected = (Ok(Outcome::Returned), vec![vec![10, 0, 0, 1]]);
    let others = [
        Reply::signal().bytes(),
        Reply::to(77).bytes(),
        Reply::error(5, "x.Y").bytes(),
    ]
    .concat();
    assert_eq!(
        hear(&[WELCOME, &hello, &others, &answer, b"rest"]),
        expected
    );
    assert_eq!(hear(&[WELCOME, &answer]), expected);
    assert_eq!(
        hear(&[WELCOME, &Reply::to(2).body(vec![0; 8]).bytes()]),
        (Ok(Outcome::Returned), vec![])
    );
}

#[test]
fn reads_the_other_byte_order() {
    let mut answer = Reply::to(2);
    answer.big = true;
    answer.fields[0].2 = 2_u32.to_be_bytes().into();
    answer.body = [
        &12_u32.to_be_bytes()[..],
        &[0; 4],
        &2_u32.to_be_bytes(),
        &4_u32.to_be_bytes(),
        &[1, 2, 3, 4],
    ]
    .concat();
    assert_eq!(
        hear(&[WELCOME, &answer.bytes()]),
        (Ok(Outcome::Returned), vec![vec![1, 2, 3, 4]])
    );
}

#[test]
fn hears_an_error() {
    for serial in [1, 2] {
        let name = "org.freedesktop.machine1.NoSuchMachine";
        let (outcome, _) = hear(&[
            WELCOME,
            &Reply::error(serial, name).body(string("no")).bytes(),
        ]);
        let Ok(Outcome::Failed(error)) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(error.as_bytes(), name.as_bytes());
    }
}

#[test]
fn is_not_let_in() {
    let answer = Reply::to(2).body(addresses()).bytes();
    for (greeting, fault) in [
        (&b"REJECTED EXTERNAL\r\n"[..], Fault::System(libc::EACCES)),
        (
            b"DATA\r\nREJECTED EXTERNAL\r\n",
            Fault::System(libc::EACCES),
        ),
        (b"ERROR\r\n", Fault::System(libc::EACCES)),
        (b"OK 0123456789abcdef0123456789abcdef\r\n", Fault::Protocol),
        (b"DATA\r\nDATA\r\n", Fault::Protocol),
        (b"DATA 00\r\n", Fault::Protocol),
        (b"DATA\nOK x\n", Fault::Protocol),
        (b"DATA\rOK x\r", Fault::Protocol),
        (b"\r\n", Fault::Protocol),
        (&[b'x'; 5000], Fault::Protocol),
        (&[0; 300], Fault::Protocol),
    ] {
        assert_eq!(
            hear(&[greeting, &answer]).0,
            Err(fault),
            "{}",
            greeting.escape_ascii()
        );
    }
}

#[test]
fn refuses_what_is_no_message() {
    let good = Reply::to(2).body(addresses()).bytes();
    let refused = |bytes: &[u8], what: &str| {
        let (outcome, _) = hear(&[WELCOME, bytes, &[0; 64]]);
        assert!(
            matches!(outcome, Err(Fault::Protocol | Fault::TooBig | Fault::Shape)),
            "{what}: {outcome:?}"
        );
    };
    // Each byte in turn that says what the message is.
    for (at, value) in [
        (0, b'x'),
        (1, 0),
        (3, 2),
        (8, 0),
        (15, 0xff),
        (17, 0),
        (18, b'a'),
        (19, 1),
    ] {
        let mut bad = good.clone();
        bad[at] = value;
        if at == 8 {
            bad[8..12].fill(0);
        }
        refused(&bad, &format!("byte {at} as {value}"));
    }
    // Lengths that lie.
    for lie in [0, 1, 7, 11, 13, 16, 24, 1000, u32::MAX] {
        let mut body = addresses();
        body[..4].copy_from_slice(&lie.to_le_bytes());
        if lie != 0 {
            refused(&Reply::to(2).body(body).bytes(), &format!("array of {lie}"));
        }
        let mut body = addresses();
        body[12..16].copy_from_slice(&lie.to_le_bytes());
        refused(
            &Reply::to(2).body(body).bytes(),
            &format!("inner array of {lie}"),
        );
    }
    let mut padding = addresses();
    padding[5] = 1;
    refused(&Reply::to(2).body(padding).bytes(), "padding");
    refused(&Reply::to(2).bytes(), "no body");
    let mut nameless = Reply::error(2, "x.Y");
    nameless.fields.remove(0);
    refused(&nameless.bytes(), "an error to nobody");
    let mut reply = Reply::to(2).body(addresses());
    reply.fields.pop();
    refused(&reply.bytes(), "no signature");
    let mut reply = Reply::to(2).body(addresses());
    reply.fields[1].2 = b"\x05a(say\0".into();
    refused(&reply.bytes(), "another signature");
    let mut reply = Reply::to(2).body(addresses());
    reply.fields.push((7, b's', b"\xff\xff\xff\x7fx".into()));
    refused(&reply.bytes(), "a sender beyond the end");
    let mut reply = Reply::to(2).body(addresses());
    reply.fields.push((7, b's', b"\x02\0\0\0a\0\0".into()));
    refused(&reply.bytes(), "a sender with NUL");
}

#[test]
fn survives_any_byte_anywhere() {
    let good = [
        WELCOME,
        &Reply::to(1).bytes(),
        &Reply::to(2).body(addresses()).bytes(),
    ]
    .concat();
    for at in 0..good.len() {
        for value in [
            0,
            1,
            0x7f,
            0x80,
            0xff,
            good[at] ^ 1,
            good[at].wrapping_add(8),
        ] {
            let mut bad = good.clone();
            bad[at] = value;
            let _ = hear(&[&bad]);
        }
        let half = hear(&[&good[..at]]).0;
        assert_eq!(
            half,
            Err(Fault::System(libc::ECONNRESET)),
            "the first {at} bytes"
        );
    }
}

#[test]
fn stops_a_bus_that_never_comes_to_the_point() {
    let signals = Reply::signal().bytes().repeat(40_000);
    assert_eq!(hear(&[WELCOME, &signals]).0, Err(Fault::TooBig));
    let mut long = Reply::signal();
    long.body = vec![0; 2 << 20];
    assert_eq!(hear(&[WELCOME, &long.bytes()]).0, Err(Fault::TooBig));
}

#[test]
fn words_what_a_bus_understands() {
    let mut writer = Writer::new();
    writer.method_call(2, &[(1, b'o', "/a"), (3, b's', "M")], Some(b"web"));
    // Our own reader takes it for a message, and a call's argument for its body.
    let bytes = writer.finish().unwrap();
    let mut source = bytes;
    let mut reader = Reader::new(&mut source);
    let (mut message, header) = Message::open(&mut reader).unwrap();
    assert_eq!(
        (header.kind, text(&header.signature)),
        (Kind::Other, &b"s"[..])
    );
    assert_eq!(message.u32(), Ok(3));
    assert_eq!(
        [message.u8(), message.u8(), message.u8(), message.u8()],
        [Ok(b'w'), Ok(b'e'), Ok(b'b'), Ok(0)]
    );
    assert_eq!(message.u8(), Err(Fault::Protocol));
    let long = "x".repeat(2000);
    let mut writer = Writer::new();
    writer.method_call(2, &[(1, b'o', &long)], None);
    assert_eq!(writer.finish(), Err(Fault::TooBig));
}
