//! The same calls to systemd's resolved and to ours, answers compared.

mod bus_client;
mod resolved_bus_world;

use std::collections::{BTreeMap, BTreeSet};

use bus_client::{
    Answer, Client, PROPERTIES, as_user, members,
    table::{
        Like::{self, Kind, Ours, Same},
        Table,
    },
    values,
};
use resolved_bus_world::{LINK_IFACE, MANAGER, MANAGER_IFACE, NAME, World, link_path, options};
use support::{Which, sandbox};
use zbus::Message;

const LOOPBACK: i32 = 1;
const NOBODY: u32 = 65534;

/// Flags of a lookup.
const DNS: u64 = 1;
const NO_CNAME: u64 = 1 << 5;
const NO_ADDRESS: u64 = 1 << 7;
const NO_SEARCH: u64 = 1 << 8;
const NO_SYNTHESIZE: u64 = 1 << 11;
const NO_NETWORK: u64 = 1 << 15;

/// Flags of a reply that depend on what was asked before, and on what one takes for confidential: a server on this machine is
/// to ours, since its answers never left it.
const BY_CHANCE: u64 = 1 << 18 | 1 << 20 | 1 << 23;

type Server = (i32, Vec<u8>);
type ServerEx = (i32, Vec<u8>, u16, String);

fn v4(a: u8, b: u8, c: u8, d: u8) -> Server {
    (2, vec![a, b, c, d])
}

/// All properties of a link.
const OF_LINK: [&str; 13] = [
    "ScopesMask",
    "DNS",
    "DNSEx",
    "CurrentDNSServer",
    "CurrentDNSServerEx",
    "Domains",
    "DefaultRoute",
    "LLMNR",
    "MulticastDNS",
    "DNSOverTLS",
    "DNSSEC",
    "DNSSECNegativeTrustAnchors",
    "DNSSECSupported",
];

type Addresses = Vec<(i32, i32, Vec<u8>)>;

/// What a reply holds, without what differs from one call to the next: the order of addresses, what is left of a time to live.
fn show(message: &Message) -> String {
    fn read<T: for<'a> zbus::wire::DynamicDeserialize<'a> + zbus::Type>(message: &Message) -> T {
        message.body().deserialize().unwrap()
    }
    let flags = |flags: u64| flags & !BY_CHANCE;
    match message.body().signature().to_string_no_parens().as_str() {
        "a(iiay)st" => {
            let (mut addresses, name, bits): (Addresses, String, u64) = read(message);
            addresses.sort();
            format!("{addresses:?} {name} {}", flags(bits))
        }
        "a(is)t" => {
            let (mut names, bits): (Vec<(i32, String)>, u64) = read(message);
            names.sort();
            format!("{names:?} {}", flags(bits))
        }
        "a(iqqay)t" => {
            let (mut records, bits): (Vec<(i32, u16, u16, Vec<u8>)>, u64) = read(message);
            for (.., record) in &mut records {
                // Behind the name and its end come type, class and time to live.
                let name = record.iter().position(|byte| *byte == 0).unwrap();
                record[name + 5..name + 9].fill(0);
            }
            records.sort();
            format!("{records:?} {}", flags(bits))
        }
        "a(qqqsa(iiay)s)aayssst" => {
            type Service = (u16, u16, u16, String, Addresses, String);
            type Reply = (Vec<Service>, Vec<Vec<u8>>, String, String, String, u64);
            let (mut services, txt, name, kind, domain, bits): Reply = read(message);
            for (.., addresses, _) in &mut services {
                addresses.sort();
            }
            services.sort();
            format!(
                "{services:?} {txt:?} {name:?} {kind} {domain} {}",
                flags(bits)
            )
        }
        _ => values(message),
    }
}

