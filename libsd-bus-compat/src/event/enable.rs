//! Taking sources in and out, and listening to them or not.

use super::clock::Clock;
use super::epoll::Token;
use super::source::{Enabled, Id, Kind, Source};
use super::turn::Loop;
use crate::ffi::event::sys;
use crate::{Errno, Result};

impl Loop {
    /// Takes a source in. What can fail was done, but for the kernel's part of it.
    pub(super) fn insert(&mut self, id: Id, kind: Kind, enabled: Enabled) -> Result<Id> {
        self.sources.insert(id, Source::new(id, kind, Enabled::Off));
        if let Err(errno) = self.online(id, enabled, false) {
            self.discard(id);
            return Err(errno);
        }
        Ok(id)
    }

    /// Takes out what did not get in: the descriptor stays the program's.
    fn discard(&mut self, id: Id) {
        if let Some(mut source) = self.sources.remove(&id)
            && let Kind::Io(io) = &mut source.kind
        {
            io.owned = false;
        }
    }

    /// Takes a source out. What it owns ends when the answer is dropped. In a process that was forked (`ours` is false), the
    /// kernel's part of the loop is left alone: it is shared with the process that the loop belongs to.
    pub fn remove(&mut self, id: Id, ours: bool) -> Option<Source> {
        let source = self.sources.get(&id)?;
        if !ours {
            let mut source = self.sources.remove(&id)?;
            source.ours = false;
            return Some(source);
        }
        let number = match &source.kind {
            Kind::Signal(signal) => Some((signal.number, signal.unblock)),
            _ => None,
        };
        self.set_pending(id, false);
        let limited = self.sources.get(&id).is_some_and(|source| source.limited);
        // It can't fail to go.
        let _ = self.offline(id, Enabled::Off, limited);
        if let Ok(source) = self.source(id) {
            source.limited = false;
            source.prepares = false;
            source.pending = None;
        }
        self.settle(id);
        let source = self.sources.remove(&id)?;
        match &source.kind {
            Kind::Signal(_) => {
                if let Some((number, unblock)) = number {
                    self.by_signal.remove(&number);
                    self.unwatch_signal(source.priority, number);
                    if unblock {
                        sys::unblock(number);
                    }
                }
            }
            Kind::Child(child) => {
                self.by_pid.remove(&child.pid);
                self.unwatch_signal(source.priority, libc::SIGCHLD);
            }
            Kind::Post => {
                self.post.remove(&id);
            }
            Kind::Inotify(inotify) => {
                let (instance, inode) = (inotify.instance, inotify.inode);
                self.watches.remove(instance, inode, id);
            }
            Kind::Io(_) | Kind::Time(_) | Kind::Defer | Kind::Exit | Kind::Pressure(_) => {}
        }
        Some(source)
    }

    /// Listens to a source, or not.
    ///
    /// # Errors
    /// Of epoll_ctl(2) and signalfd(2).
    pub fn set_enabled(&mut self, id: Id, enabled: Enabled) -> Result<()> {
        let source = self.source(id)?;
        let (before, limited) = (source.enabled, source.limited);
        if before == enabled {
            return Ok(());
        }
        match (before, enabled) {
            (_, Enabled::Off) => self.offline(id, enabled, limited),
            (Enabled::Off, _) => self.online(id, enabled, limited),
            // The next event is the last, or not.
            _ => {
                source.enabled = enabled;
                Ok(())
            }
        }
    }

    /// It has had its share for now, and is not listened to until the interval is over.
    pub(super) fn limit(&mut self, id: Id) -> Result<()> {
        let Self { timers, epoll, .. } = self;
        if let Some(timers) = timers.get_mut(Clock::Monotonic.index()) {
            timers.open(epoll, Clock::Monotonic)?;
        }
        let enabled = self.source(id)?.enabled;
        self.offline(id, enabled, true)
    }

    /// Its interval is over, or no longer wanted. Whether it was limited.
    ///
    /// # Errors
    /// As [`Loop::set_enabled`].
    pub fn unlimit(&mut self, id: Id) -> Result<bool> {
        let source = self.source(id)?;
        if !source.limited {
            return Ok(false);
        }
        let enabled = source.enabled;
        self.online(id, enabled, false)?;
        self.source(id)?.limit.reset();
        Ok(true)
    }

    fn offline(&mut self, id: Id, enabled: Enabled, limited: bool) -> Result<()> {
        let source = self.source(id)?;
        let turned_off = source.enabled != Enabled::Off && enabled == Enabled::Off;
        if turned_off && !source.is_always_pending() {
            self.set_pending(id, false);
        }
        let source = self.sources.get_mut(&id).ok_or(Errno::STALE)?;
        let priority = source.priority;
        source.enabled = enabled;
        source.limited = limited;
        match &mut source.kind {
            Kind::Io(io) if io.registered => {
                io.registered = false;
                self.epoll.remove(io.descriptor);
            }
            Kind::Signal(signal) => {
                let number = signal.number;
                self.unwatch_signal(priority, number);
            }
            Kind::Child(child) => {
                if std::mem::take(&mut child.registered) {
                    self.epoll.remove(child.pidfd);
                }
                self.unwatch_signal(priority, libc::SIGCHLD);
            }
            Kind::Pressure(_) => self.forget_pressure(id),
            _ => {}
        }
        self.settle(id);
        Ok(())
    }

