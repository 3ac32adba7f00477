//! Buses of containers: who leads one, and the way in.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use dbus::address::Machine;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fstat, fstatfs, open, stat};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::socket::Socket;
use crate::ffi::container::{Entry, SYSTEM_BUS, Target, USER_BUS};
use crate::login::State;
use crate::{Errno, Result, errno_of};

/// PID_FS_MAGIC of linux/magic.h: the file system whose inodes are processes.
const PID_FS_MAGIC: u64 = 0x5049_4446;
/// The host itself, among machines.
const HOST: &str = ".host";

/// A bus in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    machine: Machine,
    /// Who asks it: root, or a user of the container's by name or number.
    user: Option<Vec<u8>>,
    /// Whether it is that user's own bus.
    is_users: bool,
}

impl Inside {
    /// The system bus, asked by root.
    pub fn system(machine: Machine) -> Self {
        Self {
            machine,
            user: None,
            is_users: false,
        }
    }

    /// The system bus or a user's own, asked by that user.
    pub fn of_user(machine: Machine, user: Vec<u8>, is_users: bool) -> Self {
        Self {
            machine,
            user: Some(user),
            is_users,
        }
    }

    /// Connects to it.
    ///
    /// # Errors
    /// EHOSTDOWN without such a machine, EIO if it is no container, ENOENT if its leader has ended, EPERM if there is nothing to
    /// enter; of what is done to get in, and of connect(2); ETIMEDOUT if the container makes us wait.
    pub fn connect(&self) -> Result<Socket> {
        let entry = match &self.machine {
            Machine::Name(name) if name != HOST => Record::read(name)?.entry(name)?,
            Machine::Name(_) => Leader::open(1)?.entry()?,
            Machine::Leader(number) => Leader::open(*number)?.entry()?,
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        let target = Target {
            user: self.user.as_deref(),
            path: match self.is_users {
                true => USER_BUS,
                false => SYSTEM_BUS,
            },
        };
        entry.connect(socket.as_fd(), &target)?;
        Socket::of(socket, None)
    }
}

/// The first process of a container, held so that its number can't come to mean another.
#[derive(Debug)]
struct Leader {
    number: u32,
    pidfd: OwnedFd,
}

impl Leader {
    /// A process, which need not lead anything.
    ///
    /// # Errors
    /// ENOENT if there is none.
    fn open(number: u32) -> Result<Self> {
        let pid = i32::try_from(number).ok().and_then(Pid::from_raw);
        match pidfd_open(pid.ok_or(Errno::NOENT)?, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Self { number, pidfd }),
            // EINVAL: it is a thread of another.
            Err(Errno::SRCH | Errno::INVAL) => Err(Errno::NOENT),
            Err(errno) => Err(errno),
        }
    }

    /// Its pidfd's number, which no other process ever has (pidfs, Linux 6.9).
    fn id(&self) -> Result<Option<u64>> {
        // The field's type is another on every architecture.
        let is_pidfs = fstatfs(&self.pidfd)?.f_type as u64 == PID_FS_MAGIC;
        Ok(is_pidfs.then_some(fstat(&self.pidfd)?.st_ino))
    }

    /// When it began, in clock ticks since boot: field 22 of proc_pid_stat(5).
    fn start(&self) -> Result<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.number));
        let stat = stat.map_err(|error| errno_of(&error))?;
        self.is_alive()?;
        // Names may hold blanks and parentheses: counting begins behind the last one.
        let (_, rest) = stat.rsplit_once(')').ok_or(Errno::IO)?;
        let field = rest.split_ascii_whitespace().nth(22 - 3);
        field.and_then(|field| field.parse().ok()).ok_or(Errno::IO)
    }

    /// Sees that it lives, so that what was read of /proc before was its own.
    fn is_alive(&self) -> Result<()> {
        let mut ends = [PollFd::new(&self.pidfd, PollFlags::IN)];
        match poll(&mut ends, Some(&Timespec::default()))? {
            0 => Ok(()),
            _ => Err(Errno::NOENT),
        }
    }

    /// What is needed to get to where it is.
    fn entry(self) -> Result<Entry> {
        let differs = |namespace: &str| -> Result<bool> {
            let of = |process: &str| stat(format!("/proc/{process}/ns/{namespace}"));
            let (own, its) = (of("self")?, of(&self.number.to_string())?);
            Ok((own.st_dev, own.st_ino) != (its.st_dev, its.st_ino))
        };
        let (user, mount, pid) = (differs("user")?, differs("mnt")?, differs("pid")?);
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = open(format!("/proc/{}/root", self.number), flags, Mode::empty())?;
        self.is_alive()?;
        Ok(Entry {
            leader: self.pidfd,
            root,
            user,
            mount,
            pid,
        })
    }
}

/// What the file of a machine says.
#[derive(Debug, PartialEq, Eq)]
struct Record {
    leader: u32,
    id: Option<u64>,
    start: Option<u64>,
    /// Whether root has registered it, and not an ordinary user.
    is_roots: bool,
}

impl Record {
    /// What is needed to get into the machine.
    fn entry(&self, name: &str) -> Result<Entry> {
        let leader = Leader::open(self.leader)?;
        // It may have ended before we held it, and its number have gone to another.
        let is_it = match (leader.id()?, self.id, self.start) {
            (Some(own), Some(id), _) => own == id,
            (_, _, Some(start)) => leader.start()? == start,
            _ => Self::read(name)? == *self,
        };
        if !is_it {
            return Err(Errno::NOENT);
        }
        let entry = leader.entry()?;
        // Who has registered it has chosen the leader: its bus must not be the host's.
        match entry.mount && (self.is_roots || entry.user) {
            true => Ok(entry),
            false => Err(Errno::PERM),
        }
    }

    fn read(name: &str) -> Result<Self> {
        // A name has passed `dbus::address`: it is no path.
        let path = Path::new("/run/systemd/machines").join(name);
        let state = State::find(&path)?.ok_or(Errno::HOSTDOWN)?;
        if state.get("CLASS") != Some("container") {
            return Err(Errno::IO);
        }
        let number = |key| state.get(key).and_then(|text| text.parse().ok());
        let leader = state.get("LEADER").and_then(|text| text.parse().ok());
        Ok(Self {
            leader: leader.filter(|leader| *leader > 1).ok_or(Errno::IO)?,
            id: number("LEADER_PIDFDID"),
            start: number("LEADER_START_TIME"),
            is_roots: matches!(state.get("UID"), None | Some("0")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process() {
        let own = Leader::open(std::process::id()).unwrap();
        assert_eq!(own.is_alive(), Ok(()));
        assert!(own.start().unwrap() > 0);
        let entry = own.entry().unwrap();
        assert!(!entry.user && !entry.mount && !entry.pid);
    }

    #[test]
    fn nobody() {
        for number in [0, i32::MAX as u32, u32::MAX] {
            assert_eq!(Leader::open(number).err(), Some(Errno::NOENT));
        }
    }
}
