//! nss-resolve beside systemd's, both at systemd's resolved: the same questions, the answers compared.

mod nss_probe;
mod nss_resolve_questions;
mod nss_resolve_world;

use nss_probe::Probe;
use nss_resolve_questions::{ADDRESSES, EMPTY, FUNCTIONS, HOSTILE, names};
use nss_resolve_world::{MODULE, World, options};
use support::{Sandbox, sandbox, skip};

const NOT_FOUND: &str = "NOTFOUND errno=0 h_errno=1";
const NO_DATA: &str = "NOTFOUND errno=0 h_errno=4";

/// systemd's module and ours.
fn probes(s: &Sandbox) -> (Probe<'_>, Probe<'_>) {
    let library = s.run("cc -print-multiarch").ok();
    let path = format!("usr/lib/{}/{MODULE}", library.trim());
    let theirs = format!("{}/{path}", std::env::var("SWITCHYARD_PEERS").unwrap());
    (Probe::of(s, &theirs), Probe::of(s, &format!("/{path}")))
}

/// resolved gives the addresses of a name, and the names of an address, in any order.
fn sorted(answer: &str) -> Vec<String> {
    let answer = answer.replace(" alias=", " name=");
    let mut words: Vec<_> = answer.split(' ').map(String::from).collect();
    words.sort();
    words
}

/// What ours must say about a name where systemd's module says this.
fn by_name(theirs: &str, name: &str, exists: bool) -> String {
    // systemd's hands out -1 for want of an error number.
    let mut expected = theirs.replace("TRYAGAIN errno=-1 ", "TRYAGAIN errno=11 ");
    if expected == NOT_FOUND && exists {
        // What there is of it is of another type: NO_DATA (netdb.h), as systemd's since 254.
        expected = NO_DATA.into();
    }
    // Where only the case of letters differs it is the name asked for, whoever asked before in which.
    let as_asked = |word: &str| match word.split_once('=') {
        Some((what @ ("name" | "canonical"), said)) if said.eq_ignore_ascii_case(name) => {
            format!("{what}={name}")
        }
        _ => word.to_owned(),
    };
    expected = expected
        .split(' ')
        .map(as_asked)
        .collect::<Vec<_>>()
        .join(" ");
    for (hostile, asked) in HOSTILE {
        if asked == name {
            // A canonical name that is no host's is not given out: the name asked for takes its place.
            expected = expected.replace(&format!("name={hostile} "), &format!("name={asked} "));
            expected = expected.replace(
                &format!("canonical={hostile} "),
                &format!("canonical={asked} "),
            );
        }
    }
    expected
}

#[test]
fn by_name_as_systemds() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let _world = World::start(s);
        let (theirs, ours) = probes(s);
        let names = names();
        assert!(names.len() >= 70);
        for name in &names {
            let exists = theirs.ask("4", name).starts_with("SUCCESS");
            for function in FUNCTIONS {
                let said = theirs.ask(function, name);
                let expected = by_name(&said, name, exists || EMPTY.contains(&name.as_str()));
                let said = ours.ask(function, name);
                assert_eq!(sorted(&said), sorted(&expected), "{function} {name:?}");
            }
        }
        // It is not that everything fails alike.
        let found = "SUCCESS errno=0 h_errno=0 ttl=0 name=name.test 192.0.2.10 2001:db8::10";
        assert_eq!(sorted(&ours.ask("4", "alias.test")), sorted(found));
        assert_eq!(
            ours.ask("4", "many.test").matches(" 10.201.0.").count(),
            200
        );
    });
}

#[test]
fn by_address_as_systemds() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let _world = World::start(s);
        let (theirs, ours) = probes(s);
        for (address, difference) in ADDRESSES {
            for function in ["addr", "addr2"] {
                let theirs = theirs.ask(function, address);
                let said = ours.ask(function, address);
                match difference {
                    None => assert_eq!(sorted(&said), sorted(&theirs), "{function} {address}"),
                    Some(expected) => {
                        assert_ne!(said, theirs, "{function} {address}");
                        assert!(said.contains(expected), "{function} {address}: {said}");
                    }
                }
            }
        }
        assert!(ours.ask("addr", "192.0.2.12").contains(" alias="));
    });
}

