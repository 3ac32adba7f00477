//! `switchyard-lookaside stat`: what it says of the map of a resolved that runs, is stopped, and has ended.

mod lookaside_map;
mod nss_probe;
mod nss_resolve_world;

use nss_probe::Probe;
use nss_resolve_world::{MODULE, World, options};
use serde_json::Value;
use support::{Sandbox, Which, sandbox, skip};

const MAP: &str = "/run/switchyard/resolve.map";

/// The map as JSON has it.
fn stat(s: &Sandbox) -> Value {
    lookaside_map::stat(s, MAP)
}

#[test]
fn the_map_of_a_resolved_is_shown_in_numbers() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let world = World::start_of(s, Which::Ours);
        let probe = Probe::of(s, MODULE);
        let number = |key: &str| stat(s)[key].as_u64().unwrap();
        assert_eq!((number("size"), number("slots")), (4 << 20, 21_376));
        // Answers are shared when they come out of the cache. What comes up with the daemon may void some.
        let known = || {
            probe.ask("4", "name.test");
            probe.ask("4", "nope.test");
            number("entries") >= 2
        };
        s.wait_for(known, "two entries");
        s.wait_for(
            || probe.ask("4", "many.test").starts_with("SUCCESS") && number("tooLong") > 0,
            "an answer that is too long",
        );
        s.wait_for(
            || {
                probe.ask("4", "v6only.test");
                stat(s)["state"] == "answering"
            },
            "a lease",
        );
        assert!(number("published") >= 2);
        assert_eq!(stat(s)["complete"], "nothing");

        let before = number("voided");
        s.run("busctl call org.freedesktop.resolve1 /org/freedesktop/resolve1 org.freedesktop.resolve1.Manager FlushCaches")
            .ok();
        assert!(number("voided") > before);
        assert_eq!(number("entries"), 0);

        s.wait_for(known, "two entries");
        world.resolved.stop();
        s.wait_for(|| stat(s)["state"] == "lapsed", "the end of the lease");
        assert_eq!(stat(s)["lease"], Value::Null);
        world.resolved.cont();
        world.resolved.end();
        assert_eq!(stat(s)["state"], "retired");

        let table = s.run(&format!("switchyard-lookaside stat {MAP}")).ok();
        assert!(table.contains("\nState          retired\n"), "{table}");
        for name in ["name.test", "nope", "192.0.2"] {
            assert!(!table.contains(name), "{table}");
        }
    });
}

#[test]
fn what_can_not_be_shown_is_said_and_the_rest_is_shown() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let _world = World::start_of(s, Which::Ours);
        let both = s.run("switchyard-lookaside stat").fails(1);
        assert!(
            both.stdout.contains(MAP) && both.stdout.contains("Entries"),
            "{both}"
        );
        let said = "switchyard-lookaside: /run/switchyard/machines.map: there is no such map. ";
        assert!(both.stderr.starts_with(said), "{both}");
        s.run(&format!("cp {MAP} /tmp/map && chmod 666 /tmp/map"))
            .ok();
        let bad = s.run("switchyard-lookaside stat /tmp/map").fails(1);
        assert_eq!(bad.stdout, "");
        assert!(
            bad.stderr.contains("others can write to it (mode 0666)"),
            "{bad}"
        );

        let stat = s.cmd("switchyard-lookaside").args(["stat", MAP]);
        let refused = stat.user(65534).run().fails(1);
        assert!(refused.stderr.contains("run this as root"), "{refused}");
        let help = s
            .run("switchyard-lookaside --help && switchyard-lookaside --version")
            .ok();
        assert!(
            help.starts_with("Usage: ") && help.contains("\nswitchyard-lookaside 0."),
            "{help}"
        );
        let wrong = s.run("switchyard-lookaside show").fails(2);
        assert!(wrong.stderr.contains("unknown verb 'show'"), "{wrong}");
        let full = s
            .run(&format!("switchyard-lookaside stat {MAP} >/dev/full"))
            .fails(1);
        assert!(full.stderr.contains("failed to write the output"), "{full}");
    });
}

/// What bash proposes.
#[test]
fn bash_completes_it() {
    sandbox!(options(), |s| {
        let script = "source /usr/share/bash-completion/completions/switchyard-lookaside
            propose() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _switchyard_lookaside; echo \"${COMPREPLY[*]}\"; }
            propose switchyard-lookaside ''
            propose switchyard-lookaside stat --j
            mkdir -p /run/switchyard && touch /run/switchyard/a.map
            propose switchyard-lookaside stat ''
            propose switchyard-lookaside stat --json /run/switchyard/a";
        let proposed = s.cmd("bash").args(["-c", script]).run().ok();
        let expected = [
            "stat --json --help --version",
            "--json",
            "/run/switchyard/a.map",
            "/run/switchyard/a.map",
        ];
        assert_eq!(proposed.lines().collect::<Vec<_>>(), expected);
    });
}
