//! What the other tests rely on in the sandbox itself: that it is private, that it ends, and that it leaves nothing.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use support::{Options, sandbox, skip, skip_for_machine};

fn bare() -> Options {
    Options::peer().machined(None).bus(false)
}

#[test]
fn the_system_inside_is_its_own() {
    sandbox!(bare(), |s| {
        assert_eq!(s.run("hostname").ok().trim(), "sandbox");
        assert_eq!(s.run("id -u; getent passwd alice").ok().lines().count(), 2);
        assert!(!Path::new("/home").exists());
        assert!(s.run("ip -o addr show lo").ok().contains("127.0.0.1"));
        assert_eq!(s.run("ls /sys/class/net").ok().trim(), "lo");
        assert_eq!(
            s.run("ls /run/systemd/machines /var/lib/machines")
                .ok()
                .lines()
                .count(),
            3
        );
        s.run("echo changed >/etc/hosts && touch /var/new /run/new /tmp/new")
            .ok();
        let own = s.run("ps -e -o pid= | wc -l").ok();
        assert!(own.trim().parse::<u32>().unwrap() < 8, "{own} processes");
    });
}

#[test]
fn pid_1_reaps_orphans() {
    sandbox!(bare(), |s| {
        s.run("for i in 1 2 3 4 5; do (sleep 0.0$i & exec true) & done; wait")
            .ok();
        let zombies = || {
            s.run("ps -e -o stat= | grep -c Z; true")
                .ok()
                .trim()
                .to_string()
        };
        s.wait_for(|| zombies() == "0", "orphans to be reaped");
    });
}

#[test]
fn a_panic_inside_is_a_failure_outside() {
    let test = || sandbox!(bare(), |_s| panic!("as it shall"));
    assert!(catch_unwind(AssertUnwindSafe(test)).is_err());
}

#[test]
fn what_outlives_its_time_is_killed_with_all_it_started() {
    let begun = Instant::now();
    let test = || {
        sandbox!(bare().timeout(Duration::from_secs(1)), |s| {
            s.spawn("left", &["setsid", "--wait", "sleep", "86123"]);
            sleep(Duration::from_secs(3600));
        });
    };
    assert!(catch_unwind(AssertUnwindSafe(test)).is_err());
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    let left = || processes().any(|line| line.contains("sleep\u{0}86123"));
    let deadline = Instant::now() + Duration::from_secs(5);
    while left() && Instant::now() < deadline {
        sleep(Duration::from_millis(10));
    }
    assert!(!left(), "a process outlived its sandbox");
}

#[test]
fn a_command_that_hangs_is_killed_and_its_output_kept() {
    sandbox!(bare(), |s| {
        let command = s
            .cmd("sh")
            .args(["-c", "echo said; echo complained >&2; sleep 1000 & wait"]);
        let output = command.timeout(Duration::from_millis(300)).run();
        assert_eq!(output.status, None);
        assert_eq!(
            (output.stdout.trim(), output.stderr.trim()),
            ("said", "complained")
        );
        assert_eq!(s.cmd("pgrep").args(["-xf", "sleep 1000"]).run().stdout, "");
    });
}

#[test]
fn a_daemon_is_stopped_continued_killed_and_started_again() {
    sandbox!(bare(), |s| {
        let daemon = s.spawn(
            "echo",
            &[
                "sh",
                "-c",
                "echo begun; while read line; do :; done </dev/zero",
            ],
        );
        s.wait_for(|| daemon.log().contains("begun"), "the daemon's log");
        daemon.stop();
        daemon.cont();
        let first = daemon.pid();
        daemon.restart();
        s.wait_for(
            || daemon.log().matches("begun").count() == 2,
            "the second start's log",
        );
        assert_ne!(daemon.pid(), first);
        assert!(daemon.is_running());
    });
}

#[test]
fn containers_have_their_own_network_and_root() {
    sandbox!(bare(), |s| {
        let web = s.container("web").start();
        let database = s
            .container("a-name-longer-than-an-interface-may-have")
            .usr()
            .start();
        assert_eq!(
            web.run("hostname; id -u; cat etc/hostname").ok(),
            "web\n0\nweb\n"
        );
        assert_eq!(
            database.run("cat /etc/hostname").ok().trim(),
            database.name()
        );
        let reach = |address: String| {
            s.cmd("busybox")
                .args(["ping", "-c1", "-W2", &address])
                .run()
        };
        reach(web.ipv4()).ok();
        reach(web.ipv6()).ok();
        reach(database.ipv4()).ok();
        assert!(web.run("ip -o addr show host0").ok().contains(&web.ipv6()));
        web.kill();
        assert!(!web.is_running());
        assert!(database.is_running());
    });
}

