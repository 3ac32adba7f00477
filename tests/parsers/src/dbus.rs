//! What a peer on D-Bus sends, and what is told of where it is.

use dbus::{
    Address, Builder, Cursor, Error, Message, Rule,
    address::{Transport, Unix, addresses, escape, unescape},
    authentication::{Client, Identity, MAX_LENGTH, Server},
    connection::Incoming,
    message::MAX_DEPTH,
    rule::Subject,
    signature, types,
};

/// A message, in either byte order: a reader comes to its end or is told that it is malformed, what it read makes the same
/// body again, and what is skipped ends where what is read does.
pub fn dbus_message(bytes: &[u8]) {
    let mut incoming = Incoming::<()>::new(bytes);
    let received = incoming.next_message();
    let message = match Message::parse(bytes.to_vec(), 0) {
        Ok(message) => message,
        Err(error) => {
            assert_eq!(error, Error::Malformed);
            return;
        }
    };
    let (received, _) = received.unwrap().expect("a whole message");
    assert!(received.rest(0) == message.rest(0));
    // It is in our byte order now, and stays the same.
    let again = Message::parse(message.rest(0).concat(), 0).expect("the same message");
    assert!(again.rest(0) == message.rest(0));

    let mut builder = Builder::signal(b"/", b"a.b", b"C").unwrap();
    let mut cursor = message.cursor();
    let read = copy(&message, &mut cursor, &mut builder);
    let skipped = message.cursor().skip(&message, Some(message.signature()));
    let whole = message.check();
    match read {
        Ok(()) => {
            assert!(cursor.at_end(true) && skipped.is_ok());
            let copied = builder.seal(1).unwrap();
            assert_eq!(copied.signature(), message.signature());
            assert!(message.body().starts_with(copied.body()));
            assert_eq!(whole.is_ok(), copied.body() == message.body());
        }
        Err(error) => {
            assert!(error == Error::Malformed && whole == Err(error) && skipped == Err(error));
        }
    }
}

/// Copies what is left of the container that the cursor is in.
fn copy(message: &Message, cursor: &mut Cursor, builder: &mut Builder) -> dbus::Result<()> {
    while let Some((code, contents)) = cursor.peek_type(message)? {
        assert_eq!(
            cursor.verify_type(message, Some(code), Some(contents)),
            Ok(true)
        );
        if types::is_basic(code) {
            let value = cursor.read_basic(message, code)?.expect("what comes next");
            builder.append_basic(value).unwrap();
            continue;
        }
        if code == types::ARRAY
            && let [element] = *contents
            && types::is_plain(element)
        {
            let values = cursor
                .read_array(message, element)?
                .expect("what comes next");
            builder.append_array(element, values).unwrap();
            continue;
        }
        assert!(cursor.enter_container(message, code, Some(contents))?);
        assert!(cursor.depth() <= MAX_DEPTH);
        builder.open_container(code, contents).unwrap();
        copy(message, cursor, builder)?;
        builder.close_container().unwrap();
        cursor.exit_container().unwrap();
    }
    Ok(())
}

/// A signature: what is valid is a sequence of complete types, and what holds them says so too.
pub fn dbus_signature(bytes: &[u8]) {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(length) = signature::first(rest) {
        let (first, after) = rest.split_at(length);
        assert_eq!(signature::first_element(first), Some(length));
        parts.push(first);
        rest = after;
    }
    let valid = rest.is_empty() && bytes.len() <= signature::MAX_LENGTH;
    assert_eq!(signature::is_valid(bytes), valid);
    assert_eq!(signature::is_single(bytes), valid && parts.len() == 1);
    let pair = valid && parts.len() == 2 && types::is_basic(bytes[0]);
    assert_eq!(signature::is_pair(bytes), pair);
    let entry = [b"a{", bytes, b"}"].concat();
    if signature::is_single(&entry) {
        assert!(pair);
    }
    if valid && bytes.len() < 200 {
        let mut builder = Builder::signal(b"/", b"a.b", b"C").unwrap();
        let opened = builder.open_container(types::STRUCT, bytes);
        assert_eq!(opened.is_ok(), !bytes.is_empty());
    }
}

