//! The C library beside that of systemd 257: what that exports, what came with 253 to 257, and what C programs that are run beside
//! 252 are told.

#![allow(dead_code, reason = "each of these has what another has, too")]
#![allow(
    clippy::duplicate_mod,
    reason = "each of these is a program by itself, too"
)]

#[path = "sd_attach.rs"]
mod sd_attach;
#[path = "sd_messages.rs"]
mod sd_messages;
#[path = "sd_objects.rs"]
mod sd_objects;
mod sd_probe;
#[path = "sd_refused.rs"]
mod sd_refused;
#[path = "sd_roles.rs"]
mod sd_roles;
#[path = "sd_waits.rs"]
mod sd_waits;

use std::collections::BTreeSet;
use std::fs;

use sd_probe::{OURS, Probe, open_bus, quiet, theirs};
use support::{Sandbox, newer_sandbox, skip, skip_for_machine};

const PROBE: &str = include_str!("c/newer_probe.c");

fn probe(s: &Sandbox) -> Probe<'_> {
    Probe::new(s, "newer_probe", PROBE)
}

/// Names and versions that an object exports.
fn exports(s: &Sandbox, library: &str) -> BTreeSet<String> {
    let line = format!(
        "objdump -T {library}/libsystemd.so.0 | grep -v '\\*UND\\*' | awk 'NF >= 6 {{ print $NF, $(NF-1) }}'"
    );
    s.run(&line).ok().lines().map(str::to_owned).collect()
}

#[test]
fn symbols() {
    newer_sandbox!(quiet(), |s| {
        let (theirs, ours) = (exports(s, &theirs(s)), exports(s, OURS));
        assert!(theirs.len() > 850, "{}", theirs.len());
        let lacking: Vec<_> = theirs
            .difference(&ours)
            // Not of sd-bus, and not what it needs: docs/decisions.md.
            .filter(|name| {
                !["sd_json_", "sd_varlink_"]
                    .iter()
                    .any(|of| name.starts_with(of))
            })
            .collect();
        assert!(lacking.is_empty(), "{lacking:#?}");
        for version in 253..=257 {
            assert!(
                ours.iter()
                    .any(|name| name.ends_with(&format!(" LIBSYSTEMD_{version}")))
            );
        }
    });
}

#[test]
fn ids() {
    newer_sandbox!(quiet(), |s| {
        let probe = probe(s);
        probe.compare("$probe ids", &[]);
        let id = "5a4db0c5a4db0c5a4db0c5a4db0c5a4d";
        probe.compare(&format!("INVOCATION_ID={id} $probe ids"), &[]);
        fs::remove_file("/etc/machine-id").unwrap();
        probe.compare("$probe ids", &[]);
    });
}

/// Of a number below 0 theirs says EINVAL here, and EBADF, as sd_pid_get_session(3) has it, by its like.
const KNOWN: &[&str] = &["sd_pidfd_get_owner_uid(fd, &to) = -"];

#[test]
fn processes() {
    newer_sandbox!(quiet(), |s| {
        let probe = probe(s);
        probe.compare("$probe processes 1", KNOWN);
        probe.compare("$probe processes", KNOWN);
        probe.compare("$probe ended", &[]);
        if !s.has_cgroups() {
            skip!("there are no cgroups to put a process into");
        }
        for cgroup in [
            "/system.slice/cron.service",
            "/user.slice/user-1000.slice/session-1.scope",
            "/user.slice/user-1000.slice/user@1000.service/app.slice/a.service",
            "/machine.slice/machine-web.scope/payload",
        ] {
            let line = format!(
                "for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do \
                 [ -e $top/cgroup.procs ] && mkdir -p $top{cgroup} && echo $$ >$top{cgroup}/cgroup.procs; done; \
                 exec $probe processes"
            );
            let said = probe.compare(&line, KNOWN);
            assert!(said.contains("sd_pidfd_get_unit(fd, &to) = 0 "), "{said}");
        }
    });
}

#[test]
fn sessions() {
    newer_sandbox!(quiet(), |s| {
        let probe = probe(s);
        probe.compare("$probe sessions", &[]);
        for folder in ["sessions", "users"] {
            fs::create_dir(format!("/run/systemd/{folder}")).unwrap();
        }
        let session = "UID=1000\nUSER=alice\nLEADER=1\nREALTIME=1700000000000000\nMONOTONIC=7\n";
        fs::write("/run/systemd/sessions/1", session).unwrap();
        fs::write(
            "/run/systemd/users/1000",
            "NAME=alice\nSTATE=active\nREALTIME=1700000000000001\n",
        )
        .unwrap();
        let said = probe.compare("$probe sessions", &[]);
        assert!(said.contains(" = 0  alice\n"), "{said}");
        assert!(said.contains(" = 0  1700000000000000\n"), "{said}");
        assert!(said.contains(" = 0  1700000000000001\n"), "{said}");
    });
}

#[test]
fn notifications() {
    newer_sandbox!(quiet(), |s| {
        let said = probe(s).compare("$probe notify", &[]);
        assert!(said.contains("  arrived: FDSTORE=1\n"), "{said}");
        assert!(said.contains("B=x and 2 descriptors"), "{said}");
    });
}

