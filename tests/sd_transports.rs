//! Ways of sd-bus to a server: addresses, programs, TCP, sockets that come late, other machines, containers. One C program
//! goes them by the original and by ours, and prints the same.

#[path = "machined_copies/fuse.rs"]
mod fuse;
mod sd_probe;
#[path = "machined_enter/stall.rs"]
mod stall;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use fuse::Hanging;
use rustix::process::{Pid, Signal, kill_process};
use sd_probe::{OURS, Probe, configure_open_bus, open_bus_with, quiet, theirs};
use stall::Stall;
use support::{Container, Daemon, Options, Sandbox, Via, sandbox, skip_for_machine};

const PROBE: &str = include_str!("c/transport_probe.c");
/// A program that is called as `ssh` is, and brings us to a bus here.
const SSH: &str = "#!/bin/sh\n\
    for argument; do printf '<%s>' \"$argument\"; done >>/tmp/said; echo >>/tmp/said\n\
    exec /tmp/transport_probe relay /tmp/bus\n";

fn probe(s: &Sandbox) -> Probe<'_> {
    // What checks the memory of the probe, and nothing else that it could call.
    fs::create_dir_all("/tmp/few").unwrap();
    for tool in ["valgrind", "valgrind.bin", "env"] {
        let found = s.run(&format!("command -v {tool}")).stdout;
        if !found.is_empty() {
            let _ = symlink(found.trim(), Path::new("/tmp/few").join(tool));
        }
    }
    Probe::new(s, "transport_probe", PROBE)
}

/// Lists of addresses, tried in turn; each kind that this machine can have.
#[test]
fn addresses() {
    sandbox!(quiet(), |s| {
        let _bus = tcp_bus(s);
        let probe = probe(s);
        let tried = [
            "unix:path=/tmp/bus",
            "unix:path=/nope;unix:path=/tmp/bus",
            "nonsense:;unix:abstract=/nope;unix:path=/tmp/bus",
            "unix:path=/tmp/bus,guid=0123456789abcdef0123456789abcdef",
            "unixexec:path=/tmp/transport_probe,argv1=relay,argv2=/tmp/bus",
            "tcp:host=127.0.0.1,port=47110",
            "tcp:host=127.0.0.1,port=47110,family=ipv4",
            "tcp:host=127.0.0.1,port=1;unix:path=/tmp/bus",
            "x-machine-unix:machine=none;unix:path=/tmp/bus",
            "unix:runtime=yes;unix:path=/tmp/bus",
            "unix:path=/nope;unix:bad",
        ];
        let said = probe.compare(&line("addresses", &tried), &[]);
        assert_eq!(said.matches("answered").count(), 8, "{said}");
        let failing = [
            "",
            "nonsense:x=y",
            "nonsense:x=y;unix:path=/nope",
            "unix:path=/nope;nonsense:",
            "unix:path=/nope;unix:bad",
            "unix:path=/nope",
            "unix:path=/etc/passwd",
            "unix:abstract=nope",
            "unix:runtime=yes",
            "unix:runtime=no",
            "unix:dir=/tmp",
            "unix:tmpdir=/tmp",
            "tcp:host=127.0.0.1,port=nosuchservice",
            "tcp:host=::1,port=1,family=ipv4",
            "tcp:host=no.such.host.invalid,port=1",
            "x-machine-unix:machine=none",
            "x-machine-unix:machine=a/b",
            "x-machine-unix:machine=..",
            "x-machine-unix:pid=999999999",
            "x-machine-unix:pid=0",
        ];
        let said = probe.compare(&line("starts", &failing), &[]);
        assert_eq!(said.lines().count(), failing.len(), "{said}");
        probe.compare("$probe nothing", &[]);
        // Theirs gives up where a name is unknown, and finds out that there is no program when it is too late to go on.
        let ours = [
            "tcp:host=no.such.host.invalid,port=1;unix:path=/tmp/bus",
            "unixexec:path=/nope;unix:path=/tmp/bus",
        ];
        let said = probe.with(OURS, &line("addresses", &ours));
        assert_eq!(said.matches("answered").count(), 2, "{said}");
    });
}

