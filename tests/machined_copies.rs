//! What copies keep, what they leave behind, and how they end.

#[path = "machined_copies/fuse.rs"]
mod fuse;
#[path = "machined_enter/stall.rs"]
mod stall;

use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fuse::Hanging;
use rustix::fs::{CWD, FileType, Mode, XattrFlags, fgetxattr, fsetxattr, makedev, mknodat};
use serde_json::json;
use stall::Stall;
use support::{Container, Options, Sandbox, Via, Which, sandbox, skip, skip_for_machine};

const ACL: &str = "system.posix_acl_access";
const CAPABILITY: &str = "security.capability";

fn options() -> Options {
    Options::new().modules(Which::Peer)
}

fn busybox(s: &Sandbox, name: &str) -> Container {
    let container = s.container(name).no_network().start();
    s.register(&container, Via::BusRegister);
    container
}

/// CAP_NET_RAW, permitted and effective: struct vfs_cap_data of linux/capability.h, version 2.
fn capability() -> Vec<u8> {
    [0x0200_0001_u32, 1 << 13, 0, 0, 0]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect()
}

/// `u::rw-,u:1000:rw-,g::r--,m::rw-,o::---`, as in linux/posix_acl_xattr.h.
fn acl() -> Vec<u8> {
    let entry = |tag: u16, permissions: u16, id: u32| {
        let halves = [tag.to_le_bytes(), permissions.to_le_bytes()].concat();
        [halves, id.to_le_bytes().to_vec()].concat()
    };
    let none = u32::MAX;
    let entries = [
        (1, 6, none),
        (2, 6, 1000),
        (4, 4, none),
        (0x10, 6, none),
        (0x20, 0, none),
    ];
    let entries = entries
        .into_iter()
        .flat_map(|(tag, permissions, id)| entry(tag, permissions, id));
    2_u32.to_le_bytes().into_iter().chain(entries).collect()
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = [0; 256];
    let length = fgetxattr(File::open(path).unwrap(), name, &mut value).ok()?;
    Some(value[..length].to_vec())
}

/// A tree with all that gives a power.
fn powerful(tree: &Path) {
    fs::create_dir_all(tree).unwrap();
    for (name, attribute, value) in [("cap", CAPABILITY, capability()), ("acl", ACL, acl())] {
        let file = File::create(tree.join(name)).unwrap();
        fsetxattr(&file, attribute, &value, XattrFlags::empty()).unwrap();
    }
    fs::write(tree.join("suid"), "x").unwrap();
    fs::set_permissions(tree.join("suid"), fs::Permissions::from_mode(0o6755)).unwrap();
    let mode = Mode::from_raw_mode(0o666);
    let null = makedev(1, 3);
    mknodat(
        CWD,
        tree.join("null"),
        FileType::CharacterDevice,
        mode,
        null,
    )
    .unwrap();
    std::os::unix::fs::chown(tree.join("null"), Some(1000), Some(1000)).unwrap();
    fs::set_permissions(tree.join("null"), fs::Permissions::from_mode(0o666)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn powers_go_into_a_machine_and_do_not_come_out() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("an ordinary user may make no devices");
        }
        let web = busybox(s, "web");
        powerful(Path::new("/tmp/tree"));
        s.run("machinectl copy-to web /tmp/tree /root/tree").ok();
        let inside = web.inside("/root/tree");
        assert_eq!(
            attribute(&inside.join("cap"), CAPABILITY),
            Some(capability())
        );
        assert_eq!(attribute(&inside.join("acl"), ACL), Some(acl()));
        assert_eq!(mode(&inside.join("suid")), 0o6755);
        assert_eq!(mode(&inside.join("null")), 0o666);

        s.run("machinectl copy-from web /root/tree /tmp/back").ok();
        let back = Path::new("/tmp/back");
        assert_eq!(attribute(&back.join("cap"), CAPABILITY), None);
        assert_eq!(attribute(&back.join("acl"), ACL), Some(acl()));
        assert_eq!(mode(&back.join("suid")), 0o755);
        let null = fs::symlink_metadata(back.join("null")).unwrap();
        assert!(null.file_type().is_char_device());
        assert_eq!(
            (null.mode() & 0o7777, null.uid(), null.gid()),
            (0o600, 0, 0)
        );
    });
}

#[test]
fn what_names_users_does_not_cross_a_user_namespace() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let own = s
            .container("own")
            .user_namespace(1 << 20)
            .no_network()
            .start();
        s.register(&own, Via::BusRegister);
        powerful(Path::new("/tmp/tree"));
        fs::remove_file("/tmp/tree/null").unwrap(); // not for a user namespace to make
        s.run("machinectl copy-to own /tmp/tree /root/tree").ok();
        let inside = own.inside("/root/tree");
        assert_eq!(attribute(&inside.join("cap"), CAPABILITY), None);
        assert_eq!(attribute(&inside.join("acl"), ACL), None);
    });
}

/// Nothing unfinished, and no process of a copy.
fn nothing_is_left(s: &Sandbox, dir: &str) {
    s.wait_for(
        || !s.run("ps -eo comm").ok().contains("machined-enter"),
        "the copy to end",
    );
    let names = s.run(&format!("ls -A {dir}")).ok();
    assert!(!names.contains(".#") && !names.contains("copy"), "{names}");
}

