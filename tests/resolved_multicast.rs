//! LLMNR and mDNS between machines on one link: ours, systemd's, and Avahi.

mod resolved_multicast_world;

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use resolved_multicast_world::{LLMNR_V4, LLMNR_V6, MDNS_V4, MDNS_V6, Machine, lay_link};
use serde_json::{Value, json};
use support::{Daemon, Options, Sandbox, Which, sandbox};

fn options() -> Options {
    Options::new()
        .machined(None)
        .bus(false)
        .timeout(Duration::from_secs(180))
}

const SOON: Duration = Duration::from_secs(20);

/// Waits until something is so.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < SOON, "waited for {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until a name is found: the addresses that are no link's alone.
#[track_caller]
fn found(by: &Machine, name: &str, family: i32, flags: u64, expected: &[&str]) {
    until(&format!("{name} by {flags:#x}, family {family}"), || {
        let mut addresses = by.addresses(name, family, flags);
        addresses.retain(|address| !address.starts_with("fe80"));
        addresses == expected
    });
}

/// Whether this can run.
fn begin(s: &Sandbox) -> bool {
    if s.is_rootless() {
        support::skipped("resolved becomes another user, and there is none");
        return false;
    }
    lay_link(s);
    true
}

/// One finds the other's name and addresses.
fn by_llmnr(one: &Machine, other: &Machine, v4: &str, v6: &str) {
    let name = &other.name;
    found(one, name, 2, LLMNR_V4, &[v4]);
    found(one, name, 10, LLMNR_V6, &[v6]);
    assert_eq!(one.names(v4, LLMNR_V4 | LLMNR_V6), [name.as_str()]);
    assert_eq!(one.names(v6, LLMNR_V4 | LLMNR_V6), [name.as_str()]);
    let error = one.addresses("nobody", 0, LLMNR_V4);
    assert_eq!(error, ["\"io.systemd.Resolve.DNSError\""]);
}

fn by_mdns(one: &Machine, other: &Machine, v4: &str, v6: &str) {
    let name = &format!("{}.local", other.name);
    found(one, name, 2, MDNS_V4, &[v4]);
    found(one, name, 10, MDNS_V6, &[v6]);
    assert_eq!(one.names(v4, MDNS_V4), [name.as_str()]);
    assert_eq!(one.names(v6, MDNS_V6), [name.as_str()]);
    let error = one.addresses("nobody.local", 2, MDNS_V4);
    assert_eq!(error, ["\"io.systemd.Resolve.MaxAttemptsReached\""]);
}

fn each_finds_the_other(s: &Sandbox, second: Which) {
    if !begin(s) {
        return;
    }
    let alpha = Machine::start(s, "alpha", 1);
    let beta = Machine::start(s, "beta", 2);
    alpha.resolved(Which::Ours);
    beta.resolved(second);
    by_llmnr(&alpha, &beta, "10.99.0.2", "fd99::2");
    by_llmnr(&beta, &alpha, "10.99.0.1", "fd99::1");
    by_mdns(&alpha, &beta, "10.99.0.2", "fd99::2");
    by_mdns(&beta, &alpha, "10.99.0.1", "fd99::1");
}

#[test]
fn ours_and_systemds_find_each_other() {
    sandbox!(options(), |s| each_finds_the_other(s, Which::Peer));
}

#[test]
fn ours_and_ours_find_each_other() {
    sandbox!(options(), |s| each_finds_the_other(s, Which::Ours));
}

