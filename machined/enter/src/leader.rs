//! The process that stands for the machine, held by a pidfd.

use std::{
    fs,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec},
    fs::{Mode, OFlags},
    io::Errno,
    thread::CapabilitySet,
};

use crate::fault::{Fault, errno};

/// A machine's leader.
#[derive(Debug)]
pub struct Leader {
    pidfd: OwnedFd,
    pid: u32,
}

impl Leader {
    /// Takes the pidfd; the number comes from it, not from whoever sent it.
    pub fn new(pidfd: OwnedFd) -> Result<Self, Fault> {
        let path = format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd());
        let text = fs::read_to_string(&path)
            .map_err(|error| Fault::new(format!("Failed to read {path}"), errno(&error)))?;
        let pid = field(&text, "Pid:").and_then(|pid| pid.parse().ok());
        // 0: not in this pid namespace, -1: it ended.
        let pid = pid
            .filter(|&pid| pid != 0)
            .ok_or_else(|| Fault::new("The machine's leader has ended", Errno::SRCH))?;
        Ok(Self { pidfd, pid })
    }

    /// Opens a file below the leader's directory in /proc. As the leader lives after the open, its number could not have
    /// become another's before.
    pub fn open(&self, file: &str, flags: OFlags) -> Result<OwnedFd, Fault> {
        let path = format!("/proc/{}/{file}", self.pid);
        let opened = rustix::fs::open(&path, flags | OFlags::CLOEXEC, Mode::empty());
        self.alive()?;
        opened.map_err(Fault::to(format_args!("open {path}")))
    }

    /// Reads a file below the leader's directory in /proc.
    pub fn read(&self, file: &str) -> Result<String, Fault> {
        let path = format!("/proc/{}/{file}", self.pid);
        let text = fs::read_to_string(&path);
        self.alive()?;
        text.map_err(|error| Fault::new(format!("Failed to read {path}"), errno(&error)))
    }

    /// Whether it is in the same namespace as this process. A kind that this kernel does not have is shared.
    pub fn shares(&self, namespace: &str) -> Result<bool, Fault> {
        let file = format!("ns/{namespace}");
        let Ok(ours) = rustix::fs::stat(format!("/proc/self/{file}")) else {
            return Ok(true);
        };
        let theirs = self.open(&file, OFlags::PATH)?;
        let theirs = rustix::fs::fstat(&theirs).map_err(Fault::to("look at a namespace"))?;
        Ok((ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino))
    }

    /// The most capabilities that its programs can have.
    pub fn bounding_set(&self) -> Result<CapabilitySet, Fault> {
        let status = self.read("status")?;
        field(&status, "CapBnd:")
            .and_then(|bits| u64::from_str_radix(bits, 16).ok())
            .map(CapabilitySet::from_bits_retain)
            .ok_or_else(|| Fault::new("Failed to read the leader's capabilities", Errno::BADMSG))
    }

    fn alive(&self) -> Result<(), Fault> {
        let mut poll = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let ended = rustix::event::poll(&mut poll, Some(&Timespec::default()))
            .map_err(Fault::to("look at the leader"))?;
        if ended != 0 {
            return Err(Fault::new("The machine's leader has ended", Errno::SRCH));
        }
        Ok(())
    }
}

impl AsFd for Leader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// The value on the line that begins with `key`.
fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(key))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};

    #[test]
    fn knows_the_process_behind_a_pidfd() {
        let pidfd = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
        let leader = Leader::new(pidfd).unwrap();
        assert_eq!(leader.pid, getpid().as_raw_nonzero().get() as u32);
        assert!(leader.shares("mnt").unwrap());
        assert!(leader.shares("nonsense").unwrap());
    }

    #[test]
    fn a_leader_that_ended_is_refused_at_every_step() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = Pid::from_child(&child);
        let pidfd = || pidfd_open(pid, PidfdFlags::empty()).unwrap();
        let (early, late) = (Leader::new(pidfd()).unwrap(), pidfd());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(early.read("status").unwrap_err().errno, Errno::SRCH);
        assert_eq!(early.shares("mnt").unwrap_err().errno, Errno::SRCH);
        assert_eq!(Leader::new(late).unwrap_err().errno, Errno::SRCH);
    }

    #[test]
    fn a_descriptor_that_is_no_pidfd_is_refused() {
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(Leader::new(file.into()).is_err());
    }
}
