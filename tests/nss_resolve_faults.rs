//! nss-resolve where the daemon is stopped, slow, dead or lying: no crash, no hang, no wrong answer.

mod nss_probe;
mod nss_replies;
mod nss_resolve_load;
mod nss_resolve_world;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::time::Duration;

use nss_probe::{Behaviour, FakeDaemon, Probe, compile, seconds};
use nss_replies::{BAD, HUNG_UP, TOO_LATE, V4, addresses, parameters, replies};
use nss_resolve_world::{MODULE, SOCKET, World, options};
use support::{Options, Sandbox, Which, sandbox, skip};

const NOT_FOUND: &str = "NOTFOUND errno=0 h_errno=1";
const NO_DATA: &str = "NOTFOUND errno=0 h_errno=4";
/// The daemon lives, and has not answered.
const OVERDUE: &str = "TRYAGAIN errno=110 h_errno=2";

/// Without a daemon.
fn alone() -> Options {
    options().bus(false)
}

#[test]
fn a_stopped_daemon_costs_a_second() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let world = World::start(s);
        let probe = Probe::of(s, MODULE);
        fs::write("/etc/hosts", "127.0.0.1 localhost\n192.0.2.77 fallback\n").unwrap();
        world.resolved.stop();
        for (function, argument) in [
            ("4", "name.test"),
            ("3", "name.test"),
            ("addr", "192.0.2.10"),
        ] {
            let (said, took) = seconds(|| probe.ask(function, argument));
            assert_eq!(said, TOO_LATE, "{function}");
            assert!((0.95..2.0).contains(&took), "{function}: {took}");
        }
        // A thousand in one process: the first takes its second, the rest nothing.
        let (said, took) = seconds(|| probe.ask_with("-n 1000", "4", "name.test"));
        assert!(said.starts_with(TOO_LATE), "{said}");
        assert!((0.95..2.0).contains(&took), "{took}");
        // `hosts: resolve [!UNAVAIL=return] files`
        let (said, took) = seconds(|| s.run("getent ahostsv4 fallback").ok());
        assert!(said.contains("192.0.2.77"), "{said}");
        assert!((0.95..2.1).contains(&took), "{took}");
        world.resolved.cont();
        assert!(probe.ask("4", "name.test").starts_with("SUCCESS"));
    });
}

#[test]
fn a_slow_server_is_waited_for() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let world = World::start(s);
        let probe = Probe::of(s, MODULE);
        world.stop_server(true);
        // resolved lives, so the lookup goes on.
        let (said, took) = probe.ask_meanwhile("4", "v4only.test", Duration::from_secs(3), || {
            world.stop_server(false)
        });
        assert!(said.ends_with(" 192.0.2.11"), "{said}");
        assert!((2.9..9.0).contains(&took), "{took}");
        // And ends. The daemon is not blamed: what it knows, it is still asked for.
        world.stop_server(true);
        let (said, took) = seconds(|| getaddrinfo_twice(s, "late.test", "localhost"));
        assert_eq!(said, "-3 0"); // EAI_AGAIN
        assert!((9.9..11.0).contains(&took), "{took}");
    });
}

/// What getaddrinfo(3) returns for two names, one after the other, in one process.
fn getaddrinfo_twice(s: &Sandbox, first: &str, second: &str) -> String {
    let source = "#include <netdb.h>\n#include <stdio.h>\nint main(int c, char **v) { struct addrinfo *a; (void)c;\n\
        int one = getaddrinfo(v[1], 0, 0, &a); printf(\"%d %d\", one, getaddrinfo(v[2], 0, 0, &a)); return 0; }";
    let program = compile(s, "twice", source, "-Wall -Werror");
    let twice = s.cmd(&program).args([first, second]);
    twice.timeout(Duration::from_secs(20)).run().ok()
}

#[test]
fn a_daemon_that_dies() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let world = World::start(s);
        let probe = Probe::of(s, MODULE);
        world.stop_server(true);
        let (said, took) =
            probe.ask_meanwhile("4", "v4only.test", Duration::from_millis(800), || {
                world.resolved.kill(rustix::process::Signal::KILL)
            });
        assert_eq!(said, HUNG_UP);
        assert!((0.7..2.0).contains(&took), "{took}");
        world.resolved.wait();
        assert_eq!(probe.ask("4", "name.test"), "UNAVAIL errno=111 h_errno=3");
        fs::remove_file(SOCKET).unwrap();
        assert_eq!(probe.ask("4", "name.test"), "UNAVAIL errno=2 h_errno=3");
        fs::remove_dir_all("/run/systemd/resolve").unwrap();
        assert_eq!(probe.ask("4", "name.test"), "UNAVAIL errno=2 h_errno=3");
    });
}