#[test]
fn ours_and_avahi_find_each_other() {
    sandbox!(options(), |s| {
        if !begin(s) {
            return;
        }
        let alpha = Machine::start(s, "alpha", 1);
        let gamma = Machine::start(s, "gamma", 3);
        alpha.resolved(Which::Ours);
        gamma.avahi();
        by_mdns(&alpha, &gamma, "10.99.0.3", "fd99::3");
        for (ask, expected) in [
            ("-4 -n alpha.local", "alpha.local\t10.99.0.1\n"),
            ("-6 -n alpha.local", "alpha.local\tfd99::1\n"),
            ("-a 10.99.0.1", "10.99.0.1\talpha.local\n"),
            ("-a fd99::1", "fd99::1\talpha.local\n"),
        ] {
            until(ask, || {
                gamma.run(&format!("avahi-resolve {ask}")).stdout == expected
            });
        }
        // A plain resolver is answered, too.
        let dig = "dig +short +tries=1 +time=5 -p 5353 @10.99.0.1 alpha.local A";
        assert_eq!(gamma.run(dig).stdout, "10.99.0.1\n");
    });
}

#[test]
fn avahi_sees_our_services() {
    sandbox!(options(), |s| {
        if !begin(s) {
            return;
        }
        let alpha = Machine::start(s, "alpha", 1);
        let gamma = Machine::start(s, "gamma", 3);
        gamma.avahi();
        alpha.service(
            "site",
            "Name=Site of %H\nType=_http._tcp\nSubType=_printer\nPort=8080\nPriority=3\nTxtText=path=/x note",
        );
        let resolved = alpha.resolved(Which::Ours);
        let browse = |what: &str| gamma.run(&format!("avahi-browse -rpt {what}")).stdout;
        let line =
            r#";Site\032of\032alpha;Web Site;local;alpha.local;10.99.0.1;8080;"note" "path=/x""#;
        until("the service", || browse("_http._tcp").contains(line));
        assert!(browse("_printer._sub._http._tcp").contains("8080"));
        assert!(browse("-a").contains(";_http._tcp;local") || browse("-a").contains("Web Site"));
        resolved.end();
        until("its end", || !browse("_http._tcp").contains("Site"));
    });
}

#[test]
fn ours_and_avahi_share_a_machine() {
    sandbox!(options(), |s| {
        if !begin(s) {
            return;
        }
        let alpha = Machine::start(s, "alpha", 1);
        let gamma = Machine::start(s, "gamma", 3);
        gamma.avahi();
        let avahi = alpha.avahi();
        let resolved = alpha.resolved(Which::Ours);
        alpha.spawn("publish", "avahi-publish -s Files _smb._tcp 445");
        found(&alpha, "gamma.local", 2, MDNS_V4, &["10.99.0.3"]);
        let ask = "avahi-resolve -4 -n gamma.local";
        assert_eq!(alpha.run(ask).stdout, "gamma.local\t10.99.0.3\n");
        let ask = "avahi-resolve -4 -n alpha.local";
        until("both of one name", || {
            gamma.run(ask).stdout == "alpha.local\t10.99.0.1\n"
        });
        // What the other announces is found here, too.
        let service =
            json!({"name": "Files", "type": "_smb._tcp", "domain": "local", "flags": MDNS_V4});
        until("a service", || {
            let reply = alpha.call("ResolveService", &service);
            reply["parameters"]["services"][0]["port"] == 445
        });
        thread::sleep(Duration::from_secs(3));
        assert_eq!(new_name(&resolved), None);
        assert!(!avahi.log().contains("retrying with"), "{}", avahi.log());
    });
}

/// The changes that a browser was told, one a line: `added Office _ipp._tcp local`.
fn changes(reply: &Value) -> Vec<String> {
    let data = reply["parameters"]["browserServiceData"]
        .as_array()
        .unwrap();
    let line = |change: &Value| {
        let word = |key: &str| change[key].as_str().unwrap_or("-").to_owned();
        let words = ["updateFlag", "name", "type", "domain"].map(word);
        words.join(" ")
    };
    data.iter().map(line).collect()
}

