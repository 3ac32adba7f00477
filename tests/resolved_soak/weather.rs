//! What makes answers other than the zone has them, and when it did.

use std::time::Duration;

/// What the day has been like so far; times since the zone began.
#[derive(Debug, Default)]
pub struct Weather {
    /// When the server was silent. The last may last yet.
    pub silences: Vec<(Duration, Option<Duration>)>,
    pub flushed: Option<Duration>,
    /// Whether the link's server is asked, and since when.
    pub vpn: (bool, Duration),
}

impl Weather {
    /// Whether the server was silent at any time between the two.
    pub fn silent(&self, from: Duration, to: Duration) -> bool {
        let overlaps = |(begun, ended): &(Duration, Option<Duration>)| {
            *begun <= to && ended.is_none_or(|ended| from <= ended)
        };
        self.silences.iter().any(overlaps)
    }
}
