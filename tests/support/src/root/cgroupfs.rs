//! /sys/fs/cgroup.

use std::fs;
use std::path::Path;

use rustix::mount::{MountFlags, mount};

use super::mounts::{make, tmpfs};
use crate::cgroup::{self, Kind};

/// Mounts what the machine has, the way it has it: version 2 alone, or beside version 1's `name=systemd`.
pub(super) fn lay_out(top: &Path) -> bool {
    let kinds = cgroup::kinds();
    if kinds.is_empty() {
        return false;
    }
    let hybrid = kinds.contains(&Kind::Named);
    if hybrid {
        tmpfs(top, "mode=0755");
    }
    let usable = kinds.iter().filter(|kind| {
        let (dir, fs, data) = match kind {
            Kind::Unified if hybrid => (top.join("unified"), "cgroup2", c""),
            Kind::Unified => (top.to_path_buf(), "cgroup2", c""),
            Kind::Named => (top.join("systemd"), "cgroup", c"none,name=systemd"),
        };
        if hybrid {
            make(&dir);
        }
        // Those of an ordinary user to whom nothing is delegated can be seen, perhaps, but not changed.
        let probe = dir.join("probe");
        let mounted = mount(fs, &dir, fs, MountFlags::empty(), data).is_ok();
        mounted
            && fs::create_dir(&probe)
                .and_then(|()| fs::remove_dir(&probe))
                .is_ok()
    });
    usable.count() == kinds.len() && own_root()
}

/// Whether PID 1 stands in a cgroup of its own: where entering one failed, the root seen here is the machine's.
pub(super) fn own_root() -> bool {
    std::env::var("CGROUPS").is_ok_and(|dirs| !dirs.is_empty())
}
