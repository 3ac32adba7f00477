//! All of the configuration, read in the order in which one source overrides another.

use super::{
    Config, Diagnostic, Sources, StaticRecords, anchors, boot, delegate, dnssd, files, resolve,
    wrong::Wrong,
};

/// Reads everything. It never fails: what is wrong is skipped, and named.
#[must_use]
pub fn load(sources: &Sources) -> (Config, Vec<Diagnostic>) {
    let (mut config, mut wrong) = (Config::default(), Wrong::default());
    for path in files::with_drop_ins(&sources.roots, "systemd/resolved.conf", &mut wrong) {
        resolve::read(&path, &mut config, sources, &mut wrong);
    }
    boot::read_credentials(&mut config, sources, &mut wrong);
    boot::read_kernel_command_line(&mut config, sources, &mut wrong);
    config.delegates = delegate::read(sources, &mut wrong);
    config.services = dnssd::read(sources, &mut wrong);
    (config.trust_anchors, config.negative_trust_anchors) = anchors::read(sources, &mut wrong);
    (config, wrong.into_list())
}

/// What is wrong with the configuration, for `resolved --check`: what [`load`] says, and the static records.
#[must_use]
pub fn check(sources: &Sources) -> Vec<Diagnostic> {
    let (_, mut wrong) = load(sources);
    wrong.extend(StaticRecords::new(sources.static_records()).diagnostics());
    wrong
}