/// A program speaks for the bus; it ends with the connection, and the connection with it.
#[test]
fn programs() {
    sandbox!(quiet(), |s| {
        let _bus = tcp_bus(s);
        let said = probe(s).compare("$probe exec $probe /tmp/bus /tmp/log", &[]);
        assert_eq!(said.matches("ask(bus) = 1").count(), 2, "{said}");
    });
}

/// One that does not end when it is asked to.
#[test]
fn a_stubborn_program() {
    sandbox!(quiet(), |s| {
        let said = probe(s).with(OURS, "$probe stubborn");
        assert_eq!(said, "begun 1, gone before it would end 1, children 0\n");
    });
}

/// A bus that is not there yet, in a folder that is not there yet.
#[test]
fn a_late_bus() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.compare("$probe watch /tmp/late", &[]);
        let found = "listening: woken 1, connected 1";
        assert_eq!(said.matches(found).count(), 4, "{said}");
        configure_open_bus("");
        let start = "exec dbus-daemon --config-file=/tmp/bus.conf --nofork";
        let line = format!("rm -f /tmp/bus; $probe late unix:path=/tmp/bus '{start}'");
        let said = probe.compare(&line, &[]);
        assert!(said.contains("ask(bus) = 1"), "{said}");
        // Behind the loop the connection is closed: it is asked while that runs.
        let line = line.replace("$probe late", "$probe attached");
        let said = probe.compare(&line, &[]);
        assert!(said.contains("told: Connected\nanswered\n"), "{said}");
        // One that is there, by a connection that is made meanwhile; after one that is refused.
        let _bus = tcp_bus(s);
        let addresses = "tcp:host=127.0.0.1,port=1;tcp:host=127.0.0.1,port=47110";
        let said = probe.compare(&format!("$probe attached '{addresses}' true"), &[]);
        assert!(said.contains("told: Connected\nanswered\n"), "{said}");
    });
}

/// The system bus of another host, by ssh.
#[test]
fn another_host() {
    sandbox!(quiet(), |s| {
        let _bus = tcp_bus(s);
        let probe = probe(s);
        program("ssh", SSH);
        let hosts = [
            "host",
            "user@host",
            "host:22",
            "user@host:22",
            "host/web",
            "host:22/web",
            "host:web",
            "[::1]",
            "[fe80::1%eth0]:22/web",
            "host/.host",
            "host/",
        ];
        let what = line("remote", &hosts);
        let ours = called(&probe, OURS, &what, hosts.len());
        let theirs = called(&probe, &theirs(s), &what, hosts.len());
        assert_eq!(ours, theirs);
        assert_eq!(
            ours.0.matches("answered").count(),
            hosts.len(),
            "{}",
            ours.0
        );
        let whole = "<-xT><-p><22><--><host><systemd-stdio-bridge><--machine=web>";
        assert!(ours.1.contains(&whole.to_owned()), "{:?}", ours.1);
        // Theirs hands all of these to ssh.
        let odd = [
            "",
            "-host",
            "-oProxyCommand=touch%20/tmp/x",
            "u@-host",
            "-u@host",
            "a b",
            "a;b",
            "$(touch /tmp/x)",
            "a\nb",
            "host/a/b",
            "host/-x",
            "host:0",
            "host:99999",
            "host:x/web",
            "[::1",
            "[a b]",
            "h\u{e4}",
        ];
        let _ = fs::remove_file("/tmp/said");
        let said = probe.with(
            OURS,
            &format!("export PATH=/tmp/bin:$PATH; {}", line("remote", &odd)),
        );
        assert_eq!(said.matches(": -22 EINVAL").count(), odd.len(), "{said}");
        assert!(!Path::new("/tmp/said").exists());
        // Theirs is content, until it is asked.
        let said = probe.with(
            OURS,
            &format!("export PATH=/tmp/few; {}", line("remote", &["host"])),
        );
        assert_eq!(said, "host: -2 ENOENT\n");
    });
}

/// With both libraries; with ours alone in a sandbox of an ordinary user's, who has no other users and no groups to give up: there
/// systemd's gets into no container, and says EPROTO.
fn both(s: &Sandbox, probe: &Probe<'_>, line: &str) -> String {
    match s.is_rootless() {
        true => probe.with(OURS, line),
        false => probe.compare(line, &[]),
    }
}

