//! What both interfaces show.

use hickory_proto::rr::Name;

use super::Manager;
use crate::{
    config::Delegate,
    failure::Failure,
    flags::Flags,
    links::Link,
    mode::{DnsOverTls, Dnssec, Multicast},
    resolv_conf::Mode,
    route::ScopeId,
    server::{DnsServer, Domain},
    upstream::Upstream,
};

/// A link, with what holds for it now (the machine's settings where it has none of its own).
#[derive(Clone, Debug)]
pub struct LinkView {
    /// As the kernel has it.
    pub link: Link,
    /// The protocols that are spoken on it: `ScopesMask`.
    pub scopes: Flags,
    /// Of the link alone.
    pub servers: Vec<DnsServer>,
    /// The one that is asked first.
    pub current_server: Option<DnsServer>,
    /// Of the link alone.
    pub domains: Vec<Domain>,
    /// Names outside of all routing domains come here.
    pub default_route: bool,
    /// What holds: what it was told, as far as the machine goes.
    pub llmnr: Multicast,
    /// Likewise.
    pub mdns: Multicast,
    /// What it was told, or as the machine's.
    pub dns_over_tls: DnsOverTls,
    /// What it was told, or as the machine's.
    pub dnssec: Dnssec,
    /// Its servers can.
    pub dnssec_supported: bool,
    /// Of the link alone.
    pub negative_trust_anchors: Vec<Name>,
    /// systemd-networkd set it up.
    pub managed: bool,
}

/// The machine as a whole.
#[derive(Clone, Debug)]
pub struct GlobalView {
    /// The label that LLMNR answers to.
    pub llmnr_hostname: String,
    /// From `DNS=`, or of /etc/resolv.conf.
    pub servers: Vec<DnsServer>,
    /// If no other server is known at all.
    pub fallback_servers: Vec<DnsServer>,
    /// The one that is asked first.
    pub current_server: Option<DnsServer>,
    /// From `Domains=`, or of /etc/resolv.conf.
    pub domains: Vec<Domain>,
    /// As set.
    pub llmnr: Multicast,
    /// As set.
    pub mdns: Multicast,
    /// As set.
    pub dns_over_tls: DnsOverTls,
    /// As set.
    pub dnssec: Dnssec,
    /// The machine's servers can, and every link's.
    pub dnssec_supported: bool,
    /// Of the machine.
    pub negative_trust_anchors: Vec<Name>,
    /// What /etc/resolv.conf is.
    pub resolv_conf_mode: Mode,
}

/// A delegate.
#[derive(Clone, Debug)]
pub struct DelegateView {
    /// As configured.
    pub delegate: Delegate,
    /// The one that is asked first.
    pub current_server: Option<DnsServer>,
}

/// A scope: for DumpCache, DumpServerState, DumpDNSConfiguration.
#[derive(Clone)]
pub struct ScopeView {
    /// Which.
    pub id: ScopeId,
    /// The link's name, if it is one's.
    pub interface: Option<String>,
    /// The delegate's, if it is one's.
    pub delegate: Option<String>,
    /// Unicast alone.
    pub upstream: Option<Upstream>,
    /// Unicast alone.
    pub dnssec: Option<Dnssec>,
    /// Unicast alone.
    pub dns_over_tls: Option<DnsOverTls>,
}

impl Manager {
    /// All links, by their numbers.
    #[must_use]
    pub fn link_indices(&self) -> Vec<u32> {
        self.network().links.keys().copied().collect()
    }

