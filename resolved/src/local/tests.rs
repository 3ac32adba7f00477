//! The order of the local sources, and what the machine says of itself.

use std::{fs, net::IpAddr};

use hickory_proto::rr::{DNSClass, RecordType};

use super::*;
use crate::{
    links::{Gateway, Link, LinkAddress},
    name,
};

fn address(text: &str, scope: u8) -> LinkAddress {
    LinkAddress {
        address: text.parse().unwrap(),
        prefix: 24,
        scope,
        unusable: false,
    }
}

/// lo, eth0 with a global and a link-local address and one that is not to be used, wlan0.
fn network() -> Network {
    let link = |index, name: &str, addresses| Link {
        index,
        name: name.to_owned(),
        addresses,
        ..Link::default()
    };
    let gateway = |metric, ifindex, address: &str| Gateway {
        metric,
        ifindex,
        address: Some(address.parse().unwrap()),
        preferred_source: None,
    };
    let mut unusable = address("192.0.2.99", 0);
    unusable.unusable = true;
    let mut network = Network::default();
    for link in [
        link(
            1,
            "lo",
            vec![address("127.0.0.1", 254), address("::1", 254)],
        ),
        link(
            2,
            "eth0",
            vec![
                address("fe80::2", 253),
                address("192.0.2.2", 0),
                address("2001:db8::2", 0),
                unusable,
            ],
        ),
        link(
            3,
            "wlan0",
            vec![address("192.0.2.1", 0), address("169.254.1.1", 253)],
        ),
    ] {
        network.links.insert(link.index, link);
    }
    network.gateways = vec![
        gateway(600, 3, "192.0.2.253"),
        Gateway {
            preferred_source: Some("192.0.2.2".parse().unwrap()),
            ..gateway(100, 2, "192.0.2.254")
        },
        gateway(100, 2, "fe80::1"),
    ];
    network
}

struct Machine {
    directory: tempfile::TempDir,
    local: Local,
    network: Network,
    host_name: HostName,
    config: Config,
}

impl Machine {
    fn new(hosts: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths {
            hosts: directory.path().join("hosts"),
            hooks: directory.path().join("hooks"),
            hooks_owner: rustix::process::getuid().as_raw(),
            static_records: vec![directory.path().join("static.d")],
        };
        fs::write(&paths.hosts, hosts).unwrap();
        Self {
            directory,
            local: Local::new(paths),
            network: network(),
            host_name: HostName::new("web.example.com"),
            config: Config::default(),
        }
    }

    fn world(&self) -> World<'_> {
        World {
            network: &self.network,
            host_name: &self.host_name,
            config: &self.config,
        }
    }

    fn before(&self, lookup: &Lookup) -> Option<Answer> {
        // Without a hook there is nothing to wait for.
        let answer = self.local.before(lookup, &self.world());
        futures_util::FutureExt::now_or_never(answer)
            .unwrap()
            .map(Result::unwrap)
    }

    fn after(&self, lookup: &Lookup) -> Option<Answer> {
        self.local
            .after(lookup, &self.world(), &Err(Failure::NoNameServers))
    }
}

const BOTH: [RecordType; 2] = [RecordType::A, RecordType::AAAA];

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

fn pointer(address: &str) -> Lookup {
    let name = Name::from(address.parse::<IpAddr>().unwrap());
    lookup(&name::format(&name), &[RecordType::PTR])
}

fn told(answer: Option<Answer>) -> Vec<String> {
    let answer = answer.expect("an answer");
    let records = answer.records.iter();
    records
        .map(|found| format!("{}%{}", found.record.data, found.ifindex))
        .collect()
}

#[test]
fn localhost_is_the_loopback() {
    let machine = Machine::new("");
    for name in [
        "localhost",
        "A.localhost",
        "localhost.localdomain",
        "b.c.localhost.localdomain",
    ] {
        let answer = machine.before(&lookup(name, &BOTH));
        assert_eq!(told(answer), ["127.0.0.1%1", "::1%1"], "{name}");
    }
    let answer = machine.before(&lookup("localhost", &BOTH)).unwrap();
    assert_eq!(answer.flags.bits(), 786_945, "as systemd says");
    assert_eq!(
        told(machine.before(&lookup("localhost", &[RecordType::MX]))),
        [""; 0]
    );
    let by_link = Lookup {
        ifindex: 3,
        ..lookup("localhost", &BOTH)
    };
    assert_eq!(told(machine.before(&by_link)), ["127.0.0.1%3", "::1%3"]);
}

