//! machined with nothing left to work with, and with too much asked of it.

mod machined_bus_client;
mod machined_registry;
#[path = "machined_enter/stall.rs"]
mod stall;

use std::{collections::BTreeSet, fs, time::Duration};

use machined_bus_client::{Answer, Client, as_user};
use machined_registry::{addresses, has_file, names, program, register};
use stall::Stall;
use support::{Options, Sandbox, Via, sandbox, skip};

const NOBODY: u32 = 65534;

fn open_descriptors(s: &Sandbox) -> BTreeSet<u64> {
    let fds = fs::read_dir(format!("/proc/{}/fd", s.machined().pid())).unwrap();
    let number = |entry: fs::DirEntry| entry.file_name().to_str().unwrap().parse().unwrap();
    fds.map(|entry| number(entry.unwrap())).collect()
}

/// The soft limit of machined's descriptors.
fn limit(s: &Sandbox, descriptors: u64) {
    let pid = s.machined().pid();
    s.run(&format!("prlimit --pid {pid} --nofile={descriptors}:"))
        .ok();
}

/// The limit that leaves room for `free` more descriptors.
fn leave(s: &Sandbox, free: u64) {
    let open = open_descriptors(s);
    let mut unused = (0..).filter(|number| !open.contains(number));
    limit(s, unused.nth(usize::try_from(free).unwrap()).unwrap());
}

#[test]
fn registering_without_a_descriptor_left_fails_and_loses_nothing() {
    sandbox!(Options::new().timeout(Duration::from_secs(120)), |s| {
        let client = Client::new();
        let (web, db) = (s.container("web").start(), s.container("db").start());
        s.register(&web, Via::BusRegister);
        let mut others: Vec<_> = (0..12).map(|_| program("sleep 60")).collect();
        let mut refused = 0;
        for (free, other) in others.iter().enumerate() {
            leave(s, free.try_into().unwrap());
            let name = format!("m{free}");
            match register(&client, &name, other.id()) {
                // Of the 12 some are enough.
                Answer::Reply(..) => assert!(has_file(&name)),
                Answer::Error(error, text) => {
                    refused += 1;
                    assert!(text.contains("Too many open files"), "{error}: {text}");
                    assert!(!has_file(&name));
                    let unknown = client.manager("GetMachine", args![name]);
                    assert!(unknown.is_error(".NoSuchMachine"), "{unknown:?}");
                }
            }
            assert_eq!(addresses(&client, "web")[..2], [web.ipv4(), web.ipv6()]);
        }
        assert!((1..12).contains(&refused), "{refused}");

        // With a network of its own, of which nothing could be known: it is known when there is room again.
        let room = (0..24).find(|&free| {
            leave(s, free);
            matches!(register(&client, "db", db.leader()), Answer::Reply(..))
        });
        limit(s, 4096);
        println!("registered with room for {room:?}");
        assert_eq!(addresses(&client, "db")[..2], [db.ipv4(), db.ipv6()]);

        for (index, other) in others.iter_mut().enumerate() {
            let _ = register(&client, &format!("m{index}"), other.id());
            assert!(has_file(&format!("m{index}")));
            other.kill().unwrap();
            other.wait().unwrap();
        }
        s.wait_for(
            || !names().iter().any(|name| name.starts_with('m')),
            "their ends",
        );
    });
}

#[test]
fn entering_without_a_descriptor_left_fails_and_is_done_later() {
    sandbox!(|s| {
        let web = s.container("web").no_network().start();
        s.register(&web, Via::BusRegister);
        let client = Client::new();
        let open = |client: &Client| client.manager("OpenMachineRootDirectory", args!["web"]);
        open(&client).ok();
        let before = open_descriptors(s).len();
        let mut refused = 0;
        for free in 0..8 {
            leave(s, free);
            if let Answer::Error(error, text) = open(&client) {
                refused += 1;
                assert!(text.contains("Too many open files"), "{error}: {text}");
            }
        }
        assert!(refused >= 3, "{refused}");
        limit(s, 4096);
        open(&client).ok();
        s.wait_for(
            || open_descriptors(s).len() <= before,
            "all descriptors to be closed",
        );
        assert!(!s.run("ps -eo comm").ok().contains("machined-enter"));
    });
}

/// One that connects while there is no descriptor for it is let in when there is.
#[test]
fn callers_wait_for_a_descriptor() {
    sandbox!(Options::new().bus(false), |s| {
        let before = open_descriptors(s);
        leave(s, 0);
        let mut told = std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                let socket = "/run/systemd/machine/io.systemd.Machine";
                let parameters = serde_json::json!({"name": ".host"});
                s.varlink(socket, "io.systemd.Machine.List", &parameters)
            });
            std::thread::sleep(Duration::from_millis(300));
            assert!(!asking.is_finished());
            // It is asked a few times a second, and not all the time.
            let ticks = || {
                let stat =
                    fs::read_to_string(format!("/proc/{}/stat", s.machined().pid())).unwrap();
                let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
                fields
                    .skip(11)
                    .take(2)
                    .map(|n| n.parse::<u64>().unwrap())
                    .sum::<u64>()
            };
            let used = ticks();
            std::thread::sleep(Duration::from_millis(500));
            assert!(ticks() - used < 10, "{} ticks", ticks() - used);
            limit(s, 4096);
            asking.join().unwrap()
        });
        assert_eq!(told["parameters"]["name"].take(), ".host");
        s.wait_for(
            || open_descriptors(s) == before,
            "the connection to be closed",
        );
    });
}

/// However many connections they make.
#[test]
fn one_user_can_not_take_the_operations_of_all() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user, and fanotify's permission events are root's");
        }
        const OF_ONE: usize = 48;
        let names = ["a", "b", "c", "d"];
        let stuck: Vec<_> = names
            .iter()
            .map(|name| {
                let container = s.container(name).no_network().start();
                s.register(&container, Via::BusRegister);
                Stall::new(&container.inside("/etc/os-release"))
            })
            .collect();
        s.register(&s.container("free").no_network().start(), Via::BusRegister);
        std::thread::scope(|scope| {
            let asking: Vec<_> = (0..64)
                .map(|n| {
                    scope.spawn(move || {
                        as_user(NOBODY, || {
                            Client::new().manager("GetMachineOSRelease", args![names[n % 4]])
                        })
                    })
                })
                .collect();
            let done = || asking.iter().filter(|call| call.is_finished()).count();
            s.wait_for(|| done() == 64 - OF_ONE, "all but 48 to be refused");
            Client::new()
                .manager("GetMachineOSRelease", args!["free"])
                .ok();
            drop(stuck);
            let answers: Vec<_> = asking
                .into_iter()
                .map(|call| call.join().unwrap())
                .collect();
            let refused = answers
                .iter()
                .filter(|answer| answer.is_error(".LimitsExceeded"));
            assert_eq!(refused.count(), 64 - OF_ONE, "{answers:?}");
        });
    });
}