#[test]
fn our_browser_sees_services_come_and_go() {
    sandbox!(options(), |s| {
        if !begin(s) {
            return;
        }
        let alpha = Machine::start(s, "alpha", 1);
        let gamma = Machine::start(s, "gamma", 3);
        alpha.resolved(Which::Ours);
        gamma.avahi();
        let browse = |parameters: Value| alpha.calls("BrowseServices", &parameters, true);
        let mut printers =
            browse(json!({"domain": "local", "type": "_ipp._tcp", "flags": MDNS_V4 | MDNS_V6}));
        let mut types = browse(json!({"domain": "local", "flags": MDNS_V4 | MDNS_V6}));
        thread::sleep(Duration::from_secs(1));
        let publish = "avahi-publish -s Office _ipp._tcp 631 rp=x";
        let publisher = gamma.spawn("publish", publish);
        let added = changes(&printers.next().unwrap());
        assert_eq!(added[0], "added Office _ipp._tcp local");
        assert_eq!(
            changes(&types.next().unwrap())[0],
            "added - _ipp._tcp local"
        );
        // One who comes later is told what is there.
        let mut later = browse(json!({"domain": "local", "type": "_ipp._tcp", "flags": 0}));
        let there = changes(&later.next().unwrap());
        assert!(
            there.contains(&"added Office _ipp._tcp local".to_owned()),
            "{there:?}"
        );
        let service = json!({"name": "Office", "type": "_ipp._tcp", "domain": "local", "flags": MDNS_V4 | MDNS_V6});
        let reply = alpha.call("ResolveService", &service);
        let found = &reply["parameters"]["services"][0];
        assert_eq!(
            (&found["port"], &found["hostname"]),
            (&json!(631), &json!("gamma.local")),
            "{reply}"
        );
        publisher.end();
        let removed = printers.find(|reply| changes(reply)[0].starts_with("removed"));
        assert_eq!(
            changes(&removed.unwrap())[0],
            "removed Office _ipp._tcp local"
        );
    });
}

/// The name that our resolved took instead.
fn new_name(resolved: &Daemon) -> Option<String> {
    let log = resolved.log();
    let line = log.lines().rfind(|line| line.contains("from now on"))?;
    let name = line
        .split("this one is ")
        .nth(1)?
        .split([' ', '.'])
        .next()?;
    Some(name.to_owned())
}

#[test]
fn who_comes_second_takes_another_name() {
    sandbox!(options(), |s| {
        if !begin(s) {
            return;
        }
        let first = Machine::start(s, "same", 1);
        first.resolved(Which::Peer);
        let watcher = Machine::start(s, "watcher", 3);
        watcher.resolved(Which::Ours);
        found(&watcher, "same", 2, LLMNR_V4, &["10.99.0.1"]);
        found(&watcher, "same.local", 2, MDNS_V4, &["10.99.0.1"]);
        let second = Machine::start(s, "same", 2);
        let resolved = second.resolved(Which::Ours);
        until("another name", || new_name(&resolved).is_some());
        // LLMNR and mDNS both lose, at their own pace, and end with one name.
        thread::sleep(Duration::from_secs(3));
        let name = new_name(&resolved).unwrap();
        assert!(name.starts_with("same") && name.len() > 4, "{name}");
        found(&watcher, &name, 2, LLMNR_V4, &["10.99.0.2"]);
        found(
            &watcher,
            &format!("{name}.local"),
            2,
            MDNS_V4,
            &["10.99.0.2"],
        );
        found(&watcher, "same", 2, LLMNR_V4, &["10.99.0.1"]);
        found(&watcher, "same.local", 2, MDNS_V4, &["10.99.0.1"]);
    });
}

