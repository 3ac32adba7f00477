//! Changes of files: an inotify for each priority, in which the sources of one file share a watch.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use super::epoll::{Epoll, Token};
use super::source::Id;
use crate::{Errno, Result};

/// A file, by device and number.
pub type Inode = (u64, u64);

/// Bits of a mask that say how a watch is made, not what of.
const HOW: u32 = libc::IN_ONESHOT | libc::IN_DONT_FOLLOW | libc::IN_ONLYDIR | libc::IN_EXCL_UNLINK;

/// `struct inotify_event` with its name, as words: so it is aligned for C.
#[derive(Clone, Debug)]
pub struct Event {
    words: Box<[u32]>,
    watch: i32,
    pub mask: u32,
}

impl Event {
    /// For C.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// The first of some bytes, and the rest.
    fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let word = |at: usize| {
            let word = bytes.get(at..)?.first_chunk()?;
            Some(u32::from_ne_bytes(*word))
        };
        let (watch, mask, length) = (word(0)?, word(4)?, word(12)?);
        let end = usize::try_from(length).ok()?.checked_add(16)?;
        let (event, rest) = bytes.split_at_checked(end)?;
        let words = event.chunks(4).map(|chunk| {
            let mut word = [0; 4];
            word.iter_mut()
                .zip(chunk)
                .for_each(|(to, from)| *to = *from);
            u32::from_ne_bytes(word)
        });
        let event = Self {
            words: words.collect(),
            watch: watch.cast_signed(),
            mask,
        };
        Some((event, rest))
    }
}

/// A file that is watched.
#[derive(Debug)]
struct Watched {
    /// Kept until the loop goes on, so that what is watched of it can still be changed.
    file: Option<OwnedFd>,
    watch: Option<i32>,
    mask: u32,
    sources: Vec<(Id, u32)>,
}

#[derive(Debug)]
struct Instance {
    number: u64,
    file: OwnedFd,
    inodes: BTreeMap<Inode, Watched>,
    watches: BTreeMap<i32, Inode>,
    /// What was read, the next first.
    events: VecDeque<Event>,
    /// How many sources have the first pending.
    pending: usize,
}

/// All of a loop's.
#[derive(Debug, Default)]
pub struct Watches {
    instances: BTreeMap<i64, Instance>,
    last: u64,
}

impl Watches {
    /// Watches a file for a source, too.
    ///
    /// # Errors
    /// Of inotify_init1(2) and inotify_add_watch(2).
    pub fn add(
        &mut self,
        epoll: &Epoll,
        priority: i64,
        (inode, file): (Inode, OwnedFd),
        (source, mask): (Id, u32),
    ) -> Result<()> {
        let instance = match self.instances.entry(priority) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                self.last += 1;
                let new = Instance::new(self.last)?;
                let token = Token::Inotify(new.number);
                epoll.add(new.file.as_raw_fd(), libc::EPOLLIN as u32, token)?;
                place.insert(new)
            }
        };
        let watched = instance.inodes.entry(inode).or_insert(Watched {
            file: None,
            watch: None,
            mask: 0,
            sources: Vec::new(),
        });
        watched.sources.push((source, mask));
        watched.file = Some(file);
        let result = instance.watch(inode);
        if result.is_err() {
            self.remove(priority, inode, source);
        }
        result
    }

    /// Watches it no longer for a source.
    pub fn remove(&mut self, priority: i64, inode: Inode, source: Id) {
        let Some(instance) = self.instances.get_mut(&priority) else {
            return;
        };
        let Some(watched) = instance.inodes.get_mut(&inode) else {
            return;
        };
        watched.sources.retain(|(other, _)| *other != source);
        if !watched.sources.is_empty() {
            // If it can't be changed, it tells more than is wanted, which is left out when it is read.
            let _ = instance.watch(inode);
            return;
        }
        if let Some(watch) = watched.watch {
            instance.watches.remove(&watch);
            let _ = inotify::remove_watch(&instance.file, watch);
        }
        instance.inodes.remove(&inode);
        if instance.inodes.is_empty() {
            self.instances.remove(&priority);
        }
    }

    /// The file of a source, if it is still open.
    pub fn file(&self, priority: i64, inode: Inode) -> Option<Result<OwnedFd>> {
        let watched = self.instances.get(&priority)?.inodes.get(&inode)?;
        let file = watched.file.as_ref()?;
        Some(file.try_clone().map_err(|error| crate::errno_of(&error)))
    }

    /// Closes files, which would keep what they are on from being unmounted.
    pub fn close_files(&mut self) {
        for instance in self.instances.values_mut() {
            for watched in instance.inodes.values_mut() {
                watched.file = None;
            }
        }
    }

    /// Reads what has happened.
    ///
    /// # Errors
    /// Of read(2), but that nothing has.
    pub fn read(&mut self, number: u64) -> Result<()> {
        let mut all = self.instances.values_mut();
        match all.find(|instance| instance.number == number) {
            Some(instance) if instance.events.is_empty() => instance.read(),
            _ => Ok(()),
        }
    }

    /// Who is to be told of the next event of each priority for which nothing is pending, among the sources that listen.
    pub fn next(&mut self, listens: impl Fn(Id) -> bool) -> Vec<Id> {
        let mut all = Vec::new();
        for instance in self.instances.values_mut() {
            while instance.pending == 0 {
                let Some(mut told) = instance.first() else {
                    break;
                };
                told.retain(|source| listens(*source));
                if told.is_empty() {
                    instance.events.pop_front();
                } else {
                    all.extend(told);
                    break;
                }
            }
        }
        all
    }

    /// Whether something was read and not yet told.
    pub fn is_filled(&self) -> bool {
        let mut all = self.instances.values();
        all.any(|instance| !instance.events.is_empty())
    }

    /// What a source has pending.
    pub fn first(&self, priority: i64) -> Option<Event> {
        self.instances.get(&priority)?.events.front().cloned()
    }

    /// A source has the first event pending, or has it no longer; when none has it is over.
    pub fn set_pending(&mut self, priority: i64, pending: bool) {
        let Some(instance) = self.instances.get_mut(&priority) else {
            return;
        };
        if pending {
            instance.pending += 1;
            return;
        }
        instance.pending = instance.pending.saturating_sub(1);
        if instance.pending == 0 {
            instance.events.pop_front();
        }
    }
}