/// A match rule: what it is written as is the same rule, and it can be held against a message.
pub fn dbus_match_rule(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let Ok(rule) = text.parse::<Rule>() else {
        return;
    };
    let written = rule.to_string();
    assert_eq!(written.parse().as_ref(), Ok(&rule));
    assert_eq!(written.parse::<Rule>().unwrap().to_string(), written);
    let mut builder = Builder::signal(b"/a/b", b"a.b", b"C").unwrap();
    builder.append_text(types::STRING, b"a.b").unwrap();
    builder.append_text(types::OBJECT_PATH, b"/a/").unwrap_err();
    builder.append_text(types::OBJECT_PATH, b"/a").unwrap();
    let message = builder.seal(1).unwrap();
    let matches = rule.matches(&Subject::new(&message));
    assert!(matches || rule != Rule::default());
}

/// Addresses: no more of them than there are semicolons, and what becomes of one can be used.
pub fn dbus_address(bytes: &[u8]) {
    let all: Vec<_> = addresses(bytes).collect();
    assert!(all.len() <= 1 + bytes.iter().filter(|byte| **byte == b';').count());
    for address in all {
        match address {
            Ok(Address { transport, guid }) => usable(&transport, guid),
            Err(error) => assert!(matches!(error, Error::Invalid | Error::Range)),
        }
    }
    assert_eq!(unescape(escape(bytes).as_bytes()).as_deref(), Ok(bytes));
}

fn usable(transport: &Transport, guid: Option<dbus::address::Guid>) {
    match transport {
        Transport::Unix(Unix::Path(path)) => {
            assert!(!path.is_empty() && !path.contains(&0));
            // Written, it is read as the same.
            let written = format!("unix:path={}", escape(path));
            let expected = Address {
                transport: transport.clone(),
                guid: None,
            };
            assert!(addresses(written.as_bytes()).eq([Ok(expected)]));
        }
        Transport::UnixExec { path, arguments } => {
            assert!(!arguments.is_empty() && arguments.len() <= 256);
            assert!(
                arguments
                    .iter()
                    .chain([path])
                    .all(|text| !text.contains(&0))
            );
        }
        Transport::Tcp { host, port, .. } => assert!(!host.is_empty() && !port.is_empty()),
        Transport::Machine(dbus::address::Machine::Name(name)) => {
            assert!(!name.is_empty() && !name.contains('/') && !name.contains(".."));
        }
        Transport::Machine(dbus::address::Machine::Leader(leader)) => assert!(*leader > 0),
        Transport::Unix(_) => {}
    }
    assert!(guid.is_none_or(|guid| guid.len() == 16));
}

/// Authentication of either side, which the first byte says: in one piece or byte by byte it comes to the same, and nobody is
/// let in who was not told so.
pub fn dbus_authentication(bytes: &[u8]) {
    let Some((side, said)) = bytes.split_first() else {
        return;
    };
    match side % 4 {
        0 => server(said),
        1 => client(said, Identity::Peer),
        2 => client(said, Identity::User(1000)),
        _ => client(said, Identity::Anonymous),
    }
}

/// How much of it is taken when it comes in single bytes, and what ended that.
fn byte_by_byte<E>(
    said: &[u8],
    mut input: impl FnMut(&[u8]) -> Result<usize, E>,
) -> (usize, Option<E>) {
    let mut count = 0;
    let failed = said.iter().find_map(|byte| match input(&[*byte]) {
        Ok(taken) => {
            count += taken;
            None
        }
        Err(error) => Some(error),
    });
    (count, failed)
}

fn server(said: &[u8]) {
    let new = || Server::new([0xab; 16], Some(1000), false, true);
    let mut whole = new();
    let taken = whole.input(said);
    let mut pieces = new();
    let (count, failed) = byte_by_byte(said, |byte| pieces.input(byte));
    assert_eq!(taken, failed.map_or(Ok(count), Err));
    assert_eq!(
        (whole.outcome(), whole.output()),
        (pieces.outcome(), pieces.output())
    );
    assert!(count <= MAX_LENGTH + 1);
    if whole.outcome().is_some() {
        assert!(whole.output().windows(3).any(|window| window == b"OK "));
    }
}

fn client(said: &[u8], identity: Identity) {
    let new = || Client::new(identity, true, None);
    let mut whole = new();
    let taken = whole.input(said);
    let mut pieces = new();
    let (count, failed) = byte_by_byte(said, |byte| pieces.input(byte));
    assert_eq!(taken, failed.map_or(Ok(count), Err));
    assert_eq!(
        (whole.outcome(), whole.output()),
        (pieces.outcome(), pieces.output())
    );
    if whole.outcome().is_some() {
        assert!(whole.output().ends_with(b"BEGIN\r\n"));
        assert!(said.windows(3).any(|window| window == b"OK "));
    }
}
