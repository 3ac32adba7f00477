//! What org.freedesktop.resolve1 lets callers set, for machines without a bus.

use std::rc::Rc;

use hickory_proto::rr::Name;
use serde::Deserialize;
use varlink_serve::{Answer, Call, Failure};

use super::{
    call::allow,
    error::{failure, invalid},
};
use crate::{
    access::Action,
    config::{domain, lists, server},
    manager::{LinkChange, Manager},
    name,
    server::DnsServer,
};

/// The settings of a link as called for. What is absent stays as it is; an empty word is as the machine's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    ifindex: u32,
    servers: Option<Vec<String>>,
    domains: Option<Vec<String>>,
    default_route: Option<bool>,
    llmnr: Option<String>,
    #[serde(rename = "mDNS")]
    mdns: Option<String>,
    #[serde(rename = "dnsOverTLS")]
    dns_over_tls: Option<String>,
    dnssec: Option<String>,
    negative_trust_anchors: Option<Vec<String>>,
    allow_interactive_authentication: Option<bool>,
}

/// A setting, and who may change it.
type Change = (Action, LinkChange);

pub(super) async fn set_link(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    let settings: Settings = call.parameters()?;
    let (ifindex, interactive) = (settings.ifindex, settings.allow_interactive_authentication);
    let changes = settings.changes()?;
    manager.changeable_link(ifindex).map_err(failure)?;
    for (action, _) in &changes {
        allow_link(manager, &call, *action, interactive, ifindex).await?;
    }
    let changes = changes.into_iter().map(|(_, change)| change).collect();
    manager.set_link(ifindex, changes).map_err(failure)?;
    call.done().await
}

pub(super) async fn revert_link(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Parameters {
        ifindex: u32,
        allow_interactive_authentication: Option<bool>,
    }
    let p: Parameters = call.parameters()?;
    manager.changeable_link(p.ifindex).map_err(failure)?;
    allow_link(
        manager,
        &call,
        Action::Revert,
        p.allow_interactive_authentication,
        p.ifindex,
    )
    .await?;
    manager.revert_link(p.ifindex).map_err(failure)?;
    call.done().await
}

async fn allow_link(
    manager: &Rc<Manager>,
    call: &Call<'_>,
    action: Action,
    interactive: Option<bool>,
    ifindex: u32,
) -> Result<(), Failure> {
    let link = manager.link(ifindex).map_err(failure)?;
    allow(
        manager,
        call,
        action,
        interactive,
        &[("interface", &link.link.name)],
    )
    .await
}

/// As on the bus, everyone may.
pub(super) async fn reset_server_features(
    manager: &Rc<Manager>,
    call: Call<'_>,
) -> Result<Answer, Failure> {
    nothing(&call)?;
    manager.reset_server_features();
    call.done().await
}

fn nothing(call: &Call<'_>) -> Result<(), Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters {}
    call.parameters::<Parameters>().map(drop)
}

impl Settings {
    fn changes(&self) -> Result<Vec<Change>, Failure> {
        let mut changes = Vec::new();
        if let Some(texts) = &self.servers {
            changes.push((Action::SetDnsServers, LinkChange::Servers(servers(texts)?)));
        }
        if let Some(texts) = &self.domains {
            changes.push((Action::SetDomains, domains(texts)?));
        }
        if let Some(default_route) = self.default_route {
            let change = LinkChange::DefaultRoute(Some(default_route));
            changes.push((Action::SetDefaultRoute, change));
        }
        if let Some(text) = &self.llmnr {
            changes.push((Action::SetLlmnr, LinkChange::Llmnr(mode("llmnr", text)?)));
        }
        if let Some(text) = &self.mdns {
            changes.push((Action::SetMdns, LinkChange::Mdns(mode("mDNS", text)?)));
        }
        if let Some(text) = &self.dns_over_tls {
            let change = LinkChange::DnsOverTls(mode("dnsOverTLS", text)?);
            changes.push((Action::SetDnsOverTls, change));
        }
        if let Some(text) = &self.dnssec {
            changes.push((Action::SetDnssec, LinkChange::Dnssec(mode("dnssec", text)?)));
        }
        if let Some(texts) = &self.negative_trust_anchors {
            let change = LinkChange::NegativeTrustAnchors(names(texts)?);
            changes.push((Action::SetDnssecNegativeTrustAnchors, change));
        }
        Ok(changes)
    }
}

