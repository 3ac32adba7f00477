//! Names that ordinary users hold, and root wants.

mod machined_bus_client;
mod machined_registry;

use std::fs;

use machined_bus_client::{Answer, Client, as_user};
use machined_registry::{
    NOBODY, OTHER, anyone_may_register, cgroup, create, names, process_of, register, state,
};
use support::{Via, sandbox, skip, skipped};

#[test]
fn root_takes_a_name_from_an_ordinary_user() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        anyone_may_register(s);
        let (mut theirs, mut others) = (process_of(NOBODY), process_of(OTHER));
        let leader = theirs.id();
        let create_theirs = || as_user(NOBODY, || create(&Client::new(), "web", leader, vec![]));
        create_theirs().ok();
        assert!(
            state("web").contains(&format!("UID={NOBODY}\n")),
            "{}",
            state("web")
        );
        let scope = cgroup(&format!("machine.slice/machine-web-{NOBODY}.scope"));
        assert_eq!(scope.exists(), s.has_cgroups());

        // First come, first served, among users.
        let refused = as_user(OTHER, || register(&Client::new(), "web", others.id()));
        assert!(refused.is_error(".MachineExists"), "{refused:?}");

        let signals = s.spawn(
            "monitor",
            &["busctl", "monitor", "org.freedesktop.machine1"],
        );
        s.wait_for(|| signals.log().contains("Monitoring"), "the monitor");
        let web = s.container("web").start();
        s.register(&web, Via::BusCreate);
        assert!(state("web").contains(&format!("LEADER={}\n", web.leader())));
        let found = s.run("getent ahosts web").ok();
        assert!(found.contains(&web.ipv4()), "{found}");
        let told = |member: &str| signals.log().contains(&format!("Member={member}"));
        s.wait_for(|| told("MachineRemoved"), "the former's end to be told");

        // Theirs goes on, in a scope that is not root's.
        assert!(matches!(theirs.try_wait(), Ok(None)));
        if s.has_cgroups() {
            let procs = cgroup("machine.slice/machine-web.scope/cgroup.procs");
            let procs = fs::read_to_string(procs).unwrap();
            assert!(
                !procs.lines().any(|pid| pid == theirs.id().to_string()),
                "{procs}"
            );
            assert!(scope.exists());
        } else {
            skipped("the scope: there are no cgroups to write to");
        }
        let client = Client::new();
        let unknown = client.manager("GetMachineByPID", args![theirs.id()]);
        assert!(unknown.is_error(".NoMachineForPID"), "{unknown:?}");
        assert!(create_theirs().is_error(".MachineExists"));
        let refused = as_user(NOBODY, || {
            Client::new().manager("UnregisterMachine", args!["web"])
        });
        assert!(!matches!(refused, Answer::Reply(..)), "{refused:?}");

        // Root's own names are taken.
        let mut own = process_of(0);
        assert!(register(&client, "web", own.id()).is_error(".MachineExists"));
        for process in [&mut theirs, &mut others, &mut own] {
            process.kill().unwrap();
            process.wait().unwrap();
        }
        s.wait_for(|| !scope.exists(), "the former's scope to be gone");
        assert!(names().contains(&"web".to_owned()));
    });
}
