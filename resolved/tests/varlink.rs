//! The Varlink interfaces, as clients see them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod common;

use std::{path::Path, rc::Rc, time::Duration};

use common::{Server, World, a, cname, run};
use hickory_proto::rr::{RData, rdata};
use resolved::{
    links::{Link, LinkAddress, Network},
    varlink,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::sleep,
};
use varlink_serve::Guard;

const RESOLVE: &str = "io.systemd.Resolve";
const MONITOR: &str = "io.systemd.Resolve.Monitor";
const OURS: &str = "io.switchyard.Resolve";

/// A server that knows some names, a manager that asks it, and its sockets.
struct Service {
    world: World,
    server: Rc<Server>,
    _guards: Vec<Guard>,
}

impl Service {
    async fn start() -> Self {
        let server = Server::start().await;
        server.add("a.test", a("192.0.2.10"));
        server.add("alias.test", cname("a.test"));
        server.add("text.test", RData::TXT(rdata::TXT::new(vec!["x".into()])));
        let world = World::new(&format!("DNS={}", server.address));
        let guards = varlink::serve(&world.manager, &world.manager.paths().run).unwrap();
        Self {
            world,
            server,
            _guards: guards,
        }
    }

    async fn connect(&self, interface: &str) -> Client {
        Client::connect(&self.world.manager.paths().run.join(interface)).await
    }

    /// One reply of one call on a connection of its own.
    async fn call(&self, method: &str, parameters: Value) -> Value {
        let (interface, _) = method.rsplit_once('.').unwrap();
        let mut client = self.connect(interface).await;
        client
            .send(json!({ "method": method, "parameters": parameters }))
            .await;
        client.reply().await.expect("a reply")
    }

    async fn hostname(&self, parameters: Value) -> Value {
        self.call("io.systemd.Resolve.ResolveHostname", parameters)
            .await
    }
}

struct Client(UnixStream);

impl Client {
    async fn connect(path: &Path) -> Self {
        Self(UnixStream::connect(path).await.unwrap())
    }

    async fn send(&mut self, call: Value) {
        let mut message = serde_json::to_vec(&call).unwrap();
        message.push(0);
        self.0.write_all(&message).await.unwrap();
    }

    async fn more(&mut self, method: &str, parameters: Value) {
        self.send(json!({ "method": method, "parameters": parameters, "more": true }))
            .await;
    }

    /// `None`: the connection was closed.
    async fn reply(&mut self) -> Option<Value> {
        let mut message = Vec::new();
        loop {
            match self.0.read_u8().await {
                Ok(0) => return Some(serde_json::from_slice(&message).unwrap()),
                Ok(byte) => message.push(byte),
                Err(_) => return None,
            }
        }
    }
}

fn error(name: &str, parameters: Value) -> Value {
    json!({ "error": name, "parameters": parameters })
}

fn invalid(parameter: &str) -> Value {
    error(
        "org.varlink.service.InvalidParameter",
        json!({ "parameter": parameter }),
    )
}

