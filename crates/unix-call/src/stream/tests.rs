use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::Instant;

use super::*;
use crate::Reader;

/// An abstract address of this test process alone.
fn address(of: &str) -> (SocketAddrUnix, UnixListener) {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("switchyard-{of}-{}", std::process::id());
    let listener = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&listener).unwrap();
    (
        SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap(),
        listener,
    )
}

fn pair(span: Duration) -> (Stream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let socket = Descriptor::from_std(ours.into());
    let deadline = Deadline::after(span);
    let stream = Stream {
        socket,
        deadline,
        stirred: false,
    };
    (stream, theirs)
}

#[test]
fn sends_and_reads() {
    let (address, listener) = address("plain");
    let server = thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut question = [0; 5];
        client.read_exact(&mut question).unwrap();
        client.write_all(b"answer").unwrap();
        question
    });
    let mut stream = Stream::connect(&address, Deadline::after(Duration::from_secs(5))).unwrap();
    assert!(stream.peer().unwrap().is_this_process());
    stream.send_all(b"hello").unwrap();
    let mut reader = Reader::new(&mut stream);
    assert_eq!(reader.take::<6>().unwrap(), *b"answer");
    assert_eq!(reader.byte(), Err(Fault::System(libc::ECONNRESET)));
    assert_eq!(&server.join().unwrap(), b"hello");
}

#[test]
fn a_full_backlog_is_waited_for_but_not_for_ever() {
    let (address, listener) = address("backlog");
    rustix::net::listen(&listener, 0).unwrap();
    let _first = Stream::connect(&address, Deadline::after(Duration::from_secs(5))).unwrap();
    let start = Instant::now();
    let span = Duration::from_millis(100);
    let refused = Stream::connect(&address, Deadline::after(span));
    assert_eq!(refused.err(), Some(Fault::TimedOut));
    assert!(start.elapsed() >= span && start.elapsed() < span * 10);

    let server = thread::spawn(move || {
        thread::sleep(span);
        listener.accept().unwrap();
        listener
    });
    Stream::connect(&address, Deadline::after(Duration::from_secs(5))).unwrap();
    server.join().unwrap();
}

#[test]
fn a_silent_peer_meets_the_deadline() {
    let span = Duration::from_millis(100);
    let (mut stream, _theirs) = pair(span);
    let start = Instant::now();
    assert_eq!(Reader::new(&mut stream).byte(), Err(Fault::TimedOut));
    assert!(start.elapsed() >= span && start.elapsed() < span * 10);
}

#[test]
fn a_dripping_peer_meets_the_same_deadline() {
    let span = Duration::from_millis(100);
    let (mut stream, mut theirs) = pair(span);
    let server = thread::spawn(move || {
        while theirs.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
    });
    let start = Instant::now();
    let mut reader = Reader::new(&mut stream);
    let end = loop {
        if let Err(fault) = reader.byte() {
            break fault;
        }
    };
    assert_eq!(end, Fault::TimedOut);
    assert!(start.elapsed() < span * 10);
    drop(stream);
    server.join().unwrap();
}

#[test]
fn a_peer_that_reads_nothing_meets_the_deadline() {
    let (mut stream, _theirs) = pair(Duration::from_millis(100));
    assert_eq!(stream.send_all(&vec![0; 16 << 20]), Err(Fault::TimedOut));
}

#[test]
fn a_peer_that_hung_up_is_an_error_without_a_signal() {
    let (mut stream, theirs) = pair(Duration::from_secs(5));
    drop(theirs);
    assert_eq!(stream.send_all(b"x"), Err(Fault::System(libc::EPIPE)));
}

#[test]
fn nobody_there() {
    let (address, listener) = address("gone");
    drop(listener);
    let refused = Stream::connect(&address, Deadline::after(Duration::from_secs(5)));
    assert_eq!(refused.err(), Some(Fault::System(libc::ECONNREFUSED)));
}

#[test]
fn tells_silence_from_a_stir_and_from_the_deadline() {
    let (mut stream, mut peer) = pair(Duration::from_millis(100));
    let span = Duration::from_millis(30);
    assert_eq!(stream.stirs_within(span), Ok(false));
    peer.write_all(b"x").unwrap();
    assert_eq!(stream.stirs_within(span), Ok(true));
    let (mut stream, peer) = pair(Duration::from_millis(10));
    assert_eq!(stream.stirs_within(span), Err(Fault::TimedOut));
    stream.set_deadline(Deadline::after(Duration::from_secs(5)));
    drop(peer);
    assert_eq!(stream.stirs_within(span), Ok(true), "hung up");
}
