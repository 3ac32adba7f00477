//! The network as the monitor sees it, while ip(8) changes it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use resolved::{
    links::{Gateway, Monitor, Network},
    route::Family,
};
use support::{Options, Sandbox, sandbox};
use tokio::runtime::{Builder, Runtime};

fn options() -> Options {
    Options::peer().machined(None).bus(false)
}

/// The monitor of the sandbox's network, and what it knows.
struct World<'a> {
    sandbox: &'a Sandbox,
    runtime: Runtime,
    monitor: Monitor,
    network: Network,
}

impl<'a> World<'a> {
    fn open(sandbox: &'a Sandbox) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (monitor, network) = runtime.block_on(async { Monitor::open() }).unwrap();
        Self {
            sandbox,
            runtime,
            monitor,
            network,
        }
    }

    /// Runs a line of shell and waits until the network is as it must be then.
    #[track_caller]
    fn after(&mut self, line: &str, holds: impl Fn(&Network) -> bool) {
        self.sandbox.run(line).ok();
        let wait = async {
            while !holds(&self.network) {
                self.monitor.changed(&mut self.network).await.unwrap();
            }
        };
        let in_time = self
            .runtime
            .block_on(async { tokio::time::timeout(Duration::from_secs(5), wait).await });
        assert!(in_time.is_ok(), "after {line:?}: {:#?}", self.network);
        self.agrees();
    }

    /// What was heard is what there is, once all of it was taken in.
    #[track_caller]
    fn agrees(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            self.monitor.take_in(&mut self.network).unwrap();
            let (_, now) = self.runtime.block_on(async { Monitor::open() }).unwrap();
            if self.network == now {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "heard: {:#?}\nthere is: {now:#?}",
                self.network
            );
        }
    }

    fn gateways(&self) -> Vec<String> {
        self.network
            .gateways
            .iter()
            .map(|gateway| text(&self.network, gateway))
            .collect()
    }
}

fn text(network: &Network, gateway: &Gateway) -> String {
    let name = &network.links[&gateway.ifindex].name;
    let address = gateway
        .address
        .map_or("-".to_owned(), |address| address.to_string());
    format!("{address} {name} {}", gateway.metric)
}

fn gateways_are<const N: usize>(expected: [&str; N]) -> impl Fn(&Network) -> bool {
    move |network| {
        let found: Vec<_> = network
            .gateways
            .iter()
            .map(|gateway| text(network, gateway))
            .collect();
        found == expected
    }
}

fn has(name: &str, address: &str) -> impl Fn(&Network) -> bool {
    let (name, address): (_, IpAddr) = (name.to_owned(), address.parse().unwrap());
    move |network| {
        let link = network.link_by_name(&name);
        link.is_some_and(|link| {
            link.addresses
                .iter()
                .any(|own| own.address == address && !own.unusable)
        })
    }
}

#[test]
fn links_come_change_and_go() {
    sandbox!(options(), |s| {
        let mut world = World::open(s);
        let lo = world.network.link_by_name("lo").unwrap();
        assert!(lo.loopback && lo.index == 1);
        assert!(!world.network.is_routable());

        world.after(
            "ip link add eth7 mtu 1400 type veth peer name peer7",
            |network| {
                network
                    .link_by_name("eth7")
                    .is_some_and(|link| link.mtu == 1400 && !link.up)
            },
        );
        world.after("ip link set eth7 name uplink", |network| {
            network.link_by_name("uplink").is_some() && network.link_by_name("eth7").is_none()
        });
        // Up, but nobody at the other end.
        world.after("ip link set uplink up", |network| {
            network
                .link_by_name("uplink")
                .is_some_and(|link| link.up && !link.running)
        });
        world.after("ip link set peer7 up", |network| {
            network
                .link_by_name("uplink")
                .is_some_and(|link| link.up && link.running && link.multicast)
        });
        // Of a link that is down the kernel tells them when it comes up.
        world.after(
            "ip link property add dev uplink altname enp7s0 altname a-name-longer-than-fifteen",
            |network| {
                network
                    .link_by_name("a-name-longer-than-fifteen")
                    .is_some_and(|link| link.name == "uplink")
            },
        );
        world.after(
            "ip link property del dev uplink altname enp7s0 altname a-name-longer-than-fifteen",
            |network| {
                network.link_by_name("enp7s0").is_none() && network.link_by_name("uplink").is_some()
            },
        );
        world.after("ip link set peer7 down", |network| {
            network
                .link_by_name("uplink")
                .is_some_and(|link| !link.running)
        });
        world.after("ip link del uplink", |network| network.links.len() == 1);
    });
}

