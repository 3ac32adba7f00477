//! Lines of shell with resolvectl in them, and what they print with any resolved.

use support::Sandbox;

/// For the daemon, beside what it is configured by anyway.
pub const CONFIGURATION: &str = "LLMNR=yes\nMulticastDNS=no\n";

/// What a line of shell printed, without what is another at every run.
pub fn said(s: &Sandbox, line: &str) -> String {
    let output = s.run(&format!("{line} 2>&1"));
    let text: Vec<_> = output
        .stdout
        .lines()
        .filter(|line| !by_chance(line))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    format!("{}\nstatus {:?}", text.join("\n"), output.status)
}

/// How long it took; from where, which depends on what was asked before; whether it was encrypted or local, which a server
/// on this machine is to ours. Which server is asked: with ours the one to be next, with 252's none before one was asked.
fn by_chance(line: &str) -> bool {
    [
        "-- Information acquired via",
        "-- Data is authenticated",
        "-- Data from:",
    ]
    .iter()
    .any(|start| line.starts_with(start))
        || ["Current DNS Server:", "Current Transactions:"]
            .iter()
            .any(|start| line.trim_start().starts_with(start))
}

/// Fails where both do not print the same.
#[track_caller]
pub fn compare(lines: &[String], peers: &[String], ours: &[String]) {
    let mut wrong = Vec::new();
    for ((line, peer), our) in lines.iter().zip(peers).zip(ours) {
        if peer != our {
            wrong.push(format!("$ {line}\n--- systemd's\n{peer}\n--- ours\n{our}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        lines.len(),
        wrong.join("\n")
    );
}

/// What looks something up.
pub const LOOKUPS: &[&str] = &[
    "resolvectl query v4only.test",
    "resolvectl query -4 name.test",
    "resolvectl query -6 name.test",
    "resolvectl query alias.test -4",
    "resolvectl query nope.test",
    "resolvectl query localhost",
    "resolvectl query 192.0.2.10",
    "resolvectl query 192.0.2.99",
    "resolvectl query 127.0.0.1",
    "resolvectl query a..b",
    "resolvectl query bücher.test -4",
    "resolvectl query -p dns v4only.test",
    "resolvectl query --cname=no alias.test",
    "resolvectl query --synthesize=no localhost",
    "resolvectl query --cache=no --network=no v4only.test",
    "resolvectl query --legend=no v4only.test",
    "resolvectl query -t TXT text.test",
    "resolvectl query -t MX mail.test",
    "resolvectl query -t SRV _sip._udp.test | sort",
    "resolvectl query -t AAAA v4only.test",
    "resolvectl query -t SOA 2.0.192.in-addr.arpa",
    "resolvectl query -t AXFR name.test",
    "resolvectl query -t MD name.test",
    "resolvectl query -c CH -t TXT version.bind",
    "resolvectl query --raw=payload -t A v4only.test | od -An -tx1",
    "resolvectl query -t TXT text.test --json=short | sed 's/\"ttl\":[0-9]*//'",
    "resolvectl service _http._tcp web._http._tcp.test",
    "resolvectl service web _http._tcp test | sort",
    "resolvectl service _none._tcp test",
    "resolvectl service _nope._tcp test",
    "resolvectl service --service-address=no web _http._tcp test",
    "resolvectl service --service-txt=no --legend=no web _http._tcp test | sort",
    "resolvectl tlsa name.test",
    "resolvectl tlsa tcp v4only.test:443",
    "resolvectl openpgp someone@test",
    "resolvectl query -i up0 v4only.test",
    "resolvectl query -i nope v4only.test",
];

/// Shows a setting of all links. Two of the machine's negative trust anchors are newer than 252.
fn shown(verb: &str) -> String {
    let filter = "tr -s '\\n ' ' ' | sed 's/ alt / /; s/ resolver.arpa / /'";
    match verb {
        "nta" => format!("resolvectl nta | {filter}"),
        verb => format!("resolvectl {verb}"),
    }
}

/// What shows and sets what a link is told, and the rest.
pub fn settings() -> Vec<String> {
    let verbs = [
        "dns",
        "domain",
        "default-route",
        "llmnr",
        "mdns",
        "dnsovertls",
        "dnssec",
        "nta",
    ];
    let mut lines = vec!["resolvectl status".to_owned(), "resolvectl".to_owned()];
    for verb in verbs {
        lines.push(shown(verb));
        lines.push(format!("resolvectl {verb} up0"));
        lines.push(format!("resolvectl {verb} lo"));
        lines.push(format!("resolvectl {verb} nope"));
    }
    for set in [
        "dns up0 192.0.2.1 192.0.2.2",
        "dns up0 192.0.2.1:5353#dns.example '[2001:db8::1]:853#a.example'",
        "dns up0 127.0.0.53",
        "dns up0 0.0.0.0",
        "dns up0 192.0.2",
        "dns up0 ''",
        "dns lo 192.0.2.1",
        "dns up0 192.0.2.1",
        "domain up0 example.com '~route.example'",
        "domain up0 '~.'",
        "domain up0 a..b",
        "domain up0 ''",
        "default-route up0 no",
        "default-route up0 yes",
        "default-route up0 maybe",
        "llmnr up0 resolve",
        "llmnr up0 maybe",
        "mdns up0 yes",
        "mdns up0 no",
        "dnsovertls up0 opportunistic",
        "dnsovertls up0 no",
        "dnssec up0 allow-downgrade",
        "dnssec up0 no",
        "nta up0 example.com",
        "nta up0 a..b",
        "nta up0 ''",
        "revert up0",
        "revert lo",
        "revert nope",
    ] {
        lines.push(format!("resolvectl {set}"));
        lines.push("resolvectl status up0".to_owned());
        let verb = set.split(' ').next().unwrap_or_default();
        if verbs.contains(&verb) {
            lines.push(shown(verb));
        }
    }
    for line in [
        "resolvectl flush-caches",
        "resolvectl reset-server-features",
        "resolvectl reset-statistics",
        "resolvectl statistics",
        "resolvectl log-level",
        "resolvectl log-level debug",
        "resolvectl log-level",
        "resolvectl log-level nonsense",
        "resolvectl log-level info",
    ] {
        lines.push(line.to_owned());
    }
    lines
}
