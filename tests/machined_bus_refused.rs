//! What machined refuses ordinary users on the bus: everything that changes something or enters a machine.

mod machined_bus_client;

use std::collections::BTreeSet;

use machined_bus_client::{
    Args, Client, MACHINE_IFACE, MANAGER, MANAGER_IFACE, PROPERTIES, as_user, members,
};
use support::{Sandbox, Via, sandbox, skip};

const NOBODY: u32 = 65534;
const WEB: &str = "/org/freedesktop/machine1/machine/web";
const HOST: &str = "/org/freedesktop/machine1/machine/_2ehost";

/// Every method that changes something or enters a machine, with arguments that are good.
fn privileged(leader: u32) -> Vec<(&'static str, Args)> {
    let none = Vec::<String>::new;
    let id = Vec::<u8>::new;
    let properties = Vec::<(String, zbus::Variant<'static>)>::new;
    vec![
        (
            "CreateMachine",
            args!["x", id(), "", "container", leader, "", properties()],
        ),
        (
            "CreateMachineWithNetwork",
            args![
                "x",
                id(),
                "",
                "container",
                leader,
                "",
                vec![1i32],
                properties()
            ],
        ),
        ("CreateMachineEx", args!["x", properties(), properties()]),
        (
            "RegisterMachine",
            args!["x", id(), "", "container", leader, ""],
        ),
        (
            "RegisterMachineWithNetwork",
            args!["x", id(), "", "container", leader, "", vec![1i32]],
        ),
        ("RegisterMachineEx", args!["x", properties()]),
        ("UnregisterMachine", args!["web"]),
        ("TerminateMachine", args!["web"]),
        ("KillMachine", args!["web", "leader", 18i32]),
        ("OpenMachinePTY", args!["web"]),
        ("OpenMachineLogin", args!["web"]),
        ("OpenMachineShell", args!["web", "", "", none(), none()]),
        ("OpenMachineShell", args![".host", "", "", none(), none()]),
        ("OpenMachineLogin", args![".host"]),
        ("BindMountMachine", args!["web", "/a", "/b", false, false]),
        ("CopyFromMachine", args!["web", "/a", "/b"]),
        ("CopyToMachine", args!["web", "/a", "/b"]),
        ("CopyFromMachineWithFlags", args!["web", "/a", "/b", 0u64]),
        ("CopyToMachineWithFlags", args!["web", "/a", "/b", 1u64]),
        ("OpenMachineRootDirectory", args!["web"]),
        ("RemoveImage", args!["x"]),
        ("RenameImage", args!["x", "y"]),
        ("CloneImage", args!["x", "y", false]),
        ("MarkImageReadOnly", args!["x", true]),
        ("SetImageLimit", args!["x", 1u64]),
        ("SetPoolLimit", args![1u64]),
        ("CleanPool", args!["all"]),
    ]
}

/// The same of a machine's object.
fn privileged_of_machine() -> Vec<(&'static str, Args)> {
    let none = Vec::<String>::new;
    vec![
        ("Terminate", args![]),
        ("Kill", args!["leader", 18i32]),
        ("OpenPTY", args![]),
        ("OpenLogin", args![]),
        ("OpenShell", args!["", "", none(), none()]),
        ("BindMount", args!["/a", "/b", false, false]),
        ("CopyFrom", args!["/a", "/b"]),
        ("CopyTo", args!["/a", "/b"]),
        ("CopyFromWithFlags", args!["/a", "/b", 0u64]),
        ("CopyToWithFlags", args!["/a", "/b", 1u64]),
        ("OpenRootDirectory", args![]),
    ]
}

/// What anybody may call: it looks, and no more.
const FOR_ALL: [(&str, &[&str]); 2] = [
    (
        MANAGER_IFACE,
        &[
            "GetMachine",
            "GetMachineByPID",
            "ListMachines",
            "GetMachineAddresses",
            "GetMachineSSHInfo",
            "GetMachineOSRelease",
            "GetMachineUIDShift",
            "MapFromMachineUser",
            "MapToMachineUser",
            "MapFromMachineGroup",
            "MapToMachineGroup",
            "GetImage",
            "ListImages",
            "GetImageHostname",
            "GetImageMachineID",
            "GetImageMachineInfo",
            "GetImageOSRelease",
        ],
    ),
    (
        MACHINE_IFACE,
        &["GetAddresses", "GetSSHInfo", "GetOSRelease", "GetUIDShift"],
    ),
];

/// Takes polkit out of the bus's reach.
fn without_polkit(s: &Sandbox) {
    let services = "/usr/share/dbus-1/system-services";
    s.run(&format!("mount -t tmpfs tmpfs {services}")).ok();
    s.run(
        "busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig",
    )
    .ok();
}

/// Nobody is refused everything that changes something, and may look.
fn nobody_is_refused(s: &Sandbox, errors: &[&str]) {
    let web = s.container("web").start();
    s.register(&web, Via::BusRegister);
    let leader = web.leader();
    as_user(NOBODY, move || {
        let client = Client::new();
        let of_manager = privileged(leader).into_iter();
        let calls = of_manager.map(|(member, args)| (MANAGER, MANAGER_IFACE, member, args));
        let of = |path| {
            let calls = privileged_of_machine().into_iter();
            calls.map(move |(member, args)| (path, MACHINE_IFACE, member, args))
        };
        for (path, interface, member, args) in calls.chain(of(WEB)).chain(of(HOST)) {
            let what = format!("{path} {member} {args:?}");
            let answer = client.call(path, interface, member, args);
            // Refused by machined, not by the policy of the bus.
            assert!(
                !format!("{answer:?}").contains("Rejected"),
                "{what}: {answer:?}"
            );
            let is_good = |name: &&str| answer.is_error(name);
            // Some of it nobody can do with the host.
            let is_none = path == HOST && answer.is_error(".NotSupported");
            assert!(errors.iter().any(is_good) || is_none, "{what}: {answer:?}");
        }
        let log = "/org/freedesktop/LogControl1";
        let level = zbus::Variant::Variant(Box::new("debug".into()));
        let set = args!["org.freedesktop.LogControl1", "LogLevel", level];
        let answer = client.call(log, PROPERTIES, "Set", set);
        assert!(answer.is_error(".AccessDenied"), "{answer:?}");
        client.manager("GetMachine", args!["web"]).ok();
        client.manager("GetMachineAddresses", args!["web"]).ok();
        client.manager("ListMachines", args![]).ok();
    });
    assert!(s.run("machinectl show web").ok().contains("State=running"));
}

#[test]
fn nobody_may_change_anything_without_polkit() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        without_polkit(s);
        nobody_is_refused(s, &[".AccessDenied"]);
    });
}

#[test]
fn nobody_may_change_anything_by_polkits_own_rules() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        nobody_is_refused(s, &[".InteractiveAuthorizationRequired", ".AccessDenied"]);
    });
}

/// A method that is added is on one of the lists, or this fails.
#[test]
fn each_method_is_refused_or_for_all() {
    sandbox!(|s| {
        let web = s.container("web").no_network().start();
        s.register(&web, Via::BusRegister);
        let client = Client::new();
        let refused = [privileged(2), privileged_of_machine()];
        let objects = [MANAGER, WEB].iter().zip(FOR_ALL).zip(refused);
        for ((path, (interface, for_all)), refused) in objects {
            let described = members(&client.introspect(path), interface);
            let methods = described.keys().filter_map(|member| {
                let name = member.strip_prefix("<method name=\"")?;
                Some(name.trim_end_matches('"'))
            });
            let refused: BTreeSet<_> = refused.iter().map(|(name, _)| *name).collect();
            let for_all: BTreeSet<_> = for_all.iter().copied().collect();
            assert!(refused.is_disjoint(&for_all));
            let known: BTreeSet<_> = refused.union(&for_all).copied().collect();
            assert_eq!(methods.collect::<BTreeSet<_>>(), known);
        }
    });
}