fn hostnames(table: &mut Table, up0: i32) {
    let host = |table: &mut Table, like, name: &str, family: i32, flags: u64| {
        let args = args![0i32, name.to_owned(), family, flags];
        table.manager(like, "ResolveHostname", args);
    };
    for name in [
        "localhost",
        "name.test",
        "name.test.",
        "v4only.test",
        "v6only.test",
        "alias.test",
        "nope.test",
        "text.test",
        "sp ace.test",
        "bücher.test",
        "a_b.test",
        "foo.invalid",
        "192.0.2.1",
        "::1",
        "fe80::1",
        "fe80::1%up0",
    ] {
        host(table, Same, name, 0, 0);
    }
    let long = "x".repeat(64);
    for name in ["a..b", ".a", &long] {
        host(table, Kind, name, 0, 0);
    }
    for name in ["", "."] {
        let root = Ours("NoNameServers", "nobody is asked for the root's addresses");
        host(table, root, name, 0, DNS);
    }
    // It is spelt as in the question or as in the cache.
    for name in ["dangling.test", "loop.test", "NAME.test"] {
        host(table, Kind, name, 0, 0);
    }
    for family in [2, 10] {
        host(table, Same, "name.test", family, 0);
        host(table, Same, "v4only.test", family, 0);
        host(table, Kind, "192.0.2.1", family, 0);
    }
    for family in [1, -1, 3] {
        host(table, Kind, "v4only.test", family, 0);
    }
    host(table, Same, "alias.test", 0, NO_CNAME);
    host(table, Same, "alias.test", 0, NO_SEARCH);
    host(table, Same, "mail.test", 0, NO_NETWORK);
    host(table, Same, "localhost", 0, NO_SYNTHESIZE);
    for bit in [6, 7, 9, 16, 17, 18, 19, 20, 23, 40] {
        host(table, Same, "name.test", 0, 1 << bit);
    }
    for (index, like) in [(-1i32, Same), (LOOPBACK, Same), (99, Same), (up0, Same)] {
        table.manager(
            like,
            "ResolveHostname",
            args![index, "name.test", 0i32, DNS],
        );
    }
    let index = args![up0, "fe80::1", 0i32, 0u64];
    table.manager(Same, "ResolveHostname", index);
}

fn addresses(table: &mut Table) {
    let address = |table: &mut Table, like, family: i32, bytes: &[u8], flags: u64| {
        let args = args![0i32, family, bytes.to_vec(), flags];
        table.manager(like, "ResolveAddress", args);
    };
    let localhost6 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    address(table, Same, 2, &[127, 0, 0, 1], 0);
    address(table, Same, 10, &localhost6, 0);
    address(table, Same, 2, &[192, 0, 2, 10], 0);
    address(table, Same, 2, &[192, 0, 2, 12], 0);
    address(table, Same, 2, &[192, 0, 2, 99], 0);
    address(table, Same, 2, &[0, 0, 0, 0], 0);
    address(table, Same, 2, &[255, 255, 255, 255], 0);
    for (family, bytes) in [
        (2, &[1u8, 2, 3][..]),
        (10, &[1, 2, 3, 4]),
        (1, &[1]),
        (0, &[1, 2, 3, 4]),
        (2, &[]),
    ] {
        address(table, Kind, family, bytes, 0);
    }
    for bit in [6, 8, 40] {
        address(table, Same, 2, &[127, 0, 0, 1], 1 << bit);
    }
    let wrong = args![-1i32, 2i32, vec![127u8, 0, 0, 1], 0u64];
    table.manager(Same, "ResolveAddress", wrong);
}

fn records(table: &mut Table) {
    let record = |table: &mut Table, like, name: &str, class: u16, kind: u16, flags: u64| {
        let args = args![0i32, name.to_owned(), class, kind, flags];
        table.manager(like, "ResolveRecord", args);
    };
    for (name, kind) in [
        ("name.test", 1),
        ("name.test", 28),
        ("alias.test", 1),
        ("alias.test", 5),
        ("2.0.192.in-addr.arpa", 6),
        ("2.0.192.in-addr.arpa", 2),
        ("mail.test", 15),
        ("text.test", 16),
        ("_sip._udp.test", 33),
        ("_443._tcp.name.test", 52),
        ("localhost", 1),
    ] {
        record(table, Same, name, 1, kind, 0);
    }
    for kind in [5, 16, 6, 2, 99, 24, 65, 65280, 32768, 32769] {
        record(table, Same, "name.test", 1, kind, 0);
    }
    for kind in [
        0, 3, 4, 7, 8, 9, 10, 11, 14, 30, 38, 41, 249, 250, 251, 252, 253, 254,
    ] {
        record(table, Kind, "name.test", 1, kind, 0);
    }
    record(table, Same, "nope.test", 1, 16, 0);
    let other_script = Ours("NoSuchRR", "252 has no A-labels for records");
    record(table, other_script, "bücher.test", 1, 16, 0);
    record(table, Kind, "a..b", 1, 1, 0);
    for class in [0, 2, 3, 4, 254] {
        record(table, Kind, "name.test", class, 1, 0);
    }
    for bit in [6, 8, 40] {
        record(table, Same, "name.test", 1, 1, 1 << bit);
    }
    table.manager(
        Same,
        "ResolveRecord",
        args![-1i32, "name.test", 1u16, 1u16, 0u64],
    );
}

