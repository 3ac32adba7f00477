//! Files that are in the place of a map and are not one to be believed: each is a miss, and so is what comes
//! after it, until there is a good one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may"
)]

mod common;

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;

use common::{World, finds, reader, wait_until};

/// Spoils a good map before anybody has opened it, and asks.
fn refuses(spoil: impl FnOnce(&Path)) {
    let world = World::new();
    let _writer = world.writer();
    assert!(finds(world.reader()), "it is not good to begin with");
    spoil(&world.path);
    assert!(!finds(world.reader()));
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, at).unwrap();
}

#[test]
fn a_symbolic_link() {
    refuses(|path| {
        let real = path.with_extension("real");
        fs::rename(path, &real).unwrap();
        symlink(&real, path).unwrap();
    });
}

#[test]
fn others_may_write() {
    for mode in [0o646, 0o664, 0o666, 0o777] {
        refuses(|path| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap());
    }
}

#[test]
fn it_is_another_users() {
    let world = World::new();
    let _writer = world.writer();
    let other = rustix::process::geteuid().as_raw() + 1;
    let map = lookaside::Lookaside::owned_by(other, common::path_of(&world.path));
    assert!(!finds(Box::leak(Box::new(map))));
}

#[test]
fn it_is_no_file() {
    for make in [
        (|path| fs::create_dir(path).unwrap()) as fn(&Path),
        |path| {
            let mode = rustix::fs::Mode::from_raw_mode(0o644);
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0)
                .unwrap();
        },
        |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
    ] {
        refuses(|path| {
            fs::remove_file(path).unwrap();
            make(path);
        });
    }
}

#[test]
fn it_has_another_size_than_it_says() {
    for size in [
        0,
        1,
        4095,
        4096,
        16 << 10,
        (64 << 10) - 4,
        (64 << 10) + 4,
        128 << 10,
        1 << 40,
    ] {
        refuses(|path| {
            // Another file, since nobody may truncate one that is mapped.
            let bytes = fs::read(path).unwrap();
            let new = path.with_extension("new");
            fs::write(&new, bytes).unwrap();
            let file = OpenOptions::new().write(true).open(&new).unwrap();
            file.set_len(size).unwrap();
            fs::rename(new, path).unwrap();
        });
    }
}

#[test]
fn it_is_of_another_version_or_kind() {
    for at in (0..28).step_by(4) {
        refuses(|path| overwrite(path, at, &0x0101_u32.to_ne_bytes()));
    }
}

#[test]
fn it_is_all_zeros() {
    refuses(|path| overwrite(path, 0, &[0; 64 << 10]));
}

#[test]
fn it_is_random() {
    let mut random = 1_u32;
    for from in [0, 7 * 4, 32, 64, 4096] {
        refuses(|path| {
            let mut next = || {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (random >> 24) as u8
            };
            let bytes: Vec<u8> = (from..64 << 10).map(|_| next()).collect();
            overwrite(path, from, &bytes);
        });
    }
}

#[test]
fn a_good_one_is_taken_up_after_any_number_of_bad_ones() {
    let world = World::new();
    let map = reader(&world.path);
    for at in 0..3 {
        fs::write(&world.path, vec![at; 64 << 10]).unwrap();
        let later = std::time::Instant::now() + std::time::Duration::from_millis(1100);
        wait_until("it is in time", || {
            assert!(!finds(map));
            std::time::Instant::now() > later
        });
    }
    for _ in 0..2 {
        let _writer = world.writer();
        wait_until("the good one is not taken up", || finds(map));
    }
}

#[test]
fn a_file_that_goes_or_changes_hands_does_not_touch_what_is_mapped() {
    let world = World::new();
    let _writer = world.writer();
    let map = world.reader();
    assert!(finds(map));
    fs::set_permissions(&world.path, Permissions::from_mode(0o666)).unwrap();
    fs::remove_file(&world.path).unwrap();
    assert!(finds(map));
}
