//! What follows from a change: the scopes anew, resolv.conf written, everyone told.

use std::{collections::BTreeMap, net::SocketAddr, rc::Rc};

use super::{
    Manager,
    events::{Event, Told},
    scope::{Scopes, Unicast},
};
use crate::{
    config::{self, Config},
    links::{Link, LinkSettings, Network, networkd, saved},
    local::HostName,
    mode::Multicast,
    multicast::MulticastLink,
    resolv_conf,
    route::{Family, ScopeId},
    server::{DnsServer, Domain},
    upstream::{Settings, Upstream},
};

impl Manager {
    /// The network as it is at the start, and what links were told before it.
    pub fn network_began(self: &Rc<Self>, network: Network) {
        let restored = saved::restore(&self.paths.saved, &network);
        let settings = restored
            .into_iter()
            .map(|(ifindex, told)| (ifindex, Rc::new(told)));
        self.settings.replace(settings.collect());
        self.network.replace(network);
        self.mdns.set_services(&self.services());
        self.networkd_changed();
    }

    /// The network as it is now.
    pub fn network_changed(self: &Rc<Self>, network: &Network) {
        let before = self.network.replace(network.clone());
        for ifindex in before.links.keys() {
            if !network.links.contains_key(ifindex) {
                self.settings.borrow_mut().remove(ifindex);
                self.forget_saved(*ifindex);
                self.tell(&Event::LinkRemoved(*ifindex));
            }
        }
        self.networkd_changed();
        for ifindex in network.links.keys() {
            if !before.links.contains_key(ifindex) {
                self.tell(&Event::LinkAdded(*ifindex));
            }
        }
    }

    /// What systemd-networkd tells the links, read again.
    pub fn networkd_changed(self: &Rc<Self>) {
        for ifindex in self.link_indices() {
            let told = networkd::read(&self.paths.networkd, ifindex);
            let known = self.link_settings(ifindex);
            match told.and_then(|state| state.settings) {
                Some(settings) => {
                    self.settings
                        .borrow_mut()
                        .insert(ifindex, Rc::new(settings));
                }
                _ if known.managed => {
                    self.settings.borrow_mut().remove(&ifindex);
                }
                _ => {}
            }
        }
        self.changed();
    }

    /// The configuration, read again (SIGHUP).
    pub fn reload(self: &Rc<Self>) -> Vec<config::Diagnostic> {
        let (config, diagnostics) = config::load(&self.paths.sources);
        self.cache.set_limit(config.cache_size);
        if !self.cache.published.switch(config.lookaside) {
            tracing::info!(
                "There is no map for Lookaside=yes: one is made when resolved starts, if at all"
            );
        }
        self.config.replace(Rc::new(config));
        self.mdns.set_services(&self.services());
        self.changed();
        diagnostics
    }

    /// The machine, or a container on it, was renamed: the kernel tells who watches of the change in any UTS namespace, and each
    /// container that starts makes one.
    pub fn host_name_changed(self: &Rc<Self>) {
        if HostName::read().full != self.host_name().full {
            self.changed();
        }
    }

    /// /etc/resolv.conf may have been written by another.
    pub fn resolv_conf_changed(self: &Rc<Self>) {
        if self.read_foreign() {
            self.changed();
        }
    }

    fn read_foreign(&self) -> bool {
        let read = if resolv_conf::mode(&self.paths.resolv_conf) == resolv_conf::Mode::Foreign {
            resolv_conf::read_foreign(&self.paths.resolv_conf)
        } else {
            resolv_conf::Foreign::default()
        };
        if read == *self.foreign.borrow() {
            return false;
        }
        self.foreign.replace(read);
        true
    }

    /// The machine's own servers: of the configuration, else of a foreign /etc/resolv.conf.
    #[must_use]
    pub fn global_servers(&self) -> Vec<DnsServer> {
        let config = self.config();
        if config.read_resolv_conf {
            self.foreign.borrow().servers.clone()
        } else {
            config.servers.clone()
        }
    }

    /// The machine's own domains.
    #[must_use]
    pub fn global_domains(&self) -> Vec<Domain> {
        let config = self.config();
        if config.read_resolv_conf {
            self.foreign.borrow().domains.clone()
        } else {
            config.domains.clone()
        }
    }

    /// Works out everything that depends on configuration, links and settings.
    pub(super) fn changed(self: &Rc<Self>) {
        // What is told on the way may come back here.
        if self.changing.replace(true) {
            return;
        }
        self.read_foreign();
        let before = self.scopes();
        let scopes = self.work_out(&before);
        let same = same_servers(&before, &scopes);
        self.scopes.replace(Rc::new(scopes));
        self.moved.notify_waiters();
        self.update_multicast();
        // Other servers may have other answers. What is kept beyond its time is kept for the very case of a network that
        // comes and goes.
        if !same && self.config().stale_retention.is_zero() {
            self.cache.flush();
        } else {
            self.cache.new_generation();
        }
        self.write_resolv_conf();
        self.changing.set(false);
        self.tell_changes();
    }

