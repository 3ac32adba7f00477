//! Scopes that machined made, when it ends before they do, in order or in the middle of making one.

mod machined_bus_client;
mod machined_registry;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Child,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use machined_bus_client::{Answer, Client};
use machined_registry::{Cgroups, DIR, SOON, create, has_file, names, program, state};
use rustix::process::Signal;
use support::{Daemon, Options, Sandbox, sandbox};

/// The list of scopes that are ours.
const LEDGER: &str = "/run/switchyard/machined/scopes";
const SCOPE: &str = "machine.slice/machine-a.scope";

fn options() -> Options {
    Options::new()
        .machined(None)
        .timeout(Duration::from_secs(180))
}

/// Both hierarchies, as far as the sandbox has them, each with the folder of the machine's scope.
fn hierarchies(s: &Sandbox) -> Vec<(Cgroups, PathBuf)> {
    let both = [Cgroups::V2, Cgroups::V1].into_iter();
    let with_scope = |cgroups: Cgroups| Some((cgroups, cgroups.top()?.join(SCOPE)));
    both.filter(|_| s.has_cgroups())
        .filter_map(with_scope)
        .collect()
}

fn end(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}

fn kill_daemon(daemon: &Daemon) {
    daemon.kill(Signal::KILL);
    daemon.wait();
}

fn is_listed() -> bool {
    Path::new(LEDGER).join(SCOPE).exists()
}

fn is_in(scope: &Path, process: &Child) -> bool {
    let procs = fs::read_to_string(scope.join("cgroup.procs")).unwrap_or_default();
    procs.lines().any(|line| line == process.id().to_string())
}

#[test]
fn a_scope_goes_with_its_last_process_whatever_becomes_of_machined() {
    sandbox!(options(), |s| {
        let client = Client::new();
        for (cgroups, scope) in hierarchies(s) {
            let machined = cgroups.start_machined();
            // machined ends in order or is killed; the last process ends before it is back, or after.
            for (killed, before) in [(false, false), (true, false), (true, true)] {
                let case = format!("{cgroups:?}, killed: {killed}, before: {before}");
                let leader = program("sleep 60");
                create(&client, "a", leader.id(), vec![]).ok();
                assert!(is_listed(), "{case}");
                let others = [program("sleep 60"), program("sleep 60")];
                for other in &others {
                    fs::write(scope.join("cgroup.procs"), other.id().to_string()).unwrap();
                }
                end(leader);
                s.wait_within(SOON, || names().is_empty(), "the files to be gone");
                if killed {
                    kill_daemon(&machined);
                } else {
                    machined.end();
                }
                if !before {
                    machined.start_again();
                }
                for other in others {
                    assert!(scope.exists() && is_listed(), "{case}");
                    end(other);
                }
                if before {
                    machined.start_again();
                }
                s.wait_for(|| !scope.exists(), &format!("the scope to go: {case}"));
                s.wait_for(|| !is_listed(), &format!("the list to be empty: {case}"));
            }
            machined.end();
        }
    });
}

#[test]
fn a_machine_that_ends_while_machined_is_away_takes_its_scope_along() {
    sandbox!(options(), |s| {
        let client = Client::new();
        for (cgroups, scope) in hierarchies(s) {
            let machined = cgroups.start_machined();
            let leader = program("sleep 60");
            create(&client, "a", leader.id(), vec![]).ok();
            machined.restart();
            assert!(has_file("a") && is_listed() && is_in(&scope, &leader));
            kill_daemon(&machined);
            end(leader);
            machined.start_again();
            s.wait_for(|| !scope.exists() && !is_listed(), "the scope to be gone");
            assert!(names().is_empty());
            machined.end();
        }
    });
}

/// By name and place one could take them for ours.
#[test]
fn scopes_of_others_are_left_alone() {
    sandbox!(options(), |s| {
        let client = Client::new();
        for (cgroups, scope) in hierarchies(s) {
            let machined = cgroups.start_machined();
            let leader = program("sleep 60");
            create(&client, "a", leader.id(), vec![]).ok();
            let never_ours = scope.with_file_name("machine-b.scope");
            fs::create_dir(&never_ours).unwrap();
            kill_daemon(&machined);
            end(leader);
            // Somebody takes ours away, and makes one of their own there.
            s.wait_for(|| fs::remove_dir(&scope).is_ok(), "the scope to be empty");
            fs::create_dir(&scope).unwrap();
            // What machined had yet to make, as far as it knows, has somebody in it.
            let other = program("sleep 60");
            let taken = scope.with_file_name("machine-c.scope");
            fs::create_dir(&taken).unwrap();
            fs::write(taken.join("cgroup.procs"), other.id().to_string()).unwrap();
            let listed = |scope: &Path| {
                let name = scope.file_name().unwrap();
                Path::new(LEDGER).join(SCOPE).with_file_name(name)
            };
            fs::write(listed(&taken), "").unwrap();
            machined.start_again();
            assert!(!is_listed() && !listed(&taken).exists());
            end(other);
            // Nothing is to happen, so another scope's end is what is waited for.
            let last = program("sleep 60");
            create(&client, "d", last.id(), vec![]).ok();
            end(last);
            let gone = || !scope.with_file_name("machine-d.scope").exists();
            s.wait_for(gone, "our own scope to be gone");
            for theirs in [&scope, &never_ours, &taken] {
                assert!(theirs.exists(), "{cgroups:?}: {}", theirs.display());
                fs::remove_dir(theirs).unwrap();
            }
            machined.end();
        }
    });
}

