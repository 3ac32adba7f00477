//! The resolvectl of a newer systemd in front of that systemd's resolved and of ours: what it prints, compared.

mod bus_client;
#[path = "resolved_resolvectl/lines.rs"]
mod lines;
mod resolved_bus_world;

use lines::{CONFIGURATION, LOOKUPS, compare, said, settings};
use resolved_bus_world::{World, options};
use support::{Sandbox, Which, sandbox, skip};

/// Lines of shell in their order, each printed by both alike.
#[track_caller]
fn alike(s: &Sandbox, lines: &[String]) {
    let world = World::new(s);
    let newer: Vec<_> = lines
        .iter()
        .map(|line| line.replace("resolvectl", "newer resolvectl"))
        .collect();
    let ask = || newer.iter().map(|line| said(s, line)).collect::<Vec<_>>();
    let theirs = world.with_newer(CONFIGURATION, |_| ask());
    let ours = world.with(Which::Ours, CONFIGURATION, |_| ask());
    compare(&newer, &theirs, &ours);
}

#[test]
fn it_looks_up_alike() {
    sandbox!(options().newer(), |s| {
        if !s.has_newer() {
            skip!("there is no newer systemd");
        }
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let lines: Vec<_> = LOOKUPS.iter().map(ToString::to_string).collect();
        alike(s, &lines);
    });
}

#[test]
fn it_shows_and_sets_alike() {
    sandbox!(options().newer(), |s| {
        if !s.has_newer() {
            skip!("there is no newer systemd");
        }
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        alike(s, &settings());
    });
}