    fn work_out(self: &Rc<Self>, before: &Scopes) -> Scopes {
        let (config, network) = (self.config(), self.network());
        let negative_trust_anchors = config.negative_trust_anchors.clone();
        let settings = |servers: Vec<DnsServer>, ifindex, firewall_mark| Settings {
            servers,
            ifindex,
            firewall_mark,
            dns_over_tls: config.dns_over_tls,
            dnssec: config.dnssec,
            trust_anchors: config.trust_anchors.clone(),
            negative_trust_anchors: negative_trust_anchors.clone(),
            stub_addresses: stub_addresses(&config),
            certificates: None,
        };
        let upstream = |id, settings: Settings| match before.unicast_of(id) {
            Some(known) => {
                known.upstream.update(settings);
                known.upstream.clone()
            }
            None => {
                let upstream = Upstream::new(settings);
                let manager = Rc::downgrade(self);
                upstream.on_change(move || {
                    if let Some(manager) = manager.upgrade() {
                        manager.tell_changes();
                    }
                });
                upstream
            }
        };
        let mut unicast = Vec::new();
        let relevant: Vec<(&Link, Rc<LinkSettings>)> = network
            .links
            .values()
            .filter(|link| link.is_relevant_for_dns())
            .map(|link| (link, self.link_settings(link.index)))
            .filter(|(_, settings)| !settings.servers.is_empty())
            .collect();
        let mut servers = self.global_servers();
        if servers.is_empty() && relevant.is_empty() {
            servers.clone_from(&config.fallback_servers);
        }
        if !servers.is_empty() {
            unicast.push(Rc::new(Unicast {
                id: ScopeId::Global,
                delegate: None,
                upstream: upstream(ScopeId::Global, settings(servers.clone(), 0, 0)),
                servers,
                domains: self.global_domains(),
                default_route: true,
                dnssec: config.dnssec,
                dns_over_tls: config.dns_over_tls,
            }));
        }
        for (delegate, at) in config.delegates.iter().zip(0..) {
            let id = ScopeId::Delegate(at);
            let servers = delegate.servers.clone();
            unicast.push(Rc::new(Unicast {
                id,
                delegate: Some(delegate.id.clone()),
                upstream: upstream(id, settings(servers.clone(), 0, delegate.firewall_mark)),
                servers,
                domains: delegate.domains.clone(),
                default_route: delegate.default_route,
                dnssec: config.dnssec,
                dns_over_tls: config.dns_over_tls,
            }));
        }
        for (link, told) in relevant {
            let id = ScopeId::Link(link.index);
            let dnssec = told.dnssec.unwrap_or(config.dnssec);
            let dns_over_tls = told.dns_over_tls.unwrap_or(config.dns_over_tls);
            let mut settings = settings(told.servers.clone(), link.index, 0);
            settings.dnssec = dnssec;
            settings.dns_over_tls = dns_over_tls;
            settings
                .negative_trust_anchors
                .extend(told.negative_trust_anchors.iter().cloned());
            unicast.push(Rc::new(Unicast {
                id,
                delegate: None,
                upstream: upstream(id, settings),
                servers: told.servers.clone(),
                domains: told.domains.clone(),
                default_route: takes_everything(&told),
                dnssec,
                dns_over_tls,
            }));
        }
        drop(network);
        let mut multicast = Vec::new();
        for (ids, links) in [
            (
                ScopeId::Llmnr as fn(u32, Family) -> ScopeId,
                self.multicast_links(Protocol::Llmnr),
            ),
            (ScopeId::Mdns, self.multicast_links(Protocol::Mdns)),
        ] {
            for link in links {
                for family in [Family::V4, Family::V6] {
                    if link.link.is_relevant_for_multicast(family) {
                        multicast.push(ids(link.link.index, family));
                    }
                }
            }
        }
        Scopes {
            unicast,
            multicast,
            negative_trust_anchors,
        }
    }

    fn multicast_links(&self, protocol: Protocol) -> Vec<MulticastLink> {
        let config = self.config();
        self.network()
            .links
            .values()
            .filter(|link| {
                [Family::V4, Family::V6]
                    .into_iter()
                    .any(|family| link.is_relevant_for_multicast(family))
            })
            .filter_map(|link| {
                let told = self.link_settings(link.index);
                // A link's own word holds within the machine's.
                let mode = match protocol {
                    Protocol::Llmnr => told.llmnr.unwrap_or(Multicast::Yes).min(config.llmnr),
                    Protocol::Mdns => told.mdns.unwrap_or(Multicast::Yes).min(config.mdns),
                };
                (mode != Multicast::No).then(|| MulticastLink {
                    link: link.clone(),
                    mode,
                })
            })
            .collect()
    }

