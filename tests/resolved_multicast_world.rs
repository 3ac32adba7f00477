//! Machines on one link: each with a network, a name and a /run of its own.
#![allow(dead_code, reason = "each test program uses its part")]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use serde_json::{Value, json};
use support::{Daemon, Output, Sandbox, Which};

const OURS: &str = "/usr/libexec/switchyard/resolved";
const PEERS: &str = "/usr/lib/systemd/systemd-resolved";
const SOCKET: &str = "run/systemd/resolve/io.systemd.Resolve";

pub const LLMNR_V4: u64 = 1 << 1;
pub const LLMNR_V6: u64 = 1 << 2;
pub const MDNS_V4: u64 = 1 << 3;
pub const MDNS_V6: u64 = 1 << 4;
pub const NO_CACHE: u64 = 1 << 12;
/// Nothing that the machine makes by itself.
pub const NO_SYNTHESIZE: u64 = 1 << 11;

const CONFIGURATION: &str = "\
[Resolve]
DNS=
FallbackDNS=
LLMNR=yes
MulticastDNS=yes
DNSSEC=no
DNSStubListener=no
ReadEtcHosts=no
";

const BUS: &str = r#"
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"#;

const AVAHI: &str = "\
[server]
use-ipv4=yes
use-ipv6=yes
allow-interfaces=eth0
ratelimit-interval-usec=0
[publish]
publish-hinfo=no
publish-workstation=no
publish-aaaa-on-ipv4=yes
";

/// A machine: 10.99.0.N and fd99::N on `eth0`.
pub struct Machine<'s> {
    s: &'s Sandbox,
    pub name: String,
    number: u8,
    pid: u32,
}

/// Lays the link that all machines share.
pub fn lay_link(s: &Sandbox) {
    s.run("ip link add link0 type bridge mcast_snooping 0 && ip link set link0 up")
        .ok();
    s.run("echo avahi:x:990:990::/:/bin/false >> /etc/passwd && echo avahi:x:990: >> /etc/group")
        .ok();
    fs::create_dir_all("/etc/systemd").unwrap();
    fs::write("/etc/systemd/resolved.conf", CONFIGURATION).unwrap();
}

impl<'s> Machine<'s> {
    pub fn start(s: &'s Sandbox, name: &str, number: u8) -> Self {
        // Its links are there before its daemons, and settled: no duplicate address detection.
        let lines = format!(
            "hostname {name} && mount -t tmpfs -o mode=755 tmpfs /run &&
             mkdir -p /run/systemd/resolve/netif /run/systemd/dnssd /run/dbus &&
             echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad &&
             ip link set lo up && touch /run/up && exec sleep infinity"
        );
        let shell = ["unshare", "--net", "--uts", "--mount", "sh", "-c", &lines];
        let pid = s.spawn(&format!("machine-{number}"), &shell).pid();
        let machine = Self {
            s,
            name: name.to_owned(),
            number,
            pid,
        };
        s.wait_for(|| fs::exists(machine.path("run/up")).unwrap(), "a machine");
        s.run(&format!(
            "ip link add up{number} type veth peer name eth0 netns {pid} &&
             ip link set up{number} master link0 && ip link set up{number} up"
        ))
        .ok();
        machine
            .run(&format!(
                "ip addr add 10.99.0.{number}/24 dev eth0 &&
                 ip addr add fd99::{number}/64 dev eth0 nodad && ip link set eth0 up"
            ))
            .ok();
        let up = || {
            machine
                .run("ip -6 addr show dev eth0 scope link")
                .ok()
                .contains("fe80")
        };
        s.wait_for(up, "a link-local address");
        machine
    }

    /// A file of this machine's, as the test sees it.
    pub fn path(&self, path: &str) -> String {
        format!("/proc/{}/root/{path}", self.pid)
    }

    fn enter(&self) -> String {
        format!("nsenter -t {} -n -u -m --", self.pid)
    }

    /// A line of shell on this machine.
    #[track_caller]
    pub fn run(&self, line: &str) -> Output {
        let line = format!("{} timeout 9 sh -c '{line}'", self.enter());
        self.s.run(&line)
    }

    /// A program that runs on this machine.
    pub fn spawn(&self, name: &str, command: &str) -> Daemon {
        let line = format!("{} {command}", self.enter());
        let words: Vec<&str> = line.split_whitespace().collect();
        self.s.spawn(&format!("{name}-{}", self.number), &words)
    }

