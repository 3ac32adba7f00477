//! Who somebody is, by sd-bus beside the original: one C program asks both the same, and prints the same.

mod sd_probe;

use std::fs;

use sd_probe::{OURS, Probe, open_bus, open_bus_with, quiet};
use support::{Sandbox, sandbox, skip, skip_for_machine};

const PROBE: &str = include_str!("c/creds_probe.c");
/// The bus of these tests.
const BUS: &str = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus $probe";

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "creds_probe", PROBE)
}

#[test]
fn places_that_are_not_there() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        probe.compare("$probe nulls", &[]);
        let said = probe.with(OURS, "$probe misuse");
        assert_eq!(said.matches("EINVAL").count(), 2, "{said}");
    });
}

/// Each field alone and all at once: of this process, one with other users, one that has ended, one that was waited for.
#[test]
fn processes() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.compare("$probe processes", &[]);
        assert!(said.contains("comm = 0 : a (b) c"), "{said}");
        assert!(said.contains("groups = 3 : 44 45 46"), "{said}");
        assert!(said.contains("zombie 3ffffffff = -3 ESRCH"), "{said}");
        probe.compare("$probe threads", &[]);
        probe.compare("$probe self '' b \"$(printf 'c\\nd')\" ''", &[]);
        let said = probe.compare("$probe terminals", &[]);
        assert!(said.contains("tty = 0 : pts/"), "{said}");
        for name in [
            "plain",
            "é",
            "a'b",
            "tab\ttab",
            "\x01x",
            "more than 15 bytes",
        ] {
            fs::copy("/tmp/creds_probe", format!("/tmp/{name}")).unwrap();
            probe.compare(&format!("'/tmp/{}' self", name.replace('\'', r"'\''")), &[]);
        }
        // The program's file is gone while it runs.
        let said = probe.compare("cp ${probe} /tmp/gone; exec /tmp/gone removed", &[]);
        assert!(said.contains("exe = 0 : /tmp/gone\n"), "{said}");
    });
}

/// What an ordinary user may not see, because of whose it is or of how /proc is mounted.
#[test]
fn what_is_hidden() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.compare("$probe stranger", &[]);
        assert!(
            said.contains("init 4000 = 0 \n mask 1 augmented 0"),
            "{said}"
        );
        for hidepid in [1, 2] {
            let mounted = s.run(&format!("mount -t proc -o hidepid={hidepid} proc /proc"));
            if mounted.status != Some(0) {
                skip_for_machine!("/proc can't be mounted");
            }
            // Theirs takes a process that is not shown for none, and fails where it may not see the cgroup of PID 1.
            if hidepid == 1 {
                probe.compare("$probe hidden", &[]);
            }
            let said = probe.with(OURS, "$probe stranger");
            for line in [
                "init 1 = 0 \n mask 1 ",
                "init 8 = 0 \n mask 1 ",
                "self 8 = 0 \n mask 9 ",
                "self 10000 = 0 \n mask 1 ",
                "gone 3ffffffff = -3 ESRCH",
            ] {
                assert!(said.contains(line), "{line} with {hidepid}:\n{said}");
            }
            s.run("umount /proc").ok();
        }
        s.run("mount -t tmpfs none /proc").ok();
        // valgrind does not run there.
        let said = probe.once(OURS, "$probe self");
        s.run("umount /proc").ok();
        assert!(said.contains("self 3ffffffff = 0 \n mask 1 "), "{said}");
    });
}

#[test]
fn to_whom_a_process_belongs() {
    sandbox!(quiet(), |s| {
        if !s.has_cgroups() {
            skip!("there are no cgroups to put a process into");
        }
        let probe = probe(s);
        for cgroup in [
            "/",
            "/system.slice/system-getty.slice/getty@tty1.service/sub",
            "/user.slice/user-1000.slice/session-c2.scope/sub",
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.slice/a@b.service/sub",
            "/user.slice/user@x.service/a.service",
            "/machine.slice/machine-web.scope/payload/deeper",
            "/docker/0123456789",
            "/_cpu.service",
            "/a b.slice/c.service",
        ] {
            let line = format!(
                "for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do \
                 [ -e $top/cgroup.procs ] && mkdir -p \"$top{cgroup}\" && echo $$ >\"$top{cgroup}/cgroup.procs\"; done; \
                 exec $probe self"
            );
            let said = probe.compare(&line, &[]);
            let has_session = said.contains("session = 0 : c2\n");
            assert_eq!(has_session, cgroup.contains("session-c2"), "{said}");
        }
    });
}

/// Where there are none, theirs fails whatever else was asked; ours leaves out what a cgroup would tell.
#[test]
fn without_cgroups() {
    sandbox!(quiet(), |s| {
        s.run("umount -R /sys/fs/cgroup || mount -t tmpfs none /sys/fs/cgroup")
            .ok();
        let said = probe(s).with(OURS, "$probe self");
        assert!(
            said.contains("self 10000 = 0 \n mask 1 augmented 0\n"),
            "{said}"
        );
        assert!(said.contains("self 3ffffffff = 0 \n"), "{said}");
    });
}

