//! Saying that the loop is alive, as often as the service manager wants to hear it (sd_event_set_watchdog(3)).

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use super::clock::{self, Clock, between};
use super::epoll::Token;
use super::turn::{Loop, perturb};
use crate::daemon::{self, Address, Notification};
use crate::{Result, environment};

/// What has to be said, and when.
#[derive(Debug)]
pub struct Watchdog {
    file: OwnedFd,
    period: u64,
    last: u64,
}

impl Watchdog {
    fn arm(&self, offset: u64) -> Result<()> {
        let earliest = self.last.saturating_add(self.period / 2);
        let latest = self.last.saturating_add(self.period / 4 * 3);
        let at = between(earliest, latest, offset);
        clock::set(&self.file, Some(at))
    }

    /// Says it again, unless it was said just now.
    pub fn look(&mut self, now: u64, offset: u64) -> Result<()> {
        if now < self.last.saturating_add(self.period / 4) {
            return Ok(());
        }
        tell();
        self.last = now;
        self.arm(offset)
    }

    pub fn elapsed(&self) {
        clock::drain(&self.file);
    }
}

/// A manager that is not there need not be told.
fn tell() {
    let Some(address) = environment::variable("NOTIFY_SOCKET") else {
        return;
    };
    let told = Notification {
        pid: None,
        state: b"WATCHDOG=1",
        descriptors: &[],
    };
    let _ = Address::parse(&address).and_then(|address| daemon::notify(&address, &told));
}

impl Loop {
    #[must_use]
    pub const fn has_watchdog(&self) -> bool {
        self.watchdog.is_some()
    }

    /// Says from now on that the loop is alive, once each such period.
    ///
    /// # Errors
    /// Of timerfd_create(2).
    pub fn start_watchdog(&mut self, period: Duration) -> Result<()> {
        tell();
        let watchdog = Watchdog {
            file: clock::create(Clock::Monotonic)?,
            period: u64::try_from(period.as_micros()).unwrap_or(clock::NEVER),
            last: Clock::Monotonic.now(),
        };
        watchdog.arm(*self.perturb.get_or_insert_with(perturb))?;
        let events = libc::EPOLLIN.cast_unsigned();
        self.epoll
            .add(watchdog.file.as_raw_fd(), events, Token::Watchdog)?;
        self.watchdog = Some(watchdog);
        Ok(())
    }

    pub fn stop_watchdog(&mut self) {
        // The epoll forgets what is closed.
        self.watchdog = None;
    }
}
