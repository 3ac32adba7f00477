//! The C library beside the original: one C program calls the same functions of both, and prints the same.

mod sd_probe;

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use sd_probe::{OURS, Probe, quiet, theirs};
use support::{Sandbox, Via, sandbox, skip};

const PROBE: &str = include_str!("c/sd_probe.c");

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "sd_probe", PROBE)
}

#[test]
fn ids() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let said = probe.compare("$probe id128", &[]);
        assert!(
            said.contains("machine 0  5a4db0c5a4db0c5a4db0c5a4db0c5a4d"),
            "{said}"
        );
        for content in [
            "",
            "\n",
            "uninitialized\n",
            "00000000000000000000000000000000\n",
            "5a4db0c5a4db0c5a4db0c5a4db0c5a4d",
            "5A4DB0C5A4DB0C5A4DB0C5A4DB0C5A4D\n",
            "5a4db0c5a4db0c5a4db0c5a4db0c5a4d\n\n",
            "5a4db0c5a4db0c5a4db0c5a4db0c5a4d x",
            "5a4db0c5-a4db-0c5a-4db0-c5a4db0c5a4d\n",
            "5a4db0c5a4db0c5a4db0c5a4db0c5a4",
        ] {
            fs::write("/etc/machine-id", content).unwrap();
            probe.compare("$probe id128", &[]);
        }
        fs::remove_file("/etc/machine-id").unwrap();
        probe.compare("$probe id128", &[]);
        fs::create_dir("/etc/machine-id").unwrap();
        probe.compare("$probe id128", &[]);
        for id in [
            "5a4db0c5a4db0c5a4db0c5a4db0c5a4d",
            "5a4db0c5-a4db-0c5a-4db0-c5a4db0c5a4d",
            "",
            "x",
        ] {
            probe.compare(&format!("INVOCATION_ID={id} $probe id128"), &[]);
        }
    });
}

#[test]
fn passed_descriptors() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let mut cases = vec![String::new()];
        for count in [
            "0",
            "1",
            "2",
            "-1",
            "x",
            "",
            " 2",
            "2 ",
            "0x2",
            "02",
            "+2",
            "2147483644",
            "2147483645",
            "99999999999",
        ] {
            cases.push(format!("LISTEN_PID=OWN LISTEN_FDS={count:?}"));
        }
        for pid in ["1", "0", "-1", "x", "", "99999999999", "2147483648"] {
            cases.push(format!("LISTEN_PID={pid} LISTEN_FDS=1"));
        }
        for names in ["a", "a:b", ":", "", "a:", "a:b:c", "::", "a\\ b:c"] {
            cases.push(format!(
                "LISTEN_PID=OWN LISTEN_FDS=2 LISTEN_FDNAMES={names}"
            ));
        }
        cases.push("LISTEN_PID=OWN LISTEN_FDS=1 LISTEN_FDNAMES=".into());
        cases.push("LISTEN_PID=OWN".into());
        cases.push("LISTEN_FDS=1".into());
        for case in cases {
            probe.compare(&format!("{case} $probe listen"), &[]);
        }
    });
}

#[test]
fn the_watchdog() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        let mut cases = vec![String::new(), "WATCHDOG_PID=OWN".into()];
        for time in [
            "1000000",
            "0",
            "1",
            "-1",
            "x",
            "",
            "18446744073709551615",
            "18446744073709551614",
            "18446744073709551616",
            " 7",
            "0x10",
            "0b1",
            "0o17",
            "010",
            "08",
            "+1",
            "-0",
        ] {
            cases.push(format!("WATCHDOG_USEC={time:?}"));
            cases.push(format!("WATCHDOG_PID=OWN WATCHDOG_USEC={time:?}"));
        }
        for pid in ["1", "0", "-1", "x", "", "99999999999"] {
            cases.push(format!("WATCHDOG_USEC=1000 WATCHDOG_PID={pid}"));
        }
        for case in cases {
            probe.compare(&format!("{case} $probe watchdog"), &[]);
        }
    });
}

