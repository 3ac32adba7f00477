//! What this machine announces: its name and addresses (RFC 6762, 2), its services (RFC 6763, 4 to 7).

use std::net::IpAddr;

use hickory_proto::rr::{
    Name, RData, Record,
    rdata::{PTR, SRV, TXT},
};

use crate::{
    config::DnssdService,
    links::Link,
    multicast::{address_data, is_link_local, published},
    name,
};

/// Seconds that records with a host's name are kept, in what they are about or in their data. RFC 6762, 10
const HOST_TTL: u32 = 120;
/// Seconds that all others are. RFC 6762, 10
const TTL: u32 = 75 * 60;

/// A record that is announced.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Own {
    /// With its whole time to live.
    pub(super) record: Record,
    /// No other machine has records of that name and type.
    pub(super) unique: bool,
}

/// What a group of records is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// The machine itself.
    Host,
    /// A service, by its id.
    Service(String),
}

/// Records that stand and fall with one name.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) key: Key,
    /// This machine's alone.
    pub(super) name: Name,
    /// Of that name, and what leads to it.
    pub(super) records: Vec<Own>,
}

/// Below `local`.
pub(super) fn local(labels: &str) -> Option<Name> {
    name::parse(&format!("{labels}.local")).ok()
}

/// The type of the types themselves. RFC 6763, 9
pub(super) fn service_types() -> Option<Name> {
    local("_services._dns-sd._udp")
}

fn record(name: &Name, ttl: u32, data: RData, unique: bool) -> Own {
    Own {
        record: Record::from_rdata(name.clone(), ttl, data),
        unique,
    }
}

/// The machine on a link; `None`: the label is none.
pub(super) fn host(label: &str, link: &Link) -> Option<Group> {
    let name = local(label).filter(|name| name.num_labels() == 2)?;
    let mut records = Vec::new();
    let addresses = published(link);
    // Link-local ones only where there are no others: so does Avahi, which would see a conflict in any other set where it
    // runs on the same machine.
    let only_local = addresses.iter().all(|address| is_link_local(*address));
    for address in addresses {
        if only_local || !is_link_local(address) {
            records.push(record(&name, HOST_TTL, address_data(address), true));
        }
        records.push(reverse(address, &name));
    }
    Some(Group {
        key: Key::Host,
        name,
        records,
    })
}

fn reverse(address: IpAddr, name: &Name) -> Own {
    let data = RData::PTR(PTR(name.clone()));
    record(&Name::from(address), HOST_TTL, data, true)
}

/// A service of this instance name on this host; `None`: they make no names.
pub(super) fn service(service: &DnssdService, instance: &str, host: &Name) -> Option<Group> {
    let service_type = local(&service.service_type)?;
    let labels = std::iter::once(instance.as_bytes()).chain(service_type.iter());
    let name = Name::from_labels(labels).ok()?;
    let srv = SRV::new(service.priority, service.weight, service.port, host.clone());
    let to = |target: &Name| RData::PTR(PTR(target.clone()));
    let mut records = vec![
        record(&name, HOST_TTL, RData::SRV(srv), true),
        record(&service_type, TTL, to(&name), false),
        record(&service_types()?, TTL, to(&service_type), false),
    ];
    if let Some(subtype) = &service.subtype {
        let subtype = local(&format!("{subtype}._sub.{}", service.service_type))?;
        records.push(record(&subtype, TTL, to(&name), false));
    }
    let texts = service.txt.iter().map(|items| text(items));
    // There is always one. RFC 6763, 6.1
    let empty = || TXT::from_bytes(vec![&[]]);
    let texts = texts.chain(service.txt.is_empty().then(empty));
    records.extend(texts.map(|text| record(&name, TTL, RData::TXT(text), true)));
    Some(Group {
        key: Key::Service(service.id.clone()),
        name,
        records,
    })
}

