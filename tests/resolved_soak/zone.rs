//! A zone whose names change all the time, and which knows of each answer when it was right.

use std::{
    net::{Ipv4Addr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use crate::wire::{self, A, CNAME, SOA, encoded, u16_at};

const NO_SUCH_NAME: u8 = 3;

/// What there is about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Address(Ipv4Addr),
    NoName,
}

/// Names below day.test: `hN` has an address, every tenth of them now and then; `cN` is another name for it; no other is
/// there. Addresses and absences hold for some seconds, and say for which.
#[derive(Debug)]
pub struct Zone {
    begun: Instant,
    /// The longest time to live, in seconds.
    longest: u64,
    pub silent: AtomicBool,
    pub asked: AtomicU64,
}

impl Zone {
    pub fn new(longest: u64) -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            longest,
            silent: AtomicBool::new(false),
            asked: AtomicU64::new(0),
        })
    }

    /// Since the beginning.
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Of the address of a name, in seconds.
    pub fn ttl(&self, host: u64) -> u32 {
        u32::try_from(1 + host % self.longest).unwrap()
    }

    /// Of its absence.
    pub fn negative_ttl(&self, host: u64) -> u32 {
        u32::try_from(1 + host % 3).unwrap()
    }

    /// How often it has changed.
    fn version(&self, host: u64, at: Duration) -> u64 {
        let period = 2 + host * 7 % self.longest;
        (at.as_secs() + host) / period
    }

    fn says(host: u64, version: u64) -> Said {
        if host.is_multiple_of(10) && version % 2 == 1 {
            return Said::NoName;
        }
        let [.., high, low] = host.to_be_bytes();
        let [.., last] = version.to_be_bytes();
        Said::Address([10, high, low, last].into())
    }

    /// Whether that was right at any time from the one to the other.
    pub fn said(&self, host: u64, said: Said, from: Duration, to: Duration) -> bool {
        let mut versions = self.version(host, from)..=self.version(host, to);
        versions.any(|version| Self::says(host, version) == said)
    }

    /// Answers on a socket for as long as the process lives.
    pub fn serve(self: &Arc<Self>, socket: UdpSocket, vpn: bool) {
        let zone = Arc::clone(self);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            loop {
                let (length, client) = socket.recv_from(&mut bytes).unwrap();
                zone.asked.fetch_add(1, Relaxed);
                if zone.silent.load(Relaxed) && !vpn {
                    continue;
                }
                if let Some(answer) = zone.answer(&bytes[..length], vpn) {
                    drop(socket.send_to(&answer, client));
                }
            }
        });
    }

    fn answer(&self, query: &[u8], vpn: bool) -> Option<Vec<u8>> {
        let (mut labels, mut at) = (Vec::new(), 12);
        while let length @ 1.. = usize::from(*query.get(at)?) {
            let label = query.get(at + 1..)?.get(..length)?;
            labels.push(String::from_utf8(label.to_ascii_lowercase()).ok()?);
            at += 1 + length;
        }
        let question = query.get(12..at + 5)?;
        let rtype = u16_at(query, at + 1)?;
        let mut body = Body::default();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        match labels.as_slice() {
            [name, "day", "test"] => self.of_the_day(name, rtype, &mut body),
            [name, "vpn", "test"] if vpn => {
                let host: u8 = name.strip_prefix('v')?.parse().ok()?;
                body.address(rtype, 2, [10, 255, 0, host].into());
            }
            _ => body.none(2),
        }
        let [id_high, id_low, ..] = *query else {
            return None;
        };
        // QR, RD; RA and the code.
        let mut answer = vec![id_high, id_low, 0x81, 0x80 | body.rcode, 0, 1];
        answer.extend(body.answers.to_be_bytes());
        answer.extend(body.authorities.to_be_bytes());
        let edns = u16_at(query, 10)? > 0;
        answer.extend(u16::from(edns).to_be_bytes());
        answer.extend(question);
        answer.extend(body.records);
        if edns {
            answer.extend(b"\0\0\x29\x04\xd0\0\0\0\0\0\0");
        }
        Some(answer)
    }

    fn of_the_day(&self, name: &str, rtype: u16, body: &mut Body) {
        let number = |kind| name.strip_prefix(kind)?.parse::<u64>().ok();
        let host = match (number('h'), number('c')) {
            (Some(host), _) => host,
            (None, Some(host)) => {
                body.alias(self.ttl(host + 7), &format!("h{host}.day.test"));
                if rtype == CNAME {
                    return;
                }
                host
            }
            (None, None) => return body.none(2),
        };
        match Self::says(host, self.version(host, self.now())) {
            Said::Address(address) => body.address(rtype, self.ttl(host), address),
            Said::NoName => body.none(self.negative_ttl(host)),
        }
    }
}

/// The records of an answer. Names are those of the question, or of the alias.
#[derive(Default)]
struct Body {
    rcode: u8,
    answers: u16,
    authorities: u16,
    records: Vec<u8>,
    /// Where the alias leads.
    target: Option<Vec<u8>>,
}

impl Body {
    fn record(&mut self, owner: &[u8], rtype: u16, ttl: u32, data: &[u8]) {
        self.records.extend(owner);
        self.records.extend(rtype.to_be_bytes());
        self.records.extend([0, 1]);
        self.records.extend(ttl.to_be_bytes());
        let length = u16::try_from(data.len()).unwrap();
        self.records.extend(length.to_be_bytes());
        self.records.extend(data);
    }

    fn alias(&mut self, ttl: u32, target: &str) {
        let target = encoded(target);
        self.record(b"\xc0\x0c", CNAME, ttl, &target);
        self.target = Some(target);
        self.answers += 1;
    }

    fn address(&mut self, rtype: u16, ttl: u32, address: Ipv4Addr) {
        if rtype != A {
            return self.soa(ttl);
        }
        let owner = self.target.clone();
        let owner = owner.as_deref().unwrap_or(b"\xc0\x0c");
        self.record(owner, A, ttl, &address.octets());
        self.answers += 1;
    }

    fn none(&mut self, ttl: u32) {
        self.rcode = NO_SUCH_NAME;
        self.soa(ttl);
    }

    fn soa(&mut self, ttl: u32) {
        let mut data = b"\0\0".to_vec();
        for number in [1, 3600, 600, 86400, ttl] {
            data.extend(u32::to_be_bytes(number));
        }
        self.record(&wire::encoded("test"), SOA, ttl, &data);
        self.authorities += 1;
    }
}
