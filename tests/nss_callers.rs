//! Programs that make it hard for an NSS module: each finds a container by nss-mymachines and machined all the same.

mod nss_probe;

use nss_probe::{Behaviour, FakeDaemon, MACHINED, compile};
use support::{Container, Options, Sandbox, Via, sandbox, skip};

/// With machined and nobody else.
fn with_machined() -> Options {
    Options::new().bus(false).hosts("mymachines")
}

/// For a daemon that does as it should not.
fn alone() -> Options {
    with_machined().machined(None)
}

const CALLERS: &str = include_str!("c/nss_callers.c");
const FOUND: &str = "10.88.0.2 fd00:88::2";

/// A container of this name and these addresses.
fn web(s: &Sandbox) -> Container {
    let web = s.container("web").start();
    s.register(&web, Via::Varlink);
    assert_eq!(format!("{} {}", web.ipv4(), web.ipv6()), FOUND);
    web
}

/// The lines a case says, with the addresses in one order, and without the link-local one that comes when IPv6 has made
/// sure that nobody else has it.
#[track_caller]
fn case(s: &Sandbox, program: &str, case: &str) -> Vec<String> {
    let said = s
        .cmd(program)
        .arg(case)
        .timeout(std::time::Duration::from_secs(20))
        .run()
        .ok();
    let in_order = |line: &str| {
        let Some((what, addresses)) = line.split_once(": ") else {
            return line.to_owned();
        };
        let words = addresses
            .split(' ')
            .filter(|word| !word.starts_with("fe80:"));
        let mut words: Vec<_> = words.collect();
        if words
            .iter()
            .all(|word| word.parse::<std::net::IpAddr>().is_ok())
        {
            words.sort_unstable();
        }
        format!("{what}: {}", words.join(" "))
    };
    said.lines().map(in_order).collect()
}

#[test]
fn a_program_as_any_other() {
    sandbox!(with_machined(), |s| {
        web(s);
        let program = compile(s, "callers", CALLERS, "-Wall -Werror");
        assert_eq!(case(s, &program, "plain"), [format!("plain: {FOUND}")]);
    });
}

#[test]
fn a_statically_linked_program() {
    sandbox!(with_machined(), |s| {
        web(s);
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
    sandbox!(with_machined().lookaside(false), |s| {
        web(s);
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
fn a_program_with_every_descriptor_in_use_knows_what_it_knew() {
    sandbox!(with_machined(), |s| {
        web(s);
        let program = compile(s, "callers", CALLERS, "");
        let said = case(s, &program, "descriptors");
        assert_eq!(said[1], format!("with none left: {FOUND}"));
        assert_eq!(said[2], format!("with one left: {FOUND}"));
    });
}

#[test]
fn a_program_that_closes_what_it_did_not_open() {
    sandbox!(with_machined(), |s| {
        web(s);
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
    sandbox!(with_machined(), |s| {
        web(s);
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
    sandbox!(with_machined(), |s| {
        web(s);
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
    sandbox!(with_machined().lookaside(false), |s| {
        web(s);
        s.run("mkdir -p /var/empty-root").ok();
        let program = compile(s, "callers", CALLERS, "");
        let said = case(s, &program, "chroot");
        assert_eq!(said[0], format!("before: {FOUND}"));
        assert!(
            said[1].starts_with("after: ") && !said[1].contains("10.88"),
            "{said:?}"
        );
        // Where machined can be reached, it is found.
        s.run("cd /var/empty-root && mkdir -p run/switchyard && mount --bind /run/switchyard run/switchyard")
            .ok();
        let said = case(s, &program, "chroot");
        assert_eq!(said[1], format!("after: {FOUND}"));
    });
}

#[test]
fn a_program_in_a_chroot_knows_what_it_knew() {
    sandbox!(with_machined(), |s| {
        web(s);
        s.run("mkdir -p /var/empty-root").ok();
        let program = compile(s, "callers", CALLERS, "");
        let said = case(s, &program, "chroot");
        assert_eq!(said[1], format!("after: {FOUND}"));
    });
}

#[test]
fn a_setuid_program() {
    sandbox!(with_machined(), |s| {
        if s.is_rootless() {
            skip!("there is no other user to become root from");
        }
        web(s);
        let program = compile(s, "callers", CALLERS, "");
        s.run(&format!(
            "chown root {program} && chmod 4755 {program} && chmod 755 /tmp"
        ))
        .ok();
        let run = s.cmd(&program).arg("secure").user(1000);
        let run = run.env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/tmp/evil");
        let said = run.run().ok();
        assert!(said.starts_with("secure: 1, user 1000 as 0\n"), "{said}");
        assert!(said.contains("10.88.0.2"), "{said}");
    });
}

#[test]
fn programs_of_every_day() {
    sandbox!(with_machined(), |s| {
        let web = web(s);
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
        // What answers there is the container. busybox is linked statically.
        web.run("mkdir /www && echo served by web >/www/index.html && httpd -p 80 -h /www")
            .ok();
        for line in [
            "curl -sS --max-time 5 http://web/",
            "busybox wget -q -O - http://web/",
            "python3 -c 'import http.client as h; c = h.HTTPConnection(\"web\", timeout=5); c.request(\"GET\", \"/\"); print(c.getresponse().read())'",
        ] {
            let said = s.run(line).ok();
            assert!(said.contains("served by web"), "{line}: {said}");
        }
    });
}