/// When machined is killed, in its making of a machine.
#[derive(Debug, Clone, Copy)]
enum When {
    After(Duration),
    /// As soon as this is there.
    Sees(&'static str),
}

impl When {
    fn wait(self, scope: &Path) {
        let begun = Instant::now();
        let is_time = || match self {
            Self::After(time) => begun.elapsed() >= time,
            Self::Sees("list") => is_listed(),
            Self::Sees("scope") => scope.exists(),
            Self::Sees(_) => has_file("a"),
        };
        // Without a pause: what is waited for is over soon.
        while !is_time() && begun.elapsed() < Duration::from_secs(5) {
            std::hint::spin_loop();
        }
    }
}

fn is_whole(scope: &Path, leader: &Child, case: &str) {
    let text = state("a");
    for line in [
        format!("LEADER={}", leader.id()),
        "CLASS=container".to_owned(),
        "SCOPE=machine-a.scope".to_owned(),
        format!("SCOPE_CGROUP=/{SCOPE}"),
    ] {
        assert!(text.lines().any(|known| known == line), "{case}: {text}");
    }
    assert!(is_in(scope, leader) && is_listed(), "{case}");
    assert_eq!(names(), ["a", "unit:machine-a.scope"], "{case}");
}

fn is_absent(scope: &Path, leader: &Child, case: &str) {
    let left: Vec<_> = fs::read_dir(DIR).unwrap().collect();
    assert!(left.is_empty(), "{case}: {left:?}");
    // There is a scope only for the leader's sake, who is in it.
    assert!(!scope.exists() || is_in(scope, leader), "{case}");
}

/// xorshift64 (Marsaglia 2003); SWITCHYARD_SEED has a run again.
fn numbers() -> impl FnMut(u64) -> u64 {
    let given = std::env::var("SWITCHYARD_SEED").ok();
    let given = given.and_then(|seed| seed.parse().ok());
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut state: u64 = given.unwrap_or_else(|| u64::from(clock().subsec_nanos())) | 1;
    println!("SWITCHYARD_SEED={state}");
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    }
}

#[test]
fn a_machined_that_is_killed_while_it_makes_a_machine_leaves_nothing_half_made() {
    sandbox!(options(), |s| {
        const ROUNDS: u64 = 24;
        let mut below = numbers();
        // A call to nobody must not start a machined beside the one under test.
        s.run("mount -t tmpfs tmpfs /usr/share/dbus-1/system-services && busctl call org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig")
            .ok();
        for (cgroups, scope) in hierarchies(s) {
            let machined = cgroups.start_machined();
            let took = {
                let begun = Instant::now();
                let leader = program("sleep 60");
                create(&Client::new(), "a", leader.id(), vec![]).ok();
                let took = begun.elapsed();
                end(leader);
                took
            };
            s.wait_for(|| !scope.exists(), "the scope to be gone");
            let (mut whole, mut absent, mut half) = (0, 0, 0);
            // Until each has come about: where in its work machined is hit, the scheduler has a say in.
            for round in 0..5 * ROUNDS {
                if round >= ROUNDS && whole > 0 && absent > 0 && half > 0 {
                    break;
                }
                let when = match round % 4 {
                    0 => When::Sees("list"),
                    1 => When::Sees("scope"),
                    2 => When::Sees("file"),
                    _ => When::After(took.mul_f64(below(1500) as f64 / 1000.0)),
                };
                let case = format!("{cgroups:?}, round {round}, {when:?}");
                let leader = program("sleep 60");
                let answer = thread::scope(|threads| {
                    let client = Client::new();
                    let id = leader.id();
                    let calling = threads.spawn(move || create(&client, "a", id, vec![]));
                    when.wait(&scope);
                    kill_daemon(&machined);
                    calling.join().unwrap()
                });
                half += u32::from(scope.exists() && !has_file("a"));
                machined.start_again();
                let client = Client::new();
                match client.manager("GetMachine", args!["a"]) {
                    Answer::Reply(..) => {
                        whole += 1;
                        is_whole(&scope, &leader, &case);
                    }
                    known => {
                        absent += 1;
                        assert!(known.is_error(".NoSuchMachine"), "{case}: {known:?}");
                        assert!(!matches!(answer, Answer::Reply(..)), "{case}: {answer:?}");
                        is_absent(&scope, &leader, &case);
                        if round % 3 == 0 {
                            create(&client, "a", leader.id(), vec![]).ok();
                            is_whole(&scope, &leader, &case);
                        }
                    }
                }
                end(leader);
                s.wait_for(|| names().is_empty(), &format!("the machine's end: {case}"));
                s.wait_for(|| !scope.exists(), &format!("the scope to go: {case}"));
                s.wait_for(|| !is_listed(), &format!("the list to be empty: {case}"));
            }
            println!("{cgroups:?}: {whole} whole, {absent} absent, {half} with a scope alone");
            assert!(whole > 0 && absent > 0 && half > 0);
            machined.end();
        }
    });
}
