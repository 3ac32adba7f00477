//! io.systemd.Machine, every method of it, as clients of systemd 256 and later call it.

mod machined_varlink_client;

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, Instant},
};

use machined_varlink_client::{
    Client, MACHINE, Value, ask, end, gone, idle, json, machine, registered,
};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use support::{Via, sandbox, skipped};

/// The inode of its pidfd.
fn pidfd_id(pid: u32) -> u64 {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    let pidfd = File::from(pidfd_open(pid, PidfdFlags::empty()).unwrap());
    pidfd.metadata().unwrap().ino()
}

fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    id.trim().replace('-', "")
}

fn listed(name: &str) -> Value {
    machine("List", json!({ "name": name })).ok()
}

#[test]
fn register_takes_every_key_and_list_gives_it_back() {
    sandbox!(|s| {
        let web = s.container("web").start();
        let supervisor = idle();
        let process =
            |pid: u32| json!({ "pid": pid, "pidfdId": pidfd_id(pid), "bootId": boot_id() });
        let id = "c5c5c5c5c5c5c5c5c5c5c5c500000001";
        let request = json!({
            "name": "web", "id": id, "service": "some-manager", "class": "container",
            "leader": web.leader(), "leaderProcessId": process(web.leader()),
            "supervisor": supervisor.id(), "supervisorProcessId": process(supervisor.id()),
            "rootDirectory": web.root(), "ifIndices": [web.interface().unwrap()], "vSockCid": 77,
            "sshAddress": "vsock/77", "sshPrivateKeyPath": "/run/key", "allocateUnit": true,
            "allowInteractiveAuthentication": false,
        });
        assert_eq!(machine("Register", request.clone()).ok(), json!({}));

        let mut listed = listed("web");
        let time = listed.as_object_mut().unwrap().remove("timestamp").unwrap();
        assert!(time["realtime"].as_u64() > Some(0) && time["monotonic"].as_u64() > Some(0));
        let mut expected = json!({
            "name": "web", "id": id, "service": "some-manager", "class": "container",
            "leader": process(web.leader()), "supervisor": process(supervisor.id()),
            "rootDirectory": web.root(), "vSockCid": 77, "sshAddress": "vsock/77",
            "sshPrivateKeyPath": "/run/key", "UID": 0,
        });
        if s.has_cgroups() {
            expected["unit"] = "machine-web.scope".into();
            let cgroup = fs::read_to_string(format!("/proc/{}/cgroup", web.leader())).unwrap();
            assert!(
                cgroup.contains("machine.slice/machine-web.scope"),
                "{cgroup}"
            );
        } else {
            skipped("the unit: there are no cgroups to write to");
        }
        assert_eq!(listed, expected);
        let shown = s.run("machinectl show web").ok();
        for line in [
            format!("Id={id}"),
            "Service=some-manager".to_owned(),
            format!("Leader={}", web.leader()),
            format!("RootDirectory={}", web.root().display()),
        ] {
            assert!(shown.lines().any(|own| own == line), "{line}: {shown}");
        }
        let state = fs::read_to_string("/run/systemd/machines/web").unwrap();
        let interface = format!("NETIF={}", web.interface().unwrap());
        assert!(state.lines().any(|line| line == interface), "{state}");
        assert!(machine("Register", request).is("MachineExists"));
        web.kill();
        gone(s, "web");
        end(supervisor);
    });
}

#[test]
fn a_leader_is_who_its_pidfd_id_says() {
    sandbox!(|_s| {
        let leader = idle();
        let (pid, id) = (leader.id(), pidfd_id(leader.id()));
        let other = idle();
        for wrong in [
            json!({ "pid": pid, "pidfdId": id + 1 }),
            json!({ "pid": other.id(), "pidfdId": id }),
            json!({ "pid": pid, "bootId": "00000000000000000000000000000001" }),
            json!({ "pid": 99_999_999 }),
        ] {
            let request = json!({ "name": "a", "class": "container", "leaderProcessId": wrong });
            let refused = machine("Register", request);
            assert_ne!(refused.error(), "", "{wrong}");
        }
        assert!(machine("List", json!({ "name": "a" })).is("NoSuchMachine"));
        for (name, right) in [
            (
                "a",
                json!({ "pid": pid, "pidfdId": id, "bootId": boot_id() }),
            ),
            ("b", json!(other.id())),
        ] {
            let request = json!({ "name": name, "class": "container", "leaderProcessId": right });
            machine("Register", request).ok();
        }
        // Who says nothing is the leader; who is one already is not another's.
        let own = machine("Register", json!({ "name": "c", "class": "container" })).ok();
        assert_eq!(own, json!({}));
        assert_eq!(listed("c")["leader"]["pid"], std::process::id());
        let twice = json!({ "name": "d", "class": "container", "leader": pid });
        assert_eq!(machine("Register", twice).blames(), "leader");
        machine("Unregister", json!({ "name": "c" })).ok();
        end(leader);
        end(other);
    });
}