/// What arrives is compared, too: by a program that prints the datagrams, who sent them, and how many descriptors came along.
#[test]
fn notifications() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        fs::write("/tmp/manager.py", MANAGER).unwrap();
        for address in ["/tmp/notify", "@notify"] {
            let line = format!(
                "rm -f /tmp/notify; python3 /tmp/manager.py {address} >/tmp/arrived & \
                 while ! grep -q notify /proc/net/unix; do sleep 0.01; done; \
                 NOTIFY_SOCKET={address} $probe notify; wait; cat /tmp/arrived"
            );
            let said = probe.compare(&line, &[]);
            assert!(
                said.contains("READY=1") && said.contains("descriptors 2"),
                "{said}"
            );
        }
        for address in [
            "",
            "@",
            "relative",
            "/tmp/none",
            "/dev/null",
            "@none",
            &format!("/{}", "x".repeat(200)),
        ] {
            probe.compare(&format!("NOTIFY_SOCKET={address} $probe notify"), &[]);
        }
        let _deaf = UnixDatagram::bind("/tmp/deaf").unwrap();
        probe.compare("NOTIFY_SOCKET=/tmp/deaf $probe barrier", &[]);
        probe.compare("$probe notify", &[]);
        fs::remove_dir("/run/systemd/system").unwrap();
        probe.compare("$probe notify", &[]);
    });
}

const MANAGER: &str = r#"
import os, socket, sys
name = sys.argv[1]
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
manager.bind("\0" + name[1:] if name[0] == "@" else name)
manager.settimeout(10)
while True:
    data, control, flags, address = manager.recvmsg(4096, 4096)
    for level, kind, value in control:
        if kind == socket.SCM_RIGHTS:
            descriptors = [int.from_bytes(value[i:i + 4], sys.byteorder) for i in range(0, len(value), 4)]
            print("descriptors", len(descriptors))
            for descriptor in descriptors:
                os.close(descriptor)
        elif kind == socket.SCM_CREDENTIALS:
            pid, uid, gid = (int.from_bytes(value[i:i + 4], sys.byteorder) for i in (0, 4, 8))
            print("from", pid if pid == 1 else "the program", uid, gid)
    print(data.decode())
    if data == b"LAST=1":
        break
"#;

#[test]
fn kinds_of_descriptors() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        s.run("ip link set lo up; mkdir -p /dev/mqueue; mount -t mqueue none /dev/mqueue")
            .ok();
        // Theirs takes the beginning of a path for the path, if its length is given.
        let known: Vec<String> = (0..11).map(|fd| format!("{fd} path prefix ")).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let said = probe.compare("$probe is", &known);
        assert!(said.lines().filter(|line| line.ends_with(" 1")).count() > 50);
        assert!(said.contains("mq 1"), "{said}");
    });
}

/// Runs in a cgroup of this path, in each hierarchy there is.
fn within(cgroup: &str, line: &str) -> String {
    format!(
        "for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do \
         [ -e $top/cgroup.procs ] && mkdir -p \"$top{cgroup}\" && echo $$ >\"$top{cgroup}/cgroup.procs\"; done; {line}"
    )
}

const CGROUPS: [&str; 16] = [
    "/",
    "/system.slice/cron.service",
    "/system.slice/system-getty.slice/getty@tty1.service/sub",
    "/user.slice/user-1000.slice/session-1.scope",
    "/user.slice/user-1000.slice/session-c2.scope/sub",
    "/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.slice/a@b.service/sub",
    "/user.slice/user-1000.slice/user@1000.service/init.scope",
    "/user.slice/user@x.service/a.service",
    "/user.slice/user-65535.slice/session-1.scope",
    "/machine.slice/machine-web.scope/payload/deeper",
    "/machine.slice/machine-other.scope",
    "/docker/0123456789",
    "/_cpu.service",
    "/a.service.d/b.service",
    "/session-.scope",
    "/a b.slice/c.service",
];

#[test]
fn to_whom_a_process_belongs() {
    sandbox!(quiet(), |s| {
        if !s.has_cgroups() {
            skip!("there are no cgroups to put a process into");
        }
        let probe = probe(s);
        symlink("web", "/run/systemd/machines/unit:machine-web.scope").unwrap();
        for cgroup in CGROUPS {
            probe.compare(&within(cgroup, "exec $probe processes $$"), &[]);
        }
        let session = within(CGROUPS[3], "exec $probe processes");
        let said = probe.compare(&session, &[]);
        assert!(
            said.contains("sd_pid_get_session(pid, &to) = 0  1"),
            "{said}"
        );
        let web = probe.compare(&within(CGROUPS[9], "exec $probe processes"), &[]);
        assert!(
            web.contains("sd_pid_get_machine_name(pid, &to) = 0  web"),
            "{web}"
        );

        // Version 1 alone.
        if fs::metadata("/sys/fs/cgroup/unified").is_ok() {
            s.run("umount /sys/fs/cgroup/unified").ok();
            for cgroup in CGROUPS {
                probe.compare(&within(cgroup, "exec $probe processes $$"), &[]);
            }
            s.run("umount /sys/fs/cgroup/systemd").ok();
            probe.compare("exec $probe processes", &[]);
        }
    });
}

