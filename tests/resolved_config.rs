//! The same configuration, read by systemd's resolved and by ours: what each then says of itself on the bus and in its files.

use std::{collections::BTreeSet, fs, os::unix::fs::symlink};

use support::{Daemon, Options, Ready, Sandbox, Which, sandbox, skip};

const OURS: &str = "/usr/libexec/switchyard/resolved";
const PEERS: &str = "/usr/lib/systemd/systemd-resolved";
const NAME: &str = "org.freedesktop.resolve1";
const PROPERTIES: &str = "DNS DNSEx Domains FallbackDNS FallbackDNSEx LLMNR MulticastDNS DNSSEC DNSOverTLS DNSStubListener ResolvConfMode";

fn options() -> Options {
    Options::new()
        .machined(None)
        .timeout(std::time::Duration::from_secs(180))
}

fn start(which: Which) -> Daemon {
    let program = match which {
        Which::Ours => OURS,
        Which::Peer => PEERS,
    };
    Daemon::start(
        "resolved",
        &[program],
        &[("RUST_BACKTRACE", "1")],
        Ready::BusName(NAME.into()),
    )
}

/// All properties, one a line, then the lines of both files that are no comments.
fn said(s: &Sandbox) -> String {
    let manager = "/org/freedesktop/resolve1 org.freedesktop.resolve1.Manager";
    let files = "/run/systemd/resolve/resolv.conf /run/systemd/resolve/stub-resolv.conf";
    s.run(&format!(
        "busctl get-property {NAME} {manager} {PROPERTIES} && for f in {files}; do echo $f; grep -v '^#' $f | grep .; done"
    ))
    .ok()
}

fn write(path: &str, content: &str) {
    fs::create_dir_all(std::path::Path::new(path).parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// What resolved.conf says. Where systemd reads it otherwise on purpose, the case stands in the tests of the crate.
const CASES: &[&str] = &[
    "",
    "[Resolve]\nDNS=192.0.2.1 192.0.2.2:54\nDomains=a.example ~b.example c.example\n",
    "[Resolve]\nDNS=192.0.2.1#dns.example [2001:db8::1]:9953#x 2001:db8::2 fe80::1%lo 192.0.2.3:853\n",
    "[Resolve]\nDNS=192.0.2.1 192.0.2.2 192.0.2.1 192.0.2.3 192.0.2.4\nDomains=a b A ~b\n",
    "[Resolve]\nDNS=192.0.2.1\nDNS=\nDNS=192.0.2.2\nDomains=a\nDomains=\n",
    "[Resolve]\nDNS=192.0.2.1 \\\n# comment\n  192.0.2.2\nDomains=a\n",
    "[Resolve]\nDNS=192.0.2.1 \\\n\n192.0.2.2\nDomains=a\\\\\n",
    "[Other]\nDNS=192.0.2.9\n[Resolve]\nFoo=1\nDNS=192.0.2.1\n",
    "DNS=192.0.2.9\n[Resolve]\nDNS=192.0.2.1\n",
    "[Resolve]\nDNS=192.0.2.1 x 192.0.2.2 1.2.3 192.0.2.3:0 192.0.2.4:99999 [192.0.2.5]:53\n",
    "[Resolve]\nDNS=127.0.0.53 127.0.0.54 0.0.0.0 127.0.0.1 ::\n",
    "[Resolve]\nDomains=. a\n",
    "[Resolve]\nDomains=~. * a..b c\n",
    "[Resolve]\nDomains=\"a b\" 'c' d\n",
    "[Resolve]\nDomains=a 'b\n",
    "[Resolve]\nDomains=a\\.b c\\\\.d\n",
    "[Resolve]\nLLMNR=resolve\nMulticastDNS=No\nDNSSEC=allow-downgrade\nDNSOverTLS=opportunistic\nDNSStubListener=udp\n",
    "[Resolve]\nLLMNR=maybe\nMulticastDNS=\nDNSSEC=YES\nDNSOverTLS=x\nDNSStubListener=TCP\n",
    "[Resolve]\nLLMNR=0\nMulticastDNS=off\nDNSSEC=f\nDNSOverTLS=t\nDNSStubListener=n\n",
    "[Resolve]\ndns=192.0.2.1\nDNS=192.0.2.2\n[resolve]\nDNS=192.0.2.3\n",
    "\u{feff}[Resolve]\r\nDNS=192.0.2.1\r\nDomains=a\r\n",
    "[Resolve]\nFallbackDNS=192.0.2.1 192.0.2.2#x\nFallbackDNS=192.0.2.3\n",
    "[Resolve]\nDNS=192.0.2.1\n[Resolve]\nDNS=192.0.2.2\n",
    "[X-Foo]\nbar=1\n[Resolve]\nX-Foo=1\nDNS=192.0.2.1\n",
    "[Resolve]\nDNS\n=x\nDNS=192.0.2.1\n",
    "[Resolve]\nDNS=192.0.2.1%1 192.0.2.2%lo 192.0.2.3%nope 192.0.2.4:54%1#n\n",
];

#[test]
fn resolved_conf_means_what_it_means_to_systemd() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let of = |which: Which| {
            let answers = CASES.iter().map(|text| {
                write("/etc/systemd/resolved.conf", text);
                let resolved = start(which);
                let said = said(s);
                resolved.end();
                said
            });
            answers.collect::<Vec<_>>()
        };
        let (theirs, ours) = (of(Which::Peer), of(Which::Ours));
        for ((text, expected), said) in CASES.iter().zip(&theirs).zip(&ours) {
            assert_eq!(said, expected, "{text}");
        }
    });
}

