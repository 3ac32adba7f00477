//! Scopes that machined made, when it ends before they do, in order or in the middle of making one.

mod machined_bus_client;
mod machined_registry;

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use machined_bus_client::{Answer, Client};
use machined_registry::{Cgroups, DIR, SOON, create, has_file, names, program, state};
use rustix::process::{Pid, Signal, kill_process};
use support::{Daemon, Options, Sandbox, sandbox, skipped};

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
    if !s.has_cgroups() {
        skipped("there are no cgroups to make scopes in");
    }
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

fn is_absent(scope: &Path, leader: &Child, former: &str, case: &str) {
    let left: Vec<_> = fs::read_dir(DIR).unwrap().collect();
    assert!(left.is_empty(), "{case}: {left:?}");
    assert!(!scope.exists() && !is_listed(), "{case}");
    assert_eq!(cgroups_of(leader), former, "{case}");
}

fn is_all_gone(s: &Sandbox, scope: &Path, case: &str) {
    s.wait_for(|| names().is_empty(), &format!("the machine's end: {case}"));
    s.wait_for(|| !scope.exists(), &format!("the scope to go: {case}"));
    s.wait_for(|| !is_listed(), &format!("the list to be empty: {case}"));
}

/// In all hierarchies.
fn cgroups_of(process: &Child) -> String {
    fs::read_to_string(format!("/proc/{}/cgroup", process.id())).unwrap()
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

/// A call to nobody must not start a machined beside the one under test.
fn start_nobody_by_the_bus(s: &Sandbox) {
    s.run("mount -t tmpfs tmpfs /usr/share/dbus-1/system-services && busctl call org.freedesktop.DBus / org.freedesktop.DBus ReloadConfig")
        .ok();
}

/// Whether there is the machine that a machined made, or was killed over; it is there as a whole, or nothing of it, and the
/// latter was not answered otherwise.
fn is_known(answer: &Answer, scope: &Path, leader: &Child, former: &str, case: &str) -> bool {
    match Client::new().manager("GetMachine", args!["a"]) {
        Answer::Reply(..) => {
            is_whole(scope, leader, case);
            true
        }
        known => {
            assert!(known.is_error(".NoSuchMachine"), "{case}: {known:?}");
            assert!(!matches!(answer, Answer::Reply(..)), "{case}: {answer:?}");
            is_absent(scope, leader, former, case);
            false
        }
    }
}

#[test]
fn a_machined_that_is_killed_while_it_makes_a_machine_leaves_nothing_half_made() {
    sandbox!(options(), |s| {
        const ROUNDS: u64 = 24;
        let mut below = numbers();
        start_nobody_by_the_bus(s);
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
                let former = cgroups_of(&leader);
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
                if is_known(&answer, &scope, &leader, &former, &case) {
                    whole += 1;
                } else {
                    absent += 1;
                    if round % 3 == 0 {
                        create(&Client::new(), "a", leader.id(), vec![]).ok();
                        is_whole(&scope, &leader, &case);
                    }
                }
                end(leader);
                is_all_gone(s, &scope, &case);
            }
            println!("{cgroups:?}: {whole} whole, {absent} absent, {half} with a scope alone");
            assert!(whole > 0 && absent > 0 && half > 0);
            machined.end();
        }
    });
}

/// System calls that change what others see, of whichever architecture.
const CHANGES: &str = "trace=?mkdir,mkdirat,openat,write,?rename,?renameat,renameat2,?symlink,symlinkat,?unlink,unlinkat,?rmdir,fchmod";

/// Follows the daemon's calls until it is dropped.
struct Trace(Child);

impl Trace {
    fn of(daemon: &Daemon, options: &[&str]) -> Self {
        let mut strace = Command::new("strace");
        let pid = daemon.pid().to_string();
        strace.args(["-o", TRACE, "-p", &pid]).args(options);
        let mut strace = strace.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(strace.stderr.take().unwrap()).lines();
        let attached = said.any(|line| line.unwrap().contains(" attached"));
        assert!(attached, "strace does not follow {pid}");
        Self(strace)
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        let pid = Pid::from_child(&self.0);
        let _ = kill_process(pid, Signal::TERM);
        let _ = self.0.wait();
    }
}

const TRACE: &str = "/run/trace";

/// Which of them the last trace has.
fn changes() -> BTreeSet<String> {
    let trace = fs::read_to_string(TRACE).unwrap();
    let name = |line: &str| Some(line.split_once('(')?.0.to_owned());
    let is_word = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric());
    trace.lines().filter_map(name).filter(is_word).collect()
}

/// What has machined killed when it is about to make this call for the so-many-th time.
fn kill_at(call: &str, time: u32) -> String {
    format!("inject={call}:signal=KILL:when={time}")
}

