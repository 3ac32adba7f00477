//! The label that this machine answers to, and what becomes of it when another machine has it.

use std::{collections::VecDeque, time::Duration};

use super::random;

/// The longest label. RFC 1035, 2.3.4
const LONGEST: usize = 63;
/// This many conflicts within [`WINDOW`] are somebody's who means it: the next name waits. RFC 6762, 8.1
const MANY: usize = 15;
const WINDOW: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_secs(5);

/// The label that this machine answers to.
#[derive(Debug, Default)]
pub(crate) struct Label {
    set: String,
    now: String,
    conflicts: VecDeque<Duration>,
}

impl Label {
    /// As it is now.
    pub(crate) fn as_str(&self) -> &str {
        &self.now
    }

    /// Another is set. Whether that changes anything: what a conflict made of the same label stays.
    pub(crate) fn set(&mut self, label: &str) -> bool {
        if self.set == label {
            return false;
        }
        self.set = label.to_owned();
        self.now = label.to_owned();
        true
    }

    /// The other protocol had to take this one instead. Whether that changes anything.
    pub(crate) fn follow(&mut self, label: &str) -> bool {
        let follows = self.now != label;
        self.now = label.to_owned();
        follows
    }

    /// Another machine has it: on to the next. Returns how long to wait before it is claimed.
    pub(crate) fn yield_to_other(&mut self, now: Duration) -> Duration {
        self.now = next(&self.now, 1 + random::below(10));
        self.conflicts.push_back(now);
        let recent = |at: &Duration| now.saturating_sub(*at) < WINDOW;
        self.conflicts.retain(recent);
        self.conflicts.truncate(MANY);
        if self.conflicts.len() < MANY {
            Duration::ZERO
        } else {
            PAUSE
        }
    }
}

/// The label with its number, 1 if it has none, greater by `step`.
///
/// The step is random: of many machines made from one image, all with one name, few meet again.
fn next(label: &str, step: u64) -> String {
    let stem = label.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = label.get(stem.len()..).unwrap_or_default();
    // A label of digits alone, or of too many, is taken for a stem.
    let (stem, number) = match digits.parse::<u64>() {
        Ok(number) if !stem.is_empty() => (stem, number),
        _ => (label, 1),
    };
    let number = number.saturating_add(step).to_string();
    let mut end = stem.len().min(LONGEST - number.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{number}", stem.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_label() {
        assert_eq!(next("web", 1), "web2");
        assert_eq!(next("web9", 1), "web10");
        assert_eq!(next("web-2", 10), "web-12");
        assert_eq!(next("2024", 3), "20244");
        assert_eq!(next("x99999999999999999999", 1), "x999999999999999999992");
        assert_eq!(next(&"y".repeat(63), 1), format!("{}2", "y".repeat(62)));
        let long = next(&"ü".repeat(31), 20);
        assert!(long.len() <= 63 && long.ends_with("21"), "{long}");
    }

    #[test]
    fn what_is_set_again_changes_nothing() {
        let mut label = Label::default();
        assert!(label.set("web"));
        label.yield_to_other(Duration::ZERO);
        let now = label.as_str().to_owned();
        assert_ne!(now, "web");
        assert!(!label.set("web"));
        assert_eq!(label.as_str(), now);
        assert!(label.follow("another") && !label.follow("another") && !label.set("web"));
        assert_eq!(label.as_str(), "another");
        assert!(label.set("mail"));
        assert_eq!(label.as_str(), "mail");
    }

    #[test]
    fn who_takes_every_name_is_waited_for() {
        let mut label = Label::default();
        let mut last = Duration::ZERO;
        for n in 0..20 {
            last = label.yield_to_other(Duration::from_millis(n));
        }
        assert_eq!(last, PAUSE);
        assert_eq!(
            label.yield_to_other(Duration::from_secs(60)),
            Duration::ZERO
        );
    }
}