/// The replies of systemd-resolved 252, byte for byte but for the order of fields.
#[test]
fn host_names_as_systemd_answers_them() {
    run(async {
        let service = Service::start().await;
        let found = |name: &str, flags: u64| {
            json!({ "parameters": {
                "addresses": [{ "family": 2, "address": [192, 0, 2, 10] }], "name": name, "flags": flags,
            } })
        };
        // DNS, CONFIDENTIAL as the server is on the loopback, FROM_NETWORK, FROM_CACHE.
        let network = (1 << 0) | (1 << 18) | (1 << 23);
        let cache = (1 << 0) | (1 << 18) | (1 << 20);
        assert_eq!(
            service
                .hostname(json!({ "name": "a.test", "family": 2 }))
                .await,
            found("a.test", network)
        );
        assert_eq!(
            service
                .hostname(json!({ "name": "a.test.", "family": 2 }))
                .await,
            found("a.test", cache)
        );
        let alias = service.hostname(json!({ "name": "alias.test" })).await;
        assert_eq!(alias["parameters"]["name"], "a.test");
        let literal = service.hostname(json!({ "name": "fe80::1%1" })).await;
        assert_eq!(
            literal["parameters"]["addresses"],
            json!([{ "ifindex": 1, "family": 10, "address": [254, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] }])
        );
        assert_eq!(literal["parameters"]["name"], "fe80::1%1");
        let resolve = |name: &str| format!("{RESOLVE}.{name}");
        for (parameters, expected) in [
            (
                json!({ "name": "192.0.2.1", "family": 10 }),
                error(&resolve("NoSuchResourceRecord"), json!({})),
            ),
            (
                json!({ "name": "text.test" }),
                error(&resolve("NoSuchResourceRecord"), json!({})),
            ),
            (
                json!({ "name": "nx.test" }),
                error(&resolve("DNSError"), json!({ "rcode": 3 })),
            ),
            (
                json!({ "name": "alias.test", "flags": 32 }),
                error(&resolve("CNAMELoop"), json!({})),
            ),
            (
                json!({ "name": "a.test", "ifindex": 99 }),
                error(&resolve("NoNameServers"), json!({})),
            ),
            (json!({ "name": "a..b" }), invalid("name")),
            (json!({ "name": 5 }), invalid("name")),
            (json!({}), invalid("name")),
            (json!({ "name": "a.test", "family": 7 }), invalid("family")),
            (
                json!({ "name": "a.test", "ifindex": -1 }),
                invalid("ifindex"),
            ),
            (
                json!({ "name": "a.test", "flags": 1_u64 << 40 }),
                invalid("flags"),
            ),
            (
                json!({ "name": "a.test", "flags": 1 << 9 }),
                invalid("flags"),
            ),
            (json!({ "name": "a.test", "other": 1 }), invalid("other")),
        ] {
            assert_eq!(
                service.hostname(parameters.clone()).await,
                expected,
                "{parameters}"
            );
        }
    });
}

#[test]
fn addresses_as_systemd_answers_them() {
    run(async {
        let service = Service::start().await;
        let ask = |parameters| service.call("io.systemd.Resolve.ResolveAddress", parameters);
        let localhost = json!({ "parameters": { "names": [{ "ifindex": 1, "name": "localhost" }], "flags": 786_945 } });
        assert_eq!(
            ask(json!({ "family": 2, "address": [127, 1, 2, 3] })).await,
            localhost
        );
        let bad_size = error("io.systemd.Resolve.BadAddressSize", json!({}));
        assert_eq!(
            ask(json!({ "family": 2, "address": [1, 2] })).await,
            bad_size
        );
        assert_eq!(ask(json!({ "family": 10, "address": [] })).await, bad_size);
        assert_eq!(
            ask(json!({ "family": 5, "address": [1, 2, 3, 4] })).await,
            invalid("family")
        );
        assert_eq!(
            ask(json!({ "family": 2, "address": [1, 2, 3, 400] })).await,
            invalid("address")
        );
        assert_eq!(
            ask(json!({ "address": [1, 2, 3, 4] })).await,
            invalid("family")
        );
    });
}

#[test]
fn records() {
    run(async {
        let service = Service::start().await;
        let ask = |parameters| service.call("io.systemd.Resolve.ResolveRecord", parameters);
        let found = ask(json!({ "name": "text.test", "type": 16 })).await;
        let record = &found["parameters"]["rrs"][0];
        assert_eq!(
            record["rr"],
            json!({ "key": { "class": 1, "type": 16, "name": "text.test" }, "items": ["x"] })
        );
        assert!(
            record["raw"]
                .as_str()
                .unwrap()
                .starts_with("BHRleHQEdGVzdAA")
        );
        assert!(
            record.get("ifindex").is_none(),
            "what is absent is left out"
        );
        let refused = |name: &str| error(&format!("{RESOLVE}.{name}"), json!({}));
        for (rtype, expected) in [
            (41, refused("ResourceRecordTypeInvalidForQuery")),
            (252, refused("ZoneTransfersNotPermitted")),
            (3, refused("ResourceRecordTypeObsolete")),
            (1, refused("NoSuchResourceRecord")),
            (70_000, invalid("type")),
        ] {
            assert_eq!(
                ask(json!({ "name": "text.test", "type": rtype })).await,
                expected,
                "{rtype}"
            );
        }
    });
}

