use super::*;

#[test]
fn a_body_from_end_to_end() {
    let message = &mixed();
    let mut cursor = message.cursor();
    assert_eq!(message.signature(), b"(su)vauays");
    assert_eq!(cursor.peek_type(message), Ok(Some((b'r', &b"su"[..]))));
    assert_eq!(cursor.read_basic(message, b'u'), Err(Error::Mismatch));
    assert_eq!(cursor.read_basic(message, b'v'), Err(Error::Invalid));
    assert_eq!(cursor.exit_container(), Err(Error::Mismatch));
    assert_eq!(
        cursor.enter_container(message, b'r', Some(b"s")),
        Err(Error::Mismatch)
    );
    assert_eq!(
        cursor.enter_container(message, b'a', Some(b"u")),
        Err(Error::Mismatch)
    );
    assert_eq!(
        cursor.enter_container(message, b'a', Some(b"")),
        Err(Error::Invalid)
    );
    assert_eq!(
        cursor.enter_container(message, b'q', Some(b"s")),
        Err(Error::Invalid)
    );
    assert_eq!(
        cursor.enter_container(message, b'a', None),
        Err(Error::Mismatch)
    );
    assert_eq!(cursor.enter_container(message, b'r', Some(b"su")), Ok(true));
    assert_eq!((cursor.depth(), cursor.signature(message)), (1, &b"su"[..]));
    assert_eq!(cursor.exit_container(), Err(Error::Busy));
    assert_eq!(
        cursor.read_basic(message, b's'),
        Ok(Some(Basic::String(c"x")))
    );
    assert_eq!(cursor.exit_container(), Err(Error::Busy));
    assert!(!cursor.at_end(false));
    assert_eq!(cursor.skip(message, None), Ok(true));
    assert_eq!(cursor.read_basic(message, b'u'), Err(Error::Mismatch));
    assert_eq!(cursor.skip(message, None), Err(Error::Mismatch));
    assert_eq!((cursor.at_end(false), cursor.at_end(true)), (true, false));
    assert!(cursor.rewind(false));
    assert_eq!(cursor.skip(message, Some(b"su")), Ok(true));
    cursor.exit_container().unwrap();
    assert_eq!(cursor.peek_type(message), Ok(Some((b'v', &b"s"[..]))));
    assert_eq!(
        cursor.enter_container(message, b'v', Some(b"u")),
        Err(Error::Mismatch)
    );
    assert_eq!(cursor.enter_container(message, b'v', Some(b"s")), Ok(true));
    assert_eq!(cursor.skip(message, Some(b"u")), Err(Error::Mismatch));
    assert_eq!(cursor.skip(message, Some(b"a")), Err(Error::Invalid));
    assert_eq!(cursor.skip(message, Some(b"")), Ok(false));
    assert_eq!(cursor.skip(message, Some(b"s")), Ok(true));
    cursor.exit_container().unwrap();
    assert_eq!(cursor.read_array(message, b'y'), Err(Error::Mismatch));
    assert_eq!(cursor.read_array(message, b'h'), Err(Error::Invalid));
    assert_eq!(
        cursor.read_array(message, b'u'),
        Ok(Some(&9_u32.to_ne_bytes()[..]))
    );
    assert_eq!(cursor.enter_container(message, b'a', None), Ok(true));
    for byte in *b"abc" {
        assert!(!cursor.at_end(false));
        assert_eq!(
            cursor.read_basic(message, b'y'),
            Ok(Some(Basic::Byte(byte)))
        );
    }
    assert!(cursor.at_end(false));
    assert_eq!(cursor.read_basic(message, b'y'), Ok(None));
    assert_eq!(cursor.skip(message, None), Ok(false));
    assert_eq!(cursor.peek_type(message), Ok(None));
    cursor.exit_container().unwrap();
    assert_eq!(cursor.skip(message, Some(b"su")), Err(Error::Mismatch));
    assert_eq!(
        cursor.enter_container(message, b's', None),
        Err(Error::Invalid)
    );
    assert_eq!(
        cursor.read_basic(message, b's'),
        Ok(Some(Basic::String(c"end")))
    );
    assert!(cursor.at_end(true));
    assert_eq!(cursor.peek_type(message), Ok(None));
    assert_eq!(cursor.read_basic(message, b's'), Err(Error::Mismatch));
    assert_eq!(
        cursor.enter_container(message, b'a', Some(b"s")),
        Err(Error::Mismatch)
    );
    assert!(cursor.rewind(true));
    assert_eq!(cursor.skip(message, Some(b"(su)vauays")), Ok(true));
}

#[test]
fn types_are_verified() {
    let message = &mixed();
    let cursor = message.cursor();
    for (code, contents, verified) in [
        (Some(b'r'), Some("su"), Ok(true)),
        (Some(b'r'), None, Ok(true)),
        (None, Some("su"), Ok(true)),
        (Some(b'r'), Some(""), Ok(false)),
        (Some(b's'), None, Ok(false)),
        (None, None, Err(Error::Invalid)),
        (Some(b'Z'), None, Err(Error::Invalid)),
    ] {
        let contents = contents.map(str::as_bytes);
        assert_eq!(cursor.verify_type(message, code, contents), verified);
    }
}

