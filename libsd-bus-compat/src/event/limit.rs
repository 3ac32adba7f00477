//! How often a source may be dispatched.

/// So many times an interval, which begins with the first.
#[derive(Clone, Copy, Debug, Default)]
pub struct RateLimit {
    pub interval: u64,
    pub burst: u32,
    begin: u64,
    number: u32,
}

impl RateLimit {
    pub const fn new(interval: u64, burst: u32) -> Self {
        Self {
            interval,
            burst,
            begin: 0,
            number: 0,
        }
    }

    pub const fn is_set(&self) -> bool {
        self.interval > 0 && self.burst > 0
    }

    /// Whether it may be dispatched once more.
    pub const fn admits(&mut self, now: u64) -> bool {
        if !self.is_set() {
            return true;
        }
        if self.begin == 0 || now.saturating_sub(self.begin) > self.interval {
            self.begin = now;
            self.number = 0;
        }
        if self.number >= self.burst {
            return false;
        }
        self.number += 1;
        true
    }

    /// When the interval is over.
    pub const fn end(&self) -> u64 {
        self.begin.saturating_add(self.interval)
    }

    pub const fn reset(&mut self) {
        self.begin = 0;
        self.number = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_times_an_interval() {
        let mut none = RateLimit::default();
        assert!((1..100).all(|now| none.admits(now)));
        let mut limit = RateLimit::new(10, 2);
        assert_eq!(
            [100, 101, 109].map(|now| limit.admits(now)),
            [true, true, false]
        );
        assert_eq!(limit.end(), 110);
        assert_eq!(
            [111, 112, 113].map(|now| limit.admits(now)),
            [true, true, false]
        );
        limit.reset();
        assert!(limit.admits(114));
    }
}
