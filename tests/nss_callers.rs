//! Programs that make it hard for an NSS module: each finds a host by nss-mymachines all the same.

mod nss_probe;

use nss_probe::{Behaviour, FakeDaemon, MACHINED, compile};
use support::{Options, Sandbox, sandbox, skip};

fn alone() -> Options {
    Options::new().machined(None).bus(false).hosts("mymachines")
}

const CALLERS: &str = include_str!("c/nss_callers.c");
const FOUND: &str = "fd00:88::2 10.88.0.2";

fn daemon() -> FakeDaemon {
    // Both in the loopback's own namespace, so that getaddrinfo does not sort them by reachability.
    let v6 = "253,0,0,136,0,0,0,0,0,0,0,0,0,0,0,2";
    FakeDaemon::start(
        MACHINED,
        Behaviour::reply(&format!(
            r#"{{"parameters":{{"addresses":[{{"family":2,"address":[10,88,0,2]}},
                {{"family":10,"address":[{v6}]}}],"name":"web"}}}}"#
        )),
    )
}

/// The lines a case says, with the addresses in one order.
#[track_caller]
fn case(s: &Sandbox, program: &str, case: &str) -> Vec<String> {
    let said = s
        .cmd(program)
        .arg(case)
        .timeout(std::time::Duration::from_secs(20))
        .run()
        .ok();
    said.lines()
        .map(|line| line.replace("10.88.0.2 fd00:88::2", FOUND))
        .collect()
}

#[test]
fn a_program_as_any_other() {
    sandbox!(alone(), |s| {
        let _daemon = daemon();
        let program = compile(s, "callers", CALLERS, "-Wall -Werror");
        assert_eq!(case(s, &program, "plain"), [format!("plain: {FOUND}")]);
    });
}

#[test]
fn a_statically_linked_program() {
    sandbox!(alone(), |s| {
        let _daemon = daemon();
        let program = compile(s, "callers", CALLERS, "-static");
        assert_eq!(case(s, &program, "plain"), [format!("plain: {FOUND}")]);
        assert_eq!(
            case(s, &program, "small stack"),
            [format!("on 64 KiB: {FOUND}")]
        );
    });
}

#[test]
fn a_program_with_every_descriptor_in_use() {
    sandbox!(alone(), |s| {
        let _daemon = daemon();
        let program = compile(s, "callers", CALLERS, "");
        let said = case(s, &program, "descriptors");
        assert_eq!(said[0], format!("before: {FOUND}"));
        // It can't ask, says so, and lives.
        assert!(
            said[1].starts_with("with none left: ") && !said[1].contains("10.88"),
            "{said:?}"
        );
        // getaddrinfo needs one of its own to sort what was found, after the module has closed its.
        assert_eq!(said[2], format!("with one left: {FOUND}"));
    });
}

#[test]
fn a_program_that_closes_what_it_did_not_open() {
    sandbox!(alone(), |s| {
        let _daemon = daemon();
        let program = compile(s, "callers", CALLERS, "");
        let said = case(s, &program, "closefrom");
        assert_eq!(
            said[..2],
            [format!("before: {FOUND}"), format!("after: {FOUND}")]
        );
        assert_eq!(said[2], "next descriptor: 3");
        let said = case(s, &program, "standard streams");
        assert_eq!(
            said,
            [
                format!("without streams: {FOUND}"),
                "next descriptor: 0".into()
            ]
        );
    });
}

#[test]
fn a_thread_with_a_small_stack() {
    sandbox!(alone(), |s| {
        let _daemon = daemon();
        let program = compile(s, "callers", CALLERS, "");
        assert_eq!(
            case(s, &program, "small stack"),
            [format!("on 64 KiB: {FOUND}")]
        );
        assert_eq!(case(s, &program, "smallest stack"), ["on 16 KiB: found"]);
    });
}

#[test]
fn children_of_a_program_with_threads() {
    sandbox!(alone(), |s| {
        let _daemon = FakeDaemon::start(
            MACHINED,
            Behaviour::reply(
                r#"{"parameters":{"addresses":[{"family":2,"address":[10,88,0,2]}]}}"#,
            ),
        );
        let program = compile(s, "callers", CALLERS, "");
        assert_eq!(case(s, &program, "fork"), ["children: 100 of 100"]);
    });
}

#[test]
fn a_program_with_signals() {
    sandbox!(alone(), |s| {
        let daemon = FakeDaemon::start(
            MACHINED,
            Behaviour::reply(
                r#"{"parameters":{"addresses":[{"family":2,"address":[10,88,0,2]}]}}"#,
            ),
        );
        let program = compile(s, "callers", CALLERS, "");
        assert_eq!(case(s, &program, "signals"), ["with signals: 10.88.0.2"]);
        // SIGPIPE would have ended it: its default action stands.
        daemon.now(Behaviour::Refuse);
        for _ in 0..20 {
            let said = case(s, &program, "plain");
            assert!(!said[0].contains("10.88"), "{said:?}");
        }
    });
}

#[test]
fn a_thread_that_is_cancelled() {
    sandbox!(alone(), |s| {
        let _daemon = FakeDaemon::start(MACHINED, Behaviour::SendAndHold(vec![]));
        let program = compile(s, "callers", CALLERS, "");
        let said = case(s, &program, "cancelled");
        assert_eq!(
            said.last().map(String::as_str),
            Some("descriptors left: 0"),
            "{said:?}"
        );
    });
}

#[test]
fn a_program_in_a_chroot() {
    sandbox!(alone(), |s| {
        let _daemon = daemon();
        s.run("mkdir -p /var/empty-root").ok();
        let program = compile(s, "callers", CALLERS, "");
        let said = case(s, &program, "chroot");
        assert_eq!(said[0], format!("before: {FOUND}"));
        assert!(
            said[1].starts_with("after: ") && !said[1].contains("10.88"),
            "{said:?}"
        );
    });
}

#[test]
fn a_setuid_program() {
    sandbox!(alone(), |s| {
        if s.is_rootless() {
            skip!("there is no other user to become root from");
        }
        let _daemon = daemon();
        let program = compile(s, "callers", CALLERS, "");
        s.run(&format!(
            "chown root {program} && chmod 4755 {program} && chmod 755 /tmp"
        ))
        .ok();
        let run = s.cmd(&program).arg("plain").user(1000);
        let run = run.env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/tmp/evil");
        assert!(run.run().ok().contains("10.88.0.2"));
    });
}

#[test]
fn programs_of_every_day() {
    sandbox!(alone(), |s| {
        let _daemon = daemon();
        // getent asks only for families of which the system has an address (AI_ADDRCONFIG).
        s.run("ip addr add 10.88.0.1/24 dev lo && ip addr add fd00:88::1/64 nodad dev lo")
            .ok();
        for line in [
            "getent ahosts web",
            "getent ahostsv4 web",
            "getent -s hosts:mymachines hosts web",
            "python3 -c 'import socket; print(socket.getaddrinfo(\"web\", 80), socket.gethostbyname(\"web\"))'",
            "perl -MSocket -e 'print inet_ntoa(scalar gethostbyname(\"web\")), \"\\n\"'",
        ] {
            let said = s.run(line).ok();
            assert!(
                said.contains("10.88.0.2") || said.contains("fd00:88::2"),
                "{line}: {said}"
            );
        }
        // curl says where it tries to connect to; nobody listens there.
        {
            let said = s.run("curl -v --connect-timeout 1 http://web/ 2>&1");
            assert!(
                said.stdout.contains("10.88.0.2") || said.stdout.contains("fd00:88::2"),
                "{said}"
            );
        }
    });
}