    fn update_multicast(&self) {
        let mut host_name = HostName::read();
        let label = host_name.label();
        self.llmnr.set_host_name(&label);
        self.llmnr.set_links(&self.multicast_links(Protocol::Llmnr));
        self.mdns.set_host_name(&label);
        self.mdns.set_links(&self.multicast_links(Protocol::Mdns));
        host_name.rename(&self.llmnr.host_name());
        self.host_name.replace(Rc::new(host_name));
    }

    /// Only where others can read it as it is: plain servers on the usual port, of scopes that take everything.
    fn write_resolv_conf(&self) {
        let scopes = self.scopes();
        let takes_all = scopes
            .unicast()
            .iter()
            .filter(|unicast| unicast.default_route && unicast.delegate.is_none());
        let servers: Vec<_> = takes_all
            .flat_map(|unicast| unicast.servers.iter().cloned())
            .collect();
        let links = scopes
            .unicast()
            .iter()
            .filter(|unicast| unicast.id.ifindex() != 0);
        let of_links = links.flat_map(|unicast| unicast.domains.clone());
        let domains = self.global_domains().into_iter().chain(of_links);
        let domains: Vec<_> = domains
            .filter(|domain| !domain.route_only)
            .map(|domain| domain.name)
            .collect();
        let view = resolv_conf::View {
            servers: &servers,
            domains: &domains,
            stub: self.config().stub_listener.udp(),
        };
        if let Err(error) = resolv_conf::write(&self.paths.run, &view) {
            tracing::warn!("Failed to write resolv.conf: {error}");
        }
    }

    fn tell_changes(&self) {
        let global = self.global();
        let links: BTreeMap<_, _> = self
            .link_indices()
            .into_iter()
            .filter_map(|ifindex| {
                let link = self.link(ifindex).ok()?;
                Some((ifindex, (link.servers, link.current_server)))
            })
            .collect();
        let all = global.servers.iter().cloned();
        let all = all.chain(
            links
                .values()
                .flat_map(|(servers, _)| servers.iter().cloned()),
        );
        let told = Told {
            servers: all.collect(),
            current: global.current_server,
            llmnr_name: global.llmnr_hostname,
            links,
        };
        let before = self.told.replace(told);
        let told = self.told.borrow();
        let mut properties = Vec::new();
        if told.servers != before.servers {
            properties.extend(["DNS", "DNSEx"]);
        }
        if told.current != before.current {
            properties.extend(["CurrentDNSServer", "CurrentDNSServerEx"]);
        }
        if told.llmnr_name != before.llmnr_name {
            properties.push("LLMNRHostname");
        }
        if !properties.is_empty() {
            self.tell(&Event::Manager(properties));
        }
        for (ifindex, (servers, current)) in &told.links {
            let before = before.links.get(ifindex);
            let mut properties = Vec::new();
            if before.is_some_and(|before| before.0 != *servers) {
                properties.extend(["DNS", "DNSEx"]);
            }
            if before.is_some_and(|before| before.1 != *current) {
                properties.extend(["CurrentDNSServer", "CurrentDNSServerEx"]);
            }
            if !properties.is_empty() {
                self.tell(&Event::Link(*ifindex, properties));
            }
        }
        self.tell(&Event::Configuration);
    }
}

#[derive(Clone, Copy)]
enum Protocol {
    Llmnr,
    Mdns,
}

fn same_servers(before: &Scopes, now: &Scopes) -> bool {
    let key = |scopes: &Scopes| -> Vec<_> {
        let of = |unicast: &Rc<Unicast>| {
            (
                unicast.id,
                unicast.servers.clone(),
                unicast.dnssec,
                unicast.dns_over_tls,
            )
        };
        scopes.unicast().iter().map(of).collect()
    };
    key(before) == key(now) && before.multicast == now.multicast
}

/// Where it was not told: unless it has a route-only domain, which says that it is for some names only. `~.` trumps.
fn takes_everything(settings: &LinkSettings) -> bool {
    let for_some = settings.domains.iter().any(|domain| domain.route_only)
        && !settings.domains.iter().any(|domain| domain.name.is_root());
    settings.default_route.unwrap_or(!for_some)
}

/// Where we listen ourselves: a server there would ask us.
fn stub_addresses(config: &Config) -> Vec<SocketAddr> {
    /// The stub and the proxy. systemd-resolved.service(8)
    const OWN: [[u8; 4]; 2] = [[127, 0, 0, 53], [127, 0, 0, 54]];
    let own = OWN.map(|address| SocketAddr::from((address, 53)));
    let extra = config.extra_listeners.iter();
    let extra = extra.map(|listener| SocketAddr::new(listener.address, listener.port));
    own.into_iter().chain(extra).collect()
}
