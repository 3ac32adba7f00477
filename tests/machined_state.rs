//! What is left in files, and read back from them.

mod machined_bus_client;
mod machined_registry;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use machined_bus_client::Client;
use machined_registry::{
    DIR, SOON, addresses, cgroup, create, has_file, names, program, property, register, state,
};
use rustix::process::Signal;
use support::{Options, Sandbox, Via, Which, sandbox, skip};

const BROKEN: &str = "/run/switchyard/machined/broken";

#[test]
fn machines_outlive_the_daemon() {
    sandbox!(|s| {
        // busctl, which registers, becomes the supervisor, and is forgotten when it is seen to have ended.
        let state = |name| {
            let text = state(name);
            let lines = text.lines().filter(|line| !line.starts_with("SUPERVISOR"));
            lines.collect::<Vec<_>>().join("\n")
        };
        let (web, db) = (s.container("web").start(), s.container("db").start());
        s.register(&web, Via::BusCreate);
        s.register(&db, Via::BusCreate);
        let client = Client::new();
        let all = |client: &Client| {
            let of = |name| property(client, "web", name);
            [
                "Id",
                "Leader",
                "Class",
                "Service",
                "Unit",
                "RootDirectory",
                "Timestamp",
                "NetworkInterfaces",
            ]
            .map(of)
        };
        let before = (state("web"), all(&client));
        assert!(s.machined().end().success());
        assert_eq!(state("web"), before.0);
        s.machined().start_again();
        assert_eq!((state("web"), all(&client)), before);

        s.machined().kill(Signal::KILL);
        s.machined().wait();
        db.kill();
        s.machined().start_again();
        assert_eq!((state("web"), all(&client)), before);
        assert!(!has_file("db") && !has_file("unit:machine-db.scope"));
        assert!(!cgroup("machine.slice/machine-db.scope").exists());
        assert_eq!(
            addresses(&client, "web").get(..2).unwrap(),
            [web.ipv4(), web.ipv6()]
        );
        web.kill();
        s.wait_within(SOON, || names().is_empty(), "the files to be gone");
        // It may hold the killed process until that has been waited for.
        let scope = cgroup("machine.slice/machine-web.scope");
        s.wait_for(|| !scope.exists(), "the scope to be gone");
    });
}

/// A process that has a former leader's number is not the machine.
#[test]
fn a_leader_is_proven_the_same_process() {
    sandbox!(Options::new().machined(None), |s| {
        let mut sleep = program("sleep 60");
        fs::create_dir_all(DIR).unwrap();
        let pid = sleep.id();
        let write = |name: &str, proof: &str| {
            let text = format!("NAME={name}\nLEADER={pid}\nCLASS=container\n{proof}\n");
            fs::write(Path::new(DIR).join(name), text).unwrap();
        };
        write("reused", "LEADER_START_TIME=1");
        write("otherid", "LEADER_PIDFDID=1");
        write("unproven", "REALTIME=1");
        s.start_machined(Which::Ours);
        assert_eq!(names(), Vec::<String>::new());
        assert!(Path::new(BROKEN).join("unproven").exists());
        assert!(!Path::new(BROKEN).join("reused").exists());
        let log = s.machined().log();
        assert!(log.contains("unproven") && log.contains("reused"), "{log}");
        sleep.kill().unwrap();
        sleep.wait().unwrap();
    });
}

/// Others read them, whatever the umask of whoever started the daemon.
#[test]
fn a_narrow_umask_hides_nothing() {
    sandbox!(Options::new().machined(None), |s| {
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        s.start_machined(Which::Ours);
        rustix::process::umask(before);
        for path in [DIR, "/run/switchyard/machined", "/run/systemd/machine"] {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o755, "{path}");
        }
    });
}

