//! Our resolved, started and ready.

use crate::daemon::{Daemon, Ready};
use crate::sandbox::Sandbox;

const OURS: &str = "/usr/libexec/switchyard/resolved";

impl Sandbox {
    /// Starts ours with the configuration that is there, and waits until it answers.
    #[track_caller]
    pub fn start_resolved(&self) -> Daemon {
        let env = [("RUST_BACKTRACE", "1")];
        Daemon::start("resolved", &[OURS], &env, Ready::Notify)
    }
}