#[test]
fn services() {
    run(async {
        let service = Service::start().await;
        let target = |port, target: &str| {
            RData::SRV(rdata::SRV::new(
                1,
                2,
                port,
                resolved::name::parse(target).unwrap(),
            ))
        };
        service.server.add("_x._tcp.test", target(7, "a.test"));
        service.server.add("_none._tcp.test", target(0, "."));
        let ask = |parameters| service.call("io.systemd.Resolve.ResolveService", parameters);
        let found = ask(json!({ "type": "_x._tcp", "domain": "test", "family": 2 })).await;
        assert_eq!(
            found["parameters"]["services"],
            json!([{
                "priority": 1, "weight": 2, "port": 7, "hostname": "a.test", "canonicalName": "a.test",
                "addresses": [{ "family": 2, "address": [192, 0, 2, 10] }],
            }])
        );
        assert_eq!(
            found["parameters"]["canonical"],
            json!({ "type": "_x._tcp", "domain": "test" })
        );
        let none = ask(json!({ "type": "_none._tcp", "domain": "test" })).await;
        assert_eq!(
            none,
            error("io.systemd.Resolve.ServiceNotProvided", json!({}))
        );
        assert_eq!(
            ask(json!({ "type": "x", "domain": "test" })).await,
            invalid("type")
        );
    });
}

