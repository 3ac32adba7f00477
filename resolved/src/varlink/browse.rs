//! BrowseServices: DNS-SD (RFC 6763) as it comes and goes.

use std::{borrow::Cow, rc::Rc};

use hickory_proto::rr::Name;
use serde::{Deserialize, Serialize};
use varlink_serve::{Answer, Call, Failure};

use super::wire;
use crate::{flags::Flags, manager::Manager, mdns::Browsed, name, request};

/// What came or went.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    update_flag: &'static str,
    family: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    r#type: String,
    domain: String,
    ifindex: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Changes {
    browser_service_data: Vec<Change>,
}

pub(super) async fn browse(manager: &Rc<Manager>, mut call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters<'a> {
        #[serde(borrow)]
        domain: Option<Cow<'a, str>>,
        #[serde(borrow)]
        r#type: Option<Cow<'a, str>>,
        ifindex: Option<i64>,
        flags: Option<u64>,
    }
    if !call.more() {
        return Err(Failure::expected_more());
    }
    let p: Parameters<'_> = call.parameters()?;
    let ifindex = p.ifindex.unwrap_or(0);
    let ifindex = u32::try_from(ifindex).map_err(|_| Failure::invalid_parameter("ifindex"))?;
    // Services are browsed by mDNS alone, so the flags can only ask for it.
    let flags = Flags::from_call(p.flags.unwrap_or(0), Flags::empty());
    if !flags.is_some_and(|flags| flags.intersects(Flags::MDNS)) {
        return Err(Failure::invalid_parameter("flags"));
    }
    let domain = local(p.domain.as_deref()).ok_or_else(|| Failure::invalid_parameter("domain"))?;
    let service_type = match p.r#type.as_deref() {
        None | Some("") => None,
        Some(text) if request::is_service_type(text) => name::parse(text).ok(),
        Some(_) => return Err(Failure::invalid_parameter("type")),
    };
    let mut changes = manager.mdns.browse(service_type.as_ref(), &domain, ifindex);
    loop {
        let browsed = tokio::select! {
            browsed = changes.recv() => browsed,
            gone = call.closed() => return Err(gone),
        };
        let Some(browsed) = browsed else {
            return call
                .reply(&Changes {
                    browser_service_data: Vec::new(),
                })
                .await;
        };
        let changes = Changes {
            browser_service_data: browsed.into_iter().map(Change::from).collect(),
        };
        call.update(&changes).await?;
    }
}

/// The domain that is browsed: `local`, said or not.
fn local(said: Option<&str>) -> Option<Name> {
    let local = Name::from_labels(["local"]).ok()?;
    match said {
        None | Some("") => Some(local),
        Some(said) => name::parse(said).ok().filter(|said| *said == local),
    }
}

impl From<Browsed> for Change {
    fn from(browsed: Browsed) -> Self {
        Self {
            update_flag: if browsed.added { "added" } else { "removed" },
            family: wire::family(browsed.family),
            name: browsed.name,
            r#type: browsed.service_type,
            domain: browsed.domain,
            ifindex: browsed.ifindex,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_browsed_in_local_alone() {
        for said in [None, Some(""), Some("local"), Some("LOCAL.")] {
            assert!(local(said).is_some(), "{said:?}");
        }
        for said in ["example.com", "x.local", "a..b"] {
            assert!(local(Some(said)).is_none(), "{said:?}");
        }
    }
}
