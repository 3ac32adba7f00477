use super::*;
use crate::{Error, Result};

const GUID: Guid = [0xab; 16];
const OK: &str = "OK abababababababababababababababab\r\n";

fn client(answer: &str) -> Result<Option<Outcome>> {
    let mut client = Client::new(Identity::Peer, true, Some(GUID));
    let taken = client.input(answer.as_bytes())?;
    assert!(taken == answer.len() || client.outcome().is_some());
    Ok(client.outcome())
}

fn outcome(descriptors: bool) -> Result<Option<Outcome>> {
    Ok(Some(Outcome {
        server: GUID,
        descriptors,
    }))
}

#[test]
fn what_a_client_says() {
    for (identity, descriptors, says) in [
        (
            Identity::Peer,
            true,
            "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\n",
        ),
        (Identity::Peer, false, "\0AUTH EXTERNAL\r\nDATA\r\n"),
        (Identity::User(1000), false, "\0AUTH EXTERNAL 31303030\r\n"),
        (
            Identity::Anonymous,
            true,
            "\0AUTH ANONYMOUS 616e6f6e796d6f7573\r\nNEGOTIATE_UNIX_FD\r\n",
        ),
    ] {
        let mut client = Client::new(identity, descriptors, None);
        assert_eq!(client.output(), says.as_bytes());
        client.sent(3);
        assert_eq!(client.output(), &says.as_bytes()[3..]);
        client.sent(says.len() - 3);
        let answer = match (identity, descriptors) {
            (Identity::Peer, _) => format!("DATA\r\n{OK}AGREE_UNIX_FD\r\n"),
            _ => format!("{OK}AGREE_UNIX_FD\r\n"),
        };
        let taken = client.input(answer.as_bytes()).unwrap();
        let all = if descriptors {
            answer.len()
        } else {
            answer.len() - "AGREE_UNIX_FD\r\n".len()
        };
        assert_eq!(taken, all);
        assert_eq!(client.output(), b"BEGIN\r\n");
    }
}

#[test]
fn what_servers_answer() {
    let other = "OK 00000000000000000000000000000000\r\n";
    for (answer, expected) in [
        (
            format!("DATA\r\n{OK}AGREE_UNIX_FD\r\nl\u{1}\0"),
            outcome(true),
        ),
        (
            format!("DATA\r\n{OK}ERROR no descriptors\r\n"),
            outcome(false),
        ),
        (format!("DATA \r\n{OK}ERROR\r\n"), outcome(false)),
        // A server that needs no DATA takes it for a mistake.
        (format!("{OK}ERROR\r\nAGREE_UNIX_FD\r\n"), outcome(true)),
        (format!("{OK}ERROR\r\nERROR\r\n"), outcome(false)),
        (format!("{OK}AGREE_UNIX_FD\r\n"), Err(Error::Malformed)),
        (format!("DATA\r\n{OK}"), Ok(None)),
        (String::new(), Ok(None)),
        ("DATA\r\n".to_owned(), Ok(None)),
        ("DATA\r\nDATA\r\n".to_owned(), Err(Error::Malformed)),
        ("REJECTED EXTERNAL\r\n".to_owned(), Err(Error::NotPermitted)),
        ("DATA\r\nREJECTED\r\n".to_owned(), Err(Error::NotPermitted)),
        ("ERROR\r\n".to_owned(), Err(Error::NotPermitted)),
        (format!("DATA\r\n{other}"), Err(Error::NotPermitted)),
        ("DATA\r\nOK\r\n".to_owned(), Err(Error::Malformed)),
        ("DATA\r\nOK x\r\n".to_owned(), Err(Error::Malformed)),
        (format!("DATA\n{OK}"), Err(Error::Malformed)),
        (format!("DATA\r{OK}"), Err(Error::Malformed)),
        ("\0DATA\r\n".to_owned(), Err(Error::Malformed)),
        ("\u{e4}".to_owned(), Err(Error::Malformed)),
        ("HTTP/1.1 400\r\n".to_owned(), Err(Error::Malformed)),
        (
            format!("DATA {}\r\n", "0".repeat(MAX_LENGTH)),
            Err(Error::Full),
        ),
    ] {
        assert_eq!(client(&answer), expected, "{answer}");
    }
}

#[test]
fn answers_come_in_any_pieces() {
    let answer = format!("DATA\r\n{OK}AGREE_UNIX_FD\r\nmessages");
    for size in 1..answer.len() {
        let mut client = Client::new(Identity::Peer, true, None);
        let mut taken = 0;
        for piece in answer.as_bytes().chunks(size) {
            let count = client.input(piece).unwrap();
            taken += count;
            if count < piece.len() {
                break;
            }
        }
        assert_eq!(taken, answer.len() - "messages".len(), "{size}");
        assert_eq!(Ok(client.outcome()), outcome(true));
    }
}

fn server() -> Server {
    Server::new(GUID, Some(1000), false, true)
}

