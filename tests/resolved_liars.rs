//! Our resolved as programs see it, where its server lies or is dead: what was not asked for is not believed, and what one
//! server does not say another does.

mod nss_resolve_world;

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use nss_resolve_world::{World, options};
use support::{Sandbox, Which, sandbox, skip};

const TRUE: [u8; 4] = [192, 0, 2, 80];
const FALSE: [u8; 4] = [6, 6, 6, 6];

/// A server on 127.0.0.66 that knows two names: the victim's, and the liar's own, whose answer tells of the victim's, too.
struct Liar {
    asked_for_victim: Arc<AtomicUsize>,
}

impl Liar {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.66:53").unwrap();
        let asked_for_victim = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked_for_victim);
        thread::spawn(move || {
            let mut query = [0; 1500];
            while let Ok((length, peer)) = socket.recv_from(&mut query) {
                answer(&socket, peer, &query[..length], &count);
            }
        });
        Self { asked_for_victim }
    }
}

/// Where the question ends, and its first label in small letters.
fn read(query: &[u8]) -> (usize, String) {
    let mut at = 12;
    while query[at] != 0 {
        at += 1 + usize::from(query[at]);
    }
    let first = &query[13..13 + usize::from(query[12])];
    (at + 5, String::from_utf8_lossy(first).to_lowercase())
}

fn answer(socket: &UdpSocket, peer: SocketAddr, query: &[u8], victims: &AtomicUsize) {
    let (end, first) = read(query);
    // Type A alone.
    let is_address = query[end - 4..end - 2] == [0, 1];
    let reply = |id: [u8; 2], records: &[(u8, Vec<u8>)]| {
        let mut reply = vec![id[0], id[1], 0x85, 0x80, 0, 1];
        for section in 0..3 {
            let count = records.iter().filter(|(of, _)| *of == section).count();
            reply.extend([0, count as u8]);
        }
        reply.extend(&query[12..end]);
        reply.extend(
            records
                .iter()
                .flat_map(|(_, record)| record.iter().copied()),
        );
        reply
    };
    let id = [query[0], query[1]];
    let own = |address: [u8; 4]| {
        (
            0,
            [
                b"\xc0\x0c\0\x01\0\x01\0\0\x01\x2c\0\x04".as_slice(),
                &address,
            ]
            .concat(),
        )
    };
    if !is_address {
        socket.send_to(&reply(id, &[]), peer).unwrap();
        return;
    }
    if first == "victim" {
        victims.fetch_add(1, Ordering::SeqCst);
        // Someone is quicker than the server, by all ids but one: it must not be among the first few.
        for guess in 1..=20_u16 {
            let wrong = (u16::from_be_bytes(id) ^ guess).to_be_bytes();
            socket.send_to(&reply(wrong, &[own(FALSE)]), peer).unwrap();
        }
        socket.send_to(&reply(id, &[own(TRUE)]), peer).unwrap();
        return;
    }
    let victim = b"\x06victim\x04good\0";
    let record = |section: u8, kind: u8, data: &[u8]| {
        let fixed = [0, kind, 0, 1, 0, 0, 0x0e, 0x10, 0, data.len() as u8];
        (section, [victim.as_slice(), &fixed, data].concat())
    };
    let lies = [
        own([192, 0, 2, 66]),
        record(0, 1, &FALSE),
        record(1, 2, b"\x02ns\x04evil\0"),
        record(2, 1, &FALSE),
    ];
    socket.send_to(&reply(id, &lies), peer).unwrap();
}

/// The servers that are asked, instead of the one with the zone.
fn servers(list: &str) {
    let drop_ins = "/etc/systemd/resolved.conf.d";
    fs::create_dir_all(drop_ins).unwrap();
    let lines = format!("[Resolve]\nDNS=\nDNS={list}\n");
    fs::write(format!("{drop_ins}/servers.conf"), lines).unwrap();
}

fn dig(s: &Sandbox, what: &str) -> String {
    let line = format!("timeout 12 dig +short +tries=1 +time=10 @127.0.0.53 {what} || true");
    s.run(&line).stdout
}

#[test]
fn what_was_not_asked_for_poisons_nothing() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let world = World::start_of(s, Which::Ours);
        let liar = Liar::start();
        servers("127.0.0.66");
        world.resolved.restart();
        for way in ["", "+tcp", "+dnssec", "+cd", "+dnssec +cd"] {
            let said = dig(s, &format!("{way} name.evil A"));
            assert!(said.starts_with("192.0.2.66\n"), "{way}: {said}");
            assert!(!said.contains("6.6.6.6"), "{way}: {said}");
        }
        assert_eq!(liar.asked_for_victim.load(Ordering::SeqCst), 0);
        for _ in 0..20 {
            assert_eq!(dig(s, "victim.good A"), "192.0.2.80\n");
            s.run("timeout 9 resolvectl flush-caches").ok();
        }
        // It was not in the cache, and it was asked for anew each time.
        assert!(liar.asked_for_victim.load(Ordering::SeqCst) >= 20);
        let getent = s.run("timeout 9 getent ahostsv4 victim.good").ok();
        assert!(
            getent.contains("192.0.2.80") && !getent.contains("6.6.6.6"),
            "{getent}"
        );
    });
}

#[test]
fn a_dead_server_of_two_costs_less_than_a_second_once() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let world = World::start_of(s, Which::Ours);
        // Nobody has that address: what is sent there is lost.
        for (dead, what) in [("10.77.0.9", "silent"), ("127.0.0.77", "refused")] {
            servers(&format!("{dead} 127.0.0.10"));
            let attempt = || {
                world.resolved.restart();
                let ready = || dig(s, "localhost A") == "127.0.0.1\n";
                s.wait_for(ready, "the stub");
                ["v4only.test A", "name.test A"].map(|name| {
                    let begun = Instant::now();
                    assert!(dig(s, name).starts_with("192.0.2.1"), "{what}, {name}");
                    begun.elapsed().as_secs_f64()
                })
            };
            // A loaded machine has several tries.
            let tries: Vec<_> = (0..4).map(|_| attempt()).collect();
            println!("{what}: the first and the second, in s: {tries:?}");
            let good = |[first, second]: &[f64; 2]| *first < 1.0 && *second < 0.3;
            assert!(tries.iter().any(good), "{what}: {tries:?}");
        }
    });
}
