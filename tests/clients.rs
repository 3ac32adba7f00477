//! Debian's clients, unmodified, with our machined: those that read its files, and those that reach into a container by
//! its name.

use std::{fs, path::Path, time::Duration};

use support::{Container, Daemon, Manager, Options, Ready, Sandbox, Via, Which, sandbox, skip};

fn registered(s: &Sandbox, container: support::Builder) -> Container {
    let container = container.start();
    s.register(&container, Via::BusRegister);
    container
}

fn gone(s: &Sandbox, name: &str) {
    s.wait_for(
        || !Path::new("/run/systemd/machines").join(name).exists(),
        "the machine to be gone",
    );
    let list = s.run("machinectl list --no-legend").ok();
    assert!(!list.contains(name), "{list}");
}

#[test]
fn programs_learn_from_libsystemd_which_machine_a_process_is_in() {
    sandbox!(|s| {
        if !s.has_cgroups() {
            skip!("the answer is in the process's cgroup, and there are none to write to");
        }
        let web = registered(s, s.container("web"));
        let script = "import ctypes, sys\n\
            lib = ctypes.CDLL('libsystemd.so.0')\n\
            text = ctypes.c_char_p()\n\
            for pid in sys.argv[1:]:\n\
            \x20   text.value = None\n\
            \x20   print(lib.sd_pid_get_machine_name(int(pid), ctypes.byref(text)), text.value)\n\
            print(lib.sd_machine_get_class(b'web', ctypes.byref(text)), text.value)\n\
            list = ctypes.POINTER(ctypes.c_int)()\n\
            count = lib.sd_machine_get_ifindices(b'web', ctypes.byref(list))\n\
            print([list[n] for n in range(count)])\n";
        let said = s
            .cmd("python3")
            .args(["-c", script, &web.leader().to_string(), "1"])
            .run()
            .ok();
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines[0], "0 b'web'");
        assert!(
            lines[1].starts_with('-') && lines[1].ends_with("None"),
            "{said}"
        );
        assert_eq!(lines[2], "0 b'container'");
        assert_eq!(lines[3], format!("[{}]", web.interface().unwrap()));

        let machines = s.run("ps -eo machine= -o pid=").ok();
        let of = |pid: u32| {
            let line = machines
                .lines()
                .find(|line| line.trim().ends_with(&format!(" {pid}")));
            line.unwrap().split_whitespace().next().unwrap().to_owned()
        };
        assert_eq!(
            (of(web.leader()), of(s.machined().pid())),
            ("web".into(), "-".into())
        );
        web.kill();
        gone(s, "web");
    });
}

#[test]
fn python_lists_machines_and_sees_them_come_and_go() {
    sandbox!(|s| {
        let names = || {
            let line = "python3 -c 'import systemd.login as l; print(sorted(l.machine_names()))'";
            s.run(line).ok().trim().to_owned()
        };
        assert_eq!(names(), "[]");
        let script = "import select, sys, systemd.login as l\n\
            m = l.Monitor('machine')\n\
            p = select.poll()\n\
            p.register(m, m.get_events())\n\
            print('ready', flush=True)\n\
            while p.poll(10000):\n\
            \x20   m.flush()\n\
            \x20   print(sorted(l.machine_names()), flush=True)\n";
        let monitor = s.spawn("monitor", &["python3", "-c", script]);
        let said = |words: &str| {
            s.wait_for(
                || monitor.log().lines().last() == Some(words),
                &format!("{words} in {}", monitor.log()),
            );
        };
        said("ready");
        let web = registered(s, s.container("web"));
        said("['web']");
        registered(s, s.container("db"));
        said("['db', 'web']");
        assert_eq!(names(), "['db', 'web']");
        web.kill();
        said("['db']");
    });
}

#[test]
fn a_bus_in_a_container_is_reached_by_the_machines_name() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("busctl can't enter a user namespace that it is in already: setns(2)");
        }
        let web = registered(s, s.container("web").usr());
        web.start_bus();
        let list = s.run("busctl -M web --no-legend list").ok();
        assert!(list.contains("org.freedesktop.DBus"), "{list}");
        // The host's bus has our name, the container's has not.
        assert!(!list.contains("org.freedesktop.machine1"), "{list}");
        assert!(
            s.run("busctl -M .host --no-legend list")
                .ok()
                .contains("org.freedesktop.machine1")
        );
        let absent = s.run("loginctl -M web list-sessions").fails(1);
        assert!(absent.stderr.contains("org.freedesktop.login1"), "{absent}");
        let refused = s.run("busctl -M nope list").fails(1);
        assert!(refused.stderr.contains("Host is down"), "{refused}");
        s.run("machinectl terminate web").ok();
        gone(s, "web");
        s.run("busctl -M web list").fails(1);
    });
}

