//! Daemons that are broken or lie: nss-mymachines must neither crash nor hang nor leak, whatever they send.

mod nss_probe;
mod nss_replies;

use std::fs;
use std::time::{Duration, Instant};

use nss_probe::{Behaviour, FakeDaemon, MACHINED, Probe, USERS};
use nss_replies::{BAD, HUNG_UP, NO_DATA, TOO_LATE, V4, addresses, parameters, replies};
use support::{Options, sandbox, skip};

fn alone() -> Options {
    Options::new()
        .machined(None)
        .bus(false)
        .timeout(Duration::from_secs(120))
}

#[test]
fn any_reply() {
    sandbox!(alone(), |s| {
        let probe = Probe::new(s);
        let daemon = FakeDaemon::start(MACHINED, Behaviour::Refuse);
        let replies = replies();
        assert!(replies.len() >= 40);
        for (kind, behaviour, expected) in replies {
            daemon.now(behaviour);
            probe.survives(s, kind, expected, 5, |status| {
                let six = probe.ask("3-6", "web");
                match status {
                    "SUCCESS" => assert_eq!(six, NO_DATA, "{kind}"),
                    _ => assert!(six.starts_with(status), "{kind}: {six}"),
                }
            });
        }
    });
}

#[test]
fn a_daemon_that_does_not_answer_costs_one_deadline() {
    sandbox!(alone(), |s| {
        let probe = Probe::new(s);
        let half = br#"{"parameters":{"addresses":["#;
        for behaviour in [
            Behaviour::SendAndHold(vec![]),
            Behaviour::SendAndHold(half.to_vec()),
            Behaviour::Drip(b' '),
        ] {
            let daemon = FakeDaemon::start(MACHINED, behaviour);
            let begun = Instant::now();
            assert_eq!(probe.ask("4", "web"), TOO_LATE);
            let took = begun.elapsed();
            assert!((0.9..1.5).contains(&took.as_secs_f64()), "{took:?}");
            assert_eq!(daemon.questions(), 1);
            // 50 in one process: one deadline, the rest at once.
            let begun = Instant::now();
            assert!(probe.ask_with("-n 50", "3", "web").starts_with(TOO_LATE));
            assert!(
                begun.elapsed() < Duration::from_millis(1500),
                "{:?}",
                begun.elapsed()
            );
            assert_eq!(daemon.questions(), 2);
        }
    });
}

#[test]
fn a_daemon_that_recovers_is_asked_again() {
    sandbox!(alone(), |s| {
        let daemon = FakeDaemon::start(MACHINED, Behaviour::SendAndHold(vec![]));
        let program =
            nss_probe::compile(s, "again", include_str!("c/nss_again.c"), "-Wall -Werror");
        let again = thread_run(program);
        std::thread::sleep(Duration::from_millis(1500));
        daemon.now(addresses(V4));
        let said = again.join().unwrap();
        let seconds: f64 = said.trim().parse().unwrap();
        assert!(
            (5.0..7.5).contains(&seconds),
            "found again after {seconds} s"
        );
    });
}

fn thread_run(program: String) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        support::Command::new(program)
            .timeout(Duration::from_secs(20))
            .run()
            .ok()
    })
}

#[test]
fn a_full_backlog_costs_one_deadline() {
    sandbox!(alone(), |s| {
        let probe = Probe::new(s);
        // A daemon that listens and never accepts.
        fs::create_dir_all("/run/switchyard/machined").unwrap();
        let listener = std::os::unix::net::UnixListener::bind(MACHINED).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let _first = std::os::unix::net::UnixStream::connect(MACHINED).unwrap();
        let begun = Instant::now();
        assert_eq!(probe.ask("4", "web"), TOO_LATE);
        assert!(
            (0.9..1.5).contains(&begun.elapsed().as_secs_f64()),
            "{:?}",
            begun.elapsed()
        );
    });
}

#[test]
fn ten_thousand_lookups_leave_nothing() {
    sandbox!(alone(), |s| {
        let probe = Probe::new(s);
        let leaves_nothing = |state: &str, expected: &str| {
            for function in ["4", "3", "addr2"] {
                let argument = if function == "addr2" {
                    "10.88.0.2"
                } else {
                    "web"
                };
                let said = probe.leaves_nothing(state, 10_000, function, argument);
                assert!(said.starts_with(expected), "{state}, {function}: {said}");
            }
        };
        // Not systemd's machined either.
        fs::remove_dir_all("/run/systemd/machines").unwrap();
        leaves_nothing("absent", "UNAVAIL errno=2 h_errno=3");
        let daemon = FakeDaemon::start(
            MACHINED,
            Behaviour::reply(&format!(
                r#"{{"parameters":{{"addresses":[{V4}],"names":[{{"name":"web"}}]}}}}"#
            )),
        );
        leaves_nothing("alive", "SUCCESS");
        daemon.now(Behaviour::Send(b"{\"parameters\":{".to_vec()));
        leaves_nothing("dying", HUNG_UP);
        daemon.now(Behaviour::SendAndHold(vec![]));
        leaves_nothing("stopped", TOO_LATE);
        fs::remove_file(MACHINED).unwrap();
        drop(std::os::unix::net::UnixListener::bind(MACHINED).unwrap());
        leaves_nothing("dead", "UNAVAIL errno=111 h_errno=3");
    });
}

