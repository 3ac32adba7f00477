//! org.freedesktop.machine1 as its users meet it: Debian's clients, callers without rights, a bus that comes and goes.

mod machined_bus_client;

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use machined_bus_client::{Client, MACHINE, MANAGER, MANAGER_IFACE, as_user};
use rustix::process::Signal;
use support::{Daemon, Options, Ready, Via, sandbox, skip};

const NOBODY: u32 = 65534;

#[test]
fn machinectl_and_busctl_work() {
    sandbox!(|s| {
        let web = s.container("web").start();
        s.register(&web, Via::BusCreate);
        let list = s.run("machinectl list --no-pager").ok();
        assert!(list.contains("web") && list.contains(&web.ipv4()), "{list}");
        let status = s.run("machinectl status web --no-pager").ok();
        assert!(status.contains(&web.leader().to_string()), "{status}");
        assert!(status.contains(&web.ipv6()), "{status}");
        let shown = s.run("machinectl show web").ok();
        for line in [
            "Name=web",
            "Class=container",
            "State=running",
            "VSockCID=4294967295",
        ] {
            assert!(shown.contains(line), "{shown}");
        }
        assert!(
            s.run("machinectl show")
                .ok()
                .contains("PoolPath=/var/lib/machines")
        );
        let tree = s
            .run("busctl tree org.freedesktop.machine1 --no-pager")
            .ok();
        for path in ["machine/web", "machine/_2ehost", "LogControl1"] {
            assert!(tree.contains(path), "{tree}");
        }
        let table = s
            .run("busctl introspect org.freedesktop.machine1 /org/freedesktop/machine1/machine/web")
            .ok();
        assert!(
            table.contains(".GetAddresses") && table.contains(".LeaderPIDFDId"),
            "{table}"
        );
        assert!(!table.contains(".Scope"), "{table}");
        let failed = s.run("machinectl status nope").fails(1);
        assert!(
            failed.stderr.contains("No machine 'nope' known"),
            "{failed:?}"
        );
        s.run("machinectl kill web --kill-whom=leader --signal=CONT")
            .ok();
        s.run("machinectl terminate web").ok();
        s.wait_for(
            || s.run("machinectl status web").status == Some(1),
            "web to be gone",
        );
    });
}

#[test]
fn signals_come_before_replies_and_in_order() {
    sandbox!(|s| {
        let web = s.container("web").start();
        s.place_in_scope(&web);
        let client = Client::new();
        let rule = zbus::MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .interface(MANAGER_IFACE)
            .build()
            .unwrap();
        let connection = client.connection.clone();
        let stream = client.block_on(zbus::MessageStream::for_match_rule(rule, &connection, None));
        let mut stream = stream.unwrap();
        let mut next = |client: &Client| {
            let next = async { tokio::time::timeout(Duration::from_secs(5), stream.next()).await };
            let message = client.block_on(next).unwrap().unwrap().unwrap();
            let member = message.header().member().unwrap().to_string();
            let (name, path): (String, zbus::wire::OwnedObjectPath) =
                message.body().deserialize().unwrap();
            assert_eq!(path.as_str(), format!("{MACHINE}/{name}"));
            (member, name, message.recv_position())
        };
        for _ in 0..3 {
            for (call, signal) in [
                ("RegisterMachine", "MachineNew"),
                ("UnregisterMachine", "MachineRemoved"),
            ] {
                let reply = client.block_on(async {
                    let body = ("web", Vec::<u8>::new(), "", "container", web.leader(), "");
                    let name = Some("org.freedesktop.machine1");
                    match call {
                        "RegisterMachine" => {
                            connection
                                .call_method(name, MANAGER, Some(MANAGER_IFACE), call, &body)
                                .await
                        }
                        _ => {
                            connection
                                .call_method(name, MANAGER, Some(MANAGER_IFACE), call, &"web")
                                .await
                        }
                    }
                });
                let (member, name, position) = next(&client);
                assert_eq!((member.as_str(), name.as_str()), (signal, "web"));
                assert!(
                    position < reply.unwrap().recv_position(),
                    "{signal} after the reply"
                );
            }
        }
    });
}

