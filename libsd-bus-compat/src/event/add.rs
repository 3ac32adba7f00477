//! New sources, and what is changed of one kind of them.

use std::ffi::CStr;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::clock::Clock;
use super::signal::is_signal;
use super::source::{Child, Enabled, Id, Inotify, Io, Kind, Signal, Time, give_away};
use super::turn::Loop;
use crate::ffi::event::sys;
use crate::{Errno, Result};

/// What can be asked of a descriptor.
const EVENTS: i32 = libc::EPOLLIN
    | libc::EPOLLOUT
    | libc::EPOLLRDHUP
    | libc::EPOLLPRI
    | libc::EPOLLERR
    | libc::EPOLLHUP
    | libc::EPOLLET;

/// How far a timer may be off if nothing is said, in microseconds.
const ACCURACY: u64 = 250_000;

/// With a signal's number: block the signal.
pub const BLOCK: i32 = 1 << 30;

fn check_events(events: u32) -> Result<()> {
    match events & !EVENTS.cast_unsigned() {
        0 => Ok(()),
        _ => Err(Errno::INVAL),
    }
}

const fn accuracy(accuracy: u64) -> u64 {
    match accuracy {
        0 => ACCURACY,
        accuracy => accuracy,
    }
}

impl Loop {
    /// # Errors
    /// EBADF, EINVAL for events that there are not.
    pub fn check_io(descriptor: RawFd, events: u32) -> Result<()> {
        match descriptor {
            ..0 => Err(Errno::BADF),
            _ => check_events(events),
        }
    }

    /// # Errors
    /// As [`Loop::check_io`]; of epoll_ctl(2).
    pub fn add_io(&mut self, descriptor: RawFd, events: u32) -> Result<Id> {
        Self::check_io(descriptor, events)?;
        let io = Io {
            descriptor,
            owned: false,
            events,
            happened: 0,
            registered: false,
        };
        let id = self.number();
        self.insert(id, Kind::Io(io), Enabled::On)
    }

    /// # Errors
    /// EOPNOTSUPP for a clock that there is no timer for.
    pub fn add_time(&mut self, clock: Clock, next: u64, wanted: u64) -> Result<Id> {
        if !clock.exists() {
            return Err(Errno::OPNOTSUPP);
        }
        let Self { timers, epoll, .. } = self;
        let timers = timers.get_mut(clock.index()).ok_or(Errno::OPNOTSUPP)?;
        timers.open(epoll, clock)?;
        let time = Time {
            clock,
            next,
            accuracy: accuracy(wanted),
        };
        let id = self.number();
        self.insert(id, Kind::Time(time), Enabled::Oneshot)
    }

    /// # Errors
    /// EINVAL for no signal, EBUSY if it is not blocked or has a source.
    pub fn add_signal(&mut self, wanted: i32) -> Result<Id> {
        let number = wanted & !BLOCK;
        if !is_signal(number) {
            return Err(Errno::INVAL);
        }
        if number == wanted && !sys::is_blocked(number)? {
            return Err(Errno::BUSY);
        }
        if self.by_signal.contains_key(&number) {
            return Err(Errno::BUSY);
        }
        let unblock = number != wanted && sys::block(number)?;
        let signal = Signal {
            number,
            unblock,
            arrived: None,
        };
        let id = self.number();
        let added = self.insert(id, Kind::Signal(signal), Enabled::On);
        match added {
            Ok(id) => {
                self.by_signal.insert(number, id);
            }
            Err(_) if unblock => sys::unblock(number),
            Err(_) => {}
        }
        added
    }

    /// # Errors
    /// EINVAL for no child, or options that there are not.
    pub fn check_child(pid: libc::pid_t, options: i32) -> Result<()> {
        if pid <= 1 {
            return Err(Errno::INVAL);
        }
        Self::check_options(options)
    }

    /// # Errors
    /// EINVAL for options that there are not.
    pub fn check_options(options: i32) -> Result<()> {
        let all = libc::WEXITED | libc::WSTOPPED | libc::WCONTINUED;
        if options == 0 || options & !all != 0 {
            return Err(Errno::INVAL);
        }
        Ok(())
    }