    fn online(&mut self, id: Id, enabled: Enabled, limited: bool) -> Result<()> {
        let source = self.source(id)?;
        let turned_on = source.enabled == Enabled::Off && enabled != Enabled::Off;
        if turned_on && !source.is_always_pending() {
            self.set_pending(id, false);
        }
        if enabled != Enabled::Off && !limited {
            self.register(id, enabled)?;
        }
        let source = self.source(id)?;
        source.enabled = enabled;
        source.limited = limited;
        self.settle(id);
        Ok(())
    }

    /// Has the kernel tell of a source.
    fn register(&mut self, id: Id, enabled: Enabled) -> Result<()> {
        let source = self.sources.get_mut(&id).ok_or(Errno::STALE)?;
        let priority = source.priority;
        match &mut source.kind {
            Kind::Io(io) => {
                let events = io.events | once(enabled);
                let token = Token::Source(id);
                match io.registered {
                    true => self.epoll.modify(io.descriptor, events, token)?,
                    false => self.epoll.add(io.descriptor, events, token)?,
                }
                io.registered = true;
            }
            Kind::Signal(signal) => self.signals.watch(&self.epoll, priority, signal.number)?,
            Kind::Child(child) if child.is_by_pidfd() => {
                let events = libc::EPOLLIN.cast_unsigned() | once(enabled);
                self.epoll.add(child.pidfd, events, Token::Source(id))?;
                child.registered = true;
            }
            Kind::Child(_) => {
                self.signals.watch(&self.epoll, priority, libc::SIGCHLD)?;
                self.look_at_children = true;
            }
            Kind::Pressure(_) => self.register_pressure(id, once(enabled))?,
            _ => {}
        }
        Ok(())
    }

    /// Registers a descriptor anew, after what is wanted of it has changed.
    pub(super) fn register_again(&mut self, id: Id) -> Result<()> {
        let source = self.source(id)?;
        let enabled = source.enabled;
        match source.is_online() {
            true => self.register(id, enabled),
            false => Ok(()),
        }
    }

    /// Leaves a signal of a priority to others, if no source needs it.
    pub(super) fn unwatch_signal(&mut self, priority: i64, signal: i32) {
        if !self.signals.has(priority, signal) {
            return;
        }
        let needs = |source: &Source| {
            source.is_online()
                && source.priority == priority
                && match &source.kind {
                    Kind::Signal(own) => own.number == signal,
                    Kind::Child(child) => signal == libc::SIGCHLD && !child.is_by_pidfd(),
                    _ => false,
                }
        };
        if !self.sources.values().any(needs) {
            self.signals.unwatch(priority, signal);
        }
    }

    /// Changes what comes first.
    ///
    /// # Errors
    /// EOPNOTSUPP for a file that was watched in an earlier iteration.
    pub fn set_priority(&mut self, id: Id, priority: i64) -> Result<()> {
        let source = self.sources.get_mut(&id).ok_or(Errno::STALE)?;
        let before = source.priority;
        if before == priority {
            return Ok(());
        }
        let online = source.is_online();
        let signal = match &mut source.kind {
            Kind::Inotify(inotify) => {
                let (instance, inode, mask) = (inotify.instance, inotify.inode, inotify.mask);
                let file = self.watches.file(instance, inode);
                let file = file.ok_or(Errno::OPNOTSUPP)??;
                let new = (inode, file);
                self.watches.add(&self.epoll, priority, new, (id, mask))?;
                // What it has pending is of the old one.
                self.set_pending(id, false);
                self.watches.remove(instance, inode, id);
                if let Kind::Inotify(inotify) = &mut self.source(id)?.kind {
                    inotify.instance = priority;
                }
                None
            }
            Kind::Signal(signal) => Some(signal.number),
            Kind::Child(child) if !child.is_by_pidfd() => Some(libc::SIGCHLD),
            _ => None,
        };
        if let Some(signal) = signal.filter(|_| online) {
            self.signals.watch(&self.epoll, priority, signal)?;
        }
        self.source(id)?.priority = priority;
        if let Some(signal) = signal {
            self.unwatch_signal(before, signal);
        }
        self.settle(id);
        Ok(())
    }
}

fn once(enabled: Enabled) -> u32 {
    match enabled {
        Enabled::Oneshot => libc::EPOLLONESHOT.cast_unsigned(),
        Enabled::On | Enabled::Off => 0,
    }
}
