//! The manager's lookups.

use std::{rc::Rc, time::Duration};

use dbus_serve::{Call, Error, Later};

use super::{
    error::{of_address, of_lookup, of_type},
    service::Root,
    wire::{self, Address},
};
use crate::{failure::Failure, message, name, request};

/// How long a lookup may take before it is asked whether its caller is still there: asking is work for the bus.
const UNWATCHED: Duration = Duration::from_secs(1);

/// The result of a lookup, unless the client leaves the bus.
async fn unless_abandoned<T>(
    call: &Call,
    lookup: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let abandoned = async {
        tokio::time::sleep(UNWATCHED).await;
        call.abandoned().await;
    };
    tokio::select! {
        biased;
        result = lookup => result,
        () = abandoned => Err(Failure::Aborted),
    }
}

/// A name as it stands in errors.
fn plain(name: &str) -> &str {
    match name.strip_suffix('.').unwrap_or(name) {
        "" => ".",
        name => name,
    }
}

/// ResolveHostname.
pub(super) fn hostname(this: Rc<Root>, call: Call) -> Later {
    Box::pin(async move {
        let (ifindex, name, family, flags) = call.args::<(i32, &str, i32, u64)>()?;
        let lookup = request::resolve_hostname(&this.manager, ifindex.into(), name, family, flags);
        let reply = unless_abandoned(&call, lookup).await;
        let reply = reply.map_err(|failure| match failure {
            Failure::InvalidParameter("name", _) => {
                Error::invalid_args(format!("Invalid hostname '{name}'"))
            }
            Failure::InvalidParameter("family", _) => of_address(failure, family),
            other => of_lookup(other, plain(name)),
        })?;
        let addresses: Vec<_> = reply.addresses.iter().map(located).collect();
        call.reply(&(addresses, reply.name.as_str(), reply.flags.bits()))
    })
}

/// An address with the link it was found by.
fn located((ifindex, address): &(u32, std::net::IpAddr)) -> (i32, i32, Vec<u8>) {
    let (family, bytes): Address = wire::address(*address);
    (wire::ifindex(*ifindex), family, bytes)
}

/// ResolveAddress.
pub(super) fn address(this: Rc<Root>, call: Call) -> Later {
    Box::pin(async move {
        let (ifindex, family, bytes, flags) = call.args::<(i32, i32, Vec<u8>, u64)>()?;
        let lookup = request::resolve_address(&this.manager, ifindex.into(), family, &bytes, flags);
        let reply = unless_abandoned(&call, lookup).await;
        let reply = reply.map_err(|failure| match failure {
            Failure::InvalidParameter("family" | "address", _) => of_address(failure, family),
            other => of_lookup(other, &reverse(family, &bytes)),
        })?;
        let names = reply.names.iter();
        let names: Vec<_> = names
            .map(|(ifindex, name)| (wire::ifindex(*ifindex), name.as_str()))
            .collect();
        call.reply(&(names, reply.flags.bits()))
    })
}

/// The name that is looked up for an address.
fn reverse(family: i32, bytes: &[u8]) -> String {
    match request::parse_address(family, bytes) {
        Ok(address) => name::format(&address.into()),
        Err(_) => String::new(),
    }
}

/// ResolveRecord.
pub(super) fn record(this: Rc<Root>, call: Call) -> Later {
    Box::pin(async move {
        let (ifindex, name, class, rtype, flags) = call.args::<(i32, &str, u16, u16, u64)>()?;
        let lookup =
            request::resolve_record(&this.manager, ifindex.into(), name, class, rtype, flags);
        let reply = unless_abandoned(&call, lookup).await;
        let reply = reply.map_err(|failure| match failure {
            Failure::InvalidParameter("name", _) => {
                Error::invalid_args(format!("Invalid name '{name}'"))
            }
            Failure::NoSuchRecord => {
                let error = of_lookup(failure, plain(name));
                Error::new(error.name, format!("Name {}", error.message))
            }
            Failure::TypeInvalidForQuery
            | Failure::TypeObsolete
            | Failure::ZoneTransferNotPermitted => of_type(failure, rtype),
            other => of_lookup(other, plain(name)),
        })?;
        let mut records = Vec::with_capacity(reply.records.len());
        for found in &reply.records {
            let record = &found.record;
            let bytes = message::record_bytes(record).ok_or(Failure::InvalidReply)?;
            let ifindex = wire::ifindex(found.ifindex);
            let (class, rtype) = (u16::from(record.dns_class), u16::from(record.record_type()));
            records.push((ifindex, class, rtype, bytes));
        }
        call.reply(&(records, reply.flags.bits()))
    })
}

/// One SRV record as it goes over the bus: priority, weight, port, host, its addresses, its canonical name.
type ServiceRow = (u16, u16, u16, String, Vec<(i32, i32, Vec<u8>)>, String);

/// ResolveService.
pub(super) fn service(this: Rc<Root>, call: Call) -> Later {
    Box::pin(async move {
        let (ifindex, name, kind, domain, family, flags) =
            call.args::<(i32, &str, &str, &str, i32, u64)>()?;
        let manager = &this.manager;
        let ifindex = ifindex.into();
        let lookup = request::resolve_service(manager, ifindex, name, kind, domain, family, flags);
        let reply = unless_abandoned(&call, lookup).await;
        let reply = reply.map_err(|failure| of_lookup(failure, &joined(name, kind, domain)))?;
        let services: Vec<ServiceRow> = reply.services.into_iter().map(row).collect();
        call.reply(&(
            services,
            reply.txt,
            reply.name,
            reply.service_type,
            reply.domain,
            reply.flags.bits(),
        ))
    })
}

fn row(service: request::Service) -> ServiceRow {
    let addresses = service.addresses.unwrap_or_default();
    let canonical = service.canonical_name;
    let canonical = canonical.unwrap_or_else(|| service.hostname.clone());
    (
        service.priority,
        service.weight,
        service.port,
        service.hostname,
        addresses.iter().map(located).collect(),
        canonical,
    )
}

/// A service's name as it stands in errors.
fn joined(name: &str, kind: &str, domain: &str) -> String {
    let mut instance = String::new();
    name::format_label(name.as_bytes(), &mut instance);
    let parts = [instance.as_str(), kind, domain.trim_end_matches('.')];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    plain(&parts.join(".")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{joined, plain};

    #[test]
    fn names_in_errors() {
        assert_eq!((plain("a.b."), plain("."), plain("")), ("a.b", ".", "."));
        assert_eq!(
            joined("My Printer", "_ipp._tcp", "local."),
            r"My\032Printer._ipp._tcp.local"
        );
        assert_eq!(joined("", "_sip._udp", ""), "_sip._udp");
        assert_eq!(joined("", "", ""), ".");
    }
}