#[test]
fn killed_at_any_step_it_leaves_the_machine_whole_or_its_leader_where_it_was() {
    sandbox!(options(), |s| {
        start_nobody_by_the_bus(s);
        for (cgroups, scope) in hierarchies(s) {
            let machined = cgroups.start_machined();
            let calls = {
                let leader = program("sleep 60");
                let trace = Trace::of(&machined, &["-e", CHANGES]);
                create(&Client::new(), "a", leader.id(), vec![]).ok();
                drop(trace);
                end(leader);
                changes()
            };
            s.wait_for(|| !scope.exists(), "the scope to be gone");
            // As many as there are in the order of the steps: the list's, the cgroup's, the state file's.
            for needed in ["mkdir", "rename", "symlink"] {
                let is_there = calls.iter().any(|call| call.starts_with(needed));
                assert!(is_there, "{needed}: {calls:?}");
            }
            let (mut whole, mut absent, mut half) = (0, 0, 0);
            for call in &calls {
                for time in 1.. {
                    let case = format!("{cgroups:?}, {call} {time}");
                    let leader = program("sleep 60");
                    let former = cgroups_of(&leader);
                    let trace = Trace::of(&machined, &["-e", CHANGES, "-e", &kill_at(call, time)]);
                    let answer = create(&Client::new(), "a", leader.id(), vec![]);
                    drop(trace);
                    let is_over = machined.is_running();
                    if !is_over {
                        half += u32::from(is_in(&scope, &leader) && !has_file("a"));
                        machined.start_again();
                    }
                    match is_known(&answer, &scope, &leader, &former, &case) {
                        true => whole += 1,
                        false => absent += 1,
                    }
                    end(leader);
                    is_all_gone(s, &scope, &case);
                    if is_over {
                        break;
                    }
                }
            }
            println!(
                "{cgroups:?}: {whole} whole, {absent} absent, {half} with a leader in a scope alone"
            );
            // When it is about to open, to write, to mark, and to rename the state file.
            assert!(whole > calls.len() && absent > 0 && half >= 4);
            machined.end();
        }
    });
}

/// Ends what a strace has started, and waits for both.
///
/// On a SIGTERM of its own strace passes it on and ends at once (strace(1), `-I`); that other then still has the lock.
fn end_traced(strace: &Daemon) {
    let pid = strace.pid();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let traced = Pid::from_raw(children.trim().parse().unwrap()).unwrap();
    kill_process(traced, Signal::TERM).unwrap();
    strace.wait();
}

/// Who undoes it may be killed as well.
#[test]
fn killed_while_it_undoes_a_machine_it_goes_on_at_the_next_start() {
    /// What the start does to files, but for opening them; of which only the last are for the scope.
    const STEPS: [&str; 4] = ["write", "/^rename", "/^unlink", "/^rmdir"];
    sandbox!(options(), |s| {
        start_nobody_by_the_bus(s);
        for (cgroups, scope) in hierarchies(s) {
            let machined = cgroups.start_machined();
            let mut killed = 0;
            for step in STEPS {
                for time in 1.. {
                    let case = format!("{cgroups:?}, {step} {time}");
                    let leader = program("sleep 60");
                    let former = cgroups_of(&leader);
                    let trace = Trace::of(&machined, &["-e", CHANGES, "-e", &kill_at("fchmod", 1)]);
                    let answer = create(&Client::new(), "a", leader.id(), vec![]);
                    drop(trace);
                    assert!(!matches!(answer, Answer::Reply(..)), "{case}: {answer:?}");
                    machined.wait();
                    assert!(is_in(&scope, &leader) && is_listed() && !has_file("a"));
                    // What it has started meanwhile.
                    let child = program("sleep 60");
                    fs::write(scope.join("cgroup.procs"), child.id().to_string()).unwrap();
                    let inject = kill_at(step, time);
                    // Blocked, by default, are the signals that end it, when it writes to a file.
                    let strace = format!("strace -I 2 -o {TRACE} -e {CHANGES} -e '{inject}'");
                    let undoing = cgroups.start_machined_under(&strace);
                    let is_ready = || {
                        let said = undoing.notified();
                        said.is_some_and(|said| said.contains("READY=1"))
                    };
                    let mut is_over = false;
                    let is_either = || {
                        is_over = is_ready();
                        is_over || !undoing.is_running()
                    };
                    s.wait_for(is_either, "machined to be killed, or ready");
                    if is_over {
                        end_traced(&undoing);
                    } else {
                        killed += 1;
                    }
                    machined.start_again();
                    is_absent(&scope, &leader, &former, &case);
                    assert_eq!(cgroups_of(&child), former, "{case}");
                    end(leader);
                    end(child);
                    if is_over {
                        break;
                    }
                }
            }
            println!("{cgroups:?}: killed {killed} times");
            // Before a process is moved back (two of them), the scope goes, and it is struck off the list.
            assert!(killed >= 4, "{cgroups:?}: {killed}");
            machined.end();
        }
    });
}
