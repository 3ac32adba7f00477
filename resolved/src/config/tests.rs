//! All sources together, and what no source may do.

use std::os::unix::fs::symlink;

use super::{
    Config, Diagnostic, check, domain, load, server,
    testing::{Noise, Tree},
};

fn servers(config: &Config) -> Vec<String> {
    config.servers.iter().map(server::format).collect()
}

fn loaded(tree: &Tree) -> Config {
    let (config, wrong) = load(&tree.sources);
    assert_eq!(wrong, []);
    config
}

#[test]
fn nothing_there_is_the_default() {
    assert_eq!(loaded(&Tree::new()), Config::default());
}

#[test]
fn the_main_file_then_drop_ins_by_their_names() {
    let tree = Tree::new();
    let main = "systemd/resolved.conf";
    let drop_in = |name: &str| format!("systemd/resolved.conf.d/{name}.conf");
    tree.write("lib", main, "[Resolve]\nDNS=192.0.2.9\n");
    assert_eq!(servers(&loaded(&tree)), ["192.0.2.9"]);
    tree.write("etc", main, "[Resolve]\nDNS=192.0.2.1\nLLMNR=no\n");
    tree.write(
        "lib",
        &drop_in("20"),
        "[Resolve]\nDNS=192.0.2.3\nLLMNR=resolve\n",
    );
    tree.write("etc", &drop_in("10"), "[Resolve]\nDNS=192.0.2.2\n");
    tree.write("lib", &drop_in("30"), "[Resolve]\nDNS=\n");
    symlink("/dev/null", tree.path("etc", &drop_in("30"))).unwrap();
    let config = loaded(&tree);
    assert_eq!(servers(&config), ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    assert_eq!(config.llmnr, crate::mode::Multicast::Resolve);
}

#[test]
fn a_masked_main_file_leaves_the_drop_ins() {
    let tree = Tree::new();
    tree.write("lib", "systemd/resolved.conf", "[Resolve]\nDNS=192.0.2.9\n");
    tree.write("etc", "systemd/resolved.conf", "");
    tree.write(
        "lib",
        "systemd/resolved.conf.d/a.conf",
        "[Resolve]\nDNS=192.0.2.1\n",
    );
    assert_eq!(servers(&loaded(&tree)), ["192.0.2.1"]);
}

#[test]
fn the_kernels_command_line_has_the_last_word() {
    let tree = Tree::new();
    tree.write(
        "etc",
        "systemd/resolved.conf",
        "[Resolve]\nDNS=192.0.2.1\nDomains=a\n",
    );
    tree.write("", "cmdline", "quiet nameserver=192.0.2.2\n");
    let config = loaded(&tree);
    assert_eq!(servers(&config), ["192.0.2.2"]);
    assert_eq!(domain::format(&config.domains[0]), "a");
}

#[test]
fn check_names_every_file() {
    let tree = Tree::new();
    let files = [
        ("systemd/resolved.conf", "[Resolve]\nDNS=x\n", 2),
        (
            "systemd/resolved.conf.d/a.conf",
            "[Resolve]\n\nLLMNR=x\n",
            3,
        ),
        (
            "systemd/dns-delegate.d/a.dns-delegate",
            "[Delegate]\nDNS=192.0.2.1\nDNS=x\n",
            3,
        ),
        (
            "systemd/dnssd/a.dnssd",
            "[Service]\nName=a\nType=_a._tcp\nPort=x\n",
            4,
        ),
        ("dnssec-trust-anchors.d/a.positive", ". IN A\n", 1),
        ("dnssec-trust-anchors.d/a.negative", "\na b\n", 2),
        ("systemd/resolve/static.d/a.rr", "\n\n{}", 3),
    ];
    for (file, content, _) in files {
        tree.write("etc", file, content);
    }
    let wrong = check(&tree.sources);
    let named: Vec<_> = wrong
        .iter()
        .map(|wrong| (wrong.path.clone(), wrong.line))
        .collect();
    let expected: Vec<_> = files
        .iter()
        .map(|(file, _, line)| (tree.path("etc", file), *line))
        .collect();
    assert_eq!(named, expected);
    let shown = wrong[0].to_string();
    assert!(
        shown.contains("resolved.conf:2: DNS= \"x\" is no address"),
        "{shown}"
    );
}

/// resolved.conf, and the servers and domains that systemd-resolved 252 says it has then.
const LIKE_SYSTEMD: &[(&str, &[&str], &[&str])] = &[
    (
        "[Resolve]\nDNS=192.0.2.1 192.0.2.2:54\nDomains=a.example ~b.example\n",
        &["192.0.2.1", "192.0.2.2:54"],
        &["a.example", "~b.example"],
    ),
    (
        "[Resolve]\nDNS=192.0.2.1#dns.example [2001:db8::1]:9953#x 2001:db8::2 fe80::1%lo 192.0.2.3:853\n",
        &[
            "192.0.2.1#dns.example",
            "[2001:db8::1]:9953#x",
            "2001:db8::2",
            "fe80::1%1",
            "192.0.2.3",
        ],
        &[],
    ),
    (
        "[Resolve]\nDNS=192.0.2.1 192.0.2.2 192.0.2.1\nDomains=a b A ~b\n",
        &["192.0.2.1", "192.0.2.2"],
        &["a", "~b"],
    ),
    (
        "[Resolve]\nDNS=192.0.2.1\nDNS=\nDNS=192.0.2.2\nDomains=a\nDomains=\n",
        &["192.0.2.2"],
        &[],
    ),
    (
        "[Resolve]\nDNS=192.0.2.1 \\\n# comment\n  192.0.2.2\nDomains=a\n",
        &["192.0.2.1", "192.0.2.2"],
        &["a"],
    ),
    (
        "[Resolve]\nDNS=192.0.2.1 \\\n\n192.0.2.2\nDomains=a\\\\\n",
        &["192.0.2.1"],
        &[],
    ),
    (
        "[Other]\nDNS=192.0.2.9\n[Resolve]\nFoo=1\nDNS=192.0.2.1\n",
        &["192.0.2.1"],
        &[],
    ),
    (
        "DNS=192.0.2.9\n[Resolve]\nDNS=192.0.2.1\n",
        &["192.0.2.1"],
        &[],
    ),
    (
        "[Resolve]\nDNS=192.0.2.1 x 192.0.2.2 1.2.3 192.0.2.3:0 192.0.2.4:99999 [192.0.2.5]:53\n",
        &["192.0.2.1", "192.0.2.2"],
        &[],
    ),
    (
        "[Resolve]\nDNS=127.0.0.53 127.0.0.54 0.0.0.0 127.0.0.1 ::\n",
        &["127.0.0.1"],
        &[],
    ),
    ("[Resolve]\nDomains=. a\n", &[], &["~.", "a"]),
    ("[Resolve]\nDomains=~. * a..b c\n", &[], &["~.", "c"]),
    (
        "[Resolve]\nDomains=\"a b\" 'c' d\n",
        &[],
        &["a\\032b", "c", "d"],
    ),
    ("[Resolve]\nDomains=a 'b\n", &[], &[]),
    ("[Resolve]\nDomains=a\\.b c\\\\.d\n", &[], &["a.b", "c\\.d"]),
    (
        "[Resolve]\ndns=192.0.2.1\nDNS=192.0.2.2\n[resolve]\nDNS=192.0.2.3\n",
        &["192.0.2.2"],
        &[],
    ),
    (
        "\u{feff}[Resolve]\r\nDNS=192.0.2.1\r\nDomains=a\r\n",
        &["192.0.2.1"],
        &["a"],
    ),
    (
        "[Resolve]\nDNS=192.0.2.1\n[Resolve]\nDNS=192.0.2.2\n",
        &["192.0.2.1", "192.0.2.2"],
        &[],
    ),
    (
        "[X-Foo]\nbar=1\n[Resolve]\nX-Foo=1\nDNS=192.0.2.1\n",
        &["192.0.2.1"],
        &[],
    ),
    ("[Resolve]\nDNS\n=x\nDNS=192.0.2.1\n", &["192.0.2.1"], &[]),
    (
        "[Resolve]\nDNS=192.0.2.1:53 [2001:db8::1]:853\n",
        &["192.0.2.1", "2001:db8::1"],
        &[],
    ),
    (
        "[Resolve]\nDNS=192.0.2.1%1 192.0.2.2%lo 192.0.2.3%nope 192.0.2.4:54%1#n\n",
        &["192.0.2.1%1", "192.0.2.2%1", "192.0.2.4:54%1#n"],
        &[],
    ),
];

#[test]
fn files_say_what_they_say_to_systemd() {
    for (text, expected_servers, expected_domains) in LIKE_SYSTEMD {
        let mut tree = Tree::new();
        tree.sources.ifindex_of = |link| (link == "lo").then_some(1);
        tree.write("etc", "systemd/resolved.conf", text);
        let (config, _) = load(&tree.sources);
        assert_eq!(servers(&config), *expected_servers, "{text}");
        let domains: Vec<_> = config.domains.iter().map(domain::format).collect();
        assert_eq!(domains, *expected_domains, "{text}");
    }
}

/// What files are made of, so that noise gets further than the first line.
const PIECES: &[&str] = &[
    "[Resolve]\n",
    "[Delegate]\n",
    "[Service]\n",
    "[X-",
    "]",
    "\n",
    "\\\n",
    "\r\n",
    "=",
    " ",
    "\t",
    "#",
    ";",
    "\"",
    "'",
    "\\",
    "\\x4",
    "\\u00",
    "%",
    "~",
    ".",
    ":",
    "/",
    "://",
    "https://",
    "tls://",
    "[::1]",
    "127.0.0.53",
    "192.0.2.1",
    "fe80::1%lo",
    "DNS=",
    "Domains=",
    "LLMNR=",
    "Cache=",
    "CacheSize=",
    "StaleRetentionSec=",
    "DNSStubListenerExtra=",
    "RefuseRecordTypes=",
    "FirewallMark=",
    "0x",
    "Name=",
    "Type=_a._tcp",
    "SubType=",
    "TxtText=",
    "TxtData=",
    "Port=",
    "yes",
    "no",
    "infinity",
    "1min",
    "18446744073709551616",
    "udp:",
    "example",
    "ä",
    "\u{feff}",
    "\0",
    "nameserver=",
    "nameserver ",
    "domain=",
    "search ",
    ". IN DS 20326 8 2 ",
    ". IN DNSKEY 257 3 8 ",
    "e06d",
    "AA==",
    "{\"key\":{\"type\":1,\"name\":\"a\"}",
    ",\"address\":[1,2,3,4]}",
    ",\"name\":\"b\"}",
    "{",
    "}",
    "[",
    ",",
    "null",
];

#[test]
fn no_bytes_do_harm() {
    let mut noise = Noise::new(1);
    let tree = Tree::new();
    for _ in 0..150 {
        let files = [
            "etc/systemd/resolved.conf",
            "lib/systemd/resolved.conf.d/a.conf",
            "etc/systemd/dns-delegate.d/a.dns-delegate",
            "etc/systemd/dns-delegate.d/a.dns-delegate.d/b.conf",
            "lib/systemd/dnssd/a.dnssd",
            "etc/dnssec-trust-anchors.d/a.positive",
            "etc/dnssec-trust-anchors.d/a.negative",
            "etc/systemd/resolve/static.d/a.rr",
            "cmdline",
        ];
        let mut lines = 0;
        for file in files {
            let content = noise.text(PIECES);
            lines = lines.max(
                2 + content
                    .iter()
                    .filter(|byte| matches!(byte, b'\n' | 0))
                    .count(),
            );
            tree.write("", file, content);
        }
        for Diagnostic {
            path,
            line,
            message,
        } in check(&tree.sources)
        {
            assert!(path.starts_with(tree.path("", "")), "{path:?}");
            assert!(line <= lines, "{path:?}:{line}");
            assert!(!message.is_empty());
        }
    }
}

#[test]
fn what_is_read_is_read_again_as_it_is_written() {
    let mut noise = Noise::new(2);
    let (mut of_servers, mut of_domains) = (0, 0);
    for _ in 0..50_000 {
        let text = noise.text(&[
            "https://",
            "tls://",
            "udp://",
            "quic://",
            "192.0.2.1",
            "[2001:db8::1]",
            "fe80::1",
            ":",
            "53",
            "853",
            "443",
            "%",
            "3",
            "/",
            "a",
            "~",
            ".",
            "#",
            "dns.example",
            "\\",
            "é",
            " ",
        ]);
        let text = String::from_utf8_lossy(&text);
        if let Ok(read) = server::parse(&text, &|_| None) {
            of_servers += 1;
            let again = server::parse(&server::format(&read), &|_| None);
            assert_eq!(again.as_ref(), Ok(&read), "{text}");
        }
        if let Ok(read) = domain::parse(&text) {
            of_domains += 1;
            assert_eq!(
                domain::parse(&domain::format(&read)).as_ref(),
                Ok(&read),
                "{text}"
            );
        }
    }
    assert!(
        of_servers > 300 && of_domains > 300,
        "{of_servers} {of_domains}"
    );
}
