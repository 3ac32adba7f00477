//! C programs that call functions of two libraries, and print the same with both: systemd's, and ours.
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use support::{Daemon, Options, Sandbox};

/// The folder of our libsystemd.so.0.
pub const OURS: &str = "/usr/lib/switchyard/compat";

/// A sandbox without daemons.
pub fn quiet() -> Options {
    Options::new().machined(None).bus(false)
}

/// A C program, and how it is run.
pub struct Probe<'s> {
    sandbox: &'s Sandbox,
    theirs: String,
    program: String,
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
        }
    }

    /// What it prints with a library, started by a line of shell in which `$probe` is the program.
    #[track_caller]
    pub fn with(&self, library: &str, line: &str) -> String {
        let program = &self.program;
        let line = format!("export LD_LIBRARY_PATH={library} probe={program}; {line}");
        let said = self.sandbox.cmd("sh").args(["-c", &line]);
        said.timeout(Duration::from_secs(20)).run().ok()
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

/// A bus where everybody may have every name.
pub fn open_bus(s: &Sandbox) -> Daemon {
    fs::write("/tmp/bus.conf", OPEN_TO_ALL).unwrap();
    let bus = s.spawn(
        "dbus",
        &["dbus-daemon", "--config-file=/tmp/bus.conf", "--nofork"],
    );
    s.wait_for(|| Path::new("/tmp/bus").exists(), "the bus");
    bus
}

const OPEN_TO_ALL: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:path=/tmp/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;
