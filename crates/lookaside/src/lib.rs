//! The map of known answers: a file that a daemon writes and every process that asks reads from its
//! own memory, without a system call. docs/lookaside.md describes it to the byte.
//!
//! A module has a [`Lookaside`] in a `static` and puts each [`Question`] to it before it asks the
//! daemon. Whatever is wrong with the map, [`Verdict::Miss`] is all that comes of it. The reader
//! has no allocation, no lock, no thread and no reachable panic, and never writes to the map.
//!
//! A daemon has a `Writer` (feature `writer`), made while it is still root.
#![no_std]
#[cfg(any(test, feature = "writer"))]
extern crate std;

mod blake3;
mod geometry;
mod head;
mod memory;
#[cfg(test)]
mod model;
mod question;
mod reader;
mod record;
mod seal;
mod sequence;
mod siphash;
mod sys;
mod view;
mod words;

#[cfg(any(test, feature = "writer"))]
mod stat;
#[cfg(any(test, feature = "writer"))]
mod table;
#[cfg(any(test, feature = "writer"))]
#[doc(hidden)]
pub mod trial;
#[cfg(any(test, feature = "writer"))]
mod writer;

pub use question::{Family, Question};
pub use reader::{Lookaside, Source};
pub use record::{Item, Verdict};
#[cfg(any(test, feature = "writer"))]
pub use {
    head::Complete,
    record::Answer,
    stat::Stat,
    writer::{Settings, Writer},
};
