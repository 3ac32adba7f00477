//! Two links with servers and domains of their own: who is asked for which name, at either resolved; and a link that is
//! pulled while names are looked up.

mod resolved_links_world;

use std::fs;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use resolved_links_world::{Host, SHARED, Said, ask_stub, options, start_resolved};
use support::{Sandbox, Which, sandbox, skip};

/// Who answered: `lan`, `vpn`, or `nobody`. All ways in must lead to the same one.
fn who(s: &Sandbox, name: &str) -> &'static str {
    let getent = s.run(&format!("timeout 9 getent ahostsv4 {name} || true"));
    let bus = s.run(&format!(
        "timeout 9 resolvectl query -4 --legend=no {name} || true"
    ));
    let by_module = named(&getent.ok());
    let by_bus = named(&bus.ok());
    assert_eq!(by_module, by_bus, "{name}");
    if name.contains('.') {
        let by_stub = match ask_stub(name) {
            Said::Address(address) => named(&address.to_string()),
            _ => "nobody",
        };
        assert_eq!(by_stub, by_bus, "{name}");
    }
    by_bus
}

fn named(text: &str) -> &'static str {
    match (text.contains("10.1.0.99"), text.contains("10.2.0.99")) {
        (true, false) => "lan",
        (false, true) => "vpn",
        (false, false) => "nobody",
        (true, true) => "both",
    }
}

/// What is told, by verbs of resolvectl; then names, and who is to answer.
type Step = (
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
);

const STEPS: &[Step] = &[
    // Servers alone: each takes everything.
    (
        &["dns lan0 10.1.0.53"],
        &[
            ("a.test", "lan"),
            ("a.lan.example", "lan"),
            ("single", "nobody"),
        ],
    ),
    // A search domain draws its names; one that has only a routing domain takes nothing else.
    (
        &[
            "domain lan0 lan.example",
            "dns vpn0 10.2.0.53",
            "domain vpn0 ~corp.test",
        ],
        &[
            ("a.lan.example", "lan"),
            ("lan.example", "lan"),
            ("corp.test", "vpn"),
            ("a.corp.test", "vpn"),
            ("a.b.CORP.Test", "vpn"),
            ("acorp.test", "lan"),
            ("a.test", "lan"),
            // The search domain's.
            ("single", "lan"),
        ],
    ),
    // The longest wins, on whichever link.
    (
        &[
            "domain lan0 ~test ~x.corp.test",
            "domain vpn0 ~corp.test ~y.x.corp.test",
        ],
        &[
            ("a.test", "lan"),
            ("a.corp.test", "vpn"),
            ("a.x.corp.test", "lan"),
            ("a.y.x.corp.test", "vpn"),
            ("a.example", "nobody"),
            ("single", "nobody"),
        ],
    ),
    // Both search: the second's.
    (
        &[
            "domain lan0 ''",
            "default-route lan0 no",
            "domain vpn0 vpn.example",
            "default-route vpn0 yes",
        ],
        &[
            ("single", "vpn"),
            ("a.test", "vpn"),
            ("a.lan.example", "vpn"),
        ],
    ),
    // Everything, but what is more exactly another's.
    (
        &[
            "domain lan0 lan.example",
            "domain vpn0 ~.",
            "default-route lan0 yes",
        ],
        &[
            ("a.test", "vpn"),
            ("a.lan.example", "lan"),
            ("single", "lan"),
        ],
    ),
    (
        &[
            "domain vpn0 ''",
            "default-route vpn0 no",
            "default-route lan0 no",
        ],
        &[("a.test", "nobody"), ("a.lan.example", "lan")],
    ),
    (
        &["default-route vpn0 yes"],
        &[("a.test", "vpn"), ("a.lan.example", "lan")],
    ),
    // The same name as before, by another server: nothing of the old one's is left.
    (
        &["default-route vpn0 no", "default-route lan0 yes"],
        &[("a.test", "lan")],
    ),
    (&["dns lan0 10.2.0.53"], &[]),
    (
        &["dns lan0 10.1.0.53", "revert vpn0"],
        &[("a.corp.test", "lan"), ("a.vpn.example", "lan")],
    ),
    (
        &["revert lan0"],
        &[("a.test", "nobody"), ("a.lan.example", "nobody")],
    ),
];