fn services(table: &mut Table) {
    let service = |table: &mut Table, like, name: &str, kind: &str, domain: &str, flags: u64| {
        let (name, kind, domain) = (name.to_owned(), kind.to_owned(), domain.to_owned());
        let args = args![0i32, name, kind, domain, 0i32, flags];
        table.manager(like, "ResolveService", args);
    };
    service(table, Same, "", "_sip._udp", "test", 0);
    service(table, Same, "", "_sip._udp", "test", NO_ADDRESS);
    service(table, Same, "", "", "_sip._udp.test", 0);
    service(table, Same, "web", "_http._tcp", "test", 0);
    service(table, Same, "web", "_http._tcp", "test", 1 << 6);
    service(table, Same, "web", "_http._tcp", "test", NO_ADDRESS);
    service(table, Kind, "", "_none._tcp", "test", 0);
    service(table, Same, "", "_nope._tcp", "test", 0);
    service(table, Same, "", "_nope._sctp", "test", 0);
    service(table, Same, "My Inst", "_http._tcp", "test", 0);
    service(table, Kind, "x", "", "test", 0);
    service(table, Kind, "x", "http", "test", 0);
    service(table, Kind, "", "http", "test", 0);
    service(table, Kind, "", "", "a..b", 0);
    service(table, Kind, "", "_http._tcp", "a..b", 0);
    service(table, Kind, &"a".repeat(64), "_http._tcp", "test", 0);
    service(table, Same, "", "_http._tcp", "test", 1 << 40);
    service(table, Same, "", "_http._tcp", "test", NO_SEARCH);
    for (index, family) in [(-1i32, 0i32), (0, 1)] {
        let args = args![index, "", "_http._tcp", "test", family, 0u64];
        table.manager(Kind, "ResolveService", args);
    }
}

fn get_of_link(table: &mut Table, link: &str, property: &str) {
    // With ours it is the one to be asked next; 252's has none before it has asked one.
    let like = if property.starts_with("Current") {
        Kind
    } else {
        Same
    };
    table.get(like, link, LINK_IFACE, property);
}

