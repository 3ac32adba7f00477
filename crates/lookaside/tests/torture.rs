//! A writer that changes all the time, and readers that check each answer by itself: not one may be wrong,
//! torn or older than one before it. `LOOKASIDE_TORTURE` is for how many seconds (3).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may"
)]

mod common;

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::{World, question, reader, wait_until};
use lookaside::{Answer, Complete, Item, Lookaside, Settings, Verdict, Writer};

const READERS: usize = 16;
/// Names that come and go: more than there is room for.
const NAMES: u32 = 1500;
/// Names that are always there, in a map that says so.
const STEADY: u32 = 50;

const ROLE: &str = "LOOKASIDE_TORTURE_READER";

#[test]
fn sixteen_processes_read_what_one_writes() {
    if let Some(directory) = env::var_os(ROLE) {
        read(Path::new(&directory));
        return;
    }
    let world = World::new();
    let myself = env::current_exe().unwrap();
    let spawn = || {
        Command::new(&myself)
            .args([
                "--exact",
                "sixteen_processes_read_what_one_writes",
                "--nocapture",
            ])
            .env(ROLE, world.directory.path())
            .spawn()
            .unwrap()
    };
    let mut daemon = Daemon::new(world.directory.path());
    let mut readers: Vec<_> = (0..READERS).map(|_| spawn()).collect();
    let deadline = Instant::now() + duration() + Duration::from_secs(60);
    let mut failed = 0;
    daemon.work(|| {
        assert!(Instant::now() < deadline, "readers do not end");
        readers.retain_mut(|reader| {
            let ended = reader.try_wait().unwrap();
            failed += u32::from(ended.is_some_and(|status| !status.success()));
            ended.is_none()
        });
        !readers.is_empty()
    });
    assert_eq!(failed, 0);
}

#[test]
fn sixteen_threads_read_what_one_writes() {
    let world = World::new();
    let mut daemon = Daemon::new(world.directory.path());
    thread::scope(|scope| {
        let readers: Vec<_> = (0..READERS)
            .map(|_| scope.spawn(|| read(world.directory.path())))
            .collect();
        daemon.work(|| !readers.iter().all(|reader| reader.is_finished()));
    });
}

fn duration() -> Duration {
    let seconds = env::var("LOOKASIDE_TORTURE").map_or(3, |text| text.parse().unwrap());
    Duration::from_secs(seconds)
}

fn maps(directory: &Path) -> [PathBuf; 2] {
    ["busy", "steady"].map(|name| directory.join(name))
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        // Knuth's MMIX.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32 % limit
    }
}

/// The writer.
struct Daemon {
    busy: Writer,
    steady: Writer,
    busy_path: PathBuf,
    editions: HashMap<u32, u32>,
    replaced: Vec<Instant>,
    random: Random,
}

impl Daemon {
    fn new(directory: &Path) -> Self {
        let [busy_path, steady_path] = maps(directory);
        let start = Instant::now();
        let mut new = Self {
            busy: make(&busy_path),
            steady: make(&steady_path),
            busy_path,
            editions: HashMap::new(),
            // Twice: a process takes up no more than a few.
            replaced: vec![start + duration() / 3 * 2, start + duration() / 3],
            random: Random(1),
        };
        for number in 0..STEADY {
            publish(&mut new.steady, number, 0);
        }
        new.steady.set_complete(Complete::All);
        new.steady.renew();
        new
    }

    fn work(&mut self, mut goes_on: impl FnMut() -> bool) {
        while goes_on() {
            for _ in 0..1000 {
                self.step();
            }
            if self.replaced.last().is_some_and(|at| Instant::now() > *at) {
                self.replaced.pop();
                self.busy = make(&self.busy_path);
            }
        }
    }

    fn step(&mut self) {
        let number = self.random.below(NAMES);
        match self.random.below(10_000) {
            0 => self.busy.void(),
            1..1000 => self.busy.remove(&question(&asked(number))),
            _ => {
                let edition = self.editions.entry(number).or_insert(0);
                *edition += 1;
                publish(&mut self.busy, number, *edition);
            }
        }
        let number = number % STEADY;
        publish(&mut self.steady, number, self.random.below(1000));
        self.busy.renew();
        self.steady.renew();
    }
}

fn make(path: &Path) -> Writer {
    Writer::create(
        path,
        Settings {
            size: 128 << 10,
            lease: 5,
        },
    )
    .unwrap()
}

fn asked(number: u32) -> String {
    format!("host-{number}.example")
}

/// What follows from a name's number and edition: so many addresses, the canonical name that says which, and some
/// names that do not exist, or not in this family.
struct Expected {
    name: String,
    addresses: Vec<[u8; 4]>,
}