    /// Someone else would wait for the children if SIGCHLD were handled.
    fn check_chld(&self) -> Result<()> {
        let online = |id: &Id| self.sources.get(id).is_some_and(|child| child.is_online());
        match self.by_pid.values().any(online) || sys::is_blocked(libc::SIGCHLD)? {
            true => Ok(()),
            false => Err(Errno::BUSY),
        }
    }

    /// # Errors
    /// EINVAL for no child or options that there are not, EBUSY if SIGCHLD is not blocked or the child has a source; of
    /// pidfd_open(2).
    pub fn add_child(&mut self, pid: libc::pid_t, options: i32) -> Result<Id> {
        Self::check_child(pid, options)?;
        let number = Pid::from_raw(pid).ok_or(Errno::INVAL)?;
        self.check_chld()?;
        if self.by_pid.contains_key(&pid) {
            return Err(Errno::BUSY);
        }
        let pidfd = match pidfd_open(number, PidfdFlags::empty()) {
            Ok(pidfd) => Some(pidfd),
            // An old kernel, or behind seccomp.
            Err(Errno::NOSYS | Errno::PERM) => None,
            Err(errno) => return Err(errno),
        };
        let owned = pidfd.is_some();
        self.insert_child(pid, pidfd.map_or(-1, give_away), owned, options)
    }

    /// # Errors
    /// As [`Loop::add_child`]; EBADF if it is not open, ENOTTY if it is no pidfd, ESRCH if its process is gone.
    pub fn add_pidfd(&mut self, pidfd: RawFd, options: i32) -> Result<Id> {
        Self::check_options(options)?;
        self.check_chld()?;
        let pid = process(pidfd)?;
        if self.by_pid.contains_key(&pid) {
            return Err(Errno::BUSY);
        }
        self.insert_child(pid, pidfd, false, options)
    }

    fn insert_child(
        &mut self,
        pid: libc::pid_t,
        pidfd: RawFd,
        pidfd_owned: bool,
        options: i32,
    ) -> Result<Id> {
        let child = Child {
            pid,
            pidfd,
            pidfd_owned,
            process_owned: false,
            options,
            happened: None,
            exited: false,
            waited: false,
            registered: false,
        };
        let id = self.number();
        let added = self.insert(id, Kind::Child(child), Enabled::Oneshot);
        if added.is_ok() {
            self.by_pid.insert(pid, id);
        }
        added
    }

    /// # Errors
    /// None that the kernel has.
    pub fn add_defer(&mut self) -> Result<Id> {
        let id = self.number();
        self.insert(id, Kind::Defer, Enabled::Oneshot)?;
        self.set_pending(id, true);
        Ok(id)
    }

    /// # Errors
    /// None that the kernel has.
    pub fn add_post(&mut self) -> Result<Id> {
        let id = self.number();
        self.insert(id, Kind::Post, Enabled::On)?;
        self.post.insert(id);
        Ok(id)
    }

    /// # Errors
    /// None that the kernel has.
    pub fn add_exit(&mut self) -> Result<Id> {
        let id = self.number();
        self.insert(id, Kind::Exit, Enabled::Oneshot)
    }

    /// Watches the file that a descriptor is of.
    ///
    /// # Errors
    /// EINVAL for IN_MASK_ADD, which sources of one file do anyway; EBADF; of inotify_add_watch(2).
    pub fn add_inotify_of(&mut self, descriptor: RawFd, mask: u32) -> Result<Id> {
        self.add_inotify(sys::duplicate(descriptor)?, mask)
    }

    /// The same.
    ///
    /// # Errors
    /// As there.
    pub fn add_inotify(&mut self, file: OwnedFd, mask: u32) -> Result<Id> {
        if mask & libc::IN_MASK_ADD != 0 {
            return Err(Errno::INVAL);
        }
        let status = rustix::fs::fstat(&file)?;
        let inode = (status.st_dev, status.st_ino);
        let id = self.number();
        let link = format!("/proc/self/fd/{}", file.as_raw_fd());
        let path = rustix::fs::readlink(link, Vec::new()).ok();
        self.watches
            .add(&self.epoll, 0, (inode, file), (id, mask))?;
        let inotify = Inotify {
            mask,
            path,
            inode,
            instance: 0,
        };
        let enabled = match mask & libc::IN_ONESHOT {
            0 => Enabled::On,
            _ => Enabled::Oneshot,
        };
        self.insert(id, Kind::Inotify(inotify), enabled)
    }

