//! The CPU time of a daemon for each cached query by UDP, its memory at the start and with 10,000 names: ours, systemd's
//! resolved, unbound and dnsmasq, each before the same name server, client and daemon on one core; and of a program that
//! does nothing but receive and send, which is what the kernel takes.
//!
//! The rounds are taken in turn, so that whatever else the machine does meets all alike. Time is what the kernel counted
//! for the daemon's threads, /proc/PID/task/*/schedstat.

#[path = "figures.rs"]
mod figures;
#[path = "resolved_stub_floor.rs"]
mod floor;
#[path = "goals.rs"]
mod goals;
#[path = "../tests/nsd.rs"]
mod nsd;
#[path = "one_core.rs"]
mod one_core;

use std::{
    collections::HashMap,
    fs,
    net::UdpSocket,
    thread::sleep,
    time::{Duration, Instant},
};

use figures::cpu_time;
use goals::Goals;
use support::{Daemon, Options, Ready, Sandbox, run_program};

const NAMES: usize = 10_000;
const QUERIES: usize = 50_000;
const ROUNDS: usize = 5;
/// Queries under way at a time: one lookup after the other, and as many programs at once.
const WINDOWS: [usize; 2] = [1, 16];
const A: u16 = 1;
const AAAA: u16 = 28;

struct Server {
    name: &'static str,
    /// Of the program that receives and sends there is none: [`floor::command`].
    command: &'static [&'static str],
    address: &'static str,
}

const SERVERS: [Server; 5] = [
    Server {
        name: "switchyard",
        command: &["/usr/libexec/switchyard/resolved"],
        address: "127.0.0.53:53",
    },
    Server {
        name: "systemd",
        command: &["/usr/lib/systemd/systemd-resolved"],
        address: "127.0.0.53:53",
    },
    Server {
        name: "unbound",
        command: &["unbound", "-d", "-c", "/run/bench/unbound.conf"],
        address: "127.0.0.11:53",
    },
    Server {
        name: "dnsmasq",
        command: &["dnsmasq", "-k", "-C", "/run/bench/dnsmasq.conf"],
        address: "127.0.0.12:53",
    },
    Server {
        name: "the kernel",
        command: &[],
        address: floor::ADDRESS,
    },
];

const ZONE: &str = "\
$ORIGIN test.
$TTL 86400
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
ns IN A 127.0.0.10
* IN A 192.0.2.1
* IN AAAA 2001:db8::1
";

const UNBOUND: &str = r#"
server:
  interface: 127.0.0.11
  username: ""
  chroot: ""
  pidfile: ""
  directory: "/run/bench"
  use-syslog: no
  num-threads: 1
  do-not-query-localhost: no
  module-config: "iterator"
  local-zone: "test." nodefault
  msg-cache-size: 16m
  rrset-cache-size: 16m
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.10
"#;

const DNSMASQ: &str = "\
no-resolv
no-hosts
server=127.0.0.10
listen-address=127.0.0.12
bind-interfaces
cache-size=30000
user=root
pid-file=
";

const RESOLVED: &str = "\
[Resolve]
DNS=127.0.0.10
FallbackDNS=
LLMNR=no
MulticastDNS=no
DNSSEC=no
CacheFromLocalhost=yes
";

fn main() {
    floor::run_if_asked();
    one_core::pin();
    let options = Options::new()
        .machined(None)
        .timeout(Duration::from_secs(900));
    std::process::exit(run_program(&options, compare));
}