/// Everything a link can be told, each time with the property that shows it.
fn settings(table: &mut Table, up0: i32) {
    let link = &link_path(up0);
    let get = |table: &mut Table, property| get_of_link(table, link, property);
    for index in [0i32, -1, 99, LOOPBACK] {
        let like = if index == LOOPBACK { Kind } else { Same };
        table.manager(Same, "GetLink", args![index]);
        table.manager(like, "SetLinkDNS", args![index, vec![v4(192, 0, 2, 1)]]);
        table.manager(like, "SetLinkDNSEx", args![index, Vec::<ServerEx>::new()]);
        let domains = Vec::<(String, bool)>::new();
        table.manager(like, "SetLinkDomains", args![index, domains]);
        table.manager(like, "SetLinkDefaultRoute", args![index, true]);
        for method in [
            "SetLinkLLMNR",
            "SetLinkMulticastDNS",
            "SetLinkDNSOverTLS",
            "SetLinkDNSSEC",
        ] {
            table.manager(like, method, args![index, "no"]);
        }
        let names = Vec::<String>::new();
        table.manager(
            like,
            "SetLinkDNSSECNegativeTrustAnchors",
            args![index, names],
        );
        table.manager(like, "RevertLink", args![index]);
    }
    table.manager(Same, "GetLink", args![up0]);

    let dns = |table: &mut Table, like, servers: Vec<Server>| {
        table.manager(like, "SetLinkDNS", args![up0, servers]);
        for property in ["DNS", "DNSEx", "DefaultRoute", "ScopesMask"] {
            get(table, property);
        }
        table.get(Same, MANAGER, MANAGER_IFACE, "DNS");
    };
    dns(table, Same, vec![v4(192, 0, 2, 1), v4(192, 0, 2, 2)]);
    dns(table, Same, vec![v4(192, 0, 2, 1), v4(192, 0, 2, 1)]);
    dns(table, Same, vec![v4(127, 0, 0, 1)]);
    let v6 = [
        0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53,
    ];
    dns(table, Same, vec![(10, v6.to_vec())]);
    for wrong in [
        (1, vec![1, 2, 3, 4]),
        (0, vec![]),
        (2, vec![1, 2, 3]),
        (10, vec![1, 2, 3, 4]),
        v4(0, 0, 0, 0),
        v4(127, 0, 0, 53),
        v4(127, 0, 0, 54),
    ] {
        dns(table, Kind, vec![wrong]);
    }
    let many = (0..257u16).map(|at| v4(10, 0, at.to_be_bytes()[0], at.to_be_bytes()[1]));
    let many: Vec<Server> = many.collect();
    let like = Ours("InvalidArgs", "252 gives no reason, and drops those it had");
    table.manager(like, "SetLinkDNS", args![up0, many]);
    dns(table, Same, vec![v4(192, 0, 2, 3)]);
    dns(table, Same, vec![]);
    for (port, name) in [
        (0u16, ""),
        (53, ""),
        (853, ""),
        (5353, "dns.example"),
        (65535, "_x"),
    ] {
        let servers: Vec<ServerEx> = vec![(2, vec![192, 0, 2, 1], port, name.to_owned())];
        table.manager(Same, "SetLinkDNSEx", args![up0, servers]);
        get(table, "DNSEx");
        get(table, "DNS");
        table.get(Same, MANAGER, MANAGER_IFACE, "DNSEx");
    }
    let no_name = Ours("InvalidArgs", "252 takes any text for a server's name");
    let servers: Vec<ServerEx> = vec![(2, vec![192, 0, 2, 1], 853, "a..b".to_owned())];
    table.manager(no_name, "SetLinkDNSEx", args![up0, servers]);
    let servers: Vec<ServerEx> = vec![(2, vec![1, 2], 853, String::new())];
    table.manager(Kind, "SetLinkDNSEx", args![up0, servers]);

    for domains in [
        vec![("example.com", false)],
        vec![("example.com", true)],
        vec![("EXAMPLE.org.", false), ("b", true)],
        vec![("~example.com", false)],
        vec![("sp ace", false)],
        vec![("bücher.example", false)],
        vec![("a", false), ("a", true)],
        vec![(".", true)],
        vec![("", true)],
        vec![(".", false)],
        vec![("a..b", false)],
        vec![],
    ] {
        let domains = domains
            .iter()
            .map(|(name, only)| ((*name).to_owned(), *only));
        let domains: Vec<(String, bool)> = domains.collect();
        table.manager(Kind, "SetLinkDomains", args![up0, domains]);
        get(table, "Domains");
        get(table, "DefaultRoute");
        table.get(Same, MANAGER, MANAGER_IFACE, "Domains");
    }
    for enable in [true, false] {
        table.manager(Same, "SetLinkDefaultRoute", args![up0, enable]);
        get(table, "DefaultRoute");
    }
    for (method, property) in [
        ("SetLinkLLMNR", "LLMNR"),
        ("SetLinkMulticastDNS", "MulticastDNS"),
        ("SetLinkDNSOverTLS", "DNSOverTLS"),
        ("SetLinkDNSSEC", "DNSSEC"),
    ] {
        for word in [
            "yes",
            "no",
            "resolve",
            "opportunistic",
            "allow-downgrade",
            "true",
            "0",
            "On",
            "maybe",
            "",
        ] {
            table.manager(Kind, method, args![up0, word]);
            get(table, property);
        }
    }
    for names in [
        vec!["example.com"],
        vec!["a..b"],
        vec!["."],
        vec!["a", "a"],
        vec![],
    ] {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        table.manager(Kind, "SetLinkDNSSECNegativeTrustAnchors", args![up0, names]);
        get(table, "DNSSECNegativeTrustAnchors");
    }
    table.manager(Same, "RevertLink", args![up0]);
    for property in OF_LINK {
        get(table, property);
    }
    on_the_link(table, link);
}