#[test]
fn a_connection_in_each_state() {
    sandbox!(quiet(), |s| drop(probe(s).compare("$probe states", &[])));
}

/// Who may what, by all kinds of users of both.
#[test]
fn privileges() {
    sandbox!(quiet(), |s| {
        if s.is_rootless() {
            skip_for_machine!("there is one user alone");
        }
        let said = probe(s).compare("$probe privileges", &[]);
        assert_eq!(said.lines().count(), 49);
        assert!(said.contains("1, asked by 0 0 0: 0 0 0 0 0"), "{said}");
    });
}

/// Who is on a real bus: a peer of another user with a name of its own, and the bus itself.
#[test]
fn who_is_on_the_bus() {
    sandbox!(quiet(), |s| {
        if s.is_rootless() {
            skip_for_machine!("there is one user alone");
        }
        let _bus = open_bus(s);
        let probe = probe(s);
        let said = probe.compare(&format!("{BUS} names"), &[]);
        assert!(said.contains("unique = 0 : :peer"), "{said}");
        // More than theirs asks the bus for, and sooner.
        let said = probe.with(OURS, &format!("{BUS} unasked"));
        for line in [
            "bit 2: mask 5 augmented 4",
            "bit 11: mask 800 augmented 0",
            "bit 20: mask 100001 augmented 100000",
            "bit 30: mask 40000001 augmented 40000000",
        ] {
            assert!(said.contains(line) || line.starts_with("bit 20"), "{said}");
        }
    });
}

/// What a message tells of its sender, and what can be asked: of a peer, of who is gone, of the bus, of what was made up.
#[test]
fn who_has_sent_a_message() {
    sandbox!(quiet(), |s| {
        if s.is_rootless() {
            skip_for_machine!("there is one user alone");
        }
        let _bus = open_bus(s);
        let said = probe(s).compare(&format!("{BUS} messages"), &[]);
        assert!(said.contains("an answer of who is gone"), "{said}");
        assert!(
            said.contains("names = 0 : 'org.freedesktop.DBus.Local'"),
            "{said}"
        );
    });
}

/// A service with methods and properties that not all may use.
#[test]
fn access() {
    sandbox!(quiet(), |s| {
        if s.is_rootless() {
            skip_for_machine!("there is one user alone");
        }
        let _bus = open_bus(s);
        let said = probe(s).compare(&format!("{BUS} access"), &[]);
        assert!(
            said.contains("Access to org.example.Guarded.S() not permitted."),
            "{said}"
        );
        assert_eq!(said.matches("trusts").count(), 12, "{said}");
    });
}

/// A number that another process has got meanwhile names nobody. Of systemd 256 and the kernel's SO_PEERPIDFD, so ours alone.
#[test]
fn processes_that_are_held() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.with(OURS, "$probe pidfds");
        if said.contains("clone3: ") {
            skip_for_machine!("no process can be given a number");
        }
        assert_eq!(said, PIDFDS);
        let said = probe.with(OURS, "$probe impostors");
        if said.contains("no SO_PEERPIDFD") {
            skip_for_machine!("the kernel has no SO_PEERPIDFD");
        }
        assert!(said.contains("mask 400000011 augmented 0\n"), "{said}");
        assert!(
            said.ends_with("the same number 1\nowner = -3 ESRCH: nobody\n"),
            "{said}"
        );
    });
}

const PIDFDS: &str = "\
of a pidfd 0 = 0 
 mask 1 augmented 0 pid child
 dup = -61 ENODATA, another 0, closed at exec 0
of a pidfd 400000000 = 0 
 mask 400000001 augmented 400000000 pid child
 dup = 0 , another 1, closed at exec 1
 signal by it: 0
of a pidfd 400001000 = 0 
 mask 400001001 augmented 400001000 pid child
 dup = 0 , another 1, closed at exec 1
 signal by it: 0
of a pidfd 8000000000000000 = -95 EOPNOTSUPP
of a pidfd 800000000 = -95 EOPNOTSUPP
of a pidfd 0 = -25 ENOTTY
of a pidfd 0 = -9 EBADF
of a pidfd 0 = -9 EBADF
new_from_pidfd(NULL, pidfd, 0) = -22 EINVAL
get_pidfd_dup(NULL, &null) = -22 EINVAL
sd_bus_creds_new_from_pid(&c, pid, SD_BUS_CREDS_PIDFD) = 0 
mask 400000001
get_pidfd_dup(c, NULL) = -22 EINVAL
of a pidfd 1000 = -3 ESRCH
of a pidfd 1000 = -3 ESRCH
the same number 1
of a pidfd 1000 = -3 ESRCH
of a pidfd 0 = -3 ESRCH
";

/// A bus in another pid namespace: its numbers are other processes' here. Theirs tells of these.
#[test]
fn a_bus_that_counts_otherwise() {
    sandbox!(quiet(), |s| {
        let unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
        let _bus = open_bus_with(&unshare, "");
        let said = probe(s).with(OURS, &format!("{BUS} elsewhere"));
        assert!(
            said.contains("AUGMENT, &c) = 0 \nmask 10: nobody\n"),
            "{said}"
        );
    });
}
