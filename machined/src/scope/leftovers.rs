//! Scopes of machines that are gone, with processes left in them: each is removed when its last process ends.

use std::{
    fs, io,
    mem::MaybeUninit,
    os::fd::OwnedFd,
    os::unix::fs::MetadataExt,
    path::Path,
    rc::{Rc, Weak},
    time::Duration,
};

use rustix::{fs::inotify, io::Errno};
use tokio::io::unix::AsyncFd;

use super::{Scopes, ledger::Entry};
use crate::{cgroup::Hierarchy, leader::Leader, machine::Machine, manager::Manager, sys};

/// How soon it is looked again whether a scope is empty by now, where no file tells, and how seldom.
const SOONEST: Duration = Duration::from_millis(50);
const LATEST: Duration = Duration::from_secs(60 * 60);

impl Scopes {
    /// Where the kernel tells of what happens to scopes that are watched.
    pub fn inotify(&self) -> &OwnedFd {
        &self.inotify
    }

    /// Watches a scope that can't be removed yet. Version 1 has no file that tells when it could be.
    pub(super) fn watch(&self, cgroups: &Hierarchy, scope: &str) -> io::Result<()> {
        let events = cgroups
            .dir(scope)
            .ok_or(io::ErrorKind::NotFound)?
            .join("cgroup.events");
        let watch = inotify::add_watch(&self.inotify, &events, inotify::WatchFlags::MODIFY)?;
        self.watched.borrow_mut().insert(watch, scope.to_owned());
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
        let watches: Vec<_> = self.watched.borrow().keys().copied().collect();
        for watch in watches {
            self.retry(cgroups, watch);
        }
    }

    fn retry(&self, cgroups: &Hierarchy, watch: i32) {
        let mut watched = self.watched.borrow_mut();
        // The kernel drops the watch with the file.
        if watched
            .get(&watch)
            .is_some_and(|scope| self.remove(cgroups, scope).is_ok())
        {
            watched.remove(&watch);
        }
    }

    /// Leaves a scope alone: a new machine is in it, and what is below is that machine's.
    pub fn keep(&self, scope: &str) {
        self.watched.borrow_mut().retain(|watch, known| {
            let is_other = known != scope;
            if !is_other {
                // The kernel has dropped it with the file if not.
                let _ = inotify::remove_watch(&self.inotify, *watch);
            }
            is_other
        });
        if let Some(task) = self.awaited.borrow_mut().remove(scope) {
            task.abort();
        }
    }
}

impl Manager {
    /// Removes a scope of ours, now or when its last process ends.
    pub(crate) fn remove_scope(&self, scope: &str) {
        let (scopes, cgroups) = (&self.scopes, &self.cgroups);
        if scopes.remove(cgroups, scope).is_ok() {
            return;
        }
        if let Err(error) = scopes.note(cgroups, scope) {
            tracing::warn!("A restart would leave {scope} behind: {error}");
        }
        if scopes.watch(cgroups, scope).is_ok() {
            return;
        }
        let task = tokio::task::spawn_local(outlast(self.this.clone(), scope.to_owned()));
        let task = task.abort_handle();
        if let Some(former) = scopes.awaited.borrow_mut().insert(scope.to_owned(), task) {
            former.abort();
        }
    }

    /// Sees to the scopes of a predecessor that has ended in the middle, or before the last process of one of them.
    ///
    /// # Errors
    /// If the list of them can't be read.
    pub(crate) fn sweep_scopes(&self) -> io::Result<()> {
        let guests = self.guests();
        for (scope, Entry { inode, newcomer }) in self.scopes.ledger.scopes()? {
            let is_in = |m: &Rc<Machine>| m.scope_cgroup.borrow().as_deref() == Some(&*scope);
            if guests.iter().any(is_in) {
                // It has its files, so whoever was on the way has come.
                if newcomer.is_some() {
                    self.settle_scope(&scope);
                }
                continue;
            }
            let dir = self.cgroups.dir(&scope);
            let found = dir.and_then(|dir| Some(fs::metadata(dir).ok()?.ino()));
            match (inode, found) {
                (Some(inode), Some(found)) if inode != found => self.scopes.ledger.strike(&scope),
                (None, Some(_)) => {
                    // It was not made yet, or just made: one that has a process in it is somebody else's.
                    let _ = self.scopes.remove(&self.cgroups, &scope);
                    self.scopes.ledger.strike(&scope);
                }
                _ => {
                    if let Some(newcomer) = newcomer {
                        newcomer.send_back(&self.cgroups, &scope);
                    }
                    self.remove_scope(&scope);
                }
            }
        }
        Ok(())
    }