fn routing(s: &Sandbox, which: Which) {
    if s.is_rootless() {
        skip!("resolved becomes another user, and there is none");
    }
    let _hosts = [Host::start(s, "lan", 1), Host::start(s, "vpn", 2)];
    let _resolved = start_resolved(which, "");
    for (told, names) in STEPS {
        for verb in *told {
            s.run(&format!("resolvectl {verb}")).ok();
        }
        for (name, expected) in *names {
            let found = who(s, name);
            assert_eq!(
                found,
                *expected,
                "{name} after {told:?}: {}",
                s.run("resolvectl").ok()
            );
        }
    }
    // A link that is named is asked, and no other; one that takes its domains alone is not asked for others.
    s.run("resolvectl dns lan0 10.1.0.53 && resolvectl dns vpn0 10.2.0.53 && resolvectl domain vpn0 ~corp.test")
        .ok();
    for (link, name, expected) in [
        ("lan0", "b.corp.test", "lan"),
        ("lan0", "b.test", "lan"),
        ("vpn0", "b.corp.test", "vpn"),
        ("vpn0", "b.test", "nobody"),
    ] {
        let query = format!("resolvectl query -4 --legend=no -i {link} {name} || true");
        assert_eq!(named(&s.run(&query).ok()), expected, "{name} by {link}");
    }
    // What is shown is what was told.
    for (verb, lan, vpn) in [
        ("dns", "10.1.0.53", "10.2.0.53"),
        ("domain", "", "~corp.test"),
        ("default-route", "yes", "no"),
    ] {
        let shown = s.run(&format!("resolvectl {verb}")).ok();
        for (link, value) in [("lan0", lan), ("vpn0", vpn)] {
            let line = shown
                .lines()
                .find(|line| line.contains(&format!("({link})")));
            let value = format!("({link}): {value}");
            assert!(
                line.unwrap().trim_end().ends_with(value.trim_end()),
                "{shown}"
            );
        }
    }
}

#[test]
fn names_are_routed_by_domains_at_systemds() {
    sandbox!(options(), |s| routing(s, Which::Peer));
}

#[test]
fn names_are_routed_by_domains_at_ours() {
    sandbox!(options(), |s| routing(s, Which::Ours));
}

/// One address that two networks have: each link's server is reached by its link, whatever the routes say.
#[test]
fn servers_are_bound_to_their_link() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let _hosts = [Host::start(s, "lan", 1), Host::start(s, "vpn", 2)];
        s.run(&format!(
            "ip route add {SHARED} via 10.1.0.53 metric 10 && ip route add {SHARED} via 10.2.0.53 metric 20"
        ))
        .ok();
        let _resolved = start_resolved(Which::Ours, "");
        for link in ["lan", "vpn"] {
            let domain = format!("resolvectl domain {link}0 ~{link}.example");
            s.run(&format!("resolvectl dns {link}0 {SHARED} && {domain}"))
                .ok();
        }
        for link in ["vpn", "lan", "vpn"] {
            assert_eq!(who(s, &format!("a.{link}.example")), link);
            // By TCP.
            let dig = format!("timeout 9 dig +tcp +short @127.0.0.53 long.{link}.example TXT");
            let text = s.run(&dig).ok();
            assert!(text.starts_with(&format!("\"{link}{link}")), "{text}");
            assert!(text.len() > 2000, "{text}");
        }
    });
}

/// A link's server may be an address of this machine's own, of that link or of another: it answers by the loopback.
#[test]
fn a_links_server_may_be_this_machine() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let _hosts = [Host::start(s, "lan", 1), Host::start(s, "vpn", 2)];
        // So many addresses that they are asked for by TCP.
        let lines = (1..=150).map(|host| format!("10.201.0.{host} many.example\n"));
        fs::write("/run/own", lines.collect::<String>()).unwrap();
        let dnsmasq = "dnsmasq -k -C /dev/null -u root --pid-file= -a 10.1.0.1 --bind-interfaces -R -h -H /run/own";
        let dnsmasq: Vec<_> = dnsmasq.split_whitespace().collect();
        s.spawn("dnsmasq", &dnsmasq);
        s.wait_for(|| s.run("ss -ltn").ok().contains("10.1.0.1:53"), "dnsmasq");
        let _resolved = start_resolved(Which::Ours, "");
        for link in ["lan0", "vpn0"] {
            s.run(&format!("resolvectl dns {link} 10.1.0.1")).ok();
            let took = || {
                s.run("resolvectl flush-caches").ok();
                let begun = Instant::now();
                let dig = "timeout 9 dig +tcp +short +tries=1 @127.0.0.53 many.example";
                assert_eq!(s.run(dig).ok().lines().count(), 150, "{link}");
                begun.elapsed()
            };
            // Were the first packets lost, the kernel would send them again after a second.
            let best = (0..4).map(|_| took()).min().unwrap();
            assert!(best < Duration::from_millis(800), "{link}: {best:?}");
            s.run(&format!("resolvectl revert {link}")).ok();
        }
    });
}

/// Looks names of lan's domain up, a new one each time, until it is told to stop.
struct Looker<'a> {
    stop: &'a AtomicBool,
}

impl Looker<'_> {
    /// All that was said, and the longest time that it took.
    fn run(&self, number: usize) -> (Vec<Said>, Duration) {
        let mut said = Vec::new();
        let mut longest = Duration::ZERO;
        while !self.stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            said.push(ask_stub(&format!("t{number}n{}.lan.example", said.len())));
            longest = longest.max(begun.elapsed());
        }
        (said, longest)
    }
}

