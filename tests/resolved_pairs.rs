//! Four pairs: systemd's module and ours, at systemd's resolved and at ours. The same questions, the answers compared.

#[path = "resolved_pairs/answers.rs"]
mod answers;
mod nss_probe;
mod nss_resolve_questions;
mod nss_resolve_world;

use answers::{Said, ask_each, differing, questions, ttl};
use nss_probe::Probe;
use nss_resolve_world::{MODULE, World, options};
use support::{Sandbox, Which, sandbox, skip};

/// Where our daemon answers otherwise than systemd's of version 252, and what it says of the IPv4 address.
const DIFFERENT: &[(&str, &str)] = &[
    // Since 253.
    ("_localdnsstub", " 127.0.0.53"),
    ("_localdnsstub.", " 127.0.0.53"),
    ("_localdnsproxy", " 127.0.0.54"),
    ("127.0.0.53", " name=_localdnsstub "),
    ("127.0.0.54", " name=_localdnsproxy "),
    // systemd takes no upper case in internationalised names. RFC 5895, 2 has it mapped to lower case.
    ("BÜCHER.test", " 192.0.2.35"),
    ("faß.TEST", " 192.0.2.36"),
    // systemd takes a hyphen at the start for a mistake in an internationalised name.
    ("-dash.test", " 192.0.2.34"),
    // As of any single label, there is nobody to ask.
    ("-rf", "TRYAGAIN"),
];

fn ask_all(s: &Sandbox, which: Which) -> Said {
    let library = s.run("cc -print-multiarch").ok();
    let path = format!("usr/lib/{}/{MODULE}", library.trim());
    let theirs = format!("{}/{path}", std::env::var("SWITCHYARD_PEERS").unwrap());
    let world = World::start_of(s, which);
    let probes = [
        (false, Probe::of(s, &theirs)),
        (true, Probe::of(s, &format!("/{path}"))),
    ];
    let said = ask_each(&probes);
    world.end(s);
    said
}

#[test]
fn four_pairs_agree() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("systemd's resolved becomes another user, and there is none");
        }
        assert!(
            questions()
                .iter()
                .map(|(_, what)| what)
                .collect::<std::collections::BTreeSet<_>>()
                .len()
                >= 150
        );
        let (theirs, ours) = (ask_all(s, Which::Peer), ask_all(s, Which::Ours));
        let wrong = differing(&theirs, &ours, DIFFERENT);
        for (function, what, expected) in [
            ("4", "name.test", 3500..=3600),
            ("4", "chain.test", 3500..=3600),
            ("addr2", "192.0.2.10", 3500..=3600),
            ("4", "localhost", 0..=0),
        ] {
            let told = |pairs: &Said, module| ttl(&pairs[&(module, (function, what.to_owned()))]);
            let own = told(&ours, true).unwrap();
            assert!(expected.contains(&own), "{what}: {own}");
            assert_eq!(told(&ours, false), Some(0), "{what}");
            assert_eq!(told(&theirs, true), Some(0), "{what}");
        }
        assert!(
            wrong.is_empty(),
            "{} differ:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    });
}