#[test]
fn any_reply() {
    sandbox!(alone(), |s| {
        let probe = Probe::of(s, MODULE);
        let daemon = FakeDaemon::start(SOCKET, Behaviour::Refuse);
        for (kind, behaviour, expected) in replies() {
            // Of an interface that is not resolved's.
            let expected = match kind {
                "NoAddresses" | "NoSuchMachine" | "an error with addresses" => NOT_FOUND,
                _ => expected,
            };
            daemon.now(behaviour);
            let (answer, took) = seconds(|| probe.ask("4", "web"));
            let fits = expected.split('|').any(|start| answer.starts_with(start));
            assert!(fits, "{kind}: {answer}");
            let status = answer.split(' ').next().unwrap();
            for function in ["3", "2", "1"] {
                let other = probe.ask(function, "web");
                assert!(other.starts_with(status), "{kind}, by {function}: {other}");
            }
            let six = probe.ask("3-6", "web");
            match status {
                "SUCCESS" => assert_eq!(six, NO_DATA, "{kind}"),
                _ => assert!(six.starts_with(status), "{kind}: {six}"),
            }
            for mark in ["(errno changed)", "(outside)", "(misaligned)"] {
                assert!(!answer.contains(mark), "{kind}: {answer}");
            }
            assert!(took < 1.0, "{kind} took {took} s");
        }
    });
}

