//! Who is asked for what: DumpDNSConfiguration and SubscribeDNSConfiguration.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    rc::Rc,
};

use serde::Serialize;
use varlink_serve::{Answer, Call, Failure};

use super::wire;
use crate::{
    flags::Flags,
    manager::{DelegateView, Event, GlobalView, LinkView, Manager, ScopeView},
    name,
    route::ScopeId,
    server::{DnsServer, Domain},
};

/// Of the machine, a link or a delegate.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    #[serde(skip_serializing_if = "Option::is_none")]
    ifname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ifindex: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_route: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_server: Option<Server>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    servers: Vec<Server>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fallback_servers: Vec<Server>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    search_domains: Vec<SearchDomain>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    negative_trust_anchors: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dnssec: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dnssec_supported: Option<bool>,
    #[serde(rename = "dnsOverTLS", skip_serializing_if = "Option::is_none")]
    dns_over_tls: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    llmnr: Option<&'static str>,
    #[serde(rename = "mDNS", skip_serializing_if = "Option::is_none")]
    mdns: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolv_conf_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<Scope>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Server {
    address: Vec<u8>,
    address_string: String,
    family: i32,
    port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    ifindex: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    accessible: bool,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SearchDomain {
    name: String,
    route_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ifindex: Option<u32>,
}

/// A scope, by what it is.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scope {
    protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ifindex: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ifname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dnssec: Option<&'static str>,
    #[serde(rename = "dnsOverTLS", skip_serializing_if = "Option::is_none")]
    dns_over_tls: Option<&'static str>,
}

#[derive(Serialize)]
struct Reply {
    configuration: Vec<Configuration>,
}

pub(super) async fn dump(manager: &Rc<Manager>, call: Call<'_>) -> Result<Answer, Failure> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parameters {}
    let Parameters {} = call.parameters()?;
    call.reply(&Reply {
        configuration: all(manager),
    })
    .await
}

/// Tells the configuration now and whenever it changes. Whether the caller may is the caller's business.
pub(super) async fn follow(manager: &Rc<Manager>, mut call: Call<'_>) -> Result<Answer, Failure> {
    // Before the first reply, so that nothing is lost between the two.
    let mut events = manager.observe();
    let mut told = Reply {
        configuration: all(manager),
    };
    call.update(&told).await?;
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            gone = call.closed() => return Err(gone),
        };
        match event {
            None => return call.reply(&told).await,
            Some(Event::ServiceConflict(_)) => continue,
            Some(_) => {}
        }
        // Many at once are one change.
        while events.try_recv().is_ok() {}
        let now = all(manager);
        if now != told.configuration {
            told.configuration = now;
            call.update(&told).await?;
        }
    }
}

/// The machine, its links in order, its delegates in order.
fn all(manager: &Manager) -> Vec<Configuration> {
    let scopes = manager.scope_views();
    let of = |which: &dyn Fn(&ScopeView) -> bool| {
        scopes
            .iter()
            .filter(|scope| which(scope))
            .map(Scope::of)
            .collect()
    };
    let mut all = vec![Configuration {
        scopes: of(&|scope| scope.id == ScopeId::Global),
        ..Configuration::global(manager.global())
    }];
    let links = manager
        .link_indices()
        .into_iter()
        .filter_map(|index| manager.link(index).ok());
    all.extend(links.map(|link| Configuration {
        scopes: of(&|scope| scope.id.ifindex() == link.link.index),
        ..Configuration::link(link)
    }));
    all.extend(manager.delegates().into_iter().map(|view| Configuration {
        scopes: of(&|scope| scope.delegate.as_ref() == Some(&view.delegate.id)),
        ..Configuration::delegate(view)
    }));
    all
}

impl Configuration {
    fn global(view: GlobalView) -> Self {
        Self {
            current_server: view.current_server.map(Server::from),
            servers: view.servers.into_iter().map(Server::from).collect(),
            fallback_servers: view
                .fallback_servers
                .into_iter()
                .map(Server::from)
                .collect(),
            search_domains: domains(&view.domains, None),
            negative_trust_anchors: view
                .negative_trust_anchors
                .iter()
                .map(name::format)
                .collect(),
            dnssec: Some(view.dnssec.as_str()),
            dnssec_supported: Some(view.dnssec_supported),
            dns_over_tls: Some(view.dns_over_tls.as_str()),
            llmnr: Some(view.llmnr.as_str()),
            mdns: Some(view.mdns.as_str()),
            resolv_conf_mode: Some(view.resolv_conf_mode.as_str()),
            ..Self::default()
        }
    }

    fn link(view: LinkView) -> Self {
        Self {
            ifindex: Some(view.link.index),
            ifname: Some(view.link.name),
            default_route: Some(view.default_route),
            current_server: view.current_server.map(Server::from),
            servers: view.servers.into_iter().map(Server::from).collect(),
            search_domains: domains(&view.domains, Some(view.link.index)),
            negative_trust_anchors: view
                .negative_trust_anchors
                .iter()
                .map(name::format)
                .collect(),
            dnssec: Some(view.dnssec.as_str()),
            dnssec_supported: Some(view.dnssec_supported),
            dns_over_tls: Some(view.dns_over_tls.as_str()),
            llmnr: Some(view.llmnr.as_str()),
            mdns: Some(view.mdns.as_str()),
            ..Self::default()
        }
    }

    fn delegate(view: DelegateView) -> Self {
        Self {
            delegate: Some(view.delegate.id),
            default_route: Some(view.delegate.default_route),
            current_server: view.current_server.map(Server::from),
            servers: view
                .delegate
                .servers
                .into_iter()
                .map(Server::from)
                .collect(),
            search_domains: domains(&view.delegate.domains, None),
            ..Self::default()
        }
    }
}

fn domains(domains: &[Domain], ifindex: Option<u32>) -> Vec<SearchDomain> {
    let domain = |domain: &Domain| SearchDomain {
        name: name::format(&domain.name),
        route_only: domain.route_only,
        ifindex,
    };
    domains.iter().map(domain).collect()
}

impl From<DnsServer> for Server {
    fn from(server: DnsServer) -> Self {
        let port = match server.port {
            0 => server.transport.default_port(),
            port => port,
        };
        let (family, address) = wire::address(server.address);
        Self {
            address,
            address_string: server.address.to_string(),
            family,
            port,
            ifindex: wire::ifindex(server.ifindex),
            accessible: is_accessible(&server),
            name: server.name,
        }
    }
}

/// Whether there is a way to the server. The kernel looks when a datagram socket is connected; nothing is sent.
fn is_accessible(server: &DnsServer) -> bool {
    let any: SocketAddr = match server.address {
        IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let there = server.socket_address(server.transport.default_port());
    UdpSocket::bind(any).is_ok_and(|socket| socket.connect(there).is_ok())
}

impl Scope {
    pub fn of(view: &ScopeView) -> Self {
        let family = match view.id {
            ScopeId::Llmnr(_, family) | ScopeId::Mdns(_, family) => Some(wire::family(family)),
            _ => None,
        };
        Self {
            protocol: protocol(view.id),
            family,
            ifindex: wire::ifindex(view.id.ifindex()),
            ifname: view.interface.clone(),
            dnssec: view.dnssec.map(|mode| mode.as_str()),
            dns_over_tls: view.dns_over_tls.map(|mode| mode.as_str()),
        }
    }
}

fn protocol(id: ScopeId) -> &'static str {
    let protocol = id.protocol();
    if protocol.intersects(Flags::LLMNR) {
        "llmnr"
    } else if protocol.intersects(Flags::MDNS) {
        "mdns"
    } else {
        "dns"
    }
}
