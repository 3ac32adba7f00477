//! The loop: its sources, and which is next.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use super::clock::{Clock, Timers, Timestamp};
use super::epoll::Epoll;
use super::inotify::{self, Watches};
use super::signal::Signals;
use super::source::{Enabled, Happened, Id, Kind, Source};
use super::watchdog::Watchdog;
use crate::{Errno, Result, id128};

/// A loop.
#[derive(Debug)]
pub struct Loop {
    pub(super) epoll: Epoll,
    pub(super) sources: BTreeMap<Id, Source>,
    last: Id,
    pub(super) iteration: u64,
    pub(super) time: Option<Timestamp>,
    /// How often a source became pending.
    became_pending: u64,
    pub(super) pending: BTreeSet<(i64, u64, Id)>,
    pub(super) prepare: BTreeSet<(u64, i64, Id)>,
    pub(super) exit: BTreeSet<(i64, Id)>,
    pub(super) post: BTreeSet<Id>,
    pub(super) timers: [Timers; 5],
    pub(super) signals: Signals,
    pub(super) by_signal: BTreeMap<i32, Id>,
    pub(super) by_pid: BTreeMap<libc::pid_t, Id>,
    /// A child may have changed.
    pub(super) look_at_children: bool,
    pub(super) watches: Watches,
    /// Sources whose triggers are to be written.
    pub(super) pressures: Vec<Id>,
    pub(super) watchdog: Option<Watchdog>,
    pub(super) perturb: Option<u64>,
}

/// What is told of a source.
#[derive(Clone)]
pub enum Occurrence {
    Io {
        descriptor: i32,
        events: u32,
    },
    Time(u64),
    Signal(libc::signalfd_siginfo),
    Child(Happened),
    Inotify(inotify::Event),
    /// That it is its turn.
    Turn,
}

impl Loop {
    /// # Errors
    /// Of epoll_create1(2).
    pub fn new() -> Result<Self> {
        Ok(Self {
            epoll: Epoll::new()?,
            sources: BTreeMap::new(),
            last: 0,
            iteration: 0,
            time: None,
            became_pending: 0,
            pending: BTreeSet::new(),
            prepare: BTreeSet::new(),
            exit: BTreeSet::new(),
            post: BTreeSet::new(),
            timers: <[Timers; 5]>::default(),
            signals: Signals::default(),
            by_signal: BTreeMap::new(),
            by_pid: BTreeMap::new(),
            look_at_children: false,
            watches: Watches::default(),
            pressures: Vec::new(),
            watchdog: None,
            perturb: None,
        })
    }

    /// What becomes readable when there is something to do.
    #[must_use]
    pub fn file(&self) -> Arc<OwnedFd> {
        self.epoll.shared()
    }

    #[must_use]
    pub const fn iteration(&self) -> u64 {
        self.iteration
    }

    /// The time that this iteration goes by, if there was one.
    #[must_use]
    pub fn time(&self, clock: Clock) -> Option<u64> {
        self.time.map(|time| time.of(clock))
    }

    /// # Errors
    /// ESTALE if it was taken out.
    pub fn source(&mut self, id: Id) -> Result<&mut Source> {
        self.sources.get_mut(&id).ok_or(Errno::STALE)
    }

    pub(super) fn timers(&mut self, clock: Clock) -> Result<&mut Timers> {
        self.timers.get_mut(clock.index()).ok_or(Errno::OPNOTSUPP)
    }

    /// A number for a new source.
    pub(super) const fn number(&mut self) -> Id {
        self.last += 1;
        self.last
    }

    /// Puts a source where it belongs, after it was changed.
    pub(super) fn settle(&mut self, id: Id) {
        let Some(source) = self.sources.get_mut(&id) else {
            return;
        };
        let wanted = source.wanted();
        let had = std::mem::replace(&mut source.keys, wanted);
        if had == wanted {
            return;
        }
        exchange(&mut self.pending, had.pending, wanted.pending);
        exchange(&mut self.prepare, had.prepare, wanted.prepare);
        exchange(&mut self.exit, had.exit, wanted.exit);
        if had.time == wanted.time {
            return;
        }
        if let Some((clock, due)) = had.time
            && let Ok(timers) = self.timers(clock)
        {
            timers.remove(due, id);
        }
        if let Some((clock, due)) = wanted.time
            && let Ok(timers) = self.timers(clock)
        {
            timers.insert(due, id);
        }
    }