/// `key=value`, or a `key` that has none. RFC 6763, 6.4
fn text(items: &[(String, Vec<u8>)]) -> TXT {
    let item = |(key, value): &(String, Vec<u8>)| {
        let mut item = key.as_bytes().to_vec();
        if !value.is_empty() {
            item.push(b'=');
            item.extend(value);
        }
        // The longest string there is. RFC 6763, 6.1
        item.truncate(usize::from(u8::MAX));
        item
    };
    let mut items: Vec<_> = items.iter().map(item).collect();
    if items.is_empty() {
        items.push(Vec::new());
    }
    TXT::from_bytes(items.iter().map(Vec::as_slice).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::links::LinkAddress;

    fn lines(group: &Group) -> Vec<String> {
        let line = |own: &Own| {
            let Record {
                name, ttl, data, ..
            } = &own.record;
            let unique = if own.unique { "unique" } else { "shared" };
            format!(
                "{} {ttl} {} {data} {unique}",
                name::format(name),
                own.record.record_type()
            )
        };
        group.records.iter().map(line).collect()
    }

    #[test]
    fn a_machine() {
        let mut link = Link::default();
        for address in ["fe80::1", "192.0.2.1"] {
            link.addresses.push(LinkAddress {
                address: address.parse().unwrap(),
                prefix: 24,
                scope: 0,
                unusable: false,
            });
        }
        let said = lines(&host("web", &link).unwrap());
        assert!(said[0].starts_with("1.0.0.0.") && said[0].ends_with(" PTR web.local. unique"));
        assert_eq!(
            said[1..],
            [
                "web.local 120 A 192.0.2.1 unique",
                "1.2.0.192.in-addr.arpa 120 PTR web.local. unique",
            ]
        );
        link.addresses.pop();
        let said = lines(&host("web", &link).unwrap());
        assert_eq!(said[0], "web.local 120 AAAA fe80::1 unique");
        assert!(host("", &link).is_none() && host("a.b", &link).is_none());
    }

    #[test]
    fn a_service() {
        let mut printer = DnssdService {
            id: "printer".to_owned(),
            name_template: String::new(),
            service_type: "_ipp._tcp".to_owned(),
            subtype: Some("_color".to_owned()),
            port: 631,
            priority: 1,
            weight: 2,
            txt: vec![
                vec![
                    ("note".to_owned(), b"2. floor".to_vec()),
                    ("duplex".to_owned(), Vec::new()),
                ],
                vec![("a".to_owned(), vec![b'x'; 300])],
            ],
            owner: 0,
        };
        let host = local("web").unwrap();
        let group = service(&printer, "Dr. B printer", &host).unwrap();
        assert_eq!(group.name.num_labels(), 4);
        let instance = r"Dr\.\032B\032printer._ipp._tcp.local";
        assert_eq!(name::format(&group.name), instance);
        let said = lines(&group);
        assert_eq!(
            said[0],
            format!("{instance} 120 SRV 1 2 631 web.local. unique")
        );
        assert!(said[1].starts_with("_ipp._tcp.local 4500 PTR ") && said[1].ends_with(" shared"));
        assert_eq!(
            said[2],
            "_services._dns-sd._udp.local 4500 PTR _ipp._tcp.local. shared"
        );
        assert!(said[3].starts_with("_color._sub._ipp._tcp.local 4500 PTR "));
        let RData::TXT(text) = &group.records[4].record.data else {
            panic!("no text");
        };
        assert_eq!(*text.txt_data[0], *b"note=2. floor");
        assert_eq!(*text.txt_data[1], *b"duplex");
        let RData::TXT(text) = &group.records[5].record.data else {
            panic!("no text");
        };
        assert_eq!(text.txt_data[0].len(), 255);
        printer.txt.clear();
        let group = service(&printer, "x", &host).unwrap();
        assert_eq!(
            group.records[4].record.data,
            RData::TXT(TXT::from_bytes(vec![b""]))
        );
        assert!(service(&printer, &"x".repeat(64), &host).is_none());
    }
}
