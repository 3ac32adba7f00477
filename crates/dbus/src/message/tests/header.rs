use super::*;

fn bytes_of(message: &Message) -> Vec<u8> {
    [message.head(), message.body()].concat()
}

#[test]
fn what_was_said_is_read() {
    let mut builder = call();
    builder.set(Field::Sender, b":1.7").unwrap();
    assert_eq!(builder.set(Field::Sender, b":1.7"), Err(Error::Exists));
    assert_eq!(builder.set(Field::Destination, b"!"), Err(Error::Invalid));
    assert_eq!(
        builder.set(Field::Signature, b"s"),
        Err(Error::NotPermitted)
    );
    builder.set_auto_start(false).unwrap();
    builder.set_expect_reply(false).unwrap();
    builder.set_allow_interactive_authorization(true).unwrap();
    assert_eq!(builder.header().text(Field::Path), Some(c"/"));
    let sealed = builder.seal(0x0102_0304).unwrap();
    let received = Message::parse(bytes_of(&sealed), 0).unwrap();
    for header in [sealed.header(), received.header()] {
        assert_eq!(header.kind(), Kind::MethodCall);
        assert_eq!(header.flags(), 7);
        assert_eq!(header.serial(), 0x0102_0304);
        assert_eq!(header.text(Field::Path), Some(c"/"));
        assert_eq!(header.text(Field::Interface), Some(c"c.d"));
        assert_eq!(header.text(Field::Member), Some(c"E"));
        assert_eq!(header.text(Field::Destination), Some(c"a.b"));
        assert_eq!(header.text(Field::Sender), Some(c":1.7"));
        assert_eq!(header.text(Field::Signature), None);
        assert_eq!(header.reply_serial(), None);
    }
}

#[test]
fn answers() {
    let mut builder = call();
    builder.set(Field::Sender, b":1.7").unwrap();
    let call = builder.seal(5).unwrap();
    let answer = Builder::method_return(call.header())
        .unwrap()
        .seal(9)
        .unwrap();
    let error = Builder::method_error(call.header(), b"a.b")
        .unwrap()
        .seal(9)
        .unwrap();
    for message in [&answer, &error] {
        assert_eq!(message.header().reply_serial(), Some(5));
        assert_eq!(message.header().text(Field::Destination), Some(c":1.7"));
        assert_eq!(message.header().flags(), NO_REPLY_EXPECTED);
        assert_eq!(
            Builder::method_return(message.header()).map(drop),
            Err(Error::Invalid)
        );
        assert!(Message::parse(bytes_of(message), 0).is_ok());
    }
    assert_eq!(error.header().text(Field::ErrorName), Some(c"a.b"));
    assert_eq!(
        Builder::method_error(call.header(), b"a").map(drop),
        Err(Error::Invalid)
    );
}

#[test]
fn names_of_a_call() {
    for (destination, path, interface, member, good) in [
        (Some("a.b"), "/", Some("a.b"), "C", true),
        (None, "/", None, "C", true),
        (Some("!"), "/", Some("a.b"), "C", false),
        (Some("a.b"), "x", Some("a.b"), "C", false),
        (Some("a.b"), "/", Some("a"), "C", false),
        (Some("a.b"), "/", Some("a.b"), "C.D", false),
    ] {
        let destination = destination.map(str::as_bytes);
        let interface = interface.map(str::as_bytes);
        let built =
            Builder::method_call(destination, path.as_bytes(), interface, member.as_bytes());
        assert_eq!(built.is_ok(), good);
    }
    let mut signal = Builder::signal(b"/", b"a.b", b"C").unwrap();
    assert_eq!(signal.set_expect_reply(true), Err(Error::NotPermitted));
    assert_eq!(Builder::new(Kind::Other(9)).map(drop), Err(Error::Invalid));
    let mut values = Builder::values();
    values.append_basic(Basic::Byte(7)).unwrap();
    let values = values.seal(1).unwrap();
    assert_eq!(values.header().kind().code(), 0);
    assert_eq!(
        values.cursor().read_basic(&values, b'y'),
        Ok(Some(Basic::Byte(7)))
    );
}

