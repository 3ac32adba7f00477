//! Programs that look up names in all ways at once, and hold each answer against what was right.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    ask::{Outcome, TIMEOUT, by_varlink, outcome},
    weather::Weather,
    wire,
    zone::{Said, Zone},
};

/// Hosts; the first are asked for most.
const HOSTS: u64 = 5000;
/// Of these each is asked for all the time.
const HOT: u64 = 20;
/// Times to live are of whole seconds, and answers take a moment.
const SLACK: Duration = Duration::from_millis(1500);
/// SERVFAIL is remembered for 10 s.
const FAILURE: Duration = Duration::from_secs(12);
/// resolved.conf's StaleRetentionSec.
pub const RETENTION: Duration = Duration::from_secs(60);
/// Of what is past its time. RFC 8767, 4
const STALE_TTL: u32 = 30;
/// A change of links is known.
const SETTLED: Duration = Duration::from_millis(700);

/// What was asked how often, and what was wrong.
#[derive(Debug, Default)]
pub struct Tally {
    pub counts: BTreeMap<&'static str, u64>,
    pub wrong: Vec<String>,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        for (what, count) in other.counts {
            *self.counts.entry(what).or_default() += count;
        }
        self.wrong.extend(other.wrong);
    }
}

pub struct Client {
    zone: Arc<Zone>,
    weather: Arc<Mutex<Weather>>,
    udp: UdpSocket,
    /// xorshift, Marsaglia 2003.
    state: u64,
    tally: Tally,
}

impl Client {
    /// Looks names up, one every `pause`, until it is told to stop.
    pub fn start(
        zone: &Arc<Zone>,
        weather: &Arc<Mutex<Weather>>,
        stop: &Arc<AtomicBool>,
        number: u64,
        pause: Duration,
    ) -> JoinHandle<Tally> {
        let mut client = Self {
            zone: Arc::clone(zone),
            weather: Arc::clone(weather),
            udp: wire::client(TIMEOUT),
            state: 0x9e37_79b9_7f4a_7c15 ^ (number + 1),
            tally: Tally::default(),
        };
        let stop = Arc::clone(stop);
        thread::spawn(move || {
            while !stop.load(Relaxed) && client.tally.wrong.len() < 10 {
                let begun = Instant::now();
                client.once();
                thread::sleep(pause.saturating_sub(begun.elapsed()));
            }
            client.tally
        })
    }

