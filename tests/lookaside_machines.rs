//! The map of machines that our machined shares: containers are found without asking it, and what is none is known to be none.

mod lookaside_map;
mod machined_bus_client;
mod machined_registry;
mod nss_probe;

use std::{fs, os::unix::fs::MetadataExt, path::Path, process::Command};

use machined_bus_client::{Client, as_user};
use machined_registry::{NOBODY, anyone_may_register, process_of, program, register};
use nss_probe::{MODULE, Probe};
use serde_json::{Value, json};
use support::{Container, Daemon, Options, Ready, Sandbox, Via, sandbox, skip};

const MACHINED: &str = "/usr/libexec/switchyard/machined";
const MAP: &str = "/run/switchyard/machines.map";
const NOT_FOUND: &str = "NOTFOUND errno=0 h_errno=1";
const STOPPED: &str = "UNAVAIL errno=110 h_errno=3";
const ABSENT: &str = "UNAVAIL errno=111 h_errno=3";

/// What the map says of itself.
fn stat(s: &Sandbox) -> Value {
    lookaside_map::stat(s, MAP)
}

/// Has machined vouch for the map, which it does when it is asked.
fn vouch(s: &Sandbox) {
    let question = json!({ "name": "nobody" });
    let said = s.varlink(
        Path::new(nss_probe::MACHINED),
        "io.switchyard.Machines.ResolveHostname",
        &question,
    );
    assert_eq!(said["error"], "io.switchyard.Machines.NoSuchMachine");
}

/// Asks while machined is stopped, so that only the map can answer: within its lease, so for little that takes time.
fn ask_the_map<T>(s: &Sandbox, ask: impl FnOnce() -> T) -> T {
    vouch(s);
    s.machined().stop();
    let said = ask();
    s.machined().cont();
    said
}

/// Every question about a container, and about what is none.
fn questions(container: &Container) -> Vec<(&'static str, String)> {
    let name = container.name();
    let mut all: Vec<_> = ["4", "2", "2-6", "3", "3-6"]
        .iter()
        .flat_map(|f| {
            [
                name.to_owned(),
                name.to_uppercase(),
                format!("{name}."),
                "nope".into(),
                "www.example.com".into(),
            ]
            .map(|what| (*f, what))
        })
        .collect();
    let addresses = [
        container.ipv4(),
        container.ipv6(),
        "192.0.2.99".into(),
        "2001:db8::99".into(),
    ];
    all.extend(addresses.map(|address| ("addr2", address)));
    all
}

fn with_addresses(s: &Sandbox, probe: &Probe<'_>, name: &str) -> Container {
    let container = s.container(name).start();
    s.register(&container, Via::Varlink);
    // The kernel makes sure first that nobody has the link-local one.
    s.wait_for(
        || probe.ask("4", name).contains(" fe80:"),
        "its link-local address",
    );
    container
}

fn inside(s: &Sandbox, container: &Container, line: &str) {
    let leader = container.leader().to_string();
    s.cmd("nsenter")
        .args(["-t", &leader, "-n", "sh", "-c", line])
        .run()
        .ok();
}

