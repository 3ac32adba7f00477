//! Calls to either machined, good and bad.

use support::Container;

use crate::{
    args,
    machined_bus_client::{
        Args, MACHINE, MACHINE_IFACE, MANAGER, MANAGER_IFACE, PROPERTIES,
        table::{
            Like::{self, Kind, Ours, Same},
            Table,
        },
    },
};

/// All of them.
pub fn all(web: &Container) -> Table {
    let mut table = Table::of(MANAGER, MANAGER_IFACE);
    looking(&mut table, web);
    changing(&mut table);
    registering(&mut table, web);
    standard(&mut table);
    table
}

/// A call of the machine's object.
fn on_web(table: &mut Table, like: Like, member: &'static str, args: Args) {
    table.add(like, &format!("{MACHINE}/web"), MACHINE_IFACE, member, args);
}

fn looking(table: &mut Table, web: &Container) {
    for name in ["web", ".host", "nope", "", "a/b", "web.", "WEB"] {
        table.manager(Same, "GetMachine", args![name]);
    }
    table.manager(Same, "GetMachineByPID", args![web.leader()]);
    for pid in [0u32, 99_999_999] {
        table.manager(Kind, "GetMachineByPID", args![pid]);
    }
    table.manager(
        Ours("InvalidArgs", "252 takes it for a very large number"),
        "GetMachineByPID",
        args![u32::MAX],
    );
    table.manager(Kind, "ListMachines", args![]);
    table.manager(Kind, "ListImages", args![]);
    table.manager(Same, "GetImage", args!["nope"]);
    for name in ["web", ".host", "nope"] {
        table.manager(Same, "GetMachineAddresses", args![name]);
        table.manager(Kind, "GetMachineUIDShift", args![name]);
    }
    for name in [".host", "nope"] {
        table.manager(Same, "GetMachineOSRelease", args![name]);
    }
    table.manager(Same, "MapFromMachineUser", args!["nope", 0u32]);
    table.manager(Same, "MapFromMachineGroup", args!["nope", 0u32]);
    for id in [0u32, 65_535, 1_000_000, u32::MAX] {
        table.manager(Kind, "MapToMachineUser", args![id]);
        table.manager(Kind, "MapToMachineGroup", args![id]);
    }
    on_web(table, Same, "GetAddresses", args![]);
    on_web(table, Kind, "GetUIDShift", args![]);
}

fn changing(table: &mut Table) {
    for name in [
        "TerminateMachine",
        "UnregisterMachine",
        "OpenMachinePTY",
        "OpenMachineLogin",
        "OpenMachineRootDirectory",
    ] {
        table.manager(Same, name, args!["nope"]);
    }
    table.manager(Same, "KillMachine", args!["nope", "all", 15i32]);
    for (whom, signal) in [("some", 15i32), ("leader", 0), ("leader", 65), ("all", -1)] {
        table.manager(Kind, "KillMachine", args!["web", whom, signal]);
        on_web(table, Kind, "Kill", args![whom, signal]);
    }
    // SIGCONT, and a realtime signal: an init ignores both.
    for signal in [18i32, 40] {
        table.manager(Same, "KillMachine", args!["web", "leader", signal]);
    }
    for member in ["CopyFromMachine", "CopyToMachine"] {
        table.manager(Same, member, args!["nope", "/a", "/b"]);
        table.manager(Kind, member, args!["web", "a", "/b"]);
        table.manager(Kind, member, args!["web", "/a", "b"]);
    }
    table.manager(
        Kind,
        "CopyToMachineWithFlags",
        args!["web", "/a", "/b", 2u64],
    );
    table.manager(
        Same,
        "BindMountMachine",
        args!["nope", "/a", "/b", false, false],
    );
    table.manager(
        Kind,
        "BindMountMachine",
        args!["web", "a", "/b", false, false],
    );
    table.manager(
        Kind,
        "BindMountMachine",
        args!["web", "/a", "/b/../c", false, false],
    );
    let none = Vec::<String>::new;
    table.manager(
        Same,
        "OpenMachineShell",
        args!["nope", "", "", none(), none()],
    );
    table.manager(
        Kind,
        "OpenMachineShell",
        args!["web", "", "sh", none(), none()],
    );
    table.manager(
        Kind,
        "OpenMachineShell",
        args!["web", "", "", none(), vec!["=x".to_owned()]],
    );
    let ours = "images are not managed";
    table.manager(Ours("NotSupported", ours), "RemoveImage", args!["nope"]);
    table.manager(
        Ours("NotSupported", ours),
        "GetImageHostname",
        args!["nope"],
    );
    table.manager(Kind, "SetPoolLimit", args![1u64 << 30]);
}

fn registering(table: &mut Table, web: &Container) {
    let leader = web.leader();
    let id = || vec![7u8; 16];
    let mut register = |like, name: &str, id: Vec<u8>, class: &str, leader: u32, root: &str| {
        let args = args![
            name.to_owned(),
            id,
            "",
            class.to_owned(),
            leader,
            root.to_owned()
        ];
        table.manager(like, "RegisterMachine", args);
    };
    let long = "x".repeat(65);
    for name in ["", ".x", "a..b", "x.", "a/b", "a b", &long] {
        register(Kind, name, id(), "container", leader, "");
    }
    for length in [1, 15, 17, 32] {
        register(Kind, "x", vec![7; length], "container", leader, "");
    }
    register(Kind, "x", id(), "foo", leader, "");
    register(
        Ours("InvalidArgs", "CVE-2026-4105"),
        "x",
        id(),
        "host",
        leader,
        "",
    );
    register(Kind, "x", id(), "container", 1, "");
    register(Kind, "x", id(), "container", leader, "relative");
    register(Kind, "web", id(), "container", leader, "");
    for index in [0i32, -1] {
        let args = args!["x", id(), "", "container", leader, "", vec![index]];
        table.manager(Kind, "RegisterMachineWithNetwork", args);
    }
    table.manager(Kind, "CreateMachine", args!["x"]);
}