fn compare(s: &Sandbox) -> i32 {
    nsd::network(s);
    let configuration = nsd::configuration("/run/bench", nsd::LISTEN, &[("test", "zone")]);
    fs::create_dir_all("/run/bench").unwrap();
    fs::create_dir_all("/etc/systemd").unwrap();
    for (path, text) in [
        ("/run/bench/nsd.conf", configuration.as_str()),
        ("/run/bench/zone", ZONE),
        ("/run/bench/unbound.conf", UNBOUND),
        ("/run/bench/dnsmasq.conf", DNSMASQ),
        ("/etc/systemd/resolved.conf", RESOLVED),
    ] {
        fs::write(path, text).unwrap();
    }
    s.spawn("nsd", &["nsd", "-d", "-c", "/run/bench/nsd.conf"]);
    println!("µs of CPU a query, median of {ROUNDS} rounds of {QUERIES}; kB resident");
    println!("                 one name              {NAMES} names         memory");
    println!("           1 at a time 16 at a time 1 at a time 16 at a time  start  {NAMES} names");
    // systemd keeps 4096 entries.
    let mut lines: Vec<_> = SERVERS.iter().map(|_| Line::default()).collect();
    for _ in 0..ROUNDS {
        for (server, line) in SERVERS.iter().zip(&mut lines) {
            measure(s, server, line);
        }
    }
    let mut goals = Goals::default();
    let mut one_at_a_time = HashMap::new();
    for (server, line) in SERVERS.iter().zip(&mut lines) {
        let mut median = |column: usize| {
            let times = &mut line.times[column];
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        let [a, b, c, d] = [0, 1, 2, 3].map(&mut median);
        let [first, full] = line.memory;
        one_at_a_time.insert(server.name, a);
        println!(
            "{:10} {a:11.2} {b:12.2} {c:11.2} {d:12.2} {first:6} {full:8}",
            server.name
        );
        if server.name == "switchyard" {
            goals.at_most("CPU time of a cached query, µs", a, 4.5);
            let mb = |kb: u64| kb as f64 / 1000.0;
            goals.at_most("memory at the start, MB", mb(first), 12.0);
            goals.at_most("memory with all names, MB", mb(full), 26.0);
        }
    }
    let to_kernel = one_at_a_time["switchyard"] / one_at_a_time["the kernel"];
    goals.at_most("CPU time of a cached query to the kernel's", to_kernel, 1.1);
    goals.status()
}

#[derive(Default)]
struct Line {
    /// Of one name and of many, each one by one and many at a time.
    times: [Vec<f64>; 4],
    memory: [u64; 2],
}

fn measure(s: &Sandbox, server: &Server, line: &mut Line) {
    let floor = floor::command();
    let command = match server.command {
        [] => floor.iter().map(String::as_str).collect(),
        command => command.to_vec(),
    };
    let daemon = Daemon::start(server.name, &command, &[], Ready::Now);
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    client.connect(server.address).unwrap();
    s.wait_for(|| ask(&client, 0, A, 0) && answered(&client), "an answer");
    sleep(Duration::from_millis(300));
    line.memory[0] = resident(daemon.pid());
    for (names, columns) in [(1, [0, 1]), (NAMES, [2, 3])] {
        // In the cache, and answered once from there.
        for rtype in [A, AAAA, A, AAAA] {
            for name in 0..names {
                while !(ask(&client, name, rtype, 0) && answered(&client)) {}
            }
        }
        for (window, column) in WINDOWS.into_iter().zip(columns) {
            line.times[column].push(cost(&client, daemon.pid(), names, window));
        }
    }
    line.memory[1] = resident(daemon.pid());
    daemon.end();
}

/// CPU time of the daemon for each query, in µs.
fn cost(client: &UdpSocket, pid: u32, names: usize, window: usize) -> f64 {
    let before = cpu_time(pid);
    let begun = Instant::now();
    let mut lost = 0;
    for number in 0..QUERIES + window - 1 {
        if number < QUERIES {
            let rtype = if number % 2 == 0 { A } else { AAAA };
            ask(client, (number / 2) % names, rtype, number);
        }
        if number >= window - 1 && !answered(client) {
            lost += 1;
        }
    }
    let after = cpu_time(pid);
    assert!(
        lost * 1000 < QUERIES,
        "{lost} lost in {:?}",
        begun.elapsed()
    );
    (after - before) as f64 / QUERIES as f64 / 1000.0
}

fn ask(client: &UdpSocket, name: usize, rtype: u16, id: usize) -> bool {
    let mut query = (id as u16).to_be_bytes().to_vec();
    query.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let label = format!("host-{name}");
    query.push(label.len() as u8);
    query.extend(label.bytes());
    query.extend(b"\x04test\0");
    query.extend(rtype.to_be_bytes());
    query.extend([0, 1]);
    client.send(&query).is_ok()
}

/// Whether an answer with a record comes.
fn answered(client: &UdpSocket) -> bool {
    let mut reply = [0; 512];
    client.recv(&mut reply).is_ok() && reply[3] & 0xf == 0 && reply[7] > 0
}

/// The resident memory of a process, in kB.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap()
}
