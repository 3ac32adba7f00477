//! What the tests of files share.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    reason = "a test may, and each uses some of it"
)]

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use lookaside::{Answer, Family, Item, Lookaside, Question, Settings, Verdict, Writer};
use tempfile::TempDir;

/// A file system in memory, as /run is.
pub const MEMORY: &str = "/dev/shm";

pub const SMALL: Settings = Settings {
    size: 64 << 10,
    lease: 5,
};

/// A map that one name is in.
pub struct World {
    pub directory: TempDir,
    pub path: PathBuf,
}

impl World {
    pub fn new() -> Self {
        let directory = tempfile::tempdir_in(MEMORY).unwrap();
        let path = directory.path().join("map");
        Self { directory, path }
    }

    pub fn writer(&self) -> Writer {
        let mut writer = Writer::create(&self.path, SMALL).unwrap();
        assert!(writer.publish(&known(), Answer::Found(&ADDRESSES), None));
        writer.renew();
        writer
    }

    pub fn reader(&self) -> &'static Lookaside {
        reader(&self.path)
    }
}

pub const ADDRESSES: [Item<'_>; 1] = [Item::Address {
    octets: &[192, 0, 2, 1],
    ifindex: 0,
}];

pub fn known() -> Question<'static> {
    question("known.example")
}

pub fn question(name: &str) -> Question<'_> {
    Question::name(name.as_bytes(), Family::Any).unwrap()
}

/// A reader as a process has it, which believes the user who runs the tests.
pub fn reader(path: &Path) -> &'static Lookaside {
    let owner = rustix::process::geteuid().as_raw();
    Box::leak(Box::new(Lookaside::owned_by(owner, path_of(path))))
}

pub fn path_of(path: &Path) -> &'static std::ffi::CStr {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    Box::leak(path.into_boxed_c_str())
}

pub fn finds(map: &Lookaside) -> bool {
    let mut parts = 0;
    let verdict = map.lookup(&known(), &mut |item| {
        assert_eq!(item, ADDRESSES[0]);
        parts += 1;
    });
    match verdict {
        Verdict::Found { ttl: None } if parts == 1 => true,
        Verdict::Miss if parts == 0 => false,
        other => panic!("{other:?}, {parts} parts"),
    }
}

/// Waits until something is so: readers look for a new file once a second, and leases are in seconds.
pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}
