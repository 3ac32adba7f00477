//! What this machine answers for on a link. RFC 4795, 2.3

use std::net::IpAddr;

use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType, rdata::PTR};

use crate::{
    links::Link,
    message::Question,
    multicast::{address_data, published, reverse_address},
    name,
};

/// Seconds that an answer may be kept. RFC 4795, 2.8
const TTL: u32 = 30;

/// The label of this machine as a name; `None`: it is none.
pub(super) fn name_of(label: &str) -> Option<Name> {
    name::parse(label)
        .ok()
        .filter(|name| name.num_labels() == 1)
}

/// What this machine, of this name, has for a question that came by a link: records, perhaps none of that type; `None` if the
/// name is not its own.
pub(super) fn answers(name: &Name, link: &Link, question: &Question) -> Option<Vec<Record>> {
    if !matches!(question.class, DNSClass::IN | DNSClass::ANY) {
        return None;
    }
    let addresses = published(link);
    let all: Vec<RData> = if question.name == *name {
        addresses.into_iter().map(address_data).collect()
    } else {
        let asked: IpAddr = reverse_address(&question.name)?;
        if !addresses.contains(&asked) {
            return None;
        }
        vec![RData::PTR(PTR(name.clone()))]
    };
    let of_type = all
        .into_iter()
        .filter(|data| question.rtype == RecordType::ANY || data.record_type() == question.rtype);
    let record = |data| Record::from_rdata(question.name.clone(), TTL, data);
    Some(of_type.map(record).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::links::LinkAddress;

    fn ask(text: &str, rtype: RecordType) -> Option<Vec<String>> {
        let addresses = ["192.0.2.1", "2001:db8::1", "fe80::1"];
        let link = Link {
            addresses: addresses
                .map(|address| LinkAddress {
                    address: address.parse().unwrap(),
                    prefix: 24,
                    scope: 0,
                    unusable: false,
                })
                .into(),
            ..Link::default()
        };
        let question = Question::new(name::parse(text).unwrap(), rtype);
        let answers = answers(&name_of("web").unwrap(), &link, &question)?;
        assert!(
            answers
                .iter()
                .all(|record| record.ttl == 30 && record.name == question.name)
        );
        Some(
            answers
                .iter()
                .map(|record| record.data.to_string())
                .collect(),
        )
    }

    #[test]
    fn the_machines_own() {
        use RecordType::{A, AAAA, ANY, MX, PTR};
        let is = |text, rtype, expected: &[&str]| {
            let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
            assert_eq!(ask(text, rtype), Some(expected), "{text} {rtype}");
        };
        is("WEB", A, &["192.0.2.1"]);
        is("web", AAAA, &["fe80::1", "2001:db8::1"]);
        is("web", ANY, &["fe80::1", "192.0.2.1", "2001:db8::1"]);
        is("web", MX, &[]);
        is("1.2.0.192.in-addr.arpa", PTR, &["web."]);
        is("1.2.0.192.in-addr.arpa", A, &[]);
        for other in ["web.example.com", "mail", "2.2.0.192.in-addr.arpa", "arpa"] {
            assert_eq!(ask(other, A), None);
        }
        assert_eq!(name_of(""), None);
    }
}
