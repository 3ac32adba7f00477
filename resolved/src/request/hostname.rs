//! A host name's addresses.

use std::{net::IpAddr, rc::Rc};

use hickory_proto::rr::DNSClass;

use super::{parameters, shareable::Shareable};
use crate::{
    failure::Failure,
    flags::Flags,
    local::{self, Literal},
    manager::Manager,
    message::Lookup,
    name,
};

/// A host name's addresses.
#[derive(Clone, Debug)]
pub struct HostnameReply {
    /// With the link each was found by (0: none).
    pub addresses: Vec<(u32, IpAddr)>,
    /// The canonical name.
    pub name: String,
    /// Where it came from.
    pub flags: Flags,
    /// For how many seconds all of it holds, the aliases that led here included.
    pub ttl: u32,
}

/// Looks up a host name's addresses: `family` is [`AF_UNSPEC`](super::AF_UNSPEC) or one of the two.
///
/// # Errors
/// [`Failure::InvalidParameter`]; those of [`Manager::lookup`].
pub async fn resolve_hostname(
    manager: &Rc<Manager>,
    ifindex: i64,
    name: &str,
    family: i32,
    flags: u64,
) -> Result<HostnameReply, Failure> {
    let shareable = Shareable::hostname(manager, name, family, (ifindex, flags));
    let ifindex = parameters::ifindex(ifindex)?;
    let types = parameters::address_types(family)?;
    let mut flags = parameters::flags(flags, Flags::NO_SEARCH)?;
    // A name that ends in a dot is complete. resolver(3), "search"
    if name.ends_with('.') {
        flags |= Flags::NO_SEARCH;
    }
    if let Some(literal) = local::literal(name, ifindex, &manager.network()) {
        return of_literal(literal, family);
    }
    let lookup = Lookup {
        name: parameters::host(name)?,
        class: DNSClass::IN,
        types,
        ifindex,
        flags,
        dnssec_ok: false,
    };
    let answer = manager.lookup(&lookup).await?;
    let found: Vec<_> = answer.of_types(&lookup.types).collect();
    let canonical = found.first().map(|found| name::format(&found.record.name));
    let addresses: Vec<_> = found
        .iter()
        .filter_map(|found| Some((found.ifindex, found.record.data.ip_addr()?)))
        .collect();
    if let Some(shareable) = shareable {
        // Without one it is the name asked for.
        let is_another = |canonical: &&str| !canonical.eq_ignore_ascii_case(name);
        let names = canonical.as_deref().filter(is_another);
        shareable.publish(
            manager,
            &lookup.name,
            &answer,
            (&addresses, names.as_slice()),
        );
    }
    let canonical = canonical.ok_or_else(|| super::record::absent(&answer))?;
    Ok(HostnameReply {
        addresses,
        name: canonical,
        flags: answer.flags,
        ttl: answer.ttl(),
    })
}

/// The text of an address is its own name.
fn of_literal(literal: Literal, family: i32) -> Result<HostnameReply, Failure> {
    let own = match literal.address {
        IpAddr::V4(_) => super::AF_INET,
        IpAddr::V6(_) => super::AF_INET6,
    };
    if family != super::AF_UNSPEC && family != own {
        return Err(Failure::NoSuchRecord);
    }
    Ok(HostnameReply {
        addresses: vec![(literal.ifindex, literal.address)],
        name: literal.text,
        flags: Flags::DNS | Flags::AUTHENTICATED | Flags::CONFIDENTIAL | Flags::SYNTHETIC,
        ttl: 0,
    })
}
