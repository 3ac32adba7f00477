//! A service: SRV (RFC 2782) or DNS-SD (RFC 6763).

use std::{net::IpAddr, rc::Rc};

use futures_util::future::join_all;
use hickory_proto::rr::{DNSClass, Name, RData, RecordType, rdata::SRV};

use super::{invalid, parameters};
use crate::{
    failure::Failure,
    flags::Flags,
    manager::Manager,
    message::{Answer, Lookup},
    name,
};

/// One SRV record, and where its host is.
#[derive(Clone, Debug)]
pub struct Service {
    /// The least first.
    pub priority: u16,
    /// Among those of one priority.
    pub weight: u16,
    /// In host order.
    pub port: u16,
    /// The target.
    pub hostname: String,
    /// With the link each was found by; `None`: not asked for.
    pub addresses: Option<Vec<(u32, IpAddr)>>,
    /// The target's canonical name; `None`: its addresses were not asked for.
    pub canonical_name: Option<String>,
}

/// A service.
#[derive(Clone, Debug)]
pub struct ServiceReply {
    /// At least one.
    pub services: Vec<Service>,
    /// The strings of the TXT records.
    pub txt: Vec<Vec<u8>>,
    /// The instance (DNS-SD), empty for plain SRV.
    pub name: String,
    /// `_http._tcp`.
    pub service_type: String,
    /// Where it is.
    pub domain: String,
    /// Of all the answers together.
    pub flags: Flags,
}

/// Looks a service up. `name` (DNS-SD's instance) and `service_type` may be empty; then `domain` holds them.
///
/// # Errors
/// [`Failure::InvalidParameter`]; [`Failure::ServiceNotProvided`]; those of [`Manager::lookup`].
pub async fn resolve_service(
    manager: &Rc<Manager>,
    ifindex: i64,
    name: &str,
    service_type: &str,
    domain: &str,
    family: i32,
    flags: u64,
) -> Result<ServiceReply, Failure> {
    let ifindex = parameters::ifindex(ifindex)?;
    let types = parameters::address_types(family)?;
    let flags = parameters::flags(flags, Flags::NO_TXT | Flags::NO_ADDRESS)? | Flags::NO_SEARCH;
    let asked = join(name, service_type, domain)?;
    let lookup = |name: &Name, types: Vec<RecordType>| Lookup {
        name: name.clone(),
        class: DNSClass::IN,
        types,
        ifindex,
        flags: flags.difference(Flags::NO_TXT | Flags::NO_ADDRESS),
        dnssec_ok: false,
    };
    let wanted = if flags.contains(Flags::NO_TXT) {
        vec![RecordType::SRV]
    } else {
        vec![RecordType::SRV, RecordType::TXT]
    };
    let answer = manager.lookup(&lookup(&asked, wanted)).await?;
    let records = targets(&answer)?;
    let owner = records.first().map_or(asked, |(owner, _)| owner.clone());
    let mut all = answer.flags;
    let mut services = Vec::with_capacity(records.len());
    if flags.contains(Flags::NO_ADDRESS) {
        services.extend(records.iter().map(|(_, srv)| service(srv)));
    } else {
        let hosts = records.iter().map(|(_, srv)| {
            let lookup = lookup(&srv.target, types.clone());
            async move { manager.lookup(&lookup).await }
        });
        let mut failed = None;
        for ((_, srv), host) in records.iter().zip(join_all(hosts).await) {
            match host {
                Ok(host) => {
                    all = merge(all, host.flags);
                    services.push(located(srv, &host, &types));
                }
                Err(failure) => failed = Some(failure),
            }
        }
        // One host that can't be found does not hide the others.
        if let (true, Some(failure)) = (services.is_empty(), failed) {
            return Err(failure);
        }
    }
    services.sort_by_key(|service| service.priority);
    let (name, service_type, domain) = split(&owner);
    Ok(ServiceReply {
        services,
        txt: strings(&answer),
        name,
        service_type,
        domain,
        flags: all,
    })
}

/// The SRV records, with their owner.
fn targets(answer: &Answer) -> Result<Vec<(Name, SRV)>, Failure> {
    let records: Vec<_> = answer
        .records
        .iter()
        .filter_map(|found| match &found.record.data {
            RData::SRV(srv) => Some((found.record.name.clone(), srv.clone())),
            _ => None,
        })
        .collect();
    if records.is_empty() {
        return Err(super::record::absent(answer));
    }
    // "A Target of "." means that the service is decidedly not available at this domain." RFC 2782
    let (none, some): (Vec<_>, Vec<_>) = records
        .into_iter()
        .partition(|(_, srv)| srv.target.is_root());
    match (none.is_empty(), some.is_empty()) {
        (_, true) => Err(Failure::ServiceNotProvided),
        (false, false) => Err(Failure::InconsistentServiceRecords),
        (true, false) => Ok(some),
    }
}

fn service(srv: &SRV) -> Service {
    Service {
        priority: srv.priority,
        weight: srv.weight,
        port: srv.port,
        hostname: name::format(&srv.target),
        addresses: None,
        canonical_name: None,
    }
}

