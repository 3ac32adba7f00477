//! Programs that have the service manager do something, unmodified, on systemd's library and on ours, with the real systemd.

mod sd_probe;
mod sd_program;

use std::fs;
use std::time::Duration;

use sd_program::{OURS, compare};
use support::{Manager, Options, Sandbox, sandbox, skip};

fn managed() -> Options {
    Options::new().machined(None).manager(Manager::Systemd)
}

/// Python's binding: a unit is made of nested structures, and watched by its properties.
#[test]
fn pystemd() {
    sandbox!(managed(), |s| {
        if !s.has_manager() {
            skip!("systemd wants root, and cgroups to write to");
        }
        fs::write("/tmp/unit.py", UNIT).unwrap();
        let said = compare(s, |library| {
            let program = s.cmd("/usr/bin/python3").args(["/tmp/unit.py", library]);
            let program = program.env("LD_LIBRARY_PATH", library);
            program.timeout(Duration::from_secs(30)).run().ok()
        });
        assert!(said.contains("b'active' b'running' b'a note'"), "{said}");
        assert!(said.contains("Unit none.service not loaded."), "{said}");
    });
}

const UNIT: &str = r#"
import sys
import time
from pystemd import dbusexc
from pystemd.systemd1 import Manager, Unit

assert sys.argv[1] + "/libsystemd.so.0" in open("/proc/self/maps").read()
with Manager() as manager:
    print(manager.Manager.Version, sorted(manager.Manager.methods), sorted(manager.Manager.properties))
    print(sorted(unit[0] for unit in manager.Manager.ListUnits()))
    start = [(b"/bin/sleep", (b"/bin/sleep", b"100"), False)]
    properties = {b"Description": b"a note", b"RemainAfterExit": True, b"ExecStart": start}
    manager.Manager.StartTransientUnit(b"example.service", b"fail", properties)
with Unit(b"example.service") as unit:
    def wait(state):
        while unit.Unit.SubState != state:
            time.sleep(0.01)
    wait(b"running")
    print(unit.Unit.ActiveState, unit.Unit.SubState, unit.Unit.Description, unit.Unit.Names, unit.Service.ExecStart[0][:3])
    unit.Unit.Kill(b"main", 15)
    wait(b"exited")
    print(unit.Service.ExecMainStatus)
    unit.Unit.Stop(b"fail")
    wait(b"dead")
try:
    Manager(_autoload=True).Manager.StopUnit(b"none.service", b"fail")
except dbusexc.DBusBaseError as error:
    print(error)
"#;

/// A manager of containers, which has a scope made and waits for the signal that it is.
#[test]
fn crun() {
    sandbox!(managed(), |s| {
        if fs::metadata("/usr/bin/crun").is_err() {
            skip!("this release of Debian has no crun");
        }
        if !s.has_manager() {
            skip!("systemd wants root, and cgroups to write to");
        }
        for dir in ["bin", "proc", "dev"] {
            fs::create_dir_all(format!("/run/bundle/rootfs/{dir}")).unwrap();
        }
        fs::copy("/usr/bin/busybox", "/run/bundle/rootfs/bin/busybox").unwrap();
        fs::write("/run/bundle/config.json", BUNDLE).unwrap();
        let said = compare(s, |library| story_of_crun(s, library));
        assert!(said.contains("Description=libcrun container\n"), "{said}");
        assert!(said.contains("TasksMax=77\n"), "{said}");
    });
}

fn story_of_crun(s: &Sandbox, library: &str) -> String {
    // It refuses the hybrid of both versions of cgroups, so it is shown version 2 alone.
    let run = |line: &str| {
        let v2 = "if [ -d /sys/fs/cgroup/unified ]; then mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup; fi";
        let line = format!("{v2}; export LD_LIBRARY_PATH={library}; {line}");
        let namespace = ["--mount", "--propagation", "private", "sh", "-c", &line];
        let run = s.cmd("unshare").args(namespace);
        run.timeout(Duration::from_secs(30)).run().ok()
    };
    if library == OURS {
        let loaded = run("ldd /usr/bin/crun");
        assert!(
            loaded.contains(&format!("{OURS}/libsystemd.so.0")),
            "{loaded}"
        );
    }
    run("crun --cgroup-manager=systemd run --detach --bundle /run/bundle web");
    let properties = "Id,ActiveState,Description,Slice,Delegate,TasksMax,DefaultDependencies";
    let shown = s
        .run(&format!("systemctl show crun-web.scope -p {properties}"))
        .ok();
    run("crun delete --force web");
    let gone = || {
        let state = s.run("systemctl show crun-web.scope -p ActiveState").ok();
        state.contains("inactive")
    };
    s.wait_for(gone, "the scope to be gone");
    shown
}

const BUNDLE: &str = r#"{
  "ociVersion": "1.0.2",
  "process": { "user": { "uid": 0, "gid": 0 }, "args": ["/bin/busybox", "sleep", "1000"], "cwd": "/", "env": ["PATH=/bin"] },
  "root": { "path": "rootfs" },
  "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
  "annotations": { "org.systemd.property.TasksMax": "uint64 77" },
  "linux": { "cgroupsPath": "machine.slice:crun:web", "resources": {}, "namespaces": [{ "type": "pid" }, { "type": "mount" }] }
}"#;
