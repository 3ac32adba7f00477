//! Containers of docker's engine, registered by switchyard-oci-hook as the device that README has docker name.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use support::{Daemon, Options, Output, Ready, Sandbox, sandbox, skip, skip_for_machine};

/// What README says, and what the sandbox asks for: nobody makes scopes, there is no place for overlay, and there are no tables of
/// packet filters.
const SETTINGS: &str = r#"{
  "features": { "cdi": true },
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "storage-driver": "vfs",
  "iptables": false,
  "ip6tables": false
}"#;

/// Where the programs of docker are, in front of the machine's own.
const PATH: &str = "/run/docker-programs:/usr/sbin:/usr/bin";

/// Starts the engine. Its programs are a newer Debian's and run by this one's C library; runc is this one's.
fn start(s: &Sandbox) -> Daemon {
    let usr = s.newer_root().unwrap().join("usr");
    fs::create_dir("/run/docker-programs").unwrap();
    for program in [
        "sbin/dockerd",
        "sbin/docker-proxy",
        "bin/docker",
        "bin/containerd",
        "bin/containerd-shim-runc-v2",
    ] {
        let name = Path::new(program).file_name().unwrap();
        symlink(
            usr.join(program),
            Path::new("/run/docker-programs").join(name),
        )
        .unwrap();
    }
    fs::create_dir_all("/etc/docker").unwrap();
    fs::write("/etc/docker/daemon.json", SETTINGS).unwrap();
    // It refuses the hybrid of cgroup v1 and v2, so it is shown v2 alone.
    let line = "if [ -d /sys/fs/cgroup/unified ]; then mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup; fi; exec dockerd";
    let command = ["unshare", "--mount", "sh", "-c", line];
    Daemon::start("dockerd", &command, &[("PATH", PATH)], Ready::Notify)
}

fn docker(s: &Sandbox, line: &str) -> Output {
    s.cmd("sh")
        .args(["-c", &format!("docker {line}")])
        .env("PATH", PATH)
        .timeout(Duration::from_secs(60))
        .run()
}

/// An image of busybox, which serves a page.
fn import(s: &Sandbox) {
    fs::create_dir_all("/run/image/bin").unwrap();
    fs::create_dir_all("/run/image/www").unwrap();
    fs::copy("/usr/bin/busybox", "/run/image/bin/busybox").unwrap();
    fs::write("/run/image/www/index.html", "of the container\n").unwrap();
    s.run("tar --create --directory /run/image --file /run/image.tar .")
        .ok();
    docker(s, "import /run/image.tar page").ok();
}

const DEVICE: &str = "--device switchyard.io/machine=register";

fn run(s: &Sandbox, name: &str, options: &str) {
    let serve = "page busybox httpd -f -p 80 -h /www";
    let line = format!("run --detach --name {name} {options} {serve}");
    docker(s, &line).ok();
}

/// Those that docker gave it.
fn addresses(s: &Sandbox, container: &str) -> Vec<String> {
    let each = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}";
    let said = docker(s, &format!("inspect --format '{each}' {container}")).ok();
    let addresses: Vec<_> = said.split_whitespace().map(str::to_owned).collect();
    assert!(!addresses.is_empty(), "{container} has none");
    addresses
}

/// All of its addresses are found by this name.
fn found(s: &Sandbox, name: &str, container: &str) {
    let addresses = addresses(s, container);
    let is_there = |address: &String| {
        let said = s.run(&format!("getent ahosts {name}")).stdout;
        let first = |line: &str| line.split_whitespace().next() == Some(address);
        said.lines().any(first)
    };
    let what = format!("{name} to have {addresses:?}");
    s.wait_for(|| addresses.iter().all(is_there), &what);
}

fn gone(s: &Sandbox, name: &str) {
    let getent = format!("getent hosts {name}");
    let what = format!("the name {name} to be gone");
    s.wait_for(|| s.run(&getent).status == Some(2), &what);
    let list = s.run("machinectl list --no-legend").ok();
    assert!(!list.contains(name), "{list}");
}

#[test]
fn a_container_of_docker_has_its_name() {
    sandbox!(Options::new().newer(), |s| {
        if s.is_rootless() || !s.has_cgroups() {
            skip!("docker wants more than one user, and cgroups");
        }
        if !s.has_newer() {
            skip!("docker could not be fetched");
        }
        if !Path::new("/usr/sbin/runc").exists() {
            skip!("this release of Debian has no runc");
        }
        let bridge = s.run("ip link add probe type bridge && ip link delete probe");
        if bridge.status != Some(0) {
            skip_for_machine!("the kernel has no bridges, which docker has its network by");
        }
        let engine = start(s);
        import(s);

        // In docker's own network: found as soon as `docker run` has ended, and reached.
        run(s, "web", DEVICE);
        found(s, "web", "web");
        let shown = s.run("machinectl show web").ok();
        assert!(shown.contains("\nService=docker\n"), "{shown}");
        let page = s.run("curl --silent --retry 9 --retry-connrefused http://web/");
        assert_eq!(page.ok(), "of the container\n");

        // Without the device docker has no hooks.
        run(s, "other", "");
        gone(s, "other");

        // In a network of both families.
        let subnets = "--ipv6 --subnet fd00:99::/64 --subnet 10.99.0.0/24";
        docker(s, &format!("network create {subnets} both")).ok();
        run(s, "db", &format!("--network both {DEVICE}"));
        found(s, "db", "db");
        assert_eq!(addresses(s, "db").len(), 2);

        // The name goes with the container, and comes with it.
        docker(s, "stop --time 0 web").ok();
        gone(s, "web");
        docker(s, "start web").ok();
        found(s, "web", "web");
        docker(s, "restart --time 0 web").ok();
        found(s, "web", "web");
        // A new name is a machine's from its next start on.
        docker(s, "rename web shop").ok();
        found(s, "web", "shop");
        docker(s, "restart --time 0 shop").ok();
        found(s, "shop", "shop");
        gone(s, "web");
        docker(s, "rm --force shop").ok();
        gone(s, "shop");
        found(s, "db", "db");

        docker(s, "rm --force db other").ok();
        gone(s, "db");
        engine.end();
    });
}
