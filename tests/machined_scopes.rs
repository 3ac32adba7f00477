//! Scopes and cgroups of machines, whoever makes them.

mod machined_bus_client;
mod machined_registry;

use std::{fs, path::Path};

use machined_bus_client::Client;
use machined_registry::{
    Cgroups, SOON, addresses, cgroup, create, has_file, names, program, property,
};
use support::{Manager, Options, sandbox, skip, skipped, skipped_for_machine};
use zbus::Variant;

#[test]
fn the_scope_is_made_and_removed() {
    sandbox!(|s| {
        if !s.has_cgroups() {
            skip!("there are no cgroups to write to");
        }
        let client = Client::new();
        let web = s.container("my-web").start();
        let slice = ("Slice", Variant::from("machine-a.slice"));
        create(&client, "my-web", web.leader(), vec![slice]).ok();
        let scope = cgroup("machine.slice/machine-a.slice/machine-my\\x2dweb.scope");
        let procs = fs::read_to_string(scope.join("cgroup.procs")).unwrap();
        assert!(
            procs.lines().any(|line| line == web.leader().to_string()),
            "{procs}"
        );
        assert!(property(&client, "my_2dweb", "Unit").contains("machine-my\\\\x2dweb.scope"));
        // What the container forked before has stayed behind; what it forks from now on is in the scope.
        let ps = s.run(&format!("ps -o machine= -p {}", web.leader())).ok();
        assert_eq!(ps.trim(), "my-web");
        fs::create_dir(scope.join("below")).unwrap();
        client.manager("TerminateMachine", args!["my-web"]).ok();
        s.wait_within(SOON, || names().is_empty(), "the files to be gone");
        s.wait_for(|| !scope.exists(), "the scope to be gone");
    });
}

#[test]
fn what_a_leader_leaves_behind_keeps_the_scope_until_it_ends() {
    sandbox!(|s| {
        if !s.has_cgroups() {
            skip!("there are no cgroups to write to");
        }
        let client = Client::new();
        let mut leader = program("sleep 60");
        create(&client, "a", leader.id(), vec![]).ok();
        let scope = cgroup("machine.slice/machine-a.scope");
        let mut other = program("sleep 60");
        fs::write(scope.join("cgroup.procs"), other.id().to_string()).unwrap();
        let found = client.manager("GetMachineByPID", args![other.id()]).ok();
        assert!(found.contains("machine/a"), "{found}");
        leader.kill().unwrap();
        leader.wait().unwrap();
        s.wait_within(SOON, || names().is_empty(), "the files to be gone");
        assert!(scope.exists());
        other.kill().unwrap();
        other.wait().unwrap();
        s.wait_within(SOON, || !scope.exists(), "the scope to be gone");
    });
}

/// A scope that waits for the last process of one machine, when the next machine of that name is put there.
#[test]
fn a_scope_that_is_used_again_is_left_alone() {
    sandbox!(|s| {
        if !s.has_cgroups() {
            skip!("there are no cgroups to write to");
        }
        let client = Client::new();
        let scope = cgroup("machine.slice/machine-a.scope");
        let (mut first, mut left) = (program("sleep 60"), program("sleep 60"));
        create(&client, "a", first.id(), vec![]).ok();
        fs::write(scope.join("cgroup.procs"), left.id().to_string()).unwrap();
        first.kill().unwrap();
        first.wait().unwrap();
        s.wait_within(SOON, || names().is_empty(), "the files to be gone");
        let mut second = program("sleep 60");
        create(&client, "a", second.id(), vec![]).ok();
        // The new machine makes itself at home, empties its own cgroup for that, and fills it again.
        let (below, procs) = (scope.join("below"), scope.join("cgroup.procs"));
        fs::create_dir(&below).unwrap();
        left.kill().unwrap();
        left.wait().unwrap();
        let root = fs::read_to_string("/proc/1/cgroup").unwrap();
        let root = root.trim().rsplit("::").next().unwrap();
        let outside = cgroup(root.trim_start_matches('/')).join("cgroup.procs");
        fs::write(outside, second.id().to_string()).unwrap();
        std::thread::sleep(SOON);
        assert!(below.exists(), "what is below the scope is the machine's");
        fs::write(procs, second.id().to_string()).unwrap();
        client.manager("TerminateMachine", args!["a"]).ok();
        second.wait().unwrap();
        s.wait_for(|| !scope.exists(), "the scope to be gone");
    });
}

