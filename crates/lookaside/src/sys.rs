//! The clock, the file, and the memory: all that is `unsafe`.

mod clock;
mod file;
mod mapping;
#[cfg(any(test, feature = "writer"))]
mod writing;

pub(crate) use clock::seconds;
pub(crate) use file::{Identity, identity, open};
pub(crate) use mapping::{Mapping, Place};
#[cfg(any(test, feature = "writer"))]
pub(crate) use writing::WritableMapping;
