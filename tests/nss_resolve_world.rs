//! Either resolved in the sandbox, and a name server for it to ask: nsd with three zones.
#![allow(dead_code, reason = "each test program uses its part")]

#[path = "nsd.rs"]
mod nsd;

use std::fmt::Write;
use std::fs;

use rustix::process::{Pid, Signal, kill_process_group};
use support::{Daemon, Options, Ready, Sandbox, Which};

const OURS: &str = "/usr/libexec/switchyard/resolved";
const PEERS: &str = "/usr/lib/systemd/systemd-resolved";
/// Needs neither a bus nor our module.
const ASK: &str = "dig +short +tries=1 +timeout=1 @127.0.0.53 name.test A || true";

pub const MODULE: &str = "libnss_resolve.so.2";
pub const SOCKET: &str = "/run/systemd/resolve/io.systemd.Resolve";

/// Our modules, and no daemon yet.
pub fn options() -> Options {
    Options::new()
        .machined(None)
        .hosts("resolve [!UNAVAIL=return] files")
        .timeout(std::time::Duration::from_secs(180))
}

/// The longest name there can be: 253 bytes.
pub fn longest() -> String {
    let label = "x".repeat(61);
    let name = format!("{label}.{label}.{label}.{}.test", "x".repeat(62));
    assert_eq!(name.len(), 253);
    name
}

pub struct World {
    pub resolved: Daemon,
    pub nsd: Daemon,
}

impl World {
    /// systemd's resolved.
    pub fn start(s: &Sandbox) -> Self {
        Self::start_of(s, Which::Peer)
    }

    /// Starts either resolved and the name server, and waits until a name of the zone is found.
    pub fn start_of(s: &Sandbox, which: Which) -> Self {
        Self::start_with(s, which, &[("RUST_BACKTRACE", "1")])
    }

    /// Ours, which shares no answers: each lookup asks it.
    pub fn start_unshared(s: &Sandbox) -> Self {
        Self::start_with(s, Which::Ours, &[("SWITCHYARD_LOOKASIDE", "no")])
    }

    /// A newer systemd's.
    pub fn start_newer(s: &Sandbox) -> Self {
        Self::start_program(s, &["newer", PEERS], &[])
    }

    fn start_with(s: &Sandbox, which: Which, environment: &[(&str, &str)]) -> Self {
        match which {
            Which::Ours => Self::start_program(s, &[OURS], environment),
            Which::Peer => Self::start_program(s, &[PEERS], &[]),
        }
    }

    fn start_program(s: &Sandbox, program: &[&str], environment: &[(&str, &str)]) -> Self {
        nsd::settled_network(s);
        fs::create_dir_all("/run/nsd").unwrap();
        let zones = [
            ("test", "forward"),
            ("2.0.192.in-addr.arpa", "reverse"),
            ("8.b.d.0.1.0.0.2.ip6.arpa", "reverse6"),
        ];
        let configuration = nsd::configuration("/run/nsd", nsd::LISTEN, &zones);
        fs::write("/run/nsd/nsd.conf", configuration).unwrap();
        fs::write("/run/nsd/forward", forward()).unwrap();
        fs::write("/run/nsd/reverse", REVERSE).unwrap();
        fs::write("/run/nsd/reverse6", REVERSE6).unwrap();
        let nsd = s.spawn("nsd", &["nsd", "-d", "-c", "/run/nsd/nsd.conf"]);
        fs::create_dir_all("/etc/systemd").unwrap();
        fs::write("/etc/systemd/resolved.conf", RESOLVED).unwrap();
        let ready = Ready::Socket(SOCKET.into());
        let resolved = Daemon::start("resolved", program, environment, ready);
        let found = || s.run(ASK).ok().contains("192.0.2.10");
        s.wait_for(found, "a name of the zone");
        Self { resolved, nsd }
    }

