//! The map of machines that nss-mymachines reads in every process: docs/lookaside.md
//!
//! What is the same for everybody is in it. What is not, or may be old, stands there as a question to be asked: the map is
//! complete, so that a name which is not in it is no machine's.

mod index;
mod known;
mod size;

use std::{cell::RefCell, io, path::PathBuf, rc::Rc};

use lookaside::{Complete, Settings, Writer};
use rustix::time::{ClockId, clock_gettime};

use self::{index::Index, known::Known};
use crate::machine::Machine;

/// How many seconds after a larger map could not be made it is tried again.
const PATIENCE: i64 = 60;

/// The map, where there is one.
#[derive(Debug, Default)]
pub(crate) struct Published(RefCell<Option<Map>>);

impl Published {
    /// From now on machines are published in this map, and in a larger one at the same place when it is full. It is said to be
    /// [complete](Self::complete) later.
    pub fn begin(&self, writer: Writer, path: PathBuf) {
        self.0.replace(Some(Map::new(writer, path)));
    }

    /// Retires the map: readers ask whoever comes next.
    pub fn end(&self) {
        self.0.take();
    }

    /// Says that all machines there are have been published.
    pub fn complete(&self) {
        self.with(|map| {
            map.has_all = true;
            map.grow();
            map.say_complete();
        });
    }

    /// Publishes a machine, or what has changed of it.
    pub fn put(&self, machine: &Rc<Machine>) {
        self.with(|map| map.put(machine, Known::of(machine)));
    }

    /// Takes a machine out.
    pub fn take(&self, machine: &Rc<Machine>) {
        self.with(|map| map.take(machine));
    }

    /// Whether a second has begun since the map was last renewed.
    pub fn is_due(&self) -> bool {
        let map = self.0.borrow();
        map.as_ref().is_some_and(|map| map.renewed != second())
    }

    /// Vouches for the map.
    pub fn renew(&self) {
        self.with(|map| {
            map.renewed = second();
            map.writer.renew();
        });
    }

    fn with(&self, act: impl FnOnce(&mut Map)) {
        if let Some(map) = self.0.borrow_mut().as_mut() {
            act(map);
        }
    }
}

fn second() -> i64 {
    clock_gettime(ClockId::Monotonic).tv_sec
}

#[derive(Debug)]
struct Map {
    writer: Writer,
    path: PathBuf,
    renewed: i64,
    has_all: bool,
    /// The second before which no larger map is tried.
    next_try: i64,
    index: Index,
}

impl Map {
    fn new(writer: Writer, path: PathBuf) -> Self {
        Self {
            writer,
            path,
            renewed: 0,
            has_all: false,
            next_try: 0,
            index: Index::default(),
        }
    }

    fn put(&mut self, machine: &Rc<Machine>, known: Known) {
        let is_all = known.is_all;
        if !is_all {
            // Before what is known goes.
            self.index.in_part.insert(machine.name.clone());
            self.say_complete();
        }
        self.index.put(machine, known, &mut self.writer);
        if is_all {
            self.index.in_part.remove(&machine.name);
        }
        self.grow();
        self.say_complete();
    }

    fn take(&mut self, machine: &Rc<Machine>) {
        if self.index.take(machine, &mut self.writer) {
            self.say_complete();
        }
    }

    /// Of what the map has all that there is.
    fn say_complete(&mut self) {
        let complete = self.complete(&self.writer);
        self.writer.set_complete(complete);
    }

    fn complete(&self, writer: &Writer) -> Complete {
        // What had to make room for another is there all the same.
        if !self.has_all || writer.evicted() > 0 {
            Complete::Nothing
        } else if self.index.in_part.is_empty() {
            Complete::All
        } else {
            Complete::Names
        }
    }

    /// Puts a larger map in the place of one that is full.
    fn grow(&mut self) {
        if !self.has_all || self.writer.evicted() == 0 || second() < self.next_try {
            return;
        }
        let mut next = size::above(self.writer.size());
        while let Some(size) = next {
            match self.larger(size) {
                Ok(writer) => {
                    // The one before is retired. This one is vouched for when the next asks.
                    self.writer = writer;
                    self.renewed = 0;
                    tracing::debug!("The map of machines has {size} bytes now");
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::QuotaExceeded => {
                    next = size::above(size)
                }
                Err(error) => {
                    tracing::warn!("The map of machines is full, and has no room to grow: {error}");
                    break;
                }
            }
        }
        self.next_try = second() + PATIENCE;
    }

    /// A map of this size with all that there is, in the place of the one before. QuotaExceeded if it is full, too.
    fn larger(&self, size: usize) -> io::Result<Writer> {
        size::check(&self.path, size)?;
        let settings = Settings {
            size,
            ..Settings::default()
        };
        Writer::create_filled(&self.path, settings, |writer| {
            self.index.tell_all(writer);
            if writer.evicted() > 0 {
                return Err(io::ErrorKind::QuotaExceeded.into());
            }
            let complete = self.complete(writer);
            writer.set_complete(complete);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
