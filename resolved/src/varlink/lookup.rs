//! The four lookups.

use std::{borrow::Cow, rc::Rc};

use serde::{Deserialize, Serialize};
use varlink_serve::{Answer, Call, Failure};

use super::{
    call::unless_gone,
    error::failure,
    record::Record,
    wire::{self, Address},
};
use crate::{
    failure::Failure as Failed,
    manager::Manager,
    request::{self, AF_INET, AF_INET6, AF_UNSPEC, Service},
};

/// Class IN. RFC 1035, 3.2.4
const CLASS_IN: u16 = 1;

/// In which words a lookup is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// io.systemd.Resolve's: systemd's NSS module refuses a reply with a key that it does not know.
    Systemd,
    /// io.switchyard.Resolve's: with the time to live.
    Switchyard,
}

impl Form {
    fn ttl(self, ttl: u32) -> Option<u32> {
        (self == Self::Switchyard).then_some(ttl)
    }
}

pub(super) async fn hostname(
    manager: &Rc<Manager>,
    call: Call<'_>,
    form: Form,
) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters<'a> {
        ifindex: Option<i64>,
        #[serde(borrow)]
        name: Cow<'a, str>,
        family: Option<i32>,
        flags: Option<u64>,
    }
    #[derive(Serialize)]
    struct Reply {
        addresses: Vec<Address>,
        name: String,
        flags: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        ttl: Option<u32>,
    }
    let p: Parameters<'_> = call.parameters()?;
    let lookup = request::resolve_hostname(
        manager,
        p.ifindex.unwrap_or(0),
        &p.name,
        p.family.unwrap_or(AF_UNSPEC),
        p.flags.unwrap_or(0),
    );
    let found = unless_gone(&call, lookup).await?;
    let reply = Reply {
        addresses: found.addresses.into_iter().map(Address::new).collect(),
        name: found.name,
        flags: found.flags.bits(),
        ttl: form.ttl(found.ttl),
    };
    call.reply(&reply).await
}

pub(super) async fn address(
    manager: &Rc<Manager>,
    call: Call<'_>,
    form: Form,
) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters {
        ifindex: Option<i64>,
        family: i32,
        address: Vec<u8>,
        flags: Option<u64>,
    }
    #[derive(Serialize)]
    struct Name {
        #[serde(skip_serializing_if = "Option::is_none")]
        ifindex: Option<u32>,
        name: String,
    }
    #[derive(Serialize)]
    struct Reply {
        names: Vec<Name>,
        flags: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        ttl: Option<u32>,
    }
    let p: Parameters = call.parameters()?;
    if matches!((p.family, p.address.len()), (AF_INET, len) if len != 4)
        || matches!((p.family, p.address.len()), (AF_INET6, len) if len != 16)
    {
        return Err(Failure::named("io.systemd.Resolve.BadAddressSize"));
    }
    let lookup = request::resolve_address(
        manager,
        p.ifindex.unwrap_or(0),
        p.family,
        &p.address,
        p.flags.unwrap_or(0),
    );
    let found = unless_gone(&call, lookup).await?;
    let name = |(index, name)| Name {
        ifindex: wire::ifindex(index),
        name,
    };
    let reply = Reply {
        names: found.names.into_iter().map(name).collect(),
        flags: found.flags.bits(),
        ttl: form.ttl(found.ttl),
    };
    call.reply(&reply).await
}

pub(super) async fn record(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters<'a> {
        ifindex: Option<i64>,
        #[serde(borrow)]
        name: Cow<'a, str>,
        class: Option<u16>,
        r#type: u16,
        flags: Option<u64>,
    }
    #[derive(Serialize)]
    struct Reply {
        rrs: Vec<Record>,
        flags: u64,
    }
    let p: Parameters<'_> = call.parameters()?;
    let lookup = request::resolve_record(
        manager,
        p.ifindex.unwrap_or(0),
        &p.name,
        p.class.unwrap_or(CLASS_IN),
        p.r#type,
        p.flags.unwrap_or(0),
    );
    let found = unless_gone(&call, lookup).await?;
    let records: Option<Vec<_>> = found.records.iter().map(Record::of).collect();
    let reply = Reply {
        rrs: records.ok_or_else(|| failure(Failed::InvalidReply))?,
        flags: found.flags.bits(),
    };
    call.reply(&reply).await
}

pub(super) async fn service(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters<'a> {
        #[serde(borrow)]
        name: Option<Cow<'a, str>>,
        #[serde(borrow)]
        r#type: Option<Cow<'a, str>>,
        #[serde(borrow)]
        domain: Cow<'a, str>,
        ifindex: Option<i64>,
        family: Option<i32>,
        flags: Option<u64>,
    }
    #[derive(Serialize)]
    struct Canonical {
        #[serde(skip_serializing_if = "String::is_empty")]
        name: String,
        r#type: String,
        domain: String,
    }
    #[derive(Serialize)]
    struct Reply {
        services: Vec<Located>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        txt: Vec<String>,
        canonical: Canonical,
        flags: u64,
    }
    let p: Parameters<'_> = call.parameters()?;
    let lookup = request::resolve_service(
        manager,
        p.ifindex.unwrap_or(0),
        p.name.as_deref().unwrap_or_default(),
        p.r#type.as_deref().unwrap_or_default(),
        &p.domain,
        p.family.unwrap_or(AF_UNSPEC),
        p.flags.unwrap_or(0),
    );
    let found = unless_gone(&call, lookup).await?;
    let reply = Reply {
        services: found.services.into_iter().map(Located::from).collect(),
        txt: found
            .txt
            .iter()
            .map(|text| super::record::octal(text))
            .collect(),
        canonical: Canonical {
            name: found.name,
            r#type: found.service_type,
            domain: found.domain,
        },
        flags: found.flags.bits(),
    };
    call.reply(&reply).await
}

/// One SRV record, and where its host is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Located {
    priority: u16,
    weight: u16,
    port: u16,
    hostname: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    canonical_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    addresses: Option<Vec<Address>>,
}

impl From<Service> for Located {
    fn from(service: Service) -> Self {
        let addresses = |found: Vec<_>| found.into_iter().map(Address::new).collect();
        Self {
            priority: service.priority,
            weight: service.weight,
            port: service.port,
            hostname: service.hostname,
            canonical_name: service.canonical_name,
            addresses: service.addresses.map(addresses),
        }
    }
}
