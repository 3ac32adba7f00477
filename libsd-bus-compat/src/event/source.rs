//! A source of events, and the state it is in.

use std::ffi::{CString, c_int};
use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::clock::{Clock, Due, NEVER};
use super::inotify::Inode;
use super::limit::RateLimit;
use super::pressure::Pressure;
use crate::ffi::event::sys;
use crate::{Errno, Result};

/// A source's number in its loop; none is given twice.
pub type Id = u64;

/// Whether a source is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enabled {
    Off,
    On,
    /// Until it is dispatched.
    Oneshot,
}

/// What a source is of, and what is known of it.
#[derive(Debug)]
pub enum Kind {
    Io(Io),
    Time(Time),
    Signal(Signal),
    Child(Child),
    Defer,
    Post,
    Exit,
    Inotify(Inotify),
    Pressure(Pressure),
}

/// A descriptor.
#[derive(Debug)]
pub struct Io {
    pub descriptor: RawFd,
    pub owned: bool,
    pub events: u32,
    pub happened: u32,
    pub registered: bool,
}

/// A time.
#[derive(Debug)]
pub struct Time {
    pub clock: Clock,
    pub next: u64,
    pub accuracy: u64,
}

/// A signal.
pub struct Signal {
    pub number: c_int,
    /// It was not blocked before.
    pub unblock: bool,
    pub arrived: Option<libc::signalfd_siginfo>,
}

/// A child.
#[derive(Debug)]
pub struct Child {
    pub pid: libc::pid_t,
    pub pidfd: RawFd,
    pub pidfd_owned: bool,
    pub process_owned: bool,
    pub options: c_int,
    pub happened: Option<Happened>,
    /// It is dead.
    pub exited: bool,
    /// And waited for.
    pub waited: bool,
    pub registered: bool,
}

/// Changes of a file or a folder.
#[derive(Debug)]
pub struct Inotify {
    pub mask: u32,
    /// The file's path when it began, if there is one.
    pub path: Option<CString>,
    pub inode: Inode,
    /// The priority whose inotify it is in.
    pub instance: i64,
}

/// What has happened to a child, as waitid(2) tells it.
#[derive(Clone, Copy)]
pub struct Happened(pub libc::siginfo_t);

impl Happened {
    /// Whether it is dead.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        matches!(
            self.0.si_code,
            libc::CLD_EXITED | libc::CLD_KILLED | libc::CLD_DUMPED
        )
    }
}

impl fmt::Debug for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Happened").field(&self.0.si_code).finish()
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signal").field(&self.number).finish()
    }
}

/// Where a source stands in the queues of its loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Its priority, and since when it is pending.
    pub pending: Option<(i64, u64, Id)>,
    /// The iteration that it was last prepared in, and its priority.
    pub prepare: Option<(u64, i64, Id)>,
    pub exit: Option<(i64, Id)>,
    pub time: Option<(Clock, Due)>,
}

/// A source.
#[derive(Debug)]
pub struct Source {
    pub id: Id,
    pub kind: Kind,
    pub priority: i64,
    pub enabled: Enabled,
    /// Since when, in a count of its own.
    pub pending: Option<u64>,
    pub limited: bool,
    pub limit: RateLimit,
    /// Whether there is something to call before each wait.
    pub prepares: bool,
    pub prepared: u64,
    pub keys: Keys,
    /// Whether this is the process it belongs to: one that was forked ends no children of it.
    pub ours: bool,
}

impl Source {
    pub fn new(id: Id, kind: Kind, enabled: Enabled) -> Self {
        Self {
            id,
            kind,
            priority: 0,
            enabled,
            pending: None,
            limited: false,
            limit: RateLimit::default(),
            prepares: false,
            prepared: 0,
            keys: Keys::default(),
            ours: true,
        }
    }

    pub fn is_online(&self) -> bool {
        self.enabled != Enabled::Off && !self.limited
    }