    /// A link by its number.
    ///
    /// # Errors
    /// [`Failure::NoSuchLink`].
    pub fn link(&self, ifindex: u32) -> Result<LinkView, Failure> {
        let network = self.network();
        let link = network
            .links
            .get(&ifindex)
            .ok_or(Failure::NoSuchLink(ifindex))?;
        let (config, settings, scopes) =
            (self.config(), self.link_settings(ifindex), self.scopes());
        let unicast = scopes.unicast_of(ScopeId::Link(ifindex));
        let dnssec = settings.dnssec.unwrap_or(config.dnssec);
        Ok(LinkView {
            scopes: scopes.protocols_of(ifindex),
            servers: settings.servers.clone(),
            current_server: unicast.and_then(|unicast| unicast.upstream.current_server()),
            domains: settings.domains.clone(),
            default_route: scopes.is_default_route(ifindex),
            llmnr: settings.llmnr.unwrap_or(config.llmnr).min(config.llmnr),
            mdns: settings.mdns.unwrap_or(config.mdns).min(config.mdns),
            dns_over_tls: settings.dns_over_tls.unwrap_or(config.dns_over_tls),
            dnssec,
            dnssec_supported: dnssec != Dnssec::No
                && unicast.is_none_or(|unicast| unicast.upstream.dnssec_supported()),
            negative_trust_anchors: settings.negative_trust_anchors.clone(),
            managed: settings.managed,
            link: link.clone(),
        })
    }

    /// The machine as a whole.
    #[must_use]
    pub fn global(&self) -> GlobalView {
        let (config, scopes) = (self.config(), self.scopes());
        let global = scopes.unicast_of(ScopeId::Global);
        GlobalView {
            llmnr_hostname: self.llmnr.host_name(),
            servers: self.global_servers(),
            fallback_servers: config.fallback_servers.clone(),
            current_server: global.and_then(|global| global.upstream.current_server()),
            domains: self.global_domains(),
            llmnr: config.llmnr,
            mdns: config.mdns,
            dns_over_tls: config.dns_over_tls,
            dnssec: config.dnssec,
            dnssec_supported: config.dnssec != Dnssec::No
                && scopes
                    .unicast()
                    .iter()
                    .all(|unicast| unicast.upstream.dnssec_supported()),
            negative_trust_anchors: scopes.negative_trust_anchors.clone(),
            resolv_conf_mode: crate::resolv_conf::mode(&self.paths.resolv_conf),
        }
    }

    /// All delegates.
    #[must_use]
    pub fn delegates(&self) -> Vec<DelegateView> {
        let scopes = self.scopes();
        self.config()
            .delegates
            .iter()
            .zip(0..)
            .map(|(delegate, at)| DelegateView {
                delegate: delegate.clone(),
                current_server: scopes
                    .unicast_of(ScopeId::Delegate(at))
                    .and_then(|unicast| unicast.upstream.current_server()),
            })
            .collect()
    }

    /// A delegate by its id.
    ///
    /// # Errors
    /// [`Failure::NoSuchDelegate`].
    pub fn delegate(&self, id: &str) -> Result<DelegateView, Failure> {
        self.delegates()
            .into_iter()
            .find(|view| view.delegate.id == id)
            .ok_or_else(|| Failure::NoSuchDelegate(id.to_owned()))
    }

    /// All scopes: the machine's, the delegates', the links'.
    #[must_use]
    pub fn scope_views(&self) -> Vec<ScopeView> {
        let scopes = self.scopes();
        let network = self.network();
        let interface = |ifindex: u32| network.links.get(&ifindex).map(|link| link.name.clone());
        let unicast = scopes.unicast().iter().map(|unicast| ScopeView {
            id: unicast.id,
            interface: match unicast.id {
                ScopeId::Link(ifindex) => interface(ifindex),
                _ => None,
            },
            delegate: unicast.delegate.clone(),
            upstream: Some(unicast.upstream.clone()),
            dnssec: Some(unicast.dnssec),
            dns_over_tls: Some(unicast.dns_over_tls),
        });
        let multicast = scopes.multicast().iter().map(|id| ScopeView {
            id: *id,
            interface: match id {
                ScopeId::Llmnr(ifindex, _) | ScopeId::Mdns(ifindex, _) => interface(*ifindex),
                _ => None,
            },
            delegate: None,
            upstream: None,
            dnssec: None,
            dns_over_tls: None,
        });
        unicast.chain(multicast).collect()
    }
}
