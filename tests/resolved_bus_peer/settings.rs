//! Everything that a link can be told, by the manager and by the link's own object.

use crate::{
    args,
    bus_client::table::{
        Like::{self, Kind, Ours, Same},
        Table,
    },
    resolved_bus_world::{LINK_IFACE, LOOPBACK, MANAGER, MANAGER_IFACE, link_path},
};

pub type Server = (i32, Vec<u8>);
type ServerEx = (i32, Vec<u8>, u16, String);

pub fn v4(a: u8, b: u8, c: u8, d: u8) -> Server {
    (2, vec![a, b, c, d])
}

/// All properties of a link.
pub const OF_LINK: [&str; 13] = [
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

fn get_of_link(table: &mut Table, link: &str, property: &str, mdns: Like) {
    let like = match property {
        "MulticastDNS" => mdns,
        // With ours it is the one to be asked next; 252's has none before it has asked one.
        "CurrentDNSServer" | "CurrentDNSServerEx" => Kind,
        _ => Same,
    };
    table.get(like, link, LINK_IFACE, property);
}

/// Everything a link can be told, each time with the property that shows it; `mdns` is for that of multicast DNS.
pub fn settings(table: &mut Table, up0: i32, mdns: Like) {
    let link = &link_path(up0);
    let get = |table: &mut Table, property| get_of_link(table, link, property, mdns);
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
        dns(table, Same, vec![wrong]);
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
    table.manager(Same, "SetLinkDNSEx", args![up0, servers]);

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
        table.manager(Same, "SetLinkDomains", args![up0, domains]);
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
            table.manager(Same, method, args![up0, word]);
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
        table.manager(Same, "SetLinkDNSSECNegativeTrustAnchors", args![up0, names]);
        get(table, "DNSSECNegativeTrustAnchors");
    }
    table.manager(Same, "RevertLink", args![up0]);
    for property in OF_LINK {
        get(table, property);
    }
    on_the_link(table, link, mdns);
}

/// The same by the methods of the link's own object.
fn on_the_link(table: &mut Table, link: &str, mdns: Like) {
    let mut on = |like: Like, path: &str, member, args| {
        table.add(like, path, LINK_IFACE, member, args);
        for property in OF_LINK {
            get_of_link(table, link, property, mdns);
        }
    };
    on(Same, link, "SetDNS", args![vec![v4(192, 0, 2, 1)]]);
    on(Same, link, "SetDNS", args![vec![(2i32, vec![1u8, 2, 3])]]);
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
        on(Same, link, member, args!["bad"]);
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