#[test]
fn a_host_is_never_registered() {
    sandbox!(|s| {
        let web = s.container("web").start();
        let client = Client::new();
        // CVE-2026-4105: not even by root.
        for word in ["host", "Host", "HOST", "container\n"] {
            let args = args!["x", Vec::<u8>::new(), "", word, web.leader(), ""];
            assert!(
                client
                    .manager("RegisterMachine", args)
                    .is_error(".InvalidArgs"),
                "{word}"
            );
        }
        let keys = vec![("Class".to_owned(), zbus::Variant::from("host"))];
        let answer = client.manager("RegisterMachineEx", args!["x", keys]);
        assert!(answer.is_error(".InvalidArgs"), "{answer:?}");
    });
}

#[test]
fn polkit_lets_nobody_register_what_is_theirs_alone() {
    sandbox!(|s| {
        if s.is_rootless() {
            skip!("there is no other user");
        }
        let rule = "polkit.addRule(function(action, subject) {\n\
            if (action.id == \"org.freedesktop.machine1.register-machine\") return polkit.Result.YES; });\n";
        std::fs::create_dir_all("/etc/polkit-1/rules.d").unwrap();
        std::fs::write("/etc/polkit-1/rules.d/10-test.rules", rule).unwrap();
        s.run("chmod -R a+rX /etc/polkit-1").ok();
        let web = s.container("web").start();
        let leader = web.leader();
        as_user(NOBODY, move || {
            let client = Client::new();
            let register = |name: &str, leader: u32| {
                let args = args![
                    name.to_owned(),
                    Vec::<u8>::new(),
                    "",
                    "container",
                    leader,
                    ""
                ];
                client.manager("RegisterMachine", args)
            };
            // The rule lets them through, and the leader is another's.
            let answer = register("x", leader);
            assert!(answer.is_error(".AccessDenied"), "{answer:?}");
            assert!(!format!("{answer:?}").contains("polkit"), "{answer:?}");
        });
        assert!(s.run("machinectl show x").status == Some(1));
        let own = "busctl call org.freedesktop.machine1 /org/freedesktop/machine1 \
            org.freedesktop.machine1.Manager RegisterMachine sayssus x 0 '' container 0 ''";
        s.cmd("sh").args(["-c", own]).user(NOBODY).run().ok();
    });
}

