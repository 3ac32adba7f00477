//! Either machined, started and ready.

use crate::Which;
use crate::daemon::{Daemon, Ready};
use crate::sandbox::Sandbox;

/// The Varlink socket of [`Which::Ours`].
pub(crate) const VARLINK: &str = "/run/systemd/machine/io.systemd.Machine";

impl Sandbox {
    /// Starts ours or systemd's machined and waits until it answers: on the bus where there is one, else by Varlink.
    #[track_caller]
    pub fn start_machined(&self, which: Which) -> &Daemon {
        let (program, env) = match which {
            Which::Ours => (
                "/usr/libexec/switchyard/machined",
                [("RUST_BACKTRACE", "1")],
            ),
            Which::Peer => (
                "/usr/lib/systemd/systemd-machined",
                [("SYSTEMD_LOG_LEVEL", "info")],
            ),
        };
        let ready = match self.has_bus() {
            true => Ready::BusName("org.freedesktop.machine1".into()),
            false => Ready::Socket(VARLINK.into()),
        };
        let daemon = Daemon::start("machined", &[program], &env, ready);
        assert!(
            self.machined.set(daemon).is_ok(),
            "machined was started twice"
        );
        self.machined()
    }
}
