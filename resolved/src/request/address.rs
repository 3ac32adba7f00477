//! An address's names.

use std::{net::IpAddr, rc::Rc};

use hickory_proto::rr::{DNSClass, Name, RData, RecordType};

use super::{parameters, shareable::Shareable};
use crate::{failure::Failure, flags::Flags, manager::Manager, message::Lookup, name};

/// An address's names.
#[derive(Clone, Debug)]
pub struct AddressReply {
    /// With the link each was found by (0: none).
    pub names: Vec<(u32, String)>,
    /// Where they came from.
    pub flags: Flags,
    /// For how many seconds all of it holds.
    pub ttl: u32,
}

/// Looks up an address's names: `bytes` in network order.
///
/// # Errors
/// [`Failure::InvalidParameter`]; those of [`Manager::lookup`].
pub async fn resolve_address(
    manager: &Rc<Manager>,
    ifindex: i64,
    family: i32,
    bytes: &[u8],
    flags: u64,
) -> Result<AddressReply, Failure> {
    let shareable = Shareable::address(manager, bytes, (ifindex, flags));
    let ifindex = parameters::ifindex(ifindex)?;
    let address = parameters::address(family, bytes)?;
    let flags = parameters::flags(flags, Flags::empty())?;
    let lookup = Lookup {
        name: reverse(address),
        class: DNSClass::IN,
        types: vec![RecordType::PTR],
        ifindex,
        flags: flags | Flags::NO_SEARCH,
        dnssec_ok: false,
    };
    let answer = manager.lookup(&lookup).await?;
    let names: Vec<_> = answer
        .of_types(&lookup.types)
        .filter_map(|found| match &found.record.data {
            RData::PTR(ptr) => Some((found.ifindex, name::format(ptr))),
            _ => None,
        })
        .collect();
    if let Some(shareable) = shareable {
        let texts: Vec<_> = names
            .iter()
            .map(|(_, name): &(u32, String)| name.as_str())
            .collect();
        shareable.publish(manager, &lookup.name, &answer, (&[], &texts));
    }
    if names.is_empty() {
        return Err(super::record::absent(&answer));
    }
    Ok(AddressReply {
        names,
        flags: answer.flags,
        ttl: answer.ttl(),
    })
}

/// The name under in-addr.arpa or ip6.arpa. RFC 1035, 3.5; RFC 3596, 2.5
pub(crate) fn reverse(address: IpAddr) -> Name {
    Name::from(address)
}
