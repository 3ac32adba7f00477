//! Processes of all kinds find what the map of resolved knows while resolved is stopped, or say that it can't be asked; none gives
//! a wrong answer. The kinds are in c/lookaside_processes.c.

mod nss_probe;
mod nss_resolve_world;

use std::time::Duration;

use nss_probe::compile;
use nss_resolve_world::{World, options};
use support::{Sandbox, Which, sandbox, skip, skip_for_machine};

const SOURCE: &str = include_str!("c/lookaside_processes.c");
const BOTH: [&str; 2] = ["module: right", "libc: right"];

/// A resolved with a map, and the program.
struct Kinds<'s> {
    s: &'s Sandbox,
    world: World,
    program: String,
}

impl<'s> Kinds<'s> {
    /// `None` where there is but one user: resolved has no map then.
    fn new(s: &'s Sandbox) -> Option<Self> {
        (!s.is_rootless()).then(|| {
            let world = World::start_of(s, Which::Ours);
            s.run("mkdir -p /var/empty-root && chmod 755 /tmp").ok();
            let program = compile(s, "processes", SOURCE, "-Wall -Wextra -Werror");
            Self { s, world, program }
        })
    }

    /// What the processes of a kind say. What was known may have gone meanwhile, where the machine is slow or a change has voided it: then
    /// it is done again.
    #[track_caller]
    fn of(&self, kind: &str) -> Vec<String> {
        let pid = self.world.resolved.pid().to_string();
        for _ in 0..10 {
            let run = self.s.cmd(&self.program).args([kind, &pid, "/tmp"]);
            let outcome = run.timeout(Duration::from_secs(40)).run();
            if outcome.status != Some(3) {
                return outcome.ok().lines().map(str::to_owned).collect();
            }
        }
        panic!("{kind}: what is known does not stay known for as long as this takes");
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $test:ident: $kind:literal, $expected:expr;)*) => {
        $(
            $(#[$doc])*
            #[test]
            fn $test() {
                sandbox!(options(), |s| {
                    let Some(kinds) = Kinds::new(s) else {
                        skip!("there is no other user");
                    };
                    assert_eq!(kinds.of($kind), $expected);
                });
            }
        )*
    };
}

kinds! {
    a_child: "fork", BOTH;
    children_of_a_program_with_threads: "fork in threads", ["all children: right"];
    a_program_after_vfork: "vfork", BOTH;
    a_program_after_exec: "exec", BOTH;
    /// One that looked up before, and one that did not.
    another_user: "setuid", [BOTH, BOTH].concat();
    /// The second has to ask, and there is nobody to be found.
    a_chroot_without_run: "chroot", [&BOTH[..], &["module: UNAVAIL"]].concat();
    /// The second is to show that the mode is one.
    seccomp_in_strict_mode: "seccomp strict", ["module: right", "ended by: Killed"];
    seccomp_with_a_filter: "seccomp filter", ["module: right", "ended by: Bad system call"];
    a_filter_that_allows_no_files_and_no_sockets: "without files", BOTH;
    /// The second had none to open the map with, and takes it up when it has.
    no_descriptors: "descriptors", [&BOTH[..], &["with none: UNAVAIL", "with some: right"]].concat();
    sixteen_threads_with_small_stacks: "small stacks", ["16 threads: right"];
}

#[test]
fn a_setuid_program() {
    sandbox!(options(), |s| {
        let Some(kinds) = Kinds::new(s) else {
            skip!("there is no other user");
        };
        let program = &kinds.program;
        s.run(&format!(
            "cp {program} /tmp/setuid && chown root /tmp/setuid && chmod 4755 /tmp/setuid"
        ))
        .ok();
        let secure = ["secure: root by user 1000"];
        let expected = [&secure[..], &BOTH].concat();
        assert_eq!(kinds.of("setuid program"), expected);
    });
}

#[test]
fn a_statically_linked_program() {
    sandbox!(options(), |s| {
        let Some(kinds) = Kinds::new(s) else {
            skip!("there is no other user");
        };
        compile(s, "static", SOURCE, "-static");
        assert_eq!(kinds.of("static program"), ["libc: right"]);
    });
}

/// A file whose owner can't be told from others is not believed: resolved has to be asked, and is, when it goes on.
#[test]
fn a_user_namespace_that_does_not_know_the_machines_root() {
    sandbox!(options(), |s| {
        let Some(kinds) = Kinds::new(s) else {
            skip!("there is no other user");
        };
        let said = kinds.of("user namespace");
        if said[0].starts_with("no namespace: ") {
            skip_for_machine!(&format!("user namespaces are not allowed: {}", said[0]));
        }
        let before = [&["owner: nobody"][..], &BOTH].concat();
        let (first, rest) = said.split_at(before.len());
        assert_eq!(first, before, "one that has the map");
        let (stopped, going) = rest.split_at(3);
        assert_eq!(stopped[..2], ["owner: nobody", "module: UNAVAIL"]);
        assert!(!stopped[2].contains("right"), "{stopped:?}");
        assert_eq!(going, before, "by asking");
    });
}