#[test]
fn who_comes_first_keeps_its_name() {
    sandbox!(options(), |s| {
        if !begin(s) {
            return;
        }
        let first = Machine::start(s, "same", 1);
        let resolved = first.resolved(Which::Ours);
        let watcher = Machine::start(s, "watcher", 3);
        watcher.resolved(Which::Ours);
        found(&watcher, "same", 2, LLMNR_V4, &["10.99.0.1"]);
        found(&watcher, "same.local", 2, MDNS_V4, &["10.99.0.1"]);
        let second = Machine::start(s, "same", 2);
        let avahi = Machine::start(s, "same", 4);
        second.resolved(Which::Peer);
        let avahi = avahi.avahi();
        until("another name", || {
            avahi.log().contains("retrying with same-2")
        });
        found(&watcher, "same-2.local", 2, MDNS_V4, &["10.99.0.4"]);
        thread::sleep(Duration::from_secs(2));
        found(&watcher, "same", 2, LLMNR_V4, &["10.99.0.1"]);
        found(&watcher, "same.local", 2, MDNS_V4, &["10.99.0.1"]);
        assert!(!resolved.log().contains("from now on"));
    });
}

#[test]
fn a_service_that_another_has_is_withdrawn() {
    sandbox!(options(), |s| {
        if !begin(s) {
            return;
        }
        let alpha = Machine::start(s, "alpha", 1);
        let beta = Machine::start(s, "beta", 2);
        for (machine, port) in [(&alpha, 1000), (&beta, 2000)] {
            machine.service("site", &format!("Name=Site\nType=_http._tcp\nPort={port}"));
        }
        alpha.resolved(Which::Ours);
        thread::sleep(Duration::from_secs(3));
        let second = beta.resolved(Which::Ours);
        until("the conflict", || {
            second.log().contains("the name of the service site")
        });
    });
}

#[test]
fn what_ends_is_forgotten_at_once() {
    sandbox!(options(), |s| {
        if !begin(s) {
            return;
        }
        let alpha = Machine::start(s, "alpha", 1);
        let beta = Machine::start(s, "beta", 2);
        alpha.resolved(Which::Ours);
        let ends = beta.resolved(Which::Ours);
        found(&alpha, "beta.local", 2, MDNS_V4, &["10.99.0.2"]);
        let cached = || {
            let parameters = json!({"name": "beta.local", "family": 2, "flags": MDNS_V4});
            alpha.call("ResolveHostname", &parameters)["parameters"]["flags"].as_u64()
        };
        const FROM_CACHE: u64 = 1 << 20;
        assert!(cached().unwrap() & FROM_CACHE != 0);
        ends.end();
        thread::sleep(Duration::from_millis(1500));
        assert_eq!(cached(), None);
    });
}

#[test]
fn a_link_goes_and_comes_back() {
    sandbox!(options(), |s| {
        if !begin(s) {
            return;
        }
        let alpha = Machine::start(s, "alpha", 1);
        let beta = Machine::start(s, "beta", 2);
        alpha.resolved(Which::Ours);
        beta.resolved(Which::Ours);
        found(&alpha, "beta", 2, LLMNR_V4, &["10.99.0.2"]);
        beta.run("ip link set eth0 down").ok();
        let gone = alpha.addresses("beta", 2, LLMNR_V4);
        assert_eq!(gone, ["\"io.systemd.Resolve.DNSError\""]);
        let sockets = || beta.run("ss -lntu").ok();
        until("its sockets to be closed", || {
            !sockets().contains(":5355") && !sockets().contains(":5353")
        });
        beta.run("ip link set eth0 up && ip addr add fd99::2/64 dev eth0 nodad")
            .ok();
        found(&alpha, "beta", 2, LLMNR_V4, &["10.99.0.2"]);
        found(&alpha, "beta.local", 10, MDNS_V6, &["fd99::2"]);
        beta.run("ip addr add 10.99.0.22/24 dev eth0").ok();
        found(&alpha, "beta", 2, LLMNR_V4, &["10.99.0.2", "10.99.0.22"]);
        found(
            &alpha,
            "beta.local",
            2,
            MDNS_V4,
            &["10.99.0.2", "10.99.0.22"],
        );
        beta.run("hostname delta").ok();
        found(&alpha, "delta", 2, LLMNR_V4, &["10.99.0.2", "10.99.0.22"]);
        found(
            &alpha,
            "delta.local",
            2,
            MDNS_V4,
            &["10.99.0.2", "10.99.0.22"],
        );
    });
}

