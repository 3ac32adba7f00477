//! Machines on one link, with a clock of their own.

use std::{net::SocketAddr, time::Duration};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query},
    rr::{RData, Record, RecordType, rdata::PTR},
};

use super::{
    PORT,
    engine::{Arrival, Engine, Event, Packet, To},
    heard::Known,
    own::{self, Key, local},
};
use crate::{
    config::DnssdService,
    links::{Link, LinkAddress},
    message::Question,
};

const SECOND: Duration = Duration::from_secs(1);

struct Machine {
    engine: Engine,
    address: [u8; 4],
    events: Vec<Event>,
}

fn machine(last: u8) -> Machine {
    Machine {
        engine: Engine::new(1400),
        address: [192, 0, 2, last],
        events: Vec::new(),
    }
}

fn web_service(port: u16) -> DnssdService {
    DnssdService {
        id: "web".to_owned(),
        name_template: String::new(),
        service_type: "_http._tcp".to_owned(),
        subtype: None,
        port,
        priority: 0,
        weight: 0,
        txt: Vec::new(),
        owner: 0,
    }
}

impl Machine {
    fn link(&self) -> Link {
        Link {
            addresses: vec![LinkAddress {
                address: self.address.into(),
                prefix: 24,
                scope: 0,
                unusable: false,
            }],
            ..Link::default()
        }
    }

    /// Has it announce a host of this name, and a service if it has one.
    fn is(&mut self, label: &str, instance: Option<&str>, now: Duration) {
        let host = own::host(label, &self.link()).unwrap();
        let name = host.name.clone();
        let mut groups = vec![host];
        groups.extend(instance.and_then(|instance| {
            own::service(
                &web_service(8000 + u16::from(self.address[3])),
                instance,
                &name,
            )
        }));
        self.engine.announce(groups, now, Duration::ZERO);
    }

    fn receive(&mut self, bytes: &[u8], peer: [u8; 4], port: u16, now: Duration) {
        let arrival = Arrival {
            peer: SocketAddr::from((peer, port)),
            multicast: true,
            own: peer == self.address,
            neighbour: peer[..3] == self.address[..3],
        };
        self.engine.receive(bytes, arrival, now);
    }
}

/// All that was said: when, by whom.
type Said = Vec<(Duration, usize, Packet)>;

/// Lets the machines talk from `from` to `until`.
fn run(machines: &mut [Machine], from: Duration, until: Duration) -> Said {
    let mut said = Vec::new();
    let mut now = from;
    loop {
        let mut next = until;
        for at in 0..machines.len() {
            let machine = &mut machines[at];
            if let Some(deadline) = machine.engine.tick(now) {
                next = next.min(deadline.max(now + Duration::from_millis(1)));
            }
            let events = std::mem::take(&mut machine.engine.events);
            machine.events.extend(events);
            let from = machine.address;
            for packet in std::mem::take(&mut machine.engine.packets) {
                for other in machines.iter_mut() {
                    let address = other.address;
                    if packet.to == To::Everyone || packet.to == To::One((address, PORT).into()) {
                        other.receive(&packet.bytes, from, PORT, now);
                        next = next.min(now + Duration::from_millis(1));
                    }
                }
                said.push((now, at, packet));
            }
        }
        if next >= until {
            return said;
        }
        now = next;
    }
}

fn messages(said: &Said, of: usize) -> Vec<Message> {
    let said = said.iter().filter(|(_, by, _)| *by == of);
    said.map(|(_, _, packet)| Message::from_vec(&packet.bytes).unwrap())
        .collect()
}

fn ask(names: &[(&str, RecordType)], known: &[Record]) -> Vec<u8> {
    let mut message = Message::new(0, MessageType::Query, OpCode::Query);
    for (name, rtype) in names {
        message.add_query(Query::query(local(name).unwrap(), *rtype));
    }
    message.add_answers(known.iter().cloned());
    message.to_vec().unwrap()
}

fn heard(machine: &Machine, name: &str, rtype: RecordType, now: Duration) -> Known {
    let question = Question::new(local(name).unwrap(), rtype);
    machine.engine.heard.look_up(&question, Duration::ZERO, now)
}

/// A machine that has settled, at 10 s.
fn settled(label: &str, instance: Option<&str>) -> [Machine; 1] {
    let mut machines = [machine(1)];
    machines[0].is(label, instance, Duration::ZERO);
    run(&mut machines, Duration::ZERO, SECOND * 10);
    machines
}