fn located(srv: &SRV, host: &Answer, types: &[RecordType]) -> Service {
    let addresses = host
        .of_types(types)
        .filter_map(|found| Some((found.ifindex, found.record.data.ip_addr()?)));
    Service {
        addresses: Some(addresses.collect()),
        canonical_name: Some(name::format(&host.name)),
        ..service(srv)
    }
}

fn strings(answer: &Answer) -> Vec<Vec<u8>> {
    answer
        .records
        .iter()
        .filter_map(|found| match &found.record.data {
            RData::TXT(txt) => Some(txt.txt_data.iter().map(|string| string.to_vec())),
            _ => None,
        })
        .flatten()
        .collect()
}

/// What holds of two answers together.
fn merge(one: Flags, other: Flags) -> Flags {
    let every = Flags::AUTHENTICATED | Flags::CONFIDENTIAL;
    (one & other & every) | (one | other).difference(every)
}

fn join(name: &str, service_type: &str, domain: &str) -> Result<Name, Failure> {
    let domain = name::parse(domain)
        .map_err(|_| invalid("domain", format!("{domain:?} is no domain name")))?;
    if service_type.is_empty() {
        if !name.is_empty() {
            return Err(invalid("type", "A service instance has a type".to_owned()));
        }
        return Ok(domain);
    }
    if !is_service_type(service_type) {
        return Err(invalid(
            "type",
            format!("{service_type:?} is no service type like _http._tcp"),
        ));
    }
    // RFC 6763, 4.1.1: any text, dots included, of at most 63 bytes.
    if name.len() > 63 || name.bytes().any(|byte| byte < b' ' || byte == 127) {
        return Err(invalid("name", format!("{name:?} is no service name")));
    }
    let too_long = |_| invalid("domain", "The name is too long as a whole".to_owned());
    let mut labels: Vec<&[u8]> = Vec::new();
    if !name.is_empty() {
        labels.push(name.as_bytes());
    }
    labels.extend(service_type.split('.').map(str::as_bytes));
    labels.extend(domain.iter());
    Name::from_labels(labels).map_err(too_long)
}

/// `_http._tcp`, or `_printer._sub._http._tcp`. RFC 6335, 5.1; RFC 6763, 7
pub(crate) fn is_service_type(text: &str) -> bool {
    let labels: Vec<_> = text.trim_end_matches('.').split('.').collect();
    let [.., service, protocol] = labels.as_slice() else {
        return false;
    };
    let label = |label: &&str| {
        label.strip_prefix('_').is_some_and(|name| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            !name.is_empty() && name.len() < 63 && name.bytes().all(allowed)
        })
    };
    // RFC 2782: not these two alone, _sctp say.
    label(service)
        && label(protocol)
        && (labels.len() == 2
            || matches!(labels.as_slice(), [sub, "_sub", _, _] if !sub.is_empty()))
}

/// Instance, type and domain of a service's name.
fn split(owner: &Name) -> (String, String, String) {
    let labels: Vec<&[u8]> = owner.iter().collect();
    let is_type = |at: usize| {
        let text = |at: usize| {
            labels
                .get(at)
                .and_then(|label| std::str::from_utf8(label).ok())
        };
        match (text(at), text(at + 1)) {
            (Some(service), Some(protocol)) => is_service_type(&format!("{service}.{protocol}")),
            _ => false,
        }
    };
    let rest = |from: usize| {
        let labels = labels.get(from..).unwrap_or_default().iter().copied();
        Name::from_labels(labels).map_or_else(|_| ".".to_owned(), |name| name::format(&name))
    };
    let typed = |at: usize| {
        let part = |label: Option<&&[u8]>| {
            String::from_utf8_lossy(label.copied().unwrap_or_default()).into_owned()
        };
        format!("{}.{}", part(labels.get(at)), part(labels.get(at + 1)))
    };
    if is_type(0) {
        (String::new(), typed(0), rest(2))
    } else if is_type(1) {
        let instance = String::from_utf8_lossy(labels.first().copied().unwrap_or_default());
        (instance.into_owned(), typed(1), rest(3))
    } else {
        (String::new(), String::new(), rest(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_services() {
        let name = join("My Printer. No 1", "_ipp._tcp", "local").unwrap();
        assert_eq!(name.num_labels(), 4);
        assert_eq!(
            split(&name),
            (
                "My Printer. No 1".into(),
                "_ipp._tcp".into(),
                "local".into()
            )
        );
        let plain = join("", "_sip._udp", "example.com").unwrap();
        assert_eq!(
            split(&plain),
            (String::new(), "_sip._udp".into(), "example.com".into())
        );
        assert!(join("x", "", "example.com").is_err());
        assert!(join("", "http", "example.com").is_err());
    }

    #[test]
    fn types_of_services() {
        for good in ["_http._tcp", "_a-b._udp", "_p._sub._ipp._tcp"] {
            assert!(is_service_type(good), "{good}");
        }
        for bad in [
            "",
            "_tcp",
            "http._tcp",
            "_http.sctp",
            "_._tcp",
            "_x._y._z._tcp",
        ] {
            assert!(!is_service_type(bad), "{bad}");
        }
    }
}