#[test]
fn the_systemd_of_a_container_is_reached_by_the_machines_name() {
    sandbox!(Options::new().timeout(Duration::from_secs(120)), |s| {
        if !s.has_cgroups() {
            skip!("there are no cgroups to write to");
        }
        let web = registered(s, s.container("web").systemd());
        let _plain = registered(s, s.container("plain"));
        let running = s.run("systemctl -M web is-system-running --wait");
        assert!(running.stdout.contains("running"), "{running}");
        let unit = s.run("systemctl -M web show dbus.service -p ActiveState --value");
        assert_eq!(unit.ok().trim(), "active");
        let machines = s.run("systemctl list-machines --no-legend --plain").ok();
        let state = |name: &str| {
            let line = machines
                .lines()
                .find(|line| line.split_whitespace().next() == Some(name));
            line.and_then(|line| line.split_whitespace().nth(1))
                .map(str::to_owned)
        };
        assert_eq!(state("web").as_deref(), Some("running"), "{machines}");
        assert!(
            state("plain").is_some_and(|state| state != "running"),
            "{machines}"
        );

        s.run("systemd-run -M web --wait --quiet touch /run/was-here")
            .ok();
        assert!(web.inside("/run/was-here").exists());
        let piped = "echo from outside | systemd-run -M web --wait --quiet --pipe cat";
        assert_eq!(s.run(piped).ok(), "from outside\n");
        // With a terminal of the container's, which machined opens; systemd-run wants one itself.
        let run = "['systemd-run', '-M', 'web', '--wait', '--quiet', '-t', 'sh', '-c', 'readlink /proc/self/fd/0; hostname']";
        let shown = s
            .cmd("python3")
            .args(["-c", &format!("import pty; pty.spawn({run})")]);
        let shown = shown.run().ok().replace("\r\n", "\n");
        assert!(
            shown.contains("/dev/pts/") && shown.contains("\nweb\n"),
            "{shown}"
        );
        let version = s.run(
            "busctl -M web get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 \
            org.freedesktop.systemd1.Manager Version",
        );
        assert!(version.ok().starts_with("s \"2"));

        s.run("systemctl -M web start systemd-logind.service").ok();
        assert_eq!(
            s.run("loginctl -M web list-sessions").ok(),
            "No sessions.\n"
        );
        let seat = s.run("loginctl -M web show-seat seat0 -p Id").ok();
        assert_eq!(seat, "Id=seat0\n");

        s.run("systemctl -M web start systemd-journald.service")
            .ok();
        s.run("systemd-run -M web --wait --quiet sh -c 'echo what a day | systemd-cat'")
            .ok();
        let journal = || s.run("journalctl -M web --no-pager -q").stdout;
        s.wait_for(
            || journal().contains("what a day"),
            "the container's journal",
        );

        s.run("machinectl poweroff web").ok();
        s.wait_for(|| !web.is_running(), "the container to power off");
        gone(s, "web");
    });
}

#[test]
fn machinectl_powers_off_reboots_and_kills() {
    sandbox!(|s| {
        for (name, line) in [
            ("a", "machinectl poweroff a"),
            ("b", "machinectl reboot b"),
            ("c", "machinectl kill c --signal=KILL"),
            ("d", "machinectl terminate d"),
        ] {
            let container = registered(s, s.container(name));
            s.run(line).ok();
            s.wait_for(|| !container.is_running(), line);
            gone(s, name);
        }
        for line in ["poweroff", "reboot", "kill", "terminate"] {
            let refused = s.run(&format!("machinectl {line} nope")).fails(1);
            assert!(refused.stderr.contains("nope"), "{refused}");
        }
    });
}

