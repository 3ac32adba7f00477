//! Damaged packets on the stub of the running daemon.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpStream, UdpSocket},
    time::{Duration, Instant},
};

use support::Sandbox;

use crate::{
    nsd::{self, network},
    packets::Packets,
    resident, start,
    wire::{self, STUB, framed},
};

/// Packets at a time: they fit the daemon's receive buffer (net.core.rmem_default), whatever else it does.
const AT_A_TIME: usize = 64;
/// One packet in so many goes by TCP, a few to a connection.
const BY_TCP: u64 = 50;
const ON_A_CONNECTION: usize = 8;
/// How long an answer may take before a client asks again, as all do: 2048 questions wait at most, and what comes beyond is
/// dropped; so is what comes back while we do not run.
const PATIENCE: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 5;
/// What the cache may hold, and what a busy allocator may keep beside it.
const GROWTH: u64 = (16 + 24) * 1024;

/// Every name there is: so that what is left of a question is asked, answered and kept.
const ZONE: &str = "\
. 300 IN SOA ns. hostmaster. 1 3600 600 86400 60
. 300 IN NS ns.
ns. 300 IN A 127.0.0.10
good.test. 86400 IN A 192.0.2.1
*.test. 300 IN A 192.0.2.2
* 300 IN A 192.0.2.2
";

/// Sends so many, and asks something good in between: it is answered each time, and memory stays what it is.
pub fn make(s: &Sandbox, count: u64) {
    network(s);
    fs::create_dir_all("/run/soak").unwrap();
    let configuration = nsd::configuration("/run/soak", nsd::LISTEN, &[(".", "zone")]);
    fs::write("/run/soak/nsd.conf", configuration).unwrap();
    fs::write("/run/soak/zone", ZONE).unwrap();
    s.spawn("nsd", &["nsd", "-d", "-c", "/run/soak/nsd.conf"]);
    let resolved = start("DNS=127.0.0.10");
    let client = wire::client(PATIENCE);
    s.wait_for(
        || wire::ask(&client, 1, "good.test").is_ok_and(|reply| !reply.addresses.is_empty()),
        "an answer",
    );
    let (mut by_udp, mut by_tcp) = (0_u64, 0_u64);
    let (mut asked, mut again, mut answers) = (0_u64, 0_u64, 0_u64);
    let (first, mut most) = (resident(resolved.pid()), 0);
    let (begun, mut slowest) = (Instant::now(), Duration::ZERO);
    let mut packets = Packets::new(1);
    while by_udp + by_tcp < count {
        for packet in packets.by_ref().take(AT_A_TIME) {
            // The kernel takes no more in one, and an empty one is none for TCP.
            if packet.len() < 65_000 && client.send(&packet).is_ok() {
                by_udp += 1;
            }
        }
        asked += 1;
        let now = Instant::now();
        answers += good(&client, asked, &mut again);
        slowest = slowest.max(now.elapsed());
        if by_tcp * BY_TCP < by_udp {
            by_tcp += talk(&mut packets);
        }
        if asked.is_multiple_of(256) {
            by_tcp_good(asked);
            most = most.max(resident(resolved.pid()));
            assert!(resolved.is_running(), "{}", resolved.log());
        }
    }
    most = most.max(resident(resolved.pid()));
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{by_udp} packets by UDP and {by_tcp} by TCP in {took:.0} s, {answers} replies; {asked} good questions answered, \
         {again} of them not at once, the slowest in {slowest:.1?}; {first} kB at the start, {most} kB at most"
    );
    assert_eq!(lost(), 0, "packets never reached the daemon");
    assert!(again * 100 <= asked, "{again} of {asked} answers came late");
    assert!(most < first + GROWTH, "{first} kB became {most} kB");
    assert!(resolved.is_running() && resolved.end().success());
}

/// A good question behind the noise, and all replies in front of its answer: how many. They are replies, and to us.
fn good(client: &UdpSocket, number: u64, again: &mut u64) -> u64 {
    const ID: u16 = 0xbeef;
    // Now and then one that nobody knows yet.
    let name = match number % 16 {
        0 => format!("good-{number}.test"),
        _ => "good.test".to_owned(),
    };
    let query = wire::query(ID, &name, wire::A);
    let (mut bytes, mut count) = ([0; 65536], 0);
    for _ in 0..ATTEMPTS {
        client.send(&query).unwrap();
        while let Ok(length) = client.recv(&mut bytes) {
            let reply = &bytes[..length];
            assert!(
                length >= 12 && reply[2] & 0x80 != 0,
                "no reply: {reply:02x?}"
            );
            let ours = reply.get(12..query.len()) == query.get(12..);
            match wire::reply(reply) {
                Some(read) if read.id == ID && ours => {
                    assert_eq!((read.rcode, read.addresses.len()), (0, 1), "{name}");
                    return count;
                }
                _ => count += 1,
            }
        }
        *again += 1;
    }
    panic!("good question {number}, {name}, is not answered");
}

/// Packets on one connection of TCP, up to where it is closed: how many were sent.
fn talk(packets: &mut Packets) -> u64 {
    let mut stream = TcpStream::connect(STUB).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut sent = 0;
    for packet in packets.take(ON_A_CONNECTION) {
        // It may have been closed for what came before.
        if stream.write_all(&framed(&packet)).is_ok() {
            sent += 1;
        }
    }
    drop(stream.shutdown(Shutdown::Write));
    let mut replies = Vec::new();
    if let Err(error) = stream.read_to_end(&mut replies) {
        let kind = error.kind();
        assert_eq!(kind, std::io::ErrorKind::ConnectionReset, "{error}");
    }
    sent
}

fn by_tcp_good(number: u64) {
    let reply = wire::ask_by_tcp(7, "good.test", Duration::from_secs(10));
    let reply = reply.unwrap_or_else(|error| panic!("good question {number} by TCP: {error}"));
    assert_eq!((reply.rcode, reply.addresses.len()), (0, 1));
}

/// Datagrams that the kernel dropped in front of the stub, for want of room: proc(5), /proc/net/udp.
fn lost() -> u64 {
    // 127.0.0.53:53 as the kernel writes it.
    let stub = format!("{:08X}:0035", u32::from_ne_bytes([127, 0, 0, 53]));
    let text = fs::read_to_string("/proc/net/udp").unwrap();
    let drops = |line: &str| {
        let fields: Vec<_> = line.split_whitespace().collect();
        (*fields.get(1)? == stub).then(|| fields.last()?.parse::<u64>().ok())?
    };
    text.lines().filter_map(drops).sum()
}