const PEER: [u8; 4] = [192, 0, 2, 77];

#[test]
fn a_machine_comes_is_found_and_goes() {
    let mut machines = [machine(1), machine(2)];
    machines[0].is("web", Some("My site"), Duration::ZERO);
    let said = run(&mut machines, Duration::ZERO, SECOND * 5);
    let said = messages(&said, 0);
    let probes: Vec<_> = said
        .iter()
        .filter(|message| message.message_type == MessageType::Query)
        .collect();
    // Three for each name.
    assert_eq!(probes.len(), 6);
    assert!(
        probes
            .iter()
            .all(|probe| !probe.authorities.is_empty() && !probe.queries[0].mdns_unicast_response)
    );
    let other = &mut machines[1];
    let Known::Records(records) = heard(other, "web", RecordType::A, SECOND * 5) else {
        panic!("not heard");
    };
    assert_eq!(records[0].data.to_string(), "192.0.2.1");
    assert_eq!(
        heard(other, "web", RecordType::AAAA, SECOND * 5),
        Known::NoData
    );
    for (name, rtype) in [
        ("_http._tcp", RecordType::PTR),
        ("_services._dns-sd._udp", RecordType::PTR),
        (r"My\032site._http._tcp", RecordType::SRV),
        (r"My\032site._http._tcp", RecordType::TXT),
    ] {
        assert!(
            matches!(heard(other, name, rtype, SECOND * 5), Known::Records(_)),
            "{name} {rtype}"
        );
    }
    machines[0].engine.goodbye();
    run(&mut machines, SECOND * 5, SECOND * 6);
    assert_eq!(
        heard(&machines[1], "web", RecordType::A, SECOND * 7),
        Known::Nothing
    );
    assert_eq!(
        heard(&machines[1], "_http._tcp", RecordType::PTR, SECOND * 7),
        Known::Nothing
    );
}

#[test]
fn of_two_that_begin_together_one_yields() {
    let mut machines = [machine(1), machine(2)];
    machines[0].is("web", None, Duration::ZERO);
    machines[1].is("web", None, Duration::ZERO);
    run(&mut machines, Duration::ZERO, SECOND * 10);
    let conflict = Event::Conflict(Key::Host);
    // The later address wins. RFC 6762, 8.2
    assert!(machines[0].events.contains(&conflict));
    assert!(!machines[1].events.contains(&conflict));
}

#[test]
fn who_has_a_name_defends_it() {
    let mut machines = [machine(9), machine(1)];
    machines[0].is("web", Some("x"), Duration::ZERO);
    run(&mut machines[..1], Duration::ZERO, SECOND * 10);
    machines[1].is("web", Some("x"), SECOND * 10);
    run(&mut machines, SECOND * 10, SECOND * 15);
    for key in [Key::Host, Key::Service("web".to_owned())] {
        assert!(machines[1].events.contains(&Event::Conflict(key)));
    }
    assert!(
        machines[0]
            .events
            .iter()
            .all(|event| *event == Event::Heard)
    );
}

#[test]
fn two_that_meet_late_both_ask_again() {
    let mut machines = [machine(1), machine(2)];
    for at in 0..2 {
        machines[at].is("web", None, Duration::ZERO);
        run(&mut machines[at..=at], Duration::ZERO, SECOND * 10);
    }
    // A cable joins the two, and somebody asks.
    let question = ask(&[("web", RecordType::A)], &[]);
    for machine in &mut machines {
        machine.receive(&question, PEER, PORT, SECOND * 10);
    }
    run(&mut machines, SECOND * 10, SECOND * 20);
    let conflict = Event::Conflict(Key::Host);
    let lost: Vec<_> = machines
        .iter()
        .map(|machine| machine.events.contains(&conflict))
        .collect();
    assert!(lost[0] || lost[1], "{lost:?}");
}

#[test]
fn our_own_packets_are_no_conflict() {
    // The same machine by two links into one network.
    let mut machines = settled("web", None);
    let mut other = own::host("web", &machine(2).link()).unwrap().records;
    let record = super::engine::wire(other.remove(0));
    let mut response = Message::new(0, MessageType::Response, OpCode::Query);
    response.add_answer(record);
    let own = machines[0].address;
    machines[0].receive(&response.to_vec().unwrap(), own, PORT, SECOND * 10);
    let said = run(&mut machines, SECOND * 10, SECOND * 20);
    assert!(said.is_empty());
    // From another it is one.
    machines[0].receive(&response.to_vec().unwrap(), PEER, PORT, SECOND * 20);
    let said = run(&mut machines, SECOND * 20, SECOND * 30);
    assert_eq!(said.len(), 5);
    // But not from a port that any program may have.
    machines[0].receive(&response.to_vec().unwrap(), PEER, 40000, SECOND * 30);
    assert!(run(&mut machines, SECOND * 30, SECOND * 40).is_empty());
}