#[test]
fn keys_and_descriptors() {
    sandbox!(|s| {
        let web = s.container("web").start();
        s.place_in_scope(&web);
        let client = Client::new();
        let pidfd = rustix::process::pidfd_open(
            rustix::process::Pid::from_raw(web.leader() as i32).unwrap(),
            rustix::process::PidfdFlags::empty(),
        )
        .unwrap();
        let body = (
            "web",
            vec![
                ("Id", zbus::Variant::from(vec![7u8; 16])),
                ("Service", "test".into()),
                ("LeaderPIDFD", zbus::Variant::Fd(pidfd.into())),
                ("LeaderPID", web.leader().into()),
                ("RootDirectory", "/".into()),
            ],
        );
        let name = Some("org.freedesktop.machine1");
        let calling = client.connection.call_method(
            name,
            MANAGER,
            Some(MANAGER_IFACE),
            "RegisterMachineEx",
            &body,
        );
        client.block_on(calling).unwrap();
        let shown = s.run("machinectl show web").ok();
        assert!(
            shown.contains(&format!("Leader={}", web.leader())),
            "{shown}"
        );
        assert!(shown.contains(&"07".repeat(16)), "{shown}");
        let unknown = client.manager(
            "RegisterMachineEx",
            args!["x", vec![("Nope".to_owned(), zbus::Variant::from(1u32))]],
        );
        assert!(unknown.is_error(".InvalidArgs"), "{unknown:?}");
        assert!(
            client
                .manager(
                    "RegisterMachineEx",
                    args!["web", Vec::<(String, zbus::Variant<'_>)>::new()]
                )
                .is_error(".MachineExists")
        );
    });
}

#[test]
fn the_bus_may_go_and_come() {
    sandbox!(|s| {
        let web = s.container("web").start();
        s.register(&web, Via::BusRegister);
        s.bus().restart();
        s.wait_for(
            || s.run("machinectl show web").status == Some(0),
            "machined to come back",
        );
        s.bus().kill(Signal::KILL);
        s.bus().wait();
        assert!(s.machined().is_running());
        s.bus().start_again();
        s.wait_for(
            || s.run("machinectl show web").status == Some(0),
            "machined to come back",
        );
        let signals = Client::new();
        drop(signals);
    });
}

#[test]
fn a_machined_starts_before_the_bus() {
    sandbox!(Options::new().machined(None).bus(false), |s| {
        let machined = s.spawn("machined", &["/usr/libexec/switchyard/machined"]);
        s.wait_for(
            || machined.log().contains("No system bus yet"),
            "machined to look",
        );
        s.start_bus();
        let begun = Instant::now();
        let list = || {
            s.run("busctl list --no-pager")
                .stdout
                .contains("org.freedesktop.machine1 ")
        };
        s.wait_for(list, "machined on the bus");
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{:?}",
            begun.elapsed()
        );
    });
}

#[test]
fn calls_without_interface_and_without_reply() {
    sandbox!(|s| {
        let web = s.container("web").start();
        s.register(&web, Via::BusRegister);
        let client = Client::new();
        let path = client.call(MANAGER, "", "GetMachine", args!["web"]).ok();
        assert!(path.contains("machine/web"), "{path}");
        s.run(
            "busctl call --expect-reply=no org.freedesktop.machine1 /org/freedesktop/machine1 \
             org.freedesktop.machine1.Manager KillMachine ssi web leader 18",
        )
        .ok();
        let leader = web.leader();
        // 300 calls at once, of which each is answered: with a reply, or that there are too many.
        let answers = client.block_on(async {
            let call = || {
                client.connection.call_method(
                    Some("org.freedesktop.machine1"),
                    MANAGER,
                    Some(MANAGER_IFACE),
                    "GetMachineByPID",
                    &leader,
                )
            };
            futures_util::future::join_all((0..300).map(|_| call())).await
        });
        let good = answers.iter().filter(|answer| answer.is_ok()).count();
        assert!(good >= 100, "{good}");
    });
}

#[test]
fn a_process_finds_its_own_machine() {
    sandbox!(|s| {
        if !s.has_cgroups() {
            skip!("nothing tells whose a process is: there are no cgroups to write to");
        }
        let web = s.container("web").start();
        s.register(&web, Via::BusRegister);
        let get = "busctl get-property org.freedesktop.machine1 /org/freedesktop/machine1/machine/self \
            org.freedesktop.machine1.Machine Name";
        assert!(s.run(get).stderr.contains("Unknown object"));
        let enter = format!(
            "sed -n 's/^[0-9]*:\\(name=systemd\\)*:\\(.*\\)/\\2/p' /proc/{}/cgroup",
            web.leader()
        );
        let inside = format!(
            "for path in $({enter}); do for root in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do \
             [ -e $root$path/cgroup.procs ] && echo $$ > $root$path/cgroup.procs; done; done; exec {get}"
        );
        assert_eq!(s.run(&inside).ok().trim(), "s \"web\"");
    });
}

#[test]
fn a_bus_that_stops_for_a_while_loses_nothing() {
    sandbox!(|s| {
        let web = s.container("web").start();
        s.register(&web, Via::BusRegister);
        let bus = s.bus();
        bus.stop();
        let asking = s.spawn("asking", &["machinectl", "show", "web"]);
        // The end of a machine is seen, and what would be told of it waits.
        web.kill();
        std::thread::sleep(Duration::from_millis(500));
        assert!(s.machined().is_running() && asking.is_running());
        bus.cont();
        asking.wait();
        s.wait_for(
            || s.run("machinectl show web").status == Some(1),
            "web to be gone",
        );
        let db = s.container("db").start();
        s.register(&db, Via::BusRegister);
    });
}

#[test]
fn the_name_is_taken_over_when_it_is_free() {
    sandbox!(Options::new().machined(None), |s| {
        let ready = Ready::BusName("org.freedesktop.machine1".into());
        let peer = Daemon::start("peer", &["/usr/lib/systemd/systemd-machined"], &[], ready);
        let ours = s.spawn("machined", &["/usr/libexec/switchyard/machined"]);
        s.wait_for(
            || ours.log().contains("another process has it"),
            "ours to ask",
        );
        let begun = Instant::now();
        peer.kill(Signal::KILL);
        peer.wait();
        s.wait_for(
            || ours.log().contains("Serving org.freedesktop.machine1"),
            "ours to serve",
        );
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
    });
}
