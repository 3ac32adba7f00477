//! All on one core: what is measured, what it is measured beside, and the clients of both.

use rustix::thread::{CpuSet, sched_setaffinity};

/// Keeps this process, and everything that starts from here, on the first core.
pub fn pin() {
    let mut core = CpuSet::new();
    core.set(0);
    sched_setaffinity(None, &core).unwrap();
}
