//! io.systemd.Resolve.Hook (systemd 259): how a resolver asks for machines.

use std::{net::IpAddr, rc::Rc};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use varlink_serve::{Answer, Call, Failure, Interface, Method};

use crate::{
    inet,
    lookup::{self, Asker},
    manager::Manager,
};

pub(super) const INTERFACE: Interface<Rc<Manager>> = Interface {
    name: "io.systemd.Resolve.Hook",
    description: include_str!("io.systemd.Resolve.Hook.varlink"),
    methods: &[
        Method("QueryFilter", |manager, call| {
            Box::pin(query_filter(manager, call))
        }),
        Method("ResolveRecord", |manager, call| {
            Box::pin(resolve_record(manager, call))
        }),
    ],
};

/// RFC 1035, 3.2.4 and 4.1.1; RFC 3596, 2.1.
const CLASS_IN: u16 = 1;
const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;
const SUCCESS: u8 = 0;
const NXDOMAIN: u8 = 3;

/// A resolver asks for A and AAAA at once, perhaps in two spellings.
const MOST_QUESTIONS: usize = 16;

#[derive(Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Filter {
    filter_domains: Vec<String>,
}

/// The names a resolver need ask for; with `more`, again whenever they change.
async fn query_filter(manager: &Rc<Manager>, mut call: Call<'_>) -> Result<Answer, Failure> {
    if !call.more() {
        return call.reply(&filter(manager)).await;
    }
    // Before the first reply, so that nothing is lost between the two.
    let mut events = manager.observe();
    let mut told = filter(manager);
    call.update(&told).await?;
    loop {
        tokio::select! {
            event = events.recv() => if event.is_none() {
                return call.reply(&told).await;
            },
            gone = call.closed() => return Err(gone),
        }
        // Many at once are one change.
        while events.try_recv().is_ok() {}
        let now = filter(manager);
        if now != told {
            call.update(&now).await?;
            told = now;
        }
    }
}

fn filter(manager: &Manager) -> Filter {
    let machines = manager.machines.borrow();
    let told = machines.values().filter(|m| Asker::Everybody.trusts(m));
    Filter {
        filter_domains: told.map(|machine| machine.name.to_string()).collect(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    question: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    key: Key,
}

#[derive(Deserialize, Serialize, Clone)]
struct Key {
    class: u16,
    r#type: u16,
    name: String,
}

#[derive(Default, Serialize)]
struct Reply {
    #[serde(skip_serializing_if = "Option::is_none")]
    rcode: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Vec<Record>>,
}

#[derive(Serialize)]
struct Record {
    rr: ResourceRecord,
    raw: String,
}

#[derive(Serialize)]
struct ResourceRecord {
    key: Key,
    address: Vec<u8>,
}

/// Answers all questions at once. A machine has addresses and nothing else, and nothing stands below its name; what is no
/// machine's is left to others: an empty reply.
async fn resolve_record(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    let Parameters { question } = call.parameters()?;
    if question.is_empty() || question.len() > MOST_QUESTIONS {
        return Err(Failure::invalid_parameter("question"));
    }
    let mut reply = Reply::default();
    for Question { key } in &question {
        if let Some(records) = records(manager, key) {
            reply.rcode = Some(SUCCESS);
            reply.answer.get_or_insert_default().extend(records);
        } else if reply.rcode.is_none() && is_below_machine(manager, &key.name) {
            reply.rcode = Some(NXDOMAIN);
        }
    }
    call.reply(&reply).await
}

/// The records of the machine of this name, none if it has none of this type; `None` for a name that is no machine's, or
/// of one that shares the host's network: others may know it.
fn records(manager: &Manager, key: &Key) -> Option<Vec<Record>> {
    let machine = lookup::machine(manager, &key.name, Asker::Everybody)?;
    let told = lookup::addresses(manager, &machine).ok()?;
    let mut ips: Vec<_> = told.iter().map(|address| address.ip).collect();
    ips.dedup();
    let fits = |ip: &IpAddr| match (key.class, key.r#type) {
        (CLASS_IN, TYPE_A) => ip.is_ipv4(),
        (CLASS_IN, TYPE_AAAA) => ip.is_ipv6(),
        _ => false,
    };
    let fitting = ips.into_iter().filter(fits);
    Some(fitting.filter_map(|ip| record(key, ip)).collect())
}

fn record(key: &Key, ip: IpAddr) -> Option<Record> {
    let (_, address) = inet::parts(ip);
    let raw = BASE64_STANDARD.encode(wire_record(key, &address)?);
    let rr = ResourceRecord {
        key: key.clone(),
        address,
    };
    Some(Record { rr, raw })
}

/// The record in wire format: RFC 1035, 3.2.1. Its TTL is 0, for an address may change at any time.
fn wire_record(key: &Key, data: &[u8]) -> Option<Vec<u8>> {
    let mut wire = Vec::with_capacity(96);
    for label in key.name.split('.').filter(|label| !label.is_empty()) {
        wire.push(u8::try_from(label.len()).ok().filter(|&len| len < 64)?);
        wire.extend_from_slice(label.as_bytes());
    }
    wire.push(0);
    wire.extend_from_slice(&key.r#type.to_be_bytes());
    wire.extend_from_slice(&key.class.to_be_bytes());
    wire.extend_from_slice(&0_u32.to_be_bytes());
    wire.extend_from_slice(&u16::try_from(data.len()).ok()?.to_be_bytes());
    wire.extend_from_slice(data);
    Some(wire)
}

fn is_below_machine(manager: &Manager, name: &str) -> bool {
    let mut rest = name;
    while let Some((_, parent)) = rest.split_once('.') {
        if !parent.is_empty() && lookup::machine(manager, parent, Asker::Everybody).is_some() {
            return true;
        }
        rest = parent;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_in_wire_format() {
        let key = |name: &str, r#type| Key {
            class: CLASS_IN,
            r#type,
            name: name.to_owned(),
        };
        let wire = wire_record(&key("a.web.", TYPE_A), &[192, 0, 2, 1]).unwrap();
        let expected = b"\x01a\x03web\0\0\x01\0\x01\0\0\0\0\0\x04\xc0\0\x02\x01";
        assert_eq!(wire, expected);
        let long = "x".repeat(64);
        assert!(wire_record(&key(&long, TYPE_A), &[0; 4]).is_none());
    }
}