/// The bus inside a container, from outside.
#[test]
fn a_container() {
    sandbox!(|s| {
        let web = s.container("web").usr().start();
        s.register(&web, Via::BusCreate);
        let probe = probe(s);
        let ask = line("machine", &["web"]);
        both(s, &probe, &ask);
        let _bus = web.start_bus();
        let said = both(s, &probe, &ask);
        assert!(said.contains("answered"), "{said}");
        // Its leader does not have to run for that.
        let leader = Pid::from_raw(web.leader().try_into().unwrap()).unwrap();
        kill_process(leader, Signal::STOP).unwrap();
        let said = both(s, &probe, &ask);
        assert!(said.contains("answered"), "{said}");
        kill_process(leader, Signal::CONT).unwrap();

        let number = format!("x-machine-unix:pid={}", web.leader());
        let addresses = [
            &number,
            "x-machine-unix:machine=web",
            "x-machine-unix:machine=.host",
        ];
        let said = both(s, &probe, &line("addresses", &addresses));
        assert_eq!(said.matches("answered").count(), 3, "{said}");
        let odd = [
            "nope",
            ".host",
            "root@.host",
            "@.host",
            "",
            "@",
            "-x",
            "a b",
            "../web",
            "a/b",
            "a@b@c",
            "we\u{e4}",
        ];
        let said = probe.compare(&line("machine", &odd), &[]);
        assert!(said.starts_with("nope: -112 EHOSTDOWN\n"), "{said}");
        assert_eq!(said.matches("answered").count(), 3, "{said}");

        // Who may not enter it.
        if !s.is_rootless() {
            let other = format!("setpriv --reuid=1000 --clear-groups {ask}");
            let said = probe.compare(&other, &[]);
            assert!(said.starts_with("web: -"), "{said}");
        }

        // Records that systemd would write, or somebody who is not root has had written.
        let record = |text: &str| {
            let text = format!("CLASS=container\nLEADER={}\n{text}", web.leader());
            fs::write("/run/systemd/machines/other", text).unwrap();
            probe.with(OURS, &line("machine", &["other"]))
        };
        let begun = start_time(web.leader());
        for text in ["", "UID=0\n", &format!("LEADER_START_TIME={begun}\n")] {
            assert!(record(text).ends_with("answered\n"), "{text}");
        }
        assert_eq!(record("UID=1000\n"), "other: -1 EPERM\n");
        let another = format!("LEADER_START_TIME={}\n", begun + 1);
        assert_eq!(record(&another), "other: -2 ENOENT\n");

        // One that is gone, and one whose record was left behind.
        web.kill();
        s.wait_for(
            || !Path::new("/run/systemd/machines/web").exists(),
            "machined to notice",
        );
        assert_eq!(both(s, &probe, &ask), "web: -112 EHOSTDOWN\n");
        let stale = |text: &str| {
            fs::write("/run/systemd/machines/stale", text).unwrap();
            probe.with(OURS, &line("machine", &["stale"]))
        };
        for text in [
            "",
            "CLASS=container\n",
            "CLASS=vm\nLEADER=2\n",
            "CLASS=container\nLEADER=1\n",
            "CLASS=container\nLEADER=x\n",
        ] {
            assert_eq!(stale(text), "stale: -5 EIO\n", "{text}");
        }
        let gone = "stale: -2 ENOENT\n";
        assert_eq!(stale("CLASS=container\nLEADER=999999999\n"), gone);
        // One that is not in anything: its bus would be ours.
        let own = std::process::id();
        assert_eq!(
            stale(&format!("CLASS=container\nLEADER={own}\n")),
            "stale: -1 EPERM\n"
        );
        // Its number is another process's by now.
        for proof in [
            "LEADER_PIDFDID=1\nLEADER_START_TIME=1\n",
            "LEADER_START_TIME=1\n",
        ] {
            assert_eq!(
                stale(&format!("CLASS=container\nLEADER={own}\n{proof}")),
                gone
            );
        }
    });
}

