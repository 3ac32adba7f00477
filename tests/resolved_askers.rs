//! Programs of others that speak DNS, unmodified, at our stub: those that validate by themselves, and those that know TLS.

mod resolved_foreign_world;

use std::fs;

use resolved_foreign_world::{network, options, start, unbound, zones};
use support::{Sandbox, sandbox};

/// The anchor of a zone as BIND's programs take it, made of the one that resolved has.
fn anchor(zone: &str) {
    let positive = format!("/etc/dnssec-trust-anchors.d/{zone}.positive");
    let record = fs::read_to_string(positive).unwrap();
    let mut words = record.split_whitespace().skip(3);
    let mut word = || words.next().unwrap().to_owned();
    let (tag, algorithm, kind, digest) = (word(), word(), word(), word());
    let text =
        format!("trust-anchors {{ {zone}. static-ds {tag} {algorithm} {kind} \"{digest}\"; }};\n");
    fs::write(format!("/run/nsd/{zone}.anchor"), text).unwrap();
}

/// All that delv says. It asks for the keys and their signatures by our stub, too.
fn delv(s: &Sandbox, zone: &str, what: &str) -> String {
    let anchored = format!("-a /run/nsd/{zone}.anchor +root={zone}");
    s.run(&format!(
        "timeout 9 delv @127.0.0.53 {anchored} {what} 2>&1 || true"
    ))
    .ok()
}

#[test]
fn delv_validates_behind_the_stub() {
    sandbox!(options(), |s| {
        network(s);
        let _nsd = zones(s);
        for zone in ["nsec", "nsec3", "optout", "old", "changed"] {
            anchor(zone);
        }
        let absent = "; negative response, fully validated";
        // Whether resolved validates or not, what it hands on is complete.
        for validates in [true, false] {
            let mode = if validates { "yes" } else { "no" };
            let lines = format!("DNS=127.0.0.10\nDNSSEC={mode}");
            let resolved = start(s, &lines, &[]);
            let served = || delv(s, "nsec", "www.nsec").contains("fully validated");
            s.wait_for(served, "the name server");
            for zone in ["nsec", "nsec3", "optout"] {
                for (what, verdict, record) in [
                    ("www", "; fully validated", "192.0.2.1"),
                    ("a.b.c", "; fully validated", "192.0.2.2"),
                    ("alias", "; fully validated", "192.0.2.1"),
                    ("a.b.below", "; fully validated", "192.0.2.2"),
                    ("nothing", absent, "ncache nxdomain"),
                    ("b.c", absent, "ncache nxrrset"),
                ] {
                    for transport in ["", "+tcp"] {
                        let said = delv(s, zone, &format!("{what}.{zone} A {transport}"));
                        assert!(
                            said.contains(verdict) && said.contains(record),
                            "DNSSEC={mode} {what}.{zone} {transport}: {said}"
                        );
                    }
                }
            }
            let wildcard = delv(s, "nsec", "x.wild.nsec A");
            assert!(wildcard.contains("; fully validated"), "{wildcard}");
            let insecure = delv(s, "nsec", "www.unsigned.nsec A");
            assert!(insecure.contains("; unsigned answer"), "{insecure}");
            for (zone, name, why) in [
                ("changed", "www.changed", "RRSIG failed to verify"),
                ("old", "www.old", "RRSIG has expired"),
                ("old", "nothing.old", "RRSIG has expired"),
            ] {
                let said = delv(s, zone, &format!("{name} A"));
                assert!(said.contains("resolution failed"), "{name}: {said}");
                assert!(!said.contains("IN\tA\t"), "{name}: {said}");
                // Where resolved has not refused it before.
                assert!(validates || said.contains(why), "{name}: {said}");
            }
            resolved.end();
        }
    });
}

fn kdig(s: &Sandbox, what: &str) -> String {
    s.run(&format!(
        "timeout 9 kdig +retry=0 +time=4 {what} 2>&1 || true"
    ))
    .ok()
}

#[test]
fn kdig_by_each_way() {
    sandbox!(options(), |s| {
        network(s);
        let _nsd = zones(s);
        let _resolved = start(s, "DNS=127.0.0.10\nDNSSEC=yes", &[]);
        let answered = || kdig(s, "@127.0.0.53 www.plain").contains("192.0.2.1");
        s.wait_for(answered, "the name server");
        for way in ["", "+tcp", "+dnssec", "+bufsize=512", "+cookie", "+padding"] {
            let said = kdig(s, &format!("{way} @127.0.0.53 www.nsec A"));
            assert!(said.contains("status: NOERROR"), "{way}: {said}");
            assert!(said.contains("IN\tA\t192.0.2.1"), "{way}: {said}");
            let signed = said.contains("\tRRSIG\tA 13");
            assert_eq!(signed, way == "+dnssec", "{way}: {said}");
            let by = if way == "+tcp" { "(TCP)" } else { "(UDP)" };
            assert!(said.contains(by), "{way}: {said}");
        }
        let proven = kdig(s, "+dnssec @127.0.0.53 nothing.nsec A");
        assert!(proven.contains("status: NXDOMAIN"), "{proven}");
        assert!(proven.contains("Flags: qr rd ra ad;"), "{proven}");
        assert!(proven.contains("\tNSEC\t"), "{proven}");
        let refused = kdig(s, "+dnssec @127.0.0.53 www.changed A");
        assert!(refused.contains("status: SERVFAIL"), "{refused}");
        // RFC 8914, and the reason.
        assert!(refused.contains("EDE: 6 (DNSSEC Bogus)"), "{refused}");
        let version = kdig(s, "+edns=1 @127.0.0.53 www.nsec A");
        assert!(version.contains("ext-rcode: BADVERS"), "{version}");
        // There is no TLS on this machine's own addresses, as on systemd's.
        let tls = kdig(s, "+tls @127.0.0.53 www.nsec A");
        assert!(tls.contains("failed to query server"), "{tls}");
    });
}

/// One server, asked by kdig and by us: what kdig takes, our resolved takes, and what it refuses.
#[test]
fn kdig_and_resolved_at_one_server_by_tls() {
    sandbox!(options(), |s| {
        network(s);
        let _unbound = unbound(s);
        let authority = [("SSL_CERT_FILE", "/run/unbound/ca.pem")];
        for (name, good) in [("dns.example", true), ("other.example", false)] {
            let way = format!("+tls-ca=/run/unbound/ca.pem +tls-hostname={name} @127.0.0.20");
            let said = kdig(s, &format!("{way} www.test A"));
            assert_eq!(said.contains("192.0.2.1"), good, "{said}");
            let lines = format!("DNS=127.0.0.20#{name}\nDNSOverTLS=yes");
            let resolved = start(s, &lines, &authority);
            let said = kdig(s, "@127.0.0.53 www.test A");
            assert_eq!(said.contains("192.0.2.1"), good, "{said}");
            let status = if good { "NOERROR" } else { "SERVFAIL" };
            assert!(said.contains(&format!("status: {status}")), "{said}");
            resolved.end();
        }
    });
}
