//! Answers that nss-resolve finds by itself: the map that this daemon shares with every process. docs/lookaside.md
//!
//! What is published came out of the cache. So whatever keeps an answer from being kept (`Cache=`, a server on a loopback
//! address, a time to live of 0) keeps it from here, too.

use std::cell::{Cell, RefCell};

use lookaside::{Answer, Question, Writer};
use rustix::time::{ClockId, clock_gettime};

/// The map, where there is one.
#[derive(Debug, Default)]
pub struct Published {
    writer: RefCell<Option<Writer>>,
    is_on: Cell<bool>,
    /// Something was published since all was voided.
    has_some: Cell<bool>,
    recent: RefCell<Recent>,
}

/// What has been published in this second, some of it: who asks the daemon again and again for the same has it published once.
#[derive(Debug, Default)]
struct Recent {
    second: u32,
    /// Digests of questions, each in the place that its last bits say.
    questions: [u64; RECENT],
}

const RECENT: usize = 32;

impl Recent {
    fn place(&mut self, digest: u64) -> Option<&mut u64> {
        self.questions.get_mut(digest as usize % RECENT)
    }
}

impl Published {
    /// From now on answers are published.
    pub fn begin(&self, writer: Writer) {
        self.writer.replace(Some(writer));
        self.is_on.set(true);
    }

    /// Retires the map: readers ask whoever comes next.
    pub fn end(&self) {
        self.is_on.set(false);
        self.writer.take();
    }

    /// As `Lookaside=` says now. A map that was not made at the start can't be made by who is not root any more: `false`.
    pub fn switch(&self, on: bool) -> bool {
        let mut writer = self.writer.borrow_mut();
        let Some(writer) = writer.as_mut() else {
            return !on;
        };
        self.is_on.set(on);
        if !on {
            writer.void();
            writer.suspend();
        }
        true
    }

    /// Whether answers are published.
    pub fn is_on(&self) -> bool {
        self.is_on.get()
    }

    /// Somebody is being served, so what is published holds yet.
    pub fn renew(&self) {
        if self.is_on.get()
            && let Some(writer) = self.writer.borrow_mut().as_mut()
        {
            writer.renew();
        }
    }

    /// Whether the answer has been published within this second.
    pub fn is_recent(&self, question: &Question<'_>) -> bool {
        let (mut recent, now) = (self.recent.borrow_mut(), second());
        if recent.second != now {
            *recent = Recent {
                second: now,
                ..Recent::default()
            };
        }
        let digest = question.digest();
        recent.place(digest).is_some_and(|known| *known == digest)
    }

    /// Publishes an answer for so many seconds.
    pub fn put(&self, question: &Question<'_>, answer: Answer<'_>, ttl: u32) {
        if self.is_on.get()
            && let Some(writer) = self.writer.borrow_mut().as_mut()
        {
            writer.publish(question, answer, Some(ttl));
            self.has_some.set(true);
            let digest = question.digest();
            if let Some(place) = self.recent.borrow_mut().place(digest) {
                *place = digest;
            }
        }
    }

    /// Voids all that is published, before whoever changed something is told that it is changed.
    pub fn void(&self) {
        self.recent.take();
        if self.has_some.replace(false)
            && let Some(writer) = self.writer.borrow_mut().as_mut()
        {
            writer.void();
        }
    }
}

fn second() -> u32 {
    clock_gettime(ClockId::MonotonicCoarse).tv_sec as u32
}
