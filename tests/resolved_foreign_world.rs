//! Name servers of others, for our resolved to ask: zones that ldns has signed and nsd serves, and unbound with TLS and HTTPS.
#![allow(dead_code, reason = "each test program uses its part")]

#[path = "nsd.rs"]
mod nsd;

use std::fs;

pub use nsd::network;

use support::{Daemon, Options, Ready, Sandbox};

const RESOLVED: &str = "/usr/libexec/switchyard/resolved";
const SOCKET: &str = "/run/systemd/resolve/io.systemd.Resolve";

pub fn options() -> Options {
    Options::new()
        .machined(None)
        .timeout(std::time::Duration::from_secs(180))
}

/// Starts our resolved with these lines of settings.
pub fn start(s: &Sandbox, lines: &str, environment: &[(&str, &str)]) -> Daemon {
    fs::create_dir_all("/etc/systemd").unwrap();
    let settings = format!(
        "[Resolve]\nFallbackDNS=\nLLMNR=no\nMulticastDNS=no\nCacheFromLocalhost=yes\n{lines}\n"
    );
    fs::write("/etc/systemd/resolved.conf", settings).unwrap();
    let resolved = Daemon::start(
        "resolved",
        &[RESOLVED],
        environment,
        Ready::Socket(SOCKET.into()),
    );
    let answers = || {
        let dig = "timeout 5 dig +tries=1 +time=2 @127.0.0.53 localhost A || true";
        s.run(dig).ok().contains("NOERROR")
    };
    s.wait_for(answers, "the stub");
    resolved
}

const ZONE: &str = r"
$TTL 300
@          IN SOA ns hm 1 3600 600 86400 60
@          IN NS ns
ns         IN A 127.0.0.10
www        IN A 192.0.2.1
a.b.c      IN A 192.0.2.2
*.wild     IN A 192.0.2.3
alias      IN CNAME www
gone       IN CNAME nothing
away       IN CNAME www.nsec3.
below      IN DNAME c
unsigned   IN NS ns.unsigned
ns.unsigned IN A 127.0.0.10
";

/// Zones with NSEC, NSEC3 and opt-out; one whose signatures are old, one with a record that was changed after, one
/// without any, and one below nsec likewise. Each of a top level has a trust anchor of its own; plain a negative one, since
/// the root can't be asked.
pub fn zones(s: &Sandbox) -> Daemon {
    fs::create_dir_all("/run/nsd").unwrap();
    fs::create_dir_all("/etc/dnssec-trust-anchors.d").unwrap();
    let mut settings = nsd::configuration("/run/nsd", nsd::LISTEN, &[]);
    for (zone, how) in [
        ("nsec", ""),
        ("nsec3", "-n -t 5 -s aabb"),
        ("optout", "-n -p"),
        ("old", "-i 20200101000000 -e 20200201000000"),
        ("changed", ""),
        ("plain", ""),
        ("unsigned.nsec", ""),
    ] {
        fs::write(format!("/run/nsd/{zone}"), format!("$ORIGIN {zone}.{ZONE}")).unwrap();
        settings.push_str(&format!(
            "zone:\n  name: \"{zone}\"\n  zonefile: \"{zone}.zone\"\n"
        ));
        if matches!(zone, "plain" | "unsigned.nsec") {
            s.run(&format!("cp /run/nsd/{zone} /run/nsd/{zone}.zone"))
                .ok();
            continue;
        }
        s.run(&format!(
            "cd /run/nsd && key=$(ldns-keygen -r /dev/urandom -a ECDSAP256SHA256 -k {zone}.) &&
             ldns-signzone {how} -f {zone}.zone {zone} $key &&
             ldns-key2ds -n -2 {zone}.zone | sed 's/\\t300\\t/\\t/' > /etc/dnssec-trust-anchors.d/{zone}.positive"
        ))
        .ok();
    }
    fs::write("/etc/dnssec-trust-anchors.d/plain.negative", "plain\n").unwrap();
    s.run("sed -i '/^www.changed/s/192.0.2.1$/192.0.2.66/' /run/nsd/changed.zone")
        .ok();
    fs::write("/run/nsd/nsd.conf", settings).unwrap();
    s.spawn("nsd", &["nsd", "-d", "-c", "/run/nsd/nsd.conf"])
}

const UNBOUND: &str = r#"
server:
  interface: 127.0.0.20@853
  interface: 127.0.0.20@443
  tls-port: 853
  https-port: 443
  tls-service-key: "/run/unbound/key.pem"
  tls-service-pem: "/run/unbound/server.pem"
  username: ""
  chroot: ""
  directory: "/run/unbound"
  pidfile: ""
  do-daemonize: no
  use-syslog: no
  module-config: "iterator"
  local-zone: "test." static
  local-data: "www.test. 300 IN A 192.0.2.1"
"#;

/// Serves www.test by TLS and HTTPS on 127.0.0.20, with a certificate of the authority in /run/unbound/ca.pem.
pub fn unbound(s: &Sandbox) -> Daemon {
    fs::create_dir_all("/run/unbound").unwrap();
    fs::write("/run/unbound/unbound.conf", UNBOUND).unwrap();
    fs::write(
        "/run/unbound/extensions",
        "subjectAltName=DNS:dns.example,IP:127.0.0.20\nbasicConstraints=CA:FALSE\n",
    )
    .unwrap();
    s.run(
        "cd /run/unbound &&
         openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem \
           -days 30 -subj /CN=authority -addext basicConstraints=critical,CA:TRUE 2>&1 &&
         openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out server.csr \
           -subj /CN=server 2>&1 &&
         openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile extensions \
           -out server.pem 2>&1",
    )
    .ok();
    let unbound = s.spawn(
        "unbound",
        &["unbound", "-p", "-c", "/run/unbound/unbound.conf"],
    );
    s.wait_for(
        || s.run("ss -ltn").ok().contains("127.0.0.20:853"),
        "unbound",
    );
    unbound
}