/// Where the original crashes, or ends the program.
#[test]
fn misuse() {
    sandbox!(quiet(), |s| {
        fs::write("/run/systemd/machines/bare", "NAME=bare\n").unwrap();
        let said = probe(s).with(OURS, "$probe misuse");
        assert_eq!(
            said,
            "sd_machine_get_class(NULL, &to) = -22 EINVAL unset\n\
             sd_machine_get_ifindices(\"bare\", NULL) = 0 \n"
        );
    });
}

/// The files of logind and of machined, as they write them and as nobody should.
#[test]
fn who_is_logged_in() {
    sandbox!(quiet(), |s| {
        let probe = probe(s);
        // Nothing of logind's is there.
        probe.compare("$probe login", &[]);
        for folder in ["seats", "sessions", "users"] {
            fs::create_dir(format!("/run/systemd/{folder}")).unwrap();
        }
        probe.compare("$probe login", &[]);
        for (file, content) in FILES {
            fs::write(format!("/run/systemd/{file}"), content).unwrap();
        }
        symlink("web", "/run/systemd/machines/unit:machine-web.scope").unwrap();
        // Of what logind has escaped in C's way, theirs takes the backslash away and leaves the digits.
        let desktop = ["sd_session_get_desktop(name, &to) = 0"];
        let said = probe.compare("$probe login", &desktop);
        for expected in [
            "sd_session_get_desktop(name, &to) = 0  a b",
            "sd_session_get_state(name, &to) = 0  active",
            "sd_seat_get_active(name, &to, NULL) = 0  1",
            "sd_machine_get_class(name, &to) = 0  container",
        ] {
            assert!(said.contains(expected), "{expected}:\n{said}");
        }
        // In a session of one's own a name may be left out.
        if s.has_cgroups() {
            probe.compare(&within(CGROUPS[3], "exec $probe login"), &desktop);
            probe.compare(&within(CGROUPS[1], "exec $probe login"), &desktop);
        }
        for (file, _) in FILES {
            fs::write(format!("/run/systemd/{file}"), b"STATE=\xff\nCLASS=\xff\n").unwrap();
        }
        probe.compare("$probe login", &[]);
    });
}

const FILES: [(&str, &str); 18] = [
    (
        "sessions/1",
        "# This is private data. Do not parse.\nUID=1000\nUSER=alice\nACTIVE=1\nIS_DISPLAY=1\nSTATE=active\nREMOTE=0\nTYPE=wayland\n\
         CLASS=user\nSCOPE=session-1.scope\nSEAT=seat0\nTTY=tty2\nSERVICE=gdm-password\nDESKTOP=a\\x20b\nDISPLAY=:0\nVTNR=2\nPOSITION=2\n\
         LEADER=77\nAUDIT=1\nREALTIME=1700000000000000\nMONOTONIC=7\n",
    ),
    (
        "sessions/c2",
        "UID=0\nACTIVE=no\nSTATE=closing\nREMOTE=yes\nTYPE=tty\nCLASS=\"user-early\"\nREMOTE_HOST=fe80::1%2\nREMOTE_USER='bob b'\nVTNR=x\n",
    ),
    (
        "sessions/3",
        "UID=65535\nACTIVE=maybe\nREMOTE=\nSTATE=\nVTNR=-1\n",
    ),
    ("sessions/.hidden", "STATE=active\n"),
    ("sessions/left~", "STATE=active\n"),
    (
        "users/1000",
        "NAME=alice\nSTATE=active\nSTOPPING=no\nRUNTIME=/run/user/1000\nDISPLAY=1\nREALTIME=1700000000000000\nSESSIONS=1 c2 1\n\
         SEATS=seat0\nACTIVE_SESSIONS=1\nONLINE_SESSIONS=1 c2\nACTIVE_SEATS=seat0\nONLINE_SEATS=seat0 seat1\n",
    ),
    ("users/1001", "STATE=lingering\nDISPLAY=\nSESSIONS=\n"),
    ("users/1002", ""),
    ("users/x", "STATE=active\n"),
    (
        "seats/seat0",
        "IS_SEAT0=1\nCAN_MULTI_SESSION=1\nCAN_TTY=1\nCAN_GRAPHICAL=no\nACTIVE=1\nACTIVE_UID=1000\nSESSIONS=1 c2\nUIDS=1000 0\n",
    ),
    ("seats/seat1", "CAN_TTY=\nSESSIONS=\n"),
    (
        "machines/web",
        "NAME=web\nSCOPE=machine-web.scope\nSERVICE=libcontainer\nROOT=/\nID=0123\nLEADER=77\nCLASS=container\nREALTIME=1\nMONOTONIC=1\nNETIF=5 3\n",
    ),
    ("machines/vm", "CLASS=vm\nNETIF=\" 7 5 7\"\n"),
    ("machines/bare", "NAME=bare\n"),
    ("machines/odd", "NETIF=\"7 x\"\n"),
    ("machines/null", "NETIF=\"0\"\n"),
    ("machines/a b", "CLASS=container\n"),
    ("machines/.tmp", "CLASS=container\n"),
];

