//! Scopes made by ourselves, where no service manager does it: `machine.slice/machine-NAME.scope`.

use std::{
    cell::RefCell, collections::BTreeMap, fs, io, mem::MaybeUninit, os::fd::OwnedFd, path::Path,
    rc::Rc, time::Duration,
};

use rustix::{fs::inotify, io::Errno};

use crate::{
    cgroup::{Hierarchy, Version},
    machine::Machine,
    manager::Manager,
};

/// Makes the scope and moves the process with all its threads there. Returns the scope's cgroup.
pub(crate) fn make(
    cgroups: &Hierarchy,
    slice: &str,
    scope: &str,
    process: u32,
    tasks_max: u64,
) -> io::Result<String> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "not a slice");
    let path = cgroups.place(slice, scope).ok_or_else(invalid)?;
    let not_mounted = || io::Error::new(io::ErrorKind::NotFound, "no cgroup file system");
    let dir = cgroups.dir(&path).ok_or_else(not_mounted)?;
    fs::create_dir_all(&dir)?;
    if cgroups.version() == Version::V2 {
        limit_tasks(cgroups, &path, &dir, tasks_max);
    }
    fs::write(dir.join("cgroup.procs"), process.to_string()).inspect_err(|_| {
        let _ = fs::remove_dir(&dir);
    })?;
    Ok(path)
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

/// Moves a process back to where it came from, and takes the scope away: the registration came to nothing.
pub(crate) fn undo(cgroups: &Hierarchy, scope: &str, process: u32, former: &str) {
    if let Some(dir) = cgroups.dir(former) {
        let _ = fs::write(dir.join("cgroup.procs"), process.to_string());
    }
    let _ = remove(cgroups, scope);
}

/// Removes a scope and what is below it. EBUSY while a process is left.
fn remove(cgroups: &Hierarchy, scope: &str) -> io::Result<()> {
    match cgroups.dir(scope) {
        Some(dir) => remove_tree(&dir),
        None => Ok(()),
    }
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

/// Scopes of machines that are gone, with processes left in them: each is removed when its last process ends.
#[derive(Debug)]
pub(crate) struct Leftovers {
    pub inotify: OwnedFd,
    scopes: RefCell<BTreeMap<i32, String>>,
}

impl Leftovers {
    pub fn new() -> io::Result<Self> {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        Ok(Self {
            inotify: inotify::init(flags)?,
            scopes: RefCell::default(),
        })
    }

    /// Watches a scope that can't be removed yet. Version 1 has no file that tells when it could be.
    fn add(&self, cgroups: &Hierarchy, scope: &str) -> io::Result<()> {
        let events = cgroups
            .dir(scope)
            .ok_or(io::ErrorKind::NotFound)?
            .join("cgroup.events");
        let watch = inotify::add_watch(&self.inotify, &events, inotify::WatchFlags::MODIFY)?;
        self.scopes.borrow_mut().insert(watch, scope.to_owned());
        // The last process may have ended before the watch stood.
        self.retry(cgroups, watch);
        Ok(())
    }

    /// Looks at the scopes that something has happened to.
    pub fn take_in(&self, cgroups: &Hierarchy) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            match events.next() {
                Ok(event) if event.events().contains(inotify::ReadFlags::QUEUE_OVERFLOW) => {
                    self.retry_all(cgroups);
                }
                Ok(event) => self.retry(cgroups, event.wd()),
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
    }

    /// Events were lost: any of them may be empty by now.
    fn retry_all(&self, cgroups: &Hierarchy) {
        let watches: Vec<_> = self.scopes.borrow().keys().copied().collect();
        for watch in watches {
            self.retry(cgroups, watch);
        }
    }

    /// Stops watching a scope: a new machine is in it, and what is below is that machine's.
    pub fn forget(&self, scope: &str) {
        self.scopes.borrow_mut().retain(|watch, known| {
            let is_other = known != scope;
            if !is_other {
                // The kernel has dropped it with the file if not.
                let _ = inotify::remove_watch(&self.inotify, *watch);
            }
            is_other
        });
    }

    fn retry(&self, cgroups: &Hierarchy, watch: i32) {
        let mut scopes = self.scopes.borrow_mut();
        // The kernel drops the watch with the file.
        if scopes
            .get(&watch)
            .is_some_and(|scope| remove(cgroups, scope).is_ok())
        {
            scopes.remove(&watch);
        }
    }
}

impl Manager {
    /// Removes a scope of ours, now or when its last process ends.
    pub(crate) fn remove_scope(&self, scope: &str) {
        if remove(&self.cgroups, scope).is_ok() || self.leftovers.add(&self.cgroups, scope).is_ok()
        {
            return;
        }
        let (manager, scope) = (self.this.clone(), scope.to_owned());
        tokio::task::spawn_local(async move {
            if let Some(manager) = manager.upgrade() {
                manager.remove_scope_later(&scope).await;
            }
        });
    }

    /// In version 1: a leader that has ended is there until its parent asks after it, which is soon; what it left
    /// running may be there for ever.
    async fn remove_scope_later(&self, scope: &str) {
        for exponent in 0..10 {
            tokio::time::sleep(Duration::from_millis(10 << exponent)).await;
            // A new machine may be in it by now.
            let is_scope =
                |machine: &Rc<Machine>| machine.scope_cgroup.borrow().as_deref() == Some(scope);
            if self.guests().iter().any(is_scope) {
                return;
            }
            if remove(&self.cgroups, scope).is_ok() {
                return;
            }
        }
        tracing::info!("Processes are left in {scope}, which stays");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain folders in the place of cgroups: the file can be written to here, which is as good as the kernel's word, and
    /// only much faster. What the kernel would remove with a cgroup, its files, is removed by hand.
    #[test]
    fn scopes_are_removed_although_events_were_lost() {
        let folder = std::env::temp_dir().join(format!("machined-scope-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let cgroups = Hierarchy::at(&folder);
        let scopes = ["/a.scope", "/b.scope", "/c.scope"];
        let leftovers = Leftovers::new().unwrap();
        let file = |scope: &str| cgroups.dir(scope).unwrap().join("cgroup.events");
        for scope in scopes {
            fs::create_dir_all(cgroups.dir(scope).unwrap()).unwrap();
            fs::write(file(scope), "populated 1\n").unwrap();
            leftovers.add(&cgroups, scope).unwrap();
        }
        // Equal events in a row are one, so two files take turns until the queue is full: inotify(7).
        let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
        for _ in 0..=most.trim().parse::<u32>().unwrap() / 2 {
            for scope in &scopes[..2] {
                let file = fs::OpenOptions::new().write(true).open(file(scope));
                rustix::io::pwrite(file.unwrap(), b"p", 0).unwrap();
            }
        }
        // None of this is told any more.
        for scope in scopes {
            fs::remove_file(file(scope)).unwrap();
        }
        leftovers.take_in(&cgroups);
        assert!(leftovers.scopes.borrow().is_empty());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        fs::remove_dir_all(folder).unwrap();
    }
}
