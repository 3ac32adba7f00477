//! Opening for reading what is already held, and known for what it is, by a descriptor of type O_PATH.
//!
//! Whoever opens a device makes it do things: a watchdog begins to run down, a tape rewinds. A container may have a node of any
//! device where a file is expected, and is kept from opening it by rules for its cgroup, which this process is not in. So it
//! looks first, and opens by its own descriptor: a path could lead elsewhere the second time.

use std::{
    os::fd::{AsFd, AsRawFd, OwnedFd},
    sync::OnceLock,
};

use rustix::{
    fs::{FileType, Mode, OFlags},
    io::Errno,
};

use crate::fault::Fault;

/// This process's folder of descriptors, proc_pid_fd(5).
static DESCRIPTORS: OnceLock<OwnedFd> = OnceLock::new();

/// Finds the folder. To be called before a container is entered, whose /proc may be anything.
pub fn prepare() -> Result<(), Fault> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open("/proc/self/fd", flags, Mode::empty())
        .map_err(Fault::to("open /proc/self/fd"))?;
    // Set already: the first one will do.
    let _ = DESCRIPTORS.set(folder);
    Ok(())
}

/// Opens a regular file for reading.
///
/// # Errors
/// EINVAL for anything else.
pub fn regular(held: impl AsFd) -> Result<OwnedFd, Errno> {
    let held = held.as_fd();
    let stat = rustix::fs::fstat(held)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Errno::INVAL);
    }
    let folder = DESCRIPTORS.get().ok_or(Errno::BADF)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let name = held.as_raw_fd().to_string();
    rustix::fs::openat(folder, name, flags, Mode::empty())
}