/// A tree that is copied up to its second file, and no further for as long as the stall lasts.
fn stalled_tree(s: &Sandbox, web: &Container) -> Stall {
    web.run("mkdir /tree; cd /tree; for i in 1 2 3 4 5 6 7 8; do echo x >$i; done")
        .ok();
    // Files are read in an order of the file system's own; the last of them is not the first.
    let last = s
        .run(&format!(
            "ls -U {} | tail -1",
            web.inside("/tree").display()
        ))
        .ok();
    Stall::new(&web.inside(&format!("/tree/{}", last.trim())))
}

#[test]
fn a_caller_who_hangs_up_ends_the_copy() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("fanotify's permission events are root's");
        }
        let web = busybox(s, "web");
        let stall = stalled_tree(s, &web);
        let unfinished = || s.run("ls -A /tmp").ok().contains(".#switchyard-copy-");

        // By the bus.
        let mut machinectl = Command::new("machinectl")
            .args(["copy-from", "web", "/tree", "/tmp/copy"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        s.wait_for(unfinished, "the copy to begin");
        machinectl.kill().unwrap();
        machinectl.wait().unwrap();
        nothing_is_left(s, "/tmp");

        // By Varlink. One who only says that nothing more will be sent is still there.
        use std::io::Write;
        let socket = "/run/systemd/machine/io.systemd.Machine";
        let mut caller = std::os::unix::net::UnixStream::connect(socket).unwrap();
        let call = json!({"method": "io.systemd.Machine.CopyFrom",
            "parameters": {"name": "web", "source": "/tree", "destination": "/tmp/copy"}});
        caller.write_all(format!("{call}\0").as_bytes()).unwrap();
        caller.shutdown(std::net::Shutdown::Write).unwrap();
        s.wait_for(unfinished, "the copy to begin");
        std::thread::sleep(Duration::from_millis(200));
        assert!(unfinished());
        drop(caller);
        nothing_is_left(s, "/tmp");

        drop(stall);
        s.run("machinectl copy-from web /tree /tmp/copy").ok();
        assert_eq!(s.run("ls /tmp/copy | wc -l").ok().trim(), "8");
    });
}

/// A big file is not copied to its end for nobody.
#[test]
fn a_copy_ends_in_the_middle_of_a_file() {
    sandbox!(options(), |s| {
        let web = busybox(s, "web");
        web.run("mkdir /big; dd if=/dev/zero of=/big/file bs=1M count=512 2>/dev/null")
            .ok();
        let mut machinectl = Command::new("machinectl")
            .args(["copy-from", "web", "/big", "/tmp/copy"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let unfinished = || s.run("ls -A /tmp").ok().contains(".#switchyard-copy-");
        s.wait_for(unfinished, "the copy to begin");
        machinectl.kill().unwrap();
        machinectl.wait().unwrap();
        nothing_is_left(s, "/tmp");
    });
}

#[test]
fn a_file_system_that_hangs_stalls_its_own_operations_only() {
    sandbox!(options().timeout(Duration::from_secs(120)), |s| {
        if s.is_rootless() {
            skip!("/dev/fuse is root's");
        }
        let (stuck, free) = (busybox(s, "stuck"), busybox(s, "free"));
        stuck.run("mkdir /hangs").ok();
        let Some(server) = Hanging::mount(&stuck, "/hangs") else {
            skip_for_machine!("this kernel has no FUSE");
        };
        let copy = |name: &str| {
            let line = format!("machinectl copy-from {name} /hangs/file /tmp/{name}");
            Command::new("sh")
                .args(["-c", &format!("exec {line}")])
                .spawn()
                .unwrap()
        };
        let mut copying = copy("stuck");
        let bind = "machinectl bind --mkdir stuck /etc/hostname /hangs/bound";
        let mut binding = Command::new("sh")
            .args(["-c", &format!("exec {bind}")])
            .spawn()
            .unwrap();
        let helpers = || {
            s.run("pgrep -c machined-enter; true")
                .ok()
                .trim()
                .parse::<usize>()
                .unwrap()
        };
        s.wait_for(|| helpers() == 3, "both to hang");

        // All else goes on, in the same machine too.
        fs::write("/tmp/file", "x").unwrap();
        for name in ["free", "stuck"] {
            let begun = Instant::now();
            s.run(&format!("machinectl copy-to {name} /tmp/file /root/file"))
                .ok();
            s.run(&format!("machinectl show {name}")).ok();
            assert!(begun.elapsed() < Duration::from_secs(2), "{name}");
        }
        assert!(free.inside("/root/file").exists());

        // What has a deadline keeps it, although the process can't even be killed: its request is with the server.
        assert!(!binding.wait().unwrap().success());
        assert!(helpers() >= 2);
        copying.kill().unwrap();
        copying.wait().unwrap();
        assert!(s.run("machinectl list").ok().contains("stuck"));
        drop(server);
        nothing_is_left(s, "/tmp");
    });
}
