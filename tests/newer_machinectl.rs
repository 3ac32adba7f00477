//! machinectl and systemd-nspawn of a newer systemd with our machined.

mod machined_bus_client;
#[path = "machined_bus_peer/world.rs"]
mod world;

use std::fs;
use std::path::Path;

use support::{Options, Sandbox, Via, newer_sandbox, skip};
use world::{NEWER, OURS, settled, with};

/// What lines of shell print, without what is another at every run.
fn shown(s: &Sandbox) -> Vec<String> {
    let lines = [
        "list --no-pager",
        "list --all --no-legend",
        "list -o json",
        "list --max-addresses=all --no-legend",
        "status web --no-pager",
        "status --full --max-addresses=1 web --no-pager",
        "show web -p Name -p Id -p Service -p Unit -p Leader -p Class -p RootDirectory -p State -p VSockCID -p SSHAddress",
        "show web --value -p Leader",
        "show .host -p Name -p Id -p Unit -p Class -p State",
        "show",
        "status .host --no-pager",
        "status nope",
        "show nope",
        "kill nope",
        "terminate nope",
        "shell nope",
        "copy-to nope /tmp /tmp",
    ];
    let line = |line: &&str| {
        let output = s.run(&format!("newer machinectl {line}"));
        // The time of the registration.
        let is_same = |line: &&str| !line.trim_start().starts_with("Since:");
        let text: Vec<_> = output.stdout.lines().filter(is_same).collect();
        let text = text.join("\n");
        format!("{line}: {:?}\n{text}\n{}", output.status, output.stderr)
    };
    lines.iter().map(line).collect()
}

#[test]
fn it_shows_what_it_shows_with_systemds() {
    newer_sandbox!(Options::new().machined(None), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        // Each would find that of the /usr that it runs in.
        s.run("cp --remove-destination /usr/lib/os-release /etc/os-release")
            .ok();
        let web = s.container("web").start();
        settled(s, &web);
        let theirs = with(s, NEWER, &web, |_| shown(s));
        let ours = with(s, OURS, &web, |_| shown(s));
        assert!(theirs[0].contains(&web.ipv4()), "{}", theirs[0]);
        for (theirs, ours) in theirs.iter().zip(&ours) {
            assert_eq!(ours, theirs);
        }
    });
}

fn gone(s: &Sandbox, name: &str) {
    let file = Path::new("/run/systemd/machines").join(name);
    s.wait_for(|| !file.exists(), "the machine to be gone");
}

#[test]
fn it_ends_machines() {
    newer_sandbox!(Options::new(), |s| {
        for (name, line) in [
            ("a", "poweroff a"),
            ("b", "reboot b"),
            ("c", "kill c --signal=KILL"),
            ("d", "terminate d"),
        ] {
            let container = s.container(name).start();
            s.register(&container, Via::BusRegister);
            s.run(&format!("newer machinectl {line}")).ok();
            s.wait_for(|| !container.is_running(), line);
            gone(s, name);
        }
    });
}

#[test]
fn it_reaches_into_a_container() {
    newer_sandbox!(Options::new(), |s| {
        let web = s.container("web").start();
        s.register(&web, Via::BusRegister);
        s.run("mkdir -p /tmp/tree/deep && echo one >/tmp/tree/one && echo two >/tmp/tree/deep/two")
            .ok();
        s.run("newer machinectl copy-to web /tmp/tree/one /tmp/one")
            .ok();
        s.run("newer machinectl copy-to web /tmp/tree /tmp/tree")
            .ok();
        let two = fs::read_to_string(web.inside("/tmp/tree/deep/two")).unwrap();
        assert_eq!(two, "two\n");
        s.run("newer machinectl copy-to web /tmp/tree/one /tmp/one")
            .fails(1);
        s.run("newer machinectl copy-to --force web /tmp/tree/deep/two /tmp/one")
            .ok();
        s.run("newer machinectl copy-from web /tmp/one /tmp/back")
            .ok();
        assert_eq!(fs::read_to_string("/tmp/back").unwrap(), "two\n");
        s.run("newer machinectl bind --mkdir --read-only web /tmp/tree /mnt/tree")
            .ok();
        assert_eq!(web.run("cat /mnt/tree/one").ok(), "one\n");
        web.run("touch /mnt/tree/new").fails(1);
        let shell = "sleep 1 | newer machinectl -q shell web /bin/busybox hostname";
        let said = s.run(shell).ok();
        assert!(said.contains("web"), "{said}");
    });
}

#[test]
fn its_nspawn_registers() {
    newer_sandbox!(Options::new(), |s| {
        if s.is_rootless() || !s.has_cgroups() {
            skip!("systemd-nspawn wants root, and cgroups to write to");
        }
        let root = s.root_tree("box");
        // The payload's unit is that which nspawn itself stands in.
        let scope = "machine.slice/box.scope";
        let enter = format!(
            "for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do \
             [ -e $top/cgroup.procs ] && mkdir -p $top/{scope} && echo $$ >$top/{scope}/cgroup.procs; done; \
             exec newer systemd-nspawn --boot --network-veth --keep-unit -M box -D {}",
            root.display()
        );
        let nspawn = s.spawn("nspawn", &["sh", "-c", &enter]);
        let registered = || {
            assert!(nspawn.is_running(), "{}", nspawn.log());
            Path::new("/run/systemd/machines/box").exists()
        };
        s.wait_for(registered, "the machine");
        let leader = s.run("newer machinectl show box -p Leader --value").ok();
        let machine = s.run(&format!("ps -o machine= -p {leader}")).ok();
        assert_eq!(machine.trim(), "box");
        let ready = format!("/proc/{}/root/run/ready", leader.trim());
        s.wait_for(|| Path::new(&ready).exists(), "the init");
        s.run("newer machinectl poweroff box").ok();
        nspawn.wait();
        gone(s, "box");
    });
}
