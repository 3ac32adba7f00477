//! C programs that call functions of two libraries, and print the same with both: systemd's, and ours.
#![allow(dead_code, reason = "each test program uses its part")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use support::{Daemon, Options, Output, Ready, Sandbox, skipped, skipped_for_machine};

/// The folder of our libsystemd.so.0.
pub const OURS: &str = "/usr/lib/switchyard/compat";

/// A sandbox without daemons. valgrind is slow, and so may the machine be.
pub fn quiet() -> Options {
    let options = Options::new().machined(None).bus(false);
    let options = options.timeout(Duration::from_secs(280));
    if NEWER { options.newer() } else { options }
}

/// In this test program theirs is the library of a newer systemd; its tests are those of other programs.
pub const NEWER: bool = matches!(env!("CARGO_CRATE_NAME").as_bytes(), b"newer_library");

/// Whether theirs is that here.
fn is_newer(s: &Sandbox) -> bool {
    NEWER && s.has_newer()
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
        if NEWER && !sandbox.has_newer() {
            skipped("there is no newer systemd: once more beside the other");
        }
        let program = format!("/tmp/{name}");
        fs::write(format!("{program}.c"), source).unwrap();
        let strict = "-Wall -Wextra -Werror -Wno-nonnull -Wno-format-truncation";
        let how = format!("{strict} -o {program} {program}.c {OURS}/libsystemd.so.0 -lrt");
        compile(sandbox, &how);
        Self {
            sandbox,
            theirs: theirs(sandbox),
            program,
            checked: RefCell::default(),
        }
    }

    /// What it prints with a library, started by a line of shell in which `$probe` is the program. The first time that it does
    /// something with ours, it does so once more under valgrind, or with AddressSanitizer in it.
    #[track_caller]
    pub fn with(&self, library: &str, line: &str) -> String {
        let said = self.once(library, line);
        // In the other test program the same is checked.
        if library == OURS && !NEWER {
            self.check_memory(line);
        }
        said
    }

    /// The same, and no more: for what leaves something behind.
    #[track_caller]
    pub fn once(&self, library: &str, line: &str) -> String {
        self.run(library, &self.program, line, 60).ok()
    }

    fn run(&self, library: &str, program: &str, line: &str, seconds: u64) -> Output {
        let line = if is_newer(self.sandbox) && library == self.theirs {
            // Only the program's, and not that of what else the line starts.
            format!("export probe='/usr/local/bin/newer {program}'; {line}")
        } else {
            format!("export LD_LIBRARY_PATH={library} probe='{program}'; {line}")
        };
        let said = self.sandbox.cmd("sh").args(["-c", &line]);
        said.timeout(Duration::from_secs(seconds)).run()
    }

    /// Nothing is read that is not there or was freed, and nothing is lost, in any process of the program.
    #[track_caller]
    fn check_memory(&self, line: &str) {
        // What it is to do is its first argument. A line may have its own valgrind.
        let Some((before, after)) = line.split_once("$probe ") else {
            return;
        };
        let what = after.split(' ').next().unwrap().to_owned();
        if before.contains("valgrind") || !self.checked.borrow_mut().insert(what) {
            return;
        }
        let folder = "/tmp/checked";
        let _ = fs::remove_dir_all(folder);
        fs::create_dir(folder).unwrap();
        // Also for a program of another user.
        fs::set_permissions(folder, Permissions::from_mode(0o1777)).unwrap();
        let program = match env::var("SWITCHYARD_ASAN") {
            Ok(library) => self.sanitized(&library, folder),
            Err(_) if self.sandbox.run("valgrind --version").status == Some(0) => {
                let leaks =
                    "--leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite";
                format!(
                    "/usr/bin/valgrind -q {leaks} --log-file={folder}/%p {}",
                    self.program
                )
            }
            Err(_) => return skipped_for_machine("there is no valgrind"),
        };
        let run = self.run(OURS, &program, line, 120);
        let logs = fs::read_dir(folder).unwrap();
        let mut logs: Vec<_> = logs.map(|log| log.unwrap().path()).collect();
        // By the number of the process: the first is the program itself.
        logs.sort_by_key(|log| (log.as_os_str().len(), log.clone()));
        let logs = logs.iter().enumerate().map(|(number, log)| {
            let log = fs::read_to_string(log).unwrap();
            if number == 0 {
                log
            } else {
                without_losses(&log)
            }
        });
        let logs: String = logs.collect();
        // `--30--` begins what valgrind says of itself.
        let about_itself = |line: &&str| line.starts_with("--");
        let wrong: Vec<&str> = logs.lines().filter(|line| !about_itself(line)).collect();
        assert!(wrong.is_empty(), "of `{line}`:\n{}", wrong.join("\n"));
        run.ok();
    }

    /// The program with AddressSanitizer in it and in the library: `make asan`. What is lost is valgrind's to find, which tells
    /// processes that were forked.
    fn sanitized(&self, library: &str, folder: &str) -> String {
        let program = format!("{}_asan", self.program);
        if !Path::new(&program).exists() {
            let source = format!("{}.c", self.program);
            let sanitize = "-fsanitize=address -fno-omit-frame-pointer -g";
            let libraries = format!("{library} -lrt -lm -ldl -lpthread");
            let how = format!("{sanitize} -w -o {program} {source} {libraries}");
            compile(self.sandbox, &how);
        }
        format!("/usr/bin/env ASAN_OPTIONS=log_path={folder}/asan:detect_leaks=0 {program}")
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
            let is_known = is_newer(self.sandbox) && since_252(theirs, ours);
            assert!(
                is_known || ours == theirs,
                "of `{line}`, after {before:?}:\nours   {ours}\ntheirs {theirs}"
            );
        }
        assert_eq!(our_lines.len(), their_lines.len(), "of `{line}`:\n{ours}");
        ours
    }
}

