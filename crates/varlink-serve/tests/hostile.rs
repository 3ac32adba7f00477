//! What a client gets that does not keep to the protocol, or takes more than its share.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may"
)]

mod common;

use std::{
    io::{ErrorKind, Read, Write},
    mem::MaybeUninit,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use common::{Client, Running};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use varlink_serve::Limits;

const SHORT: Duration = Duration::from_millis(300);

fn impatient() -> Limits {
    Limits {
        message: 16 * 1024,
        receive: SHORT,
        send: SHORT,
        ..Limits::default()
    }
}

/// Sends all of it, or as much as the server takes before it closes the connection.
fn push(client: &mut Client, bytes: &[u8]) {
    match client.stream.write_all(bytes) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
            ) => {}
        result => result.unwrap(),
    }
}

#[test]
fn what_is_no_call_ends_the_connection() {
    let server = Running::new(impatient());
    for message in [
        "",
        "x",
        "{",
        "[]",
        "5",
        "null",
        "\"text\"",
        "{}",
        r#"{"method":5}"#,
        r#"{"method":"a.b","method":"a.b"}"#,
        r#"{"method":"a.b"} x"#,
        r#"{"method":"a.b"}{"method":"a.b"}"#,
        r#"{"method":"a.b","more":1}"#,
        r#"{"parameters":{}}"#,
        "{\"method\":\"\u{1}\"}",
    ] {
        let mut client = server.connect();
        client.send(message);
        assert!(client.is_closed(), "{message:?}");
    }
    let mut client = server.connect();
    push(&mut client, b"{\"method\":\"\xff\xfe.b\"}\0");
    assert!(client.is_closed());
    assert!(server.connect().is_served());
}

#[test]
fn a_message_can_be_so_long_and_no_longer() {
    let server = Running::new(impatient());
    let echo = |length: usize| {
        let text = "x".repeat(length);
        format!("{{\"method\":\"org.example.test.Echo\",\"parameters\":{{\"text\":\"{text}\"}}}}\0")
    };
    let mut client = server.connect();
    push(&mut client, echo(16_000).as_bytes());
    assert_eq!(
        client.receive().unwrap()["parameters"]["text"]
            .as_str()
            .unwrap()
            .len(),
        16_000
    );
    push(&mut client, echo(17_000).as_bytes());
    assert!(client.is_closed());
    let mut client = server.connect();
    push(&mut client, &vec![b'['; 64 << 20]);
    assert!(client.is_closed());
}