#[test]
fn buffers_of_any_size() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let _world = World::start(s);
        let (_, ours) = probes(s);
        for (function, argument) in [
            ("2", "v4only.test"),
            ("3-6", "v6only.test"),
            ("4", "v4only.test"),
            ("addr2", "192.0.2.10"),
        ] {
            let whole = ours.ask(function, argument);
            assert!(whole.starts_with("SUCCESS"), "{whole}");
            let mut before = "TRYAGAIN errno=34 h_errno=-1".to_owned();
            for size in (0..200).step_by(12) {
                let now = ours.ask_with(&format!("-b {size} -o {}", size % 8), function, argument);
                assert!(now == before || now == whole, "{function}, {size}: {now}");
                before = now;
            }
            assert_eq!(before, whole);
        }
    });
}

/// Whether getent finds a host by our module, with this variable set.
fn found_with(s: &Sandbox, variable: &str, name: &str) -> bool {
    let getent = format!("{variable} timeout 5 getent -s hosts:resolve ahosts {name}");
    s.run(&getent).status == Some(0)
}

#[test]
fn the_environment() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let _world = World::start(s);
        for (variable, name, expected) in [
            ("", "_gateway", true),
            ("SYSTEMD_NSS_RESOLVE_SYNTHESIZE=0", "_gateway", false),
            ("SYSTEMD_NSS_RESOLVE_SYNTHESIZE=nonsense", "_gateway", true),
            ("SYSTEMD_NSS_RESOLVE_NETWORK=off", "deep.down.test", false),
            ("SYSTEMD_NSS_RESOLVE_NETWORK=on", "deep.down.test", true),
            // Known by now; and then not used.
            ("SYSTEMD_NSS_RESOLVE_NETWORK=off", "deep.down.test", true),
            (
                "SYSTEMD_NSS_RESOLVE_CACHE=no SYSTEMD_NSS_RESOLVE_NETWORK=no",
                "deep.down.test",
                false,
            ),
            // No such link: as if it were not set. A link: resolved 252 does not know the key.
            ("SYSTEMD_NSS_RESOLVE_INTERFACE=nosuch0", "name.test", true),
            ("SYSTEMD_NSS_RESOLVE_INTERFACE=0", "name.test", true),
            ("SYSTEMD_NSS_RESOLVE_INTERFACE=up0", "name.test", false),
            // resolved itself.
            (
                "SYSTEMD_ACTIVATION_UNIT=systemd-resolved.service",
                "name.test",
                false,
            ),
            ("SYSTEMD_ACTIVATION_UNIT=other.service", "name.test", true),
        ] {
            assert_eq!(found_with(s, variable, name), expected, "{variable} {name}");
        }
        // Whoever asks.
        let getent = s
            .cmd("getent")
            .args(["-s", "hosts:resolve", "ahosts", "name.test"]);
        assert!(getent.user(1000).run().ok().contains("192.0.2.10"));
    });
}

#[test]
fn ten_thousand_lookups_leave_nothing() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let _world = World::start(s);
        let (_, ours) = probes(s);
        for (function, argument, expected) in [
            ("4", "name.test", "SUCCESS"),
            ("3", "alias.test", "SUCCESS"),
            ("2-6", "nope.test", NOT_FOUND),
            ("addr2", "192.0.2.10", "SUCCESS"),
        ] {
            let said = ours.ask_with("-n 10000", function, argument);
            assert!(said.starts_with(expected), "{function}: {said}");
            let kb = said.split("kb=").nth(1).unwrap().split(' ').next().unwrap();
            let kb: i64 = kb.parse().unwrap();
            assert!(said.contains("fds=+0 ") && kb < 64, "{function}: {said}");
        }
    });
}
