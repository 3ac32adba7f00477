//! Mounts, each with the reason in its failure.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::mount::{MountFlags, mount};

use crate::must::Must;

pub(super) fn overlay(new: &Path, name: &str, layers: &[&Path]) {
    let (upper, work) = (
        new.join(".layers").join(name).join("upper"),
        new.join(".layers").join(name).join("work"),
    );
    make(&upper);
    make(&work);
    let escaped = |path: &Path| {
        path.display()
            .to_string()
            .replace('\\', r"\\")
            .replace(':', r"\:")
            .replace(',', r"\,")
    };
    let lower = layers
        .iter()
        .map(|layer| escaped(layer))
        .collect::<Vec<_>>()
        .join(":");
    let data = format!(
        "lowerdir={lower},upperdir={},workdir={}",
        escaped(&upper),
        escaped(&work)
    );
    // In a user namespace overlayfs may use no trusted.* attribute, and is told to use user.* (overlayfs.rst, userxattr).
    let user = format!("{data},userxattr");
    let options = if in_user_namespace() { &user } else { &data };
    mount_new("overlay", &new.join(name), options);
}

pub(super) fn in_user_namespace() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().ne(["0", "0", "4294967295"])
}

pub(super) fn tmpfs(at: &Path, data: &str) {
    mount_new("tmpfs", at, data);
}

pub(super) fn mount_new(fs: &str, at: &Path, data: &str) {
    let data = CString::new(data.as_bytes()).must("mount options");
    mount(fs, at, fs, MountFlags::empty(), data.as_c_str())
        .must(format_args!("mount {fs} on {}", at.display()));
}

pub(super) fn make(dir: &Path) {
    fs::create_dir_all(dir).must(format_args!("make {}", dir.display()));
}

/// Copies a small tree of plain files.
pub(super) fn copy(from: &Path, to: &Path) {
    make(to);
    for entry in fs::read_dir(from).must("read a directory") {
        let entry = entry.must("read a directory");
        let target = to.join(entry.file_name());
        if entry.file_type().must("stat").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).must(format_args!("copy {}", target.display()));
            fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).must("chmod");
        }
    }
}