    /// Ends both, so that another can be started.
    pub fn end(self, s: &Sandbox) {
        self.resolved.end();
        self.nsd.end();
        s.run("ip link del up0 && rm -rf /run/nsd").ok();
    }

    /// Stops the name server, of which a child answers, or lets it go on.
    pub fn stop_server(&self, stop: bool) {
        let group = Pid::from_raw(self.nsd.pid() as i32).unwrap();
        let signal = if stop { Signal::STOP } else { Signal::CONT };
        kill_process_group(group, signal).unwrap();
    }
}

const RESOLVED: &str = "\
[Resolve]
DNS=127.0.0.10
FallbackDNS=
LLMNR=no
MulticastDNS=no
DNSSEC=no
CacheFromLocalhost=yes
";

fn forward() -> String {
    let mut zone = FORWARD.to_owned();
    for host in 1..=200 {
        writeln!(zone, "many IN A 10.201.0.{host}").unwrap();
    }
    for number in 0..10 {
        writeln!(zone, "p{number}.load IN A 10.77.0.{number}").unwrap();
        writeln!(zone, "c{number}.load IN A 10.78.0.{number}").unwrap();
    }
    writeln!(zone, "{}. IN A 192.0.2.53", longest()).unwrap();
    writeln!(zone, "{} IN A 192.0.2.63", "y".repeat(63)).unwrap();
    zone
}

const FORWARD: &str = r"
$ORIGIN test.
$TTL 3600
@          IN SOA ns hostmaster 1 3600 600 86400 60
@          IN NS ns
ns         IN A 127.0.0.10
name       IN A 192.0.2.10
name       IN AAAA 2001:db8::10
v4only     IN A 192.0.2.11
v6only     IN AAAA 2001:db8::12
alias      IN CNAME name
chain      IN CNAME chain1
chain1     IN CNAME chain2
chain2     IN CNAME v4only
dangling   IN CNAME nowhere
notext     IN CNAME text
loop       IN CNAME loop1
loop1      IN CNAME loop
self       IN CNAME self
multi      IN A 192.0.2.21
multi      IN A 192.0.2.22
multi      IN AAAA 2001:db8::21
multi      IN AAAA 2001:db8::22
*.wild     IN A 192.0.2.30
deep.down  IN A 192.0.2.31
text       IN TXT nothing
linklocal  IN AAAA fe80::31
mapped     IN AAAA ::ffff:192.0.2.32
zero       IN A 0.0.0.0
loopback   IN A 127.0.0.1
_under     IN A 192.0.2.33
-dash      IN A 192.0.2.34
xn--bcher-kva IN A 192.0.2.35
xn--fa-hia IN A 192.0.2.36
sp\032ace  IN A 192.0.2.37
weird      IN CNAME sp\032ace
escape     IN CNAME \027c
\027c      IN A 192.0.2.38
option     IN CNAME -rf
-rf        IN A 192.0.2.39
";

const REVERSE: &str = r"
$ORIGIN 2.0.192.in-addr.arpa.
$TTL 3600
@   IN SOA ns.test. hostmaster.test. 1 3600 600 86400 60
@   IN NS ns.test.
10  IN PTR name.test.
11  IN PTR v4only.test.
12  IN PTR one.test.
12  IN PTR two.test.
13  IN PTR sp\032ace.test.
14  IN PTR -rf.test.
15  IN CNAME 15.sub
15.sub IN PTR classless.test.
16  IN TXT none
17  IN PTR \027c.test.
17  IN PTR fine.test.
18  IN PTR xn--bcher-kva.test.
19  IN PTR UPPER.Test.
20  IN PTR \$\(reboot\).test.
21  IN PTR .
22  IN PTR _under.test.
";

const REVERSE6: &str = r"
$ORIGIN 8.b.d.0.1.0.0.2.ip6.arpa.
$TTL 3600
@ IN SOA ns.test. hostmaster.test. 1 3600 600 86400 60
@ IN NS ns.test.
0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 IN PTR name.test.
";