#[test]
fn a_container_is_found_without_machined() {
    sandbox!(|s| {
        let probe = Probe::new(s);
        let web = with_addresses(s, &probe, "web");
        let ask = |questions: &[(&'static str, String)]| -> Vec<_> {
            let answer = |(function, what): &(&'static str, String)| {
                (*function, what.clone(), probe.ask(function, what))
            };
            questions.iter().map(answer).collect()
        };
        let all = questions(&web);
        let known: Vec<_> = all
            .chunks(8)
            .flat_map(|some| ask_the_map(s, || ask(some)))
            .collect();
        let many = ask_the_map(s, || probe.ask_with("-n 10000", "4", "web"));
        assert!(many.starts_with("SUCCESS"), "{many}");
        for (function, what, said) in &known {
            let is_known =
                what.to_lowercase().starts_with("web") || [web.ipv4(), web.ipv6()].contains(what);
            let expected = if is_known { "SUCCESS" } else { NOT_FOUND };
            assert!(said.starts_with(expected), "{function} {what}: {said}");
        }
        // The same as machined says itself.
        s.machined().end();
        let unshared = Daemon::start(
            "unshared",
            &[MACHINED],
            &[("SWITCHYARD_LOOKASIDE", "no")],
            Ready::Notify,
        );
        assert_eq!(ask(&all), known);
        unshared.stop();
        assert_eq!(probe.ask("4", "web"), STOPPED);
        unshared.cont();
        unshared.end();
        fs::create_dir_all("/etc/switchyard").unwrap();
        fs::write(
            "/etc/switchyard/machined.conf",
            "[Machine]\nLookaside=no\nOther=1\n",
        )
        .unwrap();
        fs::remove_file(MAP).unwrap();
        s.machined().start_again();
        assert!(!Path::new(MAP).exists());
        let line = "/etc/switchyard/machined.conf:3: unknown key Other= in [Machine]";
        assert!(s.machined().log().contains(line));
    });
}

#[test]
fn a_dead_or_stopped_machined_is_believed_for_the_lease() {
    sandbox!(Options::new().bus(false), |s| {
        let probe = Probe::new(s);
        with_addresses(s, &probe, "web");
        for kill in [false, true] {
            vouch(s);
            if kill {
                s.machined().kill(rustix::process::Signal::KILL);
                s.machined().wait();
            } else {
                s.machined().stop();
            }
            assert!(probe.ask("4", "web").starts_with("SUCCESS"));
            assert_eq!(probe.ask("4", "nope"), NOT_FOUND);
            let down = if kill { ABSENT } else { STOPPED };
            s.wait_for(|| probe.ask("4", "web") == down, "the end of the lease");
            if kill {
                s.machined().start_again();
            } else {
                s.machined().cont();
            }
            s.wait_for(
                || probe.ask("4", "web").starts_with("SUCCESS"),
                "machined to answer",
            );
        }
        assert_eq!(stat(s)["complete"], "all");
        s.machined().end();
        assert!(probe.ask("4", "web").starts_with("UNAVAIL"));
        assert_eq!(stat(s)["state"], "retired");
    });
}

#[test]
fn changes_are_in_the_map_at_once() {
    sandbox!(|s| {
        let probe = Probe::new(s);
        let web = with_addresses(s, &probe, "web");
        inside(s, &web, "ip addr add 192.0.2.7/32 dev host0");
        s.wait_for(
            || probe.ask("4", "web").contains(" 192.0.2.7"),
            "the new address",
        );
        let said = ask_the_map(s, || {
            (probe.ask("4", "web"), probe.ask("addr2", "192.0.2.7"))
        });
        assert!(said.0.contains(" 192.0.2.7"), "{said:?}");
        assert!(said.1.contains(" name=web "), "{said:?}");
        inside(s, &web, "ip addr del 192.0.2.7/32 dev host0");
        s.wait_for(
            || probe.ask("addr2", "192.0.2.7") == NOT_FOUND,
            "the address to be nobody's",
        );
        let said = ask_the_map(s, || probe.ask("2", "web"));
        assert!(!said.contains(" 192.0.2.7"), "{said}");

        // A machine is there when its registration returns, and gone when its unregistration does.
        let db = s.container("db").start();
        for _ in 0..20 {
            assert_eq!(probe.ask("2", "db"), NOT_FOUND);
            s.register(&db, Via::BusRegister);
            assert!(probe.ask("2", "db").contains(&db.ipv4()));
            s.run("busctl call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager UnregisterMachine s db")
                .ok();
        }
        assert_eq!(probe.ask("addr2", &db.ipv4()), NOT_FOUND);
        web.kill();
        s.wait_for(|| probe.ask("4", "web") == NOT_FOUND, "the end of web");
        assert_eq!(stat(s)["entries"], 0);
    });
}

/// What is not the same for everybody, or may be another thing in a moment.
#[test]
fn what_the_map_can_not_know_is_asked() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there are no other users");
        }
        anyone_may_register(s);
        let probe = Probe::new(s);
        let root = Client::new();
        // Of an ordinary user; one that shares the host's network; two whose names differ in case alone.
        let mut processes = vec![process_of(NOBODY), program("sleep 60")];
        as_user(NOBODY, || {
            register(&Client::new(), "theirs", processes[0].id()).ok();
        });
        register(&root, "shared", processes[1].id()).ok();
        let (one, other) = (s.container("Two").start(), s.container("tWO").start());
        s.register(&one, Via::BusRegister);
        s.register(&other, Via::BusRegister);
        let web = with_addresses(s, &probe, "web");
        assert_eq!(stat(s)["complete"], "all");
        for name in ["theirs", "shared", "Two", "tWO", "two"] {
            ask_the_map(s, || {
                let whose = probe.ask("addr2", &one.ipv4());
                assert!(whose.contains(" name=Two "), "{whose}");
                assert!(probe.ask("2", "web").starts_with("SUCCESS"));
                assert_eq!(probe.ask("2", "nope"), NOT_FOUND);
                assert_eq!(probe.ask("2", name), STOPPED, "{name}");
            });
        }
        assert_eq!(probe.ask("2", "theirs"), NOT_FOUND);
        assert!(probe.ask("2", "Two").contains(&one.ipv4()));
        assert!(probe.ask("2", "tWO").contains(&other.ipv4()));
        other.kill();
        s.wait_for(
            || probe.ask("2", "two").contains(&one.ipv4()),
            "the name to be one machine's",
        );
        let said = ask_the_map(s, || probe.ask("2", "two"));
        assert!(said.contains(&one.ipv4()), "{said}");

        // What a VM's addresses are comes out of the host's neighbours: any address may be its.
        s.run("ip link add tap0 type veth peer name guest0 && ip link set tap0 up")
            .ok();
        processes.push(program("sleep 60"));
        let vm = s.run(&format!(
            "busctl call org.freedesktop.machine1 /org/freedesktop/machine1 org.freedesktop.machine1.Manager \
             RegisterMachineWithNetwork 'sayssusai' vm 0 test vm {} '' 1 $(cat /sys/class/net/tap0/ifindex)",
            processes[2].id()
        ));
        vm.ok();
        assert_eq!(stat(s)["complete"], "names");
        for (function, what) in [("2", "vm"), ("addr2", "192.0.2.1")] {
            ask_the_map(s, || {
                assert_eq!(probe.ask("2", "nope"), NOT_FOUND);
                let whose = probe.ask("addr2", &web.ipv4());
                assert!(whose.starts_with("SUCCESS"), "{whose}");
                assert_eq!(probe.ask(function, what), STOPPED, "{what}");
            });
        }
        s.run("ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev tap0 nud reachable")
            .ok();
        let whose = probe.ask("addr2", "192.0.2.1");
        assert!(whose.contains(" name=vm "), "{whose}");
        for mut process in processes {
            process.kill().unwrap();
            process.wait().unwrap();
        }
        s.wait_for(|| stat(s)["complete"] == "all", "the end of the VM");
    });
}

