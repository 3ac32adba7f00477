//! Signals: their names, sets of them, and the signalfd of each priority.

use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use super::epoll::{Epoll, Token};
use super::source::Id;
use crate::Result;
use crate::ffi::event::sys;

/// Signals, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalSet(u64);

impl SignalSet {
    /// One.
    #[must_use]
    pub fn of(signal: i32) -> Self {
        Self(bit(signal))
    }

    /// Which it has.
    pub fn signals(self) -> impl Iterator<Item = i32> {
        (1..=64).filter(move |signal| self.has(*signal))
    }

    fn has(self, signal: i32) -> bool {
        self.0 & bit(signal) != 0
    }
}

fn bit(signal: i32) -> u64 {
    let place = u32::try_from(signal)
        .ok()
        .and_then(|one| one.checked_sub(1));
    place
        .and_then(|place| 1_u64.checked_shl(place))
        .unwrap_or(0)
}

/// Whether there is such a signal.
#[must_use]
pub fn is_signal(signal: i32) -> bool {
    (1..=64).contains(&signal)
}

const NAMES: [(i32, &str); 31] = [
    (libc::SIGHUP, "HUP"),
    (libc::SIGINT, "INT"),
    (libc::SIGQUIT, "QUIT"),
    (libc::SIGILL, "ILL"),
    (libc::SIGTRAP, "TRAP"),
    (libc::SIGABRT, "ABRT"),
    (libc::SIGBUS, "BUS"),
    (libc::SIGFPE, "FPE"),
    (libc::SIGKILL, "KILL"),
    (libc::SIGUSR1, "USR1"),
    (libc::SIGSEGV, "SEGV"),
    (libc::SIGUSR2, "USR2"),
    (libc::SIGPIPE, "PIPE"),
    (libc::SIGALRM, "ALRM"),
    (libc::SIGTERM, "TERM"),
    (libc::SIGSTKFLT, "STKFLT"),
    (libc::SIGCHLD, "CHLD"),
    (libc::SIGCONT, "CONT"),
    (libc::SIGSTOP, "STOP"),
    (libc::SIGTSTP, "TSTP"),
    (libc::SIGTTIN, "TTIN"),
    (libc::SIGTTOU, "TTOU"),
    (libc::SIGURG, "URG"),
    (libc::SIGXCPU, "XCPU"),
    (libc::SIGXFSZ, "XFSZ"),
    (libc::SIGVTALRM, "VTALRM"),
    (libc::SIGPROF, "PROF"),
    (libc::SIGWINCH, "WINCH"),
    (libc::SIGIO, "IO"),
    (libc::SIGPWR, "PWR"),
    (libc::SIGSYS, "SYS"),
];

/// A signal's name without `SIG`.
#[must_use]
pub fn name(signal: i32) -> String {
    let first = libc::SIGRTMIN();
    match NAMES.iter().find(|(number, _)| *number == signal) {
        Some((_, name)) => (*name).to_owned(),
        None if signal >= first => format!("RTMIN+{}", signal - first),
        None => signal.to_string(),
    }
}

/// A signalfd.
struct Descriptor {
    number: u64,
    file: OwnedFd,
    set: SignalSet,
    /// The source that has a signal of it pending: no other is read until it is dispatched.
    current: Option<Id>,
}

/// The signalfds, one for each priority that a signal is watched with, so that signals of a lower one are left unread.
#[derive(Default)]
pub struct Signals {
    descriptors: BTreeMap<i64, Descriptor>,
    last: u64,
}

impl Signals {
    /// Watches a signal.
    pub fn watch(&mut self, epoll: &Epoll, priority: i64, signal: i32) -> Result<()> {
        if let Some(known) = self.descriptors.get_mut(&priority) {
            let set = SignalSet(known.set.0 | bit(signal));
            sys::signal_descriptor(Some(known.file.as_fd()), set)?;
            known.set = set;
            return Ok(());
        }
        let set = SignalSet::of(signal);
        let Some(file) = sys::signal_descriptor(None, set)? else {
            return Ok(());
        };
        self.last += 1;
        let token = Token::Signal(self.last);
        epoll.add(file.as_raw_fd(), libc::EPOLLIN as u32, token)?;
        let new = Descriptor {
            number: self.last,
            file,
            set,
            current: None,
        };
        self.descriptors.insert(priority, new);
        Ok(())
    }

    /// Watches it no longer.
    pub fn unwatch(&mut self, priority: i64, signal: i32) {
        let Some(known) = self.descriptors.get_mut(&priority) else {
            return;
        };
        known.set.0 &= !bit(signal);
        if known.set == SignalSet::default() {
            // The epoll forgets what is closed.
            self.descriptors.remove(&priority);
        } else {
            // It only gets smaller; what can't be is a signal too many, and nobody's.
            let _ = sys::signal_descriptor(Some(known.file.as_fd()), known.set);
        }
    }

    /// Whether a signal is watched with a priority.
    pub fn has(&self, priority: i64, signal: i32) -> bool {
        let known = self.descriptors.get(&priority);
        known.is_some_and(|known| known.set.has(signal))
    }

    /// The priority of a signalfd.
    pub fn priority(&self, number: u64) -> Option<i64> {
        let mut all = self.descriptors.iter();
        let found = all.find(|(_, known)| known.number == number);
        found.map(|(priority, _)| *priority)
    }

    /// The next signal of a priority, unless one is pending.
    pub fn read(&mut self, priority: i64) -> Result<Option<libc::signalfd_siginfo>> {
        match self.descriptors.get(&priority) {
            Some(known) if known.current.is_none() => sys::read_signal(known.file.as_fd()),
            _ => Ok(None),
        }
    }

    /// A source has a signal of this priority pending.
    pub fn set_current(&mut self, priority: i64, source: Id) {
        if let Some(known) = self.descriptors.get_mut(&priority) {
            known.current = Some(source);
        }
    }

    /// A source is pending no longer.
    pub fn release(&mut self, source: Id) {
        for known in self.descriptors.values_mut() {
            if known.current == Some(source) {
                known.current = None;
            }
        }
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(
                self.descriptors
                    .iter()
                    .map(|(priority, known)| (priority, known.set)),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_and_names() {
        let set = SignalSet(SignalSet::of(1).0 | SignalSet::of(64).0);
        assert_eq!(set.signals().collect::<Vec<_>>(), [1, 64]);
        assert_eq!(SignalSet::of(0), SignalSet::default());
        assert_eq!(SignalSet::of(65), SignalSet::default());
        assert_eq!(name(libc::SIGTERM), "TERM");
        assert_eq!(name(libc::SIGRTMIN() + 3), "RTMIN+3");
        assert_eq!(name(32), "32");
    }
}
