//! The map of answers that our resolved shares: what is known is found without asking it, for as long as that may be believed.

mod lookaside_map;
mod nss_probe;
mod nss_resolve_world;

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use nss_probe::Probe;
use nss_resolve_world::{MODULE, World, options};
use serde_json::Value;
use support::{Options, Sandbox, Via, Which, sandbox, skip};

const MAP: &str = "/run/switchyard/resolve.map";
const STOPPED: &str = "UNAVAIL errno=110 h_errno=3";
const ABSENT: &str = "UNAVAIL errno=111 h_errno=3";

const QUESTIONS: [(&str, &str); 7] = [
    ("4", "name.test"),
    ("4", "Chain.Test"),
    ("2", "name.test"),
    ("3-6", "name.test"),
    ("2-6", "v4only.test"),
    ("4", "nope.test"),
    ("addr2", "192.0.2.10"),
];

/// resolved becomes another user and keeps its map: `None` where there is but one user.
fn world(s: &Sandbox) -> Option<World> {
    (!s.is_rootless()).then(|| World::start_of(s, Which::Ours))
}

/// Asks until the answers are known to all: they are shared when they come out of the cache.
fn learn(probe: &Probe<'_>) -> Vec<String> {
    let ask = || QUESTIONS.map(|(function, what)| probe.ask(function, what));
    ask();
    ask().to_vec()
}

/// The time to live goes by meanwhile.
fn without_ttl(said: &str) -> String {
    let words = said.split(' ').filter(|word| !word.starts_with("ttl="));
    words.collect::<Vec<_>>().join(" ")
}

fn same(said: &[String], expected: &[String]) {
    for ((said, expected), question) in said.iter().zip(expected).zip(QUESTIONS) {
        assert_eq!(without_ttl(said), without_ttl(expected), "{question:?}");
    }
}

/// What the map says of itself.
fn stat(s: &Sandbox) -> Value {
    lookaside_map::stat(s, MAP)
}

fn flush(s: &Sandbox) {
    s.run("busctl call org.freedesktop.resolve1 /org/freedesktop/resolve1 org.freedesktop.resolve1.Manager FlushCaches")
        .ok();
}

#[test]
fn a_name_is_told_as_it_was_asked_for() {
    sandbox!(options(), |s| {
        let Some(world) = world(s) else {
            skip!("there is no other user");
        };
        let probe = Probe::of(s, MODULE);
        let spellings = ["V4ONLY.test", "v4only.test", "v4Only.Test"];
        let ask = |what: &str| {
            let expected = format!(" name={what} ");
            let said = probe.ask("2", what);
            assert!(said.contains(&expected), "{what}: {said}");
        };
        // From the daemon, whose cache has the first of them; and then without it.
        spellings.iter().for_each(|what| ask(what));
        spellings.iter().for_each(|what| ask(what));
        world.resolved.stop();
        spellings.iter().for_each(|what| ask(what));
        world.resolved.cont();
    });
}

#[test]
fn what_is_known_needs_no_daemon_for_a_while() {
    sandbox!(options(), |s| {
        let Some(world) = world(s) else {
            skip!("there is no other user");
        };
        let probe = Probe::of(s, MODULE);
        let known = learn(&probe);
        assert!(
            known[0].starts_with("SUCCESS") && known[5].starts_with("NOTFOUND"),
            "{known:?}"
        );
        assert!(known[0].ends_with(" 2001:db8::10 192.0.2.10"), "{known:?}");
        for kill in [false, true] {
            learn(&probe);
            if kill {
                world.resolved.kill(rustix::process::Signal::KILL);
                world.resolved.wait();
            } else {
                world.resolved.stop();
            }
            let ask = || QUESTIONS.map(|(function, what)| probe.ask(function, what));
            same(&ask(), &known);
            // Ten thousand of them, and what was not asked before has to be asked.
            let many = probe.ask_with("-n 10000", "4", "name.test");
            assert!(many.starts_with("SUCCESS"), "{many}");
            let down = if kill { ABSENT } else { STOPPED };
            assert_eq!(probe.ask("4", "v6only.test"), down);
            // The lease: after it the daemon has to be asked, whatever is known.
            s.wait_for(
                || probe.ask("4", "name.test") == down,
                "the end of the lease",
            );
            if kill {
                world.resolved.start_again();
            } else {
                world.resolved.cont();
            }
            s.wait_for(
                || probe.ask("4", "name.test").starts_with("SUCCESS"),
                "resolved",
            );
        }
        // One that ends in order takes its answers along.
        learn(&probe);
        world.resolved.end();
        assert!(probe.ask("4", "name.test").starts_with("UNAVAIL"));
    });
}