    /// Listens to another descriptor instead.
    ///
    /// # Errors
    /// Of epoll_ctl(2); then it is the old one still.
    pub fn set_descriptor(&mut self, id: Id, descriptor: RawFd) -> Result<()> {
        if descriptor < 0 {
            return Err(Errno::BADF);
        }
        let io = self.source(id)?.io()?;
        if io.descriptor == descriptor {
            return Ok(());
        }
        let before = std::mem::replace(&mut io.descriptor, descriptor);
        let registered = std::mem::take(&mut io.registered);
        if let Err(errno) = self.register_again(id) {
            let io = self.source(id)?.io()?;
            io.descriptor = before;
            io.registered = registered;
            return Err(errno);
        }
        if registered {
            self.epoll.remove(before);
        }
        Ok(())
    }

    /// # Errors
    /// EINVAL for events that there are not; of epoll_ctl(2).
    pub fn set_events(&mut self, id: Id, events: u32) -> Result<()> {
        check_events(events)?;
        let io = self.source(id)?.io()?;
        // An edge comes again by asking for it again.
        if io.events == events && events & libc::EPOLLET.cast_unsigned() == 0 {
            return Ok(());
        }
        let before = std::mem::replace(&mut io.events, events);
        self.set_pending(id, false);
        let registered = self.register_again(id);
        if registered.is_err() {
            self.source(id)?.io()?.events = before;
        }
        registered
    }

    /// # Errors
    /// EDOM if it is no timer.
    pub fn set_time(&mut self, id: Id, next: u64) -> Result<()> {
        self.source(id)?.time()?.next = next;
        self.set_pending(id, false);
        self.settle(id);
        Ok(())
    }

    /// # Errors
    /// EDOM if it is no timer.
    pub fn set_accuracy(&mut self, id: Id, wanted: u64) -> Result<()> {
        self.source(id)?.time()?.accuracy = accuracy(wanted);
        self.set_pending(id, false);
        self.settle(id);
        Ok(())
    }

    /// Whether there is something to call before each wait.
    ///
    /// # Errors
    /// ESTALE
    pub fn set_prepares(&mut self, id: Id, prepares: bool) -> Result<()> {
        self.source(id)?.prepares = prepares;
        self.settle(id);
        Ok(())
    }
}

/// The file that a path leads to, to be watched for `mask`.
///
/// # Errors
/// Of open(2).
pub fn open_watched(path: &CStr, mask: u32) -> Result<OwnedFd> {
    let mut flags = OFlags::PATH | OFlags::CLOEXEC;
    if mask & libc::IN_DONT_FOLLOW != 0 {
        flags |= OFlags::NOFOLLOW;
    }
    if mask & libc::IN_ONLYDIR != 0 {
        flags |= OFlags::DIRECTORY;
    }
    rustix::fs::open(path, flags, Mode::empty())
}

/// The process of a pidfd, which is in the lines that proc(5) has of it.
fn process(pidfd: RawFd) -> Result<libc::pid_t> {
    let information = fs::read_to_string(format!("/proc/self/fdinfo/{pidfd}"));
    let information = information.map_err(|error| match crate::errno_of(&error) {
        Errno::NOENT => Errno::BADF,
        errno => errno,
    })?;
    let mut lines = information.lines();
    let pid = lines.find_map(|line| line.strip_prefix("Pid:"));
    match pid.ok_or(Errno::NOTTY)?.trim() {
        // Of a pid namespace that is not below ours.
        "0" => Err(Errno::REMOTE),
        "-1" => Err(Errno::SRCH),
        pid => pid.parse().map_err(|_| Errno::INVAL),
    }
}