#[test]
fn any_reply_about_an_address() {
    sandbox!(alone(), |s| {
        let probe = Probe::of(s, MODULE);
        let daemon = FakeDaemon::start(SOCKET, Behaviour::Refuse);
        let found = "SUCCESS errno=0 h_errno=0 ttl=0 name=web family=2 length=4";
        let plain = format!("{found} 10.88.0.2");
        let aliased = format!("{found} alias=www 10.88.0.2");
        for (json, expected) in [
            (r#"{"names":[{"name":"web"}]}"#, plain.as_str()),
            (
                r#"{"names":[{"ifindex":5,"name":"web","x":[]},{"name":"www"}],"flags":9}"#,
                &aliased,
            ),
            (
                r#"{"names":[{"name":"a b"},{"name":"web"},{"name":"\u0000"},{"name":"-x"}]}"#,
                &plain,
            ),
            (r#"{"names":[]}"#, NOT_FOUND),
            (r#"{"names":[{"name":""}]}"#, NOT_FOUND),
            (r#"{"names":[{"name":"evil\nname"}]}"#, NOT_FOUND),
            (r#"{"names":[{"name":"\u001b]0;x\u0007"}]}"#, NOT_FOUND),
            (r#"{"names":[{}]}"#, BAD),
            (r#"{"names":["web"]}"#, BAD),
            (r#"{"names":null}"#, BAD),
            ("{}", BAD),
        ] {
            daemon.now(parameters(json));
            assert_eq!(probe.ask("addr2", "10.88.0.2"), expected, "{json}");
        }
    });
}

#[test]
fn any_error() {
    sandbox!(alone(), |s| {
        let probe = Probe::of(s, MODULE);
        let daemon = FakeDaemon::start(SOCKET, Behaviour::Refuse);
        let unavailable = "UNAVAIL errno=121 h_errno=3";
        let later = "TRYAGAIN errno=11 h_errno=2";
        for (error, expected) in [
            ("io.systemd.Disconnected", unavailable),
            ("io.systemd.TimedOut", unavailable),
            ("io.systemd.Protocol", unavailable),
            ("org.varlink.service.InterfaceNotFound", unavailable),
            ("org.varlink.service.MethodNotFound", unavailable),
            ("org.varlink.service.MethodNotImplemented", unavailable),
            ("io.systemd.Resolve.NoNameServers", later),
            ("io.systemd.Resolve.QueryTimedOut", later),
            ("io.systemd.Resolve.MaxAttemptsReached", later),
            ("io.systemd.Resolve.NetworkDown", later),
            ("io.systemd.Resolve.NoSuchResourceRecord", NO_DATA),
            ("io.systemd.Resolve.DNSError", NOT_FOUND),
            ("io.systemd.Resolve.DNSSECValidationFailed", NOT_FOUND),
            ("org.varlink.service.InvalidParameter", NOT_FOUND),
            ("", NOT_FOUND),
        ] {
            daemon.now(Behaviour::reply(&format!(
                r#"{{"error":"{error}","parameters":{{"rcode":3}}}}"#
            )));
            for (function, argument) in [("4", "web"), ("2-6", "web"), ("addr2", "10.88.0.2")] {
                assert_eq!(probe.ask(function, argument), expected, "{error}");
            }
        }
    });
}

#[test]
fn an_answer_that_never_ends() {
    sandbox!(alone(), |s| {
        let probe = Probe::of(s, MODULE);
        // Silent to the question and to the ping.
        let daemon = FakeDaemon::start(SOCKET, Behaviour::SendAndHold(vec![]));
        let (said, took) = seconds(|| probe.ask("4", "web"));
        assert_eq!(said, TOO_LATE);
        assert!((0.95..2.0).contains(&took), "{took}");
        assert_eq!(daemon.questions(), 2);
        // Begun, and then byte by byte: it lives.
        daemon.now(Behaviour::Drip(b' '));
        let drip = s.cmd("timeout").args(["-s", "KILL", "15"]);
        let drip = drip.args(["/tmp/nss_probe", MODULE, "resolve", "4", "web"]);
        let (said, took) = seconds(|| drip.timeout(Duration::from_secs(20)).run().ok());
        assert_eq!(said.trim(), OVERDUE);
        assert!((9.9..11.0).contains(&took), "{took}");
    });
}

#[test]
fn nobody_accepts() {
    sandbox!(alone(), |s| {
        let probe = Probe::of(s, MODULE);
        let listener = std::os::unix::net::UnixListener::bind(SOCKET).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let _first = std::os::unix::net::UnixStream::connect(SOCKET).unwrap();
        let (said, took) = seconds(|| probe.ask("4", "web"));
        assert_eq!(said, TOO_LATE);
        assert!((0.95..2.0).contains(&took), "{took}");
    });
}

#[test]
fn names_that_nobody_has_are_not_asked_about() {
    sandbox!(alone(), |s| {
        let probe = Probe::of(s, MODULE);
        let daemon = FakeDaemon::start(SOCKET, addresses(V4));
        assert!(probe.ask("4", &"x".repeat(253)).starts_with("SUCCESS"));
        let asked = daemon.questions();
        assert_eq!(probe.ask("4", &"x".repeat(254)), NOT_FOUND);
        assert_eq!(probe.ask("4", &"x".repeat(100_000)), NOT_FOUND);
        // "\377" is no UTF-8.
        let line = format!("/tmp/nss_probe {MODULE} resolve 4 \"$(printf 'a\\377')\"");
        assert_eq!(s.run(&line).ok().trim(), NOT_FOUND);
        assert_eq!(daemon.questions(), asked);
    });
}

/// Listens in the directory of resolved's socket as somebody else.
const LISTENER: &str = "import socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
time.sleep(60)";

#[test]
fn a_listener_who_is_neither_root_nor_resolved_is_not_asked() {
    sandbox!(alone(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let (directory, other) = ("/run/systemd/resolve", 1000);
        fs::set_permissions(directory, PermissionsExt::from_mode(0o777)).unwrap();
        fs::write("/tmp/listener.py", LISTENER).unwrap();
        let line =
            format!("setpriv --reuid {other} --clear-groups python3 /tmp/listener.py {SOCKET}");
        s.spawn("listener", &["sh", "-c", &line]);
        s.wait_for(
            || std::os::unix::net::UnixStream::connect(SOCKET).is_ok(),
            "the listener",
        );
        let probe = Probe::of(s, MODULE);
        let (said, took) = seconds(|| probe.ask("4", "web"));
        assert_eq!(said, "UNAVAIL errno=1 h_errno=3");
        assert!(took < 0.5, "{took}");
        // Were the directory his, he would be who resolved runs as.
        chown(directory, Some(other), None).unwrap();
        assert_eq!(probe.ask("4", "web"), TOO_LATE);
    });
}

#[test]
fn lookups_of_a_daemon_that_is_gone_leave_nothing() {
    sandbox!(alone(), |s| {
        let probe = Probe::of(s, MODULE);
        let leaves_nothing = |expected: &str| {
            for (function, argument) in [("4", "web"), ("addr2", "10.88.0.2")] {
                let said = probe.ask_with("-n 10000", function, argument);
                assert!(said.starts_with(expected), "{said}");
                let kb = said.split("kb=").nth(1).unwrap().split(' ').next().unwrap();
                assert!(
                    said.contains("fds=+0 ") && kb.parse::<i64>().unwrap() < 64,
                    "{said}"
                );
            }
        };
        leaves_nothing("UNAVAIL errno=2 h_errno=3");
        let daemon = FakeDaemon::start(SOCKET, Behaviour::Send(b"{\"parameters\":{".to_vec()));
        leaves_nothing(HUNG_UP);
        daemon.now(Behaviour::SendAndHold(vec![]));
        leaves_nothing(TOO_LATE);
        fs::remove_file(SOCKET).unwrap();
        drop(std::os::unix::net::UnixListener::bind(SOCKET).unwrap());
        leaves_nothing("UNAVAIL errno=111 h_errno=3");
    });
}

#[test]
fn a_daemon_that_comes_and_goes_under_64_threads() {
    sandbox!(options(), |s| nss_resolve_load::comes_and_goes(
        s,
        Which::Peer
    ));
}
