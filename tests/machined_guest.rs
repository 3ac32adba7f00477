//! The system bus of a container, as little to be trusted as the container.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

use support::{Container, Options, Sandbox, Via, Which, sandbox};

const BUS: &str = "/run/dbus/system_bus_socket";

/// What the bus does with the connection once it is authenticated.
type Behaviour = fn(&mut UnixStream);

/// A bus that behaves so towards whoever comes: at once, or when they are authenticated.
fn serve(container: &Container, authenticates: bool, behave: Behaviour) {
    container
        .run(&format!("mkdir -p /run/dbus; rm -f {BUS}"))
        .ok();
    let listener = UnixListener::bind(container.inside(BUS)).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                if authenticates {
                    authenticate(&stream);
                }
                behave(&mut stream);
            });
        }
    });
}

fn authenticate(mut stream: &UnixStream) {
    let mut lines = BufReader::new(stream).split(b'\n');
    lines.nth(1).unwrap().unwrap(); // AUTH, NEGOTIATE_UNIX_FD
    let welcome = b"OK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n";
    stream.write_all(welcome).unwrap();
    let begin = lines.next().unwrap().unwrap();
    assert_eq!(begin, b"BEGIN\r");
}

/// A signal whose header speaks of a body this long, in little-endian.
fn header(body: u32) -> Vec<u8> {
    let mut header = vec![b'l', 4, 0, 1];
    header.extend(body.to_le_bytes());
    header.extend(7_u32.to_le_bytes());
    header.extend(0_u32.to_le_bytes());
    header
}

fn one_long_message(stream: &mut UnixStream) {
    let _ = stream.write_all(&header(120 << 20));
    while stream.write_all(&[0; 65536]).is_ok() {}
}

fn many_messages(stream: &mut UnixStream) {
    let mut message = header(32 << 10);
    message.resize(16 + (32 << 10), 0);
    while stream.write_all(&message).is_ok() {}
}

fn a_long_welcome(stream: &mut UnixStream) {
    while stream.write_all(&[b'x'; 65536]).is_ok() {}
}

fn half_a_header(stream: &mut UnixStream) {
    let _ = stream.write_all(&header(8)[..7]);
    thread::sleep(Duration::from_secs(30));
}

/// The most memory that machined ever had, in kB.
fn peak(s: &Sandbox) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", s.machined().pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

#[test]
fn a_bus_can_not_fill_machineds_memory() {
    sandbox!(
        Options::new()
            .modules(Which::Peer)
            .timeout(Duration::from_secs(120)),
        |s| {
            let web = s.container("web").no_network().start();
            s.register(&web, Via::BusRegister);
            let shell = "busctl --timeout=30 call org.freedesktop.machine1 /org/freedesktop/machine1 \
             org.freedesktop.machine1.Manager OpenMachineShell sssasas web '' /bin/true 0 0";
            let refused = || {
                let output = s.cmd("sh").args(["-c", shell]);
                output.timeout(Duration::from_secs(30)).run().fails(1)
            };
            let before = peak(s);
            let behaviours: [(&str, bool, Behaviour); 3] = [
                ("one long message", true, one_long_message),
                ("many messages", true, many_messages),
                ("a long welcome", false, a_long_welcome),
            ];
            for (name, authenticates, behave) in behaviours {
                serve(&web, authenticates, behave);
                let begun = Instant::now();
                let output = refused();
                assert!(output.stderr.contains("machine's bus"), "{name}: {output}");
                assert!(
                    begun.elapsed() < Duration::from_secs(5),
                    "{name}: {:?}",
                    begun.elapsed()
                );
                let grown = peak(s) - before;
                assert!(grown < 4096, "{name}: {grown} kB");
            }
            serve(&web, true, half_a_header);
            let begun = Instant::now();
            assert!(refused().stderr.contains("no answer in time"));
            assert!(begun.elapsed() < Duration::from_secs(15));
        }
    );
}
