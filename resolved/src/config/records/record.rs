//! One file of static records: a JSON object, or an array of them.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    path::Path,
};

use hickory_proto::{
    rr::{
        RData, Record, RecordType,
        rdata::{A, AAAA, CNAME, NS, NULL, PTR},
    },
    serialize::binary::BinEncodable,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{config::wrong::Wrong, name};

/// As `resolvectl --json` shows a record.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    key: Key,
    /// A, AAAA: its bytes.
    address: Option<Vec<u8>>,
    /// PTR, NS, CNAME, DNAME.
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    class: Option<u16>,
    #[serde(rename = "type")]
    rtype: u16,
    name: String,
}

/// Class IN. RFC 1035, 3.2.4
const IN: u16 = 1;

/// The records of a file; each that is wrong is named and left out.
pub(super) fn read(path: &Path, bytes: &[u8], wrong: &mut Wrong) -> Vec<Record> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        wrong.file(path, "not UTF-8");
        return Vec::new();
    };
    let items: Result<Vec<&RawValue>, _> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text)
    } else {
        serde_json::from_str(text).map(|item| vec![item])
    };
    let items = match items {
        Ok(items) => items,
        Err(error) => {
            wrong.line(path, error.line(), format!("no JSON: {error}"));
            return Vec::new();
        }
    };
    let mut records = Vec::new();
    for item in items.into_iter().map(RawValue::get) {
        // The item is a part of the text.
        let before = item.as_ptr().addr() - text.as_ptr().addr();
        let before = text.get(..before).unwrap_or_default();
        let first = 1 + before.matches('\n').count();
        match serde_json::from_str(item) {
            Ok(item) => match record(&item) {
                Ok(record) => records.push(record),
                Err(message) => wrong.line(path, first, message),
            },
            Err(error) => {
                let line = first + error.line().saturating_sub(1);
                wrong.line(path, line, format!("no record: {error}"));
            }
        }
    }
    records
}

fn record(item: &Item) -> Result<Record, String> {
    if item.key.class.is_some_and(|class| class != IN) {
        return Err("the class is 1 (IN)".to_owned());
    }
    let owner = domain(&item.key.name)?;
    let rtype = RecordType::from(item.key.rtype);
    let data = match (rtype, &item.address, &item.name) {
        (RecordType::A | RecordType::AAAA, Some(address), None) => {
            rdata_of_address(rtype, address)?
        }
        (RecordType::A | RecordType::AAAA, ..) => {
            return Err("an address record has address and no name".to_owned());
        }
        (RecordType::PTR, None, Some(name)) => RData::PTR(PTR(domain(name)?)),
        (RecordType::NS, None, Some(name)) => RData::NS(NS(domain(name)?)),
        (RecordType::CNAME, None, Some(name)) => RData::CNAME(CNAME(domain(name)?)),
        (RecordType::DNAME, None, Some(name)) => dname(name)?,
        (RecordType::PTR | RecordType::NS | RecordType::CNAME | RecordType::DNAME, ..) => {
            return Err("this type has name and no address".to_owned());
        }
        _ => {
            return Err(format!(
                "type {} is not for static records; there are 1 (A), 28 (AAAA), 12 (PTR), 2 (NS), 5 (CNAME), 39 (DNAME)",
                item.key.rtype
            ));
        }
    };
    Ok(Record::from_rdata(owner, 0, data))
}

fn rdata_of_address(rtype: RecordType, bytes: &[u8]) -> Result<RData, String> {
    let data = if rtype == RecordType::A {
        <[u8; 4]>::try_from(bytes).map(|bytes| RData::A(A(Ipv4Addr::from(bytes))))
    } else {
        <[u8; 16]>::try_from(bytes).map(|bytes| RData::AAAA(AAAA(Ipv6Addr::from(bytes))))
    };
    data.map_err(|_| "address is 4 bytes for type 1 (A), 16 for type 28 (AAAA)".to_owned())
}

/// hickory has no type for it: the name in wire format (RFC 6672, 2.1).
fn dname(text: &str) -> Result<RData, String> {
    let target = domain(text)?.to_bytes();
    let target = target.map_err(|error| format!("{text:?}: {error}"))?;
    Ok(RData::Unknown {
        code: RecordType::DNAME,
        rdata: NULL::with(target),
    })
}

fn domain(text: &str) -> Result<hickory_proto::rr::Name, String> {
    let name = name::parse(text).ok();
    let name = name.as_ref().and_then(name::to_ascii);
    name.ok_or_else(|| format!("{text:?} is no domain name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Diagnostic;

    fn parse(text: &str) -> (Vec<Record>, Vec<Diagnostic>) {
        let mut wrong = Wrong::default();
        let records = read(Path::new("f.rr"), text.as_bytes(), &mut wrong);
        (records, wrong.into_list())
    }

    #[test]
    fn every_type() {
        let (records, wrong) = parse(
            r#"[
            {"key": {"class": 1, "type": 1, "name": "a.example."}, "address": [192, 0, 2, 1]},
            {"key": {"type": 12, "name": "1.2.0.192.in-addr.arpa"}, "name": "a.example"},
            {"key": {"type": 2, "name": "a"}, "name": "b"},
            {"key": {"type": 5, "name": "c"}, "name": "d"},
            {"key": {"type": 39, "name": "e"}, "name": "f"}
            ]"#,
        );
        assert_eq!(wrong, []);
        let shown: Vec<_> = records.iter().map(ToString::to_string).collect();
        let expected = [
            "a.example. 0 IN A 192.0.2.1",
            "1.2.0.192.in-addr.arpa. 0 IN PTR a.example.",
            "a. 0 IN NS b.",
            "c. 0 IN CNAME d.",
            "e. 0 IN DNAME AWYA",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn wrong_records_are_named_and_the_rest_holds() {
        let (records, wrong) = parse(
            r#"[
            {"key": {"type": 1, "name": "a"}, "address": [192, 0, 2]},
            {"key": {"type": 1, "name": "a"}, "name": "x"},
            {"key": {"type": 16, "name": "a"}},
            {"key": {"class": 3, "type": 1, "name": "a"}, "address": [192, 0, 2, 1]},
            {"key": {"type": 1, "name": "a..b"}, "address": [192, 0, 2, 1]},
            {"key": {"type": 5, "name": "a"}},
            {"key": {"type": 1, "name": "a"},
             "adress": [192, 0, 2, 1]},
            {"key": {"type": 1, "name": "a"}, "address": [192, 0, 2, 256]},
            7,
            {"key": {"type": 1, "name": "good"}, "address": [192, 0, 2, 1]}
            ]"#,
        );
        assert_eq!(records.len(), 1);
        let lines: Vec<_> = wrong.iter().map(|wrong| wrong.line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7, 9, 10, 11], "{wrong:#?}");
    }

    #[test]
    fn what_is_no_json() {
        for (text, line) in [("", 1), ("[\n{},", 2), ("{} {}", 1), ("null x", 1)] {
            let (records, wrong) = parse(text);
            assert_eq!(records, []);
            assert_eq!(wrong.len(), 1, "{text}");
            assert_eq!(wrong[0].line, line, "{text}");
        }
        assert_eq!(parse("[]"), (Vec::new(), Vec::new()));
    }
}