/// The same by the methods of the link's own object.
fn on_the_link(table: &mut Table, link: &str) {
    let mut on = |like: Like, path: &str, member, args| {
        table.add(like, path, LINK_IFACE, member, args);
        for property in OF_LINK {
            get_of_link(table, link, property);
        }
    };
    on(Same, link, "SetDNS", args![vec![v4(192, 0, 2, 1)]]);
    on(Kind, link, "SetDNS", args![vec![(2i32, vec![1u8, 2, 3])]]);
    let servers: Vec<ServerEx> = vec![(2, vec![192, 0, 2, 1], 853, "x.y".to_owned())];
    on(Same, link, "SetDNSEx", args![servers]);
    on(
        Same,
        link,
        "SetDomains",
        args![vec![("a".to_owned(), false)]],
    );
    on(Same, link, "SetDefaultRoute", args![true]);
    for member in ["SetLLMNR", "SetMulticastDNS", "SetDNSOverTLS", "SetDNSSEC"] {
        on(Same, link, member, args!["no"]);
        on(Kind, link, member, args!["bad"]);
    }
    let names = vec!["x".to_owned()];
    on(Same, link, "SetDNSSECNegativeTrustAnchors", args![names]);
    on(Same, link, "Revert", args![]);
    for (path, like) in [
        (link_path(LOOPBACK), Kind),
        (link_path(99), Same),
        (format!("{MANAGER}/link/x"), Same),
        (format!("{MANAGER}/link/_2d1"), Same),
        (format!("{MANAGER}/link/_30"), Same),
    ] {
        on(like, &path, "Revert", args![]);
    }
}

fn standard(table: &mut Table, up0: i32) {
    let link = link_path(up0);
    let log = "/org/freedesktop/LogControl1";
    for path in [
        MANAGER,
        &link,
        &format!("{MANAGER}/link"),
        log,
        "/org",
        "/",
        "/foo",
    ] {
        table.add(Same, path, "a.b", "Nope", args![]);
        table.add(Same, path, MANAGER_IFACE, "Nope", args![]);
        table.add(Same, path, PROPERTIES, "GetAll", args!["a.b"]);
        table.add(Same, path, "org.freedesktop.DBus.Peer", "Ping", args![]);
    }
    table.manager(Same, "GetLink", args!["x"]);
    table.manager(Same, "FlushCaches", args![1u32]);
    for member in ["FlushCaches", "ResetStatistics", "ResetServerFeatures"] {
        table.manager(Same, member, args![]);
    }
    for property in [
        "LLMNRHostname",
        "LLMNR",
        "MulticastDNS",
        "DNSOverTLS",
        "FallbackDNS",
        "FallbackDNSEx",
        "DNSSEC",
        "DNSSECStatistics",
        "DNSSECSupported",
        "DNSStubListener",
        "ResolvConfMode",
        "Nope",
    ] {
        table.get(Same, MANAGER, MANAGER_IFACE, property);
    }
    for property in [
        "CurrentDNSServer",
        "CurrentDNSServerEx",
        "TransactionStatistics",
        "CacheStatistics",
        "DNSSECNegativeTrustAnchors",
    ] {
        table.get(Kind, MANAGER, MANAGER_IFACE, property);
    }
    table.add(Kind, MANAGER, PROPERTIES, "GetAll", args![MANAGER_IFACE]);
    table.add(Same, &link, PROPERTIES, "GetAll", args![LINK_IFACE]);
    let lo = &link_path(LOOPBACK);
    table.add(Same, lo, PROPERTIES, "GetAll", args![LINK_IFACE]);
    let value = zbus::Variant::Variant(Box::new("x".into()));
    let args = args![MANAGER_IFACE, "LLMNR", value];
    table.add(Same, MANAGER, PROPERTIES, "Set", args);
    table.get(Kind, log, "org.freedesktop.LogControl1", "SyslogIdentifier");
    table.get(Same, log, "org.freedesktop.LogControl1", "LogLevel");
    let service = |path: &str| args![zbus::ObjectPath::try_from(path.to_owned()).unwrap()];
    table.manager(Kind, "UnregisterService", service("/foo"));
    let path = format!("{MANAGER}/dnssd/svc");
    table.manager(Kind, "UnregisterService", service(&path));
    table.manager(
        Same,
        "RegisterService",
        registered("svc", "n", "_http._tcp"),
    );
}

