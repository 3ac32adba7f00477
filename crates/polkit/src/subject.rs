//! Who asks, in polkit's terms.

use std::{collections::BTreeMap, fs, os::fd::BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zbus::{Fd, Variant};

/// The names polkit knows callers by.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A unique name on the system bus: `system-bus-name`.
    BusName(&'a str),
    /// The process itself: `unix-process`.
    Process {
        /// Its number, which goes to another once it has ended.
        pid: u32,
        /// The process itself, where the kernel says who connected (SO_PEERPIDFD: Linux 6.5).
        pidfd: Option<BorrowedFd<'a>>,
    },
}

/// A subject as it goes to polkit: a kind, and its details.
pub(crate) type Wire<'a> = (&'static str, BTreeMap<&'static str, Variant<'a>>);

impl<'a> Subject<'a> {
    /// `uid`: as the bus or the socket says. `None` for a process that has ended, and for a user that polkit has no number
    /// for.
    pub(crate) fn to_wire(self, uid: u32) -> Option<Wire<'a>> {
        let (pid, pidfd) = match self {
            Self::BusName(name) => {
                let details = BTreeMap::from([("name", Variant::from(name))]);
                return Some(("system-bus-name", details));
            }
            Self::Process { pid, pidfd } => (pid, pidfd),
        };
        let mut details = BTreeMap::from([
            ("pid", Variant::from(pid)),
            ("start-time", Variant::from(start_time(pid, pidfd)?)),
            // Left out, polkit would look for it, and take the user of a setuid program that the caller has become.
            ("uid", Variant::from(i32::try_from(uid).ok()?)),
        ]);
        if let Some(pidfd) = pidfd {
            // polkit 124 and later goes by it alone; older ones overlook it.
            details.insert("pidfd", Variant::Fd(Fd::from(pidfd)));
        }
        Some(("unix-process", details))
    }
}

/// When a process started: field 22 of /proc/PID/stat, in clock ticks since boot.
fn start_time(pid: u32, pidfd: Option<BorrowedFd<'_>>) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Only now is it known that the file was this process's: the number can't be taken while it lives.
    match pidfd {
        Some(pidfd) if has_ended(pidfd) => None,
        _ => start_time_of(&stat),
    }
}

/// A pidfd becomes readable when the last thread has ended. pidfd_open(2)
fn has_ended(pidfd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(pidfd, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())) != Ok(0)
}

/// The second field, the program's name, may hold blanks and parentheses: counting begins after the last `)`.
fn start_time_of(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, os::fd::AsFd, process::Command};

    use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};

    use super::*;

    fn process(pidfd: Option<BorrowedFd<'_>>) -> Subject<'_> {
        let pid = std::process::id();
        Subject::Process { pid, pidfd }
    }

    fn keys(subject: Subject<'_>) -> BTreeSet<&'static str> {
        let (kind, details) = subject.to_wire(1000).unwrap();
        assert_eq!(kind, "unix-process");
        details.into_keys().collect()
    }

    #[test]
    fn subjects() {
        let (kind, details) = Subject::BusName(":1.7").to_wire(1000).unwrap();
        assert_eq!((kind, details.len()), ("system-bus-name", 1));

        assert_eq!(
            keys(process(None)),
            BTreeSet::from(["pid", "start-time", "uid"])
        );
        let pidfd = pidfd_open(getpid(), PidfdFlags::empty()).unwrap();
        assert!(keys(process(Some(pidfd.as_fd()))).contains("pidfd"));
    }

    #[test]
    fn a_user_that_polkit_has_no_number_for_is_no_subject() {
        assert!(process(None).to_wire(u32::MAX - 1).is_none());
    }

    #[test]
    fn a_process_that_has_ended_is_no_subject() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        child.wait().unwrap();
        // Whoever has the number now.
        assert!(process(Some(pidfd.as_fd())).to_wire(1000).is_none());
        assert!(
            Subject::Process { pid, pidfd: None }
                .to_wire(1000)
                .is_none()
        );
    }

    #[test]
    fn start_time_behind_a_hostile_name() {
        let stat = "7 (a) b (c) 1 2) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 8192 1";
        assert_eq!(start_time_of(stat), Some(4242));
        assert_eq!(start_time_of("7 (a"), None);
        assert_eq!(start_time_of("7 (a) S 1"), None);
    }
}