/// Root in a container can change its addresses as often as it likes.
#[test]
fn a_restless_container_is_asked_about_for_a_while() {
    sandbox!(|s| {
        let probe = Probe::new(s);
        let web = with_addresses(s, &probe, "web");
        let db = with_addresses(s, &probe, "db");
        let many = "for i in $(seq 1 250); do for j in 1 2 3 4; do echo addr add 198.51.$j.$i/32 dev host0; \
                    echo addr del 198.51.$j.$i/32 dev host0; done; done | ip -batch -";
        inside(
            s,
            &web,
            &format!("{many}; ip addr add 192.0.2.9/32 dev host0"),
        );
        s.wait_for(
            || probe.ask("2", "web").contains(" 192.0.2.9"),
            "the last of its addresses",
        );
        assert!(probe.ask("2", "db").contains(&db.ipv4()));
        s.wait_for(|| stat(s)["complete"] == "all", "it to be watched again");
        let said = ask_the_map(s, || {
            (probe.ask("2", "web"), probe.ask("addr2", "198.51.4.250"))
        });
        assert!(said.0.contains(" 192.0.2.9"), "{said:?}");
        assert_eq!(said.1, NOT_FOUND);
        inside(s, &web, "ip addr del 192.0.2.9/32 dev host0");
        s.wait_for(
            || probe.ask("addr2", "192.0.2.9") == NOT_FOUND,
            "the change of one that is watched again",
        );
    });
}

