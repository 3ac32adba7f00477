//! The sandbox as the body of a test sees it.

use std::env;
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::daemon::{Daemon, Ready};
use crate::must::Must;
use crate::wait::PATIENCE;
use crate::{Command, Options, Output, init};

/// A system of its own around the running test. See the [crate].
#[derive(Debug)]
pub struct Sandbox {
    pub(crate) bus: OnceLock<Daemon>,
    pub(crate) machined: OnceLock<Daemon>,
}

impl Sandbox {
    pub(crate) fn open(options: &Options) -> Self {
        let sandbox = Self {
            bus: OnceLock::new(),
            machined: OnceLock::new(),
        };
        if options.bus && !sandbox.has_manager() {
            sandbox.start_bus();
        }
        if let Some(which) = options.machined {
            sandbox.launch_machined(which, options.lookaside);
        }
        sandbox
    }

    /// A command, by program and arguments.
    pub fn cmd(&self, program: &str) -> Command {
        Command::new(program)
    }

    /// Runs a line of shell to its end, 30 s at most.
    #[track_caller]
    pub fn run(&self, line: &str) -> Output {
        Command::shell(line).run()
    }

    /// Starts a program in the background without waiting for it to be ready; `name` names its log.
    #[track_caller]
    pub fn spawn(&self, name: &str, command: &[&str]) -> Daemon {
        Daemon::start(name, command, &[], Ready::Now)
    }

    /// The bus that was started.
    #[track_caller]
    pub fn bus(&self) -> &Daemon {
        self.bus.get().must("no bus was started here")
    }

    /// The machined that was started.
    #[track_caller]
    pub fn machined(&self) -> &Daemon {
        self.machined.get().must("no machined was started here")
    }

    /// Whether there is a bus, whoever runs it.
    pub fn has_bus(&self) -> bool {
        self.bus.get().is_some() || self.has_manager()
    }

    /// Whether systemd is the service manager here. It then runs the bus, too: as dbus.service, not as [`Sandbox::bus`].
    pub fn has_manager(&self) -> bool {
        env::var_os(init::MANAGER).is_some_and(|value| !value.is_empty())
    }

    /// Whether cgroups can be made here: as root, or where some are delegated to the user.
    pub fn has_cgroups(&self) -> bool {
        env::var_os(init::CGROUPS).is_some_and(|value| !value.is_empty())
    }

    /// Whether the test is run by an ordinary user: root here is that user, and there is no other user.
    pub fn is_rootless(&self) -> bool {
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        map.split_whitespace().nth(2) == Some("1")
    }

    /// Waits until `condition` holds, 30 s at most; `what` says what was waited for when it does not.
    #[track_caller]
    pub fn wait_for(&self, condition: impl FnMut() -> bool, what: &str) {
        wait_for(condition, what);
    }

    /// Waits until `condition` holds, and gives how long that took.
    #[track_caller]
    pub fn wait_within(
        &self,
        limit: Duration,
        condition: impl FnMut() -> bool,
        what: &str,
    ) -> Duration {
        wait_within(limit, condition, what)
    }
}

#[track_caller]
pub(crate) fn wait_for(condition: impl FnMut() -> bool, what: &str) {
    wait_within(PATIENCE, condition, what);
}

#[track_caller]
pub(crate) fn wait_within(
    limit: Duration,
    mut condition: impl FnMut() -> bool,
    what: &str,
) -> Duration {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < limit, "waited {limit:?} for {what}");
        sleep(Duration::from_millis(2));
    }
    begun.elapsed()
}