#[test]
fn drop_ins_mean_what_they_mean_to_systemd() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        write(
            "/etc/systemd/resolved.conf",
            "[Resolve]\nDNS=192.0.2.1\nLLMNR=no\n",
        );
        for (path, content) in [
            (
                "/usr/lib/systemd/resolved.conf.d/20.conf",
                "[Resolve]\nDNS=192.0.2.3\nLLMNR=resolve\n",
            ),
            (
                "/etc/systemd/resolved.conf.d/10.conf",
                "[Resolve]\nDNS=192.0.2.2\n",
            ),
            (
                "/run/systemd/resolved.conf.d/15.conf",
                "[Resolve]\nDNS=192.0.2.4\n",
            ),
            (
                "/usr/lib/systemd/resolved.conf.d/15.conf",
                "[Resolve]\nDNS=192.0.2.8\n",
            ),
            (
                "/usr/lib/systemd/resolved.conf.d/30.conf",
                "[Resolve]\nDNS=192.0.2.9\n",
            ),
            (
                "/usr/lib/systemd/resolved.conf.d/40.conf",
                "[Resolve]\nDNS=\n",
            ),
            ("/etc/systemd/resolved.conf.d/40.conf", ""),
            ("/etc/systemd/resolved.conf.d/x.conf~", "[Resolve]\nDNS=\n"),
        ] {
            write(path, content);
        }
        symlink("/dev/null", "/etc/systemd/resolved.conf.d/30.conf").unwrap();
        let of = |which: Which| {
            let resolved = start(which);
            let said = said(s);
            resolved.end();
            said
        };
        let expected = of(Which::Peer);
        assert!(expected.contains("nameserver 192.0.2.4"), "{expected}");
        assert_eq!(of(Which::Ours), expected);
    });
}

#[test]
fn resolv_conf_is_told_apart_as_systemd_does() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        write("/etc/systemd/resolved.conf", "[Resolve]\n");
        write(
            "/etc/foreign",
            "nameserver 192.0.2.1\nnameserver 127.0.0.53\nsearch a.example b.example\n",
        );
        let run = "/run/systemd/resolve";
        let targets = [
            Some(format!("{run}/resolv.conf")),
            Some(format!("{run}/stub-resolv.conf")),
            Some("/usr/lib/systemd/resolv.conf".to_owned()),
            Some("/etc/foreign".to_owned()),
            None,
        ];
        let of = |which: Which| {
            let answers = targets.iter().map(|target| {
                let _ = fs::remove_file("/etc/resolv.conf");
                if let Some(target) = target {
                    symlink(target, "/etc/resolv.conf").unwrap();
                }
                let resolved = start(which);
                let said = said(s);
                resolved.end();
                said
            });
            answers.collect::<Vec<_>>()
        };
        let (theirs, ours) = (of(Which::Peer), of(Which::Ours));
        for (mode, expected) in ["uplink", "stub", "static", "foreign", "missing"]
            .iter()
            .zip(&theirs)
        {
            assert!(
                expected.contains(&format!("s \"{mode}\"")),
                "{mode}: {expected}"
            );
        }
        assert!(
            theirs[3].contains("nameserver 192.0.2.1\nsearch a.example b.example"),
            "{}",
            theirs[3]
        );
        assert_eq!(ours, theirs);
    });
}

