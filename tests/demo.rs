//! `make demo`, as a test: what it prints is what it promises.
//!
//! These stand outside of any sandbox, since the demo opens its own, by the program that `make integration` builds first.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use support::{Container, Options, Via, sandbox, skip, skip_for_machine, skipped};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/demo.sh");

/// What the commands say of these two, where there are cgroups and where not.
fn shows(said: &str, web: &[String; 2], db: &[String; 2], cgroups: bool) {
    for line in [
        "# machinectl list".to_string(),
        "2 machines listed.".into(),
        format!("# getent hosts web\n{}", web[1]),
        format!("{}    STREAM db", db[1]),
        format!("# getent hosts {}\n{}", web[0], web[0]),
        format!("Address: {}", web[0]),
        "# resolvectl query db\ndb: ".into(),
    ] {
        assert!(said.contains(&line), "{line:?} is not in\n{said}");
    }
    let (_, processes) = said.split_once("# ps ").unwrap_or_default();
    assert_eq!(processes.contains(" web "), cgroups, "{said}");
    assert!(said.ends_with("\nThe same by hand: make shell\n"), "{said}");
}

#[test]
fn the_demo_shows_what_it_promises() {
    sandbox!(Options::new(), |s| {
        let web = s.container("web").start();
        s.register(&web, Via::BusCreate);
        let db = s.container("db").start();
        s.register(&db, Via::Varlink);
        s.start_resolved();
        let output = s.cmd("sh").arg(DEMO).run();
        assert!(output.took.as_secs() < 5, "{output}");
        let of = |container: &Container| [container.ipv4(), container.ipv6()];
        if !s.has_cgroups() {
            skipped("ps -o machine: there are no cgroups to write to");
        }
        shows(&output.ok(), &of(&web), &of(&db), s.has_cgroups());
    });
}

/// The program, or the reason why not.
fn program() -> Option<PathBuf> {
    // target/debug/deps/demo-HASH
    let deps = std::env::current_exe().unwrap();
    let program = deps.parent().unwrap().with_file_name("sandbox");
    if !program.exists() {
        skipped("the program `sandbox` is not built: `make integration` builds it");
        return None;
    }
    Some(program)
}

/// From its start to its end, by the command of `make demo`.
#[track_caller]
fn runs_through(command: &mut Command, cgroups: bool) {
    let begun = Instant::now();
    let output = command.output().unwrap();
    let took = begun.elapsed();
    println!("the demo took {took:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    // The first containers of a sandbox, in the order of the command.
    let of = |v4: &str, v6: &str| [v4.to_owned(), v6.to_owned()];
    let (web, db) = (
        of("10.88.0.2", "fd00:88::2"),
        of("10.88.1.2", "fd00:88:1::2"),
    );
    shows(&said, &web, &db, cgroups);
    // It takes two, on a machine that does nothing else.
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn make_demo_takes_less_than_ten_seconds() {
    let Some(program) = program() else { return };
    let mut demo = Command::new(DEMO);
    // An ordinary user's is the other test's.
    runs_through(demo.arg(program), rustix::process::geteuid().is_root());
}

#[test]
fn an_ordinary_user_may_see_it_too() {
    let Some(program) = program() else { return };
    if !rustix::process::geteuid().is_root() {
        skip!("the other test shows it, then");
    }
    let as_nobody = |program: &str| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]);
        command
    };
    let readable = as_nobody("test").arg("-x").arg(&program).status().unwrap();
    if !readable.success() {
        skip_for_machine!(&format!("user nobody may not read {}", program.display()));
    }
    let mut demo = as_nobody(DEMO);
    runs_through(demo.arg(program), false);
}

#[test]
fn what_is_missing_is_said_in_one_line() {
    let Some(program) = program() else { return };
    let bin = format!(
        "{}/without-apt-{}",
        env!("CARGO_TARGET_TMPDIR"),
        std::process::id()
    );
    fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink("/usr/bin/dirname", format!("{bin}/dirname")).unwrap();
    let missing = "peers: missing: apt-get (the tests take their peers from Debian packages)\n";
    let fetch = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/fetch.sh");
    for command in [vec![fetch], vec![DEMO, program.to_str().unwrap()]] {
        let mut run = Command::new("/bin/sh");
        let run = run
            .args(command)
            .env("PATH", &bin)
            .env_remove("SWITCHYARD_PEERS");
        let output = run.output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), missing);
        assert_eq!((output.status.code(), output.stdout), (Some(1), vec![]));
    }
    fs::remove_dir_all(&bin).unwrap();
}
