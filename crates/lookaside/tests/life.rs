//! A map from its making to its replacement.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may"
)]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{Duration, Instant};

use common::{SMALL, World, finds, known, path_of, question, wait_until};
use lookaside::{Answer, Complete, Settings, Stat, Verdict, Writer};

#[test]
fn the_file_has_its_size_and_is_for_all_to_read() {
    let world = World::new();
    let _writer = world.writer();
    let status = fs::metadata(&world.path).unwrap();
    assert_eq!(status.len(), 64 << 10);
    assert!(status.blocks() * 512 >= status.len(), "it has holes");
    assert_eq!(status.permissions().mode() & 0o7777, 0o644);
    let names: Vec<_> = fs::read_dir(world.directory.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "something else was left: {names:?}");
}

#[test]
fn a_writer_holds_no_descriptor() {
    let world = World::new();
    let _writer = world.writer();
    let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| {
        let target = fs::read_link(entry.unwrap().path()).ok()?;
        target.starts_with(world.directory.path()).then_some(target)
    });
    assert_eq!(open.count(), 0);
}

#[test]
fn the_directory_is_made_where_it_is_missing() {
    let world = World::new();
    let path = world.directory.path().join("new/map");
    let _writer = Writer::create(&path, SMALL).unwrap();
    let mode = fs::metadata(path.parent().unwrap())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o022, 0);
}

