//! Random numbers: ids that nobody can guess, delays that scatter.

use std::time::Duration;

use rustix::rand::{GetRandomFlags, getrandom};

use crate::clock::boottime;

fn number() -> u64 {
    let mut bytes = [0; 8];
    match getrandom(&mut bytes, GetRandomFlags::NONBLOCK) {
        Ok(8) => u64::from_ne_bytes(bytes),
        // Early in the boot of a machine without entropy: better predictable than not at all.
        _ => u64::from(boottime().subsec_nanos()),
    }
}

/// A message's id.
pub(crate) fn id() -> u16 {
    (number() & 0xffff) as u16
}

/// From 0 up to less than `end`; 0 for 0.
pub(crate) fn below(end: u64) -> u64 {
    number().checked_rem(end).unwrap_or(0)
}

/// A time from `least` to less than `most`, in milliseconds.
pub(crate) fn millis(least: u64, most: u64) -> Duration {
    Duration::from_millis(least + below(most.saturating_sub(least)))
}