#[test]
fn what_is_set_stops_a_foreign_resolv_conf() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        fs::remove_file("/etc/resolv.conf").unwrap();
        write(
            "/etc/resolv.conf",
            "nameserver 192.0.2.1\nsearch a.example\n",
        );
        let of = |which: Which| {
            let answers =
                ["LLMNR=no", "DNS=", "Domains=", "DNS=192.0.2.2", "Domains=b"].map(|line| {
                    write(
                        "/etc/systemd/resolved.conf",
                        &format!("[Resolve]\n{line}\n"),
                    );
                    let resolved = start(which);
                    let said = said(s);
                    resolved.end();
                    said
                });
            answers.to_vec()
        };
        let theirs = of(Which::Peer);
        assert!(
            theirs[0].contains("nameserver 192.0.2.1\nsearch a.example"),
            "{}",
            theirs[0]
        );
        assert!(!theirs[4].contains("192.0.2.1"), "{}", theirs[4]);
        assert_eq!(of(Which::Ours), theirs);
    });
}

#[test]
fn credentials_outlive_the_right_to_read_them() {
    sandbox!(options(), |s| {
        write("/etc/systemd/resolved.conf", "[Resolve]\nLLMNR=no\n");
        write("/run/credentials/network.dns", "192.0.2.1 192.0.2.2\n");
        write("/run/credentials/network.search_domains", "a.example\n");
        // As systemd has them.
        s.run("chmod 0400 /run/credentials/* && chmod 0500 /run/credentials")
            .ok();
        let env = [("CREDENTIALS_DIRECTORY", "/run/credentials")];
        let resolved = Daemon::start("resolved", &[OURS], &env, Ready::BusName(NAME.into()));
        let expected = "nameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch a.example\n";
        assert!(said(s).contains(expected), "{}", said(s));
        write("/etc/systemd/resolved.conf", "[Resolve]\nLLMNR=resolve\n");
        s.run(&format!("kill -HUP {}", resolved.pid())).ok();
        s.wait_for(|| said(s).contains("s \"resolve\""), "the new setting");
        assert!(said(s).contains(expected), "{}", said(s));
        write("/etc/systemd/resolved.conf", "[Resolve]\nDNS=192.0.2.3\n");
        s.run(&format!("kill -HUP {}", resolved.pid())).ok();
        s.wait_for(
            || said(s).contains("nameserver 192.0.2.3\nsearch .\n"),
            "the configured server alone",
        );
        resolved.end();
    });
}

#[test]
fn check_names_each_wrong_line_and_the_daemon_starts_all_the_same() {
    sandbox!(options(), |s| {
        s.run(&format!(
            "rm -f /etc/systemd/resolved.conf && {OURS} --check"
        ))
        .ok();
        write(
            "/etc/systemd/resolved.conf",
            "[Resolve]\nDNS=192.0.2.1 nonsense\nColour=red\n",
        );
        write(
            "/etc/systemd/dns-delegate.d/vpn.dns-delegate",
            "[Delegate]\nDNS=192.0.2.2\nDomains=a..b\n",
        );
        write("/etc/systemd/resolve/static.d/a.rr", "{\"key\": 1}");
        let checked = s.run(&format!("{OURS} --check"));
        let shown = checked.fails(1).stdout;
        for place in [
            "/etc/systemd/resolved.conf:2: DNS= \"nonsense\"",
            "/etc/systemd/resolved.conf:3: unknown key Colour=",
            "/etc/systemd/dns-delegate.d/vpn.dns-delegate:3: Domains= \"a..b\"",
            "/etc/systemd/resolve/static.d/a.rr:1: no record",
        ] {
            assert!(shown.contains(place), "{place} is not in {shown}");
        }
        let resolved = start(Which::Ours);
        assert!(said(s).contains("nameserver 192.0.2.1\n"));
        // What is set right counts from the next reload on.
        write("/etc/systemd/resolved.conf", "[Resolve]\nDNS=192.0.2.7\n");
        s.run(&format!("kill -HUP {}", resolved.pid())).ok();
        s.wait_for(
            || said(s).contains("nameserver 192.0.2.7\n"),
            "the new server",
        );
        resolved.end();
    });
}

