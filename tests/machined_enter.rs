//! What machined does in containers, called by systemd's own clients.

#[path = "machined_enter/stall.rs"]
mod stall;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use stall::Stall;
use support::{Container, Options, Sandbox, Via, Which, sandbox, skip, skipped};

fn options() -> Options {
    Options::new().modules(Which::Peer)
}

/// What a line of shell says of its failure, however long it takes.
fn patiently(s: &Sandbox, line: &str) -> String {
    let shell = s.cmd("sh").args(["-c", line]);
    shell.timeout(Duration::from_secs(60)).run().stderr
}

/// A container that only has busybox, registered.
fn busybox(s: &Sandbox, name: &str) -> Container {
    let container = s.container(name).no_network().start();
    s.register(&container, Via::BusRegister);
    container
}

fn call(method: &str, arguments: &str) -> String {
    format!(
        "busctl --timeout=30 call org.freedesktop.machine1 /org/freedesktop/machine1 \
         org.freedesktop.machine1.Manager {method} {arguments}"
    )
}

#[test]
fn machinectl_copies_files_and_trees() {
    sandbox!(options(), |s| {
        let web = busybox(s, "web");
        fs::create_dir_all("/tmp/tree/sub").unwrap();
        fs::write("/tmp/tree/sub/file", "hello").unwrap();
        symlink("sub/file", "/tmp/tree/link").unwrap();
        s.run("machinectl copy-to web /tmp/tree /root/tree").ok();
        assert_eq!(web.run("cat /root/tree/link").ok(), "hello");
        // An empty destination is the source's path.
        s.run("machinectl copy-to web /tmp/tree").ok();
        assert!(web.inside("/tmp/tree/sub/file").exists());
        web.run("echo changed >/root/tree/sub/file").ok();
        s.run("machinectl copy-from web /root/tree /tmp/back").ok();
        assert_eq!(fs::read("/tmp/back/link").unwrap(), b"changed\n");

        let again = s.run("machinectl copy-to web /tmp/tree/sub/file /root/tree/sub/file");
        assert!(
            again
                .fails(1)
                .stderr
                .contains("/root/tree/sub/file: File exists")
        );
        assert_eq!(web.run("cat /root/tree/link").ok(), "changed\n");
        s.run("machinectl copy-to --force web /tmp/tree/sub/file /root/tree/sub/file")
            .ok();
        assert_eq!(web.run("cat /root/tree/link").ok(), "hello");
        s.run("machinectl copy-to web /nope /tmp/x").fails(1);
        s.run("machinectl copy-to web /tmp/tree /no/such/place")
            .fails(1);
        s.run("machinectl copy-to .host /tmp/tree /tmp/x").fails(1);
        let relative = s.run(&call("CopyToMachine", "sss web relative /tmp/x"));
        assert!(relative.fails(1).stderr.contains("must be absolute"));
        let left = web.run("find / -name '.#*' 2>/dev/null; true").ok();
        assert_eq!(left, "");
    });
}

#[test]
fn machinectl_copies_into_a_user_namespace() {
    sandbox!(options(), |s| {
        let base = 1 << 20;
        let own = s.container("own").user_namespace(base).no_network().start();
        s.register(&own, Via::BusRegister);
        fs::write("/tmp/file", "hello").unwrap();
        s.run("chmod 4711 /tmp/file; machinectl copy-to own /tmp/file /root/file")
            .ok();
        let file = fs::metadata(own.inside("/root/file")).unwrap();
        let root = if s.is_rootless() { 0 } else { base };
        assert_eq!((file.uid(), file.mode() & 0o7777), (root, 0o4711));
        s.run("machinectl copy-from own /root/file /tmp/back").ok();
        let file = fs::metadata("/tmp/back").unwrap();
        assert_eq!((file.uid(), file.mode() & 0o7777), (0, 0o711));
    });
}

