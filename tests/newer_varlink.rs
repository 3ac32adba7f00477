//! varlinkctl of a newer systemd on the sockets of its own daemons and on those of ours: what they say they offer, and what they
//! answer.

mod bus_client;
mod resolved_bus_world;

use std::collections::BTreeSet;

use resolved_bus_world::World;
use support::{Daemon, Options, Ready, Sandbox, Which, newer_sandbox, skip};

const MACHINED: [&str; 3] = [
    "/run/systemd/machine/io.systemd.Machine",
    "/run/systemd/machine/io.systemd.MachineImage",
    "/run/systemd/userdb/io.systemd.Machine",
];
const RESOLVED: [&str; 2] = [
    "/run/systemd/resolve/io.systemd.Resolve",
    "/run/systemd/resolve/io.systemd.Resolve.Monitor",
];

/// All that is said of a socket, a line each: `INTERFACE method NAME in: FIELD: TYPE`, say.
fn described(s: &Sandbox, socket: &str) -> BTreeSet<String> {
    let all = s.run(&format!("newer varlinkctl introspect {socket}")).ok();
    let mut lines = BTreeSet::new();
    let (mut interface, mut member, mut part) = ("", String::new(), "in");
    let lines_of_it = all.lines().map(str::trim);
    for line in lines_of_it.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("interface ") {
            interface = name;
        } else if line.starts_with(')') {
            part = "out";
        } else if let Some((head, rest)) = line.split_once('(').filter(|_| !line.contains(':')) {
            member = format!("{interface} {head}");
            part = if rest.contains("->") { "out" } else { "in" };
            lines.insert(member.clone());
        } else {
            lines.insert(format!("{member} {part}: {}", line.trim_end_matches(',')));
        }
    }
    lines
}

/// Every member and field that theirs has, ours has too, with the same type.
#[track_caller]
fn has_all(theirs: &BTreeSet<String>, ours: &BTreeSet<String>) {
    assert!(theirs.len() > 40, "{theirs:?}");
    let missing: Vec<_> = theirs.difference(ours).collect();
    assert!(missing.is_empty(), "ours has not:\n{missing:#?}");
}

#[test]
fn machined_describes_all_that_systemds_does() {
    newer_sandbox!(Options::new().machined(None), |s| {
        let ask = |command: &[&str]| {
            let ready = Ready::BusName("org.freedesktop.machine1".into());
            let machined = Daemon::start("either-machined", command, &[], ready);
            let said = MACHINED.map(|socket| described(s, socket));
            machined.end();
            said
        };
        let theirs = ask(&["newer", "/usr/lib/systemd/systemd-machined"]);
        let ours = ask(&["/usr/libexec/switchyard/machined"]);
        for (theirs, ours) in theirs.iter().zip(&ours) {
            has_all(theirs, ours);
        }
    });
}

#[test]
fn resolved_describes_all_that_systemds_does() {
    newer_sandbox!(resolved_bus_world::options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let world = World::new(s);
        let ask = || RESOLVED.map(|socket| described(s, socket));
        let theirs = world.with_newer("", |_| ask());
        let ours = world.with(Which::Ours, "", |_| ask());
        for (theirs, ours) in theirs.iter().zip(&ours) {
            has_all(theirs, ours);
        }
    });
}
