//! A command with a time limit, whose output is kept.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{self, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::must::Must;
use crate::wait;

/// A command to run to its end, 30 s at most.
#[derive(Debug)]
pub struct Command {
    inner: process::Command,
    line: String,
    timeout: Duration,
    input: Vec<u8>,
}

impl Command {
    /// A program by name or path.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let line = program.as_ref().to_string_lossy().into_owned();
        let mut inner = process::Command::new(program);
        inner.process_group(0); // so that a time limit ends what it started, too
        Self {
            inner,
            line,
            timeout: wait::PATIENCE,
            input: Vec::new(),
        }
    }

    /// A line of shell.
    pub fn shell(line: &str) -> Self {
        let mut command = Self::new("sh").args(["-c", line]);
        command.line = line.into();
        command
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.line.push(' ');
        self.line.push_str(&quoted(&arg.as_ref().to_string_lossy()));
        self.inner.arg(arg);
        self
    }

    /// More arguments.
    pub fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// One variable of its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.inner.env(name, value);
        self
    }

    /// Its working directory.
    pub fn dir(mut self, dir: &str) -> Self {
        self.inner.current_dir(dir);
        self
    }

    /// What it reads from its standard input; nothing unless told.
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Runs it as another user, without that user's supplementary groups.
    pub fn user(mut self, uid: u32) -> Self {
        self.inner.uid(uid).gid(uid);
        self
    }

    /// How long it may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs it to its end. It fails no test by itself: see [`Output::ok`].
    #[track_caller]
    pub fn run(mut self) -> Output {
        let (stdin, stdout, stderr) = (kept("stdin"), kept("stdout"), kept("stderr"));
        stdin.write_all_at(&self.input, 0).must("keep the input");
        self.inner
            .stdin(Stdio::from(stdin))
            .stdout(handle(&stdout))
            .stderr(handle(&stderr));
        let begun = Instant::now();
        let mut child = self.inner.spawn().must(format_args!("run `{}`", self.line));
        let ended = wait::child(&mut child, self.timeout).must("wait for a command");
        if ended.is_none() {
            let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
            child.wait().must("wait for a killed command");
        }
        let status = ended.map(|status| {
            use std::os::unix::process::ExitStatusExt;
            status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
        });
        Output {
            line: self.line,
            status,
            stdout: text(&stdout),
            stderr: text(&stderr),
            took: begun.elapsed(),
        }
    }
}

/// What a command left behind.
#[derive(Clone, Debug)]
pub struct Output {
    /// The command, as a person would type it.
    pub line: String,
    /// Its exit status, 128 + N for signal N as the shell has it, or `None` where the time limit ended it.
    pub status: Option<i32>,
    /// What it printed; bytes that are no UTF-8 are replaced.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl Output {
    /// The standard output of a command that must succeed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.status == Some(0), "this must succeed:\n{self}");
        self.stdout
    }

    /// The output of a command that must end with this status.
    #[track_caller]
    pub fn fails(self, status: i32) -> Self {
        assert!(
            self.status == Some(status),
            "this must end with status {status}:\n{self}"
        );
        self
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "$ {}", self.line)?;
        match self.status {
            Some(status) => writeln!(f, "status {status} after {:?}", self.took)?,
            None => writeln!(f, "killed after {:?}", self.took)?,
        }
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            for line in text.lines() {
                writeln!(f, "{name}: {line}")?;
            }
        }
        Ok(())
    }
}

/// A file without a name, to keep an output in: a pipe would stall the command when full, and would not end while a
/// daemon that the command left behind still holds it.
pub(crate) fn kept(name: &str) -> File {
    File::from(memfd_create(name, MemfdFlags::CLOEXEC).must("memfd_create"))
}

pub(crate) fn handle(file: &File) -> Stdio {
    Stdio::from(file.try_clone().must("dup"))
}

pub(crate) fn text(file: &File) -> String {
    String::from_utf8_lossy(&bytes(file).must("read an output back")).into_owned()
}

fn bytes(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX)];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

fn quoted(arg: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        arg.into()
    } else {
        format!("'{}'", arg.replace('\'', r"'\''"))
    }
}
