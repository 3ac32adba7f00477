//! The file system of the sandbox: a tree of mounts of its own, entered by pivot_root(2).
//!
//! /usr is the machine's, with the unpacked peers and the staged install laid over it; /etc is the peers' with accounts
//! and resolver configuration of the sandbox's own; /run, /tmp, /var and /dev are new; the source tree and cargo's target
//! directory keep their places. Everything else of the machine is gone.

mod cgroupfs;
mod dev;
mod etc;
mod mounts;
mod newer;

use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, UnmountFlags, mount_bind_recursive, mount_remount, unmount};
use rustix::process::{chdir, pivot_root};

use self::mounts::{copy, make, mount_new, overlay, tmpfs};
use crate::must::Must;
use crate::{Options, Which, paths};

/// Builds the tree and makes it this mount namespace's root. Whether there are cgroups that may be written to.
pub(crate) fn enter(
    options: &Options,
    peers: &Path,
    stage: Option<&Path>,
    newer: Option<&Path>,
) -> bool {
    let others = [stage, newer].into_iter().flatten();
    let kept = kept_places(peers, others);
    let new = place(&kept);
    tmpfs(&new, "mode=0755");
    for dir in [
        "usr", "etc", "proc", "sys", "dev", "run", "tmp", "var", "root", ".layers",
    ] {
        make(&new.join(dir));
    }
    for link in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        symlink(Path::new("usr").join(link), new.join(link)).must("link into /usr");
    }
    mount_new("proc", &new.join("proc"), "");
    mount_new("sysfs", &new.join("sys"), "");
    let cgroups = cgroupfs::lay_out(&new.join("sys/fs/cgroup"));
    dev::lay_out(&new.join("dev"));
    tmpfs(&new.join("run"), "mode=0755");
    tmpfs(&new.join("tmp"), "mode=1777");
    tmpfs(&new.join("var"), "mode=0755");
    usr(&new, options, peers, stage);
    etc::lay_out(&new, options, peers, stage);
    state(&new);
    if let Some(newer) = newer {
        newer::lay_out(&new, newer);
    }
    for (path, writable) in &kept {
        keep(path, &new, *writable);
    }

    chdir(&new).must("chdir");
    pivot_root(".", ".").must("pivot_root"); // the old root is now stacked on the new one: pivot_root(2), NOTES
    unmount(".", UnmountFlags::DETACH).must("leave the old root");
    chdir("/").must("chdir");
    cgroups
}

/// Places of the machine that are the same inside, and whether they may be written to.
fn kept_places<'a>(peers: &Path, others: impl Iterator<Item = &'a Path>) -> Vec<(PathBuf, bool)> {
    let mut kept = vec![
        (paths::workspace(), false),
        (paths::target(), true),
        (peers.into(), false),
    ];
    kept.extend(others.map(|path| (path.into(), false)));
    kept
}

/// A directory to mount the new root on, that does not hide what is to be kept.
fn place(kept: &[(PathBuf, bool)]) -> PathBuf {
    let candidates = ["/mnt", "/media", "/srv", "/opt", "/home"].map(PathBuf::from);
    let free = |dir: &PathBuf| dir.is_dir() && !kept.iter().any(|(path, _)| path.starts_with(dir));
    candidates
        .into_iter()
        .find(free)
        .must("none of /mnt, /media, /srv, /opt is there to mount on")
}

fn keep(path: &Path, new: &Path, writable: bool) {
    let inside = new.join(path.strip_prefix("/").must("an absolute path"));
    make(&inside);
    // Recursive, since a user namespace may not uncover what is mounted below.
    mount_bind_recursive(path, &inside).must(format_args!("bind {}", path.display()));
    if !writable {
        // A user namespace may not clear flags the machine has set on that mount; then it stays as it is.
        let _ = mount_remount(&inside, MountFlags::BIND | MountFlags::RDONLY, "");
    }
}

fn usr(new: &Path, options: &Options, peers: &Path, stage: Option<&Path>) {
    let peers = peers.join("usr");
    let stage = stage.map(|stage| stage.join("usr"));
    let layers = match options.modules {
        Which::Ours => [stage.as_ref(), Some(&peers)],
        Which::Peer => [Some(&peers), stage.as_ref()],
    };
    // The bus's and polkit's rules belong to the daemon, whosever the modules are.
    let daemon = if options.machined == Some(Which::Ours) {
        &stage
    } else {
        &Some(peers.clone())
    };
    let rules = new.join(".layers/rules");
    for kind in ["share/dbus-1", "share/polkit-1"] {
        if let Some(from) = daemon
            .as_ref()
            .map(|usr| usr.join(kind))
            .filter(|from| from.is_dir())
        {
            copy(&from, &rules.join(kind));
        }
    }
    make(&rules);
    let layers = [Some(&rules)]
        .into_iter()
        .chain(layers)
        .flatten()
        .map(PathBuf::as_path);
    overlay(
        new,
        "usr",
        &layers.chain([Path::new("/usr")]).collect::<Vec<_>>(),
    );
}

/// What boot would have made.
fn state(new: &Path) {
    for dir in [
        "systemd/system",
        "systemd/machines",
        "dbus",
        "lock",
        "log",
        "nscd",
        "systemd/resolve",
    ] {
        make(&new.join("run").join(dir)); // systemd/system is what sd_booted(3) looks for
    }
    for dir in [
        "lib/machines",
        "lib/dbus",
        "lib/polkit-1",
        "lib/systemd",
        "cache/nscd",
        "cache/ldconfig",
        "log",
        "tmp",
    ] {
        make(&new.join("var").join(dir));
    }
    symlink("/run", new.join("var/run")).must("link /var/run");
    let _ = chown(new.join("run/systemd/resolve"), Some(104), Some(104)); // one user only in a user namespace
}