#[test]
fn broken_files_are_set_aside() {
    sandbox!(Options::new().machined(None), |s| {
        let mut sleep = program("sleep 60");
        fs::create_dir_all(DIR).unwrap();
        let file = |name: &str| Path::new(DIR).join(name);
        let good = format!("LEADER={}\nCLASS=container\n", sleep.id());
        fs::write(file("empty"), "").unwrap();
        fs::write(file("binary"), [0xff, 0, 0xfe].repeat(100)).unwrap();
        fs::write(file("other"), format!("NAME=web\n{good}")).unwrap();
        fs::write(
            file("host"),
            format!("NAME=host\nLEADER={}\nCLASS=host\n", sleep.id()),
        )
        .unwrap();
        fs::write(file("long"), "A=b\n".repeat(100_000)).unwrap();
        fs::write(file("bad name"), &good).unwrap();
        fs::write(file("pid1"), "NAME=pid1\nLEADER=1\nCLASS=container\n").unwrap();
        fs::create_dir(file("folder")).unwrap();
        std::os::unix::fs::symlink("/etc/shadow", file("link")).unwrap();
        fs::write(file(".#half"), "NAME=ha").unwrap();
        std::os::unix::fs::symlink("nobody", file("unit:machine-nobody.scope")).unwrap();
        s.start_machined(Which::Ours);
        assert_eq!(names(), Vec::<String>::new());
        let log = s.machined().log();
        for name in [
            "empty", "binary", "other", "host", "long", "bad name", "pid1", "folder", "link",
        ] {
            assert!(
                Path::new(BROKEN).join(name).symlink_metadata().is_ok(),
                "{name}"
            );
            assert!(log.contains(name), "{name}: {log}");
        }
        register(&Client::new(), "web", sleep.id()).ok();
        sleep.kill().unwrap();
        sleep.wait().unwrap();
    });
}

/// An update from systemd's machined to ours, and back, in mid-life of a machine.
#[test]
fn the_files_are_systemds() {
    sandbox!(Options::new().machined(None), |s| {
        if !s.has_cgroups() {
            skip!("there are no cgroups to write to");
        }
        let web = s.container("web").start();
        let peer = s.start_machined(Which::Peer);
        s.register(&web, Via::BusRegister);
        let shown = |s: &Sandbox| s.run("machinectl show web --no-pager").ok();
        let theirs = (shown(s), state("web"));
        peer.end();
        let ours = support::Daemon::start(
            "ours",
            &["/usr/libexec/switchyard/machined"],
            &[],
            support::Ready::BusName("org.freedesktop.machine1".into()),
        );
        let here = shown(s);
        for line in theirs.0.lines() {
            assert!(here.lines().any(|here| here == line), "{line}: {here}");
        }
        for line in theirs.1.lines() {
            assert!(
                state("web").lines().any(|here| here == line),
                "{line}: {}",
                state("web")
            );
        }
        ours.end();
        peer.start_again();
        assert_eq!(shown(s), theirs.0);
    });
}

#[test]
fn a_full_or_read_only_run_registers_nothing() {
    sandbox!(|s| {
        let client = Client::new();
        let mut leader = program("sleep 60");
        let own = fs::read_to_string(format!("/proc/{}/cgroup", leader.id())).unwrap();
        for options in ["size=4k,nr_inodes=1", "ro"] {
            s.run(&format!("mount -t tmpfs -o {options} tmpfs {DIR}"))
                .ok();
            let refused = create(&client, "a", leader.id(), vec![]);
            let machined_bus_client::Answer::Error(_, text) = &refused else {
                panic!("{refused:?}")
            };
            assert!(text.contains("state of machine a"), "{text}");
            s.run(&format!("umount {DIR}")).ok();
            assert!(
                client
                    .manager("GetMachine", args!["a"])
                    .is_error(".NoSuchMachine")
            );
            assert!(!cgroup("machine.slice/machine-a.scope").exists());
            assert_eq!(
                fs::read_to_string(format!("/proc/{}/cgroup", leader.id())).unwrap(),
                own
            );
        }
        create(&client, "a", leader.id(), vec![]).ok();
        leader.kill().unwrap();
        leader.wait().unwrap();
    });
}
