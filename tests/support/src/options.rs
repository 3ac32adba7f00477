//! What a sandbox holds when the test's body starts.

use std::time::Duration;

/// Ours, or systemd's own out of the package cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// This project's, from the staged install (`make stage`).
    Ours,
    /// systemd's.
    Peer,
}

/// Who answers for `org.freedesktop.systemd1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Nobody, as on a machine with OpenRC or runit.
    None,
    /// systemd itself, out of the package cache, as PID 1; with a bus that it runs. Needs root and cgroups: without,
    /// there is none (see [`Sandbox::has_manager`](crate::Sandbox::has_manager)).
    Systemd,
}

/// Settings of one sandbox. The default: our modules and our machined, on a bus, no service manager, 120 s.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) modules: Which,
    pub(crate) machined: Option<Which>,
    pub(crate) lookaside: bool,
    pub(crate) bus: bool,
    pub(crate) manager: Manager,
    pub(crate) newer: bool,
    pub(crate) hosts: String,
    pub(crate) timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            modules: Which::Ours,
            machined: Some(Which::Ours),
            lookaside: true,
            bus: true,
            manager: Manager::None,
            newer: false,
            hosts: "files mymachines dns".into(),
            timeout: Duration::from_secs(120),
        }
    }
}

impl Options {
    /// The default.
    pub fn new() -> Self {
        Self::default()
    }

    /// systemd's modules, machined and clients throughout; needs no staged install of ours.
    pub fn peer() -> Self {
        Self::new().modules(Which::Peer).machined(Which::Peer)
    }

    /// Whose NSS modules lie in the library directory.
    pub fn modules(mut self, which: Which) -> Self {
        self.modules = which;
        self
    }

    /// The machined to start before the body, or `None` for none.
    pub fn machined(mut self, which: impl Into<Option<Which>>) -> Self {
        self.machined = which.into();
        self
    }

    /// Whether our machined shares what it knows. If not, each lookup asks it.
    pub fn lookaside(mut self, lookaside: bool) -> Self {
        self.lookaside = lookaside;
        self
    }

    /// Whether a system bus is started before the body.
    pub fn bus(mut self, bus: bool) -> Self {
        self.bus = bus;
        self
    }

    /// Who is `org.freedesktop.systemd1`.
    pub fn manager(mut self, manager: Manager) -> Self {
        self.manager = manager;
        self
    }

    /// Whether a newer systemd is at hand, too: see [`Sandbox::has_newer`](crate::Sandbox::has_newer).
    pub fn newer(mut self) -> Self {
        self.newer = true;
        self
    }

    /// The `hosts:` line of nsswitch.conf.
    pub fn hosts(mut self, line: &str) -> Self {
        self.hosts = line.into();
        self
    }

    /// How long the whole test may take before everything in it is killed.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Whether anything of the staged install is asked for.
    pub(crate) fn needs_stage(&self) -> bool {
        self.modules == Which::Ours || self.machined == Some(Which::Ours)
    }
}