#[test]
fn a_link_is_pulled_under_lookups() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let lan = Host::start(s, "lan", 1);
        let vpn = Host::start(s, "vpn", 2);
        let _resolved = start_resolved(Which::Ours, "");
        let tell = |link: &str, what: &str| {
            s.run(&format!("resolvectl dns {link}0 {what}")).ok();
        };
        tell("lan", &lan.server());
        tell("vpn", &vpn.server());
        s.run("resolvectl domain lan0 ~lan.example && resolvectl default-route vpn0 yes")
            .ok();
        let mut count = 0;
        let mut is_answered_by = |host: &Host<'_>| {
            count += 1;
            let name = format!("c{count}.lan.example");
            ask_stub(&name) == Said::Address(host.answer().parse().unwrap())
        };
        let soon = Duration::from_secs(5);
        let stop = AtomicBool::new(false);
        std::thread::scope(|threads| {
            let lookers: Vec<_> = (0..8)
                .map(|number| {
                    let looker = Looker { stop: &stop };
                    threads.spawn(move || looker.run(number))
                })
                .collect();
            for _ in 0..3 {
                s.wait_within(soon, || is_answered_by(&lan), "the server of the link");
                s.run("ip link set lan0 down").ok();
                s.wait_within(soon, || is_answered_by(&vpn), "the other link's server");
                // And by nobody else from now on.
                assert!((0..20).all(|_| is_answered_by(&vpn)));
                s.run("ip link set lan0 up").ok();
            }
            // Its settings go with it; the new one of this name is another.
            s.wait_within(soon, || is_answered_by(&lan), "the server of the link");
            s.run("ip link del lan0").ok();
            s.wait_within(soon, || is_answered_by(&vpn), "the other link's server");
            lan.link_again();
            assert!(is_answered_by(&vpn));
            tell("lan", &lan.server());
            s.run("resolvectl domain lan0 ~lan.example").ok();
            s.wait_within(soon, || is_answered_by(&lan), "the server of the new link");
            stop.store(true, Ordering::Relaxed);
            let addresses = [&lan, &vpn].map(|host| host.answer().parse::<Ipv4Addr>().unwrap());
            let (mut answered, mut failed) = (0, 0);
            for looker in lookers {
                let (all, longest) = looker.join().unwrap();
                println!("{} lookups, the longest took {longest:?}", all.len());
                assert!(longest < Duration::from_secs(8), "{longest:?}");
                for said in all {
                    match said {
                        Said::Address(address) if addresses.contains(&address) => answered += 1,
                        // SERVFAIL: it was under way when the link went.
                        Said::Code(2) => failed += 1,
                        wrong => panic!("{wrong:?}"),
                    }
                }
            }
            println!("{answered} answered, {failed} failed");
            assert!(answered > 200, "{answered}");
            assert!(failed <= 5 * 8, "{failed} failed of {answered}");
        });
    });
}

/// The server does not answer, the link goes: who waits is told, and the next who asks is answered by another.
#[test]
fn lookups_that_wait_for_a_pulled_link_end() {
    sandbox!(options(), |s| {
        if s.is_rootless() {
            skip!("resolved becomes another user, and there is none");
        }
        let lan = Host::start(s, "lan", 1);
        let vpn = Host::start(s, "vpn", 2);
        let _resolved = start_resolved(Which::Ours, "");
        s.run(&format!(
            "resolvectl dns lan0 {} && resolvectl domain lan0 ~lan.example &&
             resolvectl dns vpn0 {} && resolvectl default-route vpn0 yes",
            lan.server(),
            vpn.server()
        ))
        .ok();
        lan.stop_server(true);
        let under_way = || {
            let shown = s.run("resolvectl statistics").ok();
            let line = shown
                .lines()
                .find(|line| line.contains("Current Transactions"));
            !line.unwrap().trim().ends_with(" 0")
        };
        std::thread::scope(|threads| {
            let waits = threads.spawn(|| {
                let begun = Instant::now();
                (ask_stub("waits.lan.example"), begun.elapsed())
            });
            s.wait_for(under_way, "a lookup under way");
            let pulled = Instant::now();
            s.run("ip link set lan0 down").ok();
            let (said, took) = waits.join().unwrap();
            println!(
                "{said:?} after {took:?}, {:?} after the link went",
                pulled.elapsed()
            );
            assert!(
                matches!(said, Said::Code(2))
                    || said == Said::Address(vpn.answer().parse().unwrap()),
                "{said:?}"
            );
            assert!(
                pulled.elapsed() < Duration::from_secs(5),
                "{:?}",
                pulled.elapsed()
            );
        });
        let expected = Said::Address(vpn.answer().parse().unwrap());
        assert_eq!(ask_stub("later.lan.example"), expected);
        lan.stop_server(false);
    });
}
