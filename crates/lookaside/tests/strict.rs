//! What is known costs no system call: shown by a thread that may make none.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may"
)]

mod common;

use std::io::{PipeReader, PipeWriter, Read, pipe};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::Duration;

use common::{World, finds, question};
use lookaside::{Answer, Complete, Lookaside, Verdict};

#[test]
fn answers_come_under_seccomps_strict_mode() {
    let world = World::new();
    let mut writer = world.writer();
    writer.publish(&question("absent"), Answer::NotFound, None);
    writer.set_complete(Complete::All);
    let map = world.reader();
    let (reader, output) = pipe().unwrap();
    thread::spawn(move || {
        assert!(finds(map), "it is opened here");
        sys::forbid_system_calls();
        sys::write_and_end(&output, answers(map).into());
    });
    assert_eq!(read(reader), Some(1));
}

/// Each kind of answer, and the last second of a lease, which is not the last of the writer's.
fn answers(map: &Lookaside) -> bool {
    let absent = Verdict::NotFound { ttl: None };
    (0..1000).all(|_| {
        finds(map)
            && map.lookup(&question("absent"), &mut |_| {}) == absent
            && map.lookup(&question("unknown"), &mut |_| {}) == absent
    })
}

/// What the thread writes: nothing, if it was killed.
fn read(mut reader: PipeReader) -> Option<u8> {
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut byte = [0];
        let _ = reader.read_exact(&mut byte);
        let _ = sender.send(byte[0]);
    });
    receiver.recv_timeout(Duration::from_secs(10)).ok()
}

mod sys {
    use super::*;

    /// prctl(2), PR_SET_SECCOMP: this thread may read, write and end; anything else ends it.
    pub fn forbid_system_calls() {
        // SAFETY: touches no memory.
        let outcome = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_STRICT) };
        assert_eq!(outcome, 0);
    }

    /// Ends as the mode allows, without anything of the thread being freed.
    pub fn write_and_end(output: &PipeWriter, byte: u8) {
        // SAFETY: one byte is readable at this address.
        unsafe { libc::write(output.as_raw_fd(), (&raw const byte).cast(), 1) };
        // SAFETY: ends this thread.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    }
}