#[test]
fn a_bare_container_is_a_container_too() {
    sandbox!(bare(), |s| {
        let bare = s.container("bare").bare().start();
        assert_eq!(bare.run("hostname").ok().trim(), "bare");
        assert!(bare.run("ip -o addr").ok().contains(&bare.ipv4()));
        bare.kill();
    });
}

#[test]
fn a_container_may_have_users_of_its_own() {
    sandbox!(bare(), |s| {
        let shifted = s.container("shifted").user_namespace(0x0010_0000).start();
        let map = fs::read_to_string(format!("/proc/{}/uid_map", shifted.leader())).unwrap();
        let wanted = if s.is_rootless() {
            ["0", "0", "1"]
        } else {
            ["0", "1048576", "65536"]
        };
        assert_eq!(map.split_whitespace().collect::<Vec<_>>(), wanted);
        assert_eq!(
            shifted
                .run("id -u; touch /root/mine; stat -c %u /root/mine")
                .ok(),
            "0\n0\n"
        );
    });
}

#[test]
fn an_ordinary_user_has_a_sandbox_too() {
    if inside() || !rustix::process::geteuid().is_root() {
        return; // the other tests of this file show it, then
    }
    let exe = std::env::current_exe().unwrap();
    let peers = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/fetch.sh"))
        .output()
        .unwrap();
    let peers = String::from_utf8(peers.stdout).unwrap();
    let as_nobody = |program: &Path| {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(program);
        command.env("SWITCHYARD_PEERS", peers.trim());
        command
    };
    let readable = as_nobody(Path::new("test"))
        .arg("-x")
        .arg(&exe)
        .args(["-a", "-r", peers.trim()])
        .status();
    if !readable.unwrap().success() {
        skip_for_machine!(&format!("user nobody may not read {}", exe.display()));
    }
    for test in [
        "the_system_inside",
        "containers_have",
        "a_container_may",
        "one_of_eight::a",
    ] {
        let output = as_nobody(&exe)
            .args([test, "--test-threads=1"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}"
        );
    }
}

/// Runs itself again, as a test that wants something that is missing.
#[test]
fn what_is_passed_over_is_said_and_fails_where_it_is_required() {
    const TRIAL: &str = "SWITCHYARD_TRIAL";
    if inside() || std::env::var_os(TRIAL).is_some() {
        sandbox!(bare(), |_s| skip!("this is a trial"));
        return;
    }
    let list = format!(
        "{}/skipped-{}",
        env!("CARGO_TARGET_TMPDIR"),
        std::process::id()
    );
    for (required, passes) in [("", true), ("1", false)] {
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["what_is_passed_over", "--nocapture"]);
        again.env(TRIAL, "1").env("SWITCHYARD_REQUIRE", required);
        let again = again.env("SWITCHYARD_SKIPPED", &list).output().unwrap();
        let said = String::from_utf8_lossy(&again.stdout);
        assert!(
            said.contains("skipped: this is a trial (tests/sandbox_self.rs:"),
            "{said}"
        );
        assert_eq!(again.status.success(), passes, "{said}");
    }
    let listed = fs::read_to_string(&list).unwrap();
    fs::remove_file(&list).unwrap();
    assert_eq!(listed.matches("skipped: this is a trial (").count(), 2);
}

/// Runs the tests of the module below together.
#[test]
fn eight_sandboxes_run_at_a_time_and_leave_nothing() {
    if inside() {
        return;
    }
    let before = mounts();
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["one_of_eight::", "--test-threads=8"]);
    let program = program.stdout(Stdio::piped()).spawn().unwrap();
    let prefix = format!("switchyard-test.{}.", program.id());
    let output = program.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("8 passed"), "{said}");
    assert_eq!(mounts(), before);
    let find = ["/sys/fs/cgroup", "-name", &format!("{prefix}*")];
    assert_eq!(
        Command::new("find").args(find).output().unwrap().stdout,
        b""
    );
}

mod one_of_eight {
    use super::{Options, sandbox};

    macro_rules! each {
        ($($name:ident)*) => {$(
            #[test]
            fn $name() {
                sandbox!(Options::peer(), |s| {
                    let name = stringify!($name);
                    let container = s.container(name).start();
                    s.place_in_scope(&container);
                    assert_eq!(container.run("hostname").ok().trim(), name);
                    assert_eq!(s.run("machinectl list --no-legend --all | wc -l").ok().trim(), "1");
                });
            }
        )*};
    }
    each!(a b c d e f g h);
}

/// Whether this is the part of a test that runs in the sandbox.
fn inside() -> bool {
    std::env::var_os("SWITCHYARD_SANDBOX").is_some()
}

fn mounts() -> String {
    fs::read_to_string("/proc/self/mountinfo").unwrap_or_default()
}

/// The command lines of all processes, arguments ended by NUL.
fn processes() -> impl Iterator<Item = String> {
    let numbered = fs::read_dir("/proc").into_iter().flatten().flatten();
    numbered.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok())
}