#[test]
fn what_a_server_answers() {
    let rejected = "REJECTED EXTERNAL\r\n";
    for (said, answer, begun) in [
        ("\0", String::new(), false),
        ("\0AUTH EXTERNAL 31303030\r\nBEGIN\r\n", OK.to_owned(), true),
        ("\0AUTH EXTERNAL 31303031\r\n", rejected.to_owned(), false),
        ("\0AUTH EXTERNAL 3130303\r\n", rejected.to_owned(), false),
        ("\0AUTH EXTERNAL 2b31303030\r\n", rejected.to_owned(), false),
        ("\0AUTH EXTERNAL x\r\n", rejected.to_owned(), false),
        ("\0AUTH\r\n", rejected.to_owned(), false),
        ("\0AUTH ANONYMOUS\r\n", rejected.to_owned(), false),
        ("\0AUTH DBUS_COOKIE_SHA1 78\r\n", rejected.to_owned(), false),
        (
            "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n",
            format!("DATA\r\n{OK}"),
            true,
        ),
        (
            "\0AUTH EXTERNAL\r\nDATA 31303030\r\nBEGIN\r\n",
            format!("DATA\r\n{OK}"),
            true,
        ),
        (
            "\0AUTH EXTERNAL\r\nDATA 30\r\n",
            format!("DATA\r\n{rejected}"),
            false,
        ),
        (
            "\0AUTH EXTERNAL\r\nCANCEL\r\nDATA\r\n",
            format!("DATA\r\n{rejected}ERROR\r\n"),
            false,
        ),
        (
            "\0DATA\r\nNEGOTIATE_UNIX_FD\r\nfoo\r\n",
            "ERROR\r\n".repeat(3),
            false,
        ),
        ("\0ERROR\r\n", rejected.to_owned(), false),
        (
            "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n",
            format!("DATA\r\n{OK}AGREE_UNIX_FD\r\n"),
            true,
        ),
        (
            "\0AUTH EXTERNAL 31303030\r\nNEGOTIATE_UNIX_FD\r\nCANCEL\r\nAUTH EXTERNAL 31303030\r\nBEGIN\r\n",
            format!("{OK}AGREE_UNIX_FD\r\n{rejected}{OK}"),
            true,
        ),
    ] {
        let mut server = server();
        assert_eq!(server.input(said.as_bytes()), Ok(said.len()), "{said}");
        assert_eq!(server.output(), answer.as_bytes(), "{said}");
        let agreed = answer.ends_with("AGREE_UNIX_FD\r\n");
        let expected = outcome(agreed).unwrap().filter(|_| begun);
        assert_eq!(server.outcome(), expected, "{said}");
    }
}

#[test]
fn whom_a_server_lets_in() {
    let said = b"\0AUTH ANONYMOUS 78\r\nAUTH EXTERNAL\r\nDATA\r\n";
    for (peer, anonymous, answer) in [
        (None, false, "REJECTED\r\nDATA\r\nREJECTED\r\n".to_owned()),
        (None, true, format!("{OK}ERROR\r\nERROR\r\n")),
        (Some(0), false, format!("REJECTED EXTERNAL\r\nDATA\r\n{OK}")),
    ] {
        let mut server = Server::new(GUID, peer, anonymous, false);
        server.input(said).unwrap();
        assert_eq!(server.output(), answer.as_bytes());
        server.input(b"NEGOTIATE_UNIX_FD\r\n").unwrap();
        assert!(server.output().ends_with(b"ERROR\r\n"));
    }
}

#[test]
fn a_server_that_lets_in_everyone() {
    for (said, answer) in [
        ("AUTH ANONYMOUS\r\nDATA 78\r\n", format!("DATA\r\n{OK}")),
        ("AUTH ANONYMOUS\r\nDATA\r\n", format!("DATA\r\n{OK}")),
        ("AUTH EXTERNAL 30\r\n", OK.to_owned()),
        (
            "AUTH EXTERNAL 78\r\n",
            "REJECTED EXTERNAL ANONYMOUS\r\n".to_owned(),
        ),
    ] {
        let mut server = Server::new(GUID, Some(1000), true, true);
        server.input(b"\0").unwrap();
        server.input(said.as_bytes()).unwrap();
        assert_eq!(server.output(), answer.as_bytes(), "{said}");
    }
    let mut server = Server::new(GUID, Some(1000), true, true);
    let begun = server.input(b"\0AUTH ANONYMOUS\r\nBEGIN\r\n");
    assert_eq!(begun, Err(Error::NotPermitted));
}

#[test]
fn what_a_server_does_not_bear() {
    for (said, error) in [
        ("AUTH\r\n".to_owned(), Error::Malformed),
        ("\0BEGIN\r\n".to_owned(), Error::NotPermitted),
        (
            "\0AUTH EXTERNAL\r\nBEGIN\r\n".to_owned(),
            Error::NotPermitted,
        ),
        (
            "\0AUTH EXTERNAL 31303031\r\nBEGIN\r\n".to_owned(),
            Error::NotPermitted,
        ),
        ("\0AUTH\n".to_owned(), Error::Malformed),
        ("\0\0".to_owned(), Error::Malformed),
        (format!("\0{}", "x\r\n".repeat(MAX_LENGTH / 2)), Error::Full),
        (format!("\0{}", "x".repeat(MAX_LENGTH + 1)), Error::Full),
    ] {
        assert_eq!(
            server().input(said.as_bytes()),
            Err(error),
            "{}",
            said.len()
        );
    }
}

#[test]
fn both_sides_agree() {
    for identity in [Identity::Peer, Identity::User(1000), Identity::Anonymous] {
        for descriptors in [false, true] {
            let mut client = Client::new(identity, descriptors, Some(GUID));
            let mut server = Server::new(GUID, Some(1000), true, true);
            while server.outcome().is_none() {
                let said = client.output().to_vec();
                assert!(!said.is_empty());
                client.sent(said.len());
                assert_eq!(server.input(&said), Ok(said.len()));
                let answer = server.output().to_vec();
                server.sent(answer.len());
                assert_eq!(client.input(&answer), Ok(answer.len()));
            }
            assert_eq!(Ok(client.outcome()), outcome(descriptors));
            assert_eq!(server.outcome(), client.outcome());
            // The client's first message may come with BEGIN.
            assert_eq!(server.input(b"l\x01"), Ok(0));
        }
    }
}