#[test]
fn an_array_in_an_array() {
    let mut builder = call();
    builder.open_container(b'a', b"ay").unwrap();
    for values in [&b"abc"[..], b"", b"d"] {
        builder.append_array(b'y', values).unwrap();
    }
    builder.close_container().unwrap();
    let message = &builder.seal(1).unwrap();
    let mut cursor = message.cursor();
    cursor.enter_container(message, b'a', Some(b"ay")).unwrap();
    for values in [Some(&b"abc"[..]), Some(b""), Some(b"d"), None] {
        assert_eq!(cursor.read_array(message, b'y'), Ok(values));
    }
    assert!(cursor.rewind(false));
    assert_eq!(cursor.enter_container(message, b'a', Some(b"y")), Ok(true));
    assert_eq!(cursor.exit_container(), Err(Error::Busy));
    cursor.skip(message, Some(b"yyy")).unwrap();
    cursor.exit_container().unwrap();
    assert_eq!(cursor.skip(message, Some(b"ayay")), Ok(true));
    assert_eq!(cursor.enter_container(message, b'a', Some(b"y")), Ok(false));
    cursor.exit_container().unwrap();
}

/// A body of these types and bytes.
fn body(signature: &str, bytes: &[u8]) -> Message {
    let mut builder = call();
    builder.signature.extend_from_slice(signature.as_bytes());
    builder.body.extend_from_slice(bytes);
    builder.header.count_descriptor();
    builder.seal(1).unwrap()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers
        .iter()
        .flat_map(|number| number.to_ne_bytes())
        .collect()
}

#[test]
fn bytes_that_are_no_values() {
    let text = |length: u32, bytes: &[u8]| [&length.to_ne_bytes()[..], bytes].concat();
    for (signature, bytes) in [
        ("u", b"\0\0\0".to_vec()),
        ("b", numbers(&[2])),
        ("h", numbers(&[1])),
        ("yu", [&[1, 0, 0, 1][..], &numbers(&[0])].concat()),
        ("s", text(3, b"abc")),
        ("s", text(3, b"abcd")),
        ("s", text(3, b"a\0c\0")),
        ("s", text(2, b"\xff\xfe\0")),
        ("s", text(3, b"\xed\xa0\x80\0")),
        ("s", text(u32::MAX, b"abc\0")),
        ("o", text(1, b"a\0")),
        ("o", text(0, b"\0")),
        ("o", text(2, b"//\0")),
        ("g", b"\x01a\0".to_vec()),
        ("g", b"\x01s".to_vec()),
        ("g", b"\xffs\0".to_vec()),
        ("v", b"\x00\0".to_vec()),
        ("v", b"\x02ss\0".to_vec()),
        ("v", b"\x01z\0".to_vec()),
        ("v", b"\x02yy\0\0\0".to_vec()),
        ("v", b"\x01y\0".to_vec()),
        ("v", [b"\x01u\0\x01".to_vec(), numbers(&[0])].concat()),
        ("au", numbers(&[5, 0, 0])),
        ("au", [numbers(&[3]), vec![0; 3]].concat()),
        ("au", numbers(&[8, 0])),
        ("au", numbers(&[u32::MAX, 0])),
        ("at", numbers(&[0, 1])),
        ("at", numbers(&[0])),
        ("ab", numbers(&[8, 1, 2])),
        ("as", numbers(&[5, 1])),
        ("as", [numbers(&[5, 0]), vec![0; 4]].concat()),
        ("a{yy}", [numbers(&[1, 0]), vec![1, 2]].concat()),
        ("(y)", Vec::new()),
    ] {
        let message = body(signature, &bytes);
        assert_eq!(
            message.check(),
            Err(Error::Malformed),
            "{signature} {bytes:?}"
        );
        let mut cursor = message.cursor();
        let skipped = cursor.skip(&message, Some(signature.as_bytes()));
        let left = cursor.position < bytes.len() && skipped.is_ok();
        assert!(
            skipped == Err(Error::Malformed) || left,
            "{signature} {bytes:?}"
        );
    }
}

#[test]
fn an_array_may_not_be_longer_than_64_mebibytes() {
    let length = MAX_ARRAY_LENGTH as u32 + 4;
    let mut bytes = numbers(&[length]);
    bytes.resize(4 + length as usize, 0);
    let message = body("au", &bytes);
    assert_eq!(message.check(), Err(Error::Malformed));
    assert_eq!(
        message.cursor().read_array(&message, b'u'),
        Err(Error::Malformed)
    );
}

#[test]
fn variants_in_variants_end_somewhere() {
    let bytes = b"\x01v\0".repeat(100_000);
    let message = &body("v", &bytes);
    assert_eq!(message.check(), Err(Error::Malformed));
    let mut cursor = message.cursor();
    for _ in 0..MAX_DEPTH {
        assert_eq!(cursor.enter_container(message, b'v', None), Ok(true));
    }
    assert_eq!(
        cursor.enter_container(message, b'v', None),
        Err(Error::Malformed)
    );
    assert_eq!(cursor.skip(message, None), Err(Error::Malformed));
}

#[test]
fn an_erased_message_says_nothing() {
    let mut received = Message::parse(mixed().rest(0).concat(), 0).unwrap();
    let mut sealed = mixed();
    for message in [&mut sealed, &mut received] {
        let mut cursor = message.cursor();
        message.erase();
        assert!(message.head().is_empty() && message.body().is_empty());
        assert_eq!(message.header().text(Field::Path), None);
        assert_eq!(cursor.read_basic(message, b's'), Err(Error::Mismatch));
        assert!(cursor.enter_container(message, b'r', None).is_err());
        assert!(cursor.skip(message, None).is_err());
    }
    let mut builder = call();
    builder.set_sensitive();
    for _ in 0..100 {
        builder.append_text(b's', b"secret").unwrap();
    }
    builder.erase();
    assert_eq!(builder.append_text(b's', b"more"), Err(Error::NotPermitted));
    assert_eq!(builder.seal(1).map(drop), Err(Error::NotPermitted));
}
