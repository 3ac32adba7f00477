//! The manager's properties.

use std::rc::Rc;

use dbus_serve::{Change, Property};
use zbus::Variant;

use super::{
    service::Root,
    wire::{all_domains, all_servers, global_server, global_server_ex},
};
use crate::name;

type This = Rc<Root>;

/// All of them.
pub(super) const PROPERTIES: &[Property<This>] = &[
    Property::new("LLMNRHostname", "s", Change::Told, |this| {
        this.view().llmnr_hostname.clone().into()
    }),
    Property::new("LLMNR", "s", Change::Silent, |this| {
        this.view().llmnr.as_str().into()
    }),
    Property::new("MulticastDNS", "s", Change::Silent, |this| {
        this.view().mdns.as_str().into()
    }),
    Property::new("DNSOverTLS", "s", Change::Silent, |this| {
        this.view().dns_over_tls.as_str().into()
    }),
    Property::new("DNS", "a(iiay)", Change::Told, |this| {
        let servers = all_servers(&this.manager, &this.view().servers);
        let servers: Vec<_> = servers.iter().map(global_server).collect();
        servers.into()
    }),
    Property::new("DNSEx", "a(iiayqs)", Change::Told, |this| {
        let servers = all_servers(&this.manager, &this.view().servers);
        let servers: Vec<_> = servers.iter().map(global_server_ex).collect();
        servers.into()
    }),
    Property::new("FallbackDNS", "a(iiay)", Change::Never, |this| {
        let servers = this.view().fallback_servers.iter();
        servers.map(global_server).collect::<Vec<_>>().into()
    }),
    Property::new("FallbackDNSEx", "a(iiayqs)", Change::Never, |this| {
        let servers = this.view().fallback_servers.iter();
        servers.map(global_server_ex).collect::<Vec<_>>().into()
    }),
    Property::new("CurrentDNSServer", "(iiay)", Change::Told, |this| {
        let current = this.view().current_server.as_ref();
        current.map(global_server).unwrap_or_default().into()
    }),
    Property::new("CurrentDNSServerEx", "(iiayqs)", Change::Told, |this| {
        let current = this.view().current_server.as_ref();
        current.map(global_server_ex).unwrap_or_default().into()
    }),
    Property::new("Domains", "a(isb)", Change::Silent, |this| {
        all_domains(&this.manager, &this.view().domains).into()
    }),
    Property::new("TransactionStatistics", "(tt)", Change::Silent, |this| {
        let counted = &this.manager.statistics;
        let current = counted.current_transactions.get();
        (current, counted.total_transactions.get()).into()
    }),
    Property::new("CacheStatistics", "(ttt)", Change::Silent, cache_statistics),
    Property::new("DNSSEC", "s", Change::Silent, |this| {
        this.view().dnssec.as_str().into()
    }),
    Property::new("DNSSECStatistics", "(tttt)", Change::Silent, |this| {
        let counted = &this.manager.statistics;
        let (secure, insecure) = (&counted.dnssec_secure, &counted.dnssec_insecure);
        let (bogus, indeterminate) = (&counted.dnssec_bogus, &counted.dnssec_indeterminate);
        (
            secure.get(),
            insecure.get(),
            bogus.get(),
            indeterminate.get(),
        )
            .into()
    }),
    Property::new("DNSSECSupported", "b", Change::Silent, |this| {
        this.view().dnssec_supported.into()
    }),
    Property::new("DNSSECNegativeTrustAnchors", "as", Change::Silent, |this| {
        let names = this.view().negative_trust_anchors.iter();
        names.map(name::format).collect::<Vec<_>>().into()
    }),
    Property::new("DNSStubListener", "s", Change::Silent, |this| {
        this.manager.config().stub_listener.as_str().into()
    }),
    Property::new("ResolvConfMode", "s", Change::Silent, |this| {
        this.view().resolv_conf_mode.as_str().into()
    }),
];

fn cache_statistics(this: &This) -> Variant<'static> {
    let counted = this.manager.cache.statistics();
    (counted.size, counted.hits, counted.misses).into()
}
