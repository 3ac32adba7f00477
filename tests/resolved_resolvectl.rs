//! Unmodified resolvectl in front of systemd's resolved and of ours: what it prints, compared.

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
    let ask = |which| {
        world.with(which, CONFIGURATION, |_| {
            let said = |line: &String| said(s, line);
            lines.iter().map(said).collect::<Vec<_>>()
        })
    };
    compare(lines, &ask(Which::Peer), &ask(Which::Ours));
}

#[test]
fn it_looks_up_alike() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let lines: Vec<_> = LOOKUPS.iter().map(ToString::to_string).collect();
        alike(s, &lines);
    });
}

#[test]
fn it_shows_and_sets_alike() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let mut lines = settings();
        // 252 shows what a link was told, also where the machine does not go as far.
        let told = lines
            .iter()
            .position(|line| line == "resolvectl mdns up0 yes");
        let told = told.unwrap();
        lines.drain(told..told + 3);
        alike(s, &lines);
    });
}
