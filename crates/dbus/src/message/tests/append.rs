use super::*;

#[test]
fn values_that_are_none() {
    for value in [
        Basic::String(c"\xff"),
        Basic::ObjectPath(c""),
        Basic::ObjectPath(c"a"),
        Basic::Signature(c"a"),
        Basic::UnixFd(1),
    ] {
        assert_eq!(call().append_basic(value), Err(Error::Invalid), "{value:?}");
    }
    assert_eq!(call().append_text(b's', b"a\0b"), Err(Error::Invalid));
    assert_eq!(call().append_text(b'u', b""), Err(Error::Invalid));
    for (code, values) in [
        (b'b', &[0; 4]),
        (b'h', &[0; 4]),
        (b's', &[0; 4]),
        (b'v', &[0; 4]),
        (b't', &[0; 4]),
    ] {
        assert_eq!(call().append_array(code, values), Err(Error::Invalid));
    }
    assert_eq!(call().append_array(b'u', &[0; 3]), Err(Error::Invalid));
}

#[test]
fn containers_that_are_none() {
    for (code, contents, error) in [
        (b'a', "", Error::Invalid),
        (b'a', "ss", Error::Invalid),
        (b'a', "{vs}", Error::Invalid),
        (b'a', "a", Error::Invalid),
        (b'r', "", Error::Invalid),
        (b'r', "{ss}", Error::Invalid),
        (b'(', "s", Error::Invalid),
        (b'e', "ss", Error::Mismatch),
        (b'e', "s", Error::Invalid),
        (b'e', "vs", Error::Invalid),
        (b'v', "", Error::Invalid),
        (b'v', "ss", Error::Invalid),
        (b'v', "{ss}", Error::Invalid),
        (b'q', "s", Error::Invalid),
    ] {
        let opened = call().open_container(code, contents.as_bytes());
        assert_eq!(opened, Err(error), "{contents}");
    }
}

#[test]
fn what_a_container_says_comes_next() {
    let mut builder = call();
    assert_eq!(builder.close_container(), Err(Error::Invalid));
    builder.open_container(b'a', b"{sv}").unwrap();
    assert_eq!(builder.append_basic(Basic::Byte(1)), Err(Error::Mismatch));
    assert_eq!(builder.open_container(b'r', b"sv"), Err(Error::Mismatch));
    assert_eq!(builder.open_container(b'e', b"ss"), Err(Error::Mismatch));
    assert_eq!(builder.open_signature(), b"{sv}");
    for _ in 0..3 {
        builder.open_container(b'e', b"sv").unwrap();
        assert_eq!(builder.close_container(), Err(Error::Invalid));
        builder.append_basic(Basic::String(c"key")).unwrap();
        assert_eq!(
            builder.append_basic(Basic::String(c"")),
            Err(Error::Mismatch)
        );
        builder.open_container(b'v', b"as").unwrap();
        assert_eq!(builder.close_container(), Err(Error::Invalid));
        builder.open_container(b'a', b"s").unwrap();
        builder.append_basic(Basic::String(c"")).unwrap();
        builder.append_basic(Basic::String(c"")).unwrap();
        builder.close_container().unwrap();
        assert_eq!(builder.append_basic(Basic::Byte(0)), Err(Error::Mismatch));
        builder.close_container().unwrap();
        builder.close_container().unwrap();
    }
    assert_eq!(builder.seal(1).map(drop), Err(Error::Malformed));
    builder.close_container().unwrap();
    assert_eq!(builder.signature(), b"a{sv}");
    assert_eq!(builder.seal(1).unwrap().check(), Ok(()));
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut builder = call();
    builder.append_text(b's', b"a").unwrap();
    builder.append_text(b'o', b"b").unwrap_err();
    builder.append_array(b'u', b"c").unwrap_err();
    builder.open_container(b'v', b"ss").unwrap_err();
    assert_eq!(builder.signature(), b"s");
    builder.append_basic(Basic::Uint32(1)).unwrap();
    assert_eq!(builder.seal(1).unwrap().signature(), b"su");
}

#[test]
fn sealed_is_sealed() {
    let mut builder = call();
    builder.seal(1).unwrap();
    assert_eq!(builder.seal(1).map(drop), Err(Error::NotPermitted));
    for refused in [
        builder.append_basic(Basic::Byte(0)),
        builder.append_text(b's', b""),
        builder.append_array(b'y', b""),
        builder.open_container(b'a', b"s"),
        builder.close_container(),
        builder.set(Field::Sender, b":1.1"),
        builder.set_auto_start(false),
        builder.append_string_space(1).map(drop),
    ] {
        assert_eq!(refused, Err(Error::NotPermitted));
    }
}

#[test]
fn spaces_are_filled_by_the_caller() {
    let mut builder = call();
    builder
        .append_string_space(3)
        .unwrap()
        .copy_from_slice(b"abc");
    let eight = 8_u64.to_ne_bytes();
    builder
        .append_array_space(b't', 8)
        .unwrap()
        .copy_from_slice(&eight);
    let message = builder.seal(1).unwrap();
    let mut cursor = message.cursor();
    assert_eq!(
        cursor.read_basic(&message, b's'),
        Ok(Some(Basic::String(c"abc")))
    );
    assert_eq!(cursor.read_array(&message, b't'), Ok(Some(&eight[..])));
}

#[test]
fn descriptors_are_counted() {
    let mut builder = call();
    for index in [0, 0, 1] {
        builder.append_basic(Basic::UnixFd(index)).unwrap();
    }
    assert_eq!(builder.append_basic(Basic::UnixFd(3)), Err(Error::Invalid));
    let message = builder.seal(1).unwrap();
    assert_eq!(message.header().descriptors(), 2);
    let bytes = [message.head(), message.body()].concat();
    assert_eq!(
        Message::parse(bytes.clone(), 1).map(drop),
        Err(Error::Malformed)
    );
    assert!(Message::parse(bytes, 2).is_ok());
}

#[test]
fn limits() {
    let mut builder = call();
    for _ in 0..255 {
        builder.append_basic(Basic::Byte(0)).unwrap();
    }
    assert_eq!(builder.append_basic(Basic::Byte(0)), Err(Error::Invalid));
    assert_eq!(builder.seal(1).unwrap().signature().len(), 255);

    let mut builder = call();
    for _ in 0..MAX_DEPTH {
        builder.open_container(b'v', b"v").unwrap();
    }
    assert_eq!(builder.open_container(b'v', b"v"), Err(Error::Invalid));

    let mut builder = call();
    let half = vec![0; MAX_ARRAY_LENGTH];
    builder.append_array(b'y', &half).unwrap();
    assert_eq!(builder.append_array(b'y', &half), Err(Error::NoMemory));
    builder
        .append_array_space(b'y', MAX_ARRAY_LENGTH - 1024)
        .unwrap();
    let message = builder.seal(1).unwrap();
    assert_eq!(message.check(), Ok(()));

    let mut builder = call();
    let longer = vec![0; MAX_ARRAY_LENGTH + 1];
    assert_eq!(builder.append_array(b'y', &longer), Err(Error::NoMemory));
}