/// A container with users of its own: who asks is its root, or one of its users.
#[test]
fn users_of_a_container() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip_for_machine!("an ordinary user has no other users to give");
        }
        for (name, base) in [("plain", None), ("shifted", Some(200_000))] {
            let container = s.container(name).usr();
            let container = match base {
                Some(base) => container.user_namespace(base),
                None => container,
            };
            let container = container.start();
            s.register(&container, Via::BusCreate);
            let _bus = container.start_bus();
            let probe = probe(s);
            let said = probe.compare(&line("machine", &[name]), &[]);
            assert!(said.contains("answered"), "{said}");

            // As a user of it, without systemd-run.
            let places = ["user", "1000", "root", "0"].map(|user| format!("{user}@{name}"));
            let places = places.each_ref().map(String::as_str);
            let said = probe.with(
                OURS,
                &format!("export PATH=/tmp/few; {}", line("machine", &places)),
            );
            assert_eq!(said.matches("answered").count(), 4, "{said}");
            let nobody = format!("nobody@{name}");
            let said = probe.with(
                OURS,
                &format!("export PATH=/tmp/few; {}", line("machine", &[&nobody])),
            );
            assert!(said.ends_with(": -3 ESRCH\n"), "{said}");

            // The user's own bus.
            let user = "setpriv --reuid=1000 --regid=1000 --clear-groups dbus-daemon --session --nofork --address=unix:path=/run/user/1000/bus";
            container
                .run("mkdir -p /run/user/1000 && chown 1000:1000 /run/user/1000")
                .ok();
            let mut bus = container_command(&container, user);
            let socket = container.inside("/run/user/1000/bus");
            s.wait_for(|| UnixStream::connect(&socket).is_ok(), "the user's bus");
            let place = format!("user@{name}");
            let said = probe.with(
                OURS,
                &format!("export PATH=/tmp/few; {}", line("user-machine", &[&place])),
            );
            assert!(said.contains("answered"), "{said}");
            bus.kill().unwrap();
            bus.wait().unwrap();
        }
    });
}

/// With systemd-run, which logs the user in.
#[test]
fn systemd_run_is_used() {
    sandbox!(quiet(), |s| {
        let _bus = tcp_bus(s);
        let probe = probe(s);
        program("systemd-run", SSH);
        let what = [
            line("machine", &["user@web", "@web", "user@"]),
            line("user-machine", &["web", "user@web", "user@.host"]),
        ];
        let ours = called(&probe, OURS, &what.join("; "), 6);
        let theirs = called(&probe, &theirs(s), &what.join("; "), 6);
        assert_eq!(ours, theirs);
        assert_eq!(ours.0.matches("answered").count(), 6, "{}", ours.0);
        let odd = ["-x@web", "a b@web", "%u@web", "a:b@web", "u@-web"];
        let said = probe.with(OURS, &line("user-machine", &odd));
        assert_eq!(said.matches(": -22 EINVAL").count(), odd.len(), "{said}");
    });
}