#[test]
fn more_links_than_a_socket_may_have_groups() {
    sandbox!(options(), |s| {
        if !begin(s) {
            return;
        }
        let alpha = Machine::start(s, "alpha", 1);
        alpha.resolved(Which::Ours);
        for n in 0..30 {
            let (one, other) = (format!("a{n}"), format!("b{n}"));
            alpha
                .run(&format!(
                    "ip link add {one} type veth peer name {other} && ip link set {one} up &&
                     ip link set {other} up && ip addr add 10.100.{n}.1/24 dev {one}"
                ))
                .ok();
        }
        until("all groups", || {
            let groups = alpha.run("ip maddr show").ok();
            let count = |group: &str| groups.lines().filter(|line| line.contains(group)).count();
            // Both ends of each link have addresses of IPv6.
            count(" 224.0.0.252") == 31 && count(" ff02::1:3") == 61 && count(" 224.0.0.251") == 31
        });
    });
}

/// What no daemon should mind: noise, and messages cut, bent and repeated.
const NOISE: &str = r#"
import os, random, socket, struct, sys
random.seed(7)
query = bytes.fromhex("000000000001000000000000" "05616c706861" "056c6f63616c00" "00ff0001")
label = bytes.fromhex("123400000001000000000000" "05616c706861" "00" "00ff0001")
loop = bytes.fromhex("000000000001000000000000" "c00c" "00ff0001")
answer = bytes.fromhex("000084000000000100000000" "05616c706861" "056c6f63616c00" "00018001000000780004" "0a630063")
samples = [query, label, loop, answer]
sockets = []
for port in (5353, 5355):
    for source in (port, 0):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("10.99.0.3", source))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.99.0.3"))
        group = "224.0.0.251" if port == 5353 else "224.0.0.252"
        sockets += [(s, (group, port)), (s, ("10.99.0.1", port))]
for n in range(20000):
    packet = bytearray(random.choice(samples))
    kind = n % 4
    if kind == 0:
        packet = os.urandom(random.randrange(0, 100))
    elif kind == 1:
        packet[random.randrange(len(packet))] = random.randrange(256)
    elif kind == 2:
        packet = packet[:random.randrange(len(packet))]
    else:
        packet[4:12] = struct.pack(">HHHH", *(random.choice((0, 1, 65535)) for _ in range(4)))
    s, to = random.choice(sockets)
    try:
        s.sendto(bytes(packet), to)
    except OSError:
        pass
for n in range(50):
    c = socket.socket()
    c.settimeout(0.05)
    try:
        c.connect(("10.99.0.1", 5355))
        c.send(os.urandom(random.randrange(0, 40)))
    except OSError:
        pass
    sockets.append((c, None))
"#;

#[test]
fn noise_does_no_harm() {
    sandbox!(options(), |s| {
        if !begin(s) {
            return;
        }
        let alpha = Machine::start(s, "alpha", 1);
        let beta = Machine::start(s, "beta", 2);
        let noisy = Machine::start(s, "noisy", 3);
        let resolved = alpha.resolved(Which::Ours);
        beta.resolved(Which::Ours);
        found(&beta, "alpha", 2, LLMNR_V4, &["10.99.0.1"]);
        fs::write(noisy.path("run/noise.py"), NOISE).unwrap();
        noisy.run("python3 /run/noise.py").ok();
        assert!(fs::exists(format!("/proc/{}", resolved.pid())).unwrap());
        // By whatever name it goes now: the noise has taken the one it had, perhaps.
        let name = alpha.run("cat /proc/sys/kernel/hostname").ok();
        let name = new_name(&resolved).unwrap_or(name.trim().to_owned());
        found(&beta, &name, 2, LLMNR_V4, &["10.99.0.1"]);
        let log = resolved.log();
        assert!(!log.contains("panicked"), "{log}");
    });
}