    /// Whether it is pending for as long as it is enabled.
    pub const fn is_always_pending(&self) -> bool {
        matches!(self.kind, Kind::Defer | Kind::Exit)
    }

    /// Where it belongs.
    pub fn wanted(&self) -> Keys {
        let online = self.is_online();
        Keys {
            pending: self
                .pending
                .filter(|_| online)
                .map(|since| (self.priority, since, self.id)),
            prepare: (self.prepares && online).then_some((self.prepared, self.priority, self.id)),
            exit: (online && matches!(self.kind, Kind::Exit)).then_some((self.priority, self.id)),
            time: self.due(),
        }
    }

    fn due(&self) -> Option<(Clock, Due)> {
        if self.limited {
            let end = self.limit.end();
            let due = Due {
                earliest: end,
                latest: end,
            };
            return Some((Clock::Monotonic, due));
        }
        match &self.kind {
            Kind::Time(time)
                if self.is_online() && self.pending.is_none() && time.next != NEVER =>
            {
                let due = Due {
                    earliest: time.next,
                    latest: time.next.saturating_add(time.accuracy),
                };
                Some((time.clock, due))
            }
            _ => None,
        }
    }

    pub fn io(&mut self) -> Result<&mut Io> {
        match &mut self.kind {
            Kind::Io(io) => Ok(io),
            _ => Err(Errno::DOM),
        }
    }

    pub fn time(&mut self) -> Result<&mut Time> {
        match &mut self.kind {
            Kind::Time(time) => Ok(time),
            _ => Err(Errno::DOM),
        }
    }

    pub fn child(&mut self) -> Result<&mut Child> {
        match &mut self.kind {
            Kind::Child(child) => Ok(child),
            _ => Err(Errno::DOM),
        }
    }

    pub fn inotify(&mut self) -> Result<&mut Inotify> {
        match &mut self.kind {
            Kind::Inotify(inotify) => Ok(inotify),
            _ => Err(Errno::DOM),
        }
    }

    pub fn pressure(&mut self) -> Result<&mut Pressure> {
        match &mut self.kind {
            Kind::Pressure(pressure) => Ok(pressure),
            _ => Err(Errno::DOM),
        }
    }
}

impl Child {
    /// Whether the pidfd tells all that is to be known. It tells of the end alone.
    pub const fn is_by_pidfd(&self) -> bool {
        self.pidfd >= 0 && self.options == libc::WEXITED
    }

    /// Waits for a dead child, so that the kernel forgets it.
    pub fn reap(&mut self) {
        let _ = sys::wait_child(self.pid, libc::WNOHANG | libc::WEXITED);
        self.waited = true;
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// ESRCH once it is known to be dead; of the kernel.
    pub fn signal(&self, signal: c_int, said: Option<&libc::siginfo_t>, flags: u32) -> Result<()> {
        if self.exited {
            return Err(Errno::SRCH);
        }
        if self.pidfd >= 0 {
            match sys::signal_descriptor_process(self.pidfd, signal, said, flags) {
                Err(Errno::NOSYS) => {}
                result => return result,
            }
        }
        // Only the call for pidfds takes flags.
        match flags {
            0 => sys::signal_process(self.pid, signal, said),
            _ => Err(Errno::OPNOTSUPP),
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        match &mut self.kind {
            Kind::Io(io) if io.owned => sys::close(io.descriptor),
            Kind::Child(child) => {
                if child.process_owned && self.ours {
                    let _ = child.signal(libc::SIGKILL, None, 0);
                    if !child.waited {
                        let _ = sys::wait_child(child.pid, libc::WEXITED);
                    }
                }
                if child.pidfd_owned {
                    sys::close(child.pidfd);
                }
            }
            _ => {}
        }
    }
}

/// A descriptor's number, which is the program's from now on.
pub fn give_away(descriptor: OwnedFd) -> RawFd {
    let number = descriptor.as_raw_fd();
    std::mem::forget(descriptor);
    number
}
