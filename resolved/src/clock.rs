//! What time it is.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Since the start of the machine, sleep included: times to live go on while the machine sleeps. CLOCK_BOOTTIME,
/// clock_gettime(2)
#[must_use]
pub fn boottime() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanoseconds)
}
