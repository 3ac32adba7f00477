//! Not asking a daemon again that has just let a deadline pass.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use crate::{Fault, sys};

/// One per daemon and process, in a `static`: a daemon that hangs costs a process one deadline in a
/// while, not one per lookup. A single atomic word, so that it needs no lock (a child of `fork(2)`
/// finds it usable whatever the other threads were doing) and no destructor.
#[derive(Debug, Default)]
pub struct Holdoff {
    /// Nanoseconds on `CLOCK_MONOTONIC`; 0 is "not held off".
    until: AtomicU64,
}

impl Holdoff {
    /// A daemon nothing is held against.
    pub const fn new() -> Self {
        Self {
            until: AtomicU64::new(0),
        }
    }

    /// Runs `exchange`, unless the daemon missed a deadline within the last `span`.
    ///
    /// # Errors
    /// [`Fault::TimedOut`] without running it; otherwise what `exchange` returns.
    pub fn guard<T>(
        &self,
        span: Duration,
        exchange: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        // Relaxed: the word orders nothing but itself, and a thread that reads it late merely asks.
        let until = self.until.load(Ordering::Relaxed);
        if until != 0 && sys::monotonic_nanoseconds() < until {
            return Err(Fault::TimedOut);
        }
        let outcome = exchange();
        if matches!(outcome, Err(Fault::TimedOut)) {
            let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
            let until = sys::monotonic_nanoseconds().saturating_add(span);
            self.until.store(until, Ordering::Relaxed);
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missed_deadline_holds_off() {
        let daemon = Holdoff::new();
        let span = Duration::from_millis(50);
        assert_eq!(
            daemon.guard(span, || Err::<(), _>(Fault::Protocol)),
            Err(Fault::Protocol)
        );
        assert_eq!(daemon.guard(span, || Ok(1)), Ok(1));
        assert_eq!(
            daemon.guard(span, || Err::<(), _>(Fault::TimedOut)),
            Err(Fault::TimedOut)
        );
        assert_eq!(
            daemon.guard(span, || Ok(2)),
            Err(Fault::TimedOut),
            "asked too early"
        );
        std::thread::sleep(span);
        assert_eq!(daemon.guard(span, || Ok(3)), Ok(3));
    }
}