/// Whether a line may be another in a newer systemd's, where ours is as 252's.
fn since_252(theirs: &str, ours: &str) -> bool {
    /// How a line begins, what theirs ends with, and ours.
    const KNOWN: [(&str, &str, &str); 5] = [
        // 0 or more, sd_bus_add_match(3) says.
        ("sd_bus_match_signal", " = 0 ", " = 1 "),
        ("sd_bus_add_match", " = 0 ", " = 1 "),
        // Of a bus in a process that was forked, which is what every function of ours says.
        ("sd_bus_attach_event", " = -22 EINVAL", " = -10 ECHILD"),
        // A number in the process, where theirs is started with one file more.
        ("UNIX_FD", ";", ";"),
        // For an address that is none.
        ("sd_", " = -71 EPROTO", " = -22 EINVAL"),
    ];
    KNOWN.iter().any(|(begin, their_end, our_end)| {
        let (theirs, ours) = (theirs.trim_start(), ours.trim_start());
        let both = theirs.starts_with(begin) && ours.starts_with(begin);
        both && theirs.ends_with(their_end) && ours.ends_with(our_end)
    })
}

/// What valgrind says of a process that was forked, and so ends with much that it has never been able to free: all but that.
fn without_losses(log: &str) -> String {
    let mut is_loss = false;
    let kept = log.lines().filter(|line| {
        is_loss = is_loss && !line.ends_with("== ") || line.contains("lost in loss record");
        !is_loss && !line.ends_with("== ")
    });
    kept.flat_map(|line| [line, "\n"]).collect()
}

/// Compiles C by these arguments.
pub fn compile(s: &Sandbox, how: &str) {
    let line = format!("cc -O1 -I/usr/include/switchyard {how} 2>&1");
    let compiled = s.cmd("sh").args(["-c", &line]);
    compiled.timeout(Duration::from_secs(60)).run().ok();
}

/// Where systemd's library is on this architecture.
pub fn theirs(s: &Sandbox) -> String {
    let root = s.newer_root().unwrap_or_default();
    let line = format!(
        "dirname $(ls {}/usr/lib/*/libsystemd.so.0 | head -n1)",
        root.display()
    );
    s.run(&line).ok().trim().to_owned()
}

/// What begins a line of shell that runs a program with this library.
pub fn by(s: &Sandbox, library: &str) -> String {
    if is_newer(s) && library != OURS {
        "/usr/local/bin/newer".into()
    } else {
        format!("LD_LIBRARY_PATH={library}")
    }
}

/// A bus at /tmp/bus where everybody may have every name.
pub fn open_bus(_: &Sandbox) -> Daemon {
    open_bus_with(&[], "")
}

/// The same, started by way of `before`, with more in its configuration.
pub fn open_bus_with(before: &[&str], more: &str) -> Daemon {
    let _ = fs::remove_file("/tmp/bus");
    configure_open_bus(more);
    let own = ["dbus-daemon", "--config-file=/tmp/bus.conf", "--nofork"];
    let command = [before, &own].concat();
    Daemon::start("dbus", &command, &[], Ready::Socket("/tmp/bus".into()))
}

/// Its configuration, as /tmp/bus.conf.
pub fn configure_open_bus(more: &str) {
    fs::write("/tmp/bus.conf", OPEN_TO_ALL.replace("MORE", more)).unwrap();
}

const OPEN_TO_ALL: &str = r#"<busconfig>
  <type>session</type>
  MORE
  <listen>unix:path=/tmp/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;