impl Expected {
    fn new(number: u32, edition: u32) -> Self {
        let mut random = Random(u64::from(number) << 32 | u64::from(edition));
        // Long and short ones take turns, so that blocks change hands.
        let count = [1, 2, 8, 80][random.below(4) as usize];
        Self {
            name: format!("host-{number}.edition-{edition}"),
            addresses: (0..count)
                .map(|_| random.below(u32::MAX).to_ne_bytes())
                .collect(),
        }
    }

    fn items(&self) -> Vec<Item<'_>> {
        let address = |octets| Item::Address { octets, ifindex: 0 };
        let addresses = self.addresses.iter().map(|octets| address(&octets[..]));
        addresses
            .chain([Item::Name(self.name.as_bytes())])
            .collect()
    }
}

fn publish(writer: &mut Writer, number: u32, edition: u32) {
    let expected = Expected::new(number, edition);
    let items = expected.items();
    let answer = match number % 10 {
        7 => Answer::NotFound,
        8 => Answer::NoData,
        _ => Answer::Found(&items),
    };
    assert!(writer.publish(
        &question(&asked(number)),
        answer,
        [Some(60), None][number as usize % 2]
    ));
}

/// A reader: from when there is something to read on.
fn read(directory: &Path) {
    let [busy, steady] = maps(directory).map(|path| reader(&path));
    let mut random = Random(
        u64::from(std::process::id()) << 32
            | u64::from(rustix::thread::gettid().as_raw_pid() as u32),
    );
    let (mut latest, mut hits, mut asks, mut unknown) = (HashMap::new(), 0_u64, 0_u64, 0);
    let absent = Verdict::NotFound { ttl: None };
    let has_begun = || {
        steady.lookup(&question(&asked(STEADY)), &mut |_| {}) == absent
            && (0..NAMES).any(|number| ask(busy, number).is_some())
    };
    wait_until("nothing is published", has_begun);
    let end = Instant::now() + duration();
    while Instant::now() < end {
        for _ in 0..100 {
            asks += 1;
            let number = random.below(NAMES);
            if let Some(edition) = ask(busy, number) {
                hits += 1;
                let last = latest.insert(number, edition).unwrap_or(0);
                assert!(edition >= last, "{number}: {last} came before {edition}");
            }
            let number = random.below(2 * STEADY);
            let verdict = steady.lookup(&question(&asked(number)), &mut |_| {});
            // Of those that are there, it is an answer to some.
            if matches!(verdict, Verdict::NotFound { .. }) && number < STEADY {
                assert_eq!(number % 10, 7, "{number} exists");
            }
            unknown += u32::from(number >= STEADY && verdict != Verdict::Miss);
            ask(steady, number % STEADY);
        }
    }
    assert!(hits > 0 && unknown > 0, "{hits} hits of {asks}");
    println!("{hits} hits of {asks}");
}

/// Checks the answer for a name, and says of which edition it is, if it has one.
fn ask(map: &Lookaside, number: u32) -> Option<u32> {
    let (mut addresses, mut names) = (Vec::new(), Vec::new());
    let verdict = map.lookup(&question(&asked(number)), &mut |item| match item {
        Item::Address { octets, ifindex: 0 } => addresses.push(octets.to_vec()),
        Item::Address { .. } => panic!("{item:?}"),
        Item::Name(name) => names.push(String::from_utf8(name.to_vec()).unwrap()),
    });
    let ttl = match verdict {
        Verdict::Miss => return None,
        Verdict::Found { ttl } => {
            assert!(!matches!(number % 10, 7 | 8), "{number}: {verdict:?}");
            ttl
        }
        Verdict::NotFound { ttl } => {
            assert_eq!(number % 10, 7, "{verdict:?}");
            ttl
        }
        Verdict::NoData { ttl } => {
            assert_eq!(number % 10, 8, "{verdict:?}");
            ttl
        }
    };
    let has_its_time = match ttl {
        // Of an entry that came while the reader was kept waiting, it measures from before that.
        Some(ttl) => number.is_multiple_of(2) && (1..=60 + 10).contains(&ttl),
        None => number % 2 == 1,
    };
    assert!(has_its_time, "{number}: {verdict:?}");
    let [name] = &names[..] else {
        assert!(names.is_empty() && addresses.is_empty());
        return Some(0);
    };
    let edition = name.rsplit('-').next().unwrap().parse().unwrap();
    let expected = Expected::new(number, edition);
    assert_eq!(
        (name, addresses),
        (
            &expected.name,
            expected.addresses.iter().map(|a| a.to_vec()).collect()
        )
    );
    Some(edition)
}
