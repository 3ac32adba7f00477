//! Scopes made by ourselves, where no service manager does it: `machine.slice/machine-NAME.scope`.

mod ledger;
mod leftovers;
mod newcomer;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs, io,
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
};

use rustix::fs::inotify;
use tokio::task::AbortHandle;

use crate::{
    cgroup::{Hierarchy, Version},
    leader::Leader,
};

use ledger::{Entry, Ledger};
use newcomer::Newcomer;

/// The scopes that we have made, those of machines and what is left of others.
#[derive(Debug)]
pub(crate) struct Scopes {
    ledger: Ledger,
    inotify: OwnedFd,
    /// Leftovers that the kernel tells of.
    watched: RefCell<BTreeMap<i32, String>>,
    /// Leftovers that it does not tell of, each with the task that waits for its last process.
    awaited: RefCell<BTreeMap<String, AbortHandle>>,
}

impl Scopes {
    /// With the list of them in this folder.
    pub fn new(ledger: PathBuf) -> io::Result<Self> {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        Ok(Self {
            ledger: Ledger::new(ledger),
            inotify: inotify::init(flags)?,
            watched: RefCell::default(),
            awaited: RefCell::default(),
        })
    }

    /// Makes the scope and moves the process with all its threads there. Returns the scope's cgroup. Until [`Self::settle`]
    /// a successor of ours undoes it.
    pub fn make(
        &self,
        cgroups: &Hierarchy,
        slice: &str,
        scope: &str,
        leader: &Leader,
        tasks_max: u64,
    ) -> io::Result<String> {
        let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "not a slice");
        let path = cgroups.place(slice, scope).ok_or_else(invalid)?;
        let not_mounted = || io::Error::new(io::ErrorKind::NotFound, "no cgroup file system");
        let dir = cgroups.dir(&path).ok_or_else(not_mounted)?;
        let is_new = self.ledger.enter(&path)?;
        let enter = || {
            let is_made = create_cgroup(&dir)?;
            let entry = Entry {
                inode: Some(fs::metadata(&dir)?.ino()),
                newcomer: Newcomer::new(cgroups, &path, leader, is_made),
            };
            self.ledger.describe(&path, &entry)?;
            if cgroups.version() == Version::V2 {
                limit_tasks(cgroups, &path, &dir, tasks_max);
            }
            fs::write(dir.join("cgroup.procs"), leader.pid.to_string())
        };
        let entered = enter();
        if entered.is_ok() {
            self.keep(&path);
        } else if fs::remove_dir(&dir).is_ok() || is_new {
            self.ledger.strike(&path);
        }
        entered.map(|()| path)
    }

    /// Writes down that the machine of a scope is registered.
    pub fn settle(&self, cgroups: &Hierarchy, scope: &str) -> io::Result<()> {
        let dir = cgroups.dir(scope).ok_or(io::ErrorKind::NotFound)?;
        let entry = Entry {
            inode: Some(fs::metadata(dir)?.ino()),
            newcomer: None,
        };
        self.ledger.describe(scope, &entry)
    }

    /// Writes down that a scope is ours, if it is not yet.
    fn note(&self, cgroups: &Hierarchy, scope: &str) -> io::Result<()> {
        if self.ledger.enter(scope)? {
            self.settle(cgroups, scope)?;
        }
        Ok(())
    }

    /// Removes a scope and what is below it. EBUSY while a process is left.
    fn remove(&self, cgroups: &Hierarchy, scope: &str) -> io::Result<()> {
        if let Some(dir) = cgroups.dir(scope) {
            remove_tree(&dir)?;
            self.ledger.strike(scope);
        }
        Ok(())
    }
}

/// Makes a cgroup and those above it; whether it was not there.
fn create_cgroup(dir: &Path) -> io::Result<bool> {
    if let Some(slice) = dir.parent() {
        fs::create_dir_all(slice)?;
    }
    match fs::create_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        made => made.map(|()| true),
    }
}

/// Where the controller can be had; a machine without the limit is better than none.
fn limit_tasks(cgroups: &Hierarchy, path: &str, dir: &Path, tasks_max: u64) {
    let above: Vec<_> = path
        .match_indices('/')
        .filter_map(|(end, _)| path.get(..end))
        .collect();
    for parent in above {
        if let Some(parent) = cgroups.dir(parent) {
            let _ = fs::write(parent.join("cgroup.subtree_control"), "+pids");
        }
    }
    let limit = match tasks_max {
        u64::MAX => "max".to_owned(),
        number => number.to_string(),
    };
    let _ = fs::write(dir.join("pids.max"), limit);
}

fn remove_tree(dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        }
    }
    match fs::remove_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
