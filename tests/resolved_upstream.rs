//! Our resolved in front of name servers of others: zones that ldns has signed and nsd serves, and unbound with TLS and HTTPS.

use std::fs;

use support::{Daemon, Options, Ready, Sandbox, sandbox};

const RESOLVED: &str = "/usr/libexec/switchyard/resolved";
const SOCKET: &str = "/run/systemd/resolve/io.systemd.Resolve";

fn options() -> Options {
    Options::new()
        .machined(None)
        .timeout(std::time::Duration::from_secs(180))
}

/// Starts our resolved with these lines of settings.
fn start(s: &Sandbox, lines: &str, environment: &[(&str, &str)]) -> Daemon {
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

/// Without a network resolved takes every server for unreachable.
fn network(s: &Sandbox) {
    s.run(
        "ip link add up0 type veth peer name up1 && ip addr add 10.77.0.1/24 dev up0 &&
         ip link set up0 up && ip link set up1 up && ip route add default via 10.77.0.2",
    )
    .ok();
}

/// The status of an answer, whether it is authenticated, and its records but for signatures.
fn dig(s: &Sandbox, what: &str) -> (String, bool, String) {
    let said = s
        .run(&format!(
            "timeout 15 dig +dnssec +tries=1 +time=10 @127.0.0.53 {what} || true"
        ))
        .ok();
    let after = |start: &str| said.split(start).nth(1).unwrap_or_default().to_owned();
    let status = after("status: ")
        .split(',')
        .next()
        .unwrap_or_default()
        .to_owned();
    let flags = after(";; flags: ");
    let authenticated = flags.split(';').next().unwrap_or_default().contains(" ad");
    let answers = after(";; ANSWER SECTION:\n");
    let answers = answers.lines().take_while(|line| !line.is_empty());
    let records: Vec<_> = answers
        .filter(|line| !line.contains("RRSIG"))
        .map(|line| {
            line.split_whitespace()
                .skip(3)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    (status, authenticated, records.join(", "))
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

const NSD: &str = r#"
server:
  ip-address: 127.0.0.10@53
  username: ""
  chroot: ""
  zonesdir: "/run/nsd"
  database: ""
  pidfile: ""
  xfrdfile: "/run/nsd/xfrd.state"
  zonelistfile: "/run/nsd/zone.list"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"#;

/// Zones with NSEC, NSEC3 and opt-out; one whose signatures are old, one with a record that was changed after, one
/// without any. Each has a trust anchor of its own; the last a negative one, since the root can't be asked.
fn zones(s: &Sandbox) -> Daemon {
    fs::create_dir_all("/run/nsd").unwrap();
    fs::create_dir_all("/etc/dnssec-trust-anchors.d").unwrap();
    let mut settings = NSD.to_owned();
    for (zone, how) in [
        ("nsec", ""),
        ("nsec3", "-n -t 5 -s aabb"),
        ("optout", "-n -p"),
        ("old", "-i 20200101000000 -e 20200201000000"),
        ("changed", ""),
        ("plain", ""),
    ] {
        fs::write(format!("/run/nsd/{zone}"), format!("$ORIGIN {zone}.{ZONE}")).unwrap();
        settings.push_str(&format!(
            "zone:\n  name: \"{zone}\"\n  zonefile: \"{zone}.zone\"\n"
        ));
        if zone == "plain" {
            s.run("cp /run/nsd/plain /run/nsd/plain.zone").ok();
            fs::write("/etc/dnssec-trust-anchors.d/plain.negative", "plain\n").unwrap();
            continue;
        }
        s.run(&format!(
            "cd /run/nsd && key=$(ldns-keygen -r /dev/urandom -a ECDSAP256SHA256 -k {zone}.) &&
             ldns-signzone {how} -f {zone}.zone {zone} $key &&
             ldns-key2ds -n -2 {zone}.zone | sed 's/\\t300\\t/\\t/' > /etc/dnssec-trust-anchors.d/{zone}.positive"
        ))
        .ok();
    }
    s.run("sed -i '/^www.changed/s/192.0.2.1$/192.0.2.66/' /run/nsd/changed.zone")
        .ok();
    fs::write("/run/nsd/nsd.conf", settings).unwrap();
    s.spawn("nsd", &["nsd", "-d", "-c", "/run/nsd/nsd.conf"])
}

#[test]
fn signed_zones() {
    sandbox!(options(), |s| {
        network(s);
        let _nsd = zones(s);
        let _resolved = start(s, "DNS=127.0.0.10\nDNSSEC=yes", &[]);
        s.wait_for(|| dig(s, "www.plain A").0 == "NOERROR", "the name server");
        for zone in ["nsec", "nsec3", "optout"] {
            let proven = zone != "optout";
            for (name, status, authenticated, records) in [
                ("www", "NOERROR", true, "A 192.0.2.1"),
                ("WWW", "NOERROR", true, "A 192.0.2.1"),
                ("a.b.c", "NOERROR", true, "A 192.0.2.2"),
                ("b.c", "NOERROR", true, ""),
                ("x.wild", "NOERROR", proven, "A 192.0.2.3"),
                ("nothing", "NXDOMAIN", proven, ""),
                ("x.y.nothing", "NXDOMAIN", proven, ""),
            ] {
                let found = dig(s, &format!("{name}.{zone} A"));
                let expected = (status.to_owned(), authenticated, records.to_owned());
                assert_eq!(found, expected, "{name}.{zone}");
            }
            let found = dig(s, &format!("alias.{zone} A"));
            let alias = format!("CNAME www.{zone}., A 192.0.2.1");
            assert_eq!(found, ("NOERROR".to_owned(), true, alias));
            let (status, authenticated, _) = dig(s, &format!("gone.{zone} A"));
            assert_eq!((status.as_str(), authenticated), ("NXDOMAIN", proven));
            let (status, authenticated, found) = dig(s, &format!("away.{zone} A"));
            assert_eq!((status.as_str(), authenticated), ("NOERROR", true));
            assert_eq!(found, "CNAME www.nsec3., A 192.0.2.1");
            // Nothing at the end of the chain, in another zone.
            let (status, authenticated, _) = dig(s, &format!("away.{zone} AAAA"));
            assert_eq!((status.as_str(), authenticated), ("NOERROR", true));
            let (_, authenticated, found) = dig(s, &format!("a.b.below.{zone} A"));
            assert!(authenticated && found.ends_with("A 192.0.2.2"), "{found}");
        }
        for wrong in ["www.old A", "nothing.old A", "www.changed A"] {
            assert_eq!(dig(s, wrong).0, "SERVFAIL", "{wrong}");
        }
        let found = dig(s, "www.changed A +cd");
        assert_eq!(
            found,
            ("NOERROR".to_owned(), false, "A 192.0.2.66".to_owned())
        );
        let found = dig(s, "www.plain A");
        assert_eq!(
            found,
            ("NOERROR".to_owned(), false, "A 192.0.2.1".to_owned())
        );
    });
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

#[test]
fn by_tls_and_https() {
    sandbox!(options(), |s| {
        network(s);
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
        let _unbound = s.spawn(
            "unbound",
            &["unbound", "-p", "-c", "/run/unbound/unbound.conf"],
        );
        s.wait_for(
            || s.run("ss -ltn").ok().contains("127.0.0.20:853"),
            "unbound",
        );
        let known = [("SSL_CERT_FILE", "/run/unbound/ca.pem")];
        let unknown = [("SSL_CERT_FILE", "/etc/no-such-file.pem")];
        for (lines, environment, found) in [
            ("DNS=127.0.0.20\nDNSOverTLS=yes", &known, true),
            ("DNS=127.0.0.20#dns.example\nDNSOverTLS=yes", &known, true),
            ("DNS=127.0.0.20\nDNSOverTLS=opportunistic", &unknown, true),
            ("DNS=tls://127.0.0.20", &known, true),
            ("DNS=https://127.0.0.20/dns-query", &known, true),
            ("DNS=https://127.0.0.20/dns-query#dns.example", &known, true),
            (
                "DNS=127.0.0.20#other.example\nDNSOverTLS=yes",
                &known,
                false,
            ),
            ("DNS=127.0.0.20\nDNSOverTLS=yes", &unknown, false),
            ("DNS=127.0.0.20", &known, false),
        ] {
            let resolved = start(s, lines, environment);
            let (status, _, records) = dig(s, "www.test A");
            let expected = if found {
                ("NOERROR", "A 192.0.2.1")
            } else {
                ("SERVFAIL", "")
            };
            assert_eq!(
                (status.as_str(), records.as_str()),
                expected,
                "{lines} {environment:?}"
            );
            resolved.end();
        }
    });
}
