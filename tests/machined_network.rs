//! Addresses of machines.

mod machined_bus_client;
mod machined_registry;

use std::{fs, process::Command};

use machined_bus_client::Client;
use machined_registry::{addresses, program, register};
use support::{Via, sandbox};

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
        let script = format!(
            "read x <{fifo}
             address=$1; shift
             exec unshare -n sh -c 'ip addr add $0/32 dev lo scope global; echo >{fifo}; [ $# = 0 ] && exec sleep 60; exec sh /tmp/leader \"$@\"' $address \"$@\""
        );
        fs::write("/tmp/leader", script).unwrap();
        let mut leader = Command::new("sh")
            .args(["/tmp/leader", "192.0.2.7", "192.0.2.8"])
            .spawn()
            .unwrap();
        register(&client, "a", leader.id()).ok();
        let shared = addresses(&client, "a");
        assert_eq!(shared, ["org.freedesktop.machine1.NoPrivateNetworking"]);
        s.run(&format!("echo >{fifo}; read x <{fifo}")).ok();
        assert_eq!(addresses(&client, "a"), ["192.0.2.7"]);
        s.run(&format!("echo >{fifo}; read x <{fifo}")).ok();
        // It was seen in the first one a moment ago.
        let has_moved = || addresses(&client, "a") == ["192.0.2.8"];
        s.wait_for(has_moved, "the addresses of the second network");
        leader.kill().unwrap();
        leader.wait().unwrap();
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

/// More changes than the socket in the namespace has room for, so that the kernel throws some away.
#[test]
fn addresses_are_right_after_a_flood() {
    sandbox!(|s| {
        let web = s.container("web").start();
        s.register(&web, Via::BusRegister);
        let client = Client::new();
        s.wait_for(|| addresses(&client, "web").len() == 3, "all addresses");
        let inside = |line: &str| {
            s.cmd("nsenter")
                .args(["-t", &web.leader().to_string(), "-n", "sh", "-c", line])
                .run()
                .ok()
        };
        // The last column but one counts what was thrown away; proc(5).
        let dropped = || {
            let sockets = inside("cat /proc/thread-self/net/netlink");
            let column = |line: &str| line.split_whitespace().nth(8)?.parse::<u64>().ok();
            sockets.lines().filter_map(column).max().unwrap()
        };
        let flood = |kept: &str| {
            inside(&format!(
                "for i in $(seq 1 250); do for j in 1 2 3 4; do
                     echo addr add 198.51.$j.$i/32 dev host0; echo addr del 198.51.$j.$i/32 dev host0
                 done; done | ip -batch -
                 ip addr add {kept}/32 dev host0"
            ));
        };
        for round in 1..=3 {
            let before = dropped();
            let kept = format!("203.0.113.{round}");
            // Stopped or not: it reads when it is asked, and not before.
            match round {
                2 => {
                    s.machined().stop();
                    flood(&kept);
                    s.machined().cont();
                }
                _ => flood(&kept),
            }
            assert!(dropped() > before, "round {round}: nothing was thrown away");
            let now = addresses(&client, "web");
            assert!(now.contains(&kept), "{now:?}");
            assert_eq!(now.len(), 3 + round, "{now:?}");
            // And from here on by changes again.
            inside("ip addr add 192.0.2.99/32 dev host0");
            assert_eq!(addresses(&client, "web").len(), 4 + round);
            inside("ip addr del 192.0.2.99/32 dev host0");
            assert_eq!(addresses(&client, "web"), now);
        }
    });
}
