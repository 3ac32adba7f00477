//! /etc: the peers', with accounts and resolver configuration of the sandbox's own.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::mount::mount_bind_recursive;

use super::mounts::{make, overlay};
use crate::Options;
use crate::must::Must;

pub(super) fn lay_out(new: &Path, options: &Options, peers: &Path, stage: Option<&Path>) {
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
dnsmasq:x:106:65534::/:/usr/sbin/nologin
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