/// As in `DNS=`, but without a link of their own.
fn servers(texts: &[String]) -> Result<Vec<DnsServer>, Failure> {
    let mut servers = Vec::with_capacity(texts.len());
    for text in texts {
        let server = server::parse(text, &|_| None).map_err(|why| invalid("servers", why))?;
        if !server::is_usable(server.address) {
            return Err(invalid(
                "servers",
                format!("No server can be at {}", server.address),
            ));
        }
        if !lists::add_server(&mut servers, server) {
            return Err(invalid("servers", "Too many servers".to_owned()));
        }
    }
    Ok(servers)
}

/// As in `Domains=`.
fn domains(texts: &[String]) -> Result<LinkChange, Failure> {
    let mut domains = Vec::with_capacity(texts.len());
    for text in texts {
        let domain = domain::parse(text).map_err(|why| invalid("domains", why))?;
        if !lists::add_domain(&mut domains, domain) {
            return Err(invalid("domains", "Too many domains".to_owned()));
        }
    }
    Ok(LinkChange::Domains(domains))
}

/// A domain name.
pub(super) fn domain_name(parameter: &'static str, text: &str) -> Result<Name, Failure> {
    name::parse(text).map_err(|_| invalid(parameter, format!("{text:?} is no domain name")))
}

fn names(texts: &[String]) -> Result<Vec<Name>, Failure> {
    let mut names = Vec::with_capacity(texts.len());
    for text in texts {
        let name = domain_name("negativeTrustAnchors", text)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn mode<T: std::str::FromStr>(parameter: &'static str, text: &str) -> Result<Option<T>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |_| invalid(parameter, format!("{text:?} is no setting of it"));
    text.parse().map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mode::Multicast;

    fn changes(settings: serde_json::Value) -> Option<Vec<LinkChange>> {
        let settings: Settings = serde_json::from_value(settings).ok()?;
        let changes = settings.changes().ok()?;
        Some(changes.into_iter().map(|(_, change)| change).collect())
    }

    #[test]
    fn what_is_absent_stays() {
        use serde_json::json;
        assert_eq!(changes(json!({ "ifindex": 3 })), Some(Vec::new()));
        let some =
            changes(json!({ "ifindex": 3, "llmnr": "resolve", "mDNS": "", "defaultRoute": false }));
        assert_eq!(
            some.unwrap(),
            [
                LinkChange::DefaultRoute(Some(false)),
                LinkChange::Llmnr(Some(Multicast::Resolve)),
                LinkChange::Mdns(None)
            ]
        );
        let servers = changes(
            json!({ "ifindex": 3, "servers": ["192.0.2.1", "[2001:db8::1]:99#dns.example", "192.0.2.1"] }),
        );
        assert!(
            matches!(servers.unwrap().as_slice(), [LinkChange::Servers(servers)] if servers.len() == 2)
        );
    }

    #[test]
    fn what_can_not_be() {
        use serde_json::json;
        for wrong in [
            json!({}),
            json!({ "ifindex": -1 }),
            json!({ "ifindex": 3, "servers": ["127.0.0.53"] }),
            json!({ "ifindex": 3, "servers": ["0.0.0.0"] }),
            json!({ "ifindex": 3, "servers": ["web"] }),
            json!({ "ifindex": 3, "domains": ["a..b"] }),
            json!({ "ifindex": 3, "dnssec": "maybe" }),
            json!({ "ifindex": 3, "negativeTrustAnchors": ["a..b"] }),
            json!({ "ifindex": 3, "other": 1 }),
        ] {
            assert!(changes(wrong.clone()).is_none(), "{wrong}");
        }
    }
}