#[test]
fn any_reply_about_an_address() {
    sandbox!(alone(), |s| {
        let probe = Probe::new(s);
        let daemon = FakeDaemon::start(MACHINED, Behaviour::Refuse);
        let found = "SUCCESS errno=0 h_errno=0 ttl=0 name=web family=2 length=4";
        for (json, expected) in [
            (
                r#"{"names":[{"name":"web"}]}"#,
                format!("{found} 10.88.0.2"),
            ),
            (
                r#"{"names":[{"ifindex":5,"name":"web"},{"name":"www"}]}"#,
                format!("{found} alias=www 10.88.0.2"),
            ),
            (
                r#"{"names":[{"name":"a b"},{"name":"web"},{"name":"\u0000"}]}"#,
                format!("{found} 10.88.0.2"),
            ),
            (r#"{"names":[]}"#, "NOTFOUND errno=0 h_errno=1".into()),
            (
                r#"{"names":[{"name":"evil\nname"}]}"#,
                "NOTFOUND errno=0 h_errno=1".into(),
            ),
            (r#"{"names":[{}]}"#, BAD.into()),
            (r#"{"names":["web"]}"#, BAD.into()),
            (r#"{"names":null}"#, BAD.into()),
            ("{}", BAD.into()),
        ] {
            daemon.now(parameters(json));
            assert_eq!(probe.ask("addr2", "10.88.0.2"), expected, "{json}");
        }
        let asked = daemon.questions();
        for address in ["127.0.0.1", "0.0.0.0", "224.0.0.1", "::1", "::", "ff02::1"] {
            assert_eq!(
                probe.ask("addr", address),
                "NOTFOUND errno=0 h_errno=1",
                "{address}"
            );
        }
        assert_eq!(
            daemon.questions(),
            asked,
            "nobody's addresses are not asked about"
        );
        daemon.now(parameters(r#"{"names":[{"name":"web"}]}"#));
        let mapped = probe.ask("addr", "::ffff:10.88.0.2");
        assert!(
            mapped.ends_with("name=web family=10 length=16 ::ffff:10.88.0.2"),
            "{mapped}"
        );
    });
}

#[test]
fn any_record_of_a_user() {
    sandbox!(alone(), |s| {
        let probe = Probe::new(s);
        assert_eq!(probe.ask("pwnam", "vu-web-0"), "UNAVAIL errno=2 h_errno=0");
        let daemon = FakeDaemon::start(USERS, Behaviour::Refuse);
        let record = |json: &str| {
            daemon.now(parameters(&format!(
                r#"{{"record":{json},"incomplete":false}}"#
            )))
        };
        let good =
            r#""userName":"vu-web-0","gid":65534,"homeDirectory":"/","shell":"/usr/sbin/nologin""#;

        record(&format!(
            r#"{{{good},"uid":1000000,"realName":"UID 0 of Container web"}}"#
        ));
        let line = "vu-web-0:!*:1000000:65534:UID 0 of Container web:/:/usr/sbin/nologin";
        for (function, argument) in [("pwnam", "vu-web-0"), ("pwuid", "1000000")] {
            assert_eq!(
                probe.ask(function, argument),
                format!("SUCCESS errno=0 h_errno=0 {line}")
            );
        }
        record(&format!(r#"{{{good},"uid":1000000,"realName":"a:b"}}"#));
        assert!(
            probe
                .ask("pwuid", "1000000")
                .ends_with("vu-web-0:!*:1000000:65534::/:/usr/sbin/nologin")
        );

        // A record that names another user, or makes one of the host's of him.
        let bad = "UNAVAIL errno=74 h_errno=0";
        for json in [
            r#"{}"#,
            "null",
            "[]",
            r#"{"userName":"vu-web-0"}"#,
            r#"{"userName":"root","uid":1000000,"gid":65534}"#,
            r#"{"userName":"vu-web-1","uid":1000000,"gid":65534}"#,
            r#"{"userName":"vu-web-0","uid":0,"gid":65534}"#,
            r#"{"userName":"vu-web-0","uid":1000,"gid":65534}"#,
            r#"{"userName":"vu-web-0","uid":4294967295,"gid":65534}"#,
            r#"{"userName":"vu-web-0","uid":-1,"gid":65534}"#,
            r#"{"userName":"vu-web-0","uid":1000000,"gid":0}"#,
            r#"{"userName":"vu-web-0","uid":1000000,"gid":65534,"homeDirectory":"/a\nroot::0:0::/:"}"#,
            r#"{"userName":"vu-web-0","uid":1000000,"gid":65534,"shell":"/a:b"}"#,
            r#"{"userName":"vu-web-0","uid":1000000,"gid":65534,"shell":7}"#,
        ] {
            record(json);
            assert_eq!(probe.ask("pwnam", "vu-web-0"), bad, "{json}");
        }
        record(&format!(r#"{{{good},"uid":1000001}}"#));
        assert_eq!(probe.ask("pwuid", "1000000"), bad);

        record(r#"{"groupName":"vg-web-0","gid":1000000}"#);
        for (function, argument) in [("grnam", "vg-web-0"), ("grgid", "1000000")] {
            assert_eq!(
                probe.ask(function, argument),
                "SUCCESS errno=0 h_errno=0 vg-web-0:!*:1000000:"
            );
        }
        record(r#"{"groupName":"root","gid":1000000}"#);
        assert_eq!(probe.ask("grgid", "1000000"), bad);

        for error in ["NoRecordFound", "ConflictingRecordFound"] {
            daemon.now(Behaviour::reply(&format!(
                r#"{{"error":"io.systemd.UserDatabase.{error}"}}"#
            )));
            assert_eq!(
                probe.ask("grgid", "1000000"),
                "NOTFOUND errno=0 h_errno=0",
                "{error}"
            );
        }
        let asked = daemon.questions();
        for (function, argument) in [
            ("pwnam", "root"),
            ("pwnam", "vu-"),
            ("pwnam", "vu-web"),
            ("pwnam", "vg-web-0"),
            ("grnam", "vu-web-0"),
            ("pwuid", "0"),
            ("pwuid", "65534"),
            ("pwuid", "65535"),
            ("pwuid", "4294967295"),
            ("grgid", "1000"),
        ] {
            assert_eq!(
                probe.ask(function, argument),
                "NOTFOUND errno=0 h_errno=0",
                "{function} {argument}"
            );
        }
        assert_eq!(
            daemon.questions(),
            asked,
            "the host's own users are not asked about"
        );
    });
}

/// Listens on the socket and asks the module itself, or lets others ask.
const LISTENER: &str = r#"
import ctypes, os, socket, sys, time
path, what = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chmod(path, 0o666)
listener.listen()
if what == "itself":
    errno, h_errno = ctypes.c_int(0), ctypes.c_int(0)
    buffer, found = ctypes.create_string_buffer(1024), ctypes.c_void_p()
    ask = ctypes.CDLL("libnss_mymachines.so.2")._nss_mymachines_gethostbyname4_r
    status = ask(b"web", ctypes.byref(found), buffer, ctypes.c_size_t(1024), ctypes.byref(errno), ctypes.byref(h_errno), None)
    print(status, errno.value, h_errno.value)
else:
    time.sleep(60)
"#;

#[test]
fn a_daemon_that_asks_itself_is_refused_at_once() {
    sandbox!(alone(), |s| {
        fs::create_dir_all("/run/switchyard/machined").unwrap();
        let asked = s
            .cmd("python3")
            .args(["-c", LISTENER, MACHINED, "itself"])
            .run();
        assert!(asked.took < Duration::from_millis(900), "{asked}");
        assert_eq!(asked.ok().trim(), format!("-1 {} 3", libc::EDEADLK));
    });
}

#[test]
fn a_daemon_that_is_not_roots_is_not_asked() {
    sandbox!(alone(), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        s.run("mkdir -p /run/switchyard/machined && chown 1000 /run/switchyard/machined")
            .ok();
        fs::write("/tmp/listener.py", LISTENER).unwrap();
        let line = format!(
            "setpriv --reuid 1000 --clear-groups python3 /tmp/listener.py {MACHINED} others"
        );
        s.spawn("listener", &["sh", "-c", &line]);
        s.wait_for(
            || std::os::unix::net::UnixStream::connect(MACHINED).is_ok(),
            "the listener",
        );
        let probe = Probe::new(s);
        assert_eq!(probe.ask("4", "web"), "UNAVAIL errno=1 h_errno=3");
    });
}
