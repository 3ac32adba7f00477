//! What is installed is what it should be, is all gone afterwards, and runs under the service managers that it is for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Options, Sandbox, Via, sandbox, skip};

/// All of it but the programs and the modules: what `dist/install.sh` lays out below PREFIX, and with its mode.
const FILES: [&str; 31] = [
    "644 lib/systemd/resolv.conf",
    "644 lib/systemd/system/switchyard-machined.service",
    "644 lib/systemd/system/switchyard-machined.socket",
    "644 lib/systemd/system/switchyard-resolved.service",
    "644 lib/sysusers.d/switchyard.conf",
    "644 lib/tmpfiles.d/switchyard.conf",
    "644 share/bash-completion/completions/switchyard-lookaside",
    "644 share/bash-completion/completions/switchyard-oci-hook",
    "644 share/containers/oci/hooks.d/switchyard.json",
    "644 share/dbus-1/system-services/org.freedesktop.machine1.service",
    "644 share/dbus-1/system-services/org.freedesktop.resolve1.service",
    "644 share/dbus-1/system.d/org.freedesktop.machine1.conf",
    "644 share/dbus-1/system.d/org.freedesktop.resolve1.conf",
    "644 share/fish/vendor_completions.d/switchyard-lookaside.fish",
    "644 share/fish/vendor_completions.d/switchyard-oci-hook.fish",
    "644 share/man/man1/switchyard-oci-hook.1",
    "644 share/man/man5/switchyard-resolved.conf.5",
    "644 share/man/man7/io.switchyard.Machines.7",
    "644 share/man/man7/libsd-bus-compat.7",
    "644 share/man/man8/nss-mymachines.8",
    "644 share/man/man8/nss-resolve.8",
    "644 share/man/man8/switchyard-lookaside.8",
    "644 share/man/man8/switchyard-machined.8",
    "644 share/man/man8/switchyard-resolvconf.8",
    "644 share/man/man8/switchyard-resolved.8",
    "644 share/polkit-1/actions/org.freedesktop.machine1.policy",
    "644 share/polkit-1/actions/org.freedesktop.resolve1.policy",
    "644 share/switchyard/lxc.conf",
    "644 share/zsh/site-functions/_switchyard-lookaside",
    "644 share/zsh/site-functions/_switchyard-oci-hook",
    "755 share/lxc/hooks/switchyard-lxc-hook",
];

/// The same below SYSCONFDIR.
const SETTINGS: [&str; 7] = [
    "644 cdi/switchyard.json",
    "755 init.d/switchyard-machined",
    "755 init.d/switchyard-resolved",
    "755 sv/switchyard-machined/log/run",
    "755 sv/switchyard-machined/run",
    "755 sv/switchyard-resolved/log/run",
    "755 sv/switchyard-resolved/run",
];

/// What the Makefile adds below PREFIX; `LIB` is the library directory of the architecture.
const PROGRAMS: [&str; 23] = [
    "644 include/switchyard/systemd/_sd-common.h",
    "644 include/switchyard/systemd/sd-bus-protocol.h",
    "644 include/switchyard/systemd/sd-bus-vtable.h",
    "644 include/switchyard/systemd/sd-bus.h",
    "644 include/switchyard/systemd/sd-daemon.h",
    "644 include/switchyard/systemd/sd-event.h",
    "644 include/switchyard/systemd/sd-id128.h",
    "644 include/switchyard/systemd/sd-journal.h",
    "644 include/switchyard/systemd/sd-login.h",
    "644 include/switchyard/systemd/sd-path.h",
    "644 lib/LIB/libnss_mymachines.so.2",
    "644 lib/LIB/libnss_resolve.so.2",
    "644 lib/LIB/libsd-bus-compat.a",
    "644 lib/LIB/libsd-bus-compat.so.0",
    "644 lib/LIB/pkgconfig/libsd-bus-compat.pc",
    "644 lib/switchyard/compat/libsystemd.so.0",
    "755 bin/switchyard-lookaside",
    "755 bin/switchyard-oci-hook",
    "755 libexec/switchyard/machined",
    "755 libexec/switchyard/machined-enter",
    "755 libexec/switchyard/resolvconf",
    "755 libexec/switchyard/resolved",
    "777 lib/LIB/libsd-bus-compat.so",
];

fn below<'f>(prefix: &str, files: impl IntoIterator<Item = &'f &'f str>) -> Vec<String> {
    let place = |file: &&str| {
        let (mode, path) = file.split_once(' ').unwrap();
        format!("{mode} {prefix}/{path}")
    };
    files.into_iter().map(place).collect()
}

/// The files below a folder, and their modes.
fn listed(root: &Path) -> Vec<String> {
    let find = ["-type", "f", "-o", "-type", "l"];
    let all = Command::new("find")
        .arg(root)
        .args(["("])
        .args(find)
        .args([")", "-printf", "%m %P\n"])
        .output()
        .unwrap();
    let mut lines: Vec<_> = String::from_utf8(all.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort_unstable();
    lines
}

/// Folders with our name that are still there.
fn own_folders(root: &Path) -> String {
    let find = ["-type", "d", "-name", "*switchyard*"];
    let all = Command::new("find").arg(root).args(find).output().unwrap();
    String::from_utf8(all.stdout).unwrap()
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn what_is_laid_out_is_this_and_no_more() {
    sandbox!(Options::new().machined(None).bus(false), |_s| {
        let root = Path::new("/tmp/root");
        let install = |arguments: &[&str]| {
            let mut install = Command::new(source().join("dist/install.sh"));
            install.args(arguments).env("DESTDIR", root);
            let output = install.env("PREFIX", "/usr/local").output().unwrap();
            assert!(
                output.status.success() && output.stderr.is_empty(),
                "{output:?}"
            );
        };
        install(&[]);
        let mut expected = below("usr/local", &FILES);
        expected.extend(below("etc", &SETTINGS));
        expected.sort_unstable();
        assert_eq!(listed(root), expected);
        // What they name is below the prefix, too. The manual tells of the usual one.
        let other = Command::new("grep")
            .args([
                "-rnE",
                "--exclude-dir=man",
                "/usr/(bin|libexec|share)/[a-z-]*switchyard",
            ])
            .arg(root)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&other.stdout), "");
        // Somebody else's stays.
        fs::write(root.join("etc/sv/other"), "").unwrap();
        install(&["--remove"]);
        assert_eq!(listed(root), ["644 etc/sv/other"]);
        assert_eq!(own_folders(root), "");
    });
}

