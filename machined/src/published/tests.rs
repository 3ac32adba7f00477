use std::{
    ffi::{CStr, CString},
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    process,
};

use lookaside::{Family, Lookaside, Question, Stat, Verdict};
use rustix::process::geteuid;

use super::*;
use crate::{class::Class, leader::Leader, name::MachineName};

/// More than the smallest map has room for.
const MANY: u32 = 6000;

fn machine(number: u32, leader: &Leader) -> (Rc<Machine>, Known) {
    let name = MachineName::new(&format!("m{number}")).unwrap();
    let leader = leader.try_clone().unwrap();
    let ip = IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + number));
    let known = Known {
        hosts: Some(vec![(ip, None)]),
        addresses: [ip].into(),
        is_all: true,
    };
    (
        Rc::new(Machine::bare(name, Class::Container, leader)),
        known,
    )
}

fn map(test: &str) -> (Map, PathBuf) {
    let folder = format!("machines-{test}-{}", process::id());
    let path = std::env::temp_dir().join(folder).join("map");
    let writer = Writer::create(&path, Settings::default()).unwrap();
    let mut map = Map::new(writer, path.clone());
    map.has_all = true;
    map.say_complete();
    (map, path)
}

fn c_path(path: &Path) -> &'static CStr {
    let path = CString::new(path.to_str().unwrap()).unwrap();
    Box::leak(path.into_boxed_c_str())
}

fn stat(path: &Path) -> Stat {
    Stat::owned_by(geteuid().as_raw(), c_path(path)).unwrap()
}

/// Each has descriptors of its own.
fn many() -> Vec<(Rc<Machine>, Known)> {
    daemon::privileges::raise_descriptor_limit(u64::from(MANY) + 100).unwrap();
    let own = Leader::open(process::id()).unwrap();
    (0..MANY).map(|number| machine(number, &own)).collect()
}

#[test]
fn a_map_that_is_full_is_followed_by_a_larger_one_with_all_that_there_is() {
    let (mut map, path) = map("full");
    let first = path.with_file_name("first");
    fs::hard_link(&path, &first).unwrap();
    for (machine, known) in many() {
        map.put(&machine, known);
    }
    assert!(stat(&first).is_retired);
    let now = stat(&path);
    assert_eq!((now.size, now.evicted), (16 << 20, 0));
    assert_eq!((now.complete, now.lease), (Complete::All, None));
    map.writer.renew();
    let reader = Box::leak(Box::new(Lookaside::owned_by(
        geteuid().as_raw(),
        c_path(&path),
    )));
    let ask = |name: &str| {
        let question = Question::name(name.as_bytes(), Family::Any).unwrap();
        reader.lookup(&question, &mut |_| {})
    };
    for number in 0..MANY {
        let said = ask(&format!("m{number}"));
        assert_eq!(said, Verdict::Found { ttl: None }, "{number}");
    }
    assert_eq!(ask("nobody"), Verdict::NotFound { ttl: None });
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

#[test]
fn a_map_that_can_not_grow_stays_and_is_not_complete() {
    let (mut map, path) = map("stays");
    let in_the_way = path.with_file_name("map.new");
    fs::create_dir(&in_the_way).unwrap();
    let machines = many();
    for (machine, known) in machines {
        map.put(&machine, known);
    }
    let now = stat(&path);
    assert_eq!((now.size, now.complete), (4 << 20, Complete::Nothing));
    assert!(now.evicted > 0 && !now.is_retired && map.next_try > 0);
    fs::remove_dir(in_the_way).unwrap();
    map.next_try = 0;
    map.grow();
    let now = stat(&path);
    assert_eq!((now.size, now.complete), (16 << 20, Complete::All));
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

#[test]
fn sizes_end() {
    let all: Vec<_> = std::iter::successors(size::above(0), |last| size::above(*last)).collect();
    assert_eq!(all, [4 << 20, 16 << 20, 64 << 20, 256 << 20]);
    let dir = std::env::temp_dir().join("map");
    assert!(size::check(&dir, 0).is_ok());
    let error = size::check(&dir, usize::MAX).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}
