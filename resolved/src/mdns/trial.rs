//! Packets of neighbours, to a machine that announces itself and a service, and browses: for fuzzing.

use std::{net::SocketAddr, time::Duration};

use super::{
    PORT,
    engine::{Arrival, Engine},
    own,
};
use crate::{
    config::DnssdService,
    links::{Link, LinkAddress},
};

/// Bytes of a packet that the machine sends.
pub const LIMIT: usize = 1400;

/// Its address.
const OWN: [u8; 4] = [192, 0, 2, 1];
/// Between two packets.
const PAUSE: Duration = Duration::from_millis(300);

/// What came of the packets.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What the machine sent.
    pub sent: Vec<Vec<u8>>,
    /// The names and types that it has room for what was heard of.
    pub places: usize,
    /// It wanted to be called again at the moment at which it was called.
    pub spins: bool,
}

/// Has the machine hear these, one after the other. By their place they are multicast or not, from a program of mDNS or not,
/// from a neighbour or not.
#[must_use]
pub fn try_packets(packets: &[&[u8]]) -> Option<Outcome> {
    let mut now = Duration::from_secs(1000);
    let mut engine = machine(now)?;
    let mut outcome = Outcome::default();
    for _ in 0..12 {
        now += PAUSE;
        outcome.spins |= engine.tick(now).is_some_and(|next| next <= now);
    }
    for (packet, kind) in packets.iter().zip((0..8_u8).cycle()) {
        let (multicast, port, last) = (kind & 1 == 0, kind & 2 == 0, 2 + (kind >> 2));
        let arrival = Arrival {
            peer: SocketAddr::from(([192, 0, 2, last], if port { PORT } else { 40_000 })),
            multicast,
            own: false,
            neighbour: last == 2,
        };
        engine.receive(packet, arrival, now);
        outcome.spins |= engine.tick(now).is_some_and(|next| next <= now);
        now += PAUSE;
        outcome.spins |= engine.tick(now).is_some_and(|next| next <= now);
    }
    outcome.places = engine.heard.places();
    engine.goodbye();
    outcome.sent = engine
        .packets
        .into_iter()
        .map(|packet| packet.bytes)
        .collect();
    Some(outcome)
}

fn machine(now: Duration) -> Option<Engine> {
    let link = Link {
        addresses: vec![LinkAddress {
            address: OWN.into(),
            prefix: 24,
            scope: 0,
            unusable: false,
        }],
        ..Link::default()
    };
    let service = DnssdService {
        id: "web".to_owned(),
        name_template: String::new(),
        service_type: "_http._tcp".to_owned(),
        subtype: Some("_printer".to_owned()),
        port: 80,
        priority: 0,
        weight: 0,
        txt: Vec::new(),
        owner: 0,
    };
    let host = own::host("web", &link)?;
    let name = host.name.clone();
    let groups = vec![host, own::service(&service, "Web", &name)?];
    let mut engine = Engine::new(LIMIT);
    engine.announce(groups, now, Duration::ZERO);
    engine.asking.watch(&own::local("_http._tcp")?, now);
    Some(engine)
}