type Txt = Vec<BTreeMap<String, Vec<u8>>>;

fn registered(id: &str, name: &str, kind: &str) -> bus_client::Args {
    let txt: Txt = vec![BTreeMap::from([("path".to_owned(), b"/".to_vec())])];
    let (id, name, kind) = (id.to_owned(), name.to_owned(), kind.to_owned());
    args![id, name, kind, 80u16, 0u16, 0u16, txt]
}

#[test]
fn calls_are_answered_as_by_systemd() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            return; // systemd's resolved becomes another user, and there is none
        }
        let world = World::new(s);
        let mut table = Table::of(MANAGER, MANAGER_IFACE).shown_by(show);
        standard(&mut table, world.ifindex);
        hostnames(&mut table, world.ifindex);
        addresses(&mut table);
        records(&mut table);
        services(&mut table);
        settings(&mut table, world.ifindex);
        assert!(table.len() >= 300);
        let ask = |client: &Client| table.ask(client);
        let lines = "LLMNR=yes\nMulticastDNS=no\n";
        let peers = world.with(Which::Peer, lines, ask);
        let ours = world.with(Which::Ours, lines, ask);
        table.compare(&peers, &ours);
    });
}

#[test]
fn services_are_registered_as_by_systemd() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            return; // as above
        }
        let world = World::new(s);
        let mut table = Table::of(MANAGER, MANAGER_IFACE);
        let path = |id: &str| format!("{MANAGER}/dnssd/{id}");
        let object = |path: &str| args![zbus::ObjectPath::try_from(path.to_owned()).unwrap()];
        let service = "org.freedesktop.resolve1.DnssdService";
        let mut register = |like, id: &str, name: &str, kind: &str| {
            table.manager(like, "RegisterService", registered(id, name, kind));
        };
        register(Same, "svc", "n", "_http._tcp");
        register(Kind, "svc", "n", "_http._tcp");
        register(Same, "a/b ü", "My %H printer", "_ipp._tcp.");
        register(Same, "other", "o", "_ipp._udp");
        for kind in [
            "http",
            "_http",
            "_http._sctp",
            "",
            "_x._y._tcp",
            "_http._tcp.local",
        ] {
            register(Kind, "t", "n", kind);
        }
        for name in ["", "\u{1}"] {
            register(Kind, "t", name, "_http._tcp");
        }
        for key in ["", "ä"] {
            let txt: Txt = vec![BTreeMap::from([(key.to_owned(), Vec::new())])];
            let args = args!["t", "n", "_http._tcp", 1u16, 0u16, 0u16, txt];
            table.manager(Kind, "RegisterService", args);
        }
        table.add(Same, &path("svc"), PROPERTIES, "GetAll", args![service]);
        table.manager(Same, "UnregisterService", object(&path("svc")));
        table.manager(Kind, "UnregisterService", object(&path("svc")));
        table.add(Same, &path("other"), service, "Unregister", args![]);
        table.add(Same, &path("other"), service, "Unregister", args![]);
        let mut nobodys = Table::of(MANAGER, MANAGER_IFACE);
        for kind in ["_http._tcp", "http"] {
            nobodys.manager(Kind, "RegisterService", registered("x", "n", kind));
        }
        nobodys.manager(Kind, "UnregisterService", object(&path("a_2fb_20_c3_bc")));
        let ask = |client: &Client| {
            let mut answers = table.ask(client);
            answers.extend(as_user(NOBODY, || nobodys.ask(&Client::of(NAME))));
            let xml = client.introspect(&path("a_2fb_20_c3_bc"));
            (
                answers,
                members(&xml, service),
                nodes(&client.introspect(&path("").trim_end_matches('/'))),
            )
        };
        let lines = "LLMNR=no\nMulticastDNS=yes\n";
        let peers = world.with(Which::Peer, lines, ask);
        let ours = world.with(Which::Ours, lines, ask);
        let (first, rest) = (table.len(), |of: &[Answer]| of[table.len()..].to_vec());
        table.compare(&peers.0[..first], &ours.0[..first]);
        nobodys.compare(&rest(&peers.0), &rest(&ours.0));
        assert_eq!((peers.1, peers.2), (ours.1, ours.2));
    });
}

