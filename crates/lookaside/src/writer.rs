//! A daemon's own map.

use std::io;
use std::path::Path;

use rustix::time::{ClockId, clock_gettime};

use crate::head::{Complete, LONGEST_LEASE, counter, state};
use crate::question::Question;
use crate::record::{Answer, NEVER};
use crate::sys::{WritableMapping, seconds};
use crate::table::Table;
use crate::words::{Words, WordsMut};

mod file;

/// What can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The size of the file in bytes, 16 KiB to 256 MiB, all of which is taken at once.
    pub size: usize,
    /// For how many seconds an answer stands that the daemon could not take back, 1 to 60.
    pub lease: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            size: 4 << 20,
            lease: 5,
        }
    }
}

/// The map of one daemon. Dropping it says to readers that it is over.
///
/// Nothing here waits for a reader, and after [`create`](Self::create) nothing makes a system call,
/// save on machines where reading a clock is one.
#[derive(Debug)]
pub struct Writer {
    table: Table<WritableMapping>,
    lease: u32,
    size: usize,
    /// The second in which the clocks were last compared.
    clock: u32,
    /// For how many seconds the machine has been asleep since it started.
    asleep: u32,
}

impl Writer {
    /// Makes a new map and puts it in the place of what is at `path`, which is retired if it is a map. To be
    /// called by root, who then owns the file; the writer stays usable when the daemon has become
    /// somebody else, and holds no descriptor. Until it is [renewed](Self::renew), readers ask the daemon.
    ///
    /// # Errors
    /// Those of the file system; `InvalidInput` for a size that no map has.
    pub fn create(path: &Path, settings: Settings) -> io::Result<Self> {
        let made = Self::create_filled(path, settings, |_| Ok(()));
        // The daemon of what is there has ended: readers ask.
        made.inspect_err(|_| file::retire_at(path))
    }

    /// As [`create`](Self::create), with what `fill` publishes in it before anybody finds it.
    ///
    /// # Errors
    /// That of `fill`, too: what is at `path` stays there then, and is not retired.
    pub fn create_filled(
        path: &Path,
        settings: Settings,
        fill: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<Self> {
        file::create(path, settings.size, |words, fixed| {
            let mut new = Self {
                table: Table::new(words, fixed),
                lease: settings.lease.clamp(1, LONGEST_LEASE),
                size: settings.size,
                clock: u32::MAX,
                asleep: 0,
            };
            let now = new.now();
            new.words().store(counter::CREATED, now);
            fill(&mut new)?;
            Ok(new)
        })
    }

    /// The size of the file in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Retires the map at `path`, if a daemon that was killed has left one: for one that is to have none.
    pub fn retire(path: &Path) {
        file::retire_at(path);
    }

    /// Renews the lease. To be called whenever a request is served: it writes but once a second.
    pub fn renew(&mut self) {
        let lease = self.now().wrapping_add(self.lease);
        if self.words().load(state::LEASE) != lease {
            self.words().store_release(state::LEASE, lease);
        }
    }

    /// Publishes an answer that is the same for everybody, for `ttl` seconds or, if `None`, until it is
    /// removed. It takes the place of what was known to the question, and room from others if there is none:
    /// the map then is not complete any more.
    ///
    /// Returns `false` if it is longer than what a map can hold. The daemon will be asked for it.
    pub fn publish(
        &mut self,
        question: &Question<'_>,
        answer: Answer<'_>,
        ttl: Option<u32>,
    ) -> bool {
        let now = self.now();
        if ttl == Some(0) {
            self.table.remove(question);
            return true;
        }
        let expires = ttl.map_or(NEVER, |ttl| now.saturating_add(ttl).min(NEVER - 1));
        self.table.put(now, question, answer, expires)
    }

    /// Takes an answer out. In a complete map, that is to say that there is no such thing.
    pub fn remove(&mut self, question: &Question<'_>) {
        self.table.remove(question);
    }

    /// Voids all answers: when this returns, no lookup that begins finds one. The map is not complete
    /// any more.
    pub fn void(&mut self) {
        self.table.void();
    }

    /// How often all answers have been voided. An answer that takes time to find must not be published if
    /// this has changed meanwhile: it is one of before.
    pub fn epoch(&self) -> u32 {
        self.table.epoch()
    }

    /// Says of what the map has all that there is, so that what it has not got does not exist. It
    /// ceases to be so by itself when something must make room or all is voided.
    pub fn set_complete(&mut self, complete: Complete) {
        self.table.set_complete(complete);
    }

    /// How many answers have had to make room for others.
    pub fn evicted(&self) -> u32 {
        self.words().load(counter::EVICTED)
    }

    /// Ends the lease, until it is renewed.
    pub fn suspend(&mut self) {
        self.words().store_release(state::LEASE, 0);
    }

    fn words(&self) -> &WritableMapping {
        self.table.words()
    }

    /// The second, as the map counts them, which the readers do from now on, too.
    fn now(&mut self) -> u32 {
        let clock = seconds();
        if clock != self.clock {
            self.clock = clock;
            // Never back, as time is not.
            let asleep = asleep();
            if asleep > self.asleep {
                self.asleep = asleep;
                self.words().store_release(state::ASLEEP, asleep);
            }
        }
        clock.wrapping_add(self.asleep)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.words().store_release(state::RETIRED, 1);
    }
}

/// For how long the machine has slept, in seconds: never more than it did, as the clock that counts on is read
/// first.
fn asleep() -> u32 {
    let all = clock_gettime(ClockId::Boottime);
    let awake = clock_gettime(ClockId::Monotonic);
    let borrowed = i64::from(all.tv_nsec < awake.tv_nsec);
    u32::try_from(all.tv_sec - awake.tv_sec - borrowed).unwrap_or(0)
}
