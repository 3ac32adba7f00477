//! What links are told by calls.

use std::rc::Rc;

use hickory_proto::rr::Name;

use super::Manager;
use crate::{
    failure::Failure,
    links::{LinkSettings, saved},
    mode::{DnsOverTls, Dnssec, Multicast},
    server::{DnsServer, Domain},
};

/// More servers or domains of one link are refused.
const MOST_SERVERS: usize = 256;
const MOST_DOMAINS: usize = 1024;

/// One setting of a link. `None`: as the machine's.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkChange {
    /// `SetLinkDNS`, `SetLinkDNSEx`.
    Servers(Vec<DnsServer>),
    /// `SetLinkDomains`.
    Domains(Vec<Domain>),
    /// `SetLinkDefaultRoute`.
    DefaultRoute(Option<bool>),
    /// `SetLinkLLMNR`.
    Llmnr(Option<Multicast>),
    /// `SetLinkMulticastDNS`.
    Mdns(Option<Multicast>),
    /// `SetLinkDNSOverTLS`.
    DnsOverTls(Option<DnsOverTls>),
    /// `SetLinkDNSSEC`.
    Dnssec(Option<Dnssec>),
    /// `SetLinkDNSSECNegativeTrustAnchors`.
    NegativeTrustAnchors(Vec<Name>),
}

impl Manager {
    /// The settings of a link that calls may change.
    ///
    /// # Errors
    /// [`Failure::NoSuchLink`]; [`Failure::LinkBusy`] for the loopback and for what systemd-networkd manages.
    pub fn changeable_link(&self, ifindex: u32) -> Result<Rc<LinkSettings>, Failure> {
        let network = self.network();
        let link = network
            .links
            .get(&ifindex)
            .ok_or(Failure::NoSuchLink(ifindex))?;
        let settings = self.link_settings(ifindex);
        if link.loopback || settings.managed {
            return Err(Failure::LinkBusy(link.name.clone()));
        }
        Ok(settings)
    }

    /// What a link was told.
    #[must_use]
    pub fn link_settings(&self, ifindex: u32) -> Rc<LinkSettings> {
        self.settings
            .borrow()
            .get(&ifindex)
            .map(Rc::clone)
            .unwrap_or_default()
    }

    /// Changes settings of a link, all or none, and saves them. Whoever may call is checked by the caller.
    ///
    /// # Errors
    /// Those of [`Manager::changeable_link`]; [`Failure::InvalidParameter`] for more than there may be.
    pub fn set_link(
        self: &Rc<Self>,
        ifindex: u32,
        changes: Vec<LinkChange>,
    ) -> Result<(), Failure> {
        let mut settings = LinkSettings::clone(&*self.changeable_link(ifindex)?);
        for change in changes {
            change.apply(&mut settings, ifindex)?;
        }
        if settings == *self.link_settings(ifindex) {
            return Ok(());
        }
        self.save(ifindex, &settings);
        self.settings
            .borrow_mut()
            .insert(ifindex, Rc::new(settings));
        self.changed();
        Ok(())
    }

    /// Forgets what a link was told by calls.
    ///
    /// # Errors
    /// Those of [`Manager::changeable_link`].
    pub fn revert_link(self: &Rc<Self>, ifindex: u32) -> Result<(), Failure> {
        self.changeable_link(ifindex)?;
        self.settings.borrow_mut().remove(&ifindex);
        self.forget_saved(ifindex);
        self.changed();
        Ok(())
    }

    fn save(&self, ifindex: u32, settings: &LinkSettings) {
        if let Err(error) = saved::save(&self.paths.saved, ifindex, settings) {
            tracing::warn!(
                "Failed to save the settings of link {ifindex}, they end with the daemon: {error}"
            );
        }
    }

    pub(super) fn forget_saved(&self, ifindex: u32) {
        if let Err(error) = saved::remove(&self.paths.saved, ifindex) {
            tracing::warn!("Failed to remove the saved settings of link {ifindex}: {error}");
        }
    }
}

impl LinkChange {
    fn apply(self, settings: &mut LinkSettings, ifindex: u32) -> Result<(), Failure> {
        let few = |what: &'static str, count: usize, most: usize| {
            if count > most {
                let message = format!("{count} are too many, at most {most} can be set");
                return Err(Failure::InvalidParameter(what, message));
            }
            Ok(())
        };
        match self {
            Self::Servers(servers) => {
                few("servers", servers.len(), MOST_SERVERS)?;
                settings.servers = servers
                    .into_iter()
                    .map(|server| DnsServer { ifindex, ..server })
                    .collect();
            }
            Self::Domains(domains) => {
                few("domains", domains.len(), MOST_DOMAINS)?;
                settings.domains = domains;
            }
            Self::DefaultRoute(default_route) => settings.default_route = default_route,
            Self::Llmnr(llmnr) => settings.llmnr = llmnr,
            Self::Mdns(mdns) => settings.mdns = mdns,
            Self::DnsOverTls(dns_over_tls) => settings.dns_over_tls = dns_over_tls,
            Self::Dnssec(dnssec) => settings.dnssec = dnssec,
            Self::NegativeTrustAnchors(names) => {
                few("negative trust anchors", names.len(), MOST_DOMAINS)?;
                settings.negative_trust_anchors = names;
            }
        }
        Ok(())
    }
}