#[test]
fn who_hangs_up_ends_the_lookup() {
    run(async {
        let service = Service::start().await;
        service.server.dead.set(true);
        let mut client = service.connect(RESOLVE).await;
        client.send(json!({ "method": "io.systemd.Resolve.ResolveHostname", "parameters": { "name": "b.test" } })).await;
        let current = || service.world.manager.statistics.current_transactions.get();
        while current() == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        drop(client);
        // The server would be waited for much longer.
        for _ in 0..100 {
            if current() == 0 {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
        panic!("{} lookups go on", current());
    });
}

#[test]
fn who_only_says_that_no_more_comes_is_answered() {
    run(async {
        let service = Service::start().await;
        service.server.delay.set(Duration::from_millis(100));
        let mut client = service.connect(RESOLVE).await;
        let method = "io.systemd.Resolve.ResolveHostname";
        client
            .send(json!({ "method": method, "parameters": { "name": "a.test" } }))
            .await;
        client.0.shutdown().await.unwrap();
        let reply = client.reply().await.expect("a reply");
        assert_eq!(reply["parameters"]["name"], "a.test");
    });
}

#[test]
fn lookups_are_watched() {
    run(async {
        let service = Service::start().await;
        let subscribe = format!("{MONITOR}.SubscribeQueryResults");
        let once = service.call(&subscribe, json!({})).await;
        assert_eq!(once["error"], "org.varlink.service.ExpectedMore");
        let mut watch = service.connect(MONITOR).await;
        watch.more(&subscribe, json!({})).await;
        let ready = watch.reply().await.unwrap();
        assert_eq!(
            ready,
            json!({ "parameters": { "ready": true }, "continues": true })
        );
        service
            .hostname(json!({ "name": "alias.test", "family": 2 }))
            .await;
        let seen = watch.reply().await.unwrap()["parameters"].take();
        assert_eq!(seen["state"], "success");
        assert_eq!(
            seen["question"],
            json!([{ "class": 1, "type": 1, "name": "alias.test" }])
        );
        assert_eq!(seen["answer"][0]["rr"]["name"], "a.test");
        service
            .hostname(json!({ "name": "nx.test", "family": 2 }))
            .await;
        let seen = watch.reply().await.unwrap()["parameters"].take();
        assert_eq!(
            (&seen["state"], &seen["rcode"]),
            (&json!("rcode-failure"), &json!(3))
        );
        assert_eq!(seen["answer"][0]["rr"]["key"]["type"], 6, "the SOA");
    });
}

#[test]
fn what_is_kept_and_counted() {
    run(async {
        let service = Service::start().await;
        let monitor = async |method: &str| {
            let method = format!("{MONITOR}.{method}");
            service.call(&method, json!({})).await
        };
        service
            .hostname(json!({ "name": "a.test", "family": 2 }))
            .await;
        service
            .hostname(json!({ "name": "a.test", "family": 2 }))
            .await;
        service
            .hostname(json!({ "name": "nx.test", "family": 2 }))
            .await;
        let cache = monitor("DumpCache").await["parameters"]["dump"][0].take();
        assert_eq!(cache["protocol"], "dns");
        let entries = cache["cache"].as_array().unwrap();
        let entry = |name: &str| {
            entries
                .iter()
                .find(|entry| entry["key"]["name"] == name)
                .unwrap()
        };
        assert_eq!(
            entry("a.test")["rrs"][0]["rr"]["address"],
            json!([192, 0, 2, 10])
        );
        assert_eq!(entry("nx.test")["type"], "NXDOMAIN");
        assert!(entry("a.test")["until"].as_u64().unwrap() > 0);
        let counted = monitor("DumpStatistics").await["parameters"].take();
        assert_eq!(
            (
                &counted["cache"]["hits"],
                &counted["transactions"]["totalTransactions"]
            ),
            (&json!(1), &json!(2))
        );
        assert_eq!(
            monitor("ResetStatistics").await,
            json!({ "parameters": {} })
        );
        let counted = monitor("DumpStatistics").await["parameters"].take();
        assert_eq!(counted["cache"]["hits"], 0);
        let state = monitor("DumpServerState").await["parameters"]["dump"][0].take();
        assert_eq!(state["Server"], service.server.address.to_string());
        assert_eq!(state["Type"], "system");
        assert!(state["FailedUDPAttempts"].is_u64() && state["VerifiedFeatureLevel"].is_string());
        let wrong = service
            .call(&format!("{MONITOR}.DumpCache"), json!({ "x": 1 }))
            .await;
        assert_eq!(wrong, invalid("x"));
    });
}

/// A link, as the kernel would tell of it.
fn network() -> Network {
    let mut network = Network::default();
    let link = Link {
        index: 3,
        name: "eth0".to_owned(),
        up: true,
        running: true,
        multicast: true,
        addresses: vec![LinkAddress {
            address: "192.0.2.3".parse().unwrap(),
            prefix: 24,
            scope: 0,
            unusable: false,
        }],
        ..Link::default()
    };
    let loopback = Link {
        index: 1,
        name: "lo".to_owned(),
        loopback: true,
        ..Link::default()
    };
    network.links.insert(1, loopback);
    network.links.insert(3, link);
    network
}

#[test]
fn links_are_set_and_shown() {
    run(async {
        let service = Service::start().await;
        service.world.manager.network_changed(&network());
        let mut watch = service.connect(MONITOR).await;
        watch
            .more(&format!("{MONITOR}.SubscribeDNSConfiguration"), json!({}))
            .await;
        let first = watch.reply().await.unwrap();
        assert_eq!(
            first["parameters"]["configuration"][0]["servers"][0]["addressString"],
            "127.0.0.1"
        );
        let set = json!({
            "ifindex": 3, "servers": ["192.0.2.1", "[2001:db8::1]:99#dns.example"],
            "domains": ["a.example", "~b.example"], "defaultRoute": false, "llmnr": "no",
        });
        let set_link = format!("{OURS}.SetLink");
        assert_eq!(
            service.call(&set_link, set).await,
            json!({ "parameters": {} })
        );
        let changed = watch.reply().await.unwrap();
        let dump = service
            .call(&format!("{RESOLVE}.DumpDNSConfiguration"), json!({}))
            .await;
        assert_eq!(changed["parameters"], dump["parameters"]);
        let all = dump["parameters"]["configuration"].as_array().unwrap();
        let link = all.iter().find(|one| one["ifname"] == "eth0").unwrap();
        assert_eq!(link["servers"][1]["name"], "dns.example");
        assert_eq!(link["servers"][1]["port"], 99);
        assert_eq!(link["servers"][0]["ifindex"], 3);
        assert_eq!(
            link["searchDomains"],
            json!([
                { "name": "a.example", "routeOnly": false, "ifindex": 3 },
                { "name": "b.example", "routeOnly": true, "ifindex": 3 },
            ])
        );
        assert_eq!(
            (&link["defaultRoute"], &link["llmnr"]),
            (&json!(false), &json!("no"))
        );
        assert_eq!(link["scopes"][0]["protocol"], "dns");
        for (wrong, expected) in [
            (
                json!({ "ifindex": 9 }),
                error("io.switchyard.Resolve.NoSuchLink", json!({ "ifindex": 9 })),
            ),
            (
                json!({ "ifindex": 1 }),
                error("io.switchyard.Resolve.LinkBusy", json!({ "ifname": "lo" })),
            ),
        ] {
            assert_eq!(service.call(&set_link, wrong).await, expected);
        }
        let wrong = service
            .call(&set_link, json!({ "ifindex": 3, "servers": ["nowhere"] }))
            .await;
        assert_eq!(wrong["parameters"]["parameter"], "servers");
        let revert = format!("{OURS}.RevertLink");
        assert_eq!(
            service.call(&revert, json!({ "ifindex": 3 })).await,
            json!({ "parameters": {} })
        );
        let dump = watch.reply().await.unwrap();
        let all = dump["parameters"]["configuration"].as_array().unwrap();
        let link = all.iter().find(|one| one["ifname"] == "eth0").unwrap();
        assert!(link.get("servers").is_none() && link.get("searchDomains").is_none());
    });
}

#[test]
fn caches_are_flushed() {
    run(async {
        let service = Service::start().await;
        service
            .hostname(json!({ "name": "a.test", "family": 2 }))
            .await;
        for method in ["FlushCaches", "ResetServerFeatures"] {
            let asked = service.server.asked.get();
            assert_eq!(
                service.call(&format!("{OURS}.{method}"), json!({})).await,
                json!({ "parameters": {} })
            );
            service
                .hostname(json!({ "name": "a.test", "family": 2 }))
                .await;
            assert!(service.server.asked.get() > asked, "{method}");
        }
    });
}

#[test]
fn one_name_is_counted_and_flushed() {
    run(async {
        let service = Service::start().await;
        let ask = async |name: &str| {
            let parameters = json!({ "name": name, "family": 2 });
            service.hostname(parameters).await
        };
        let count = async |parameters| {
            let said = service
                .call(&format!("{OURS}.CacheStatistics"), parameters)
                .await;
            said["parameters"].clone()
        };
        for name in ["a.test", "A.Test", "alias.test"] {
            ask(name).await;
        }
        let a = count(json!({ "name": "A.test" })).await;
        assert_eq!(
            (&a["entries"], &a["misses"]),
            (&json!(1), &json!(null)),
            "{a}"
        );
        assert!(
            a["hits"].as_u64() >= Some(1) && a["bytes"].as_u64() > Some(0),
            "{a}"
        );
        let all = count(json!({})).await;
        assert!(
            all["entries"].as_u64() > Some(1) && all["misses"].as_u64() > Some(0),
            "{all}"
        );
        let flush = format!("{OURS}.FlushCaches");
        service.call(&flush, json!({ "name": "a.test" })).await;
        assert_eq!(count(json!({ "name": "a.test" })).await["entries"], 0);
        assert_eq!(
            count(json!({})).await["entries"].as_u64(),
            all["entries"].as_u64().map(|entries| entries - 1)
        );
        let asked = service.server.asked.get();
        ask("a.test").await;
        assert!(service.server.asked.get() > asked);
        let said = service.call(&flush, json!({ "name": "a..b" })).await;
        assert_eq!(said["error"], "org.varlink.service.InvalidParameter");
    });
}

#[test]
fn browsing_wants_more_and_ends_with_the_caller() {
    run(async {
        let service = Service::start().await;
        let browse = format!("{RESOLVE}.BrowseServices");
        let once = service
            .call(&browse, json!({ "type": "_http._tcp", "domain": "local" }))
            .await;
        assert_eq!(once["error"], "org.varlink.service.ExpectedMore");
        for (wrong, parameter) in [
            (json!({ "domain": "example.com" }), "domain"),
            (json!({ "type": "http" }), "type"),
            (json!({ "flags": 1 }), "flags"),
            (json!({ "ifindex": -1 }), "ifindex"),
        ] {
            let mut client = service.connect(RESOLVE).await;
            client.more(&browse, wrong).await;
            assert_eq!(client.reply().await.unwrap(), invalid(parameter));
        }
    });
}