#[test]
fn a_container_does_not_lead_machinectl_outside() {
    sandbox!(options(), |s| {
        let web = busybox(s, "web");
        fs::write("/tmp/plant", "planted").unwrap();
        fs::create_dir("/tmp/target").unwrap();
        web.run("ln -s ../../../../../../tmp/target /tmp/way; ln -s /proc/1/root /tmp/magic")
            .ok();
        s.run("machinectl copy-to web /tmp/plant /tmp/way/x")
            .fails(1);
        s.run("machinectl copy-to web /tmp/plant /tmp/magic/x")
            .fails(1);
        s.run("machinectl copy-from web /tmp/magic/etc/passwd /tmp/x")
            .fails(1);
        s.run("machinectl bind --mkdir web /tmp/target /tmp/magic/x")
            .fails(1);
        assert_eq!(fs::read_dir("/tmp/target").unwrap().count(), 0);
    });
}

#[test]
fn machinectl_binds() {
    sandbox!(options(), |s| {
        fs::create_dir("/tmp/data").unwrap();
        fs::write("/tmp/data/file", "shared").unwrap();
        let web = busybox(s, "web");
        s.run("machinectl bind --mkdir web /tmp/data /srv/data")
            .ok();
        assert_eq!(web.run("cat /srv/data/file").ok(), "shared");
        s.run("machinectl bind --mkdir --read-only web /tmp/data /srv/fixed")
            .ok();
        assert_ne!(web.run("echo x >/srv/fixed/file").status, Some(0));
        s.run("machinectl bind web /tmp/data /srv/none").fails(1);
        s.run("machinectl bind web /tmp/none /srv/data").fails(1);
        let dots = s.run(&call(
            "BindMountMachine",
            "sssbb web /tmp/../tmp/data /srv/data false false",
        ));
        assert!(dots.fails(1).stderr.contains("Source path must"));
    });
}

#[test]
fn a_shell_needs_no_service_manager() {
    sandbox!(options(), |s| {
        let web = busybox(s, "web");
        let shown = s
            .run("sleep 1 | machinectl -q shell web /bin/echo from inside")
            .ok();
        assert!(shown.contains("from inside"), "{shown}");
        let shown = s.run("sleep 1 | machinectl -q shell -E GIVEN=yes web /bin/sh -c 'tty; pwd; echo $GIVEN $USER $HOME; hostname'").ok();
        let shown = shown.replace("\r\n", "\n");
        assert!(shown.contains("/root\nyes root /root\nweb\n"), "{shown}");
        if !s.is_rootless() {
            let shown = s
                .run("sleep 1 | machinectl -q shell user@web /bin/sh -c 'id -u; pwd'")
                .ok();
            assert!(
                shown.replace("\r\n", "\n").contains("1000\n/tmp\n"),
                "{shown}"
            );
        } else {
            skipped("a shell of another user: there is none");
        }
        let nobody = s.run("sleep 1 | machinectl -q shell nosuch@web /bin/true");
        assert!(nobody.fails(1).stderr.contains("No user 'nosuch'"));
        let missing = s.run("sleep 1 | machinectl -q shell web /bin/no-such-program");
        assert!(
            missing
                .fails(1)
                .stderr
                .contains("/bin/no-such-program: No such file")
        );
        // Not machined's own, which programs that call select(2) can't live with.
        let limit = s
            .run("sleep 1 | machinectl -q shell web /bin/sh -c 'echo limit-$(ulimit -n)'")
            .ok();
        assert!(limit.contains("limit-1024"), "{limit}");
        if s.has_cgroups() {
            let cgroup = s
                .run("sleep 1 | machinectl -q shell web /bin/cat /proc/self/cgroup")
                .ok();
            assert!(cgroup.contains("machine-web.scope"), "{cgroup}");
        } else {
            skipped("the shell's cgroup: there are none to write to");
        }
        // A person at it: a login shell, and what they type.
        let typed = "(sleep 1; echo 'echo sum-$((40+2)); exit'; sleep 1)";
        let shown = s.run(&format!("{typed} | machinectl -q shell web")).stdout;
        assert!(shown.contains("sum-42"), "{shown}");
        s.wait_for(
            || !s.run("ps -eo comm").ok().contains("machined-enter"),
            "the helpers to end with what they run",
        );
        drop(web);
    });
}

