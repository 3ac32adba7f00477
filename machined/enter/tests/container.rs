//! The program against real containers, friendly and not.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "code of tests, of which clippy counts only what stands inside a #[test] function"
)]

#[path = "../../../tests/machined_copies/fuse.rs"]
mod fuse;

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::{MetadataExt, symlink},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use fuse::Hanging;
use machined_enter::{
    Fault, Reply, Request,
    request::{Program, Side},
    socket,
};
use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
};
use support::{Container, Options, Sandbox, sandbox};

/// No daemon and no bus: only the container.
fn bare() -> Options {
    Options::peer().machined(None).bus(false)
}

/// The program with a request, as machined starts it.
struct Asked {
    child: Child,
    socket: OwnedFd,
}

impl Asked {
    fn new(request: &Request, fds: &[BorrowedFd<'_>]) -> Self {
        let (ours, theirs) = socket::pair().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_machined-enter"))
            .env_clear()
            .stdin(theirs)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        socket::send(&ours, &request.encode().unwrap(), fds).unwrap();
        Self {
            child,
            socket: ours,
        }
    }

    fn reply(&self) -> Result<Reply, Fault> {
        rustix::net::sockopt::set_socket_timeout(
            &self.socket,
            rustix::net::sockopt::Timeout::Recv,
            Some(Duration::from_secs(10)),
        )
        .unwrap();
        let (message, fds) = socket::receive(&self.socket).expect("a reply within 10 s");
        assert!(!message.is_empty(), "it ended without a reply");
        Reply::decode(&message, fds)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn leader(container: &Container) -> OwnedFd {
    let pid = Pid::from_raw(container.leader().cast_signed()).unwrap();
    pidfd_open(pid, PidfdFlags::empty()).unwrap()
}

fn ask(container: &Container, request: &Request) -> Result<Reply, Fault> {
    Asked::new(request, &[leader(container).as_fd()]).reply()
}

fn os_release(container: &Container) -> Result<String, Fault> {
    ask(container, &Request::OsRelease).map(|reply| String::from_utf8(reply.text).unwrap())
}

fn copy(container: &Container, to: Side, source: &str, destination: &str) -> Result<(), Fault> {
    copy_with(leader(container), to, source, destination)
}

fn copy_with(leader: OwnedFd, to: Side, source: &str, destination: &str) -> Result<(), Fault> {
    let from = if to == Side::Host {
        Side::Machine
    } else {
        Side::Host
    };
    let (sending, receiving) = socket::pair().unwrap();
    let send = Request::Send {
        side: from,
        path: source.into(),
    };
    let receive = Request::Receive {
        side: to,
        path: destination.into(),
        replace: true,
    };
    let reader = Asked::new(&send, &[leader.as_fd(), sending.as_fd()]);
    let writer = Asked::new(&receive, &[leader.as_fd(), receiving.as_fd()]);
    drop((sending, receiving));
    let (sent, received) = (reader.reply(), writer.reply());
    match (sent, received) {
        (Err(fault), _) if fault.errno != Errno::PIPE => Err(fault),
        (_, received) => received.map(drop),
    }
}

fn bind(
    container: &Container,
    source: &str,
    destination: &str,
    read_only: bool,
) -> Result<(), Fault> {
    let request = Request::Bind {
        source: source.into(),
        destination: destination.into(),
        read_only,
        mkdir: true,
    };
    ask(container, &request).map(drop)
}

/// Runs a line of shell on a new terminal of the container and gives what came out.
fn shell(container: &Container, user: &str, line: &str) -> Result<String, Fault> {
    let terminal = Request::Terminal {
        host: false,
        bus: false,
    };
    let mut fds = ask(container, &terminal)?.fds.into_iter();
    let (ours, theirs) = (fds.next().unwrap(), fds.next().unwrap());
    let request = Request::Session {
        host: false,
        program: Program::Shell {
            user: user.into(),
            path: "/bin/sh".into(),
            args: ["sh", "-c", line].map(String::from).into(),
            environment: vec!["TERM=dumb".into(), "HOME=/own".into()],
        },
    };
    let asked = Asked::new(&request, &[leader(container).as_fd(), theirs.as_fd()]);
    drop(theirs);
    asked.reply()?;
    let mut text = Vec::new();
    // Ends with EIO when nobody holds the other end.
    let _ = File::from(ours).read_to_end(&mut text);
    Ok(String::from_utf8(text).unwrap().replace("\r\n", "\n"))
}

#[test]
fn reads_os_release() {
    sandbox!(bare(), |s| {
        for web in [s.container("a"), s.container("b").user_namespace(1 << 20)] {
            let web = web.no_network().start();
            assert!(os_release(&web).unwrap().contains("ID=switchyard-test"));
            fs::create_dir_all(web.inside("/usr/lib")).unwrap();
            fs::rename(
                web.inside("/etc/os-release"),
                web.inside("/usr/lib/os-release"),
            )
            .unwrap();
            assert!(os_release(&web).unwrap().contains("ID=switchyard-test"));
            fs::remove_file(web.inside("/usr/lib/os-release")).unwrap();
            assert_eq!(os_release(&web).unwrap_err().errno, Errno::NOENT);
        }
    });
}

#[test]
fn a_hostile_os_release_is_an_error() {
    sandbox!(bare(), |s| {
        fs::write("/tmp/secret", "of the host").unwrap();
        let web = s.container("web").no_network().start();
        let file = web.inside("/etc/os-release");
        let expect = |prepare: &dyn Fn(&Path), errno: Errno| {
            let _ = fs::remove_file(&file);
            prepare(&file);
            assert_eq!(os_release(&web).unwrap_err().errno, errno);
        };
        expect(&|file| symlink("/tmp/secret", file).unwrap(), Errno::NOENT);
        expect(
            &|file| symlink("../../../tmp/secret", file).unwrap(),
            Errno::NOENT,
        );
        // Without capabilities, what is behind a magic link is out of reach before it is known for one.
        expect(
            &|file| symlink("/proc/1/root/tmp/secret", file).unwrap(),
            Errno::ACCESS,
        );
        expect(
            &|file| symlink("/proc/self/fd/0", file).unwrap(),
            Errno::NOENT,
        );
        expect(&|file| symlink("os-release", file).unwrap(), Errno::LOOP);
        expect(&|file| fs::create_dir(file).unwrap(), Errno::INVAL);
        fs::remove_dir(web.inside("/etc/os-release")).unwrap();
        web.run("mkfifo /etc/os-release").ok();
        assert_eq!(os_release(&web).unwrap_err().errno, Errno::INVAL);
        expect(&|file| symlink("/dev/zero", file).unwrap(), Errno::INVAL);
        expect(
            &|file| fs::write(file, vec![b'x'; 65537]).unwrap(),
            Errno::FBIG,
        );
    });
}

#[test]
fn opens_the_root_directory() {
    sandbox!(bare(), |s| {
        let web = s.container("web").no_network().start();
        let reply = ask(&web, &Request::RootDirectory).unwrap();
        let directory = fs::metadata(format!("/proc/self/fd/{}", {
            use std::os::fd::AsRawFd;
            reply.fds[0].as_raw_fd()
        }));
        let root = fs::metadata(web.inside("/")).unwrap();
        let directory = directory.unwrap();
        assert_eq!((directory.dev(), directory.ino()), (root.dev(), root.ino()));
    });
}

#[test]
fn a_machine_on_the_hosts_file_system_is_refused() {
    sandbox!(bare(), |s| {
        let mut child = Command::new("unshare")
            .args(["--net", "sleep", "60"])
            .spawn()
            .unwrap();
        s.wait_for(
            || {
                fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap_or_default()
                    == "sleep\n"
            },
            "a process of its own",
        );
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        for request in [Request::OsRelease, Request::RootDirectory] {
            let fault = Asked::new(&request, &[pidfd.as_fd()]).reply().unwrap_err();
            assert_eq!(fault.errno, Errno::OPNOTSUPP);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let fault = Asked::new(&Request::OsRelease, &[pidfd.as_fd()]).reply();
        assert_eq!(fault.unwrap_err().errno, Errno::SRCH);
        let file = File::open("/dev/null").unwrap();
        assert!(
            Asked::new(&Request::OsRelease, &[file.as_fd()])
                .reply()
                .is_err()
        );
        assert!(Asked::new(&Request::OsRelease, &[]).reply().is_err());
    });
}

#[test]
fn copies_both_ways() {
    sandbox!(bare(), |s| {
        let base = 1 << 20;
        for (name, shift) in [("a", 0), ("b", base)] {
            let mut web = s.container(name).no_network();
            if shift != 0 {
                web = web.user_namespace(shift);
            }
            let web = web.start();
            let shift = if s.is_rootless() { 0 } else { shift };
            fs::create_dir_all("/tmp/tree/sub").unwrap();
            fs::write("/tmp/tree/sub/file", "hello").unwrap();
            copy(&web, Side::Machine, "/tmp/tree", "/root/tree").unwrap();
            let file = fs::metadata(web.inside("/root/tree/sub/file")).unwrap();
            assert_eq!((file.uid(), file.gid()), (shift, shift));
            web.run("cd /root/tree; chmod 4755 sub/file; mkfifo pipe; ln -s /etc/passwd link")
                .ok();
            copy(&web, Side::Host, "/root/tree", &format!("/tmp/{name}")).unwrap();
            let file = fs::metadata(format!("/tmp/{name}/sub/file")).unwrap();
            assert_eq!((file.uid(), file.gid()), (0, 0));
            // What is setuid in a machine is not so on the host.
            assert_eq!(file.mode() & 0o7777, 0o755, "{name}");
            let link = fs::read_link(format!("/tmp/{name}/link")).unwrap();
            assert_eq!(link, Path::new("/etc/passwd"));
        }
    });
}

#[test]
fn a_copy_never_leaves_the_container() {
    sandbox!(bare(), |s| {
        let web = s.container("web").no_network().start();
        fs::write("/tmp/secret", "of the host").unwrap();
        fs::write("/tmp/plant", "planted").unwrap();
        fs::create_dir("/tmp/out").unwrap();
        for (link, target) in [
            ("absolute", "/run/containers"),
            ("dots", "../../../../../run/containers"),
            ("magic", "/proc/1/root"),
            ("cwd", "/proc/1/cwd"),
        ] {
            web.run(&format!("ln -s {target} /tmp/{link}")).ok();
            let to = format!("/tmp/{link}/plant");
            assert!(
                copy(&web, Side::Machine, "/tmp/plant", &to).is_err(),
                "{link}"
            );
            let from = format!("/tmp/{link}/web/etc/hostname");
            assert!(
                copy(&web, Side::Host, &from, "/tmp/out/x").is_err(),
                "{link}"
            );
        }
        web.run("ln -s /tmp/secret /tmp/file").ok();
        copy(&web, Side::Host, "/tmp/file", "/tmp/out/file").unwrap();
        assert!(fs::symlink_metadata("/tmp/out/file").unwrap().is_symlink());
        // Over a link, not through it.
        copy(&web, Side::Machine, "/tmp/plant", "/tmp/file").unwrap();
        assert_eq!(fs::read("/tmp/secret").unwrap(), b"of the host");
        assert_eq!(fs::read(web.inside("/tmp/file")).unwrap(), b"planted");
        // A path on the host means the host's links.
        symlink("/tmp/out", "/tmp/way").unwrap();
        copy(&web, Side::Host, "/etc/hostname", "/tmp/way/name").unwrap();
        assert_eq!(fs::read("/tmp/out/name").unwrap(), b"web\n");
    });
}

#[test]
fn a_link_swapped_during_a_copy_leads_nowhere() {
    sandbox!(bare(), |s| {
        let web = s.container("web").no_network().start();
        fs::create_dir("/tmp/dir").unwrap();
        fs::write("/tmp/dir/plant", "planted").unwrap();
        fs::create_dir("/tmp/target").unwrap();
        web.run("mkdir /tmp/real").ok();
        let swapping = "while :; do mv /tmp/real /tmp/way; mv /tmp/way /tmp/real; \
            ln -s ../../../../../../../../tmp/target /tmp/way; rm /tmp/way; done";
        let leader = web.leader().to_string();
        let daemon = s.spawn(
            "swap",
            &[
                "nsenter", "-t", &leader, "-m", "-p", "/bin/sh", "-c", swapping,
            ],
        );
        let mut done = 0;
        for _ in 0..60 {
            done += usize::from(copy(&web, Side::Machine, "/tmp/dir", "/tmp/way/copy").is_ok());
            let _ = copy(&web, Side::Host, "/tmp/way", "/tmp/back");
        }
        assert_eq!(
            fs::read_dir("/tmp/target").unwrap().count(),
            0,
            "{done} copies"
        );
        drop(daemon);
    });
}

#[test]
fn bind_mounts_a_directory_and_a_file() {
    sandbox!(bare(), |s| {
        fs::create_dir("/tmp/data").unwrap();
        fs::write("/tmp/data/file", "shared").unwrap();
        let web = s.container("web").no_network().start();
        bind(&web, "/tmp/data", "/srv/new/data", false).unwrap();
        bind(&web, "/tmp/data/file", "/srv/file", true).unwrap();
        assert_eq!(
            web.run("cat /srv/new/data/file /srv/file").ok(),
            "sharedshared"
        );
        web.run("echo more >/srv/new/data/other").ok();
        assert!(Path::new("/tmp/data/other").exists());
        assert_ne!(web.run("echo x >/srv/file").status, Some(0));
        assert_ne!(
            web.run("mount -o remount,rw /srv/file; echo x >>/none/x")
                .status,
            Some(0)
        );
        // In the container only.
        assert!(
            !fs::read_to_string("/proc/self/mountinfo")
                .unwrap()
                .contains("/srv/new")
        );
        web.run("ln -s / /tmp/root; ln -s ../../../../tmp/none /tmp/up; mkdir /tmp/there")
            .ok();
        bind(&web, "/tmp/data", "/tmp/root/tmp/there", false).unwrap();
        assert!(web.inside("/tmp/there/file").exists());
        assert!(bind(&web, "/tmp/none", "/tmp/there", false).is_err());
        assert!(bind(&web, "/tmp/data", "/proc/1/root/tmp/there", false).is_err());
    });
}

#[test]
fn a_bind_mount_has_the_containers_user_ids() {
    sandbox!(bare(), |s| {
        fs::create_dir("/tmp/data").unwrap();
        fs::write("/tmp/data/file", "shared").unwrap();
        let web = s
            .container("web")
            .user_namespace(1 << 20)
            .no_network()
            .start();
        match bind(&web, "/tmp/data", "/srv", true) {
            Ok(()) => assert_eq!(web.run("stat -c %u /srv/file").ok().trim(), "0"),
            // Not on every file system, and not for an ordinary user.
            Err(fault) => {
                assert!(
                    matches!(fault.errno, Errno::OPNOTSUPP | Errno::PERM),
                    "{fault}"
                );
                assert!(!web.inside("/srv").exists());
            }
        }
        assert_ne!(web.run("mount -o remount,bind,rw /srv").status, Some(0));
    });
}

#[test]
fn runs_a_program_without_a_service_manager() {
    sandbox!(bare(), |s| {
        let web = s.container("web").no_network().start();
        let text = shell(
            &web,
            "root",
            "tty; id -u; pwd; echo $HOME $USER $TERM; hostname; echo $$; cat /proc/self/status",
        )
        .unwrap();
        assert!(
            text.starts_with("/dev/pts/0\n0\n/root\n/own root dumb\nweb\n"),
            "{text}"
        );
        // Not among the sandbox's processes.
        assert!(
            text.lines().nth(5).unwrap().parse::<u32>().unwrap() < 50,
            "{text}"
        );
        if !s.is_rootless() {
            let text = shell(&web, "user", "id -u; id -g; id -G; pwd; tty <&1").unwrap();
            assert_eq!(text, "1000\n1000\n1000\n/tmp\n/dev/pts/0\n");
            let caps = shell(&web, "user", "grep CapEff /proc/self/status").unwrap();
            assert_eq!(caps, "CapEff:\t0000000000000000\n");
        }
        // No descriptor of ours: the three of the terminal, and the one of ls itself.
        assert_eq!(
            shell(&web, "root", "ls /proc/self/fd")
                .unwrap()
                .split_whitespace()
                .count(),
            4
        );
        assert_eq!(
            shell(&web, "nobody-such", "id").unwrap_err().errno,
            Errno::SRCH
        );
        let own = s
            .container("own")
            .user_namespace(1 << 20)
            .no_network()
            .start();
        assert_eq!(
            shell(&own, "root", "id -u; cat /proc/1/comm")
                .unwrap()
                .lines()
                .next(),
            Some("0")
        );
    });
}

#[test]
fn a_program_is_in_the_containers_cgroup_and_bounds() {
    sandbox!(bare(), |s| {
        let web = s.container("web").no_network().start();
        s.place_in_scope(&web);
        let text = shell(&web, "root", "cat /proc/self/cgroup").unwrap();
        if s.has_cgroups() {
            assert!(text.contains("machine-web.scope"), "{text}");
        }
        let bounds = |text: &str| {
            let line = text.lines().find(|line| line.starts_with("CapBnd"));
            line.unwrap().to_owned()
        };
        let status = fs::read_to_string(format!("/proc/{}/status", web.leader())).unwrap();
        let text = shell(&web, "root", "cat /proc/self/status").unwrap();
        assert_eq!(
            bounds(&text).replace("CapBnd", "CapEff"),
            text.lines()
                .find(|line| line.starts_with("CapEff"))
                .unwrap()
        );
        assert_eq!(bounds(&text), bounds(&status));
    });
}

#[test]
fn a_container_can_not_write_to_the_program() {
    sandbox!(bare(), |s| {
        let web = s.container("web").usr().no_network().start();
        let terminal = Request::Terminal {
            host: false,
            bus: false,
        };
        // Programs that are really the one that starts them: by a link, and by their first line.
        web.run("ln -s /proc/self/exe /tmp/link; printf '#!/proc/self/exe\\n' >/tmp/line; chmod +x /tmp/line")
            .ok();
        for path in ["/tmp/link", "/tmp/line", "/bin/sh"] {
            let fds = ask(&web, &terminal).unwrap().fds;
            let request = Request::Session {
                host: false,
                program: Program::Shell {
                    user: "root".into(),
                    path: path.into(),
                    args: Vec::new(),
                    environment: Vec::new(),
                },
            };
            let asked = Asked::new(&request, &[leader(&web).as_fd(), fds[1].as_fd()]);
            asked.reply().unwrap();
            // The first two end at once.
            let exe = fs::read_link(format!("/proc/{}/exe", asked.child.id()));
            let sealed = |exe: &Path| exe.to_str().unwrap().starts_with("/memfd:");
            assert!(exe.as_deref().map_or(path != "/bin/sh", sealed), "{exe:?}");
        }
    });
}

#[test]
fn a_terminal_is_a_terminal() {
    sandbox!(bare(), |s| {
        let web = s.container("web").no_network().start();
        let request = Request::Terminal {
            host: false,
            bus: true,
        };
        let reply = ask(&web, &request).unwrap();
        assert_eq!(reply.text, b"/dev/pts/0");
        assert_eq!(reply.fds.len(), 2, "there is no bus");
        let mut ours = File::from(reply.fds.into_iter().next().unwrap());
        ours.write_all(b"typed\n").unwrap();
        let read = web.run("head -n1 </dev/pts/0").ok();
        assert_eq!(read, "typed\n");
        drop(ours);
        web.run(
            "umount /dev/pts; mkdir -p /dev/pts; touch /dev/pts/0; mknod /dev/pts/ptmx c 5 2; true",
        )
        .ok();
        assert_eq!(ask(&web, &request).unwrap_err().errno, Errno::OPNOTSUPP);
        web.run("rm -r /dev/pts; ln -s /proc/1/root/dev/pts /dev/pts")
            .ok();
        assert_eq!(ask(&web, &request).unwrap_err().errno, Errno::ACCESS);
    });
}

#[test]
fn a_stopped_container_can_be_entered_and_a_dying_one_ends_a_copy() {
    sandbox!(bare(), |s| {
        let web = s.container("web").no_network().start();
        s.run(&format!("kill -STOP {}", web.leader())).ok();
        assert!(os_release(&web).is_ok());
        s.run(&format!("kill -CONT {}", web.leader())).ok();
        web.run("mkdir /tmp/many; cd /tmp/many; i=0; while [ $i -lt 300 ]; do echo $i >$i; i=$((i+1)); done")
            .ok();
        let leader = leader(&web);
        let killing = thread::scope(|scope| {
            let copying = scope.spawn(|| copy_with(leader, Side::Host, "/tmp/many", "/tmp/many"));
            web.kill();
            copying.join().unwrap()
        });
        // Whole or not at all.
        match killing {
            Ok(()) => assert_eq!(fs::read_dir("/tmp/many").unwrap().count(), 300),
            Err(_) => {
                let left = fs::read_dir("/tmp")
                    .unwrap()
                    .map(|entry| entry.unwrap().file_name());
                let mut left = left.map(|name| name.into_string().unwrap());
                assert!(left.all(|name| name != "many" && !name.contains("switchyard-copy")));
            }
        }
        assert_eq!(os_release_of_dead(&web), Errno::SRCH);
    });
}

fn os_release_of_dead(container: &Container) -> Errno {
    match pidfd_open(
        Pid::from_raw(container.leader().cast_signed()).unwrap(),
        PidfdFlags::empty(),
    ) {
        Err(errno) => errno,
        Ok(pidfd) => {
            let asked = Asked::new(&Request::OsRelease, &[pidfd.as_fd()]);
            asked.reply().unwrap_err().errno
        }
    }
}

#[test]
fn the_container_can_not_look_into_the_process() {
    sandbox!(bare(), |s| {
        let web = s
            .container("web")
            .user_namespace(1 << 20)
            .no_network()
            .start();
        let (sending, receiving) = socket::pair().unwrap();
        let request = Request::Receive {
            side: Side::Machine,
            path: "/tmp/x".into(),
            replace: false,
        };
        // It waits for the other half, inside.
        let asked = Asked::new(&request, &[leader(&web).as_fd(), receiving.as_fd()]);
        let pid = asked.child.id();
        let inside = || {
            let users = |pid| fs::read_link(format!("/proc/{pid}/ns/user")).ok();
            users(pid) == users(web.leader())
        };
        s.wait_for(inside, "the process to enter");
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            line.unwrap().trim().to_owned()
        };
        assert_eq!(line("NoNewPrivs:"), "1");
        assert_eq!(line("CapEff:"), "000000008800001f");
        assert_eq!(
            line("Groups:"),
            if s.is_rootless() {
                line("Groups:")
            } else {
                String::new()
            }
        );
        // /proc/PID/mem of what is not dumpable belongs to the host's root, whatever its own user is.
        assert_eq!(fs::metadata(format!("/proc/{pid}/mem")).unwrap().uid(), 0);
        let seen = web.run("cat /proc/[0-9]*/comm 2>/dev/null; true").ok();
        assert!(
            seen.contains("busybox") && !seen.contains("machined"),
            "{seen}"
        );
        drop(sending);
    });
}

/// What is seen of the process while it waits for something of the container's.
struct Seen {
    status: String,
    open: Vec<PathBuf>,
    readable: bool,
}

impl Seen {
    fn of(s: &Sandbox, pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        // A program that is still being loaded closes some meanwhile.
        let open = descriptors.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
        Self {
            status,
            open: open.collect(),
            readable: is_readable(s, pid),
        }
    }

    fn line(&self, key: &str) -> &str {
        let line = self.status.lines().find_map(|line| line.strip_prefix(key));
        line.unwrap().trim()
    }
}

/// For setpriv(1).
const WITHOUT_PTRACE: [&str; 4] = ["--inh-caps", "-all", "--bounding-set", "-sys_ptrace"];

/// Whether a process may be looked into by its own user: by root, with all capabilities but CAP_SYS_PTRACE. What is not
/// dumpable may not (ptrace(2), "Ptrace access mode checking").
fn is_readable(s: &Sandbox, pid: u32) -> bool {
    let setpriv = s.cmd("setpriv").args(WITHOUT_PTRACE);
    let read = setpriv.args(["readlink", "-v", &format!("/proc/{pid}/exe")]);
    let read = read.run();
    let refused = read.stderr.contains("Permission denied");
    assert!(read.status == Some(0) || refused, "{read}");
    !refused
}

/// A file that children inherit.
fn inherited(path: &str) -> File {
    let file = File::create(path).unwrap();
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).unwrap();
    file
}

#[test]
fn each_operation_has_what_it_needs_and_no_more() {
    sandbox!(bare(), |s| {
        const FILES: &str = "000000008800001f";
        const FILES_AND_MOUNTS: &str = "000000008820001f";
        let path = |path: &str| path.to_owned();
        let operations = [
            (Request::OsRelease, "0000000000000000"),
            (
                Request::Send {
                    side: Side::Machine,
                    path: path("/mnt/x"),
                },
                FILES,
            ),
            (
                Request::Receive {
                    side: Side::Machine,
                    path: path("/mnt/x"),
                    replace: true,
                },
                FILES,
            ),
            (
                Request::Bind {
                    source: path("/tmp"),
                    destination: path("/mnt/x"),
                    read_only: false,
                    mkdir: false,
                },
                FILES_AND_MOUNTS,
            ),
        ];
        let web = s.container("web").no_network().start();
        let files = web.run("mkdir -p /mnt; rm /etc/os-release; ln -s /mnt/x /etc/os-release");
        files.ok();
        fs::write("/tmp/source", "a file").unwrap();
        let secret = inherited("/tmp/secret");
        // The two measures work.
        let mut plain = Command::new("setpriv")
            .args(WITHOUT_PTRACE)
            .args(["sleep", "60"])
            .spawn()
            .unwrap();
        let comm = format!("/proc/{}/comm", plain.id());
        let is_sleep = || fs::read_to_string(&comm).unwrap() == "sleep\n";
        s.wait_for(is_sleep, "a process to compare with");
        let seen = Seen::of(s, plain.id());
        assert!(seen.readable);
        assert!(seen.open.contains(&"/tmp/secret".into()), "{:?}", seen.open);
        plain.kill().unwrap();
        plain.wait().unwrap();

        for (request, capabilities) in operations {
            let Some(hanging) = Hanging::mount(&web, "/mnt") else {
                return; // no FUSE here
            };
            let (sending, receiving) = socket::pair().unwrap();
            let asked = Asked::new(&request, &[leader(&web).as_fd(), receiving.as_fd()]);
            drop(receiving);
            // The other half of a copy has something to say, so that the file is looked for.
            let source = Request::Send {
                side: Side::Host,
                path: path("/tmp/source"),
            };
            let _reader = matches!(request, Request::Receive { .. })
                .then(|| Asked::new(&source, &[leader(&web).as_fd(), sending.as_fd()]));
            // Dropped first: whoever waits for it can't even be killed.
            let hanging = hanging;
            s.wait_for(|| hanging.asked() > 0, "the operation to hang");
            let seen = Seen::of(s, asked.child.id());
            assert_eq!(seen.line("NoNewPrivs:"), "1", "{request:?}");
            for set in ["CapEff:", "CapPrm:"] {
                assert_eq!(seen.line(set), capabilities, "{request:?}");
            }
            for set in ["CapInh:", "CapAmb:"] {
                assert_eq!(seen.line(set), "0000000000000000", "{request:?}");
            }
            assert!(!seen.readable, "{request:?}");
            assert!(
                !seen.open.contains(&"/tmp/secret".into()),
                "{request:?}: {:?}",
                seen.open
            );
        }
        drop(secret);
    });
}
