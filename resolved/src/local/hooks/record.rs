//! ResolveRecord: the question as a hook wants it, and what it answers.

use base64::{Engine, prelude::BASE64_STANDARD};
use hickory_proto::{
    op::ResponseCode,
    rr::{Name, RData, Record, RecordType},
    serialize::binary::BinDecodable,
};
use serde::{Deserialize, Serialize};

use super::super::answer::of_protocol;
use crate::{
    failure::Failure,
    flags::Flags,
    message::{Answer, Found, Lookup},
    name,
};

/// The parameters: all questions of a lookup at once.
#[derive(Debug, Serialize)]
pub(super) struct Questions {
    question: Vec<Question>,
}

#[derive(Debug, Serialize)]
struct Question {
    key: Key,
}

#[derive(Debug, Serialize)]
struct Key {
    class: u16,
    r#type: u16,
    name: String,
}

impl Questions {
    pub fn of(lookup: &Lookup) -> Self {
        let question = |rtype: &RecordType| Question {
            key: Key {
                class: lookup.class.into(),
                r#type: (*rtype).into(),
                name: name::format(&lookup.name),
            },
        };
        Self {
            question: lookup.types.iter().map(question).collect(),
        }
    }
}

/// The reply.
#[derive(Debug, Deserialize)]
pub(super) struct Reply {
    rcode: Option<u16>,
    answer: Option<Vec<Answered>>,
}

#[derive(Debug, Deserialize)]
struct Answered {
    raw: String,
}

impl Reply {
    /// The hook's verdict; `None`: it does not know the name. What can't be read is left out.
    pub fn verdict(self, lookup: &Lookup) -> Option<Result<Answer, Failure>> {
        let rcode = ResponseCode::from(0, u8::try_from(self.rcode?).ok()?);
        let mut answer = Answer {
            rcode,
            ..Answer::made_here(lookup.name.clone(), Vec::new())
        };
        answer.flags.remove(Flags::SYNTHETIC);
        answer.flags.insert(Flags::FROM_HOOK);
        match rcode {
            ResponseCode::NoError => {
                let records = self.answer.unwrap_or_default().into_iter();
                take(
                    &mut answer,
                    lookup,
                    records.filter_map(|answered| decode(&answered.raw)),
                );
            }
            ResponseCode::NXDomain => {}
            rcode => return Some(Err(Failure::Rcode(rcode, None))),
        }
        Some(Ok(of_protocol(lookup, answer)))
    }
}

fn decode(raw: &str) -> Option<Record> {
    Record::from_bytes(&BASE64_STANDARD.decode(raw).ok()?).ok()
}

/// Takes the records of the name asked for, and of those that its aliases lead to.
fn take(answer: &mut Answer, lookup: &Lookup, records: impl Iterator<Item = Record>) {
    let mut names: Vec<Name> = vec![lookup.name.clone()];
    for record in records {
        let asked =
            lookup.types.contains(&record.record_type()) || lookup.types.contains(&RecordType::ANY);
        let fits = record.dns_class == lookup.class && names.contains(&record.name);
        match &record.data {
            RData::CNAME(target) if fits => names.push(target.0.clone()),
            _ if fits && asked => {}
            _ => continue,
        }
        answer.name = record.name.clone();
        answer.records.push(Found { ifindex: 0, record });
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::{
        rr::{
            DNSClass,
            rdata::{A, CNAME},
        },
        serialize::binary::BinEncodable,
    };

    use super::*;

    fn lookup(name: &str) -> Lookup {
        Lookup {
            name: name::parse(name).unwrap(),
            class: DNSClass::IN,
            types: vec![RecordType::A, RecordType::AAAA],
            ifindex: 0,
            flags: Flags::PROTOCOLS,
            dnssec_ok: false,
        }
    }

    fn raw(name: &str, data: RData) -> serde_json::Value {
        let record = Record::from_rdata(name::parse(name).unwrap(), 0, data);
        serde_json::json!({ "raw": BASE64_STANDARD.encode(record.to_bytes().unwrap()), "rr": {} })
    }

    fn verdict(reply: serde_json::Value) -> Option<Result<Answer, Failure>> {
        serde_json::from_value::<Reply>(reply)
            .unwrap()
            .verdict(&lookup("web"))
    }

    #[test]
    fn questions() {
        assert_eq!(
            serde_json::to_value(Questions::of(&lookup("a.web"))).unwrap(),
            serde_json::json!({ "question": [
                { "key": { "class": 1, "type": 1, "name": "a.web" } },
                { "key": { "class": 1, "type": 28, "name": "a.web" } },
            ] }),
        );
    }

    #[test]
    fn verdicts() {
        assert!(verdict(serde_json::json!({})).is_none());
        assert!(verdict(serde_json::json!({ "answer": [] })).is_none());
        assert!(verdict(serde_json::json!({ "rcode": 4096 })).is_none());
        let none = verdict(serde_json::json!({ "rcode": 3 })).unwrap().unwrap();
        assert_eq!(none.rcode, ResponseCode::NXDomain);
        let refused = verdict(serde_json::json!({ "rcode": 5 }))
            .unwrap()
            .unwrap_err();
        assert_eq!(refused, Failure::Rcode(ResponseCode::Refused, None));
        let nodata = verdict(serde_json::json!({ "rcode": 0 })).unwrap().unwrap();
        assert!(
            nodata.records.is_empty()
                && nodata
                    .flags
                    .contains(Flags::FROM_HOOK | Flags::AUTHENTICATED)
        );
    }

    #[test]
    fn only_what_was_asked_for_is_taken() {
        let address = |last| RData::A(A::new(192, 0, 2, last));
        let alias = RData::CNAME(CNAME(name::parse("host").unwrap()));
        let answer = serde_json::json!({ "rcode": 0, "answer": [
            raw("bank", address(1)), raw("host", address(2)), raw("web", alias), raw("host", address(3)), { "raw": "AAAA" }, { "raw": "?" },
        ] });
        let answer = verdict(answer).unwrap().unwrap();
        let records: Vec<_> = answer
            .records
            .iter()
            .map(|found| found.record.data.to_string())
            .collect();
        assert_eq!(records, ["host.", "192.0.2.3"]);
        assert_eq!(answer.name, name::parse("host").unwrap());
    }
}
