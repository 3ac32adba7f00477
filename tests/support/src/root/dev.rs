//! /dev: the harmless devices of the machine, and terminals of the sandbox's own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::mount::mount_bind_recursive;

use super::mounts::{make, mount_new, tmpfs};
use crate::must::Must;

pub(super) fn lay_out(dev: &Path) {
    tmpfs(dev, "mode=0755");
    for node in [
        "null", "zero", "full", "random", "urandom", "tty", "net/tun", "fuse",
    ] {
        let (from, to) = (Path::new("/dev").join(node), dev.join(node));
        if from.exists() {
            make(to.parent().must("a device in no directory"));
            fs::write(&to, "").must("place for a device");
            mount_bind_recursive(&from, &to).must(format_args!("bind /dev/{node}"));
        }
    }
    make(&dev.join("shm"));
    tmpfs(&dev.join("shm"), "mode=1777");
    make(&dev.join("pts"));
    mount_new(
        "devpts",
        &dev.join("pts"),
        "newinstance,ptmxmode=0666,mode=620",
    );
    for (link, to) in [
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
    ] {
        symlink(to, dev.join(link)).must(link);
    }
}