#[test]
fn a_port_that_leaves_its_bridge_stays() {
    sandbox!(options(), |s| {
        let mut world = World::open(s);
        world.after(
            "ip link add br0 type bridge && ip link add eth7 master br0 type veth peer name peer7",
            |network| network.links.len() == 4,
        );
        world.after(
            "ip link set eth7 nomaster && ip link set br0 mtu 1300",
            |network| {
                network
                    .link_by_name("br0")
                    .is_some_and(|bridge| bridge.mtu == 1300)
            },
        );
        assert!(world.network.link_by_name("eth7").is_some());
    });
}

#[test]
fn addresses_come_and_go() {
    sandbox!(options(), |s| {
        let mut world = World::open(s);
        world.after(
            "ip link add eth7 type veth peer name peer7 && ip link set eth7 up && ip link set peer7 up",
            |network| {
                let link = network.link_by_name("eth7");
                link.is_some_and(|link| link.running && link.is_relevant_for_multicast(Family::V6))
            },
        );
        // Its link-local address alone leads to no server.
        assert!(!world.network.is_routable());
        world.after(
            "ip addr add 192.0.2.1/24 dev eth7",
            has("eth7", "192.0.2.1"),
        );
        assert!(world.network.is_routable());
        assert!(
            world
                .network
                .link_by_name("eth7")
                .unwrap()
                .is_relevant_for_multicast(Family::V4)
        );
        world.after(
            "ip addr add 2001:db8::1/64 nodad dev eth7",
            has("eth7", "2001:db8::1"),
        );
        // Tentative until it is known that nobody else has it.
        s.run("ip addr add 2001:db8::2/64 dev eth7").ok();
        world.after(":", has("eth7", "2001:db8::2"));
        world.after(
            "ip addr change 2001:db8::1/64 dev eth7 preferred_lft 0 valid_lft forever",
            |network| {
                !has("eth7", "2001:db8::1")(network)
                    && network.has_address("2001:db8::1".parse().unwrap())
            },
        );
        // Ours, not the peer's.
        world.after(
            "ip addr add 198.51.100.1 peer 198.51.100.2/32 dev eth7",
            has("eth7", "198.51.100.1"),
        );
        assert!(!world.network.has_address("198.51.100.2".parse().unwrap()));
        let usable: Vec<_> = world
            .network
            .usable_addresses()
            .map(|(_, own)| own.address.to_string())
            .collect();
        assert_eq!(usable[..3], ["192.0.2.1", "198.51.100.1", "2001:db8::2"]);
        assert!(
            usable[3..]
                .iter()
                .all(|address| address.starts_with("fe80:")),
            "{usable:?}"
        );
        // The first one of a network goes, and takes the second with it.
        world.after(
            "ip addr add 192.0.2.2/24 dev eth7",
            has("eth7", "192.0.2.2"),
        );
        world.after("ip addr del 192.0.2.1/24 dev eth7", |network| {
            !has("eth7", "192.0.2.2")(network)
        });
        world.after("ip addr flush dev eth7", |network| {
            network
                .link_by_name("eth7")
                .is_some_and(|link| link.addresses.is_empty())
        });
    });
}