#[test]
fn depth_costs_nothing() {
    let server = Running::new(Limits::default());
    let deep = "[".repeat(60_000);
    let shut = "]".repeat(60_000);
    for message in [
        format!(r#"{{"method":"org.example.test.Echo","parameters":{{"text":{deep}{shut}}}}}"#),
        format!(r#"{{"method":"org.example.test.Echo","parameters":{{"other":{deep}{shut}}}}}"#),
    ] {
        let mut client = server.connect();
        client.send(&message);
        let reply = client.receive().unwrap();
        assert_eq!(reply["error"], "org.varlink.service.InvalidParameter");
    }
    let mut client = server.connect();
    client.send(&format!(
        r#"{{"other":{deep}{shut},"method":"org.varlink.service.GetInfo"}}"#
    ));
    // Skipped or refused: both are answers, and the server lives.
    let _ = client.receive();
    assert!(server.connect().is_served());
}

#[test]
fn half_a_message_is_waited_for_so_long() {
    let server = Running::new(impatient());
    let mut client = server.connect();
    assert!(client.is_served());
    let begin = Instant::now();
    push(&mut client, b"{\"method\":\"org.");
    assert!(client.is_closed());
    let waited = begin.elapsed();
    assert!(waited >= SHORT && waited < SHORT * 5, "{waited:?}");
}

#[test]
fn drops_do_not_make_it_longer() {
    let server = Running::new(impatient());
    let mut client = server.connect();
    let begin = Instant::now();
    let mut closed = false;
    for byte in b"{\"method\":\"org.varlink.service.GetInfo\"}"
        .iter()
        .cycle()
    {
        if client.stream.write_all(&[*byte]).is_err() {
            closed = true;
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
        assert!(begin.elapsed() < SHORT * 5, "it goes on");
    }
    assert!(closed);
}

#[test]
fn silence_is_allowed() {
    let server = Running::new(impatient());
    let mut client = server.connect();
    std::thread::sleep(SHORT * 2);
    assert!(client.is_served());
    std::thread::sleep(SHORT * 2);
    assert!(client.is_served());
}

#[test]
fn who_does_not_read_is_left() {
    let server = Running::new(impatient());
    let mut client = server.connect();
    client.send(r#"{"method":"org.example.test.Big","parameters":{"bytes":4000000}}"#);
    let begin = Instant::now();
    assert!(server.connect().is_served(), "others are served meanwhile");
    assert!(begin.elapsed() < SHORT);
    std::thread::sleep(SHORT * 3);
    let mut taken = 0;
    let mut buffer = [0; 65536];
    while let Ok(count @ 1..) = client.stream.read(&mut buffer) {
        taken += count;
    }
    assert!(taken < 4_000_000, "all of it was sent");
}

#[test]
fn who_reads_slowly_but_reads_gets_it_all() {
    let server = Running::new(Limits {
        send: Duration::from_secs(10),
        ..impatient()
    });
    let mut client = server.connect();
    client.send(r#"{"method":"org.example.test.Big","parameters":{"bytes":4000000}}"#);
    std::thread::sleep(SHORT);
    let reply = client.receive().unwrap();
    assert_eq!(
        reply["parameters"]["text"].as_str().unwrap().len(),
        4_000_000
    );
}

#[test]
fn replies_nobody_reads_pile_up_in_the_kernel_alone() {
    let server = Running::new(impatient());
    let mut client = server.connect();
    let patience = Some(Duration::from_millis(100));
    client.stream.set_write_timeout(patience).unwrap();
    // The server stops reading when it can't write, so we get stuck as well, or are cut off.
    let mut sent = 0;
    let call = b"{\"method\":\"org.varlink.service.GetInfo\"}\0";
    while client.stream.write_all(call).is_ok() {
        sent += call.len();
        assert!(sent < 64 << 20, "the server takes everything");
    }
    assert!(server.connect().is_served());
}

#[test]
fn descriptors_that_are_sent_are_closed() {
    let server = Running::new(Limits::default());
    let client = server.connect();
    let (mut read, write) = std::io::pipe().unwrap();
    let fds = [write.as_fd(); 200];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(200))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    let bytes = b"{\"method\":\"org.varlink.service.GetInfo\"}\0";
    let iov = [std::io::IoSlice::new(bytes)];
    sendmsg(&client.stream, &iov, &mut control, SendFlags::empty()).unwrap();
    let mut client = client;
    assert!(client.receive().is_some());
    drop(write);
    // The connection is still open: at the end of the pipe nobody holds its other end.
    let mut rest = Vec::new();
    read.read_to_end(&mut rest).unwrap();
    assert!(client.is_served());
}

#[test]
fn five_thousand_connections_of_one_user_and_the_next_is_served() {
    rustix::process::setrlimit(
        rustix::process::Resource::Nofile,
        rustix::process::Rlimit {
            current: rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum,
            ..rustix::process::getrlimit(rustix::process::Resource::Nofile)
        },
    )
    .unwrap();
    let server = Running::new(Limits::default());
    let mut kept = Vec::new();
    for number in 0..5000 {
        let mut client = server.connect();
        // Some asked once, some never, some are half way.
        match number % 3 {
            0 => assert!(client.is_served()),
            1 => push(&mut client, b"{\"meth"),
            _ => {}
        }
        kept.push(client);
    }
    assert!(server.connect().is_served());
    let open = kept
        .iter_mut()
        .filter(|client| {
            client.stream.set_nonblocking(true).unwrap();
            let mut byte = [0];
            matches!((&client.stream).read(&mut byte), Err(error) if error.kind() == ErrorKind::WouldBlock)
        })
        .count();
    assert!(open <= 192, "{open} are open");
}

#[test]
fn busy_connections_are_not_closed_for_new_ones() {
    let server = Running::new(Limits {
        connections_per_user: 4,
        ..impatient()
    });
    let mut busy: Vec<_> = (0..4).map(|_| server.connect()).collect();
    for client in &mut busy {
        client.send(r#"{"method":"org.example.test.Wait","parameters":{"milliseconds":1000}}"#);
    }
    std::thread::sleep(Duration::from_millis(200));
    assert!(server.connect().is_closed(), "there is no place");
    for client in &mut busy {
        assert!(client.receive().is_some());
    }
    assert!(server.connect().is_served());
}