fn standard(table: &mut Table) {
    let web = &format!("{MACHINE}/web");
    let nope = &format!("{MACHINE}/nope");
    let log = "/org/freedesktop/LogControl1";
    for path in [
        MANAGER,
        MACHINE,
        web,
        nope,
        "/org/freedesktop/machine1/image",
        log,
        "/org",
        "/foo",
        "/",
    ] {
        table.add(Same, path, "a.b", "Nope", args![]);
        table.add(Same, path, MANAGER_IFACE, "Nope", args![]);
        table.add(
            Same,
            path,
            "org.freedesktop.DBus.Introspectable",
            "Nope",
            args![],
        );
        table.add(
            Same,
            path,
            "org.freedesktop.DBus.ObjectManager",
            "GetManagedObjects",
            args![],
        );
        table.add(Same, path, PROPERTIES, "Nope", args![]);
        table.add(Same, path, PROPERTIES, "GetAll", args!["a.b"]);
        table.add(
            Same,
            path,
            PROPERTIES,
            "GetAll",
            args!["org.freedesktop.DBus.Peer"],
        );
        table.add(Same, path, "org.freedesktop.DBus.Peer", "Ping", args![]);
        table.add(
            Same,
            path,
            "org.freedesktop.DBus.Peer",
            "GetMachineId",
            args![],
        );
        table.add(Same, path, "org.freedesktop.DBus.Peer", "Nope", args![]);
        table.get(Same, path, "a.b", "Nope");
    }
    for args in [
        args![],
        args![1u32],
        args!["web", "web"],
        args![vec!["web"]],
    ] {
        table.manager(Same, "GetMachine", args);
    }
    table.manager(Same, "ListMachines", args!["x"]);
    table.add(
        Ours("o", "the specification lets the interface be left out"),
        MANAGER,
        "",
        "GetMachine",
        args!["web"],
    );
    table.add(Same, MANAGER, PROPERTIES, "GetAll", args![""]);
    table.add(Same, MANAGER, PROPERTIES, "GetAll", args![MANAGER_IFACE]);
    table.add(Same, MANAGER, PROPERTIES, "GetAll", args![1u32]);
    table.add(Same, MANAGER, PROPERTIES, "Get", args!["x"]);
    table.add(Same, MANAGER, PROPERTIES, "Set", args!["x"]);
    for (interface, property) in [
        (MANAGER_IFACE, "PoolPath"),
        (MANAGER_IFACE, "Nope"),
        ("a.b", "Nope"),
        ("", "PoolPath"),
    ] {
        table.get(Same, MANAGER, interface, property);
        let value = zbus::Variant::Variant(Box::new("x".into()));
        table.add(
            Same,
            MANAGER,
            PROPERTIES,
            "Set",
            args![interface, property, value],
        );
    }
    for property in [
        "Name",
        "Id",
        "Service",
        "Unit",
        "Scope",
        "Leader",
        "Class",
        "RootDirectory",
        "NetworkInterfaces",
        "State",
    ] {
        table.get(Same, web, MACHINE_IFACE, property);
    }
    let host = format!("{MACHINE}/_2ehost");
    for property in [
        "Name",
        "Id",
        "Service",
        "Unit",
        "Class",
        "Leader",
        "RootDirectory",
        "State",
    ] {
        table.get(Same, &host, MACHINE_IFACE, property);
    }
    // The beginning of the machine: 0, but theirs makes it of two clocks, one after the other, and so it is 1 at times.
    table.get(Kind, &host, MACHINE_IFACE, "TimestampMonotonic");
    // Labels are read leniently: "web" with an escape that it needs not.
    table.get(Same, &format!("{MACHINE}/_77eb"), MACHINE_IFACE, "Name");
    table.get(Same, &format!("{MACHINE}/self"), MACHINE_IFACE, "Name");
    logging(table, log);
}

fn logging(table: &mut Table, log: &str) {
    const LOG_IFACE: &str = "org.freedesktop.LogControl1";
    let set = |property: &'static str, value: zbus::Variant<'static>| {
        args![LOG_IFACE, property, zbus::Variant::Variant(Box::new(value))]
    };
    table.get(Kind, log, LOG_IFACE, "SyslogIdentifier");
    table.add(
        Same,
        log,
        PROPERTIES,
        "Set",
        set("LogLevel", "debug".into()),
    );
    table.get(Same, log, LOG_IFACE, "LogLevel");
    table.add(Same, log, PROPERTIES, "Set", set("LogLevel", "info".into()));
    table.get(Same, log, LOG_IFACE, "LogLevel");
    table.add(
        Same,
        log,
        PROPERTIES,
        "Set",
        set("LogLevel", "debugx".into()),
    );
    table.add(Same, log, PROPERTIES, "Set", set("LogLevel", 3u32.into()));
    table.add(
        Same,
        log,
        PROPERTIES,
        "Set",
        set("LogTarget", "nowhere".into()),
    );
    table.add(
        Same,
        log,
        PROPERTIES,
        "Set",
        set("SyslogIdentifier", "x".into()),
    );
}
