//! Who is logged in, which machines run, and to whom a process belongs (sd-login(3)).
//!
//! All of it is read out of /run/systemd and /proc; nobody is asked.

mod cgroup;
mod list;
mod machine;
mod monitor;
mod process;
mod seat;
mod session;
mod state;
mod unit;
mod user;

use std::path::{Path, PathBuf};

pub use self::monitor::{Category, monitor};
pub use self::seat::{Active, SeatSessions};

/// The files of a system.
#[derive(Clone, Debug)]
pub struct Login {
    root: PathBuf,
}

/// Which sessions of a user are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those in the foreground of a seat.
    Active,
    /// Those that are not being closed.
    Online,
    /// All.
    All,
}

impl Login {
    /// Of the system this process runs on.
    pub fn system() -> Self {
        Self::below(Path::new("/"))
    }

    /// Of a tree of files.
    pub fn below(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
        }
    }

    fn path(&self, absolute: &str) -> PathBuf {
        self.root.join(absolute.trim_start_matches('/'))
    }
}