#[test]
fn a_login_needs_no_service_manager() {
    sandbox!(options(), |s| {
        let _web = busybox(s, "web");
        let shown = s.run("(sleep 1) | timeout 3 machinectl -q login web");
        assert!(shown.stdout.contains("login:"), "{shown:?}");
        let own = s.container("own").usr().no_network().start();
        s.register(&own, Via::BusRegister);
        let shown = s.run("(sleep 1) | timeout 3 machinectl -q login own");
        assert!(shown.stdout.contains("login:") || shown.stderr.contains("machinectl shell"));
    });
}

#[test]
fn the_containers_service_manager_runs_shells_and_logins() {
    sandbox!(options().timeout(Duration::from_secs(120)), |s| {
        if !s.has_cgroups() {
            skip!("there are no cgroups to write to");
        }
        let web = s.container("web").systemd().start();
        s.register(&web, Via::BusRegister);
        let shown = s
            .run("sleep 1 | machinectl -q shell web /bin/cat /proc/self/cgroup")
            .ok();
        assert!(shown.contains("container-shell@"), "{shown}");
        // The service manager resets the terminal first, and what was typed is lost.
        let typed = "(sleep 1; echo 'echo $GIVEN-$((40+2)); exit'; sleep 1)";
        let shown = s.run(&format!("{typed} | machinectl -q shell -E GIVEN=yes web"));
        let shown = shown.stdout;
        assert!(shown.contains("yes-42"), "{shown}");
        let shown = s.run(
            "(sleep 2; echo root; sleep 2; echo 'echo in-$((40+2))'; sleep 1) | timeout 8 machinectl -q login web",
        );
        assert!(shown.stdout.contains("in-42"), "{shown:?}");
    });
}

#[test]
fn the_host_has_shells_and_terminals_too() {
    sandbox!(options(), |s| {
        let shown = s
            .run("sleep 1 | machinectl -q shell .host /bin/echo from here")
            .ok();
        assert!(shown.contains("from here"), "{shown}");
        assert!(
            s.run(&call("OpenMachinePTY", "s .host"))
                .ok()
                .contains("/dev/pts/")
        );
        assert!(
            s.run(&call("OpenMachineRootDirectory", "s .host"))
                .ok()
                .starts_with("h ")
        );
        assert!(
            s.run(&call("GetMachineOSRelease", "s .host"))
                .ok()
                .contains("\"ID\"")
        );
    });
}

#[test]
fn os_release_and_terminals_are_those_of_the_container() {
    sandbox!(options(), |s| {
        let web = busybox(s, "web");
        let read = || s.run(&call("GetMachineOSRelease", "s web"));
        assert!(read().ok().contains("\"ID\" \"switchyard-test\""));
        assert!(
            s.run(&call("OpenMachinePTY", "s web"))
                .ok()
                .contains("\"/dev/pts/")
        );
        assert!(
            s.run(&call("OpenMachineRootDirectory", "s web"))
                .ok()
                .starts_with("h ")
        );
        s.run(&format!("kill -STOP {}", web.leader())).ok();
        assert!(read().ok().contains("switchyard-test"));
        s.run(&format!("kill -CONT {}", web.leader())).ok();
        web.run("rm /etc/os-release").ok();
        assert!(read().fails(1).stderr.contains("no os-release"));
        web.run("mkfifo /etc/os-release").ok();
        assert!(read().fails(1).stderr.contains("not a regular file"));
        web.run("rm /etc/os-release; head -c 70000 /dev/zero >/etc/os-release")
            .ok();
        assert!(read().fails(1).stderr.contains("longer than"));
        web.run("umount -l /dev/pts").ok();
        assert!(
            s.run(&call("OpenMachinePTY", "s web"))
                .fails(1)
                .stderr
                .contains("devpts")
        );
    });
}