#[test]
fn a_machine_is_found_by_name_by_process_and_by_both() {
    sandbox!(|s| {
        let (web, db) = (registered(s, "web"), registered(s, "db"));
        let find = |which: Value| machine("List", which);
        let object =
            json!({ "pid": web.leader(), "pidfdId": pidfd_id(web.leader()), "bootId": boot_id() });
        for which in [
            json!({ "name": "web" }),
            json!({ "pid": web.leader() }),
            json!({ "pid": object }),
            json!({ "pid": { "pid": web.leader() } }),
            json!({ "name": "web", "pid": web.leader() }),
            json!({ "name": "web", "pid": null, "allowInteractiveAuthentication": true }),
        ] {
            assert_eq!(find(which.clone()).ok()["name"], "web", "{which}");
        }
        let stale = json!({ "pid": web.leader(), "pidfdId": pidfd_id(db.leader()) });
        for which in [
            json!({ "name": "nope" }),
            json!({ "name": "WEB" }),
            json!({ "name": "web", "pid": db.leader() }),
            json!({ "name": "nope", "pid": web.leader() }),
            json!({ "pid": std::process::id() }),
            json!({ "pid": 0 }),
            json!({ "pid": stale }),
            json!({ "pid": 99_999_999 }),
        ] {
            assert!(
                find(which.clone()).is("NoSuchMachine"),
                "{which}: {:?}",
                find(which.clone())
            );
        }
        if s.has_cgroups() {
            // Any process of the machine, not its leader alone; 0 is the one that asks.
            let child = web.run("sh -c 'sleep 50 >/dev/null 2>&1 & echo'");
            child.ok();
            let pid: u32 = s.run("pgrep -f '^sleep 50$'").ok().trim().parse().unwrap();
            let scope = format!("/proc/{}/cgroup", web.leader());
            let lines = fs::read_to_string(scope).unwrap();
            let path = lines
                .lines()
                .find_map(|line| line.split_once("::"))
                .unwrap()
                .1
                .to_owned();
            let top = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
            let top = top
                .iter()
                .find(|top| Path::new(top).join(&path[1..]).exists())
                .unwrap();
            let procs = format!("{top}{path}/cgroup.procs");
            fs::write(&procs, pid.to_string()).unwrap();
            assert_eq!(find(json!({ "pid": pid })).ok()["name"], "web");
            let call = r#"{"method":"io.systemd.Machine.List","parameters":{"pid":0}}"#;
            let script = "import socket, sys\n\
                open(sys.argv[1], 'w').write('0')\n\
                s = socket.socket(socket.AF_UNIX)\n\
                s.connect('/run/systemd/machine/io.systemd.Machine')\n\
                s.sendall(sys.argv[2].encode() + bytes(1))\n\
                print(s.recv(65536).decode())";
            let said = s
                .cmd("python3")
                .args(["-c", script, &procs, call])
                .run()
                .ok();
            assert!(said.contains(r#""name":"web""#), "{said}");
        } else {
            skipped("a process that is no leader: there are no cgroups to write to");
        }
    });
}

#[test]
fn list_gives_one_or_all_and_as_much_as_is_asked_for() {
    sandbox!(|s| {
        let web = registered(s, "web");
        let own = s
            .container("own")
            .user_namespace(200_000)
            .no_network()
            .start();
        s.register(&own, Via::Varlink);
        assert!(machine("List", json!({})).is("ExpectedMore"));
        let all = |metadata: &str| {
            let parameters = json!({ "acquireMetadata": metadata });
            Client::new(MACHINE).call_more("io.systemd.Machine.List", &parameters)
        };
        let (no, graceful) = (all("no"), all("graceful"));
        for replies in [&no, &graceful] {
            let names: Vec<_> = replies
                .iter()
                .map(|reply| reply.clone().ok()["name"].clone())
                .collect();
            assert_eq!(names, [".host", "own", "web"]);
        }
        for reply in no {
            let reply = reply.ok();
            for key in ["addresses", "OSRelease", "UIDShift"] {
                assert_eq!(reply.get(key), None, "{reply}");
            }
        }
        let one = |name: &str, metadata: &str| {
            machine("List", json!({ "name": name, "acquireMetadata": metadata }))
        };
        // An ordinary user has one user to give: no shift of all the others.
        let all_of_it = if s.is_rootless() { "graceful" } else { "yes" };
        let full = one("web", all_of_it).ok();
        let v4: std::net::Ipv4Addr = web.ipv4().parse().unwrap();
        let v6: std::net::Ipv6Addr = web.ipv6().parse().unwrap();
        assert_eq!(
            full["addresses"][0],
            json!({ "family": 2, "address": v4.octets() })
        );
        assert_eq!(
            full["addresses"][1],
            json!({ "family": 10, "address": v6.octets() })
        );
        let release = full["OSRelease"].as_array().unwrap();
        assert!(release.contains(&json!("ID=switchyard-test")), "{full}");
        assert!(
            release.contains(&json!("PRETTY_NAME=A container of the tests")),
            "{full}"
        );
        if s.is_rootless() {
            assert!(one("web", "yes").is("NoUIDShift"));
        } else {
            assert_eq!(full["UIDShift"], 0);
            assert_eq!(one("own", "yes").ok()["UIDShift"], 200_000);
        }
        let host = one(".host", "yes").ok();
        for (key, value) in [
            ("class", "host"),
            ("id", "5a4db0c5a4db0c5a4db0c5a4db0c5a4d"),
            ("unit", "-.slice"),
        ] {
            assert_eq!(host[key], value, "{host}");
        }
        let booted = s.run("sed -n 's/^btime //p' /proc/stat").ok();
        let booted: u64 = booted.trim().parse().unwrap();
        let told = host["timestamp"]["realtime"].as_u64().unwrap() / 1_000_000;
        assert!(told.abs_diff(booted) <= 2, "{host} and not {booted}");

        // What can't be had is an error, or left out.
        web.run("rm /etc/os-release").ok();
        assert!(one("web", "yes").is("NoOSReleaseInformation"));
        let part = one("web", "graceful").ok();
        assert!(
            part.get("OSRelease").is_none() && part.get("addresses").is_some(),
            "{part}"
        );
        let sharing = idle();
        let request = json!({ "name": "plain", "class": "container", "leader": sharing.id() });
        machine("Register", request).ok();
        assert!(one("plain", "yes").is("NoPrivateNetworking"));
        assert!(one("plain", "graceful").ok().get("addresses").is_none());
        // An error in the middle ends the list, for it would not be whole.
        assert!(
            all("yes")
                .last()
                .unwrap()
                .error()
                .contains("io.systemd.Machine.")
        );
        end(sharing);
    });
}

#[test]
fn addresses_of_a_vm_are_what_its_manager_says() {
    sandbox!(|s| {
        let hypervisor = idle();
        let request = json!({
            "name": "vm", "class": "vm", "leader": hypervisor.id(), "service": "some-vmm",
            "addresses": [
                { "family": 2, "address": [192, 0, 2, 9] },
                { "family": 10, "address": [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9], "ifindex": 3 },
            ],
        });
        machine("Register", request).ok();
        let listed = machine(
            "List",
            json!({ "name": "vm", "acquireMetadata": "graceful" }),
        )
        .ok();
        assert_eq!(listed["addresses"][0]["address"], json!([192, 0, 2, 9]));
        assert_eq!(
            (&listed["class"], listed.get("UIDShift")),
            (&json!("vm"), None)
        );
        let refused = machine("List", json!({ "name": "vm", "acquireMetadata": "yes" }));
        assert!(refused.is("NotAvailable"), "{refused:?}");
        let found = s.run("getent ahosts vm").ok();
        assert!(
            found.contains("192.0.2.9") && found.contains("2001:db8::9"),
            "{found}"
        );
        assert!(s.run("getent hosts 192.0.2.9").ok().contains("vm"));
        for (method, more) in [
            ("Open", json!({ "mode": "shell" })),
            ("MapFrom", json!({ "uid": 0 })),
            ("BindMount", json!({ "source": "/tmp" })),
            ("CopyTo", json!({ "source": "/tmp" })),
            ("CopyFrom", json!({ "source": "/tmp" })),
            ("OpenRootDirectory", json!({})),
        ] {
            let mut parameters = more;
            parameters["name"] = "vm".into();
            let refused = machine(method, parameters);
            assert!(refused.is("NotSupported"), "{method}: {refused:?}");
        }
        end(hypervisor);
        gone(s, "vm");
    });
}

#[test]
fn machines_end_are_killed_and_forgotten() {
    sandbox!(|s| {
        let [a, b, c] = ["a", "b", "c"].map(|name| registered(s, name));
        machine("Unregister", json!({ "pid": a.leader() })).ok();
        assert!(a.is_running() && machine("List", json!({ "name": "a" })).is("NoSuchMachine"));
        machine("Terminate", json!({ "name": "b" })).ok();
        s.wait_for(|| !b.is_running(), "a machine to end");
        gone(s, "b");

        let kill = |whom: Value, signal: i32| {
            machine(
                "Kill",
                json!({ "name": "c", "whom": whom, "signal": signal }),
            )
        };
        kill(json!("leader"), 18).ok();
        kill(json!("supervisor"), 18).ok(); // the caller, which registered it
        kill(json!(null), 18).ok();
        kill(json!("leader"), 40).ok();
        assert!(c.is_running());
        kill(json!("all"), 9).ok();
        s.wait_for(|| !c.is_running(), "a machine to end");
        gone(s, "c");
        for method in ["Unregister", "Terminate"] {
            let refused = machine(method, json!({ "name": ".host" }));
            assert!(refused.is("NotSupported"), "{method}: {refused:?}");
        }
        assert!(machine("Kill", json!({ "name": ".host", "signal": 18 })).is("NotSupported"));
    });
}

#[test]
fn what_was_registered_outlives_the_daemon() {
    sandbox!(|s| {
        let (hypervisor, supervisor) = (idle(), idle());
        let request = json!({
            "name": "vm", "class": "vm", "leader": hypervisor.id(), "supervisor": supervisor.id(),
            "id": "c5c5c5c5c5c5c5c5c5c5c5c500000002", "service": "some vmm", "rootDirectory": "/var/lib/a b",
            "vSockCid": 78, "sshAddress": "vsock/78 \"quoted\" $x", "sshPrivateKeyPath": "/run/ä key",
            "addresses": [
                { "family": 2, "address": [192, 0, 2, 9] },
                { "family": 10, "address": [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9] },
            ],
        });
        machine("Register", request).ok();
        let web = registered(s, "web");
        let all = || {
            ["vm", "web"].map(|name| {
                machine(
                    "List",
                    json!({ "name": name, "acquireMetadata": "graceful" }),
                )
                .ok()
            })
        };
        s.wait_for(
            || {
                all()[1]["addresses"]
                    .as_array()
                    .is_some_and(|found| found.len() == 3)
            },
            "the link-local address",
        );
        let before = all();
        s.machined().restart();
        assert_eq!(all(), before);
        assert!(s.run("getent hosts web").ok().contains(&web.ipv6()));
        // It ends without being asked to say goodbye, too.
        s.machined().kill(rustix::process::Signal::KILL);
        s.machined().wait();
        s.machined().start_again();
        assert_eq!(all(), before);
        machine("Unregister", json!({ "name": "web" })).ok();
        end(hypervisor);
        gone(s, "vm");
        end(supervisor);
    });
}

#[test]
fn a_bus_that_stops_stops_no_call() {
    sandbox!(|s| {
        s.bus().stop();
        let begun = Instant::now();
        let web = registered(s, "web");
        let in_no_unit = idle();
        let request = json!({ "name": "other", "class": "container", "leader": in_no_unit.id() });
        machine("Register", request).ok();
        assert_eq!(listed("web")["name"], "web");
        machine(
            "Kill",
            json!({ "name": "web", "whom": "leader", "signal": 18 }),
        )
        .ok();
        let hooked = ask("io.systemd.Resolve.Hook", "QueryFilter", json!({})).ok();
        assert_eq!(hooked["filterDomains"], json!(["other", "web"]));
        assert!(s.run("getent hosts web").ok().contains(&web.ipv6()));
        machine("Terminate", json!({ "name": "web" })).ok();
        gone(s, "web");
        machine("Unregister", json!({ "name": "other" })).ok();
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(5), "{took:?}");
        s.bus().cont();
        end(in_no_unit);
    });
}
