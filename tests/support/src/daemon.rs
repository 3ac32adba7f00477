//! A program that runs in the background of the sandbox, its output kept.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, Child, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

use crate::must::Must;
use crate::sandbox::wait_for;
use crate::{Command, wait};

/// Where the logs are; all of them are printed when a test fails.
pub(crate) const LOGS: &str = "/run/log/sandbox";

/// How to tell that a daemon can be talked to.
#[derive(Clone, Debug)]
pub enum Ready {
    /// Not waited for.
    Now,
    /// It accepts connections on this socket.
    Socket(PathBuf),
    /// It owns this name on the system bus.
    BusName(String),
    /// It says READY=1 in the protocol of sd_notify(3).
    Notify,
}

/// A daemon of the sandbox. It runs until it is killed or the sandbox ends; dropping this does not end it.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    command: Vec<String>,
    env: Vec<(String, String)>,
    ready: Ready,
    told: UnixDatagram,
    child: Mutex<Child>,
}

impl Daemon {
    /// Starts a program (with arguments) and waits until it is ready; `name` names its log.
    #[track_caller]
    pub fn start(name: &str, command: &[&str], env: &[(&str, &str)], ready: Ready) -> Self {
        let command: Vec<String> = command.iter().map(ToString::to_string).collect();
        let env = env
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        let address = format!("/run/notify-{name}");
        let _ = fs::remove_file(&address); // of another daemon of this name
        let told = UnixDatagram::bind(&address).must("a socket for notifications");
        // As a service manager's: the daemon may have become another user by then.
        let anyone = fs::Permissions::from_mode(0o666);
        fs::set_permissions(&address, anyone).must("let anyone notify");
        told.set_nonblocking(true).must("set a socket up");
        let env: Vec<_> = env.chain([("NOTIFY_SOCKET".into(), address)]).collect();
        let child = Mutex::new(spawn(name, &command, &env));
        let daemon = Self {
            name: name.into(),
            command,
            env,
            ready,
            told,
            child,
        };
        daemon.wait_ready();
        daemon
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.lock().id()
    }

    /// The memory that is its own, in kB: without the map that it shares with everybody.
    #[track_caller]
    pub fn own_memory(&self) -> i64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.must("read what a daemon takes");
        let of = |line: &str| {
            let (key, value) = line.split_once(':')?;
            let is_own = matches!(key, "RssAnon" | "RssFile");
            is_own
                .then(|| value.trim().trim_end_matches(" kB").parse::<i64>())?
                .ok()
        };
        status.lines().filter_map(of).sum()
    }

    /// Everything it has printed so far, over all its starts.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }

    /// The file that holds [`Daemon::log`].
    pub fn log_path(&self) -> PathBuf {
        PathBuf::from(LOGS).join(&self.name)
    }

    /// Sends a signal.
    #[track_caller]
    pub fn kill(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.lock()), signal)
            .must(format_args!("signal {}", self.name));
    }

    /// Stops it (SIGSTOP), and waits until it has stopped.
    #[track_caller]
    pub fn stop(&self) {
        self.kill(Signal::STOP);
        let stat = format!("/proc/{}/stat", self.pid());
        let state = || {
            fs::read_to_string(&stat)
                .unwrap_or_default()
                .rsplit_once(") ")
                .map(|(_, rest)| rest.starts_with('T'))
        };
        wait_for(|| state() == Some(true), "a stopped daemon to have stopped");
    }

    /// Lets it go on (SIGCONT).
    #[track_caller]
    pub fn cont(&self) {
        self.kill(Signal::CONT);
    }

    /// Whether it still runs.
    pub fn is_running(&self) -> bool {
        matches!(self.lock().try_wait(), Ok(None))
    }

    /// Waits for its end, 30 s at most.
    #[track_caller]
    pub fn wait(&self) -> ExitStatus {
        let ended = wait::child(&mut self.lock(), wait::PATIENCE).must("wait for a daemon");
        let waited = wait::PATIENCE;
        ended.must(format_args!("{} still runs after {waited:?}", self.name))
    }

    /// Asks it to end (SIGTERM) and waits for that.
    #[track_caller]
    pub fn end(&self) -> ExitStatus {
        self.kill(Signal::TERM);
        self.wait()
    }

    /// Ends it if it runs, starts it again and waits until it is ready.
    #[track_caller]
    pub fn restart(&self) {
        if self.is_running() {
            self.kill(Signal::CONT);
            self.end();
        }
        self.start_again();
    }

    /// Starts it again after its end.
    #[track_caller]
    pub fn start_again(&self) {
        while self.notified().is_some() {}
        *self.lock() = spawn(&self.name, &self.command, &self.env);
        self.wait_ready();
    }

    #[track_caller]
    fn wait_ready(&self) {
        let ready = || match &self.ready {
            Ready::Now => true,
            Ready::Socket(path) => UnixStream::connect(path).is_ok(),
            Ready::BusName(name) => bus_owns(name),
            Ready::Notify => self
                .notified()
                .is_some_and(|said| said.lines().any(|line| line == "READY=1")),
        };
        wait_for(
            || {
                assert!(
                    self.is_running(),
                    "{} ended at its start:\n{}",
                    self.name,
                    self.log()
                );
                ready()
            },
            &format!("{} to be ready ({:?})", self.name, self.ready),
        );
    }

    /// The next thing it has told its service manager.
    pub fn notified(&self) -> Option<String> {
        let mut said = [0; 4096];
        let length = self.told.recv(&mut said).ok()?;
        Some(String::from_utf8_lossy(&said[..length]).into_owned())
    }

    fn lock(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody owns a name on the system bus.
pub(crate) fn bus_owns(name: &str) -> bool {
    let call = [
        "--timeout=2",
        "call",
        "org.freedesktop.DBus",
        "/",
        "org.freedesktop.DBus",
        "NameHasOwner",
        "s",
        name,
    ];
    Command::new("busctl").args(call).run().stdout.trim() == "b true"
}

fn spawn(name: &str, command: &[String], env: &[(String, String)]) -> Child {
    let (program, args) = command.split_first().must("a daemon without a program");
    let mut process = process::Command::new(program);
    process
        .args(args)
        .envs(env.iter().map(|(name, value)| (name, value)));
    spawn_logged(name, process.stdout(log(name)))
}

/// Starts a program whose complaints go to the log of this name.
#[track_caller]
pub(crate) fn spawn_logged(name: &str, process: &mut process::Command) -> Child {
    process
        .process_group(0)
        .stdin(Stdio::null())
        .stderr(log(name));
    process.spawn().must(format_args!("start {name}"))
}

fn log(name: &str) -> Stdio {
    fs::create_dir_all(LOGS).must("make the folder of logs");
    let path = PathBuf::from(LOGS).join(name);
    Stdio::from(
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .must("open a log"),
    )
}