#[test]
fn a_leader_that_goes_into_another_network_is_followed() {
    sandbox!(|s| {
        let probe = Probe::new(s);
        s.run("mkfifo /run/go").ok();
        let script = |name: &str, address: &str, then: &str| {
            let text = format!("ip addr add {address}/32 dev lo scope global\n{then}\n");
            fs::write(name, text).unwrap();
        };
        let next = "touch /run/here; read x </run/go; exec unshare -n sh /run/next.sh";
        script("/run/first.sh", "192.0.2.7", next);
        script(
            "/run/next.sh",
            "192.0.2.8",
            "touch /run/gone; exec sleep 60",
        );
        let mut leader = Command::new("unshare")
            .args(["-n", "sh", "/run/first.sh"])
            .spawn()
            .unwrap();
        s.wait_for(|| Path::new("/run/here").exists(), "its first network");
        register(&Client::new(), "a", leader.id()).ok();
        s.wait_for(
            || probe.ask("2", "a").contains(" 192.0.2.7"),
            "its first address",
        );
        s.run("echo >/run/go").ok();
        s.wait_for(|| Path::new("/run/gone").exists(), "its next network");
        // The kernel tells nobody: it is seen when the lease is renewed.
        s.wait_for(
            || probe.ask("2", "a").contains(" 192.0.2.8"),
            "its next address",
        );
        assert_eq!(probe.ask("addr2", "192.0.2.7"), NOT_FOUND);
        leader.kill().unwrap();
        leader.wait().unwrap();
    });
}

#[test]
fn the_map_is_roots_and_says_no_name() {
    sandbox!(|s| {
        let probe = Probe::of(s, MODULE);
        let web = with_addresses(s, &probe, "wxyz");
        let map = fs::read(MAP).unwrap();
        assert!(
            map.iter().filter(|byte| **byte != 0).count() > 200,
            "nothing is in it"
        );
        let v4: std::net::Ipv4Addr = web.ipv4().parse().unwrap();
        for plain in [&b"wxyz"[..], &v4.octets()] {
            assert!(
                !map.windows(plain.len()).any(|part| part == plain),
                "{plain:?}"
            );
        }
        let metadata = fs::metadata(MAP).unwrap();
        assert_eq!((metadata.uid(), metadata.mode() & 0o777), (0, 0o644));
        // A process that lives on takes up the map of the next machined, which knows the same.
        s.machined().restart();
        s.wait_for(
            || probe.ask("4", "wxyz").starts_with("SUCCESS"),
            "the machine to be read back",
        );
        let said = ask_the_map(s, || (probe.ask("4", "wxyz"), probe.ask("4", "nope")));
        assert!(said.0.starts_with("SUCCESS"), "{said:?}");
        assert_eq!(said.1, NOT_FOUND);
    });
}

/// More than the map has room for that machined begins with.
#[test]
fn a_full_map_is_followed_by_a_larger_one() {
    const MACHINES: u8 = 90;
    /// Of one machine, as many as are published of it.
    const ADDRESSES: u8 = 250;
    sandbox!(Options::new().bus(false), |s| {
        let probe = Probe::new(s);
        let register = |number: u8| {
            let leader = program("sleep 60");
            let addresses: Vec<_> = (1..=ADDRESSES)
                .map(|last| json!({ "family": 2, "address": [10, 0, number, last] }))
                .collect();
            let request = json!({
                "name": format!("vm{number}"), "class": "vm", "leader": leader.id(), "addresses": addresses,
            });
            let socket = Path::new("/run/systemd/machine/io.systemd.Machine");
            let said = s.varlink(socket, "io.systemd.Machine.Register", &request);
            assert!(said.get("error").is_none(), "{said}");
            leader
        };
        let first = register(0);
        let small = stat(s);
        assert_eq!(
            (&small["size"], &small["complete"]),
            (&json!(4 << 20), &json!("all"))
        );
        let others: Vec<_> = (1..MACHINES).map(register).collect();
        let check = || {
            let large = stat(s);
            assert_eq!(
                (&large["size"], &large["complete"]),
                (&json!(16 << 20), &json!("all"))
            );
            assert_eq!(large["evicted"], 0);
            for (number, last) in [(0, 1), (MACHINES - 1, ADDRESSES)] {
                let said = ask_the_map(s, || probe.ask("addr2", &format!("10.0.{number}.{last}")));
                assert!(said.contains(&format!(" name=vm{number} ")), "{said}");
            }
            let said = ask_the_map(s, || {
                (probe.ask("addr2", "192.0.2.1"), probe.ask("2", "nope"))
            });
            assert_eq!(said, (NOT_FOUND.to_owned(), NOT_FOUND.to_owned()));
        };
        check();
        s.machined().restart();
        check();
        for mut leader in [first].into_iter().chain(others) {
            leader.kill().unwrap();
            leader.wait().unwrap();
        }
        s.wait_for(|| stat(s)["entries"] == 0, "the end of all");
        assert_eq!(stat(s)["complete"], "all");
    });
}
