//! Whose processes an ordinary user may register, where polkit lets them register any.

mod machined_bus_client;
mod machined_registry;
mod machined_varlink_client;

use std::{
    fs,
    io::Write,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use machined_bus_client::{Answer, Client, as_user};
use machined_registry::{
    NOBODY, OTHER, anyone_may_register, create, names, process_of, register, state,
};
use machined_varlink_client::{Reply, Value, call_as, json};
use support::{Sandbox, sandbox, skip};

/// A user that `NOBODY`'s namespaces have and nobody else.
const INNER: u32 = 200_000;

/// The four user ids of a process.
fn uids(pid: u32) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    line.unwrap_or_default().trim().replace('\t', " ")
}

/// A process in a user namespace that `user` made, where it is somebody whom only that namespace has.
fn process_inside(s: &Sandbox, user: u32) -> Child {
    let become_inner = "read go; exec setpriv --reuid 1 --regid 1 --clear-groups sleep 60";
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "sh", "-c", become_inner]);
    let mut child = unshare
        .uid(user)
        .gid(user)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    let own = || fs::read_link("/proc/self/ns/user").unwrap();
    let theirs = || fs::read_link(format!("/proc/{pid}/ns/user")).unwrap();
    s.wait_for(|| theirs() != own(), "the user namespace");
    for map in ["uid_map", "gid_map"] {
        fs::write(
            format!("/proc/{pid}/{map}"),
            format!("0 {user} 1\n1 {INNER} 1\n"),
        )
        .unwrap();
    }
    // Users of a namespace start with no more than `user` had.
    let mut go = child.stdin.take().unwrap();
    go.write_all(b"go\n").unwrap();
    let inner = vec![INNER.to_string(); 4].join(" ");
    s.wait_for(|| uids(pid) == inner, "the process to be another user");
    child
}

fn over_the_bus(caller: u32, call: &str, leader: u32) -> Answer {
    as_user(caller, || match call {
        "RegisterMachine" => register(&Client::new(), "x", leader),
        _ => create(&Client::new(), "x", leader, vec![]),
    })
}

fn over_varlink(s: &Sandbox, caller: u32, more: &Value) -> Reply {
    let mut request = json!({ "name": "x", "class": "container" });
    for (key, value) in more.as_object().unwrap() {
        request[key] = value.clone();
    }
    call_as(s, caller, "Register", &request)
}

#[test]
fn a_process_in_a_user_namespace_is_its_makers() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there are no other users");
        }
        anyone_may_register(s);
        let mut process = process_inside(s, NOBODY);
        let leader = process.id();
        for call in ["RegisterMachine", "CreateMachine"] {
            over_the_bus(NOBODY, call, leader).ok();
            assert!(
                state("x").contains(&format!("UID={NOBODY}\n")),
                "{}",
                state("x")
            );
            let uid = Client::new().call(
                "/org/freedesktop/machine1/machine/x",
                machined_bus_client::PROPERTIES,
                "Get",
                args![machined_bus_client::MACHINE_IFACE, "UID"],
            );
            assert_eq!(uid.ok(), format!("Ok([Variant(U32({NOBODY}))])"));
            Client::new().manager("UnregisterMachine", args!["x"]).ok();

            let refused = over_the_bus(OTHER, call, leader);
            assert!(refused.is_error(".AccessDenied"), "{refused:?}");
            assert!(
                format!("{refused:?}").contains("does not belong"),
                "{refused:?}"
            );
        }
        over_varlink(s, NOBODY, &json!({ "leader": leader })).ok();
        Client::new().manager("UnregisterMachine", args!["x"]).ok();
        let refused = over_varlink(s, OTHER, &json!({ "leader": leader }));
        assert!(refused.is("PermissionDenied"), "{refused:?}");
        assert!(names().is_empty());
        process.kill().unwrap();
        process.wait().unwrap();
    });
}

#[test]
fn a_process_of_another_user_is_not_ones_own_wherever_it_is() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        anyone_may_register(s);
        let roots = process_of(0);
        let others = process_of(OTHER);
        let inside = process_inside(s, OTHER);
        for process in [&roots, &others, &inside] {
            let leader = process.id();
            for call in ["RegisterMachine", "CreateMachine"] {
                let refused = over_the_bus(NOBODY, call, leader);
                assert!(refused.is_error(".AccessDenied"), "{refused:?}");
            }
            let refused = over_varlink(s, NOBODY, &json!({ "leader": leader }));
            assert!(refused.is("PermissionDenied"), "{refused:?}");
        }
        assert!(names().is_empty());
        for mut process in [roots, others, inside] {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    });
}

#[test]
fn a_supervisor_is_ones_own_process_too() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        anyone_may_register(s);
        let (own, second) = (process_of(NOBODY), process_of(NOBODY));
        let roots = process_of(0);
        let others = process_of(OTHER);
        let inside = process_inside(s, OTHER);
        for supervisor in [&roots, &others, &inside] {
            let request = json!({ "leader": own.id(), "supervisor": supervisor.id() });
            let refused = over_varlink(s, NOBODY, &request);
            assert!(refused.is("PermissionDenied"), "{refused:?}");
            assert!(names().is_empty());
        }
        let request = json!({ "leader": own.id(), "supervisor": second.id() });
        over_varlink(s, NOBODY, &request).ok();
        assert!(state("x").contains(&format!("SUPERVISOR={}\n", second.id())));
        for mut process in [own, second, roots, others, inside] {
            process.kill().unwrap();
            process.wait().unwrap();
        }
        s.wait_for(|| names().is_empty(), "the machine's end");
    });
}
