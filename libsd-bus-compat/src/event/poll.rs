//! Waiting, and what it has brought.

use rustix::event::epoll::Event;

use super::clock::{Clock, Timers, Timestamp};
use super::epoll::Token;
use super::source::{Id, Kind, Source};
use super::turn::{Loop, perturb};
use crate::Result;
use crate::ffi::event::sys;

/// What came of looking at the timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elapsed {
    /// A source may be dispatched again: C is to be told.
    Unlimited(Id),
    /// No more.
    Done,
}

impl Loop {
    /// Gets ready to wait. Whether there is something to do without.
    ///
    /// # Errors
    /// Of timerfd_settime(2).
    pub fn arm(&mut self) -> Result<bool> {
        self.begin_pressures()?;
        let offset = match self.timers.iter().all(Timers::is_empty) {
            true => 0,
            false => *self.perturb.get_or_insert_with(perturb),
        };
        for timers in &mut self.timers {
            timers.arm(offset)?;
        }
        self.watches.close_files();
        Ok(!self.pending.is_empty() || self.look_at_children || self.watches.is_filled())
    }

    /// How many events there can be at once.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.sources.len() + 8
    }

    /// Takes in what the kernel has told.
    ///
    /// # Errors
    /// Of reading what there is to read.
    pub fn take(&mut self, events: &[Event]) -> Result<()> {
        self.time = Some(Timestamp::now());
        for event in events {
            let flags = { event.flags }.bits();
            match Token::of({ event.data }.u64()) {
                Some(Token::Source(id)) => self.take_source(id, flags)?,
                Some(Token::Clock(clock)) => self.timers(clock)?.elapsed(),
                Some(Token::Signal(number)) => self.take_signal(number)?,
                Some(Token::Inotify(number)) => self.watches.read(number)?,
                Some(Token::Watchdog) => {
                    if let Some(watchdog) = &self.watchdog {
                        watchdog.elapsed();
                    }
                }
                None => {}
            }
        }
        Ok(())
    }

    fn take_source(&mut self, id: Id, events: u32) -> Result<()> {
        let Some(source) = self.sources.get_mut(&id) else {
            return Ok(());
        };
        let pending = source.pending.is_some();
        match &mut source.kind {
            Kind::Io(io) => {
                // With EPOLLONESHOT each event is told once, and none that was told may be lost.
                io.happened = match pending {
                    true => io.happened | events,
                    false => events,
                };
                self.set_pending(id, true);
            }
            Kind::Child(child) if !pending && child.is_by_pidfd() => {
                let options = libc::WNOHANG | libc::WNOWAIT | child.options;
                if let Some(happened) = sys::wait_child(child.pid, options)? {
                    child.exited |= happened.is_end();
                    child.happened = Some(happened);
                    self.set_pending(id, true);
                }
            }
            Kind::Pressure(_) => self.take_pressure(id, events)?,
            _ => {}
        }
        Ok(())
    }

    fn take_signal(&mut self, number: u64) -> Result<()> {
        let Some(priority) = self.signals.priority(number) else {
            return Ok(());
        };
        self.look_at_children |= self.signals.has(priority, libc::SIGCHLD);
        while let Some(arrived) = self.signals.read(priority)? {
            let id = i32::try_from(arrived.ssi_signo)
                .ok()
                .and_then(|number| self.by_signal.get(&number).copied());
            let Some(id) = id else { continue };
            let Ok(source) = self.source(id) else {
                continue;
            };
            if source.pending.is_some() || !source.is_online() {
                continue;
            }
            if let Kind::Signal(signal) = &mut source.kind {
                signal.arrived = Some(arrived);
            }
            self.signals.set_current(priority, id);
            self.set_pending(id, true);
        }
        Ok(())
    }

    /// Looks what has happened to the children that no pidfd tells of. Whether something has.
    ///
    /// # Errors
    /// Of waitid(2): ECHILD if someone else has waited for one.
    pub fn take_children(&mut self) -> Result<bool> {
        if !std::mem::take(&mut self.look_at_children) {
            return Ok(false);
        }
        let mut changed = Vec::new();
        for id in self.by_pid.values() {
            let Some(source) = self.sources.get_mut(id) else {
                continue;
            };
            let listens = source.is_online() && source.pending.is_none();
            let Kind::Child(child) = &mut source.kind else {
                continue;
            };
            if !listens || child.exited || child.is_by_pidfd() {
                continue;
            }
            // The dead are kept until C has been told of them.
            let ends = child.options & libc::WEXITED != 0;
            let keep = if ends { libc::WNOWAIT } else { 0 };
            let options = libc::WNOHANG | keep | child.options;
            let Some(happened) = sys::wait_child(child.pid, options)? else {
                continue;
            };
            child.happened = Some(happened);
            if happened.is_end() {
                child.exited = true;
            } else if ends {
                let changes = child.options & (libc::WSTOPPED | libc::WCONTINUED);
                let _ = sys::wait_child(child.pid, libc::WNOHANG | changes);
            }
            changed.push(*id);
        }
        for id in &changed {
            self.set_pending(*id, true);
        }
        Ok(!changed.is_empty())
    }

    /// Takes in what does not depend on the kernel's word: the watchdog, and changes of files that were read before.
    ///
    /// # Errors
    /// Of timerfd_settime(2).
    pub fn take_rest(&mut self) -> Result<()> {
        if let (Some(watchdog), Some(time)) = (&mut self.watchdog, &self.time) {
            let offset = *self.perturb.get_or_insert_with(perturb);
            watchdog.look(time.of(Clock::Monotonic), offset)?;
        }
        let sources = &self.sources;
        let listens = |id| {
            let source = sources.get(&id);
            source.is_some_and(Source::is_online)
        };
        for id in self.watches.next(listens) {
            self.set_pending(id, true);
        }
        Ok(())
    }

    /// Makes the timers pending that have elapsed, up to the next source whose limit is over.
    ///
    /// # Errors
    /// Of listening to that source again.
    pub fn take_timers(&mut self) -> Result<Elapsed> {
        let Some(time) = self.time else {
            return Ok(Elapsed::Done);
        };
        for clock in Clock::ALL {
            let now = time.of(clock);
            while let Some(id) = self.timers(clock)?.due(now) {
                if self.unlimit(id)? {
                    return Ok(Elapsed::Unlimited(id));
                }
                self.set_pending(id, true);
            }
        }
        Ok(Elapsed::Done)
    }
}
