//! A day: names that change, and a load that asks for them, while the server falls silent, caches are flushed, and a link with
//! a server of its own comes and goes.
//!
//! What is cut is time: times to live are seconds to a minute where they would be minutes to hours, so that some minutes hold
//! as many expiries, questions, silences and changes of links as a day. What the daemon takes time for by itself (10 s
//! for a SERVFAIL, 8 s for a server that is silent, 5 min before an ability is tried again) is as it is.

use std::{
    fs::File,
    net::UdpSocket,
    os::fd::AsFd,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::json;
use support::{Container, Sandbox};

use crate::{
    SETTINGS,
    ask::call,
    load::{Client, RETENTION, Tally},
    nsd::network,
    resident, start,
    weather::Weather,
    wire,
    zone::Zone,
};

const LINK: &str = "ve-vpn";
/// Threads that look up, and how often each does.
const CLIENTS: u64 = 8;
const PAUSE: Duration = Duration::from_micros(5500);
/// More than the daemon has at the start, with a cache full of all names: kB.
const MOST: u64 = 48 * 1024;
/// What the second half of a day may add to the first, kB.
const DRIFT: u64 = 1024;

struct Day<'s> {
    s: &'s Sandbox,
    zone: Arc<Zone>,
    weather: Arc<Mutex<Weather>>,
    link: u32,
    pid: u32,
    /// Memory, kB, once a step.
    memory: Vec<u64>,
}

/// Has a day pass in this time.
pub fn pass(s: &Sandbox, length: Duration) {
    network(s);
    let vpn = s.container("vpn").start();
    let is_long = length >= Duration::from_secs(300);
    let zone = Zone::new(if is_long { 60 } else { 4 });
    zone.serve(UdpSocket::bind("127.0.0.10:53").unwrap(), false);
    zone.serve(behind_the_link(&vpn), true);
    let resolved = start(&format!(
        "DNS=127.0.0.10\nStaleRetentionSec={}",
        RETENTION.as_secs()
    ));
    let client = wire::client(Duration::from_secs(10));
    s.wait_for(
        || wire::ask(&client, 1, "h1.day.test").is_ok_and(|reply| !reply.addresses.is_empty()),
        "an answer",
    );
    let mut day = Day {
        s,
        weather: Arc::default(),
        link: vpn.interface().unwrap(),
        pid: resolved.pid(),
        memory: Vec::new(),
        zone,
    };
    let first = resident(day.pid);
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| Client::start(&day.zone, &day.weather, &stop, number, PAUSE))
        .collect();
    let steps = if is_long { 24 } else { 4 };
    for step in 0..steps {
        day.step(step, length / steps);
        assert!(resolved.is_running(), "{}", resolved.log());
    }
    stop.store(true, Relaxed);
    let mut tally = Tally::default();
    for client in clients {
        tally.add(client.join().unwrap());
    }
    let (lookups, asked) = (
        tally.counts.values().sum::<u64>(),
        day.zone.asked.load(Relaxed),
    );
    println!(
        "{lookups} lookups and their kinds {:?}, {asked} questions to servers; {first} kB at the start, then {:?}",
        tally.counts, day.memory
    );
    assert!(tally.wrong.is_empty(), "{:#?}", tally.wrong);
    assert!(lookups > 1000 && tally.counts.contains_key("by the link"));
    day.is_level(is_long);
    assert!(resolved.end().success());
}

/// A socket in the network on the other side of the link.
fn behind_the_link(vpn: &Container) -> UdpSocket {
    let namespace = File::open(format!("/proc/{}/ns/net", vpn.leader())).unwrap();
    let address = format!("{}:53", vpn.ipv4());
    // A namespace is a thread's.
    let bind = move || {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        UdpSocket::bind(address).unwrap()
    };
    thread::spawn(bind).join().unwrap()
}

impl Day<'_> {
    /// An hour.
    fn step(&mut self, number: u32, length: Duration) {
        if number % 2 == 1 {
            // Before, so that nobody holds an answer against a flush that is yet to come.
            call(SETTINGS, "io.switchyard.Resolve.FlushCaches", json!({})).unwrap();
            self.weather.lock().unwrap().flushed = Some(self.zone.now());
        }
        let server = json!({
            "ifindex": self.link, "servers": ["10.88.0.2"], "domains": ["~vpn.test"], "defaultRoute": false,
        });
        self.vpn(false);
        call(SETTINGS, "io.switchyard.Resolve.SetLink", server).unwrap();
        self.vpn(true);
        thread::sleep(length / 2);
        self.vpn(false);
        if number.is_multiple_of(2) {
            self.s.run(&format!("ip link set {LINK} down")).ok();
        } else {
            let link = json!({ "ifindex": self.link });
            call(SETTINGS, "io.switchyard.Resolve.RevertLink", link).unwrap();
        }
        self.vpn(false);
        self.memory.push(resident(self.pid));
        thread::sleep(length / 4);
        if number % 4 == 2 {
            self.silence(true);
        }
        thread::sleep(length / 4);
        self.silence(false);
        // It still has its server, until the next hour sets it anew.
        self.vpn(false);
        self.s.run(&format!("ip link set {LINK} up")).ok();
    }

    fn vpn(&self, up: bool) {
        self.weather.lock().unwrap().vpn = (up, self.zone.now());
    }

    fn silence(&self, silent: bool) {
        let now = self.zone.now();
        let mut weather = self.weather.lock().unwrap();
        self.zone.silent.store(silent, Relaxed);
        match weather.silences.last_mut() {
            Some((_, ended @ None)) if !silent => *ended = Some(now),
            _ if silent => weather.silences.push((now, None)),
            _ => {}
        }
    }

    /// After the first hours memory stays what it is.
    fn is_level(&self, is_long: bool) {
        let most = self.memory.iter().max().unwrap();
        assert!(*most < MOST, "{most} kB");
        if is_long {
            let (_, settled) = self.memory.split_at(6);
            let (early, late) = settled.split_at(settled.len() / 2);
            let [early, late] =
                [early, late].map(|part| part.iter().sum::<u64>() / part.len() as u64);
            assert!(late < early + DRIFT, "{early} kB became {late} kB");
        }
    }
}
