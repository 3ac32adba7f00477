//! nss-resolve and resolved beside those of a newer systemd: each module at each resolved, the same questions, the answers
//! compared.

#[path = "resolved_pairs/answers.rs"]
mod answers;
mod nss_probe;
mod nss_resolve_questions;
mod nss_resolve_world;

use std::time::Duration;

use answers::{Said, ask_each, differing};
use nss_probe::{Probe, seconds};
use nss_resolve_world::{MODULE, World, options};
use support::{Sandbox, Which, newer_sandbox, skip};

/// Where our daemon answers otherwise than systemd's: as for 252, in resolved_pairs.rs, which has the reasons.
const DIFFERENT: &[(&str, &str)] = &[
    ("BÜCHER.test", " 192.0.2.35"),
    ("faß.TEST", " 192.0.2.36"),
    ("-dash.test", " 192.0.2.34"),
    ("-rf", "TRYAGAIN"),
];

/// What each module says, by whether it is ours.
fn ask_all(s: &Sandbox, world: World) -> Said {
    let probes = [
        (false, Probe::newer(s, MODULE)),
        (true, Probe::of(s, MODULE)),
    ];
    let said = ask_each(&probes);
    world.end(s);
    said
}

#[test]
fn pairs_agree() {
    newer_sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let theirs = ask_all(s, World::start_newer(s));
        let ours = ask_all(s, World::start_of(s, Which::Ours));
        let wrong = differing(&theirs, &ours, DIFFERENT);
        assert!(
            wrong.is_empty(),
            "{} differ:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    });
}

#[test]
fn without_its_resolved() {
    newer_sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        let world = World::start_newer(s);
        let ours = Probe::of(s, MODULE);
        let found = "SUCCESS errno=0 h_errno=0 ttl=0 name=v4only.test 192.0.2.11";
        assert_eq!(ours.ask("4", "v4only.test"), found);
        world.resolved.stop();
        let (said, took) = seconds(|| ours.ask("4", "v4only.test"));
        assert!(said.starts_with("UNAVAIL"), "{said}");
        assert!(took < Duration::from_secs(10).as_secs_f64(), "{took} s");
        world.resolved.cont();
        assert_eq!(ours.ask("4", "v4only.test"), found);
        world.resolved.end();
        assert!(ours.ask("4", "v4only.test").starts_with("UNAVAIL"));
        world.resolved.start_again();
        assert_eq!(ours.ask("4", "v4only.test"), found);
    });
}

/// The C library of its release, with its module in nsswitch.conf, at our resolved.
#[test]
fn its_getent_finds_what_ours_knows() {
    newer_sandbox!(options(), |s| {
        let world = World::start_of(s, Which::Ours);
        let getent = |line: &str| {
            let said = s.run(&format!("newer getent -s hosts:resolve {line}"));
            (said.status, said.stdout)
        };
        let (status, said) = getent("ahosts name.test");
        assert_eq!(status, Some(0));
        assert!(
            said.contains("192.0.2.10 ") && said.contains("2001:db8::10 "),
            "{said}"
        );
        let (status, said) = getent("hosts 192.0.2.10");
        assert!(status == Some(0) && said.contains("name.test"), "{said}");
        assert_eq!(getent("ahosts nope.test").0, Some(2));
        world.resolved.end();
        assert_eq!(getent("ahosts name.test").0, Some(2));
    });
}