#[test]
fn addresses_of_a_manager_outside() {
    newer_sandbox!(quiet(), |s| {
        let probe = probe(s);
        for address in [
            "vsock:",
            "vsock::",
            "vsock:1",
            "vsock:1:",
            "vsock::1",
            "vsock:1:x",
            "vsock:x:1",
            "vsock:-1:1",
            "vsock:any:1",
            "vsock:1:-1",
            "vsock:1:4294967295",
            "vsock:1:4294967296",
            "vsock:4294967295:1",
            "vsock:4294967296:1",
            "vsock:LOCAL:1",
            "vsock:1:1:1",
            "vsock:1:1x",
            "vsock-stream:1",
            "vsock-dgram::1",
        ] {
            let said = probe.compare(&format!("NOTIFY_SOCKET='{address}' $probe tell"), &[]);
            assert!(said.contains("= -"), "{address}: {said}");
        }
    });
}

/// The calls that are made, to a manager that strace plays: there need be no hypervisor.
#[test]
fn notifications_to_a_manager_outside() {
    const CALLS: &str = "socket,bind,connect,sendmsg,shutdown,recvfrom";
    newer_sandbox!(quiet(), |s| {
        let vsock =
            "python3 -c 'import socket; socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)'";
        if s.run(vsock).status != Some(0) {
            skip_for_machine!("the kernel has no AF_VSOCK");
        }
        let probe = probe(s);
        // Whatever is not said otherwise succeeds, and is not made.
        let usual = [
            "bind:retval=0",
            "connect:retval=0",
            "sendmsg:retval=7",
            "shutdown:retval=0",
            "recvfrom:retval=0",
        ];
        let calls = |address: &str, what: &[&str], pid: u32| {
            let is_said = |call: &str| {
                let (call, _) = call.split_once(':').unwrap();
                what.iter()
                    .any(|other| other.split_once(':').unwrap().0 == call)
            };
            let others = usual.iter().filter(|call| !is_said(call));
            let inject: String = what
                .iter()
                .chain(others)
                .map(|call| format!(" -e inject={call}"))
                .collect();
            let line = format!(
                "NOTIFY_SOCKET={address} strace -f -qq -e signal=none -o /tmp/calls -e trace={CALLS}{inject} $probe tell {pid}; \
                 sed -En '/VSOCK/,$ {{ s/^[0-9]+ +//; s/\\(([0-9]+)/(FD/; s/(FD, \"?.*, 1, )MSG_NOSIGNAL/\\10/; s/(FD, )0x[0-9a-f]+/\\1PLACE/; s/ +\\(INJECTED\\)//; p }}' /tmp/calls"
            );
            probe.compare(&line, &[])
        };
        let connected = [
            "svm_port=0x3ff",
            "connect(FD, {sa_family=AF_VSOCK, svm_cid=VMADDR_CID_LOCAL, svm_port=0x7",
            "msg_name=NULL",
            "shutdown(FD, SHUT_WR)",
            "recvfrom(FD, \"\", 1, 0",
            ") = 1 ",
        ];
        for pid in [0, 1] {
            for (address, kind) in [
                ("vsock-seqpacket:local:0x7", "SOCK_SEQPACKET"),
                ("vsock-stream:1:7", "SOCK_STREAM"),
            ] {
                let said = calls(address, &[], pid);
                let all = connected.iter().all(|part| said.contains(part));
                assert!(all && said.contains(kind), "{said}");
            }
            // There may be no datagrams, so this is another file's number.
            for address in ["vsock:1:7", "vsock-dgram:1:7"] {
                let said = calls(address, &["socket:retval=2"], pid);
                assert!(said.contains("msg_name={sa_family=AF_VSOCK"), "{said}");
                assert!(!said.contains("connect"), "{said}");
            }
        }
        for (errors, type_of_last) in [
            ("ENODEV:when=1", "SOCK_SEQPACKET"),
            ("EOPNOTSUPP:when=1", "SOCK_SEQPACKET"),
            ("ESOCKTNOSUPPORT:when=1..2", "SOCK_STREAM"),
            ("EPROTONOSUPPORT:when=1..3", "SOCK_STREAM"),
            ("ENODEV:when=1..2", "SOCK_SEQPACKET"),
            ("EACCES:when=1", "SOCK_DGRAM"),
        ] {
            let said = calls("vsock:1:7", &[&format!("socket:error={errors}")], 0);
            let mut sockets = said.lines().filter(|line| line.starts_with("socket("));
            let last = sockets.next_back().unwrap();
            assert!(last.contains(type_of_last), "{errors}: {said}");
        }
        for what in [
            "socket:error=ENODEV",
            "bind:error=EADDRINUSE:when=1..3",
            "bind:error=EACCES",
            "bind:error=EPERM",
            "bind:error=EINVAL",
            "connect:error=ECONNRESET",
            "sendmsg:error=EPIPE",
            "sendmsg:error=EPERM:when=1",
            "shutdown:error=ENOTCONN",
            "recvfrom:error=ECONNRESET",
            "recvfrom:retval=1",
        ] {
            calls("vsock-stream:1:7", &[what], 0);
            calls("vsock-stream:1:7", &[what], 1);
        }
    });
}

#[test]
fn loops() {
    newer_sandbox!(quiet(), |s| {
        let said = probe(s).compare("$probe loops", &[]);
        assert!(said.contains("path /tmp\n"), "{said}");
    });
}

#[test]
fn signals() {
    newer_sandbox!(quiet(), |s| {
        let _bus = open_bus(s);
        let line = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/tmp/bus $probe signals";
        // Such a name ends the connection of who sends it: docs/decisions.md.
        let digit = "sd_bus_emit_signal_to(sender, name, \"/a\", \"a.b\", \"1\", NULL)";
        let said = probe(s).compare(line, &[digit]);
        assert!(said.contains("To to the receiver\n  text\n"), "{said}");
    });
}
