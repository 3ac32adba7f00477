//! C programs that call functions of two libraries, and print the same with both: systemd's, and ours.
#![allow(dead_code, reason = "each test program uses its part")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use support::{Options, Output, Sandbox, skipped_for_machine};

/// The folder of our libsystemd.so.0.
pub const OURS: &str = "/usr/lib/switchyard/compat";

/// A sandbox without daemons. valgrind is slow, and so may the machine be.
pub fn quiet() -> Options {
    let options = Options::new().machined(None).bus(false);
    options.timeout(Duration::from_secs(280))
}

/// A C program, and how it is run.
pub struct Probe<'s> {
    sandbox: &'s Sandbox,
    theirs: String,
    program: String,
    /// What of it was run under valgrind.
    checked: RefCell<BTreeSet<String>>,
}

impl<'s> Probe<'s> {
    /// Compiles it.
    pub fn new(sandbox: &'s Sandbox, name: &str, source: &str) -> Self {
        let program = format!("/tmp/{name}");
        fs::write(format!("{program}.c"), source).unwrap();
        let compile = format!(
            "cc -O1 -Wall -Wextra -Werror -Wno-nonnull -Wno-format-truncation -I/usr/include/switchyard \
             -o {program} {program}.c {OURS}/libsystemd.so.0 -lrt 2>&1"
        );
        let compiled = sandbox.cmd("sh").args(["-c", &compile]);
        compiled.timeout(Duration::from_secs(60)).run().ok();
        Self {
            sandbox,
            theirs: theirs(sandbox),
            program,
            checked: RefCell::default(),
        }
    }

    /// What it prints with a library, started by a line of shell in which `$probe` is the program. The first time that it does
    /// something with ours, it does so once more under valgrind.
    #[track_caller]
    pub fn with(&self, library: &str, line: &str) -> String {
        let said = self.run(library, &self.program, line, 20).ok();
        if library == OURS {
            self.check_memory(line);
        }
        said
    }

    fn run(&self, library: &str, program: &str, line: &str, seconds: u64) -> Output {
        let line = format!("export LD_LIBRARY_PATH={library} probe='{program}'; {line}");
        let said = self.sandbox.cmd("sh").args(["-c", &line]);
        said.timeout(Duration::from_secs(seconds)).run()
    }

    /// Nothing is read that is not there or was freed, and nothing is lost, in any process of the program.
    #[track_caller]
    fn check_memory(&self, line: &str) {
        // What it is to do is its first argument.
        let (_, after) = line.split_once("$probe ").unwrap();
        let what = after.split(' ').next().unwrap().to_owned();
        if !self.checked.borrow_mut().insert(what) {
            return;
        }
        if self.sandbox.run("valgrind --version").status != Some(0) {
            return skipped_for_machine("there is no valgrind");
        }
        let folder = "/tmp/valgrind";
        let _ = fs::remove_dir_all(folder);
        fs::create_dir(folder).unwrap();
        let program = format!(
            "valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
             --log-file={folder}/%p {}",
            self.program
        );
        self.run(OURS, &program, line, 120);
        let logs = fs::read_dir(folder).unwrap();
        let logs: Vec<String> = logs
            .map(|log| fs::read_to_string(log.unwrap().path()).unwrap())
            .collect();
        assert!(!logs.is_empty(), "valgrind did not run `{line}`");
        // `--30--` begins what it says of itself.
        let wrong: Vec<&str> = logs
            .iter()
            .flat_map(|log| log.lines())
            .filter(|line| line.starts_with("=="))
            .collect();
        assert!(
            wrong.is_empty(),
            "of `{line}` valgrind says:\n{}",
            wrong.join("\n")
        );
    }

    /// The same with both, which must be the same but for the lines that begin so.
    #[track_caller]
    pub fn compare(&self, line: &str, known: &[&str]) -> String {
        let (theirs, ours) = (self.with(&self.theirs, line), self.with(OURS, line));
        let differ = |line: &&str| !known.iter().any(|known| line.starts_with(known));
        let (their_lines, our_lines): (Vec<_>, Vec<_>) = (
            theirs.lines().filter(differ).collect(),
            ours.lines().filter(differ).collect(),
        );
        for (number, (theirs, ours)) in their_lines.iter().zip(&our_lines).enumerate() {
            let before = our_lines.get(number.saturating_sub(3)..number);
            assert_eq!(ours, theirs, "of `{line}`, after {before:?}: ours is left");
        }
        assert_eq!(our_lines.len(), their_lines.len(), "of `{line}`:\n{ours}");
        ours
    }
}

/// Where systemd's library is on this architecture.
pub fn theirs(s: &Sandbox) -> String {
    let found = s
        .run("dirname $(ls /usr/lib/*/libsystemd.so.0 | head -n1)")
        .ok();
    found.trim().to_owned()
}