/// procps's ps asks the library whose a process is.
#[test]
fn ps_shows_machines() {
    sandbox!(|s| {
        if !s.has_cgroups() {
            skip!("there are no cgroups to put a container into");
        }
        let web = s.container("web").start();
        s.register(&web, Via::BusCreate);
        let shown = |library: &str| {
            let line = format!(
                "export LD_LIBRARY_PATH={library}; ps -o unit=,slice=,machine=,session=,ouid= -p {}",
                web.leader()
            );
            s.run(&line).ok()
        };
        let ours = shown(OURS);
        assert!(ours.contains(" web "), "{ours}");
        assert_eq!(ours, shown(&theirs(s)));
        let bound = s
            .run(&format!(
                "LD_LIBRARY_PATH={OURS} LD_BIND_NOW=1 ldd $(command -v ps)"
            ))
            .ok();
        assert!(
            bound.contains(&format!("{OURS}/libsystemd.so.0")),
            "{bound}"
        );
    });
}

/// Debian's test that all symbols of the library are there, which names each: the same lines, and the same end.
#[test]
fn debians_list_of_symbols() {
    sandbox!(quiet(), |s| {
        const TEST: &str = "/usr/lib/systemd/tests/test-libsystemd-sym";
        let list = |library: &str| s.run(&format!("LD_LIBRARY_PATH={library} {TEST}"));
        let (original, ours) = (list(&theirs(s)), list(OURS));
        // Where each is differs.
        let names = |text: &str| -> Vec<String> {
            let last = |line: &str| line.rsplit(' ').next().unwrap_or_default().to_owned();
            text.lines().map(last).collect()
        };
        let (original, ours) = (original.ok(), ours.ok());
        assert!(original.lines().count() > 500, "{original}");
        assert_eq!(names(&ours), names(&original));
    });
}

/// python3-systemd binds everything it has of the library when it is loaded, what is not built too.
#[test]
fn python_has_its_modules() {
    sandbox!(|s| {
        let web = s.container("web").start();
        s.register(&web, Via::BusCreate);
        let script = "from systemd import daemon, id128, journal, login\n\
            print(login.machine_names(), login.seats(), login.sessions(), login.uids())\n\
            print(daemon.booted(), daemon.listen_fds(), daemon.notify('READY=1'))\n\
            print(id128.get_machine(), id128.get_boot(), id128.randomize().version)\n\
            m = login.Monitor('machine')\n\
            print(m.get_events(), m.get_timeout(), m.fileno() >= 0)\n";
        fs::write("/tmp/modules.py", script).unwrap();
        let run = |library: &str| {
            s.run(&format!(
                "LD_LIBRARY_PATH={library} LD_BIND_NOW=1 python3 /tmp/modules.py"
            ))
            .ok()
        };
        let ours = run(OURS);
        assert!(ours.contains("web"), "{ours}");
        assert_eq!(ours, run(&theirs(s)));
    });
}

/// No function ends the program that hands it null for everything; those that take a va_list are not asked, which can't be null.
#[test]
fn null_for_everything() {
    sandbox!(quiet(), |s| {
        fs::write("/tmp/sd_null.c", include_str!("c/sd_null.c")).unwrap();
        let compile = "cc -O1 -Wall -Wextra -Werror -o /tmp/sd_null /tmp/sd_null.c -ldl 2>&1";
        let compiled = s.cmd("sh").args(["-c", compile]);
        compiled.timeout(Duration::from_secs(60)).run().ok();
        let folder = theirs(s);
        for library in [
            format!("{OURS}/libsystemd.so.0"),
            format!("{folder}/libsd-bus-compat.so.0"),
        ] {
            let line = format!(
                "readelf --dyn-syms --wide {library} | \
                 awk '$4 == \"FUNC\" && $7 ~ /^[0-9]+$/ {{ sub(/@.*/, \"\", $8); print $8 }}' | \
                 grep -vE '^sd_bus_.*(append|read|method|async|property|return|signal|signal_to)v$' | /tmp/sd_null {library}"
            );
            let called = s.cmd("sh").args(["-c", &line]);
            let said = called.timeout(Duration::from_secs(50)).run().ok();
            let count = said.trim().strip_prefix("called ");
            let count = count.and_then(|count| count.parse::<u32>().ok());
            assert!(count.is_some_and(|count| count > 250), "{library}: {said}");
        }
    });
}

