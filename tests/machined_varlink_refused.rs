//! What machined's Varlink refuses: parameters that are wrong, and callers who may not.

mod machined_varlink_client;

use std::fs;

use machined_varlink_client::{
    Client, MACHINE, Reply, Value, as_user, ask, call_as, end, gone, idle, json, machine,
    registered,
};
use support::{Options, Sandbox, sandbox, skip};

const NOBODY: u32 = 65534;

/// A good request with one parameter of another value.
fn but(good: &Value, parameter: &str, value: Value) -> Value {
    let mut request = good.clone();
    request[parameter] = value;
    request
}

/// Parameters, each with a value that it can't have.
type Wrong<'a> = &'a [(&'a str, Value)];

/// Each wrong value is blamed on its parameter, whatever its own type is.
#[track_caller]
fn blamed(method: &str, good: &Value, wrong: Wrong<'_>) {
    for (parameter, value) in wrong {
        let reply = machine(method, but(good, parameter, value.clone()));
        assert_eq!(
            reply.blames(),
            *parameter,
            "{method}, {parameter}: {value}: {reply:?}"
        );
    }
    let unknown = machine(method, but(good, "nonesuch", json!(1)));
    assert_eq!(unknown.blames(), "nonesuch", "{method}: {unknown:?}");
}

#[test]
fn every_wrong_parameter_of_register_is_named() {
    sandbox!(|_s| {
        let leader = idle();
        let good = json!({ "name": "web", "class": "container", "leader": leader.id() });
        let long = "x".repeat(65);
        for name in ["", ".host", ".x", "a..b", "x.", "a/b", "a b", "ä", &long] {
            blamed("Register", &good, &[("name", json!(name))]);
        }
        // CVE-2026-4105: the class of the host is nobody's to take.
        for class in ["host", "Host", "HOST", "container\n", "other", "\0"] {
            blamed("Register", &good, &[("class", json!(class))]);
        }
        let path = "/".repeat(5000);
        let address = |address: Value| json!([address]);
        blamed(
            "Register",
            &good,
            &[
                ("name", json!(5)),
                ("name", json!(null)),
                ("class", json!(null)),
                ("class", json!(["container"])),
                ("id", json!("12")),
                ("id", json!("g".repeat(32))),
                ("id", json!([1, 2])),
                ("service", json!(1)),
                ("service", json!("a\nb")),
                ("leader", json!(-1)),
                ("leader", json!(1)),
                ("leader", json!(1.5)),
                ("leader", json!("1")),
                ("leader", json!(1_u64 << 32)),
                ("leader", json!(u32::MAX)),
                ("leaderProcessId", json!({})),
                ("leaderProcessId", json!({ "pid": -3 })),
                ("leaderProcessId", json!("x")),
                ("supervisor", json!(1)),
                ("supervisor", json!(true)),
                ("supervisorProcessId", json!([])),
                ("rootDirectory", json!("relative")),
                ("rootDirectory", json!("/a/../b")),
                ("rootDirectory", json!("/a\nb")),
                ("rootDirectory", json!(path)),
                ("rootDirectory", json!(7)),
                ("ifIndices", json!([0])),
                ("ifIndices", json!([-1])),
                ("ifIndices", json!(3)),
                ("ifIndices", json!(["3"])),
                ("vSockCid", json!(0)),
                ("vSockCid", json!(2)),
                ("vSockCid", json!(u32::MAX)),
                ("vSockCid", json!("3")),
                ("sshAddress", json!("a\u{1b}b")),
                ("sshAddress", json!({})),
                ("sshPrivateKeyPath", json!("/a\0")),
                ("sshPrivateKeyPath", json!(false)),
                ("allocateUnit", json!("yes")),
                ("allowInteractiveAuthentication", json!(1)),
                (
                    "addresses",
                    address(json!({ "family": 2, "address": [1, 2, 3] })),
                ),
                (
                    "addresses",
                    address(json!({ "family": 1, "address": [1, 2, 3, 4] })),
                ),
                (
                    "addresses",
                    address(json!({ "family": 2, "address": [1, 2, 3, 256] })),
                ),
                ("addresses", address(json!({ "address": [1, 2, 3, 4] }))),
                ("addresses", json!("192.0.2.1")),
            ],
        );
        for missing in ["name", "class"] {
            let mut request = good.clone();
            request.as_object_mut().unwrap().remove(missing);
            assert_eq!(machine("Register", request).blames(), missing);
        }
        for whole in [json!([]), json!("web"), json!(3)] {
            assert_eq!(machine("Register", whole).blames(), "parameters");
        }
        let disagreeing = but(&good, "leaderProcessId", json!({ "pid": leader.id() + 1 }));
        assert!(
            machine("Register", disagreeing)
                .blames()
                .starts_with("leader")
        );
        // None of it has registered anything.
        let all = Client::new(MACHINE).call_more("io.systemd.Machine.List", &json!({}));
        assert_eq!(all.len(), 1, "{all:?}");
        machine("Register", good).ok();
        end(leader);
    });
}

#[test]
fn every_wrong_parameter_of_the_rest_is_named() {
    sandbox!(|s| {
        let _web = registered(s, "web");
        let which = [
            ("name", json!("")),
            ("name", json!("a/b")),
            ("name", json!(3)),
            ("pid", json!("1")),
            ("pid", json!(-1)),
            ("pid", json!({ "pid": "1" })),
            ("pid", json!({ "pid": 1, "more": 1 })),
            ("allowInteractiveAuthentication", json!("no")),
        ];
        let good = |more: Value| {
            let mut parameters = more;
            parameters["name"] = "web".into();
            parameters
        };
        let file = || good(json!({ "source": "/tmp", "destination": "/tmp/x" }));
        let paths = [
            ("source", json!("relative")),
            ("source", json!("")),
            ("source", json!("/a\0b")),
            ("source", json!(null)),
            ("destination", json!("relative")),
            ("destination", json!("/".repeat(5000))),
            ("destination", json!(1)),
        ];
        let replace = [("replace", json!("x"))];
        let bind = [
            ("source", json!("/a/../b")),
            ("destination", json!("/a/./b")),
            ("readOnly", json!(1)),
            ("mkdir", json!("yes")),
        ];
        let table: [(&str, Value, &[Wrong<'_>]); 10] = [
            ("Unregister", good(json!({})), &[&which]),
            ("Terminate", good(json!({})), &[&which]),
            ("OpenRootDirectory", good(json!({})), &[&which]),
            (
                "List",
                good(json!({})),
                &[
                    &which,
                    &[
                        ("acquireMetadata", json!("maybe")),
                        ("acquireMetadata", json!(true)),
                    ],
                ],
            ),
            (
                "Kill",
                good(json!({ "signal": 18 })),
                &[
                    &which,
                    &[
                        ("whom", json!("init")),
                        ("whom", json!(0)),
                        ("signal", json!(0)),
                        ("signal", json!(65)),
                        ("signal", json!(-1)),
                        ("signal", json!("SIGTERM")),
                        ("signal", json!(null)),
                    ],
                ],
            ),
            ("CopyTo", file(), &[&which, &paths, &replace]),
            ("CopyFrom", file(), &[&which, &paths, &replace]),
            ("BindMount", file(), &[&which, &paths, &bind]),
            (
                "MapFrom",
                good(json!({ "uid": 0 })),
                &[
                    &which,
                    &[
                        ("uid", json!(-1)),
                        ("uid", json!(1_u64 << 32)),
                        ("gid", json!("0")),
                    ],
                ],
            ),
            (
                "Open",
                good(json!({ "mode": "shell" })),
                &[
                    &which,
                    &[
                        ("mode", json!("window")),
                        ("mode", json!(null)),
                        ("user", json!("a b")),
                        ("user", json!(0)),
                        ("path", json!("sh")),
                        ("path", json!("/a\0")),
                        ("args", json!(["sh"])),
                        ("args", json!("sh")),
                        ("environment", json!(["=x"])),
                        ("environment", json!(["NAME"])),
                        ("environment", json!({})),
                    ],
                ],
            ),
        ];
        for (method, good, wrong) in table {
            for wrong in wrong {
                blamed(method, &good, wrong);
            }
        }
        blamed(
            "MapTo",
            &json!({ "uid": 1 }),
            &[("uid", json!("x")), ("gid", json!(-1))],
        );
        assert_eq!(
            machine("MapTo", json!({ "uid": 0, "name": "web" })).blames(),
            "name"
        );
        for mode in ["tty", "login"] {
            let good = good(json!({ "mode": mode }));
            let of_a_shell = [
                ("user", json!("root")),
                ("path", json!("/bin/sh")),
                ("args", json!(["sh"])),
                ("environment", json!(["A=b"])),
            ];
            blamed("Open", &good, &of_a_shell);
        }
        let program =
            json!({ "name": "web", "mode": "shell", "path": "/bin/sh", "args": ["a\0b"] });
        assert_eq!(machine("Open", program).blames(), "args");
        assert!(
            machine("List", json!({ "name": "web" })).error().is_empty(),
            "it is still there"
        );
    });
}

/// Every method that changes something or enters a machine, with parameters that are good.
fn privileged(leader: u32) -> Vec<(&'static str, Value)> {
    let register = json!({ "name": "x", "class": "container", "leader": leader });
    vec![
        ("Register", register.clone()),
        ("Register", but(&register, "allocateUnit", json!(true))),
        ("Unregister", json!({ "name": "web" })),
        ("Terminate", json!({ "name": "web" })),
        (
            "Kill",
            json!({ "name": "web", "whom": "leader", "signal": 18 }),
        ),
        ("Open", json!({ "name": "web", "mode": "tty" })),
        ("Open", json!({ "name": "web", "mode": "login" })),
        ("Open", json!({ "name": "web", "mode": "shell" })),
        ("Open", json!({ "name": ".host", "mode": "shell" })),
        ("Open", json!({ "name": ".host", "mode": "login" })),
        ("Open", json!({ "name": ".host", "mode": "tty" })),
        ("BindMount", json!({ "name": "web", "source": "/tmp" })),
        (
            "CopyFrom",
            json!({ "name": "web", "source": "/etc/hostname" }),
        ),
        (
            "CopyTo",
            json!({ "name": "web", "source": "/etc/hostname" }),
        ),
        ("OpenRootDirectory", json!({ "name": "web" })),
    ]
}

/// Nobody is refused what is root's, with one of these errors, and may look.
fn nobody_is_refused(s: &Sandbox, errors: &[&str]) {
    let web = registered(s, "web");
    let leader = web.leader();
    as_user(NOBODY, || {
        for (method, parameters) in privileged(leader) {
            let reply = machine(method, parameters.clone());
            assert!(
                errors.contains(&reply.error()),
                "{method} {parameters}: {reply:?}"
            );
        }
        let service =
            |method: &str, parameters: Value| ask("io.systemd.service", method, parameters);
        for reply in [
            service("SetLogLevel", json!({ "level": 7 })),
            service("GetEnvironment", json!({})),
        ] {
            assert!(reply.is("PermissionDenied"), "{reply:?}");
        }
        service("Ping", json!({})).ok();
        machine("List", json!({ "name": "web", "acquireMetadata": "yes" })).ok();
        assert!(machine("MapTo", json!({ "uid": 7 })).is("UserInHostRange"));
        ask(
            "io.switchyard.Machines",
            "ResolveHostname",
            json!({ "name": "web" }),
        )
        .ok();
    });
    assert!(web.is_running());
    assert!(machine("List", json!({ "name": "x" })).is("NoSuchMachine"));
}

#[test]
fn nobody_may_change_anything_without_a_bus() {
    sandbox!(Options::new().bus(false), |s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        nobody_is_refused(s, &["org.varlink.service.PermissionDenied"]);
    });
}

#[test]
fn nobody_may_change_anything_without_polkit() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        s.run("mount -t tmpfs tmpfs /usr/share/dbus-1/system-services")
            .ok();
        let reload = "busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig";
        s.run(reload).ok();
        nobody_is_refused(s, &["org.varlink.service.PermissionDenied"]);
    });
}

