//! A terminal that machined has opened.

use std::{
    fs::File,
    io::Read,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// It does not block.
pub fn terminal(fd: OwnedFd) -> File {
    let flags = fcntl_getfl(&fd).unwrap();
    fcntl_setfl(&fd, flags | OFlags::NONBLOCK).unwrap();
    fd.into()
}

/// What is to be read of it, until these words have come.
#[track_caller]
pub fn read_until(terminal: &mut File, words: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    let (mut text, mut bytes) = (String::new(), [0; 4096]);
    while !text.contains(words) {
        assert!(Instant::now() < deadline, "{words:?} is not in {text:?}");
        match terminal.read(&mut bytes) {
            Ok(got) => text += &String::from_utf8_lossy(&bytes[..got]),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}
