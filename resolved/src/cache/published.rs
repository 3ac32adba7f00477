//! Answers that nss-resolve finds by itself: the map that this daemon shares with every process. docs/lookaside.md
//!
//! What is published came out of the cache. So whatever keeps an answer from being kept (`Cache=`, a server on a loopback
//! address, a time to live of 0) keeps it from here, too.

use std::cell::{Cell, RefCell};

use lookaside::{Answer, Question, Writer};

/// The map, where there is one.
#[derive(Debug, Default)]
pub struct Published {
    writer: RefCell<Option<Writer>>,
    is_on: Cell<bool>,
    /// Something was published since all was voided.
    has_some: Cell<bool>,
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

    /// Publishes an answer for so many seconds.
    pub fn put(&self, question: &Question, answer: Answer<'_>, ttl: u32) {
        if self.is_on.get()
            && let Some(writer) = self.writer.borrow_mut().as_mut()
        {
            writer.publish(question, answer, Some(ttl));
            self.has_some.set(true);
        }
    }

    /// Voids all that is published, before whoever changed something is told that it is changed.
    pub fn void(&self) {
        if self.has_some.replace(false)
            && let Some(writer) = self.writer.borrow_mut().as_mut()
        {
            writer.void();
        }
    }
}