#[test]
fn a_running_process_takes_up_the_map_of_the_next_daemon() {
    sandbox!(options(), |s| {
        let Some(world) = world(s) else {
            skip!("there is no other user");
        };
        let probe = Probe::of(s, MODULE);
        let known = learn(&probe);
        let script = "import socket, sys\nfor line in sys.stdin:\n    \
                      try: print(socket.getaddrinfo(line.strip(), None, socket.AF_INET)[0][4][0], flush=True)\n    \
                      except OSError as e: print(e, flush=True)\n";
        fs::write("/tmp/ask.py", script).unwrap();
        s.run("mkfifo /tmp/questions && (exec 3<>/tmp/questions; exec python3 /tmp/ask.py <&3 >/tmp/answers 2>&1 &)").ok();
        let ask = |count: usize| {
            s.run("echo name.test >/tmp/questions").ok();
            let answers = || fs::read_to_string("/tmp/answers").unwrap_or_default();
            s.wait_for(|| answers().lines().count() >= count, "an answer");
            answers().lines().last().unwrap().to_owned()
        };
        assert_eq!(ask(1), "192.0.2.10");
        for round in 0..2 {
            world.resolved.kill(rustix::process::Signal::KILL);
            world.resolved.wait();
            world.resolved.start_again();
            s.wait_for(
                || probe.ask("4", "name.test").starts_with("SUCCESS"),
                "resolved",
            );
            same(&learn(&probe), &known);
            // The old map has been retired by the new daemon, whose map is found within a second.
            assert_eq!(ask(2 + 2 * round), "192.0.2.10");
            std::thread::sleep(std::time::Duration::from_millis(1100));
            // What came up with the daemon may have voided what it knew at first.
            same(&learn(&probe), &known);
            world.resolved.stop();
            assert_eq!(ask(3 + 2 * round), "192.0.2.10");
            world.resolved.cont();
        }
    });
}

#[test]
fn changes_void_what_is_known() {
    sandbox!(options(), |s| {
        let Some(world) = world(s) else {
            skip!("there is no other user");
        };
        let probe = Probe::of(s, MODULE);
        learn(&probe);
        let zone = fs::read_to_string("/run/nsd/forward").unwrap();
        let zone = zone
            .replace("name       IN A 192.0.2.10", "name       IN A 192.0.2.99")
            .replace("hostmaster 1 3600", "hostmaster 2 3600");
        fs::write("/run/nsd/forward", zone).unwrap();
        s.run(&format!("kill -HUP {}", world.nsd.pid())).ok();
        s.wait_for(
            || {
                s.run("dig +short +tries=1 +timeout=1 @127.0.0.10 name.test A")
                    .ok()
                    .contains("192.0.2.99")
            },
            "the new zone",
        );
        // Nothing says that it changed.
        assert!(probe.ask("2", "name.test").contains(" 192.0.2.10"));
        flush(s);
        assert!(probe.ask("2", "name.test").contains(" 192.0.2.99"));
        // A file on this machine comes first, and a link's servers are other servers.
        learn(&probe);
        fs::write("/etc/hosts", "127.0.0.1 localhost\n192.0.2.55 name.test\n").unwrap();
        s.wait_for(
            || probe.ask("2", "name.test").contains(" 192.0.2.55"),
            "/etc/hosts",
        );
        fs::write("/etc/hosts", "127.0.0.1 localhost\n").unwrap();
        s.wait_for(
            || probe.ask("2", "name.test").contains(" 192.0.2.99"),
            "/etc/hosts",
        );
        learn(&probe);
        s.run("resolvectl dns up0 127.0.0.66 && resolvectl domain up0 '~test'")
            .ok();
        assert!(!probe.ask("2", "name.test").starts_with("SUCCESS"));
        s.run("resolvectl revert up0").ok();
        assert!(probe.ask("2", "name.test").starts_with("SUCCESS"));
    });
}

/// Without a lookup that would see it.
#[test]
fn what_this_machine_answers_by_itself_voids_what_is_known() {
    sandbox!(options(), |s| {
        let Some(_world) = world(s) else {
            skip!("there is no other user");
        };
        let probe = Probe::of(s, MODULE);
        let voids = |what: &str, change: &dyn Fn()| {
            // Some change may still be on its way.
            let known = || {
                learn(&probe);
                let known = stat(s);
                (known["entries"].as_u64() > Some(1)).then_some(known["voided"].clone())
            };
            s.wait_for(|| known().is_some(), "answers to be known");
            let before = stat(s)["voided"].clone();
            change();
            s.wait_for(|| stat(s)["voided"] != before, what);
        };
        let write = |path: &str, text: &str| fs::write(path, text).unwrap();
        voids("/etc/hosts", &|| {
            write("/etc/hosts", "192.0.2.55 name.test\n");
        });
        assert!(probe.ask("2", "name.test").contains(" 192.0.2.55"));
        voids("/etc/hosts, soon after", &|| {
            write("/etc/hosts", "127.0.0.1 localhost\n");
        });
        assert!(probe.ask("2", "name.test").contains(" 192.0.2.10"));
        voids("a static record", &|| {
            fs::create_dir_all("/etc/systemd/resolve/static.d").unwrap();
            write(
                "/etc/systemd/resolve/static.d/a.rr",
                r#"{"key":{"type":1,"name":"name.test"},"address":[192,0,2,56]}"#,
            );
        });
        assert!(probe.ask("2", "name.test").contains(" 192.0.2.56"));
        voids("a hook", &|| {
            s.start_machined(Which::Ours);
        });
        let web = s.container("web").start();
        voids("what a hook wants", &|| s.register(&web, Via::Varlink));
    });
}

