//! The process that stands for a machine: as long as it lives, the machine does.

use std::{
    fs, io,
    os::fd::{AsRawFd, OwnedFd},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{fstat, fstatfs},
    process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal},
};

use crate::{argument::Argument, error::Error, record::ProcessRecord};

/// PID_FS_MAGIC of linux/magic.h: the file system whose inodes are processes.
const PID_FS_MAGIC: u64 = 0x5049_4446;

/// A process, held by a pidfd. Its number may go to another once it has ended: what is read by number, from /proc say, is
/// its own only if it is alive *after* that.
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

impl Leader {
    /// Takes hold of the process with this number.
    ///
    /// # Errors
    /// [`Error::Io`] if there is none, or it is a thread of one.
    pub fn open(pid: u32) -> Result<Self, Error> {
        let known = pid.try_into().ok().and_then(Pid::from_raw);
        let known = known.ok_or_else(|| {
            Error::InvalidArgument(Argument::Leader, format!("Invalid process id {pid}"))
        })?;
        let what = || format!("Failed to open process {pid}");
        let pidfd = pidfd_open(known, PidfdFlags::empty()).map_err(Error::io(what()))?;
        Self::new(pid, pidfd).map_err(Error::io(what()))
    }

    /// Takes hold of the process that a pidfd from a caller means.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if the descriptor is no pidfd, its process has ended, or it can't be seen from here.
    pub fn from_pidfd(pidfd: OwnedFd) -> Result<Self, Error> {
        let pid = pid_of(&pidfd).ok_or_else(|| {
            Error::InvalidArgument(
                Argument::Leader,
                "Not a pidfd of a process that lives".to_owned(),
            )
        })?;
        Self::new(pid, pidfd).map_err(Error::io(format!("Failed to open process {pid}")))
    }

    /// The process itself, seen once more: a second descriptor for it.
    ///
    /// # Errors
    /// Those of dup(2).
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            pid: self.pid,
            pidfd: self.pidfd.try_clone()?,
            pidfd_id: self.pidfd_id,
            start_time: self.start_time,
        })
    }

    /// What proves it the same later.
    pub(crate) fn record(&self) -> ProcessRecord {
        ProcessRecord {
            pid: self.pid,
            pidfd_id: self.pidfd_id,
            start_time: Some(self.start_time),
        }
    }

    fn new(pid: u32, pidfd: OwnedFd) -> io::Result<Self> {
        let pidfd_id = id_of(&pidfd)?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let start_time = start_time_of(&stat).ok_or(io::ErrorKind::InvalidData)?;
        let leader = Self {
            pid,
            pidfd,
            pidfd_id,
            start_time,
        };
        // Only now is it known that the file was this process's: the number can't be taken while it lives.
        if leader.is_alive() {
            Ok(leader)
        } else {
            Err(rustix::io::Errno::SRCH.into())
        }
    }

    /// Whether it has not ended. A zombie has.
    pub fn is_alive(&self) -> bool {
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        // A pidfd becomes readable when the last thread has ended. pidfd_open(2)
        poll(&mut fds, Some(&Timespec::default())) == Ok(0)
    }

    /// Sends it a signal, by number (realtime ones too).
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a number that is no signal; [`Error::Io`] if it has ended.
    pub fn signal(&self, number: i32) -> Result<(), Error> {
        let signal = crate::sys::signal(number).ok_or_else(|| {
            Error::InvalidArgument(Argument::Signal, format!("Invalid signal {number}"))
        })?;
        pidfd_send_signal(&self.pidfd, signal)
            .map_err(Error::io(format!("Failed to signal process {}", self.pid)))
    }

    /// Whether both are the same process, and not one that was given its number later.
    pub fn is_same_process(&self, pidfd_id: Option<u64>, start_time: Option<u64>) -> Option<bool> {
        match (self.pidfd_id, pidfd_id, start_time) {
            (Some(own), Some(other), _) => Some(own == other),
            (_, _, Some(other)) => Some(self.start_time == other),
            _ => None,
        }
    }
}

/// The number of the process that a pidfd means, in our pid namespace; `None` if it has none, has ended, or the
/// descriptor is something else.
fn pid_of(pidfd: &OwnedFd) -> Option<u32> {
    let path = format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd());
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    // -1 for one that has ended, 0 for one in a namespace that is not below ours. pidfd_open(2)
    line.trim().parse().ok().filter(|&pid| pid > 0)
}

fn id_of(pidfd: &OwnedFd) -> io::Result<Option<u64>> {
    // Before pidfs all pidfds shared one anonymous inode.
    // The field's type is another on every architecture.
    let is_pidfs = fstatfs(pidfd)?.f_type as u64 == PID_FS_MAGIC;
    Ok(is_pidfs.then_some(fstat(pidfd)?.st_ino))
}

/// The second field, the program's name, may hold blanks and parentheses: counting begins after the last `)`.
fn start_time_of(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, id};

    use super::*;

    #[test]
    fn start_time_behind_a_hostile_name() {
        let stat = "7 (a) b (c) 1 2) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 8192 1";
        assert_eq!(start_time_of(stat), Some(4242));
        assert_eq!(start_time_of("7 (a"), None);
        assert_eq!(start_time_of("7 (a) S 1"), None);
    }

    #[test]
    fn ourselves_by_number_and_by_descriptor() {
        let by_number = Leader::open(id()).unwrap();
        let pidfd = by_number.pidfd.try_clone().unwrap();
        let by_descriptor = Leader::from_pidfd(pidfd).unwrap();
        assert_eq!(by_descriptor.pid, id());
        assert!(by_number.is_alive());
        let (id, start) = (by_descriptor.pidfd_id, Some(by_descriptor.start_time));
        assert_eq!(by_number.is_same_process(id, start), Some(true));
        assert_eq!(by_number.is_same_process(None, start), Some(true));
        assert_eq!(by_number.is_same_process(None, Some(1)), Some(false));
        assert_eq!(by_number.is_same_process(None, None), None);
    }

    #[test]
    fn one_that_has_ended() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let leader = Leader::open(child.id()).unwrap();
        leader.signal(libc_sigkill()).unwrap();
        // A zombie still has its number, and its pidfd can be opened, but it has ended.
        while leader.is_alive() {}
        assert!(Leader::open(child.id()).is_err());
        child.wait().unwrap();
        assert!(leader.signal(libc_sigkill()).is_err());
        assert!(Leader::open(child.id()).is_err());
    }

    fn libc_sigkill() -> i32 {
        rustix::process::Signal::KILL.as_raw()
    }

    #[test]
    fn what_is_no_process() {
        for pid in [0, u32::MAX, i32::MAX.cast_unsigned()] {
            assert!(Leader::open(pid).is_err());
        }
        let file = fs::File::open("/dev/null").unwrap();
        assert!(Leader::from_pidfd(file.into()).is_err());
        assert!(Leader::open(id()).unwrap().signal(65).is_err());
    }
}
