//! What both modules are asked at the name server of nss_resolve_world.
#![allow(dead_code, reason = "each test program uses its part")]

use crate::nss_resolve_world::longest;

pub const FUNCTIONS: [&str; 6] = ["1", "2", "2-6", "3", "3-6", "4"];

/// Names that exist and have no address at all.
pub const EMPTY: [&str; 7] = [
    "notext.test",
    "wild.test",
    "down.test",
    "text.test",
    "10.2.0.192.in-addr.arpa",
    "",
    ".",
];

/// What systemd's module gives out as the canonical name, and for which name.
pub const HOSTILE: [(&str, &str); 6] = [
    (r"\042.wild.test", "*.wild.test"),
    (r"sp\032ace.test", "sp ace.test"),
    (r"sp\032ace.test", "weird.test"),
    (r"\027c.test", "escape.test"),
    ("-rf.test", "option.test"),
    // Not hostile, but no name of a host either.
    ("fe80::1%1", "fe80::1%lo"),
];

/// Addresses; if systemd's module and ours must differ, what ours says.
pub const ADDRESSES: [(&str, Option<&str>); 24] = [
    ("192.0.2.10", None),
    ("192.0.2.11", None),
    ("192.0.2.12", None),
    // Names that are no hosts', which systemd's gives out escaped or as they are.
    ("192.0.2.13", Some("NOTFOUND errno=0 h_errno=1")),
    ("192.0.2.14", Some("NOTFOUND errno=0 h_errno=1")),
    ("192.0.2.15", None),
    ("192.0.2.16", Some("NOTFOUND errno=0 h_errno=4")),
    (
        "192.0.2.17",
        Some(" name=fine.test family=2 length=4 192.0.2.17"),
    ),
    ("192.0.2.18", None),
    ("192.0.2.19", None),
    ("192.0.2.20", Some("NOTFOUND errno=0 h_errno=1")),
    ("192.0.2.21", Some("NOTFOUND errno=0 h_errno=1")),
    ("192.0.2.22", None),
    ("192.0.2.99", None),
    ("2001:db8::10", None),
    ("2001:db8::99", None),
    // An IPv4 address, as glibc's files and dns services take it.
    (
        "::ffff:192.0.2.10",
        Some(" name=name.test family=10 length=16 ::ffff:192.0.2.10"),
    ),
    ("127.0.0.1", None),
    ("::1", None),
    ("127.0.1.1", None),
    ("10.77.0.1", None),
    ("10.77.0.2", None),
    ("0.0.0.0", None),
    ("224.0.0.1", None),
];

const NAMES: [&str; 76] = [
    "name.test",
    "NAME.Test",
    "name.test.",
    "v4only.test",
    "v6only.test",
    "alias.test",
    "Alias.test.",
    "chain.test",
    "dangling.test",
    "notext.test",
    "loop.test",
    "self.test",
    "multi.test",
    "many.test",
    "a.wild.test",
    "a.b.wild.test",
    "*.wild.test",
    "wild.test",
    "deep.down.test",
    "down.test",
    "text.test",
    "linklocal.test",
    "mapped.test",
    "zero.test",
    "loopback.test",
    "_under.test",
    "-dash.test",
    "xn--bcher-kva.test",
    "bücher.test",
    "BÜCHER.test",
    "faß.test",
    "ä.test",
    "sp ace.test",
    "weird.test",
    "escape.test",
    "option.test",
    "nope.test",
    "test",
    "test.",
    "ns.test",
    "single",
    "",
    ".",
    "..",
    "a..test",
    ".test",
    "name.test..",
    r"a\.b.test",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "a.localhost",
    "sandbox",
    "sandbox.",
    "Sandbox",
    "_gateway",
    "_outbound",
    "_localdnsstub",
    "_localdnsproxy",
    "192.0.2.7",
    "192.0.2.7.",
    "192.0.2",
    "2001:db8::7",
    "fe80::1",
    "fe80::1%lo",
    "1.2.3.4.5",
    "0x7f000001",
    "invalid",
    "a.invalid",
    "home.arpa",
    "a.local",
    "a/b.test",
    "10.2.0.192.in-addr.arpa",
    "-rf",
    "$HOME",
    "a\nb.test",
];

/// All of them, those that are long included.
pub fn names() -> Vec<String> {
    let longest = longest();
    let long = [
        format!("{longest}."),
        format!("x{longest}"),
        longest,
        "x".repeat(300),
        format!("{}.test", "y".repeat(63)),
        format!("{}.test", "y".repeat(64)),
    ];
    NAMES.map(String::from).into_iter().chain(long).collect()
}