#[test]
fn a_size_that_no_map_has_is_refused() {
    let world = World::new();
    for size in [0, 4096, (16 << 10) - 1, (256 << 20) + 1] {
        let settings = Settings { size, ..SMALL };
        let error = Writer::create(&world.path, settings).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
    assert!(!world.path.exists());
}

#[test]
fn a_reader_finds_a_map_that_comes_later() {
    let world = World::new();
    let map = world.reader();
    assert!(!finds(map));
    let _writer = world.writer();
    wait_until("it is not found", || finds(map));
}

#[test]
fn nothing_is_found_before_the_first_lease_or_after_its_end() {
    let world = World::new();
    let mut writer = Writer::create(&world.path, Settings { lease: 3, ..SMALL }).unwrap();
    writer.publish(&known(), Answer::Found(&common::ADDRESSES), None);
    let map = world.reader();
    assert!(!finds(map));
    writer.renew();
    assert!(finds(map), "the same file is not looked for again");
    wait_until("the lease does not end", || !finds(map));
    writer.renew();
    assert!(finds(map));
    writer.suspend();
    assert!(!finds(map));
    writer.renew();
    assert!(finds(map));
}

#[test]
fn a_map_is_retired_when_its_writer_ends() {
    let world = World::new();
    let writer = world.writer();
    let map = world.reader();
    assert!(finds(map));
    drop(writer);
    assert!(!finds(map));
    assert!(!finds(world.reader()));
}

#[test]
fn a_map_that_is_over_is_not_taken_up() {
    let world = World::new();
    let map = world.reader();
    for _ in 0..5 {
        drop(world.writer());
        let later = Instant::now() + Duration::from_millis(1100);
        wait_until("it is in time", || !finds(map) && Instant::now() > later);
    }
    let _writer = world.writer();
    wait_until("the new map is not taken up", || finds(map));
}

#[test]
fn a_new_map_retires_that_of_a_writer_which_was_killed() {
    let world = World::new();
    let mut killed = world.writer();
    let map = world.reader();
    assert!(finds(map));
    let mut new = Writer::create(&world.path, SMALL).unwrap();
    killed.renew();
    assert!(!finds(map), "a flush by the new daemon would not reach it");
    new.publish(&known(), Answer::Found(&common::ADDRESSES), None);
    new.renew();
    wait_until("the new map is not taken up", || finds(map));
    std::mem::forget(killed);
}

#[test]
fn a_daemon_without_a_map_retires_that_of_one_which_was_killed() {
    let world = World::new();
    let killed = world.writer();
    let map = world.reader();
    assert!(finds(map));
    Writer::retire(&world.path);
    assert!(!finds(map));
    std::mem::forget(killed);
    // Where there is none, or something else, nothing happens.
    fs::write(&world.path, "something else").unwrap();
    Writer::retire(&world.path);
    assert_eq!(fs::read(&world.path).unwrap(), b"something else");
    fs::remove_file(&world.path).unwrap();
    Writer::retire(&world.path);
    assert!(!world.path.exists());
}

#[test]
fn a_map_that_can_not_be_made_leaves_none() {
    let world = World::new();
    let killed = world.writer();
    let map = world.reader();
    assert!(finds(map));
    let too_small = Settings { size: 0, ..SMALL };
    assert!(Writer::create(&world.path, too_small).is_err());
    assert!(!finds(map));
    std::mem::forget(killed);
}

#[test]
fn a_process_takes_up_four_maps_and_then_asks_the_daemon() {
    let world = World::new();
    let map = world.reader();
    for _ in 0..4 {
        let _writer = world.writer();
        wait_until("the new map is not taken up", || finds(map));
    }
    let _writer = world.writer();
    let other = world.reader();
    assert!(finds(other));
    // By then it would have looked for it.
    let later = Instant::now() + Duration::from_millis(2500);
    wait_until("it is in time", || {
        assert!(!finds(map));
        Instant::now() > later
    });
}

#[test]
fn a_daemon_can_tell_that_all_was_voided_meanwhile() {
    let world = World::new();
    let mut writer = world.writer();
    let map = world.reader();
    let before = writer.epoch();
    writer.remove(&known());
    assert_eq!(writer.epoch(), before);
    writer.publish(&known(), Answer::Found(&common::ADDRESSES), None);
    assert!(finds(map));
    writer.void();
    assert_ne!(writer.epoch(), before);
    assert!(!finds(map));
}

#[test]
fn a_time_to_live_is_handed_on() {
    let world = World::new();
    let mut writer = world.writer();
    writer.publish(&question("absent"), Answer::NotFound, Some(100));
    writer.publish(&question("zero"), Answer::NotFound, Some(100));
    writer.publish(&question("zero"), Answer::NotFound, Some(0));
    let map = world.reader();
    let verdict = map.lookup(&question("absent"), &mut |_| {});
    let Verdict::NotFound { ttl: Some(ttl) } = verdict else {
        panic!("{verdict:?}");
    };
    assert!((90..=100).contains(&ttl), "{ttl}");
    assert_eq!(map.lookup(&question("zero"), &mut |_| {}), Verdict::Miss);
}

#[test]
fn the_numbers_are_those_of_the_map() {
    let world = World::new();
    let owner = rustix::process::geteuid().as_raw();
    let path = path_of(&world.path);
    assert_eq!(Stat::owned_by(owner, path), None);
    let mut writer = world.writer();
    writer.publish(
        &question("long"),
        Answer::Found(&[common::ADDRESSES[0]; 50]),
        None,
    );
    writer.remove(&known());
    writer.set_complete(Complete::All);
    let stat = Stat::owned_by(owner, path).unwrap();
    assert_eq!((stat.size, stat.slots, stat.blocks), (64 << 10, 312, 39));
    assert_eq!((stat.entries, stat.long_entries), (1, 1));
    assert_eq!((stat.published, stat.removed, stat.refused), (2, 1, 0));
    assert!(
        stat.age <= 5 && stat.lease.is_some_and(|left| left <= 5),
        "{stat:?}"
    );
    assert!(stat.complete == Complete::All && !stat.is_retired);
    writer.void();
    drop(writer);
    let stat = Stat::owned_by(owner, path).unwrap();
    assert!(
        stat.is_retired && stat.complete == Complete::Nothing && stat.lease.is_none(),
        "{stat:?}"
    );
    assert_eq!((stat.entries, stat.voided), (0, 1));
}

#[test]
fn a_map_that_is_filled_before_it_is_found_has_all_at_once() {
    let world = World::new();
    let _first = world.writer();
    let reader = world.reader();
    let knows_all = |map: &lookaside::Lookaside| {
        let verdict = map.lookup(&question("nope"), &mut |_| {});
        verdict == Verdict::NotFound { ttl: None }
    };
    let fill = |writer: &mut Writer| {
        writer.publish(&known(), Answer::Found(&common::ADDRESSES), None);
        writer.set_complete(Complete::Names);
        writer.renew();
        // Until it is whole, the other is what is found.
        assert!(finds(reader) && !knows_all(reader) && !knows_all(world.reader()));
        Ok(())
    };
    let second = Writer::create_filled(&world.path, SMALL, fill).unwrap();
    assert_eq!(second.size(), 64 << 10);
    assert!(finds(world.reader()) && knows_all(world.reader()));
    wait_until("readers of the other to look for it", || knows_all(reader));
}

#[test]
fn a_map_that_is_not_filled_leaves_the_one_before() {
    let world = World::new();
    let _first = world.writer();
    let full = std::io::ErrorKind::StorageFull;
    let failed = Writer::create_filled(&world.path, SMALL, |_| Err(full.into()));
    assert_eq!(failed.unwrap_err().kind(), full);
    assert!(finds(world.reader()));
    let names: Vec<_> = fs::read_dir(world.directory.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "something else was left: {names:?}");
}
