//! Containers of other managers, registered by switchyard-oci-hook: real runc and crun with the hook in their
//! configuration, and LXC's hook as LXC calls it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use support::{Options, Output, Sandbox, Via, sandbox};

const HOOK: &str = "/usr/bin/switchyard-oci-hook";

/// Lays out a bundle with the hook in it, and with a second hook that gives the container a network after ours ran, as
/// docker's and podman's own hooks may.
fn bundle(name: &str) -> String {
    let bundle = format!("/run/bundles/{name}");
    let bin = Path::new(&bundle).join("rootfs/bin");
    fs::create_dir_all(&bin).unwrap();
    for mountpoint in ["proc", "dev"] {
        fs::create_dir_all(format!("{bundle}/rootfs/{mountpoint}")).unwrap();
    }
    fs::copy("/usr/bin/busybox", bin.join("busybox")).unwrap();
    symlink("busybox", bin.join("sleep")).unwrap();
    let network = "#!/bin/sh\n\
        read state\n\
        pid=$(echo \"$state\" | sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/')\n\
        ip link add ve-oci type veth peer name eth0 netns $pid || exit 1\n\
        ip addr add 10.99.0.1/24 dev ve-oci && ip link set ve-oci up || exit 1\n\
        nsenter -t $pid --net sh -c 'ip addr add 10.99.0.2/24 dev eth0 && ip link set eth0 up'\n";
    fs::write(format!("{bundle}/network"), network).unwrap();
    fs::write(format!("{bundle}/config.json"), config(&bundle)).unwrap();
    bundle
}

fn config(bundle: &str) -> String {
    format!(
        r#"{{
  "ociVersion": "1.0.2",
  "process": {{ "user": {{ "uid": 0, "gid": 0 }}, "args": ["sleep", "1000"], "cwd": "/", "env": ["PATH=/bin"] }},
  "root": {{ "path": "rootfs" }},
  "mounts": [{{ "destination": "/proc", "type": "proc", "source": "proc" }}],
  "hooks": {{
    "createRuntime": [
      {{ "path": "{HOOK}", "args": ["switchyard-oci-hook"] }},
      {{ "path": "/bin/sh", "args": ["sh", "{bundle}/network"], "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] }}
    ],
    "poststop": [{{ "path": "{HOOK}", "args": ["switchyard-oci-hook"] }}]
  }},
  "linux": {{
    "namespaces": [
      {{ "type": "pid" }}, {{ "type": "network" }}, {{ "type": "ipc" }}, {{ "type": "uts" }}, {{ "type": "mount" }}
    ]
  }}
}}"#
    )
}

/// Runs a line of shell with one kind of cgroups: container managers refuse the hybrid of cgroup v1 and v2, so they are
/// shown v2 alone.
fn managed(s: &Sandbox, line: &str) -> Output {
    let v2 = "if [ -d /sys/fs/cgroup/unified ]; then mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup; fi; exec ";
    s.cmd("unshare")
        .args([
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            &format!("{v2}{line}"),
        ])
        .env("CONTAINERS_CONF", "/run/containers.conf")
        .timeout(Duration::from_secs(30))
        .run()
}

/// Whether the manager is here (not every release of Debian has each), and gets what they all want: more than one user,
/// and cgroups of its own.
fn can_run(s: &Sandbox, manager: &str) -> bool {
    let here = ["/usr/bin", "/usr/sbin"]
        .iter()
        .any(|dir| Path::new(dir).join(manager).exists());
    if !here {
        support::skipped(&format!("this release of Debian has no {manager}"));
        return false;
    }
    if s.is_rootless() || !s.has_cgroups() {
        support::skipped("managers of containers want more than one user, and cgroups");
        return false;
    }
    true
}

/// What machined knows of the machine, and how it is found by name.
fn found(s: &Sandbox, service: &str, bundle: &str) {
    s.wait_for(
        || s.run("getent hosts web").stdout.contains("10.99.0.2"),
        "the container's address",
    );
    let shown = s.run("machinectl show web").ok();
    for line in [
        format!("Service={service}"),
        format!("RootDirectory={bundle}/rootfs"),
    ] {
        assert!(
            shown.lines().any(|shown| shown == line),
            "{line} is not in\n{shown}"
        );
    }
}

fn gone(s: &Sandbox) {
    s.wait_for(
        || s.run("getent hosts web").status == Some(2),
        "the name to be gone",
    );
    assert!(!s.run("machinectl list --no-legend").ok().contains("web"));
}

/// A container's whole life: found by name from its start on, gone after its end.
fn life(s: &Sandbox, runtime: &str, options: &str) {
    if !can_run(s, runtime) {
        return;
    }
    let bundle = bundle("web");
    managed(
        s,
        &format!("{runtime} {options} run --detach --bundle {bundle} web"),
    )
    .ok();
    found(s, runtime, &bundle);
    managed(s, &format!("{runtime} delete --force web")).ok();
    gone(s);
}

#[test]
fn a_container_of_runc_has_a_name() {
    sandbox!(|s| life(s, "runc", ""));
}

#[test]
fn a_container_of_crun_has_a_name() {
    sandbox!(|s| life(s, "crun", "--cgroup-manager=disabled"));
}

