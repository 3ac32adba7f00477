//! The root of a container.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::Path;
use std::sync::Once;

use super::builder::Contents;
use crate::must::Must;
use crate::{Command, systemd};

/// Where the roots are.
pub(super) const ROOTS: &str = "/run/containers";
/// What every container's PID 1 runs first.
pub(super) const INIT: &str = "/run/containers/.init";
/// The applets of busybox as links, shared by all containers without a /usr of their own.
const APPLETS: &str = "/run/containers/.bin";

/// Lays out a root.
pub(super) fn lay_out(root: &Path, name: &str, contents: Contents) {
    static SHARED: Once = Once::new();
    SHARED.call_once(shared);
    if contents == Contents::Bare {
        return fs::create_dir_all(root).must("make a container's root");
    }
    let make =
        |dir: &str| fs::create_dir_all(root.join(dir)).must(format_args!("make {dir} of {name}"));
    "proc sys dev run tmp etc/dbus-1 etc/pam.d root var/log usr"
        .split(' ')
        .for_each(make);
    if contents == Contents::Busybox {
        ["bin", "usr/bin"].into_iter().for_each(make);
    } else {
        for dir in ["bin", "sbin", "lib", "lib64"] {
            symlink(format!("usr/{dir}"), root.join(dir)).must("link into /usr");
        }
    }
    symlink("/run", root.join("var/run")).must("link /var/run");
    for (file, text) in FILES {
        fs::write(root.join(file), text).must(format_args!("write {file} of {name}"));
    }
    fs::write(root.join("etc/hostname"), format!("{name}\n")).must("write etc/hostname");
    let init = match contents {
        Contents::Systemd => systemd::units(root),
        _ => include_str!("reap.sh"),
    };
    fs::write(root.join("init"), init).must("write a container's init");
    fs::set_permissions(root.join("init"), Permissions::from_mode(0o755)).must("chmod");
}

const FILES: [(&str, &str); 6] = [
    (
        "etc/os-release",
        "ID=switchyard-test\nNAME=\"A container of the tests\"\nPRETTY_NAME=\"A container of the tests\"\nVERSION_ID=1\n",
    ),
    (
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nmessagebus:x:101:101::/:/bin/false\nuser:x:1000:1000::/tmp:/bin/sh\n",
    ),
    (
        "etc/group",
        "root:x:0:\ntty:x:5:\nmessagebus:x:101:\nuser:x:1000:\n",
    ),
    (
        "etc/nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\n",
    ),
    ("etc/dbus-1/sandbox.conf", include_str!("bus.conf")),
    // Whoever asks for a login gets it.
    (
        "etc/pam.d/login",
        "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
    ),
];

/// Lays out a root that another manager can boot or run programs of, with busybox and /sbin/init.
pub(super) fn bootable(root: &Path, name: &str) {
    lay_out(root, name, Contents::Busybox);
    Command::new("cp")
        .args(["-a", APPLETS])
        .arg(root.join("bin"))
        .arg("-T")
        .run()
        .ok();
    symlink("bin", root.join("sbin")).must("link /sbin");
    fs::remove_file(root.join("bin/init")).must("replace busybox's init");
    symlink("/init", root.join("bin/init")).must("link the init");
}

/// What all containers share: busybox's applets, and the first script.
fn shared() {
    fs::create_dir_all(APPLETS).must("make the applets' folder");
    fs::write(INIT, include_str!("init.sh")).must("write the containers' first script");
    fs::copy("/usr/bin/busybox", format!("{APPLETS}/busybox")).must("copy busybox");
    for applet in Command::new("busybox").arg("--list").run().ok().lines() {
        if applet != "busybox" {
            symlink("busybox", Path::new(APPLETS).join(applet)).must("link an applet");
        }
    }
}

/// Makes a user the owner of a tree.
pub(super) fn give(path: &Path, owner: u32) {
    lchown(path, Some(owner), Some(owner)).must("chown");
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).must("read a directory").flatten() {
            give(&entry.path(), owner);
        }
    }
}