/// Version 2 alone, version 1 alone, and no cgroups at all.
#[test]
fn the_scope_is_made_in_whatever_hierarchy_there_is() {
    sandbox!(Options::new().machined(None), |s| {
        let client = Client::new();
        for cgroups in [Cgroups::V2, Cgroups::V1] {
            let Some(top) = cgroups.top() else {
                skipped_for_machine(&format!("there are no cgroups of {cgroups:?}"));
                continue;
            };
            if !s.has_cgroups() {
                skipped("there are no cgroups to write to");
                continue;
            }
            let machined = cgroups.start_machined();
            let name = format!("web{cgroups:?}");
            let web = s.container(&name).start();
            create(&client, &name, web.leader(), vec![]).ok();
            let scope = top.join(format!("machine.slice/machine-{name}.scope"));
            let procs = fs::read_to_string(scope.join("cgroup.procs")).unwrap();
            let is_leader = |line: &str| line == web.leader().to_string();
            assert!(procs.lines().any(is_leader), "{cgroups:?}: {procs}");
            let found = client.manager("GetMachineByPID", args![web.leader()]).ok();
            assert!(
                found.contains(&format!("machine/{name}")),
                "{cgroups:?}: {found}"
            );
            client.manager("TerminateMachine", args![name]).ok();
            s.wait_within(SOON, || names().is_empty(), "the files to be gone");
            s.wait_for(|| !scope.exists(), "the scope to be gone");
            s.wait_for(|| !web.is_running(), "the container to end");
            machined.end();
        }
        Cgroups::None.start_machined();
        let db = s.container("db").start();
        create(&client, "db", db.leader(), vec![]).ok();
        assert!(property(&client, "db", "Unit").contains("Str(\"\")"));
        assert_eq!(
            addresses(&client, "db").get(..2).unwrap(),
            [db.ipv4(), db.ipv6()]
        );
        // By its pid namespace.
        let line = format!(
            "nsenter -t {} -p sleep 61 & sleep 0.3; pgrep -x -n -f 'sleep 61'",
            db.leader()
        );
        let inside = s.run(&format!("({line}) 2>&1")).ok();
        let pid: u32 = inside.trim().parse().unwrap();
        let found = client.manager("GetMachineByPID", args![pid]).ok();
        assert!(found.contains("machine/db"), "{found}");
        let mut other = program("sleep 60");
        assert!(
            client
                .manager("GetMachineByPID", args![other.id()])
                .is_error(".NoMachineForPID")
        );
        client.manager("TerminateMachine", args!["db"]).ok();
        s.wait_within(SOON, || names().is_empty(), "the files to be gone");
        assert!(matches!(other.try_wait(), Ok(None)));
        other.kill().unwrap();
        other.wait().unwrap();
    });
}

#[test]
fn a_service_manager_makes_the_scope() {
    sandbox!(Options::new().manager(Manager::Systemd), |s| {
        if !s.has_manager() {
            skip!("systemd wants root, and cgroups to write to");
        }
        let client = Client::new();
        let web = s.container("web").start();
        let note = ("Description", Variant::from("a note"));
        create(&client, "web", web.leader(), vec![note]).ok();
        let shown = s.run("systemctl show machine-web.scope -p ActiveState,Description,Slice,Delegate,TasksMax").ok();
        for line in [
            "ActiveState=active",
            "Description=a note",
            "Slice=machine.slice",
            "Delegate=yes",
            "TasksMax=16384",
        ] {
            assert!(shown.contains(line), "{shown}");
        }
        let ps = s.run(&format!("ps -o machine= -p {}", web.leader())).ok();
        assert_eq!(ps.trim(), "web");
        let bad = ("NoSuchProperty", Variant::from(1u32));
        let mut sleep = program("sleep 60");
        let refused = create(&client, "b", sleep.id(), vec![bad]);
        assert!(refused.is_error("systemd1.JobFailed"), "{refused:?}");
        client.manager("TerminateMachine", args!["web"]).ok();
        s.wait_for(|| names().is_empty(), "the machine to end");
        let gone = || {
            s.run("systemctl show machine-web.scope -p ActiveState")
                .ok()
                .contains("inactive")
        };
        s.wait_for(gone, "the scope to be gone");
        sleep.kill().unwrap();
        sleep.wait().unwrap();
    });
}

/// The real systemd-nspawn under a real systemd: with a scope that is made for it, and inside a unit of its own.
#[test]
fn nspawn_registers_both_ways() {
    sandbox!(Options::new().manager(Manager::Systemd), |s| {
        if !s.has_manager() {
            skip!("systemd wants root, and cgroups to write to");
        }
        let client = Client::new();
        let root = s.root_tree("box");
        let nspawn = "systemd-nspawn --boot --network-veth -M box -D";
        for (start, unit) in [
            (format!("{nspawn} {}", root.display()), "machine-box.scope"),
            (
                format!(
                    "systemd-run --unit=box --slice=machine.slice -p Delegate=yes -p KillMode=mixed \
                     {nspawn} {} --keep-unit",
                    root.display()
                ),
                "box.service",
            ),
        ] {
            let words: Vec<_> = start.split_whitespace().collect();
            s.spawn("nspawn", &words);
            s.wait_for(|| has_file("box"), "the machine");
            let shown = s.run("machinectl show box").ok();
            for line in [
                &*format!("Unit={unit}"),
                "Service=systemd-nspawn",
                "Class=container",
            ] {
                assert!(shown.lines().any(|shown| shown == line), "{line}: {shown}");
            }
            let leader = shown
                .lines()
                .find_map(|line| line.strip_prefix("Leader="))
                .unwrap()
                .to_owned();
            let ps = s.run(&format!("ps -o machine= -p {leader}")).ok();
            assert_eq!(ps.trim(), "box");
            s.wait_for(
                || Path::new(&format!("/proc/{leader}/root/run/ready")).exists(),
                "the init",
            );
            let interface = property(&client, "box", "NetworkInterfaces");
            assert!(interface.contains("I32("), "{interface}");
            client.manager("TerminateMachine", args!["box"]).ok();
            s.wait_for(|| names().is_empty(), "the machine's end");
            s.wait_for(
                || s.run(&format!("systemctl is-active {unit}")).status != Some(0),
                "the unit's end",
            );
            // It has the tree locked until then, for the next one too.
            let nspawn = || s.run("pgrep -r D,R,S -x systemd-nspawn").status;
            s.wait_for(|| nspawn() == Some(1), "nspawn's own end");
        }
    });
}