    fn below(&mut self, end: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 16) % end
    }

    /// Few names make most of the load.
    fn host(&mut self) -> u64 {
        let end = [HOT, HOT * 10, HOSTS][usize::try_from(self.below(3)).unwrap()];
        self.below(end)
    }

    fn once(&mut self) {
        let host = self.host();
        let sent = self.zone.now();
        match self.below(100) {
            0..55 => {
                let outcome = self.by_udp(&format!("h{host}.day.test"));
                self.check("udp", host, sent, outcome);
            }
            55..70 => {
                let outcome = self.by_udp(&format!("c{host}.day.test"));
                self.check("alias", host, sent, outcome);
            }
            70..75 => {
                let id = self.id();
                let name = format!("h{host}.day.test");
                let outcome = outcome(wire::ask_by_tcp(id, &name, TIMEOUT));
                self.check("tcp", host, sent, outcome);
            }
            75..85 => {
                let outcome = by_varlink(&format!("h{host}.day.test"));
                self.check("varlink", host, sent, outcome.map(|outcome| (outcome, 0)));
            }
            85..90 => {
                let name = format!("x{}.day.test", self.below(u64::MAX));
                let outcome = self.by_udp(&name);
                self.check_absent(sent, outcome);
            }
            _ => {
                let host = self.below(200);
                let outcome = self.by_udp(&format!("v{host}.vpn.test"));
                self.check_vpn(host, sent, outcome);
            }
        }
    }

    fn id(&mut self) -> u16 {
        u16::try_from(self.below(65536)).unwrap()
    }

    fn by_udp(&mut self, name: &str) -> Result<(Outcome, u32), String> {
        let id = self.id();
        outcome(wire::ask(&self.udp, id, name))
    }

    fn count(&mut self, what: &'static str) {
        *self.tally.counts.entry(what).or_default() += 1;
    }

    fn wrong(&mut self, what: String) {
        let at = self.zone.now();
        self.tally.wrong.push(format!("{at:.1?}: {what}"));
    }

    /// Held against the zone: it was right when it could last have been asked for.
    fn check(
        &mut self,
        way: &'static str,
        host: u64,
        sent: Duration,
        outcome: Result<(Outcome, u32), String>,
    ) {
        self.count(way);
        let came = self.zone.now();
        let (outcome, ttl) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return self.wrong(format!("h{host} by {way}: {error}")),
        };
        let (silent, failing, flushed) = {
            let weather = self.weather.lock().unwrap();
            (
                weather.silent(sent.saturating_sub(TIMEOUT), came),
                weather.silent(sent.saturating_sub(FAILURE), came),
                weather.flushed,
            )
        };
        let Outcome::Said(said) = outcome else {
            self.count("failed");
            let kept = host < HOT && !host.is_multiple_of(10);
            let lately = flushed.is_some_and(|flushed| sent < flushed + RETENTION / 2);
            if !failing || kept && !lately && sent > RETENTION / 2 {
                self.wrong(format!("h{host} by {way} failed"));
            }
            return;
        };
        let whole = match said {
            Said::Address(_) => self.zone.ttl(host),
            Said::NoName => self.zone.negative_ttl(host),
        };
        let age = Duration::from_secs(whole.into()) + SLACK;
        let mut from = sent.saturating_sub(age);
        if let Some(flushed) = flushed {
            from = from.max(flushed.saturating_sub(SLACK).min(sent));
        }
        if self.zone.said(host, said, from, came) {
            let stale = if silent { STALE_TTL } else { 0 };
            if ttl > whole.max(self.zone.ttl(host + 7)).max(stale) {
                self.wrong(format!("h{host} by {way}: {ttl} s, of {whole} s at most"));
            }
            return;
        }
        let from = sent.saturating_sub(age + RETENTION);
        if silent && self.zone.said(host, said, from, came) {
            self.count("stale");
            if ttl > STALE_TTL {
                self.wrong(format!("h{host} by {way}: stale, and for {ttl} s"));
            }
            return;
        }
        self.wrong(format!(
            "h{host} by {way} is {said:?}, asked at {sent:.1?} ({age:.1?}, flushed {flushed:.1?})"
        ));
    }

    fn check_absent(&mut self, sent: Duration, outcome: Result<(Outcome, u32), String>) {
        self.count("absent");
        let came = self.zone.now();
        let failing = self
            .weather
            .lock()
            .unwrap()
            .silent(sent.saturating_sub(FAILURE), came);
        match outcome {
            Ok((Outcome::Said(Said::NoName), _)) => {}
            Ok((Outcome::Failed, _)) if failing => {}
            other => self.wrong(format!("a name that is not there: {other:?}")),
        }
    }

    /// Names that the link's server alone knows.
    fn check_vpn(&mut self, host: u64, sent: Duration, outcome: Result<(Outcome, u32), String>) {
        self.count("vpn");
        let came = self.zone.now();
        let (vpn, failing) = {
            let weather = self.weather.lock().unwrap();
            let failing = weather.silent(sent.saturating_sub(FAILURE), came);
            (weather.vpn, failing)
        };
        let (up, since) = vpn;
        if sent < since + SETTLED {
            return;
        }
        let [.., last] = host.to_be_bytes();
        let address = Said::Address(Ipv4Addr::new(10, 255, 0, last));
        match outcome {
            Ok((Outcome::Said(said), _)) if up && said == address => self.count("by the link"),
            Ok((Outcome::Said(Said::NoName), _)) if !up => {}
            Ok((Outcome::Failed, _)) if !up && failing => {}
            other => self.wrong(format!(
                "v{host} with the link {up} since {since:.1?}: {other:?}"
            )),
        }
    }
}
