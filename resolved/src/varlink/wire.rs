//! Shapes that several methods share. What is absent is left out, and never null.

use std::net::IpAddr;

use hickory_proto::rr::{DNSClass, Name, RecordType};
use serde::Serialize;

use crate::{
    message::Question,
    name,
    request::{AF_INET, AF_INET6},
    route::Family,
};

/// A link's number; `None` for 0: none.
pub(super) fn ifindex(index: u32) -> Option<u32> {
    (index > 0).then_some(index)
}

/// The number of an address's family, and its bytes in network order.
pub(super) fn address(address: IpAddr) -> (i32, Vec<u8>) {
    match address {
        IpAddr::V4(v4) => (AF_INET, v4.octets().into()),
        IpAddr::V6(v6) => (AF_INET6, v6.octets().into()),
    }
}

/// The number of a family.
pub(super) fn family(family: Family) -> i32 {
    match family {
        Family::V4 => AF_INET,
        Family::V6 => AF_INET6,
    }
}

/// An address, and the link it was found by.
#[derive(Debug, Serialize)]
pub(super) struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    ifindex: Option<u32>,
    family: i32,
    address: Vec<u8>,
}

impl Address {
    pub fn new((index, found): (u32, IpAddr)) -> Self {
        let (family, address) = address(found);
        Self {
            ifindex: ifindex(index),
            family,
            address,
        }
    }
}

/// A question, or the key of a record.
#[derive(Debug, Serialize)]
pub(super) struct Key {
    class: u16,
    r#type: u16,
    name: String,
}

impl Key {
    pub fn new(name: &Name, class: DNSClass, rtype: RecordType) -> Self {
        Self {
            class: class.into(),
            r#type: rtype.into(),
            name: name::format(name),
        }
    }
}

impl From<&Question> for Key {
    fn from(question: &Question) -> Self {
        Self::new(&question.name, question.class, question.rtype)
    }
}