#[test]
fn without_ipv6_there_is_none() {
    let mut machine = Machine::new("");
    for link in machine.network.links.values_mut() {
        link.addresses.retain(|address| address.address.is_ipv4());
    }
    assert_eq!(
        told(machine.before(&lookup("localhost", &BOTH))),
        ["127.0.0.1%1"]
    );
}

#[test]
fn the_file_precedes_synthesis_and_the_switch_precedes_the_file() {
    let mut machine = Machine::new("127.0.0.1 localhost web\n");
    assert_eq!(
        told(machine.before(&lookup("localhost", &BOTH))),
        ["127.0.0.1%0"]
    );
    machine.config.read_etc_hosts = false;
    assert_eq!(
        told(machine.before(&lookup("localhost", &BOTH))),
        ["127.0.0.1%1", "::1%1"]
    );
}

#[test]
fn static_records_precede_the_file() {
    let mut machine = Machine::new("192.0.2.7 a.lan b.lan\n");
    let records = r#"[
        {"key": {"type": 1, "name": "a.lan"}, "address": [192, 0, 2, 8]},
        {"key": {"type": 5, "name": "alias.lan"}, "name": "b.lan"}
    ]"#;
    let directory = machine.directory.path().join("static.d");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("a.rr"), records).unwrap();
    assert_eq!(
        told(machine.before(&lookup("A.lan", &BOTH))),
        ["192.0.2.8%0"]
    );
    let six = machine.before(&lookup("a.lan", &[RecordType::AAAA]));
    assert_eq!(told(six), [""; 0], "there is none but the one written");
    assert!(
        machine
            .before(&lookup("a.lan", &[RecordType::MX]))
            .is_none()
    );
    assert!(machine.before(&lookup("below.a.lan", &BOTH)).is_none());
    for types in [&BOTH[..], &[RecordType::MX]] {
        assert_eq!(
            told(machine.before(&lookup("alias.lan", types))),
            ["b.lan.%0"]
        );
    }
    machine.config.read_static_records = false;
    assert_eq!(
        told(machine.before(&lookup("a.lan", &BOTH))),
        ["192.0.2.7%0"]
    );
}

#[test]
fn nothing_is_made_up_where_that_is_forbidden() {
    let machine = Machine::new("192.0.2.7 web.lan\n");
    for name in ["localhost", "web.lan", "_gateway", "a.invalid"] {
        let lookup = Lookup {
            flags: Flags::PROTOCOLS | Flags::NO_SYNTHESIZE,
            ..lookup(name, &BOTH)
        };
        assert!(
            machine.before(&lookup).is_none() && machine.after(&lookup).is_none(),
            "{name}"
        );
    }
}

#[test]
fn the_answer_is_by_a_protocol_that_was_asked_for() {
    let machine = Machine::new("");
    for (asked, told) in [
        (Flags::LLMNR_IPV4, Flags::LLMNR_IPV4),
        (Flags::LLMNR, Flags::LLMNR_IPV4),
        (Flags::MDNS_IPV6, Flags::MDNS_IPV6),
        (Flags::DNS | Flags::MDNS, Flags::DNS),
    ] {
        let lookup = Lookup {
            flags: asked,
            ..lookup("localhost", &BOTH)
        };
        assert_eq!(
            machine.before(&lookup).unwrap().flags & Flags::PROTOCOLS,
            told
        );
    }
}

#[test]
fn names_that_are_nowhere() {
    let machine = Machine::new("");
    for lookup in [
        lookup("a.invalid", &BOTH),
        lookup("x.alt", &BOTH),
        pointer("0.0.0.0"),
        pointer("255.255.255.255"),
        pointer("::"),
    ] {
        let answer = machine.before(&lookup).unwrap();
        assert_eq!(answer.rcode, ResponseCode::NXDomain, "{}", lookup.name);
    }
}

#[test]
fn the_own_name_has_all_addresses_where_the_network_does_not_know_it() {
    let machine = Machine::new("");
    let all = [
        "192.0.2.2%2",
        "192.0.2.1%3",
        "169.254.1.1%3",
        "2001:db8::2%2",
        "fe80::2%2",
    ];
    for name in ["web.example.com", "WEB", "web.local"] {
        let lookup = lookup(name, &BOTH);
        assert!(machine.before(&lookup).is_none());
        assert_eq!(told(machine.after(&lookup)), all, "{name}");
    }
    let by_link = Lookup {
        ifindex: 3,
        ..lookup("web", &BOTH)
    };
    assert_eq!(
        told(machine.after(&by_link)),
        ["192.0.2.1%3", "169.254.1.1%3"]
    );
    assert!(machine.after(&lookup("web2", &BOTH)).is_none());
}

