//! Files that other programs write, and those of the daemons themselves.

use std::{cell::OnceCell, fs, net::IpAddr};

use futures_util::FutureExt;
use hickory_proto::rr::{DNSClass, RData, RecordType};
use machined::trial::try_state_file;
use resolved::{
    config::{Config, server},
    flags::Flags,
    links::{Network, networkd, saved},
    local::{HostName, Local, Paths, World},
    message::Lookup,
    name, resolv_conf,
};
use tempfile::TempDir;

use crate::config::memory;

thread_local! {
    static PLACE: OnceCell<TempDir> = const { OnceCell::new() };
}

fn with_place<T>(work: impl FnOnce(&std::path::Path) -> T) -> T {
    PLACE.with(|place| work(place.get_or_init(memory).path()))
}

/// hosts(5): an address that is answered stands in the file, and so does a name.
pub fn hosts_file(bytes: &[u8]) {
    with_place(|dir| {
        fs::write(dir.join("hosts"), bytes).unwrap();
        let local = Local::new(Paths {
            hosts: dir.join("hosts"),
            hooks: dir.join("hooks"),
            hooks_owner: 0,
            static_records: Vec::new(),
        });
        let text = String::from_utf8_lossy(bytes);
        let words = text.split_ascii_whitespace();
        // A comment may begin in the middle of a word.
        let words: Vec<&str> = words.flat_map(|word| word.split('#').next()).collect();
        let names = ["web.example", "localhost", "4.3.2.1.in-addr.arpa"];
        let first = words
            .iter()
            .copied()
            .filter(|word| word.parse::<IpAddr>().is_err());
        for asked in names.into_iter().chain(first.take(4)) {
            let Ok(name) = name::parse(asked) else {
                continue;
            };
            let lookup = Lookup {
                name,
                class: DNSClass::IN,
                types: vec![RecordType::A, RecordType::AAAA, RecordType::PTR],
                ifindex: 0,
                flags: Flags::PROTOCOLS,
                dnssec_ok: false,
            };
            for data in answer(&local, &lookup) {
                match data {
                    RData::A(a) => stands_there(&words, a.0.into()),
                    RData::AAAA(aaaa) => stands_there(&words, aaaa.0.into()),
                    RData::PTR(target) => {
                        let target = name::format(&target.0);
                        let same = |word: &&str| word.trim_end_matches('.') == target;
                        assert!(words.iter().any(same) || target == "localhost", "{target}");
                    }
                    _ => {}
                }
            }
        }
    });
}

fn answer(local: &Local, lookup: &Lookup) -> Vec<RData> {
    let (network, host_name, config) =
        (Network::default(), HostName::new("host"), Config::default());
    let world = World {
        network: &network,
        host_name: &host_name,
        config: &config,
    };
    let known = local
        .before(lookup, &world)
        .now_or_never()
        .expect("no hook");
    let records = known.and_then(Result::ok).map(|answer| answer.records);
    let records = records.unwrap_or_default().into_iter();
    records.map(|found| found.record.data).collect()
}

/// What every machine has, or what the file says.
fn stands_there(words: &[&str], address: IpAddr) {
    let says_so = |word: &&str| word.parse() == Ok(address);
    assert!(
        address.is_loopback() || words.iter().any(says_so),
        "{address}"
    );
}

/// resolv.conf(5): no server that can't be one, and what is read is read of it when it is written.
pub fn resolv_conf(bytes: &[u8]) {
    let read = |bytes: &[u8]| {
        with_place(|dir| {
            let etc = dir.join("resolv.conf");
            fs::write(&etc, bytes).unwrap();
            resolv_conf::read_foreign(&resolv_conf::Paths {
                etc,
                dir: dir.join("run"),
                fixed: dir.join("fixed"),
            })
        })
    };
    let foreign = read(bytes);
    assert!(foreign.servers.len() <= 256 && foreign.domains.len() <= 1024);
    let mut text = String::new();
    for read in &foreign.servers {
        assert!(server::is_usable(read.address) && read.port == 0 && read.name.is_none());
        text += &format!("nameserver {}\n", server::format(read));
    }
    for domain in &foreign.domains {
        text += &format!("search {}\n", resolved::config::domain::format(domain));
    }
    assert_eq!(read(text.as_bytes()), foreign, "{text}");
}

/// What networkd, or we, keep of a link: ours is read as it was written.
pub fn link_state(bytes: &[u8]) {
    with_place(|dir| {
        fs::write(dir.join("3"), bytes).unwrap();
        drop(networkd::read(dir, 3));
        let Ok(Some(settings)) = saved::load(dir, 3) else {
            return;
        };
        assert!(settings.servers.len() <= 256 && settings.domains.len() <= 1024);
        saved::save(dir, 3, &settings).unwrap();
        let again = saved::load(dir, 3).unwrap().unwrap_or_default();
        assert_eq!(again, settings);
    });
}

/// `KEY=value`: what is read is read of it when it is written, where it is of one line.
pub fn env_file(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut written = String::new();
    let mut expected = Vec::new();
    for (key, value) in env_file::parse(&text) {
        assert!(!key.contains('=') && !key.ends_with([' ', '\t']));
        if key.is_empty() || value.is_empty() || value.contains(['\n', '\r']) {
            continue;
        }
        env_file::push(&mut written, key, &value);
        expected.push((key, value));
    }
    let again: Vec<_> = env_file::parse(&written).collect();
    assert_eq!(again, expected, "{written}");
}

/// machined's file of a machine: written again it says the same, and whose it is does not change.
pub fn machine_state(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some(written) = try_state_file("web", &text) else {
        return;
    };
    assert_eq!(
        try_state_file("web", &written).as_ref(),
        Some(&written),
        "{written}"
    );
    let uids = |text: &str| -> Vec<String> {
        let lines = env_file::parse(text).filter(|(key, _)| *key == "UID");
        lines.map(|(_, value)| value).collect()
    };
    let uid = uids(&text).pop().filter(|uid| !uid.is_empty());
    let uid: u32 = uid.map_or(0, |uid| {
        uid.parse().expect("one that can't be read is refused")
    });
    assert_eq!(uids(&written), [uid.to_string()]);
}
