//! polkit's word on what users may do: what it is told, and that nobody waits while it thinks.

mod machined_bus_client;

use std::{
    fs,
    sync::mpsc,
    time::{Duration, Instant},
};

use machined_bus_client::{Client, as_user};
use support::{Sandbox, Via, sandbox};

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
            return; // there is no other user
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
            return;
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