#[test]
fn gateways_come_and_go() {
    sandbox!(options(), |s| {
        s.run(
            "for i in 7 8; do ip link add eth$i type veth peer name peer$i && ip link set eth$i up && ip link set peer$i up
             ip addr add 192.0.$i.1/24 dev eth$i && ip addr add 2001:db8:$i::1/64 nodad dev eth$i; done",
        )
        .ok();
        let mut world = World::open(s);
        assert!(world.network.gateways.is_empty());
        world.after(
            "ip route add default via 192.0.7.254 metric 200",
            gateways_are(["192.0.7.254 eth7 200"]),
        );
        world.after(
            "ip route add default via 192.0.8.254 metric 100",
            gateways_are(["192.0.8.254 eth8 100", "192.0.7.254 eth7 200"]),
        );
        world.after(
            "ip route replace default via 192.0.8.253 metric 100",
            gateways_are(["192.0.8.253 eth8 100", "192.0.7.254 eth7 200"]),
        );
        // Another table, another destination, no way at all: none of them is a gateway.
        s.run("ip route add default via 192.0.8.9 table 99 && ip route add default via 192.0.8.9 table 999").ok();
        s.run("ip route add 198.51.100.0/24 via 192.0.8.9 && ip route add unreachable default metric 5").ok();
        world.after(
            "ip -6 route add default via 2001:db8:7::fe metric 50",
            |network| network.gateways.len() == 3,
        );
        assert_eq!(world.gateways()[0], "2001:db8:7::fe eth7 50");
        world.after(
            "ip -6 route del default via 2001:db8:7::fe metric 50",
            |network| network.gateways.len() == 2,
        );
        // IPv4 by a router of IPv6 (RFC 5549), and by none.
        world.after(
            "ip route add default via inet6 2001:db8:8::fe dev eth8 metric 7",
            |network| network.gateways.len() == 3,
        );
        assert_eq!(world.gateways()[0], "2001:db8:8::fe eth8 7");
        world.after("ip route add default dev eth7 metric 3", |network| {
            network.gateways.len() == 4
        });
        assert_eq!(world.gateways()[0], "- eth7 3");
        // The kernel drops routes without a word when the link goes down …
        world.after(
            "ip link set eth8 down",
            gateways_are(["- eth7 3", "192.0.7.254 eth7 200"]),
        );
        // … or is gone.
        world.after("ip link del eth7", |network| network.gateways.is_empty());
    });
}

#[test]
fn routes_of_several_ways_and_next_hops() {
    sandbox!(options(), |s| {
        s.run(
            "for i in 7 8; do ip link add eth$i type veth peer name peer$i && ip link set eth$i up && ip link set peer$i up
             ip addr add 192.0.$i.1/24 dev eth$i; done",
        )
        .ok();
        let mut world = World::open(s);
        world.after(
            "ip route add default metric 9 nexthop via 192.0.7.254 nexthop via 192.0.8.254",
            gateways_are(["192.0.7.254 eth7 9", "192.0.8.254 eth8 9"]),
        );
        world.after("ip route del default", |network| {
            network.gateways.is_empty()
        });
        world.after(
            "ip nexthop add id 4 via 192.0.7.254 dev eth7 && ip route add default nhid 4 metric 9",
            gateways_are(["192.0.7.254 eth7 9"]),
        );
        world.after("ip nexthop del id 4", |network| network.gateways.is_empty());
        // A source address that goes takes the route along.
        world.after(
            "ip addr add 198.51.100.1/32 dev lo && ip route add default via 192.0.8.254 src 198.51.100.1",
            |network| network.gateways.len() == 1,
        );
        assert_eq!(
            world.network.gateways[0].preferred_source,
            "198.51.100.1".parse().ok()
        );
        world.after("ip addr del 198.51.100.1/32 dev lo", |network| {
            network.gateways.is_empty()
        });
    });
}

#[test]
fn more_changes_than_the_kernel_keeps_lose_nothing() {
    sandbox!(options(), |s| {
        let mut world = World::open(s);
        s.run("ip link add eth7 type veth peer name peer7").ok();
        // Some 120 bytes each, and twice as much in the kernel's books; it keeps 4 MiB.
        let lines = "seq 1 65000 | awk '{ printf \"addr add 10.%d.%d.%d/32 dev eth7\\naddr del 10.%d.%d.%d/32 dev eth7\\n\", $1/65536, $1/256%256, $1%256, $1/65536, $1/256%256, $1%256 }'";
        s.cmd("sh")
            .args(["-c", &format!("{lines} | ip -batch -")])
            .timeout(Duration::from_secs(40))
            .run()
            .ok();
        world.after("ip link set eth7 name last", |network| {
            network.link_by_name("last").is_some()
        });
        assert!(
            world
                .network
                .link_by_name("last")
                .unwrap()
                .addresses
                .is_empty()
        );
    });
}
