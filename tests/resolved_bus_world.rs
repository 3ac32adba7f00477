//! Either resolved on the system bus, with a link that can be told things and a name server to ask.
#![allow(dead_code, reason = "each test program uses its part")]

#[path = "nsd.rs"]
mod nsd;

use std::fs;

use rustix::process::{Pid, Signal, kill_process_group};
use support::{Daemon, Options, Ready, Sandbox, Which};

use crate::bus_client::Client;

const OURS: &str = "/usr/libexec/switchyard/resolved";
const PEERS: &str = "/usr/lib/systemd/systemd-resolved";

pub const NAME: &str = "org.freedesktop.resolve1";
pub const MANAGER: &str = "/org/freedesktop/resolve1";
pub const MANAGER_IFACE: &str = "org.freedesktop.resolve1.Manager";
pub const LINK_IFACE: &str = "org.freedesktop.resolve1.Link";

/// The loopback's number.
pub const LOOPBACK: i32 = 1;

/// No daemon yet, and no module that would ask one.
pub fn options() -> Options {
    Options::new()
        .machined(None)
        .hosts("files")
        .timeout(std::time::Duration::from_secs(180))
}

/// The path of a link's object.
pub fn link_path(ifindex: i32) -> String {
    let text = ifindex.to_string();
    let (first, rest) = text.split_at(1);
    format!("{MANAGER}/link/_3{first}{rest}")
}

/// A network with a name server.
pub struct World {
    /// The link that can be told things.
    pub ifindex: i32,
    nsd: Daemon,
}

impl World {
    pub fn new(s: &Sandbox) -> Self {
        nsd::settled_network(s);
        fs::create_dir_all("/run/nsd").unwrap();
        let zones = [("test", "zone"), ("2.0.192.in-addr.arpa", "reverse")];
        let configuration = nsd::configuration("/run/nsd", nsd::LISTEN, &zones);
        fs::write("/run/nsd/nsd.conf", configuration).unwrap();
        fs::write("/run/nsd/zone", ZONE).unwrap();
        fs::write("/run/nsd/reverse", REVERSE).unwrap();
        let nsd = s.spawn("nsd", &["nsd", "-d", "-c", "/run/nsd/nsd.conf"]);
        fs::write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n").unwrap();
        let ifindex = s.run("ip -o link show up0 | cut -d: -f1").ok();
        Self {
            ifindex: ifindex.trim().parse().unwrap(),
            nsd,
        }
    }

    /// Stops the name server, of which a child answers, or lets it go on.
    pub fn stop_server(&self, stop: bool) {
        let group = Pid::from_raw(self.nsd.pid() as i32).unwrap();
        let signal = if stop { Signal::STOP } else { Signal::CONT };
        kill_process_group(group, signal).unwrap();
    }

    /// Starts either, configured by these lines beside the usual ones, and ends it after `body`.
    pub fn with<R>(&self, which: Which, lines: &str, body: impl FnOnce(&Client) -> R) -> R {
        Self::beside(start(which, lines), body)
    }

    /// The same with a newer systemd's.
    pub fn with_newer<R>(&self, lines: &str, body: impl FnOnce(&Client) -> R) -> R {
        Self::beside(run("resolved-newer", &["newer", PEERS], lines), body)
    }

    fn beside<R>(daemon: Daemon, body: impl FnOnce(&Client) -> R) -> R {
        let result = body(&Client::of(NAME));
        daemon.end();
        result
    }
}

/// Starts either on the bus.
pub fn start(which: Which, lines: &str) -> Daemon {
    let program = match which {
        Which::Ours => OURS,
        Which::Peer => PEERS,
    };
    run(&format!("resolved-{which:?}"), &[program], lines)
}

fn run(name: &str, command: &[&str], lines: &str) -> Daemon {
    fs::create_dir_all("/etc/systemd").unwrap();
    fs::write("/etc/systemd/resolved.conf", format!("{CONF}{lines}")).unwrap();
    let env = [("SYSTEMD_LOG_TARGET", "console"), ("RUST_BACKTRACE", "1")];
    Daemon::start(name, command, &env, Ready::BusName(NAME.into()))
}

const CONF: &str = "\
[Resolve]
DNS=127.0.0.10
FallbackDNS=
DNSSEC=no
CacheFromLocalhost=yes
";

const ZONE: &str = r#"
$ORIGIN test.
$TTL 3600
@          IN SOA ns hostmaster 1 3600 600 86400 60
@          IN NS ns
ns         IN A 127.0.0.10
name       IN A 192.0.2.10
name       IN AAAA 2001:db8::10
v4only     IN A 192.0.2.11
v6only     IN AAAA 2001:db8::12
mail       IN A 192.0.2.13
mail       IN MX 10 mail
alias      IN CNAME name
dangling   IN CNAME nowhere
loop       IN CNAME loop1
loop1      IN CNAME loop
text       IN TXT "one" "two words"
xn--bcher-kva IN A 192.0.2.35
sp\032ace  IN A 192.0.2.37
_sip._udp  IN SRV 10 5 5060 name
_sip._udp  IN SRV 20 5 5061 v4only
_none._tcp IN SRV 0 0 0 .
caa        IN CAA 0 issue "ca.example.net"
svcb       IN SVCB 1 svc.example. alpn="h2" port=8443 ipv4hint=192.0.2.1
_http._tcp IN PTR web._http._tcp
web._http._tcp IN SRV 0 0 80 name
web._http._tcp IN TXT "path=/" "v=1"
_443._tcp.name IN TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
4e6ca7a1e1d47d9a9f1c11f0e6a6f0a1d9b3e8b7d6c5b4a3f2e1d0c9._openpgpkey IN TYPE61 \# 4 01020304
"#;

const REVERSE: &str = r"
$ORIGIN 2.0.192.in-addr.arpa.
$TTL 3600
@   IN SOA ns.test. hostmaster.test. 1 3600 600 86400 60
@   IN NS ns.test.
10  IN PTR name.test.
12  IN PTR one.test.
12  IN PTR two.test.
";