    /// Makes a source pending, or no longer so. Whether that is a change.
    pub(super) fn set_pending(&mut self, id: Id, pending: bool) -> bool {
        let Some(source) = self.sources.get_mut(&id) else {
            return false;
        };
        if source.pending.is_some() == pending {
            return false;
        }
        self.became_pending += 1;
        source.pending = pending.then_some(self.became_pending);
        match &source.kind {
            Kind::Signal(_) if !pending => self.signals.release(id),
            Kind::Inotify(inotify) => self.watches.set_pending(inotify.instance, pending),
            _ => {}
        }
        self.settle(id);
        true
    }

    /// The source whose turn it is.
    #[must_use]
    pub fn next(&self) -> Option<Id> {
        self.pending.first().map(|(_, _, id)| *id)
    }

    /// The source that is next when the loop ends.
    #[must_use]
    pub fn next_at_exit(&self) -> Option<Id> {
        self.exit.first().map(|(_, id)| *id)
    }

    pub const fn begin_iteration(&mut self) {
        self.iteration += 1;
    }

    /// The next source that has something to call before the wait.
    pub fn next_to_prepare(&mut self) -> Option<Id> {
        let (prepared, _, id) = *self.prepare.first()?;
        if prepared == self.iteration {
            return None;
        }
        self.source(id).ok()?.prepared = self.iteration;
        self.settle(id);
        Some(id)
    }

    /// Begins to dispatch a source. What has happened to it, or nothing if it has had its share for now.
    ///
    /// # Errors
    /// ESTALE if it was taken out; of taking it offline.
    pub fn begin(&mut self, id: Id) -> Result<Option<Occurrence>> {
        let source = self.source(id)?;
        if !source.limit.admits(Clock::Monotonic.now()) {
            self.limit(id)?;
            return Ok(None);
        }
        let Self {
            sources, watches, ..
        } = self;
        let source = sources.get_mut(&id).ok_or(Errno::STALE)?;
        let occurrence = match &mut source.kind {
            Kind::Io(io) => Occurrence::Io {
                descriptor: io.descriptor,
                events: io.happened,
            },
            Kind::Time(time) => Occurrence::Time(time.next),
            Kind::Signal(signal) => match signal.arrived.take() {
                Some(arrived) => Occurrence::Signal(arrived),
                None => Occurrence::Turn,
            },
            Kind::Child(child) => match child.happened {
                Some(happened) => Occurrence::Child(happened),
                None => Occurrence::Turn,
            },
            Kind::Inotify(inotify) => match watches.first(inotify.instance) {
                Some(event) => Occurrence::Inotify(event),
                None => Occurrence::Turn,
            },
            Kind::Defer | Kind::Post | Kind::Exit | Kind::Pressure(_) => Occurrence::Turn,
        };
        let source = self.source(id)?;
        let oneshot = source.enabled == Enabled::Oneshot;
        let is_post = matches!(source.kind, Kind::Post);
        if !source.is_always_pending() {
            self.set_pending(id, false);
        }
        if !is_post {
            let posts: Vec<Id> = self.post.iter().copied().collect();
            for post in posts {
                if self.source(post).is_ok_and(|post| post.is_online()) {
                    self.set_pending(post, true);
                }
            }
        }
        if oneshot {
            self.set_enabled(id, Enabled::Off)?;
        }
        Ok(Some(occurrence))
    }
}

/// Takes one key out of a queue and puts another in.
fn exchange<K: Ord>(queue: &mut BTreeSet<K>, had: Option<K>, wanted: Option<K>) {
    if had == wanted {
        return;
    }
    if let Some(had) = had {
        queue.remove(&had);
    }
    queue.extend(wanted);
}

/// How far into a minute the timers of this machine elapse together, where they may.
pub(super) fn perturb() -> u64 {
    let boot = id128::boot(Path::new("/proc/sys/kernel/random/boot_id"));
    let id = boot.map_or(0, |id| u128::from_ne_bytes(id.0));
    let halves = (id >> 64) as u64 ^ id as u64;
    halves % 60_000_000
}
