//! The newer systemd: its programs run in a mount namespace where /usr is what they came in, with their C library, modules and
//! whatever else they start; all the rest is the sandbox's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::mounts::make;
use crate::must::Must;

/// Lays out the program that runs another in that namespace.
pub(super) fn lay_out(new: &Path, newer: &Path) {
    let script = format!(
        "#!/bin/sh\nexec unshare --mount sh -c 'mount --bind \"$0\" /usr && exec \"$@\"' {}/usr \"$@\"\n",
        newer.display()
    );
    let bin = new.join("usr/local/bin");
    make(&bin);
    let path = bin.join("newer");
    fs::write(&path, script).must("write the program that runs what is newer");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).must("make it a program");
}