/// What machinectl shows of a machine that this machined has registered.
fn shown(s: &Sandbox, which: Which, web: &Container) -> Vec<String> {
    let (program, ready) = match which {
        Which::Ours => ("/usr/libexec/switchyard/machined", Ready::Notify),
        Which::Peer => (
            "/usr/lib/systemd/systemd-machined",
            Ready::BusName("org.freedesktop.machine1".into()),
        ),
    };
    let daemon = Daemon::start("machined", &[program], &[], ready);
    s.register(web, Via::BusRegister);
    let lines = [
        "machinectl list --no-pager",
        "machinectl list --all --no-legend",
        "machinectl list -o json",
        "machinectl list --max-addresses=all --no-legend",
        "machinectl status web --no-pager",
        "machinectl status --full --max-addresses=1 web --no-pager",
        "machinectl show web -p Name -p Id -p Service -p Unit -p Leader -p Class -p RootDirectory -p State",
        "machinectl show web --value -p Leader",
        "machinectl list-images --no-pager",
        "machinectl status nope",
        "systemctl list-machines --no-legend --plain",
    ];
    let outputs = lines.map(|line| {
        let output = s.run(line);
        // The time of the registration differs.
        let same = |line: &&str| !line.trim_start().starts_with("Since:");
        let text: Vec<_> = output.stdout.lines().filter(same).collect();
        format!(
            "{line}: {:?}\n{}\n{}",
            output.status,
            text.join("\n"),
            output.stderr
        )
    });
    s.run("busctl call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager \
        UnregisterMachine s web")
        .ok();
    daemon.end();
    outputs.into()
}

#[test]
fn machinectl_shows_what_it_shows_with_systemds() {
    sandbox!(Options::new().machined(None), |s| {
        if !s.has_cgroups() {
            skip!("systemd's machined registers nothing without cgroups");
        }
        let web = s.container("web").start();
        // systemd 252 takes an address for one before it has been found to be nobody else's (RFC 4862, 5.4).
        let settled = format!(
            "nsenter -t {} --net ip -6 address show dev host0 scope link -tentative",
            web.leader()
        );
        s.wait_for(
            || s.run(&settled).ok().contains("fe80"),
            "the link-local address",
        );
        let (theirs, ours) = (shown(s, Which::Peer, &web), shown(s, Which::Ours, &web));
        assert!(
            theirs[0].contains("web") && theirs[0].contains(&web.ipv4()),
            "{}",
            theirs[0]
        );
        for (theirs, ours) in theirs.iter().zip(&ours) {
            assert_eq!(ours, theirs);
        }
    });
}

/// The real systemd-nspawn where nobody manages services.
#[test]
fn nspawn_registers_without_a_service_manager() {
    sandbox!(|s| {
        if s.is_rootless() || !s.has_cgroups() {
            skip!("there is no other user");
        }
        let root = s.root_tree("box");
        // The payload's unit is that which nspawn itself stands in.
        let scope = "machine.slice/box.scope";
        let enter = format!(
            "for top in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do \
             [ -e $top/cgroup.procs ] && mkdir -p $top/{scope} && echo $$ >$top/{scope}/cgroup.procs; done; \
             exec systemd-nspawn --boot --network-veth --keep-unit -M box -D {}",
            root.display()
        );
        let nspawn = s.spawn("nspawn", &["sh", "-c", &enter]);
        s.wait_for(
            || {
                assert!(nspawn.is_running(), "{}", nspawn.log());
                Path::new("/run/systemd/machines/box").exists()
            },
            "the machine",
        );
        let leader = s.run("machinectl show box -p Leader --value").ok();
        assert_eq!(
            s.run(&format!("ps -o machine= -p {leader}")).ok().trim(),
            "box"
        );
        let ready = format!("/proc/{}/root/run/ready", leader.trim());
        s.wait_for(|| Path::new(&ready).exists(), "the init");
        s.run("machinectl poweroff box").ok();
        nspawn.wait();
        gone(s, "box");
    });
}

/// Beside a systemd that manages the machine, as on most.
#[test]
fn clients_work_beside_systemd() {
    sandbox!(Options::new().manager(Manager::Systemd), |s| {
        if !s.has_manager() {
            skip!("systemd wants root, and cgroups to write to");
        }
        let web = registered(s, s.container("web").systemd());
        let status = s.run("machinectl status web --no-pager").ok();
        assert!(status.contains("Unit: machine-web.scope"), "{status}");
        assert!(
            s.run("systemctl -M web list-units --no-legend")
                .ok()
                .contains("dbus.service")
        );
        let machines = s.run("systemctl list-machines --no-legend").ok();
        assert_eq!(machines.lines().count(), 2, "{machines}");
        let all = s.run("systemctl -r list-units --no-legend --plain").ok();
        assert!(all.contains("web:dbus.service"), "{all}");
        assert_eq!(
            fs::read_to_string(web.inside("/etc/hostname")).unwrap(),
            "web\n"
        );
    });
}
