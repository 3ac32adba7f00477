//! The four lookups, with good and bad arguments.

use zbus::Message;

use crate::{
    args,
    bus_client::{
        table::{
            Like::{Kind, Ours, Same},
            Table,
        },
        values,
    },
    resolved_bus_world::LOOPBACK,
};

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

type Addresses = Vec<(i32, i32, Vec<u8>)>;

/// What a reply holds, without what differs from one call to the next: the order of addresses, what is left of a time to live.
pub fn show(message: &Message) -> String {
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
            type Record = (i32, u16, u16, Vec<u8>);
            let (mut records, bits): (Vec<Record>, u64) = read(message);
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

pub fn hostnames(table: &mut Table, up0: i32) {
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
        host(table, Same, name, 0, 0);
    }
    for name in ["", "."] {
        host(table, Same, name, 0, DNS);
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
        host(table, Same, "v4only.test", family, 0);
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

pub fn addresses(table: &mut Table) {
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
        address(table, Same, family, bytes, 0);
    }
    for bit in [6, 8, 40] {
        address(table, Same, 2, &[127, 0, 0, 1], 1 << bit);
    }
    let wrong = args![-1i32, 2i32, vec![127u8, 0, 0, 1], 0u64];
    table.manager(Same, "ResolveAddress", wrong);
}

pub fn records(table: &mut Table) {
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
        record(table, Same, "name.test", 1, kind, 0);
    }
    record(table, Same, "nope.test", 1, 16, 0);
    let other_script = Ours("NoSuchRR", "252 has no A-labels for records");
    record(table, other_script, "bücher.test", 1, 16, 0);
    record(table, Same, "a..b", 1, 1, 0);
    for class in [0, 2, 3, 4, 254] {
        record(table, Same, "name.test", class, 1, 0);
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

pub fn services(table: &mut Table) {
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
    service(table, Same, "", "_none._tcp", "test", 0);
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
