//! Two links, and behind each a host with a name server that has an address of its own for every name: who was asked is
//! told by the answer.
#![allow(dead_code, reason = "each test program uses its part")]

#[path = "nsd.rs"]
mod nsd;

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use support::{Daemon, Options, Ready, Sandbox, Which};

const OURS: &str = "/usr/libexec/switchyard/resolved";
const PEERS: &str = "/usr/lib/systemd/systemd-resolved";

/// An address that both hosts have.
pub const SHARED: &str = "192.0.2.53";

pub fn options() -> Options {
    Options::new()
        .machined(None)
        .hosts("resolve")
        .timeout(Duration::from_secs(180))
}

/// A host at the other end of a link: `lan0` with 10.1.0.0/24, or `vpn0` with 10.2.0.0/24. Its server is at .53, and
/// answers whatever it is asked with .99.
pub struct Host<'s> {
    s: &'s Sandbox,
    /// `lan` or `vpn`; the link is this with a 0.
    pub name: &'static str,
    pub number: u8,
    namespace: u32,
    nsd: Daemon,
}

impl<'s> Host<'s> {
    pub fn start(s: &'s Sandbox, name: &'static str, number: u8) -> Self {
        let up = format!("/run/{name}.up");
        let lines = format!("ip link set lo up && touch {up} && exec sleep infinity");
        let namespace = s.spawn(
            &format!("{name}-host"),
            &["unshare", "--net", "sh", "-c", &lines],
        );
        let namespace = namespace.pid();
        s.wait_for(|| fs::exists(&up).unwrap(), "a host");
        link(s, name, number, namespace);
        let dir = format!("/run/nsd-{name}");
        fs::create_dir_all(&dir).unwrap();
        let zone = ZONE
            .replace("NUMBER", &number.to_string())
            .replace("LONG", &long_text(name));
        fs::write(format!("{dir}/root"), zone).unwrap();
        let listen = format!(
            "  ip-address: 10.{number}.0.53@53\n  ip-address: {SHARED}@53\n  ip-transparent: yes"
        );
        let settings = nsd::configuration(&dir, &listen, &[(".", "root")]);
        fs::write(format!("{dir}/nsd.conf"), settings).unwrap();
        let enter = ["nsenter", "-t", &namespace.to_string(), "-n", "--"];
        let conf = format!("{dir}/nsd.conf");
        let nsd = [enter.as_slice(), &["nsd", "-d", "-c", &conf]].concat();
        let nsd = s.spawn(&format!("nsd-{name}"), &nsd);
        let host = Self {
            s,
            name,
            number,
            namespace,
            nsd,
        };
        let ask = format!(
            "dig +short +tries=1 +time=1 @{} a.test A || true",
            host.server()
        );
        s.wait_for(|| s.run(&ask).ok().trim() == host.answer(), "a name server");
        host
    }

    pub fn server(&self) -> String {
        format!("10.{}.0.53", self.number)
    }

    /// The address that it has for every name.
    pub fn answer(&self) -> String {
        format!("10.{}.0.99", self.number)
    }

    /// Makes the link anew, after it was deleted.
    pub fn link_again(&self) {
        link(self.s, self.name, self.number, self.namespace);
    }

    /// Stops the name server, of which a child answers, or lets it go on.
    pub fn stop_server(&self, stop: bool) {
        let group = Pid::from_raw(self.nsd.pid() as i32).unwrap();
        let signal = if stop { Signal::STOP } else { Signal::CONT };
        kill_process_group(group, signal).unwrap();
    }
}

/// An address of IPv4 is enough; one of IPv6 would take its time to be settled.
fn link(s: &Sandbox, name: &str, number: u8, namespace: u32) {
    s.run(&format!(
        "ip link add {name}0 type veth peer name eth0 netns {namespace} &&
         echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter && echo 0 > /proc/sys/net/ipv4/conf/{name}0/rp_filter &&
         ip addr add 10.{number}.0.1/24 dev {name}0 && ip link set {name}0 up &&
         nsenter -t {namespace} -n sh -c '
            ip addr replace {SHARED}/32 dev lo && ip addr add 10.{number}.0.53/24 dev eth0 && ip link set eth0 up'"
    ))
    .ok();
}

/// More than a datagram takes: it is asked for by TCP.
fn long_text(name: &str) -> String {
    let one = format!("\"{}\" ", name.repeat(60));
    one.repeat(16)
}

/// Starts either resolved, which has no server but those of links.
pub fn start_resolved(which: Which, lines: &str) -> Daemon {
    fs::create_dir_all("/etc/systemd").unwrap();
    let settings =
        format!("[Resolve]\nDNS=\nFallbackDNS=\nLLMNR=no\nMulticastDNS=no\nDNSSEC=no\n{lines}");
    fs::write("/etc/systemd/resolved.conf", settings).unwrap();
    fs::write("/etc/resolv.conf", "nameserver 127.0.0.53\n").unwrap();
    let program = match which {
        Which::Ours => OURS,
        Which::Peer => PEERS,
    };
    let ready = Ready::BusName("org.freedesktop.resolve1".into());
    let env = [("RUST_BACKTRACE", "1")];
    let daemon = Daemon::start(&format!("resolved-{which:?}"), &[program], &env, ready);
    // The stub is there a moment later.
    support::Command::shell(
        "for i in $(seq 50); do dig +short +tries=1 +time=1 @127.0.0.53 localhost && break; done",
    )
    .run()
    .ok();
    daemon
}

/// What the stub says to a question for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The first of the addresses.
    Address(Ipv4Addr),
    /// No address, and this code.
    Code(u8),
    /// Nothing within nine seconds.
    Nothing,
}

/// Asks the stub for the IPv4 address of a name, without a program in between.
pub fn ask_stub(name: &str) -> Said {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect("127.0.0.53:53").unwrap();
    let limit = Some(Duration::from_secs(9));
    socket.set_read_timeout(limit).unwrap();
    let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(label.len() as u8);
        query.extend(label.bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    // Refused where there is no daemon.
    let mut reply = [0; 512];
    let Ok(length) = socket.send(&query).and_then(|_| socket.recv(&mut reply)) else {
        return Said::Nothing;
    };
    let answers = u16::from_be_bytes([reply[6], reply[7]]);
    // The first record's name is a pointer to the question's; then type, class, TTL and length.
    let data = query.len() + 2 + 10;
    match reply[..length]
        .get(data..)
        .and_then(|rest| rest.first_chunk::<4>())
    {
        Some(octets) if answers > 0 => Said::Address(Ipv4Addr::from(*octets)),
        _ => Said::Code(reply[3] & 15),
    }
}

const ZONE: &str = "\
$ORIGIN .
$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
ns IN A 10.NUMBER.0.53
* IN A 10.NUMBER.0.99
* IN TXT LONG
";
