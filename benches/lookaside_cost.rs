//! What it costs resolved to share what it knows: questions that its cache answers, by Varlink and by the stub, with the map and with
//! SWITCHYARD_LOOKASIDE=no; daemon and client on one core.
//!
//! Two daemons can't have one socket, so they are taken in turn, and compared round by round: the CPU time that the kernel counted for
//! their threads, and how many questions a second there were.

#[path = "figures.rs"]
mod figures;
#[path = "goals.rs"]
mod goals;
#[path = "../tests/nss_resolve_world.rs"]
mod nss_resolve_world;
#[path = "one_core.rs"]
mod one_core;

use std::{
    io::{Read, Write},
    net::UdpSocket,
    os::unix::net::UnixStream,
    time::Duration,
};

use figures::{Figures, compare_with_and_without};
use goals::Goals;
use nss_resolve_world::{SOCKET, World, options};
use support::{Sandbox, Which, run_program};

const ROUNDS: usize = 15;
const QUESTIONS: usize = 20_000;
const STUB: &str = "127.0.0.53:53";

/// What is asked: by what, and what for.
const KINDS: [(&str, Kind); 4] = [
    ("ResolveHostname, two addresses", Kind::Varlink("name.test")),
    ("ResolveHostname, no such name", Kind::Varlink("nope.test")),
    ("a query to the stub", Kind::Stub("name")),
    ("a query to the stub, no such name", Kind::Stub("nope")),
];

#[derive(Clone, Copy)]
enum Kind {
    Varlink(&'static str),
    /// Below `test`.
    Stub(&'static str),
}

fn main() {
    one_core::pin();
    let options = options().timeout(Duration::from_secs(1200));
    std::process::exit(run_program(&options, compare));
}

fn compare(s: &Sandbox) -> i32 {
    let mut figures: [[Figures; 2]; KINDS.len()] = Default::default();
    for round in 0..ROUNDS {
        // Whoever comes first does so every other time.
        for turn in 0..2 {
            let at = (round + turn) % 2;
            let world = match at {
                0 => World::start_of(s, Which::Ours),
                _ => World::start_unshared(s),
            };
            for ((_, kind), figures) in KINDS.iter().zip(&mut figures) {
                measure(&world, *kind, &mut figures[at]);
            }
            world.end(s);
        }
    }
    figures::print_head("question", ROUNDS, QUESTIONS);
    let mut goals = Goals::default();
    for ((what, _), of) in KINDS.iter().zip(&figures) {
        compare_with_and_without(what, of, &mut goals);
    }
    goals.status()
}

fn measure(world: &World, kind: Kind, figures: &mut Figures) {
    let mut ask: Box<dyn FnMut()> = match kind {
        Kind::Varlink(name) => by_varlink(name),
        Kind::Stub(label) => by_stub(label),
    };
    // In the cache, and answered from there.
    (0..QUESTIONS / 10).for_each(|_| ask());
    figures.measure(world.resolved.pid(), QUESTIONS, ask);
}

/// One call after the other over one connection.
fn by_varlink(name: &str) -> Box<dyn FnMut()> {
    let mut stream = UnixStream::connect(SOCKET).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let call = format!(
        "{{\"method\":\"io.systemd.Resolve.ResolveHostname\",\"parameters\":{{\"name\":\"{name}\"}}}}\0"
    );
    let expected: &[u8] = if name.starts_with("nope") {
        b"DNSError"
    } else {
        b"\"addresses\""
    };
    Box::new(move || {
        stream.write_all(call.as_bytes()).unwrap();
        let (mut reply, mut length) = ([0; 4096], 0);
        while reply[..length].last() != Some(&0) {
            length += match stream.read(&mut reply[length..]).unwrap() {
                0 => panic!("resolved hung up"),
                count => count,
            };
        }
        let mut windows = reply[..length].windows(expected.len());
        assert!(windows.any(|window| window == expected));
    })
}

fn by_stub(label: &'static str) -> Box<dyn FnMut()> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    socket.connect(STUB).unwrap();
    let mut query = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, label.len() as u8];
    query.extend(label.bytes());
    query.extend(b"\x04test\0\0\x01\0\x01");
    let code = if label == "nope" { 3 } else { 0 };
    let mut id = 0_u16;
    Box::new(move || {
        id = id.wrapping_add(1);
        query[..2].copy_from_slice(&id.to_be_bytes());
        socket.send(&query).unwrap();
        let mut reply = [0; 512];
        let length = socket.recv(&mut reply).unwrap();
        assert!(length > 12 && reply[..2] == query[..2] && reply[3] & 0xf == code);
    })
}
