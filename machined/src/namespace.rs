//! Which namespaces a process is in.

use std::{fs, os::unix::fs::MetadataExt};

/// What tells one namespace from another: device and inode of the file that stands for it, namespaces(7).
pub type Id = (u64, u64);

/// The namespace of this kind (`net`, `pid`, `user`, …) that a process is in; `None` if the process has ended or may not be
/// looked at.
pub fn id_of(pid: u32, kind: &str) -> Option<Id> {
    let metadata = fs::metadata(format!("/proc/{pid}/ns/{kind}")).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Our own.
pub fn id_of_own(kind: &str) -> Option<Id> {
    id_of(std::process::id(), kind)
}