#[test]
fn what_is_unique_is_answered_at_once_and_not_twice_in_a_second() {
    let mut machines = settled("web", None);
    let question = ask(
        &[
            ("WEB", RecordType::A),
            ("web", RecordType::AAAA),
            ("other", RecordType::A),
        ],
        &[],
    );
    for _ in 0..5 {
        machines[0].receive(&question, PEER, PORT, SECOND * 10);
        let said = run(&mut machines, SECOND * 10, SECOND * 10 + SECOND / 2);
        let said = messages(&said, 0);
        assert!(said.len() <= 1);
        let Some(answer) = said.first() else { continue };
        let types: Vec<_> = answer.answers.iter().map(Record::record_type).collect();
        assert_eq!(types, [RecordType::A, RecordType::NSEC]);
        assert!(
            answer
                .answers
                .iter()
                .all(|record| record.mdns_cache_flush && record.ttl == 120)
        );
    }
    machines[0].receive(&question, PEER, PORT, SECOND * 20);
    assert_eq!(run(&mut machines, SECOND * 20, SECOND * 21).len(), 1);
}

#[test]
fn what_is_shared_is_answered_after_a_while_with_what_comes_next() {
    let mut machines = settled("web", Some("x"));
    let question = ask(&[("_http._tcp", RecordType::PTR)], &[]);
    machines[0].receive(&question, PEER, PORT, SECOND * 10);
    let said = run(&mut machines, SECOND * 10, SECOND * 11);
    let delay = said[0].0 - SECOND * 10;
    assert!(delay >= Duration::from_millis(20) && delay < Duration::from_millis(120));
    let answer = &messages(&said, 0)[0];
    assert!(!answer.answers[0].mdns_cache_flush && answer.answers[0].ttl == 4500);
    let mut types: Vec<_> = answer.additionals.iter().map(Record::record_type).collect();
    types.sort();
    assert_eq!(
        types,
        [
            RecordType::A,
            RecordType::TXT,
            RecordType::SRV,
            RecordType::NSEC
        ]
    );
    // Who knows it already is not told.
    let known = answer.answers.clone();
    let question = ask(&[("_http._tcp", RecordType::PTR)], &known);
    machines[0].receive(&question, PEER, PORT, SECOND * 20);
    assert!(run(&mut machines, SECOND * 20, SECOND * 21).is_empty());
}

#[test]
fn what_is_known_may_come_later() {
    let mut machines = settled("web", Some("x"));
    let data = RData::PTR(PTR(local("x._http._tcp").unwrap()));
    let known = Record::from_rdata(local("_http._tcp").unwrap(), 4000, data);
    let mut first = Message::from_vec(&ask(&[("_http._tcp", RecordType::PTR)], &[])).unwrap();
    first.metadata.truncation = true;
    let first = first.to_vec().unwrap();
    machines[0].receive(&first, PEER, PORT, SECOND * 10);
    machines[0].receive(&ask(&[], &[known]), PEER, PORT, SECOND * 10);
    assert!(run(&mut machines, SECOND * 10, SECOND * 11).is_empty());
    machines[0].receive(&first, PEER, PORT, SECOND * 12);
    let said = run(&mut machines, SECOND * 12, SECOND * 13);
    assert!(said.len() == 1 && said[0].0 >= SECOND * 12 + Duration::from_millis(400));
}

#[test]
fn who_wants_it_by_unicast_gets_it_so() {
    let mut machines = settled("web", None);
    let mut question = Message::from_vec(&ask(&[("web", RecordType::A)], &[])).unwrap();
    question.queries[0].mdns_unicast_response = true;
    let question = question.to_vec().unwrap();
    machines[0].receive(&question, PEER, PORT, SECOND * 10);
    let said = run(&mut machines, SECOND * 10, SECOND * 11);
    assert_eq!(said[0].2.to, To::One((PEER, PORT).into()));
    // Everyone was told too long ago.
    machines[0].receive(&question, PEER, PORT, SECOND * 60);
    let said = run(&mut machines, SECOND * 60, SECOND * 61);
    assert_eq!(said[0].2.to, To::Everyone);
}

