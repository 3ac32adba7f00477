//! The system calls that rustix lacks: all `unsafe` of this crate.
