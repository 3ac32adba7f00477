//! A systemd newer than that of the other peers, beside them.

use std::env;
use std::path::PathBuf;

use crate::{Command, Sandbox, paths};

impl Sandbox {
    /// Whether it could be fetched. Then `newer PROGRAM` runs a program of it, in a line of shell and as a daemon, too.
    pub fn has_newer(&self) -> bool {
        self.newer_root().is_some()
    }

    /// Where it is laid out: for what is to be read, linked or loaded. What runs there, runs by [`Sandbox::newer`].
    pub fn newer_root(&self) -> Option<PathBuf> {
        env::var_os(paths::NEWER).map(PathBuf::from)
    }

    /// A program of it, by name or path.
    pub fn newer(&self, program: &str) -> Command {
        self.cmd("newer").arg(program)
    }
}