#[test]
fn make_uninstall_takes_away_what_make_install_laid_out() {
    sandbox!(Options::new().machined(None).bus(false), |s| {
        let stage = std::env::var("SWITCHYARD_STAGE").unwrap();
        let library = s.run("cc -print-multiarch").ok();
        let mut expected = below("usr", FILES.iter().chain(&PROGRAMS));
        expected.extend(below("etc", &SETTINGS));
        for line in &mut expected {
            *line = line.replace("LIB", library.trim());
        }
        expected.sort_unstable();
        assert_eq!(listed(Path::new(&stage)), expected);
        s.run(&format!("cp -a {stage} /tmp/root")).ok();
        let make = s
            .cmd("make")
            .args(["uninstall", "DESTDIR=/tmp/root", "PREFIX=/usr"]);
        make.dir(source().to_str().unwrap()).run().ok();
        let none: [&str; 0] = [];
        assert_eq!(listed(Path::new("/tmp/root")), none);
        assert_eq!(own_folders(Path::new("/tmp/root")), "");
    });
}

/// Both daemons do their work, come back when they are killed, and end when they are told to.
fn they_are_looked_after(s: &Sandbox, stop: impl Fn(&str)) {
    for socket in [
        "/run/switchyard/machined/io.switchyard.Machines",
        "/run/systemd/resolve/io.systemd.Resolve",
    ] {
        let there = || std::os::unix::net::UnixStream::connect(socket).is_ok();
        s.wait_for(there, socket);
    }
    let web = s.container("web").start();
    s.register(&web, Via::Varlink);
    let found = || {
        let by_module = s.run("getent hosts web").stdout;
        let by_dns = s.run("busybox nslookup web 127.0.0.53").stdout;
        by_module.contains(&web.ipv6()) && by_dns.contains(&web.ipv4())
    };
    s.wait_for(found, "a container by its name");
    for name in ["machined", "resolved"] {
        let pid = || s.cmd("pgrep").args(["-x", name]).run().stdout;
        let before = pid();
        s.cmd("kill").args(["-9", before.trim()]).run().ok();
        s.wait_for(
            || !pid().is_empty() && pid() != before,
            "a daemon to be started again",
        );
    }
    s.wait_for(found, "the container by daemons that were started again");
    for name in ["machined", "resolved"] {
        stop(&format!("switchyard-{name}"));
        let gone = || s.cmd("pgrep").args(["-x", name]).run().status == Some(1);
        s.wait_for(gone, "a daemon to end");
    }
}

fn unmanaged() -> Options {
    Options::new().machined(None).hosts("files mymachines")
}

#[test]
fn runit_runs_the_daemons() {
    sandbox!(unmanaged(), |s| {
        if s.run("command -v runsvdir").status != Some(0) {
            skip!("this release of Debian has no runit");
        }
        // logger(1) writes there.
        let log = std::os::unix::net::UnixDatagram::bind("/dev/log").unwrap();
        log.set_nonblocking(true).unwrap();
        s.run("mkdir /var/service && ln -s /etc/sv/switchyard-machined /etc/sv/switchyard-resolved /var/service/")
            .ok();
        s.spawn("runsvdir", &["runsvdir", "/var/service"]);
        they_are_looked_after(s, |service| {
            let service = format!("/var/service/{service}");
            assert!(
                s.cmd("sv")
                    .args(["status", &service])
                    .run()
                    .ok()
                    .starts_with("run: ")
            );
            s.cmd("sv").args(["stop", &service]).run().ok();
            assert!(
                s.cmd("sv")
                    .args(["status", &service])
                    .run()
                    .ok()
                    .starts_with("down: ")
            );
        });
        let mut said = [0; 4096];
        let lines = std::iter::from_fn(|| log.recv(&mut said).ok().map(|n| said[..n].to_vec()));
        let lines: Vec<_> = lines
            .map(|line| String::from_utf8_lossy(&line).into_owned())
            .collect();
        let logged = |line: &String| {
            line.contains("switchyard-machined") && line.contains("New machine web")
        };
        assert!(lines.iter().any(logged), "{lines:#?}");
    });
}

#[test]
fn openrc_runs_the_daemons() {
    sandbox!(unmanaged(), |s| {
        if s.run("command -v openrc").status != Some(0) {
            skip!("this release of Debian has no openrc");
        }
        // As a machine that has booted.
        s.run("mkdir /run/openrc && touch /run/openrc/softlevel && openrc --no-stop default")
            .ok();
        for service in ["switchyard-machined", "switchyard-resolved"] {
            s.run(&format!(
                "rc-update add {service} && rc-service {service} start"
            ))
            .ok();
            s.run(&format!("rc-service {service} status")).ok();
        }
        s.run("rc-service switchyard-resolved reload").ok();
        they_are_looked_after(s, |service| {
            s.run(&format!("rc-service {service} stop")).ok();
            s.run(&format!("rc-service {service} status")).fails(3);
        });
    });
}