#[test]
fn the_root_has_no_address() {
    let machine = Machine::new("");
    let answer = machine.after(&lookup(".", &BOTH)).unwrap();
    assert_eq!(answer.rcode, ResponseCode::NoError);
    assert!(answer.records.is_empty());
    assert!(machine.after(&lookup(".", &[RecordType::NS])).is_none());
}

#[test]
fn only_a_failure_is_stood_in_for() {
    let machine = Machine::new("");
    let lookup = lookup("web", &BOTH);
    let stands_in = |outcome| {
        machine
            .local
            .after(&lookup, &machine.world(), &outcome)
            .is_some()
    };
    assert!(stands_in(Ok(Answer::no_such_name(lookup.name.clone()))));
    assert!(stands_in(Err(Failure::Rcode(ResponseCode::ServFail, None))));
    assert!(stands_in(Err(Failure::TimedOut)));
    assert!(!stands_in(Ok(Answer::made_here(
        lookup.name.clone(),
        Vec::new()
    ))));
    assert!(!stands_in(Err(Failure::DnssecFailed(
        crate::failure::DnssecFault::Invalid,
        None
    ))));
}

#[test]
fn a_machine_without_addresses_is_still_somewhere() {
    let mut machine = Machine::new("");
    machine.network.links.retain(|index, _| *index == 1);
    assert_eq!(
        told(machine.after(&lookup("web", &BOTH))),
        ["127.0.0.2%1", "::1%1"]
    );
}

#[test]
fn routers() {
    let mut machine = Machine::new("");
    let ask = |machine: &Machine, name, types: &[RecordType]| machine.before(&lookup(name, types));
    assert_eq!(
        told(ask(&machine, "_gateway", &BOTH)),
        ["192.0.2.254%2", "192.0.2.253%3", "fe80::1%2"]
    );
    assert_eq!(
        told(ask(&machine, "_outbound", &[RecordType::A]))
            .first()
            .unwrap(),
        "192.0.2.2%2"
    );
    machine.network.gateways.pop();
    assert_eq!(
        told(ask(&machine, "_gateway", &[RecordType::AAAA])),
        [""; 0],
        "there is one of the other family"
    );
    machine.network.gateways.clear();
    for name in ["_gateway", "_outbound"] {
        let answer = ask(&machine, name, &BOTH).unwrap();
        assert_eq!(answer.rcode, ResponseCode::NXDomain, "{name}");
    }
}

#[test]
fn the_stub_has_names() {
    let machine = Machine::new("");
    assert_eq!(
        told(machine.before(&lookup("_localdnsstub", &BOTH))),
        ["127.0.0.53%1"]
    );
    assert_eq!(
        told(machine.before(&lookup("_localdnsproxy", &BOTH))),
        ["127.0.0.54%1"]
    );
    for (address, name) in [
        ("127.0.0.53", "_localdnsstub.%1"),
        ("127.0.0.54", "_localdnsproxy.%1"),
        ("127.0.0.55", "localhost.%1"),
    ] {
        assert_eq!(told(machine.before(&pointer(address))), [name]);
    }
}

#[test]
fn addresses_have_names() {
    let machine = Machine::new("");
    let own = [
        "web.example.com.%1",
        "web.%1",
        "web.local.%1",
        "localhost.%1",
    ];
    assert_eq!(told(machine.before(&pointer("127.0.0.2"))), own);
    assert_eq!(
        told(machine.before(&pointer("127.1.2.3"))),
        ["localhost.%1"]
    );
    assert_eq!(told(machine.before(&pointer("::1"))), ["localhost.%1"]);
    let asked = pointer("192.0.2.2");
    assert!(
        machine.before(&asked).is_none(),
        "the network may know better"
    );
    assert_eq!(
        told(machine.after(&asked)),
        ["web.example.com.%2", "web.%2", "web.local.%2"]
    );
    assert_eq!(
        told(machine.after(&pointer("192.0.2.254"))),
        ["_gateway.%2"]
    );
    assert!(machine.after(&pointer("192.0.2.77")).is_none());
    assert!(
        machine.after(&pointer("192.0.2.99")).is_none(),
        "not to be used"
    );
}
