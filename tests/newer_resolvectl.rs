//! The resolvectl of a newer systemd in front of that systemd's resolved and of ours: what it prints, compared.

mod bus_client;
#[path = "resolved_resolvectl/lines.rs"]
mod lines;
mod resolved_bus_world;

use std::collections::BTreeSet;

use lines::{CONFIGURATION, LOOKUPS, compare, said, settings};
use resolved_bus_world::{World, options};
use serde_json::Value;
use support::{Sandbox, Which, newer_sandbox, skip};

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
    newer_sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let lines: Vec<_> = LOOKUPS.iter().map(ToString::to_string).collect();
        alike(s, &lines);
    });
}

#[test]
fn it_shows_and_sets_alike() {
    newer_sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        alike(s, &settings());
    });
}

const LOOKED_UP: [&str; 7] = [
    "-t A name.test",
    "-4 v4only.test",
    "-6 v6only.test",
    "nope.test",
    "-t TXT text.test",
    "-t SVCB svcb.test",
    "-t CAA caa.test",
];

/// What the daemon has kept and counted after a few lookups, and what it told of these meanwhile.
fn kept(s: &Sandbox, whose: &str) -> Vec<(String, BTreeSet<String>)> {
    let monitor = ["newer", "resolvectl", "monitor", "--json=short"];
    let monitor = s.spawn(&format!("monitor-{whose}"), &monitor);
    // It says nothing when it has begun.
    let told = || {
        s.run("newer resolvectl query -t A name.test").ok();
        !monitor.log().is_empty()
    };
    s.wait_for(told, "the monitor to begin");
    // Theirs forgets all at times as it starts, when a link changes or it has learnt what the server can.
    let known = || {
        for line in LOOKED_UP {
            s.run(&format!("newer resolvectl query {line}"));
        }
        let cache = s.run("newer resolvectl show-cache").ok();
        let mut names = LOOKED_UP
            .iter()
            .filter_map(|line| line.split(' ').next_back());
        names.all(|name| cache.contains(&format!("\n{name} ")))
    };
    s.wait_for(known, "all that was looked up to be kept");
    let mut said = Vec::new();
    for line in [
        "query -4 v4only.test",
        "query -6 v6only.test",
        "query nope.test",
        "query -t TXT text.test --json=short",
        "query -t SVCB svcb.test --json=short",
        "query -t CAA caa.test --json=short",
        "show-cache",
        "show-server-state",
    ] {
        let output = s.run(&format!("newer resolvectl {line} 2>&1"));
        let lines = output.stdout.lines().filter(|line| !by_chance(line));
        // What comes first in the cache is chance.
        let lines = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        said.push((line.to_owned(), lines.collect()));
    }
    let entries = json(&s.run("newer resolvectl show-cache --json=short").ok());
    let entries = entries[0]["cache"].as_array().unwrap().iter().map(|entry| {
        let mut entry = entry.clone();
        entry["until"].take();
        without_lives(&mut entry);
        entry.to_string()
    });
    said.push(("the cache".into(), entries.collect()));
    let state = json(
        &s.run("newer resolvectl show-server-state --json=short")
            .ok(),
    );
    let keys = state[0].as_object().unwrap().keys().cloned();
    said.push(("the servers".into(), keys.collect()));

    let line = |line: &str| {
        let told = json(line);
        // Ours keeps to what answers the question; theirs tells of what else the server has sent.
        format!("{} {} {}", told["state"], told["rcode"], told["question"])
    };
    let ended = || monitor.log().contains("caa.test");
    s.wait_for(ended, "the monitor to tell of the last lookup");
    monitor.kill(rustix::process::Signal::TERM);
    monitor.wait();
    let lines = monitor.log();
    let lines = lines.lines().filter(|line| !line.contains("\"name.test\""));
    said.push(("the monitor".into(), lines.map(line).collect()));
    said
}

/// Of a server that was not asked for signatures, systemd takes for granted that it has them, and ours that it has not.
fn by_chance(line: &str) -> bool {
    line.contains("DNSSEC Supported:") || line.starts_with("-- ") || line.contains("-- link:")
}

/// Bytes of records hold what is left of their times to live.
fn without_lives(entry: &mut Value) {
    for record in entry["rrs"].as_array_mut().into_iter().flatten() {
        record["raw"].take();
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn it_tells_what_is_kept() {
    newer_sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let world = World::new(s);
        let lines = "LLMNR=no\nMulticastDNS=no\n";
        let theirs = world.with_newer(lines, |_| kept(s, "theirs"));
        let ours = world.with(Which::Ours, lines, |_| kept(s, "ours"));
        for (theirs, ours) in theirs.iter().zip(&ours) {
            assert!(!theirs.1.is_empty(), "{}", theirs.0);
            assert_eq!(ours, theirs);
        }
    });
}
