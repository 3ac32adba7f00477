//! Either machined, started and ready.

use crate::Which;
use crate::daemon::{Daemon, Ready};
use crate::sandbox::Sandbox;

const OURS: &str = "/usr/libexec/switchyard/machined";
const PEERS: &str = "/usr/lib/systemd/systemd-machined";

/// The Varlink socket of [`Which::Ours`].
pub(crate) const VARLINK: &str = "/run/systemd/machine/io.systemd.Machine";

impl Sandbox {
    /// Starts ours or systemd's machined and waits until it answers.
    #[track_caller]
    pub fn start_machined(&self, which: Which) -> &Daemon {
        self.launch_machined(which, true)
    }

    #[track_caller]
    pub(crate) fn launch_machined(&self, which: Which, lookaside: bool) -> &Daemon {
        let daemon = match which {
            Which::Ours => {
                let lookaside = if lookaside { "yes" } else { "no" };
                let env = [("RUST_BACKTRACE", "1"), ("SWITCHYARD_LOOKASIDE", lookaside)];
                Daemon::start("machined", &[OURS], &env, Ready::Notify)
            }
            Which::Peer => {
                // It says that it is ready before it has its name.
                let named = Ready::BusName("org.freedesktop.machine1".into());
                let env = [("SYSTEMD_LOG_LEVEL", "info")];
                Daemon::start("machined", &[PEERS], &env, named)
            }
        };
        assert!(
            self.machined.set(daemon).is_ok(),
            "machined was started twice"
        );
        self.machined()
    }
}