/// A container that starts sets its host name, of which the kernel tells this machine's resolver as well.
#[test]
fn a_container_that_starts_voids_nothing() {
    sandbox!(options(), |s| {
        let Some(world) = world(s) else {
            skip!("there is no other user");
        };
        let probe = Probe::of(s, MODULE);
        learn(&probe);
        s.run("unshare --uts hostname container").ok();
        // The event is taken in before this is answered.
        probe.ask("4", "v6only.test");
        world.resolved.stop();
        assert!(probe.ask("4", "name.test").starts_with("SUCCESS"));
        world.resolved.cont();
        learn(&probe);
        s.run("hostname another").ok();
        s.wait_for(
            || probe.ask("4", "another").starts_with("SUCCESS"),
            "the new name",
        );
        world.resolved.stop();
        assert_eq!(probe.ask("4", "name.test"), STOPPED);
        world.resolved.cont();
    });
}

#[test]
fn the_map_says_nothing_to_who_does_not_know_the_name() {
    sandbox!(options(), |s| {
        let Some(_world) = world(s) else {
            skip!("there is no other user");
        };
        let probe = Probe::of(s, MODULE);
        learn(&probe);
        let map = fs::read(MAP).unwrap();
        assert!(
            map.iter().filter(|byte| **byte != 0).count() > 200,
            "nothing is in it"
        );
        for plain in [
            &b"name"[..],
            b"test",
            &[192, 0, 2, 10],
            &[10, 2, 0, 192],
            &[0x20, 1, 0xd, 0xb8],
        ] {
            assert!(
                !map.windows(plain.len()).any(|part| part == plain),
                "{plain:?}"
            );
        }
        let metadata = fs::metadata(MAP).unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o777), (0, 0o644));
        let owner = fs::metadata("/run/switchyard").unwrap();
        assert_eq!((owner.uid(), owner.mode() & 0o022), (0, 0));
    });
}

#[test]
fn it_can_be_switched_off() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let world = World::start_unshared(s);
        let probe = Probe::of(s, MODULE);
        learn(&probe);
        assert!(!Path::new(MAP).exists());
        world.end(s);
        let world = World::start_of(s, Which::Ours);
        learn(&probe);
        fs::create_dir_all("/etc/systemd/resolved.conf.d").unwrap();
        fs::write(
            "/etc/systemd/resolved.conf.d/map.conf",
            "[Resolve]\nLookaside=no\n",
        )
        .unwrap();
        s.run(&format!("kill -HUP {}", world.resolved.pid())).ok();
        s.wait_for(
            || world.resolved.log().contains("onfiguration"),
            "the reload",
        );
        learn(&probe);
        world.resolved.stop();
        assert_eq!(probe.ask("4", "name.test"), STOPPED);
        world.resolved.cont();
    });
}

/// What a program asks in a way of its own is not what others are told.
#[test]
fn questions_of_another_kind_are_asked() {
    sandbox!(options(), |s| {
        let Some(world) = world(s) else {
            skip!("there is no other user");
        };
        let probe = Probe::of(s, MODULE);
        learn(&probe);
        world.resolved.stop();
        assert!(probe.ask("4", "name.test").starts_with("SUCCESS"));
        for variable in [
            "SYSTEMD_NSS_RESOLVE_CACHE=no",
            "SYSTEMD_NSS_RESOLVE_INTERFACE=up0",
        ] {
            let line =
                format!("{variable} timeout 9 getent -s resolve hosts name.test || echo none");
            assert_eq!(s.run(&line).ok().trim(), "none", "{variable}");
        }
        world.resolved.cont();
    });
}

/// Nobody else's file is believed.
#[test]
fn a_file_of_another_kind_is_no_map() {
    sandbox!(Options::new().machined(None).hosts("resolve"), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let _world = World::start_of(s, Which::Ours);
        let probe = Probe::of(s, MODULE);
        let known = learn(&probe);
        let good = fs::read(MAP).unwrap();
        for bad in [
            "chown 65534 MAP",
            "chmod o+w MAP",
            "truncate -s 4096 MAP",
            "dd if=/dev/zero of=MAP bs=1M count=4 conv=notrunc status=none",
            "dd if=/dev/urandom of=MAP bs=1M count=4 conv=notrunc status=none",
            "mv MAP MAP.x && ln -s resolve.map.x MAP",
            "rm MAP && mkfifo MAP",
            "rm MAP && mkdir MAP",
        ] {
            s.run(&format!("rm -rf {MAP} {MAP}.x")).ok();
            fs::write(MAP, &good).unwrap();
            s.run(&bad.replace("MAP", MAP)).ok();
            same(&learn(&probe), &known);
        }
    });
}
