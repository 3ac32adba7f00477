//! The four pairs: systemd's nss-mymachines and ours, each with systemd's machined and ours. The same questions of all
//! four, their answers compared.

mod nss_probe;
#[path = "nss_pairs/world.rs"]
mod world;

use nss_probe::Probe;
use support::{Options, sandbox, skip};
use world::{Machined, World, module};

#[test]
fn four_pairs() {
    sandbox!(Options::new().machined(None), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        let world = World::new(s);
        let peers = std::env::var("SWITCHYARD_PEERS").unwrap();
        let theirs = Probe::of(s, &format!("{peers}/{}", module(s)));
        for (machined, program) in [
            (Machined::Theirs, "/usr/lib/systemd/systemd-machined"),
            (Machined::Ours, "/usr/libexec/switchyard/machined"),
        ] {
            world.with(machined, &[program], &theirs);
        }
    });
}