#[test]
fn a_container_starts_without_machined() {
    sandbox!(Options::new().machined(None).bus(false), |s| {
        let state = r#"{"id":"web","status":"created","pid":1,"bundle":"/nonexistent"}"#;
        let quiet = s.cmd(HOOK).input(state).run();
        assert!(quiet.stderr.contains("machined"), "{quiet}");
        assert!(quiet.took < Duration::from_secs(2), "{quiet}");
        quiet.ok();
        s.cmd(HOOK).arg("--strict").input(state).run().fails(1);

        // Nor does a runtime that does not end its sentence hold it up for good.
        let stalled = s.run("sleep 3 | /usr/bin/switchyard-oci-hook");
        assert!(stalled.stderr.contains("gave up"), "{stalled}");
    });
}

#[test]
fn a_machine_of_the_same_name_is_left_alone() {
    sandbox!(|s| {
        let web = s.container("web").start();
        s.register(&web, Via::Varlink);
        let other = s.container("other").start();
        let leader = other.leader().to_string();
        let refused = s
            .cmd(HOOK)
            .args(["--strict", "register", "--name", "web", "--leader", &leader])
            .run();
        assert!(refused.fails(1).stderr.contains("registered already"));
        s.cmd(HOOK)
            .args([
                "--strict",
                "unregister",
                "--name",
                "web",
                "--service",
                "lxc",
            ])
            .run()
            .ok();
        assert!(s.run("getent hosts web").ok().contains(&web.ipv6()));
    });
}

#[test]
fn lxc_calls_the_hook_either_way() {
    sandbox!(|s| {
        let web = s.container("web").start();
        let hook = "/usr/share/lxc/hooks/switchyard-lxc-hook";
        let (leader, root) = (
            web.leader().to_string(),
            format!("dir:{}", web.root().display()),
        );
        for old in [true, false] {
            let call = |stage: &str| {
                let hook = s
                    .cmd(hook)
                    .env("LXC_NAME", "web")
                    .env("LXC_ROOTFS_PATH", &root)
                    .env("LXC_PID", &leader);
                let hook = if old {
                    hook.args(["web", "lxc", stage])
                } else {
                    hook.env("LXC_HOOK_TYPE", stage)
                };
                let output = hook.run().ok();
                assert_eq!(output, "", "a hook that did its work says nothing");
            };
            call("start-host");
            assert!(s.run("getent ahostsv4 web").ok().contains(&web.ipv4()));
            call("post-stop");
            s.run("getent hosts web").fails(2);
        }
    });
}

/// The hook that is installed in hooks.d, or none but that of the device that is named.
fn life_in_podman(s: &Sandbox, options: &str, device: &str) {
    if can_run(s, "podman") {
        let bundle = bundle("web");
        let config = "[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\nruntime = \"runc\"\n";
        fs::write("/run/containers.conf", config).unwrap();
        // The sandbox's /var may be no place for overlay.
        let podman = format!("podman --storage-driver vfs {options}");
        let run = format!("run --detach --name web --network none --pids-limit 0 {device}");
        managed(
            s,
            &format!("{podman} {run} --rootfs {bundle}/rootfs sleep 1000"),
        )
        .ok();
        let leader = s.run("machinectl show --property Leader --value web").ok();
        s.run(&format!(
            "echo '\"pid\": {}' | sh {bundle}/network",
            leader.trim()
        ))
        .ok();
        found(s, "podman", &bundle);
        managed(s, &format!("{podman} rm --force --time 0 web")).ok();
        gone(s);
    }
}

#[test]
fn a_container_of_podman_has_its_name() {
    sandbox!(|s| life_in_podman(s, "", ""));
}

/// As docker does it, which reads no hooks.d.
#[test]
fn a_container_with_the_device_has_its_name() {
    sandbox!(|s| {
        fs::create_dir("/run/no-hooks").unwrap();
        let device = "--device switchyard.io/machine=register";
        life_in_podman(s, "--hooks-dir /run/no-hooks", device);
    });
}

#[test]
fn a_container_of_lxc_has_its_name() {
    sandbox!(|s| {
        if !can_run(s, "lxc-start") {
            return;
        }
        let bundle = bundle("web");
        let config = format!(
            "lxc.include = /usr/share/switchyard/lxc.conf\n\
             lxc.rootfs.path = dir:{bundle}/rootfs\n\
             lxc.uts.name = web\n\
             lxc.mount.auto = proc\n\
             lxc.init.cmd = /bin/sleep 1000\n\
             lxc.net.0.type = veth\n\
             lxc.net.0.name = eth0\n\
             lxc.net.0.flags = up\n\
             lxc.net.0.ipv4.address = 10.99.0.2/24\n"
        );
        fs::write("/run/lxc.conf", config).unwrap();
        fs::create_dir_all("/var/lib/lxc").unwrap();
        managed(
            s,
            "lxc-start --name web --rcfile /run/lxc.conf --logfile /run/lxc.log",
        )
        .ok();
        found(s, "lxc", &bundle);
        managed(s, "lxc-stop --name web --kill").ok();
        gone(s);
    });
}
