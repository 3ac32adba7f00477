//! The one point in time by which everything must be done.

use core::time::Duration;

use crate::{Fault, sys};

/// A point on `CLOCK_MONOTONIC`, which stands still while the machine sleeps: a lookup that was
/// under way when the lid closed is not given up the moment it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    nanoseconds: u64,
}

impl Deadline {
    /// The point that lies `span` from now.
    pub fn after(span: Duration) -> Self {
        let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self {
            nanoseconds: sys::monotonic_nanoseconds().saturating_add(span),
        }
    }

    /// The time that is left, never zero.
    ///
    /// # Errors
    /// [`Fault::TimedOut`] once there is none.
    pub fn remaining(self) -> Result<Duration, Fault> {
        match self.nanoseconds.checked_sub(sys::monotonic_nanoseconds()) {
            None | Some(0) => Err(Fault::TimedOut),
            Some(left) => Ok(Duration::from_nanos(left)),
        }
    }
}