/// A header of these fields in little-endian order, as (code, type, bytes of the value).
fn header(kind: u8, fields: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![b'l', kind, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    for (code, type_code, value) in fields {
        bytes.resize(wire::aligned(bytes.len(), 8), 0);
        bytes.extend_from_slice(&[*code, 1, *type_code, 0]);
        bytes.extend_from_slice(value);
    }
    let length = bytes.len() as u32 - 16;
    bytes[12..16].copy_from_slice(&length.to_le_bytes());
    bytes.resize(wire::aligned(bytes.len(), 8), 0);
    bytes
}

const PATH: (u8, u8, &[u8]) = (1, b'o', b"\x01\0\0\0/\0");
const INTERFACE: (u8, u8, &[u8]) = (2, b's', b"\x03\0\0\0a.b\0");
const MEMBER: (u8, u8, &[u8]) = (3, b's', b"\x01\0\0\0M\0");
const ERROR: (u8, u8, &[u8]) = (4, b's', b"\x03\0\0\0a.b\0");
const TO: (u8, u8, &[u8]) = (5, b'u', b"\x05\0\0\0");

#[test]
fn what_a_header_must_have() {
    for (kind, fields, good) in [
        (0, &[PATH, MEMBER][..], false),
        (1, &[PATH, MEMBER], true),
        (1, &[PATH, INTERFACE], false),
        (1, &[MEMBER], false),
        (2, &[TO], true),
        (2, &[PATH], false),
        (3, &[TO, ERROR], true),
        (3, &[TO], false),
        (3, &[ERROR], false),
        (4, &[PATH, INTERFACE, MEMBER], true),
        (4, &[PATH, MEMBER], false),
        (5, &[], true),
        (255, &[], true),
        (1, &[PATH, MEMBER, PATH], false),
        (1, &[PATH, MEMBER, TO, TO], false),
        (2, &[(5, b'u', b"\0\0\0\0")], false),
        (2, &[(5, b'i', b"\x05\0\0\0")], false),
        (5, &[(0, b'y', b"\x05")], false),
        (5, &[(10, b'y', b"\x05")], true),
        (5, &[(200, b'g', b"\x01a\0")], false),
        (5, &[(200, b'v', b"\x01y\0\x05")], true),
        (5, &[(1, b's', b"\x01\0\0\0/\0")], false),
        (5, &[(1, b'o', b"\x01\0\0\0a\0")], false),
        (5, &[(2, b's', b"\x01\0\0\0a\0")], false),
        (5, &[(3, b's', b"\x03\0\0\0a.b\0")], false),
        (5, &[(4, b's', b"\x01\0\0\0a\0")], false),
        (5, &[(6, b's', b"\x01\0\0\0a\0")], false),
        (5, &[(7, b's', b"\x01\0\0\0a\0")], false),
        (5, &[(7, b's', b"\x01\0\0\0a")], false),
        (5, &[(8, b'g', b"\x01a\0")], false),
        (5, &[(8, b'g', b"\x01s\0")], true),
        (5, &[(9, b'u', b"\x01\0\0\0")], false),
        (5, &[(9, b'u', b"\0\0\0\0")], true),
        (5, &[(9, b'u', b"\0\0\0\0"), (9, b'u', b"\0\0\0\0")], false),
        (
            5,
            &[(7, b's', b"\x1a\0\0\0org.freedesktop.DBus.Local\0")],
            false,
        ),
        (
            5,
            &[(2, b's', b"\x1a\0\0\0org.freedesktop.DBus.Local\0")],
            false,
        ),
        (
            5,
            &[(1, b'o', b"\x1b\0\0\0/org/freedesktop/DBus/Local\0")],
            false,
        ),
    ] {
        let parsed = Message::parse(header(kind, fields), 0).map(drop);
        let expected = if good { Ok(()) } else { Err(Error::Malformed) };
        assert_eq!(parsed, expected, "{kind} {fields:?}");
    }
}

#[test]
fn the_fixed_part() {
    let good = header(1, &[PATH, MEMBER]);
    assert_eq!(message_length(&good), Ok(good.len()));
    for (at, byte) in [
        (0, b'x'),
        (0, b'B'),
        (3, 2),
        (4, 1),
        (8, 0),
        (12, 1),
        (15, 1),
        (7, 8),
        (7, 0xff),
        (15, 0xff),
        (31, 1),
    ] {
        let mut bad = good.clone();
        bad[at] = byte;
        assert_eq!(
            Message::parse(bad, 0).map(drop),
            Err(Error::Malformed),
            "{at}"
        );
    }
    for length in 0..good.len() {
        assert_eq!(
            Message::parse(good[..length].to_vec(), 0).map(drop),
            Err(Error::Malformed)
        );
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(Message::parse(longer, 0).map(drop), Err(Error::Malformed));
    // A body without types.
    let mut body = good;
    body[4] = 1;
    body.push(0);
    assert_eq!(Message::parse(body, 0).map(drop), Err(Error::Malformed));
}

/// A signal in big-endian order, with a field that nobody knows and a body of `aqv`.
const BIG: &[&[u8]] = &[
    b"B\x04\0\x01\0\0\0\x10\0\0\0\x07\0\0\0\x58",
    b"\x01\x01o\0\0\0\0\x01/\0\0\0\0\0\0\0",
    b"\x02\x01s\0\0\0\0\x03a.b\0\0\0\0\0",
    b"\x03\x01s\0\0\0\0\x01M\0\0\0\0\0\0\0",
    b"\x08\x01g\0\x03aqv\0\0\0\0\0\0\0\0",
    b"\xc8\x04(yt)\0\0\x05\0\0\0\0\0\0\0",
    b"\0\0\0\0\0\0\0\x09",
    b"\0\0\0\x04\x01\x02\0\x03",
    b"\x01u\0\0\0\0\0\x0b",
];

#[test]
fn the_other_byte_order() {
    let message = &Message::parse(BIG.concat(), 0).unwrap();
    assert_eq!(message.head()[0], wire::NATIVE);
    assert_eq!(message.header().serial(), 7);
    assert_eq!(message.check(), Ok(()));
    let mut cursor = message.cursor();
    let expected = [0x0102_u16, 3].map(u16::to_ne_bytes);
    assert_eq!(
        cursor.read_array(message, b'q'),
        Ok(Some(expected.as_flattened()))
    );
    cursor.enter_container(message, b'v', Some(b"u")).unwrap();
    assert_eq!(
        cursor.read_basic(message, b'u'),
        Ok(Some(Basic::Uint32(11)))
    );
    // What is read can be sent on, in our order.
    assert!(Message::parse(bytes_of(message), 0).is_ok());
}