    /// The machine of this scope is registered: from now on its leader stays there whatever becomes of us.
    pub(crate) fn settle_scope(&self, scope: &str) {
        if let Err(error) = self.scopes.settle(&self.cgroups, scope) {
            tracing::warn!("Failed to write down that {scope} has its machine: {error}");
        }
    }
}

/// Removes a scope after its last process where no file tells of that end: by one process of it after the other, of which
/// the kernel does. A process that leaves the scope without ending, or can't be seen from here, is the reason to look now
/// and then all the same.
async fn outlast(manager: Weak<Manager>, scope: String) {
    let mut patience = SOONEST;
    loop {
        // A process that has ended counts for a moment more.
        tokio::time::sleep(SOONEST).await;
        let Some(manager) = manager.upgrade() else {
            return;
        };
        let (scopes, cgroups) = (&manager.scopes, &manager.cgroups);
        if scopes.remove(cgroups, &scope).is_ok() {
            scopes.awaited.borrow_mut().remove(&scope);
            return;
        }
        let process = one_of(cgroups, &scope);
        drop(manager);
        let its_end = async {
            match &process {
                Some(process) => drop(process.readable().await),
                None => std::future::pending().await,
            }
        };
        patience = match tokio::time::timeout(patience, its_end).await {
            Ok(()) => SOONEST,
            Err(_) => (patience * 2).min(LATEST),
        };
    }
}

/// A process of the scope that lives.
fn one_of(cgroups: &Hierarchy, scope: &str) -> Option<AsyncFd<OwnedFd>> {
    let processes = cgroups.processes(scope).ok()?;
    let mut held = processes.iter().filter_map(|&pid| Leader::open(pid).ok());
    // By now the number may be another's, who is elsewhere.
    let is_there = |process: &Leader| {
        let path = cgroups.path_of(process.pid);
        path.is_some_and(|path| Path::new(&path).starts_with(scope)) && process.is_alive()
    };
    let process = held.find(is_there)?;
    sys::async_fd(process.pidfd).ok()
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
        let cgroups = Hierarchy::at(&folder.join("cgroup"));
        let scopes = Scopes::new(folder.join("ledger")).unwrap();
        let names = ["/a.scope", "/b.scope", "/c.scope"];
        let file = |scope: &str| cgroups.dir(scope).unwrap().join("cgroup.events");
        for scope in names {
            fs::create_dir_all(cgroups.dir(scope).unwrap()).unwrap();
            fs::write(file(scope), "populated 1\n").unwrap();
            scopes.watch(&cgroups, scope).unwrap();
        }
        // Equal events in a row are one, so two files take turns until the queue is full: inotify(7).
        let most = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
        for _ in 0..=most.trim().parse::<u32>().unwrap() / 2 {
            for scope in &names[..2] {
                let file = fs::OpenOptions::new().write(true).open(file(scope));
                rustix::io::pwrite(file.unwrap(), b"p", 0).unwrap();
            }
        }
        // None of this is told any more.
        for scope in names {
            fs::remove_file(file(scope)).unwrap();
        }
        scopes.take_in(&cgroups);
        assert!(scopes.watched.borrow().is_empty());
        assert_eq!(fs::read_dir(folder.join("cgroup")).unwrap().count(), 0);
        fs::remove_dir_all(folder).unwrap();
    }
}
