//! Lookups in a hosts file.

use std::fs;

use super::*;
use crate::message::Found;

fn lookup(name: &str, types: &[RecordType]) -> Lookup {
    Lookup {
        name: name::parse(name).unwrap(),
        class: DNSClass::IN,
        types: types.to_vec(),
        ifindex: 0,
        flags: Flags::PROTOCOLS,
        dnssec_ok: false,
    }
}

fn hosts(text: &str) -> (tempfile::TempDir, Hosts) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hosts");
    fs::write(&path, text).unwrap();
    (directory, Hosts::new(path))
}

fn told(answer: &Answer) -> Vec<String> {
    let one = |found: &Found| format!("{} {}", name::format(&found.record.name), found.record.data);
    answer.records.iter().map(one).collect()
}

const BOTH: [RecordType; 2] = [RecordType::A, RecordType::AAAA];

#[test]
fn names_and_aliases() {
    let (_directory, hosts) = hosts("192.0.2.1 F1.lan f1\n192.0.2.2 a.lan s\n192.0.2.3 b.lan s\n");
    let ask = |name: &str| {
        hosts
            .answer(&lookup(name, &BOTH))
            .map(|answer| told(&answer))
    };
    assert_eq!(ask("f1.LAN").unwrap(), ["F1.lan 192.0.2.1"]);
    assert_eq!(ask("f1").unwrap(), ["f1 F1.lan.", "F1.lan 192.0.2.1"]);
    assert_eq!(
        ask("s").unwrap(),
        ["s 192.0.2.2", "s 192.0.2.3"],
        "two canonical names are none"
    );
    assert_eq!(ask("x.f1.lan"), None);
    assert_eq!(ask("_f1"), None);
    let mut no_cname = lookup("f1", &BOTH);
    no_cname.flags |= Flags::NO_CNAME;
    assert_eq!(told(&hosts.answer(&no_cname).unwrap()), ["f1 192.0.2.1"]);
    assert_eq!(
        hosts.answer(&lookup("f1", &BOTH)).unwrap().name,
        name::parse("f1.lan").unwrap()
    );
}

#[test]
fn types() {
    let (_directory, hosts) = hosts("192.0.2.1 four\n2001:db8::1 six\n0.0.0.0 none\n");
    let ask = |name: &str, rtype| {
        hosts
            .answer(&lookup(name, &[rtype]))
            .map(|answer| told(&answer))
    };
    assert_eq!(
        ask("four", RecordType::AAAA).unwrap(),
        [""; 0],
        "the file overrides the network"
    );
    assert_eq!(ask("four", RecordType::ANY).unwrap(), ["four 192.0.2.1"]);
    assert_eq!(ask("four", RecordType::MX), None);
    assert_eq!(ask("none", RecordType::A).unwrap(), [""; 0]);
    assert_eq!(ask("none", RecordType::TXT), None);
    let mut chaos = lookup("four", &BOTH);
    chaos.class = DNSClass::CH;
    assert!(hosts.answer(&chaos).is_none());
}

#[test]
fn addresses_back_to_names() {
    let (_directory, hosts) = hosts("192.0.2.1 One uno\n2001:db8::1 six\n");
    let ask = |name: &str| {
        hosts
            .answer(&lookup(name, &[RecordType::PTR]))
            .map(|answer| told(&answer))
    };
    let reverse = "1.2.0.192.in-addr.arpa";
    assert_eq!(
        ask(reverse).unwrap(),
        [format!("{reverse} One."), format!("{reverse} uno.")]
    );
    assert_eq!(ask("2.0.192.in-addr.arpa"), None);
    assert_eq!(ask("2.2.0.192.in-addr.arpa"), None);
}

#[test]
fn changes_are_seen() {
    let (directory, hosts) = hosts("192.0.2.1 a\n");
    let path = directory.path().join("hosts");
    let ask = |name: &str| {
        hosts
            .answer(&lookup(name, &BOTH))
            .map(|answer| told(&answer))
    };
    let look_again = || hosts.state.borrow_mut().looked = None;
    assert!(ask("a").is_some());
    let generation = hosts.generation();
    look_again();
    assert_eq!(hosts.generation(), generation, "the same file");
    fs::write(&path, "192.0.2.1 abc\n").unwrap();
    assert!(ask("a").is_some(), "not before two seconds have passed");
    look_again();
    assert!(ask("a").is_none() && ask("abc").is_some());
    assert!(hosts.generation() > generation);
    fs::remove_file(&path).unwrap();
    look_again();
    assert!(ask("abc").is_none());
    look_again();
    assert!(ask("abc").is_none());
}
