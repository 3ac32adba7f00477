//! The clocks that a timer can go by.

use std::collections::BTreeSet;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use super::epoll::{Epoll, Token};
use super::source::Id;
use crate::ffi::event::sys;
use crate::{Errno, Result};

/// No time: a timer that never elapses, a wait without end.
pub const NEVER: u64 = u64::MAX;
const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;

/// The clocks of timerfd_create(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    Realtime,
    Boottime,
    Monotonic,
    RealtimeAlarm,
    BoottimeAlarm,
}

impl Clock {
    pub const ALL: [Self; 5] = [
        Self::Realtime,
        Self::Boottime,
        Self::Monotonic,
        Self::RealtimeAlarm,
        Self::BoottimeAlarm,
    ];

    /// # Errors
    /// EOPNOTSUPP for any other.
    pub fn of(number: libc::clockid_t) -> Result<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|clock| clock.number() == number)
            .ok_or(Errno::OPNOTSUPP)
    }

    #[must_use]
    pub const fn number(self) -> libc::clockid_t {
        match self {
            Self::Realtime => libc::CLOCK_REALTIME,
            Self::Boottime => libc::CLOCK_BOOTTIME,
            Self::Monotonic => libc::CLOCK_MONOTONIC,
            Self::RealtimeAlarm => libc::CLOCK_REALTIME_ALARM,
            Self::BoottimeAlarm => libc::CLOCK_BOOTTIME_ALARM,
        }
    }

    pub const fn index(self) -> usize {
        self as usize
    }

    const fn timer(self) -> TimerfdClockId {
        match self {
            Self::Realtime => TimerfdClockId::Realtime,
            Self::Boottime => TimerfdClockId::Boottime,
            Self::Monotonic => TimerfdClockId::Monotonic,
            Self::RealtimeAlarm => TimerfdClockId::RealtimeAlarm,
            Self::BoottimeAlarm => TimerfdClockId::BoottimeAlarm,
        }
    }

    /// Whether it goes on this machine: those that wake it up need a clock that does not stop with it.
    #[must_use]
    pub fn exists(self) -> bool {
        sys::time(self.number()).is_some()
    }

    /// Its time now, in microseconds.
    #[must_use]
    pub fn now(self) -> u64 {
        let now = sys::time(match self {
            Self::RealtimeAlarm => libc::CLOCK_REALTIME,
            Self::BoottimeAlarm => libc::CLOCK_BOOTTIME,
            clock => clock.number(),
        });
        let (seconds, nanoseconds) = now.unwrap_or_default();
        seconds
            .saturating_mul(SECOND)
            .saturating_add(nanoseconds / 1000)
    }
}

/// The time that an iteration goes by.
#[derive(Clone, Copy, Debug)]
pub struct Timestamp {
    realtime: u64,
    monotonic: u64,
    boottime: u64,
}

impl Timestamp {
    pub fn now() -> Self {
        Self {
            realtime: Clock::Realtime.now(),
            monotonic: Clock::Monotonic.now(),
            boottime: Clock::Boottime.now(),
        }
    }

    pub const fn of(&self, clock: Clock) -> u64 {
        match clock {
            Clock::Realtime | Clock::RealtimeAlarm => self.realtime,
            Clock::Boottime | Clock::BoottimeAlarm => self.boottime,
            Clock::Monotonic => self.monotonic,
        }
    }
}

/// When a timer is due: not before the first, and if nothing else wakes the loop up, not long after the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub earliest: u64,
    pub latest: u64,
}

/// The timers of a clock, and the timerfd that wakes the loop up for them.
#[derive(Debug, Default)]
pub struct Timers {
    file: Option<OwnedFd>,
    earliest: BTreeSet<(u64, Id)>,
    latest: BTreeSet<(u64, Id)>,
    armed: Option<u64>,
}

