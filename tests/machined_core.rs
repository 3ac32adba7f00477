//! The registry itself: how machines come, are remembered, and go.

mod machined_bus_client;

use std::{
    fs,
    net::IpAddr,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use machined_bus_client::{Client, MACHINE, MACHINE_IFACE, MANAGER, MANAGER_IFACE, PROPERTIES};
use rustix::process::{Pid, Signal, kill_process};
use support::{Manager, Options, Sandbox, Via, Which, sandbox};
use zbus::Variant;

const DIR: &str = "/run/systemd/machines";
const BROKEN: &str = "/run/switchyard/machined/broken";
const SOON: Duration = Duration::from_millis(100);

fn state(name: &str) -> String {
    fs::read_to_string(Path::new(DIR).join(name)).unwrap_or_default()
}

fn has_file(name: &str) -> bool {
    Path::new(DIR).join(name).symlink_metadata().is_ok()
}

fn names() -> Vec<String> {
    let entries = fs::read_dir(DIR).unwrap();
    let mut names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn program(line: &str) -> Child {
    Command::new("sh")
        .args(["-c", &format!("exec {line}")])
        .spawn()
        .unwrap()
}

/// RegisterMachine.
fn register(client: &Client, name: &str, leader: u32) -> machined_bus_client::Answer {
    client.manager(
        "RegisterMachine",
        args![
            name.to_owned(),
            Vec::<u8>::new(),
            "test",
            "container",
            leader,
            ""
        ],
    )
}

/// CreateMachine.
fn create(
    client: &Client,
    name: &str,
    leader: u32,
    properties: Vec<(&'static str, Variant<'static>)>,
) -> machined_bus_client::Answer {
    client.manager(
        "CreateMachine",
        args![
            name.to_owned(),
            Vec::<u8>::new(),
            "test",
            "container",
            leader,
            "",
            properties
        ],
    )
}

fn property(client: &Client, machine: &str, name: &str) -> String {
    let path = format!("{MACHINE}/{machine}");
    client
        .call(
            &path,
            PROPERTIES,
            "Get",
            args![MACHINE_IFACE, name.to_owned()],
        )
        .ok()
}

/// What GetMachineAddresses gives, as text; or the name of the error.
fn addresses(client: &Client, machine: &str) -> Vec<String> {
    let call = client.connection.call_method(
        Some("org.freedesktop.machine1"),
        MANAGER,
        Some(MANAGER_IFACE),
        "GetMachineAddresses",
        &machine,
    );
    let reply = match client.block_on(call) {
        Ok(reply) => reply,
        Err(_) => {
            let again = client.manager("GetMachineAddresses", args![machine.to_owned()]);
            return vec![again.kind().to_owned()];
        }
    };
    let list: Vec<(i32, Vec<u8>)> = reply.body().deserialize().unwrap();
    let text = |(_, bytes): (i32, Vec<u8>)| match <[u8; 4]>::try_from(&*bytes) {
        Ok(v4) => IpAddr::from(v4).to_string(),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(&*bytes).unwrap()).to_string(),
    };
    list.into_iter().map(text).collect()
}

/// The folder of a cgroup in the hierarchy of version 2.
fn cgroup(path: &str) -> std::path::PathBuf {
    let unified = Path::new("/sys/fs/cgroup/unified");
    let mount = if unified.is_dir() {
        unified
    } else {
        Path::new("/sys/fs/cgroup")
    };
    mount.join(path)
}

fn kill(pid: u32) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

#[test]
fn a_machine_is_gone_as_soon_as_its_leader_is() {
    sandbox!(|s| {
        for via in [Via::BusRegister, Via::BusCreate] {
            let name = format!("web-{via:?}");
            let web = s.container(&name).start();
            s.register(&web, via);
            assert!(state(&name).contains(&format!("LEADER={}\n", web.leader())));
            kill(web.leader());
            s.wait_within(SOON, || names().is_empty(), "the files to be gone");
            assert!(
                Client::new()
                    .manager("GetMachine", args![name])
                    .is_error(".NoSuchMachine")
            );
            s.wait_for(|| !web.is_running(), "the container to end");
        }
    });
}

#[test]
fn the_scope_is_made_and_removed() {
    sandbox!(|s| {
        if !s.has_cgroups() {
            return;
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
            return;
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
            return;
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

#[test]
fn signals_reach_whom_they_are_meant_for() {
    sandbox!(|s| {
        let client = Client::new();
        let mut leader = program("sleep 60");
        create(&client, "a", leader.id(), vec![]).ok();
        let bad = client.manager("KillMachine", args!["a", "leader", 65]);
        assert!(bad.is_error(".InvalidArgs"), "{bad:?}");
        let bad = client.manager("KillMachine", args!["a", "neighbour", 9]);
        assert!(bad.is_error(".InvalidArgs"), "{bad:?}");
        // SIGRTMIN+4, which machinectl poweroff sends.
        client.manager("KillMachine", args!["a", "leader", 38]).ok();
        let status = leader.wait().unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(38)
        );
        s.wait_within(SOON, || names().is_empty(), "the files to be gone");

        let mut leader = program("sleep 60");
        create(&client, "a", leader.id(), vec![]).ok();
        if s.has_cgroups() {
            let mut other = program("sleep 60");
            fs::write(
                cgroup("machine.slice/machine-a.scope/cgroup.procs"),
                other.id().to_string(),
            )
            .unwrap();
            client.manager("KillMachine", args!["a", "all", 10]).ok();
            let status = other.wait().unwrap();
            assert_eq!(
                std::os::unix::process::ExitStatusExt::signal(&status),
                Some(10)
            );
        } else {
            client.manager("KillMachine", args!["a", "all", 10]).ok();
        }
        leader.wait().unwrap();
    });
}

#[test]
fn rules_of_registration() {
    sandbox!(|s| {
        let client = Client::new();
        let (mut one, mut two) = (program("sleep 60"), program("sleep 60"));
        register(&client, "a", one.id()).ok();
        let refused = |answer: machined_bus_client::Answer, error: &str| {
            assert!(answer.is_error(error), "{answer:?}");
        };
        refused(register(&client, "a", two.id()), ".MachineExists");
        refused(register(&client, "b", one.id()), ".InvalidArgs");
        refused(register(&client, "b", 1), ".InvalidArgs");
        refused(register(&client, ".host", two.id()), ".InvalidArgs");
        refused(register(&client, "b", u32::MAX), ".InvalidArgs");
        let with = |class: &'static str, root: &'static str, id: Vec<u8>| {
            client.manager(
                "RegisterMachine",
                args!["b", id, "test", class, two.id(), root],
            )
        };
        refused(with("host", "", vec![]), ".InvalidArgs");
        refused(with("container", "relative", vec![]), ".InvalidArgs");
        refused(with("container", "/a/../b", vec![]), ".InvalidArgs");
        refused(with("container", "/a\nb", vec![]), ".InvalidArgs");
        refused(with("container", "", vec![1; 32]), ".InvalidArgs");
        let interfaces = args![
            "b",
            Vec::<u8>::new(),
            "test",
            "container",
            two.id(),
            "",
            vec![0i32]
        ];
        refused(
            client.manager("RegisterMachineWithNetwork", interfaces),
            ".InvalidArgs",
        );
        assert_eq!(
            names()
                .iter()
                .filter(|name| !name.starts_with("unit:"))
                .count(),
            1
        );
        // A name is free again in the very moment that its machine has ended.
        one.kill().unwrap();
        let stat = format!("/proc/{}/stat", one.id());
        s.wait_for(
            || fs::read_to_string(&stat).unwrap().contains(") Z "),
            "the killed leader to have ended",
        );
        register(&client, "a", two.id()).ok();
        assert!(state("a").contains(&format!("LEADER={}\n", two.id())));
        one.wait().unwrap();
        let gone = register(&client, "c", one.id());
        assert!(
            matches!(gone, machined_bus_client::Answer::Error(..)),
            "{gone:?}"
        );
        two.kill().unwrap();
        two.wait().unwrap();
        s.wait_within(SOON, || names().is_empty(), "the files to be gone");
    });
}

#[test]
fn machines_outlive_the_daemon() {
    sandbox!(|s| {
        // busctl, which registers, becomes the supervisor, and is forgotten when it is seen to have ended.
        let state = |name| {
            let text = state(name);
            let lines = text.lines().filter(|line| !line.starts_with("SUPERVISOR"));
            lines.collect::<Vec<_>>().join("\n")
        };
        let (web, db) = (s.container("web").start(), s.container("db").start());
        s.register(&web, Via::BusCreate);
        s.register(&db, Via::BusCreate);
        let client = Client::new();
        let all = |client: &Client| {
            let of = |name| property(client, "web", name);
            [
                "Id",
                "Leader",
                "Class",
                "Service",
                "Unit",
                "RootDirectory",
                "Timestamp",
                "NetworkInterfaces",
            ]
            .map(of)
        };
        let before = (state("web"), all(&client));
        assert!(s.machined().end().success());
        assert_eq!(state("web"), before.0);
        s.machined().start_again();
        assert_eq!((state("web"), all(&client)), before);

        s.machined().kill(Signal::KILL);
        s.machined().wait();
        db.kill();
        s.machined().start_again();
        assert_eq!((state("web"), all(&client)), before);
        assert!(!has_file("db") && !has_file("unit:machine-db.scope"));
        assert!(!cgroup("machine.slice/machine-db.scope").exists());
        assert_eq!(
            addresses(&client, "web").get(..2).unwrap(),
            [web.ipv4(), web.ipv6()]
        );
        web.kill();
        s.wait_within(SOON, || names().is_empty(), "the files to be gone");
        assert!(!cgroup("machine.slice/machine-web.scope").exists());
    });
}

/// A process that has a former leader's number is not the machine.
#[test]
fn a_leader_is_proven_the_same_process() {
    sandbox!(Options::new().machined(None), |s| {
        let mut sleep = program("sleep 60");
        fs::create_dir_all(DIR).unwrap();
        let pid = sleep.id();
        let write = |name: &str, proof: &str| {
            let text = format!("NAME={name}\nLEADER={pid}\nCLASS=container\n{proof}\n");
            fs::write(Path::new(DIR).join(name), text).unwrap();
        };
        write("reused", "LEADER_START_TIME=1");
        write("otherid", "LEADER_PIDFDID=1");
        write("unproven", "REALTIME=1");
        s.start_machined(Which::Ours);
        assert_eq!(names(), Vec::<String>::new());
        assert!(Path::new(BROKEN).join("unproven").exists());
        assert!(!Path::new(BROKEN).join("reused").exists());
        let log = s.machined().log();
        assert!(log.contains("unproven") && log.contains("reused"), "{log}");
        sleep.kill().unwrap();
        sleep.wait().unwrap();
    });
}

/// Others read them, whatever the umask of whoever started the daemon.
#[test]
fn a_narrow_umask_hides_nothing() {
    sandbox!(Options::new().machined(None), |s| {
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        s.start_machined(Which::Ours);
        rustix::process::umask(before);
        for path in [DIR, "/run/switchyard/machined", "/run/systemd/machine"] {
            let mode = fs::metadata(path).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o755, "{path}");
        }
    });
}

#[test]
fn broken_files_are_set_aside() {
    sandbox!(Options::new().machined(None), |s| {
        let mut sleep = program("sleep 60");
        fs::create_dir_all(DIR).unwrap();
        let file = |name: &str| Path::new(DIR).join(name);
        let good = format!("LEADER={}\nCLASS=container\n", sleep.id());
        fs::write(file("empty"), "").unwrap();
        fs::write(file("binary"), [0xff, 0, 0xfe].repeat(100)).unwrap();
        fs::write(file("other"), format!("NAME=web\n{good}")).unwrap();
        fs::write(
            file("host"),
            format!("NAME=host\nLEADER={}\nCLASS=host\n", sleep.id()),
        )
        .unwrap();
        fs::write(file("long"), "A=b\n".repeat(100_000)).unwrap();
        fs::write(file("bad name"), &good).unwrap();
        fs::write(file("pid1"), "NAME=pid1\nLEADER=1\nCLASS=container\n").unwrap();
        fs::create_dir(file("folder")).unwrap();
        std::os::unix::fs::symlink("/etc/shadow", file("link")).unwrap();
        fs::write(file(".#half"), "NAME=ha").unwrap();
        std::os::unix::fs::symlink("nobody", file("unit:machine-nobody.scope")).unwrap();
        s.start_machined(Which::Ours);
        assert_eq!(names(), Vec::<String>::new());
        let log = s.machined().log();
        for name in [
            "empty", "binary", "other", "host", "long", "bad name", "pid1", "folder", "link",
        ] {
            assert!(
                Path::new(BROKEN).join(name).symlink_metadata().is_ok(),
                "{name}"
            );
            assert!(log.contains(name), "{name}: {log}");
        }
        register(&Client::new(), "web", sleep.id()).ok();
        sleep.kill().unwrap();
        sleep.wait().unwrap();
    });
}

/// An update from systemd's machined to ours, and back, in mid-life of a machine.
#[test]
fn the_files_are_systemds() {
    sandbox!(Options::new().machined(None), |s| {
        if !s.has_cgroups() {
            return;
        }
        let web = s.container("web").start();
        let peer = s.start_machined(Which::Peer);
        s.register(&web, Via::BusRegister);
        let shown = |s: &Sandbox| s.run("machinectl show web --no-pager").ok();
        let theirs = (shown(s), state("web"));
        peer.end();
        let ours = support::Daemon::start(
            "ours",
            &["/usr/libexec/switchyard/machined"],
            &[],
            support::Ready::BusName("org.freedesktop.machine1".into()),
        );
        let here = shown(s);
        for line in theirs.0.lines() {
            assert!(here.lines().any(|here| here == line), "{line}: {here}");
        }
        for line in theirs.1.lines() {
            assert!(
                state("web").lines().any(|here| here == line),
                "{line}: {}",
                state("web")
            );
        }
        ours.end();
        peer.start_again();
        assert_eq!(shown(s), theirs.0);
    });
}

#[test]
fn addresses_are_current_at_once() {
    sandbox!(|s| {
        let web = s.container("web").start();
        s.register(&web, Via::BusRegister);
        let client = Client::new();
        // Its own link-local address comes when the kernel has made sure that nobody has it.
        s.wait_for(|| addresses(&client, "web").len() == 3, "all addresses");
        let first = addresses(&client, "web");
        assert_eq!(first.get(..2).unwrap(), [web.ipv4(), web.ipv6()]);
        let ip = |command: &str| {
            s.run(&format!("nsenter -t {} -n ip addr {command}", web.leader()))
                .ok();
        };
        for round in 1..20 {
            let new = format!("192.0.2.{round}");
            ip(&format!("add {new}/32 dev host0"));
            let mut with_new = first.clone();
            with_new.insert(1, new.clone());
            assert_eq!(addresses(&client, "web"), with_new);
            ip(&format!("del {new}/32 dev host0"));
            assert_eq!(addresses(&client, "web"), first);
        }
        // More changes than fit the socket's buffer.
        let many = "for i in $(seq 1 250); do for j in 1 2 3 4; do echo addr add 198.51.$j.$i/32 dev IF; echo addr del 198.51.$j.$i/32 dev IF; done; done | ip -batch -";
        let many = many.replace("IF", "host0");
        s.run(&format!("nsenter -t {} -n sh -c '{many}'", web.leader()))
            .ok();
        assert_eq!(addresses(&client, "web"), first);
    });
}

#[test]
fn a_leader_may_change_its_network_later() {
    sandbox!(|s| {
        let client = Client::new();
        let fifo = "/run/go";
        s.run(&format!("mkfifo {fifo}")).ok();
        let mut leader = Command::new("sh")
            .args(["-c", &format!("read x <{fifo}; exec unshare -n sh -c 'ip addr add 192.0.2.7/32 dev lo scope global; echo >{fifo}; exec sleep 60'")])
            .spawn()
            .unwrap();
        register(&client, "a", leader.id()).ok();
        let shared = addresses(&client, "a");
        assert_eq!(shared, ["org.freedesktop.machine1.NoPrivateNetworking"]);
        s.run(&format!("echo >{fifo}; read x <{fifo}")).ok();
        assert_eq!(addresses(&client, "a"), ["192.0.2.7"]);
        leader.kill().unwrap();
        leader.wait().unwrap();
    });
}

#[test]
fn a_full_or_read_only_run_registers_nothing() {
    sandbox!(|s| {
        let client = Client::new();
        let mut leader = program("sleep 60");
        let own = fs::read_to_string(format!("/proc/{}/cgroup", leader.id())).unwrap();
        for options in ["size=4k,nr_inodes=1", "ro"] {
            s.run(&format!("mount -t tmpfs -o {options} tmpfs {DIR}"))
                .ok();
            let refused = create(&client, "a", leader.id(), vec![]);
            let machined_bus_client::Answer::Error(_, text) = &refused else {
                panic!("{refused:?}")
            };
            assert!(text.contains("state of machine a"), "{text}");
            s.run(&format!("umount {DIR}")).ok();
            assert!(
                client
                    .manager("GetMachine", args!["a"])
                    .is_error(".NoSuchMachine")
            );
            assert!(!cgroup("machine.slice/machine-a.scope").exists());
            assert_eq!(
                fs::read_to_string(format!("/proc/{}/cgroup", leader.id())).unwrap(),
                own
            );
        }
        create(&client, "a", leader.id(), vec![]).ok();
        leader.kill().unwrap();
        leader.wait().unwrap();
    });
}

#[test]
fn one_daemon_at_a_time_with_few_privileges() {
    sandbox!(|s| {
        let second = s.run("exec /usr/libexec/switchyard/machined").fails(1);
        assert!(
            second.stderr.contains("Another machined is running"),
            "{second:?}"
        );
        let status = fs::read_to_string(format!("/proc/{}/status", s.machined().pid())).unwrap();
        let field = |name: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap();
            line.trim_start_matches(':').trim().to_owned()
        };
        assert_eq!(field("NoNewPrivs"), "1");
        assert_eq!(field("Seccomp"), "2");
        let number = |name| u64::from_str_radix(&field(name), 16).unwrap();
        let (net_admin, sys_module, sys_boot) = (1 << 12, 1 << 16, 1 << 22);
        for set in ["CapPrm", "CapEff", "CapBnd"] {
            assert_eq!(
                number(set) & (net_admin | sys_module | sys_boot),
                0,
                "{set}"
            );
        }
        assert_eq!((number("CapInh"), number("CapAmb")), (0, 0));
        let mode = fs::metadata(DIR).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o755);
    });
}

#[test]
fn a_thousand_machines() {
    sandbox!(Options::new().timeout(Duration::from_secs(120)), |s| {
        const MANY: usize = 1000;
        let client = Client::new();
        let rss = || {
            let status =
                fs::read_to_string(format!("/proc/{}/status", s.machined().pid())).unwrap();
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmRSS:"))
                .unwrap();
            line.trim()
                .trim_end_matches(" kB")
                .trim()
                .parse::<usize>()
                .unwrap()
        };
        let before = rss();
        // Every tenth with a network of its own: the kernel takes its time over those.
        let leader = |index| match index % 10 {
            0 => program("unshare -n sleep 100"),
            _ => program("sleep 100"),
        };
        let mut leaders: Vec<_> = (0..MANY).map(leader).collect();
        let begun = Instant::now();
        for (index, leader) in leaders.iter().enumerate() {
            register(&client, &format!("m{index}"), leader.id()).ok();
        }
        println!(
            "registered in {:?}; {} kB, then {} kB",
            begun.elapsed(),
            before,
            rss()
        );
        let body = client.manager("ListMachines", args![]).ok();
        assert_eq!(body.matches("/machine/m").count(), MANY);
        let grown = rss().saturating_sub(before);
        assert!(grown <= 4 * MANY, "{grown} kB for {MANY} machines");
        assert!(before <= 8 * 1024, "{before} kB for none");
        for leader in &mut leaders {
            leader.kill().unwrap();
        }
        let took = s.wait_within(
            Duration::from_secs(2),
            || names().is_empty(),
            "all to be gone",
        );
        println!("gone in {took:?}");
        let body = client.manager("ListMachines", args![]).ok();
        assert_eq!(body.matches("/machine/m").count(), 0);
        for mut leader in leaders {
            leader.wait().unwrap();
        }
        let descriptors = fs::read_dir(format!("/proc/{}/fd", s.machined().pid()))
            .unwrap()
            .count();
        assert!(descriptors < 40, "{descriptors}");
    });
}

/// Version 1 alone, and no cgroups at all.
#[test]
fn the_scope_is_made_in_whatever_hierarchy_there_is() {
    sandbox!(Options::new().machined(None), |s| {
        let v1 = Path::new("/sys/fs/cgroup/systemd");
        if !s.has_cgroups() || !v1.is_dir() {
            return;
        }
        let without = |hierarchies: &str| {
            let line = format!("umount {hierarchies} && exec /usr/libexec/switchyard/machined");
            let ready = support::Ready::BusName("org.freedesktop.machine1".into());
            support::Daemon::start(
                "machined",
                &["unshare", "-m", "sh", "-c", &line],
                &[],
                ready,
            )
        };
        let machined = without("/sys/fs/cgroup/unified");
        let client = Client::new();
        let web = s.container("web").start();
        create(&client, "web", web.leader(), vec![]).ok();
        let scope = v1.join("machine.slice/machine-web.scope");
        let procs = fs::read_to_string(scope.join("cgroup.procs")).unwrap();
        assert!(
            procs.lines().any(|line| line == web.leader().to_string()),
            "{procs}"
        );
        let found = client.manager("GetMachineByPID", args![web.leader()]).ok();
        assert!(found.contains("machine/web"), "{found}");
        client.manager("TerminateMachine", args!["web"]).ok();
        s.wait_within(SOON, || names().is_empty(), "the files to be gone");
        s.wait_for(|| !scope.exists(), "the scope to be gone");

        machined.end();
        without("/sys/fs/cgroup/unified /sys/fs/cgroup/systemd");
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
fn users_of_a_container_are_mapped() {
    sandbox!(|s| {
        if s.is_rootless() {
            return;
        }
        let client = Client::new();
        let web = s.container("web").user_namespace(200_000).start();
        s.register(&web, Via::BusCreate);
        assert_eq!(
            addresses(&client, "web").get(..2).unwrap(),
            [web.ipv4(), web.ipv6()]
        );
        assert!(
            client
                .manager("GetMachineUIDShift", args!["web"])
                .ok()
                .contains("200000")
        );
        assert!(
            client
                .manager("MapFromMachineUser", args!["web", 7u32])
                .ok()
                .contains("200007")
        );
        let found = client.manager("MapToMachineUser", args![200_007u32]).ok();
        assert!(found.contains("web") && found.contains("U32(7)"), "{found}");
        let host = client.manager("MapToMachineGroup", args![7u32]);
        assert!(host.is_error(".NoSuchGroupMapping"), "{host:?}");
        let beyond = client.manager("MapFromMachineUser", args!["web", 65_536u32]);
        assert!(beyond.is_error(".NoSuchUserMapping"), "{beyond:?}");
    });
}

#[test]
fn addresses_of_a_virtual_machine() {
    sandbox!(|s| {
        let client = Client::new();
        let mut leader = program("sleep 60");
        s.run("ip link add br0 type bridge && ip link add tap0 type veth peer name guest0")
            .ok();
        s.run("ip link set tap0 master br0 && ip link set br0 up && ip link set tap0 up && ip link set guest0 up").ok();
        let index: i32 = fs::read_to_string("/sys/class/net/tap0/ifindex")
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        let vm = args![
            "vm",
            Vec::<u8>::new(),
            "test",
            "vm",
            leader.id(),
            "",
            vec![index]
        ];
        client.manager("RegisterMachineWithNetwork", vm).ok();
        assert_eq!(
            addresses(&client, "vm"),
            ["org.freedesktop.DBus.Error.NotSupported"]
        );
        // What the bridge has learnt behind the port, and what the host has learnt behind the bridge.
        s.run("bridge fdb add 02:00:00:00:00:07 dev tap0 master dynamic")
            .ok();
        s.run("ip neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev br0 nud reachable")
            .ok();
        s.run("ip neigh add 192.0.2.8 lladdr 02:00:00:00:00:08 dev br0 nud reachable")
            .ok();
        assert_eq!(addresses(&client, "vm"), ["192.0.2.7"]);
        leader.kill().unwrap();
        leader.wait().unwrap();
    });
}

#[test]
fn a_service_manager_makes_the_scope() {
    sandbox!(Options::new().manager(Manager::Systemd), |s| {
        if !s.has_manager() {
            return;
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
            return;
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

#[test]
fn no_bus_is_needed() {
    sandbox!(Options::new().machined(None).bus(false), |s| {
        let mut leader = program("sleep 60");
        let stat = fs::read_to_string(format!("/proc/{}/stat", leader.id())).unwrap();
        let start = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .nth(19)
            .unwrap();
        let record = format!("LEADER={}\nLEADER_START_TIME={start}\n", leader.id());
        fs::create_dir_all(DIR).unwrap();
        fs::write(Path::new(DIR).join("a"), record).unwrap();
        let machined = s.spawn("machined", &["/usr/libexec/switchyard/machined"]);
        // Read back, and written anew with all that is known now.
        s.wait_for(|| state("a").contains("CLASS=container"), "the machine");
        leader.kill().unwrap();
        s.wait_within(SOON, || names().is_empty(), "the files to be gone");
        leader.wait().unwrap();
        assert!(machined.end().success());
    });
}