impl Instance {
    fn new(number: u64) -> Result<Self> {
        let file = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        let file = match file.as_raw_fd() {
            0..3 => rustix::io::fcntl_dupfd_cloexec(&file, 3)?,
            _ => file,
        };
        Ok(Self {
            number,
            file,
            inodes: BTreeMap::new(),
            watches: BTreeMap::new(),
            events: VecDeque::new(),
            pending: 0,
        })
    }

    /// Has the kernel tell what all sources of a file want to know together.
    fn watch(&mut self, inode: Inode) -> Result<()> {
        let Some(watched) = self.inodes.get_mut(&inode) else {
            return Ok(());
        };
        let masks = || watched.sources.iter().map(|(_, mask)| *mask);
        let mut mask = masks().fold(0, |all, mask| all | mask) & !HOW;
        if masks().all(|mask| mask & libc::IN_EXCL_UNLINK != 0) {
            mask |= libc::IN_EXCL_UNLINK;
        }
        if watched.watch.is_some() && watched.mask == mask {
            return Ok(());
        }
        let Some(file) = &watched.file else {
            return Ok(());
        };
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let flags = WatchFlags::from_bits_retain(mask);
        let watch = match inotify::add_watch(&self.file, path, flags) {
            // Without /proc there is no way to name what is open.
            Err(Errno::NOENT) => return Err(Errno::NOSYS),
            result => result?,
        };
        watched.watch = Some(watch);
        watched.mask = mask;
        self.watches.insert(watch, inode);
        Ok(())
    }

    fn read(&mut self) -> Result<()> {
        let mut buffer = [0_u8; 4096];
        let length = match rustix::io::read(&self.file, &mut buffer) {
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            result => result?,
        };
        let mut rest = buffer.get(..length).unwrap_or_default();
        while let Some((event, after)) = Event::split(rest) {
            self.events.push_back(event);
            rest = after;
        }
        Ok(())
    }

    /// Who wants to know of the next event; nothing if there is none.
    fn first(&mut self) -> Option<Vec<Id>> {
        let event = self.events.front()?;
        if event.mask & libc::IN_Q_OVERFLOW != 0 {
            // Everybody may have missed something.
            let all = self.inodes.values().flat_map(|watched| &watched.sources);
            return Some(all.map(|(source, _)| *source).collect());
        }
        let Some(inode) = self.watches.get(&event.watch).copied() else {
            return Some(Vec::new());
        };
        let gone = event.mask & libc::IN_IGNORED != 0;
        let everybody = event.mask & (libc::IN_IGNORED | libc::IN_UNMOUNT) != 0;
        if gone {
            self.watches.remove(&event.watch);
        }
        let Some(watched) = self.inodes.get_mut(&inode) else {
            return Some(Vec::new());
        };
        if gone {
            watched.watch = None;
        }
        let wants = |mask: u32| everybody || mask & event.mask & libc::IN_ALL_EVENTS != 0;
        // The newest first, as systemd's library has it.
        let told = watched
            .sources
            .iter()
            .rev()
            .filter(|(_, mask)| wants(*mask));
        Some(told.map(|(source, _)| *source).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_split() {
        let mut bytes = Vec::new();
        for (word, name) in [(1_u32, ""), (2, "abc\0\0\0\0\0")] {
            for part in [word, libc::IN_CREATE, 0, name.len() as u32] {
                bytes.extend(part.to_ne_bytes());
            }
            bytes.extend(name.as_bytes());
        }
        let (first, rest) = Event::split(&bytes).unwrap();
        assert_eq!(
            (first.watch, first.mask, first.words.len()),
            (1, libc::IN_CREATE, 4)
        );
        let (second, rest) = Event::split(rest).unwrap();
        assert_eq!((second.watch, second.words.len(), rest.len()), (2, 6, 0));
        for length in 0..16 {
            assert!(Event::split(&bytes[..length]).is_none());
        }
        assert!(Event::split(&bytes[16..39]).is_none());
    }
}
