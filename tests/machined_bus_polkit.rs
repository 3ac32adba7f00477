//! polkit's word on what users may do: what it is told, and that nobody waits while it thinks.

mod machined_bus_client;

use std::{
    fs,
    sync::mpsc,
    time::{Duration, Instant},
};

use machined_bus_client::{Client, as_user};
use support::{Sandbox, Via, sandbox, skip};

const NOBODY: u32 = 65534;

/// Lays down a rule: the body of a function of `action` and `subject`.
fn rule(s: &Sandbox, body: &str) {
    let rules = "/etc/polkit-1/rules.d";
    fs::create_dir_all(rules).unwrap();
    let text = format!("polkit.addRule(function(action, subject) {{ {body} }});\n");
    fs::write(format!("{rules}/10-test.rules"), text).unwrap();
    s.run("chmod -R a+rX /etc/polkit-1").ok();
}

#[test]
fn rules_see_the_machine_and_what_is_done_to_it() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        rule(
            s,
            r#"if (action.id == "org.freedesktop.machine1.manage-machines" && action.lookup("machine") == "web"
                && action.lookup("verb") == "kill" && subject.user == "nobody") return polkit.Result.YES;
            return polkit.Result.NO;"#,
        );
        for name in ["web", "db"] {
            s.register(&s.container(name).start(), Via::BusRegister);
        }
        as_user(NOBODY, || {
            let client = Client::new();
            client
                .manager("KillMachine", args!["web", "leader", 18i32])
                .ok();
            for (member, args) in [
                ("KillMachine", args!["db", "leader", 18i32]),
                ("TerminateMachine", args!["web"]),
                ("UnregisterMachine", args!["web"]),
            ] {
                let answer = client.manager(member, args);
                assert!(answer.is_error(".AccessDenied"), "{member}: {answer:?}");
            }
        });
    });
}

#[test]
fn a_polkit_that_thinks_keeps_nobody_else_waiting() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        rule(s, "return polkit.Result.YES;");
        s.register(&s.container("web").start(), Via::BusRegister);
        let polkit = s.start_polkit();
        polkit.stop();
        std::thread::scope(|scope| {
            let (started, start) = mpsc::channel();
            let asking = scope.spawn(move || {
                as_user(NOBODY, || {
                    let client = Client::new();
                    started.send(()).unwrap();
                    client.manager("KillMachine", args!["web", "leader", 18i32])
                })
            });
            start.recv().unwrap();
            let client = Client::new();
            let begun = Instant::now();
            for _ in 0..100 {
                client.manager("GetMachineAddresses", args!["web"]).ok();
                client
                    .manager("KillMachine", args!["web", "leader", 18i32])
                    .ok();
            }
            assert!(
                begun.elapsed() < Duration::from_secs(2),
                "{:?}",
                begun.elapsed()
            );
            assert!(!asking.is_finished());
            polkit.cont();
            asking.join().unwrap().ok();
        });
    });
}

/// Leave to end a machine is leave to end that one, not another that has its name by the time that it is given.
#[test]
fn leave_does_not_pass_on_to_the_next_machine() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        rule(s, "return polkit.Result.YES;");
        s.register(&s.container("web").start(), Via::BusCreate);
        let polkit = s.start_polkit();
        polkit.stop();
        let calls = [
            ("TerminateMachine", args!["web"]),
            ("KillMachine", args!["web", "all", 9i32]),
        ];
        std::thread::scope(|scope| {
            let asking = calls.map(|(member, args)| {
                scope.spawn(move || as_user(NOBODY, || Client::new().manager(member, args)))
            });
            std::thread::sleep(Duration::from_millis(500));
            let client = Client::new();
            client.manager("TerminateMachine", args!["web"]).ok();
            let gone = || client.manager("GetMachine", args!["web"]);
            s.wait_for(|| gone().is_error(".NoSuchMachine"), "the machine to end");
            let next = s.container("next").start();
            let leader = next.leader();
            let nothing = Vec::<(&str, zbus::Variant<'static>)>::new();
            let id = Vec::<u8>::new();
            let arguments = args!["web", id, "test", "container", leader, "", nothing];
            client.manager("CreateMachine", arguments).ok();
            polkit.cont();
            for call in asking {
                let answer = call.join().unwrap();
                assert!(answer.is_error(".NoSuchMachine"), "{answer:?}");
            }
            assert!(next.is_running());
        });
    });
}

/// Waiting costs a user nothing, but there is room for so many calls only.
#[test]
fn one_user_can_not_have_everyone_wait() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        rule(s, "return polkit.Result.YES;");
        s.register(&s.container("web").start(), Via::BusRegister);
        let polkit = s.start_polkit();
        polkit.stop();
        std::thread::scope(|scope| {
            let asking: Vec<_> = (0..40)
                .map(|_| {
                    scope.spawn(|| {
                        as_user(NOBODY, || {
                            Client::new().manager("KillMachine", args!["web", "leader", 18i32])
                        })
                    })
                })
                .collect();
            let refused = || asking.iter().filter(|call| call.is_finished()).count() == 24;
            s.wait_for(refused, "all but 16 to be refused");
            let client = Client::new();
            client
                .manager("KillMachine", args!["web", "leader", 18i32])
                .ok();
            polkit.cont();
            let answers: Vec<_> = asking
                .into_iter()
                .map(|call| call.join().unwrap())
                .collect();
            let over = answers
                .iter()
                .filter(|answer| answer.is_error(".LimitsExceeded"));
            assert_eq!(over.count(), 24, "{answers:?}");
        });
    });
}