impl Timers {
    /// Makes the timerfd, if there is none.
    ///
    /// # Errors
    /// Of timerfd_create(2): for the clocks that wake the machine up, EPERM.
    pub fn open(&mut self, epoll: &Epoll, clock: Clock) -> Result<()> {
        if self.file.is_some() {
            return Ok(());
        }
        let file = create(clock)?;
        epoll.add(file.as_raw_fd(), libc::EPOLLIN as u32, Token::Clock(clock))?;
        self.file = Some(file);
        Ok(())
    }

    pub fn insert(&mut self, due: Due, source: Id) {
        self.earliest.insert((due.earliest, source));
        self.latest.insert((due.latest, source));
    }

    pub fn remove(&mut self, due: Due, source: Id) {
        self.earliest.remove(&(due.earliest, source));
        self.latest.remove(&(due.latest, source));
    }

    /// The first that is due.
    pub fn due(&self, now: u64) -> Option<Id> {
        let (earliest, source) = self.earliest.first()?;
        (*earliest <= now).then_some(*source)
    }

    /// Sets the timerfd to the next time that there is something to do.
    pub fn arm(&mut self, perturb: u64) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let first = (self.earliest.first(), self.latest.first());
        let wanted = match first {
            (Some((earliest, _)), Some((latest, _))) => Some(between(*earliest, *latest, perturb)),
            _ => None,
        };
        if wanted != self.armed {
            set(file, wanted)?;
            self.armed = wanted;
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.earliest.is_empty()
    }

    /// It has elapsed.
    pub fn elapsed(&mut self) {
        if let Some(file) = &self.file {
            drain(file);
        }
        self.armed = None;
    }
}

pub fn create(clock: Clock) -> Result<OwnedFd> {
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    let file = timerfd_create(clock.timer(), flags)?;
    match file.as_raw_fd() {
        0..3 => rustix::io::fcntl_dupfd_cloexec(&file, 3),
        _ => Ok(file),
    }
}

/// Sets a timerfd to elapse at a time, or never.
pub fn set(file: &OwnedFd, at: Option<u64>) -> Result<()> {
    let zero = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let value = match at {
        None => zero,
        // All zeroes is never.
        Some(0) => Timespec {
            tv_sec: 0,
            tv_nsec: 1,
        },
        Some(at) => timespec(at),
    };
    let value = Itimerspec {
        it_interval: zero,
        it_value: value,
    };
    timerfd_settime(file, TimerfdTimerFlags::ABSTIME, &value).map(drop)
}

pub fn timespec(microseconds: u64) -> Timespec {
    Timespec {
        tv_sec: (microseconds / SECOND).cast_signed(),
        tv_nsec: (microseconds % SECOND * 1000).cast_signed(),
    }
}

/// That it has elapsed is known.
pub fn drain(file: &OwnedFd) {
    let _ = rustix::io::read(file, &mut [0; 8]);
}

/// A time between two at which other programs of this machine wake up, too (sd_event_add_time(3)): the latest one that is
/// `perturb` into a minute, or into 10 seconds, a second, a quarter of one.
pub fn between(earliest: u64, latest: u64, perturb: u64) -> u64 {
    if latest <= earliest {
        return earliest;
    }
    let periods = [MINUTE, 10 * SECOND, SECOND, SECOND / 4];
    let aligned = periods.into_iter().find_map(|period| {
        let offset = perturb % period;
        let last = latest.checked_sub(offset)? / period * period + offset;
        (last >= earliest).then_some(last)
    });
    aligned.unwrap_or(latest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_of_a_machine_elapse_together() {
        let perturb = 12_345_678;
        assert_eq!(between(5, 5, perturb), 5);
        assert_eq!(between(5, 4, perturb), 5);
        assert_eq!(between(1, 10 * MINUTE, perturb), 9 * MINUTE + perturb);
        assert_eq!(between(20 * SECOND, 30 * SECOND, perturb), 22_345_678);
        assert_eq!(between(20 * SECOND, 21 * SECOND, perturb), 20_345_678);
        assert_eq!(between(20_400_000, 20_600_000, perturb), 20_595_678);
        assert_eq!(between(20_400_000, 20_410_000, perturb), 20_410_000);
        assert_eq!(between(0, 3, perturb), 3);
    }
}