    /// Starts either resolved, and waits until it can be asked.
    pub fn resolved(&self, which: Which) -> Daemon {
        // systemd's of 252 speaks mDNS only on links that were told to.
        let index = self.run("ip -o link show eth0 | cut -d: -f1").ok();
        let netif = self.path(&format!("run/systemd/resolve/netif/{}", index.trim()));
        fs::write(netif, "LLMNR=yes\nMDNS=yes\n").unwrap();
        self.run("chown -R systemd-resolve:systemd-resolve /run/systemd/resolve || true")
            .ok();
        let daemon = match which {
            Which::Ours => self.spawn("resolved", &format!("env RUST_LOG=debug {OURS}")),
            Which::Peer => self.spawn("resolved", &format!("env SYSTEMD_LOG_LEVEL=debug {PEERS}")),
        };
        let ready = || UnixStream::connect(self.path(SOCKET)).is_ok();
        self.s.wait_for(ready, "resolved");
        daemon
    }

    /// Starts Avahi, and the bus that its programs want.
    pub fn avahi(&self) -> Daemon {
        fs::write(self.path("run/bus.conf"), BUS).unwrap();
        fs::write(self.path("run/avahi.conf"), AVAHI).unwrap();
        self.run("mkdir -p /run/avahi-daemon").ok();
        self.spawn("bus", "dbus-daemon --nofork --config-file=/run/bus.conf");
        let bus = || fs::exists(self.path("run/dbus/system_bus_socket")).unwrap();
        self.s.wait_for(bus, "a bus");
        let avahi = "avahi-daemon --no-drop-root --no-chroot --no-rlimits --debug";
        let avahi = self.spawn("avahi", &format!("{avahi} -f /run/avahi.conf"));
        let ready = || avahi.log().contains("Server startup complete");
        self.s.wait_for(ready, "avahi");
        avahi
    }

    /// Has a service announced from the start of our resolved on.
    pub fn service(&self, id: &str, lines: &str) {
        let file = format!("run/systemd/dnssd/{id}.dnssd");
        fs::write(self.path(&file), format!("[Service]\n{lines}\n")).unwrap();
    }

    /// A call of io.systemd.Resolve.
    pub fn call(&self, method: &str, parameters: &Value) -> Value {
        let mut replies = self.calls(method, parameters, false);
        replies.next().unwrap()
    }

    /// A call with as many replies as come.
    pub fn calls(
        &self,
        method: &str,
        parameters: &Value,
        more: bool,
    ) -> impl Iterator<Item = Value> + use<> {
        let mut stream = UnixStream::connect(self.path(SOCKET)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(15)))
            .unwrap();
        let method = format!("io.systemd.Resolve.{method}");
        let mut call = json!({"method": method, "parameters": parameters});
        if more {
            call["more"] = true.into();
        }
        let mut call = serde_json::to_vec(&call).unwrap();
        call.push(0);
        stream.write_all(&call).unwrap();
        let replies = BufReader::new(stream).split(0);
        replies.map(|reply| serde_json::from_slice(&reply.unwrap()).unwrap())
    }

    /// The addresses of a name, by these protocols alone; an error's name if there are none.
    pub fn addresses(&self, name: &str, family: i32, flags: u64) -> Vec<String> {
        let flags = flags | NO_CACHE | NO_SYNTHESIZE;
        let mut parameters = json!({"name": name, "flags": flags});
        if family != 0 {
            parameters["family"] = family.into();
        }
        let reply = self.call("ResolveHostname", &parameters);
        let Some(addresses) = reply["parameters"]["addresses"].as_array() else {
            return vec![reply["error"].to_string()];
        };
        let mut addresses: Vec<_> = addresses
            .iter()
            .map(|address| text(&address["address"]))
            .collect();
        addresses.sort();
        addresses
    }

    /// The names of an address.
    pub fn names(&self, address: &str, flags: u64) -> Vec<String> {
        let address: std::net::IpAddr = address.parse().unwrap();
        let (family, bytes) = match address {
            std::net::IpAddr::V4(v4) => (2, v4.octets().to_vec()),
            std::net::IpAddr::V6(v6) => (10, v6.octets().to_vec()),
        };
        let flags = flags | NO_CACHE | NO_SYNTHESIZE;
        let reply = self.call(
            "ResolveAddress",
            &json!({"address": bytes, "family": family, "flags": flags}),
        );
        let Some(names) = reply["parameters"]["names"].as_array() else {
            return vec![reply["error"].to_string()];
        };
        names
            .iter()
            .map(|name| name["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn text(address: &Value) -> String {
    let bytes: Vec<u8> = serde_json::from_value(address.clone()).unwrap();
    match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(v4) => std::net::Ipv4Addr::from(v4).to_string(),
        Err(_) => std::net::Ipv6Addr::from(<[u8; 16]>::try_from(bytes).unwrap()).to_string(),
    }
}
