//! A control group of the sandbox's own, outside; and the hierarchies it sees, inside.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The hierarchies a service manager keeps its units in; controllers of version 1 are left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Version 2.
    Unified,
    /// Version 1, no controller, `name=systemd`.
    Named,
}

/// The sandbox's own cgroups on the machine, removed when dropped.
#[derive(Debug, Default)]
pub(crate) struct Own(Vec<PathBuf>);

const PREFIX: &str = "switchyard-test.";

impl Own {
    /// One below this process's own cgroup in each hierarchy; none where that may not be had, as for an ordinary user
    /// to whom nothing is delegated.
    pub(crate) fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "{PREFIX}{}.{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let mut own = Self::default();
        for parent in own_dirs() {
            sweep(&parent);
            let dir = parent.join(&name);
            match fs::create_dir(&dir) {
                Ok(()) => own.0.push(dir),
                Err(_) => return Self::default(), // drops, and so removes, those made
            }
        }
        own
    }

    pub(crate) fn dirs(&self) -> &[PathBuf] {
        &self.0
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // The kernel lets go of a killed process a moment after its parent has seen it end.
        let deadline = Instant::now() + Duration::from_secs(5);
        for dir in &self.0 {
            while dir.exists() && Instant::now() < deadline {
                remove(dir);
                if dir.exists() {
                    sleep(Duration::from_millis(5));
                }
            }
        }
    }
}

/// A hierarchy as it is mounted here.
struct Mounted<'a> {
    kind: Kind,
    root: &'a str,
    mountpoint: &'a Path,
}

/// One line of mountinfo, proc_pid_mountinfo(5): `id parent dev root mountpoint options… - type source superoptions`.
fn mounted(line: &str) -> Option<Mounted<'_>> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let (root, mountpoint) = (left.next()?, Path::new(left.next()?));
    let mut right = right.split(' ');
    let kind = match (right.next()?, right.nth(1)?) {
        ("cgroup2", _) => Kind::Unified,
        ("cgroup", options) if options.split(',').any(|option| option == "name=systemd") => {
            Kind::Named
        }
        _ => return None,
    };
    Some(Mounted {
        kind,
        root,
        mountpoint,
    })
}

fn mountinfo() -> String {
    fs::read_to_string("/proc/self/mountinfo").unwrap_or_default()
}

/// This process's cgroup directory in each hierarchy that is mounted here.
fn own_dirs() -> Vec<PathBuf> {
    let memberships = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let dir = |mounted: Mounted<'_>| {
        let tag = match mounted.kind {
            Kind::Unified => "::",
            Kind::Named => ":name=systemd:",
        };
        let own = memberships
            .lines()
            .find_map(|line| Some(line.split_once(tag)?.1))?;
        let below = own.strip_prefix(mounted.root.trim_end_matches('/'))?;
        Some(mounted.mountpoint.join(below.trim_start_matches('/')))
    };
    mountinfo()
        .lines()
        .filter_map(mounted)
        .filter_map(dir)
        .collect()
}

/// The kinds the machine has, version 2 first.
pub(crate) fn kinds() -> Vec<Kind> {
    let mut kinds: Vec<_> = mountinfo()
        .lines()
        .filter_map(mounted)
        .map(|mounted| mounted.kind)
        .collect();
    kinds.sort_by_key(|kind| *kind != Kind::Unified);
    kinds.dedup();
    kinds
}

/// Removes what a run that was killed could not.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.split('.').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(&entry.path());
        }
    }
}

/// Removes a cgroup and those below it, as far as they are empty.
pub(crate) fn remove(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    let _ = fs::remove_dir(dir);
}
