//! The process that stands for a machine: as long as it lives, the machine does.

use std::os::fd::OwnedFd;

/// A process, held by a pidfd, so that its number can't come to mean another.
#[derive(Debug)]
pub struct Leader {
    /// Its number in machined's pid namespace.
    pub pid: u32,
    /// The process itself.
    pub pidfd: OwnedFd,
    /// The inode number of the pidfd, unique for the life of the system (pidfs, Linux 6.9); `None` on older kernels.
    pub pidfd_id: Option<u64>,
    /// Field 22 of /proc/PID/stat, in clock ticks since boot: tells it from a later process with the same number
    /// where there is no [`Self::pidfd_id`].
    pub start_time: u64,
}
