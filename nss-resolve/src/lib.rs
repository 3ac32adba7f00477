//! The NSS module that asks resolved: libnss_resolve.so.2.
//!
//! Speaks io.systemd.Resolve, which systemd's resolved serves since version 247. A daemon that does
//! not answer costs a process about a second, and then nothing for a while.
//!
//! The shared object has no reachable panic: its panic handler calls a function that nobody
//! defines, so one with a reachable panic does not link.
#![cfg_attr(module, no_std)]

mod environment;
mod hosts;
mod name;
mod resolved;
mod sys;