#[test]
fn a_machine_without_a_root_of_its_own_is_not_entered() {
    sandbox!(options(), |s| {
        let daemon = s.spawn("sharing", &["unshare", "--net", "--fork", "sleep", "60"]);
        s.wait_for(
            || s.run("pgrep -x sleep").status == Some(0),
            "a process to register",
        );
        let pid = s.run("pgrep -x sleep").ok();
        let register = call(
            "CreateMachine",
            &format!("'sayssusa(sv)' shared 0 '' container {} / 0", pid.trim()),
        );
        s.run(&register).ok();
        for what in [
            call("GetMachineOSRelease", "s shared"),
            call("OpenMachineRootDirectory", "s shared"),
            call("OpenMachinePTY", "s shared"),
            call("OpenMachineShell", "sssasas shared '' /bin/true 0 0"),
            call("CopyToMachine", "sss shared /etc/passwd /tmp/x"),
            call("BindMountMachine", "sssbb shared /etc /srv false true"),
        ] {
            let refused = s.run(&what).fails(1);
            assert!(
                refused.stderr.contains("shares the host's file system"),
                "{refused:?}"
            );
        }
        assert!(!Path::new("/tmp/x").exists());
        drop(daemon);
    });
}

#[test]
fn a_stuck_container_stalls_only_itself() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("fanotify's permission events are root's");
        }
        let (stuck, free) = (busybox(s, "stuck"), busybox(s, "free"));
        let stall = Stall::new(&stuck.inside("/etc/os-release"));
        let begun = Instant::now();
        thread::scope(|scope| {
            // More than one machine may have under way.
            let reading: Vec<_> = (0..20)
                .map(|_| scope.spawn(|| patiently(s, &call("GetMachineOSRelease", "s stuck"))))
                .collect();
            thread::sleep(Duration::from_millis(500));
            for _ in 0..10 {
                let one = Instant::now();
                s.run(&call("GetMachineOSRelease", "s free")).ok();
                assert!(one.elapsed() < Duration::from_secs(2));
            }
            let outputs: Vec<_> = reading.into_iter().map(|r| r.join().unwrap()).collect();
            let with = |text: &str| outputs.iter().filter(|error| error.contains(text)).count();
            assert_eq!(
                (with("Timed out"), with("Too many")),
                (16, 4),
                "{outputs:?}"
            );
        });
        assert!(begun.elapsed() < Duration::from_secs(15));
        s.wait_for(
            || !s.run("ps -eo comm").ok().contains("machined-enter"),
            "the helpers to be killed",
        );
        drop((stall, free));
        s.run(&call("GetMachineOSRelease", "s stuck")).ok();
    });
}

#[test]
fn sixty_four_copies_and_no_more() {
    sandbox!(options().timeout(Duration::from_secs(120)), |s| {
        if s.is_rootless() {
            skip!("fanotify's permission events are root's");
        }
        let web = busybox(s, "web");
        let stall = Stall::new(&web.inside("/etc/os-release"));
        thread::scope(|scope| {
            let copying: Vec<_> = (0..64)
                .map(|n| {
                    let line = format!("machinectl copy-from web /etc/os-release /tmp/copy{n}");
                    scope.spawn(move || patiently(s, &line))
                })
                .collect();
            let halves = || s.run("pgrep -c machined-enter; true").ok().trim().parse() == Ok(128);
            s.wait_for(halves, "64 copies to hang");
            let refused = s
                .run("machinectl copy-from web /etc/hostname /tmp/one-more")
                .fails(1);
            assert!(refused.stderr.contains("Too many"), "{refused:?}");
            // The rest goes on.
            assert!(s.run("machinectl list").ok().contains("web"));
            // The machine's end is the copies' end.
            web.kill();
            for error in copying {
                let error = error.join().unwrap();
                assert!(error.contains("ended during the copy"), "{error}");
            }
        });
        s.wait_for(
            || !s.run("ps -eo comm").ok().contains("machined-enter"),
            "the helpers to be killed",
        );
        let left = fs::read_dir("/tmp").unwrap().filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().contains("copy")
        });
        assert_eq!(left.count(), 0);
        drop(stall);
    });
}