/// What a container may lay out for who comes in: it leads nobody out, and holds nobody up.
#[test]
fn a_container_that_lies() {
    sandbox!(Options::new().timeout(Duration::from_secs(120)), |s| {
        let web = s.container("web").usr().start();
        s.register(&web, Via::BusCreate);
        let probe = probe(s);
        let folder = web.inside("/run/dbus");
        fs::create_dir_all(&folder).unwrap();
        let socket = folder.join("system_bus_socket");
        // The host's bus is there, and the program has the host's root open.
        let host = "run/dbus/system_bus_socket";
        assert!(Path::new("/").join(host).exists());
        for lead in [
            format!("/proc/self/fd/9/{host}"),
            format!("/proc/self/root/../../{host}"),
            format!("/proc/self/cwd/../../../../{host}"),
            format!("../../../../../../{host}.none"),
            format!("/proc/1/root/proc/self/fd/9/{host}"),
            "/proc/self/fd/9".to_owned(),
            "/proc/self/exe".to_owned(),
            "system_bus_socket".to_owned(),
        ] {
            let _ = fs::remove_file(&socket);
            symlink(&lead, &socket).unwrap();
            let said = probe.with(
                OURS,
                &format!("exec 9</; cd /; {}", line("machine", &["web"])),
            );
            assert!(said.starts_with("web: -"), "{lead}: {said}");
        }
        fs::remove_file(&socket).unwrap();
        for make in ["mkfifo", "mkdir", "touch"] {
            web.run(&format!("{make} /run/dbus/system_bus_socket")).ok();
            let said = both(s, &probe, &line("machine", &["web"]));
            assert!(said.starts_with("web: -"), "{make}: {said}");
            web.run("rm -rf /run/dbus/system_bus_socket").ok();
        }

        // A file that nobody can open.
        let timed = |what: &str| {
            let begun = Instant::now();
            let said = probe.with(OURS, what);
            assert!(said.ends_with(": -110 ETIMEDOUT\n"), "{said}");
            assert!(begun.elapsed() >= Duration::from_secs(5));
        };
        if !s.is_rootless() {
            let _stall = Stall::new(&web.inside("/etc/passwd"));
            timed(&format!(
                "export PATH=/tmp/few; {}",
                line("machine", &["user@web"])
            ));
        }
        // A folder that nobody can look into.
        if s.is_rootless() {
            skip_for_machine!("an ordinary user can't mount FUSE by a descriptor");
        }
        let Some(hanging) = Hanging::mount(&web, "/run/dbus") else {
            skip_for_machine!("there is no FUSE");
        };
        timed(&line("machine", &["web"]));
        // What the kernel does not let go of ends with the file system.
        drop(hanging);
        let mine = || {
            s.run("ps -eo args")
                .ok()
                .contains("transport_probe machine")
        };
        s.wait_for(|| !mine(), "the last process to end");
    });
}

/// From a program with threads, signals, and a lot open.
#[test]
fn a_program_with_threads() {
    sandbox!(|s| {
        let web = s.container("web").usr().start();
        s.register(&web, Via::BusCreate);
        let _bus = web.start_bus();
        let said = probe(s).with(OURS, "$probe threads web");
        assert_eq!(said, "80 of 80 answered, 0 children, 0 told\n");
    });
}

/// When a process began: field 22 of /proc/PID/stat.
fn start_time(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    rest.split_ascii_whitespace()
        .nth(19)
        .unwrap()
        .parse()
        .unwrap()
}

/// A group of the probe with these arguments.
fn line(group: &str, arguments: &[&str]) -> String {
    let quoted = arguments.iter().map(|argument| format!(" '{argument}'"));
    format!("$probe {group}{}", quoted.collect::<String>())
}

/// What the probe prints, and with which arguments it calls programs of ours; only the first so many times, since it is run
/// once more to look at its memory.
fn called(probe: &Probe<'_>, library: &str, what: &str, times: usize) -> (String, Vec<String>) {
    let _ = fs::remove_file("/tmp/said");
    let printed = probe.with(library, &format!("export PATH=/tmp/bin:$PATH; {what}"));
    let said = fs::read_to_string("/tmp/said").unwrap();
    let lines = said.lines().take(times).map(str::to_owned);
    (printed, lines.collect())
}

/// Something of the container's users, in the background.
fn container_command(container: &Container, command: &str) -> std::process::Child {
    let mut enter = std::process::Command::new("nsenter");
    enter
        .args(["-t", &container.leader().to_string()])
        .args(["--all", "--wdns=/", "sh", "-c", &format!("exec {command}")])
        .stdin(Stdio::null());
    enter.spawn().unwrap()
}

/// A program of ours in front of others.
fn program(name: &str, text: &str) {
    fs::create_dir_all("/tmp/bin").unwrap();
    let path = Path::new("/tmp/bin").join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
}

/// A bus where everybody may do everything, for who comes by TCP, too.
fn tcp_bus(s: &Sandbox) -> Daemon {
    // It takes no address of a family of which the machine has none but on loopback.
    s.run("ip address add 192.0.2.1/32 dev lo").ok();
    let more = "<listen>tcp:host=127.0.0.1,bind=127.0.0.1,port=47110,family=ipv4</listen>\
        <auth>ANONYMOUS</auth><allow_anonymous/>";
    open_bus_with(&[], more)
}