/// The numbers of the lines of a file that are complained of.
fn complained(of: &str, text: &str) -> BTreeSet<usize> {
    let mark = format!("{of}:");
    let numbers = text.split(&mark).skip(1).filter_map(|rest| {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        rest[..end].parse().ok()
    });
    numbers.collect()
}

const POSITIVE: &str = "\
; a comment
. IN DS 20326 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d
. in ds 38696 RSASHA256 SHA-256 683D2D0ACB8C9B712A1948B27F741219 298d0a450d612c483af444a4c0fb2b16
example. IN DNSKEY 257 3 ED25519 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=
a..b IN DS 1 8 2 00
. CH DS 1 8 2 00
. IN A 192.0.2.1
. IN DS x 8 2 00
. IN DS 1 8 2

. IN DS 1 8 2 zz
. IN DS 1 NONE 2 00
. IN DS 1 8 SHA-9 00
. IN DNSKEY 257 2 8 AAAA
. IN DNSKEY 1 3 8 AAAA
. IN DNSKEY 385 3 8 AAAA
. IN DNSKEY 257 3 8 !!!!
.
";

const NEGATIVE: &str = "b.example\n; c.example\n\na..d\nA.example\ntwo words\nb.example\n";

#[test]
fn trust_anchors_mean_what_they_mean_to_systemd() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let [positive, negative] =
            ["positive", "negative"].map(|kind| format!("/etc/dnssec-trust-anchors.d/a.{kind}"));
        write("/etc/systemd/resolved.conf", "[Resolve]\n");
        write(&positive, POSITIVE);
        write(&negative, NEGATIVE);
        let of = |which: Which| {
            let resolved = start(which);
            let anchors = "org.freedesktop.resolve1.Manager DNSSECNegativeTrustAnchors";
            let said = s.run(&format!(
                "busctl get-property {NAME} /org/freedesktop/resolve1 {anchors}"
            ));
            let mut words: Vec<_> = said.ok().split_whitespace().map(String::from).collect();
            words.sort();
            let log = resolved.log();
            resolved.end();
            (
                words,
                [&positive, &negative].map(|file| complained(file, &log)),
            )
        };
        let (theirs, ours) = (of(Which::Peer), of(Which::Ours));
        assert_eq!(theirs.1[0], (5..=18).filter(|line| *line != 10).collect());
        assert_eq!(ours, theirs);
    });
}

const SERVICE: &str = "\
[Service]
Name=%H
Type=_http._tcp
Type=http
Type=_http._sctp
Port=80
Port=x
Port=65536
Priority=-1
Weight=5
TxtText=path=/a\\x20b 'k=x y' flag
TxtText='x
TxtData=bin=/wA=
TxtData=bin=###
Other=1
";

#[test]
fn services_mean_what_they_mean_to_systemd() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        write(
            "/etc/systemd/resolved.conf",
            "[Resolve]\nMulticastDNS=yes\n",
        );
        let file = "/etc/systemd/dnssd/web.dnssd";
        write(file, SERVICE);
        let of = |which: Which| {
            let resolved = start(which);
            let log = resolved.log();
            resolved.end();
            complained(file, &log)
        };
        let theirs = of(Which::Peer);
        assert!(theirs.contains(&4), "{theirs:?}");
        assert_eq!(of(Which::Ours), theirs);
    });
}
