//! Our resolved in front of name servers of others: zones that ldns has signed and nsd serves, and unbound with TLS and HTTPS.

mod resolved_foreign_world;

use resolved_foreign_world::{network, options, start, unbound, zones};
use support::{Sandbox, sandbox};

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

#[test]
fn by_tls_and_https() {
    sandbox!(options(), |s| {
        network(s);
        let _unbound = unbound(s);
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