/// Without polkit nobody but root changes anything; looking up, flushing and counting anew is for all.
#[test]
fn nobody_is_refused_as_by_systemd() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            return; // as above
        }
        let world = World::new(s);
        let up0 = world.ifindex;
        let mut table = Table::of(MANAGER, MANAGER_IFACE).shown_by(show);
        table.manager(
            Same,
            "ResolveHostname",
            args![0i32, "name.test", 0i32, 0u64],
        );
        for member in ["FlushCaches", "ResetStatistics", "ResetServerFeatures"] {
            table.manager(Same, member, args![]);
        }
        for index in [up0, LOOPBACK, 99, 0] {
            table.manager(Kind, "SetLinkDNS", args![index, vec![v4(192, 0, 2, 1)]]);
            table.manager(Kind, "SetLinkDNS", args![index, vec![(2i32, vec![1u8])]]);
            table.manager(Kind, "SetLinkDefaultRoute", args![index, true]);
            for method in [
                "SetLinkLLMNR",
                "SetLinkMulticastDNS",
                "SetLinkDNSOverTLS",
                "SetLinkDNSSEC",
            ] {
                table.manager(Kind, method, args![index, "no"]);
                table.manager(Kind, method, args![index, "bad"]);
            }
            table.manager(Kind, "RevertLink", args![index]);
        }
        let link = link_path(up0);
        let domains = vec![("a".to_owned(), false)];
        table.add(Kind, &link, LINK_IFACE, "SetDomains", args![domains]);
        let names = vec!["a".to_owned()];
        table.add(
            Kind,
            &link,
            LINK_IFACE,
            "SetDNSSECNegativeTrustAnchors",
            args![names],
        );
        table.add(Kind, &link, LINK_IFACE, "Revert", args![]);
        let level = zbus::Variant::Variant(Box::new("debug".into()));
        let args = args!["org.freedesktop.LogControl1", "LogLevel", level];
        table.add(
            Kind,
            "/org/freedesktop/LogControl1",
            PROPERTIES,
            "Set",
            args,
        );
        for property in OF_LINK {
            table.get(Same, &link, LINK_IFACE, property);
        }
        let ask = |_: &Client| as_user(NOBODY, || table.ask(&Client::of(NAME)));
        let lines = "LLMNR=yes\nMulticastDNS=no\n";
        let peers = world.with(Which::Peer, lines, ask);
        let ours = world.with(Which::Ours, lines, ask);
        table.compare(&peers, &ours);
    });
}

/// The nodes below, in any order: systemd's is that of a hash table.
fn nodes(xml: &str) -> BTreeSet<String> {
    let lines = xml.lines().filter(|line| line.starts_with(" <node "));
    lines.map(str::to_owned).collect()
}

#[test]
fn introspection_is_systemds_and_more() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            return; // as above
        }
        let world = World::new(s);
        let link = link_path(world.ifindex);
        let paths = [
            MANAGER,
            &link,
            "/org/freedesktop/LogControl1",
            &format!("{MANAGER}/link"),
            &format!("{MANAGER}/dnssd"),
            "/org",
            "/",
        ];
        let ask = |client: &Client| paths.map(|path| client.introspect(path));
        let peers = world.with(Which::Peer, "", ask);
        let ours = world.with(Which::Ours, "", ask);
        for ((path, peer), our) in paths.iter().zip(&peers).zip(&ours) {
            for interface in [
                MANAGER_IFACE,
                LINK_IFACE,
                PROPERTIES,
                "org.freedesktop.DBus.Peer",
                "org.freedesktop.DBus.Introspectable",
                "org.freedesktop.LogControl1",
            ] {
                let our = members(our, interface);
                for (member, said) in members(peer, interface) {
                    assert_eq!(our.get(&member), Some(&said), "{path} {interface} {member}");
                }
            }
            let (peer, mut our) = (nodes(peer), nodes(our));
            // Since 258.
            our.remove(" <node name=\"dns_delegate\"/>");
            assert_eq!(peer, our, "{path}");
        }
    });
}