/// What is exported, under which versions, and what of it is built.
#[test]
fn symbols() {
    sandbox!(quiet(), |s| {
        let tree = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let folder = theirs(s);
        let table = s
            .run(&format!(
                "{tree}/dist/symbol-table.sh {OURS}/libsystemd.so.0 {folder}/libsd-bus-compat.so.0"
            ))
            .ok();
        let kept = fs::read_to_string(format!("{tree}/docs/sd-bus.md")).unwrap();
        let left: Vec<&str> = table
            .lines()
            .filter(|line| line.ends_with("| not yet |"))
            .collect();
        println!("{} functions are not built yet", left.len());
        assert!(!table.contains("| missing |"), "{table}");
        if table != kept {
            fs::write("/tmp/sd-bus.md", &table).unwrap();
            let differ = s
                .run(&format!("diff {tree}/docs/sd-bus.md /tmp/sd-bus.md"))
                .stdout;
            panic!("docs/sd-bus.md is not what dist/symbol-table.sh makes:\n{differ}");
        }
        // Everything that the original has is there, by the same version.
        let exports = |library: &str| {
            let line = format!(
                "readelf --dyn-syms --wide {library} | awk '$7 ~ /^[0-9]+$/ && $8 ~ /@@/ {{ print $8 }}'"
            );
            s.run(&line).ok()
        };
        let (theirs, ours) = (
            exports(&format!("{folder}/libsystemd.so.0")),
            exports(&format!("{OURS}/libsystemd.so.0")),
        );
        let lacking: Vec<&str> = theirs
            .lines()
            .filter(|line| !ours.lines().any(|own| own == *line))
            .collect();
        assert!(lacking.is_empty(), "{lacking:?}");
        assert!(theirs.lines().count() > 600, "{theirs}");
    });
}

/// A program finds the library under its own name by pkg-config, shared and static.
#[test]
fn linking() {
    sandbox!(quiet(), |s| {
        let source = "#include <systemd/sd-id128.h>\n#include <stdio.h>\nint main(void) { sd_id128_t id; char s[33];\n\
            int r = sd_id128_get_machine(&id); return puts(sd_id128_to_string(id, s)) < 0 || r; }\n";
        fs::write("/tmp/id.c", source).unwrap();
        let folder = theirs(s);
        let flags = "-I/usr/include/switchyard";
        for (name, how) in [
            ("shared", "-lsd-bus-compat".to_owned()),
            ("archive", format!("{folder}/libsd-bus-compat.a")),
            ("static", format!("-static {folder}/libsd-bus-compat.a")),
        ] {
            let line =
                format!("cc {flags} -o /tmp/{name} /tmp/id.c {how} 2>/tmp/warned && /tmp/{name}");
            let said = s
                .cmd("sh")
                .args(["-c", &line])
                .timeout(Duration::from_secs(60))
                .run()
                .ok();
            assert_eq!(said.trim(), "5a4db0c5a4db0c5a4db0c5a4db0c5a4d", "{name}");
            // glibc looks up hosts by shared objects, and says so to who links statically.
            let warned = fs::read_to_string("/tmp/warned").unwrap();
            let mut warnings = warned.lines().filter(|line| line.contains("warning:"));
            let is_known = |line: &str| name == "static" && line.contains("'getaddrinfo'");
            assert!(warnings.all(is_known), "{warned}");
        }
        let needed = s.run("readelf -d /tmp/shared").ok();
        assert!(
            needed.contains("[libsd-bus-compat.so.0]") && !needed.contains("libgcc_s"),
            "{needed}"
        );
        let versions = s.run("readelf -V /tmp/shared").ok();
        assert!(versions.contains("SD_BUS_COMPAT_0"), "{versions}");
        let pc = fs::read_to_string(format!("{folder}/pkgconfig/libsd-bus-compat.pc")).unwrap();
        assert!(
            !pc.contains('@') && pc.contains("includedir=${prefix}/include/switchyard"),
            "{pc}"
        );
    });
}