#[test]
fn a_plain_resolver_gets_plain_dns() {
    let mut machines = settled("web", None);
    machines[0].receive(
        &ask(&[("web", RecordType::ANY)], &[]),
        PEER,
        40000,
        SECOND * 10,
    );
    let said = run(&mut machines, SECOND * 10, SECOND * 11);
    assert_eq!(
        (said.len(), said[0].2.to),
        (1, To::One((PEER, 40000).into()))
    );
    let answer = &messages(&said, 0)[0];
    assert_eq!((answer.queries.len(), answer.answers[0].ttl), (1, 10));
    machines[0].receive(
        &ask(&[("web", RecordType::AAAA)], &[]),
        PEER,
        40000,
        SECOND * 20,
    );
    let said = run(&mut machines, SECOND * 20, SECOND * 21);
    assert!(messages(&said, 0)[0].answers.is_empty());
    machines[0].receive(
        &ask(&[("mail", RecordType::A)], &[]),
        PEER,
        40000,
        SECOND * 30,
    );
    assert!(run(&mut machines, SECOND * 30, SECOND * 31).is_empty());
}

#[test]
fn a_new_address_is_announced_and_the_old_one_taken_back() {
    let mut machines = [machine(1), machine(2)];
    machines[0].is("web", None, Duration::ZERO);
    run(&mut machines, Duration::ZERO, SECOND * 10);
    let moved = machine(5);
    let host = own::host("web", &moved.link()).unwrap();
    machines[0]
        .engine
        .announce(vec![host], SECOND * 10, Duration::ZERO);
    let said = run(&mut machines, SECOND * 10, SECOND * 15);
    assert!(
        messages(&said, 0)
            .iter()
            .all(|message| message.message_type == MessageType::Response)
    );
    let Known::Records(records) = heard(&machines[1], "web", RecordType::A, SECOND * 15) else {
        panic!("not heard");
    };
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].data.to_string(), "192.0.2.5");
}

#[test]
fn names_of_others_are_not_heard() {
    let mut machines = [machine(1)];
    let mut response = Message::new(0, MessageType::Response, OpCode::Query);
    let name = crate::name::parse("bank.example").unwrap();
    let data = RData::A(hickory_proto::rr::rdata::A::new(192, 0, 2, 66));
    response.add_answer(Record::from_rdata(name.clone(), 120, data));
    machines[0].receive(&response.to_vec().unwrap(), PEER, PORT, SECOND);
    assert!(machines[0].engine.heard.dump(SECOND).is_empty());
}

#[test]
fn damage_does_no_harm() {
    let mut machines = settled("web", Some("x"));
    let mut good = vec![ask(
        &[("web", RecordType::ANY), ("_http._tcp", RecordType::PTR)],
        &[],
    )];
    let mut other = [machine(2)];
    other[0].is("web", Some("x"), Duration::ZERO);
    let said = run(&mut other, Duration::ZERO, SECOND * 10);
    good.extend(said.into_iter().map(|(_, _, packet)| packet.bytes));
    let mut now = SECOND * 10;
    for good in &good {
        for at in 0..good.len() {
            for value in [0, 1, 0x3f, 0x80, 0xc0, 0xff] {
                let mut bad = good.clone();
                bad[at] = value;
                now += Duration::from_millis(1);
                machines[0].receive(&bad, PEER, PORT, now);
                machines[0].receive(&bad[..at], PEER, 40000, now);
                run(&mut machines, now, now + Duration::from_millis(1));
            }
        }
    }
    assert!(machines[0].engine.heard.dump(now).len() < 2048);
}

#[test]
fn a_flood_of_questions_is_answered_in_measure() {
    let mut machines = settled("web", Some("x"));
    let question = ask(
        &[
            ("web", RecordType::A),
            ("web", RecordType::MX),
            ("_http._tcp", RecordType::PTR),
        ],
        &[],
    );
    let mut packets = 0;
    for n in 0..10_000_u32 {
        let now = SECOND * 10 + Duration::from_micros(u64::from(n) * 100);
        let [_, _, c, d] = n.to_be_bytes();
        machines[0].receive(&question, [192, 0, c, d], PORT, now);
        packets += run(&mut machines, now, now + Duration::from_micros(100)).len();
    }
    assert!(packets <= 4, "{packets} in a second");
}
