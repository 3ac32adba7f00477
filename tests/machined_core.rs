//! The registry itself: how machines come and go.

mod machined_bus_client;
mod machined_registry;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use machined_bus_client::Client;
use machined_registry::{
    DIR, SOON, addresses, cgroup, create, kill, names, program, register, state,
};
use support::{Options, Via, sandbox, skip, skipped};

/// The capabilities that machined keeps, by their numbers in linux/capability.h: CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH,
/// FOWNER, FSETID, KILL, SETGID, SETUID, LINUX_IMMUTABLE, SYS_CHROOT, SYS_PTRACE, SYS_ADMIN, MKNOD, SETFCAP.
const CAPABILITIES: u64 = {
    let numbers = [0, 1, 2, 3, 4, 5, 6, 7, 9, 18, 19, 21, 27, 31];
    let (mut mask, mut at) = (0, 0);
    while at < numbers.len() {
        mask |= 1 << numbers[at];
        at += 1;
    }
    mask
};

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
            skipped("all of a machine: there are no cgroups to write to");
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
        // What there is to keep of them: a test may be run by a container that has dropped some.
        let own = fs::read_to_string("/proc/self/status").unwrap();
        let own = own.lines().find_map(|line| line.strip_prefix("CapBnd:"));
        let own = u64::from_str_radix(own.unwrap().trim(), 16).unwrap();
        for set in ["CapPrm", "CapEff", "CapBnd"] {
            assert_eq!(number(set), CAPABILITIES & own, "{set}");
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
        let rss = || s.machined().own_memory();
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
        let grown = rss() - before;
        assert!(grown <= 4 * MANY as i64, "{grown} kB for {MANY} machines");
        assert!(before <= 8 * 1024, "{before} kB for none");
        // Whose a user is that is nobody's: not by reading a thousand files. New machines are looked at again, for a moment.
        let unknown = || {
            let begun = Instant::now();
            let answer = client.manager("MapToMachineUser", args![1_000_000u32]);
            assert!(answer.is_error(".NoSuchUserMapping"), "{answer:?}");
            begun.elapsed()
        };
        s.wait_for(|| unknown() < Duration::from_millis(1), "a quick answer");
        let mut times: Vec<_> = (0..51).map(|_| unknown()).collect();
        times.sort();
        println!("an unknown user in {:?}", times[25]);
        // The best of them: a thousand files take longer always, and a busy machine takes its time now and then.
        assert!(times[0] < Duration::from_millis(1), "{times:?}");
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

#[test]
fn users_of_a_container_are_mapped() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
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

/// The map may come after the registration, and goes with the machine.
#[test]
fn a_map_is_known_as_soon_as_it_is_written() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let client = Client::new();
        let find = |uid: u32| client.manager("MapToMachineUser", args![uid]);
        let mut leaders: Vec<_> = (0..2).map(|_| program("unshare -U sleep 60")).collect();
        for (leader, name) in leaders.iter().zip(["a", "b"]) {
            let own = fs::read_link("/proc/self/ns/user").unwrap();
            let namespace = format!("/proc/{}/ns/user", leader.id());
            s.wait_for(
                || fs::read_link(&namespace).is_ok_and(|now| now != own),
                "a user namespace",
            );
            register(&client, name, leader.id()).ok();
        }
        assert!(find(300_007).is_error(".NoSuchUserMapping"));
        for (leader, map) in leaders.iter().zip(["0 300000 65536", "0 400000 1000"]) {
            for file in ["uid_map", "gid_map"] {
                fs::write(format!("/proc/{}/{file}", leader.id()), map).unwrap();
            }
        }
        let found = find(300_007).ok();
        assert!(
            found.contains("/machine/a") && found.contains("U32(7)"),
            "{found}"
        );
        assert!(find(400_999).ok().contains("/machine/b"));
        assert!(find(401_000).is_error(".NoSuchUserMapping"));
        // And read back.
        s.machined().restart();
        assert!(find(400_999).ok().contains("/machine/b"));
        leaders[0].kill().unwrap();
        leaders[0].wait().unwrap();
        s.wait_within(
            SOON,
            || !names().contains(&"a".to_owned()),
            "the files to be gone",
        );
        assert!(find(300_007).is_error(".NoSuchUserMapping"));
        assert!(find(400_000).ok().contains("/machine/b"));
        leaders[1].kill().unwrap();
        leaders[1].wait().unwrap();
    });
}
