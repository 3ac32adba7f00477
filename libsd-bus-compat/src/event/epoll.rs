//! The epoll of a loop, and what its events are of.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use rustix::event::epoll::{self, CreateFlags};

use super::clock::Clock;
use super::source::Id;
use crate::Result;
use crate::ffi::event::sys::{self, Control};

/// What a descriptor in the epoll is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A source's own.
    Source(Id),
    /// The timerfd of a clock.
    Clock(Clock),
    Watchdog,
    /// A signalfd, by a number of its own.
    Signal(u64),
    /// An inotify, by a number of its own.
    Inotify(u64),
}

impl Token {
    const KINDS: u64 = 5;

    /// The number that the kernel keeps for us.
    const fn number(self) -> u64 {
        let (kind, value) = match self {
            Self::Source(id) => (0, id),
            Self::Clock(clock) => (1, clock.index() as u64),
            Self::Watchdog => (2, 0),
            Self::Signal(number) => (3, number),
            Self::Inotify(number) => (4, number),
        };
        value * Self::KINDS + kind
    }

    /// What a number is of.
    pub fn of(number: u64) -> Option<Self> {
        let value = number / Self::KINDS;
        Some(match number % Self::KINDS {
            0 => Self::Source(value),
            1 => Self::Clock(*Clock::ALL.get(usize::try_from(value).ok()?)?),
            2 => Self::Watchdog,
            3 => Self::Signal(value),
            _ => Self::Inotify(value),
        })
    }
}

/// The epoll.
#[derive(Debug)]
pub struct Epoll {
    file: Arc<OwnedFd>,
}

impl Epoll {
    pub fn new() -> Result<Self> {
        let file = epoll::create(CreateFlags::CLOEXEC)?;
        // Standard input, output or error may be closed, and whoever opens one next gets the lowest number.
        let file = match file.as_raw_fd() {
            0..3 => rustix::io::fcntl_dupfd_cloexec(&file, 3)?,
            _ => file,
        };
        Ok(Self {
            file: Arc::new(file),
        })
    }

    pub fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// To be waited on while the loop is left alone.
    pub fn shared(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.file)
    }

    pub fn add(&self, descriptor: RawFd, events: u32, token: Token) -> Result<()> {
        sys::control(
            self.file(),
            Control::Add,
            descriptor,
            events,
            token.number(),
        )
    }

    pub fn modify(&self, descriptor: RawFd, events: u32, token: Token) -> Result<()> {
        sys::control(
            self.file(),
            Control::Modify,
            descriptor,
            events,
            token.number(),
        )
    }

    /// What was closed meanwhile is out already.
    pub fn remove(&self, descriptor: RawFd) {
        let _ = sys::control(self.file(), Control::Remove, descriptor, 0, 0);
    }
}