#[test]
fn nobody_may_change_anything_by_polkits_own_rules() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let asks = "io.systemd.InteractiveAuthenticationRequired";
        nobody_is_refused(s, &["org.varlink.service.PermissionDenied", asks]);
    });
}

#[test]
fn a_rule_of_polkits_lets_nobody_do_what_it_says_and_no_more() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let rule = r#"polkit.addRule(function(action, subject) {
            if (subject.user != "nobody") return polkit.Result.NOT_HANDLED;
            if (action.id == "org.freedesktop.machine1.register-machine") return polkit.Result.YES;
            if (action.id == "org.freedesktop.machine1.manage-machines" && action.lookup("machine") == "web"
                && action.lookup("verb") == "kill") return polkit.Result.YES;
            return polkit.Result.NO;
        });"#;
        fs::create_dir_all("/etc/polkit-1/rules.d").unwrap();
        fs::write("/etc/polkit-1/rules.d/10-test.rules", rule).unwrap();
        s.run("chmod -R a+rX /etc/polkit-1").ok();
        let web = registered(s, "web");
        let _db = registered(s, "db");
        let kill = |name: &str| {
            let parameters = json!({ "name": name, "whom": "leader", "signal": 18 });
            call_as(s, NOBODY, "Kill", &parameters)
        };
        kill("web").ok();
        let denied = |reply: Reply| assert!(reply.is("PermissionDenied"), "{reply:?}");
        denied(kill("db"));
        denied(call_as(s, NOBODY, "Terminate", &json!({ "name": "web" })));
        denied(call_as(
            s,
            NOBODY,
            "OpenRootDirectory",
            &json!({ "name": "web" }),
        ));
        // The rule allows to register, and yet not a process of another, nor the host.
        let register = |more: Value| {
            let mut parameters = json!({ "name": "own", "class": "container" });
            parameters
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            call_as(s, NOBODY, "Register", &parameters)
        };
        denied(register(json!({ "leader": web.leader() })));
        denied(register(json!({ "allocateUnit": true })));
        assert_eq!(register(json!({ "class": "host" })).blames(), "class");
        let own = s
            .cmd("sh")
            .args(["-c", "sleep 20 >/dev/null 2>&1 & echo $!"])
            .user(NOBODY);
        let leader: u32 = own.run().ok().trim().parse().unwrap();
        register(json!({ "leader": leader })).ok();
        let listed = machine("List", json!({ "name": "own" })).ok();
        assert_eq!(
            (&listed["UID"], &listed["leader"]["pid"]),
            (&json!(NOBODY), &json!(leader))
        );
        // What is theirs is not entered as root, whoever asks.
        assert!(machine("OpenRootDirectory", json!({ "name": "own" })).is("NotSupported"));
        call_as(s, NOBODY, "Unregister", &json!({ "name": "own" })).ok();
        gone(s, "own");
    });
}
