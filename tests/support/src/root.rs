//! The file system of the sandbox: a tree of mounts of its own, entered by pivot_root(2).
//!
//! /usr is the machine's, with the unpacked peers and the staged install laid over it; /etc is the peers' with accounts
//! and resolver configuration of the sandbox's own; /run, /tmp, /var and /dev are new; the source tree and cargo's target
//! directory keep their places. Everything else of the machine is gone.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use rustix::mount::{
    MountFlags, UnmountFlags, mount, mount_bind_recursive, mount_remount, unmount,
};
use rustix::process::{chdir, pivot_root};

use crate::cgroup::{self, Kind};
use crate::must::Must;
use crate::{Options, Which, paths};

/// Builds the tree and makes it this mount namespace's root. Whether there are cgroups that may be written to.
pub(crate) fn enter(options: &Options, peers: &Path, stage: Option<&Path>) -> bool {
    let kept = kept_places(peers, stage);
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
    let cgroups = cgroup_mounts(&new.join("sys/fs/cgroup"));
    devices(&new.join("dev"));
    tmpfs(&new.join("run"), "mode=0755");
    tmpfs(&new.join("tmp"), "mode=1777");
    tmpfs(&new.join("var"), "mode=0755");
    usr(&new, options, peers, stage);
    etc(&new, options, peers, stage);
    state(&new);
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
fn kept_places(peers: &Path, stage: Option<&Path>) -> Vec<(PathBuf, bool)> {
    let mut kept = vec![
        (paths::workspace(), false),
        (paths::target(), true),
        (peers.into(), false),
    ];
    kept.extend(stage.map(|stage| (stage.into(), false)));
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

fn etc(new: &Path, options: &Options, peers: &Path, stage: Option<&Path>) {
    let stage = stage
        .map(|stage| stage.join("etc"))
        .filter(|etc| etc.is_dir());
    let peers = peers.join("etc");
    let layers: Vec<&Path> = stage
        .iter()
        .map(PathBuf::as_path)
        .chain([peers.as_path()])
        .collect();
    // Before the overlay is mounted: through it, an ordinary user may not change a file of the machine's root.
    let etc = new.join(".layers/etc/upper");
    for dir in [
        "alternatives",
        "dbus-1/system.d",
        "polkit-1/rules.d",
        "systemd/system",
    ] {
        make(&etc.join(dir));
    }
    let put = |name: &str, text: &str| {
        fs::write(etc.join(name), text).must(format_args!("write /etc/{name}"))
    };
    put("passwd", PASSWD);
    put("group", GROUP);
    put("shadow", "root:*:19000:0:99999:7:::\n");
    put(
        "nsswitch.conf",
        &format!(
            "passwd: files mymachines\ngroup: files mymachines\nhosts: {}\n",
            options.hosts
        ),
    );
    put(
        "hosts",
        "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 sandbox\n",
    );
    put(
        "resolv.conf",
        "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n",
    );
    put("hostname", "sandbox\n");
    put("machine-id", "5a4db0c5a4db0c5a4db0c5a4db0c5a4d\n");
    overlay(new, "etc", &layers);
    if Path::new("/etc/alternatives").is_dir() {
        // The machine's /usr/bin points there.
        mount_bind_recursive("/etc/alternatives", new.join("etc/alternatives"))
            .must("bind /etc/alternatives");
    }
}

const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
messagebus:x:101:101::/nonexistent:/usr/sbin/nologin
polkitd:x:102:102::/nonexistent:/usr/sbin/nologin
systemd-network:x:103:103::/:/usr/sbin/nologin
systemd-resolve:x:104:104::/:/usr/sbin/nologin
systemd-timesync:x:105:105::/:/usr/sbin/nologin
alice:x:1000:1000::/tmp:/bin/bash
nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin
";
const GROUP: &str = "\
root:x:0:
daemon:x:1:
adm:x:4:
tty:x:5:
disk:x:6:
utmp:x:43:
messagebus:x:101:
polkitd:x:102:
systemd-network:x:103:
systemd-resolve:x:104:
systemd-timesync:x:105:
alice:x:1000:
nogroup:x:65534:
";

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

fn devices(dev: &Path) {
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

/// Mounts what the machine has, the way it has it: version 2 alone, or beside version 1's `name=systemd`.
fn cgroup_mounts(top: &Path) -> bool {
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
fn own_root() -> bool {
    std::env::var("CGROUPS").is_ok_and(|dirs| !dirs.is_empty())
}

fn overlay(new: &Path, name: &str, layers: &[&Path]) {
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

fn in_user_namespace() -> bool {
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().ne(["0", "0", "4294967295"])
}

fn tmpfs(at: &Path, data: &str) {
    mount_new("tmpfs", at, data);
}

fn mount_new(fs: &str, at: &Path, data: &str) {
    let data = CString::new(data.as_bytes()).must("mount options");
    mount(fs, at, fs, MountFlags::empty(), data.as_c_str())
        .must(format_args!("mount {fs} on {}", at.display()));
}

fn make(dir: &Path) {
    fs::create_dir_all(dir).must(format_args!("make {}", dir.display()));
}

/// Copies a small tree of plain files.
fn copy(from: &Path, to: &Path) {
    make(to);
    for entry in fs::read_dir(from).must("read a directory") {
        let entry = entry.must("read a directory");
        let target = to.join(entry.file_name());
        if entry.file_type().must("stat").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).must(format_args!(
                "copy {}",
                String::from_utf8_lossy(target.as_os_str().as_bytes())
            ));
            fs::set_permissions(&target, fs::Permissions::from_mode(0o644)).must("chmod");
        }
    }
}
