//! What the machine's administrator set: resolved.conf(5), its drop-ins, and the files beside it.

mod anchors;
mod boot;
mod delegate;
mod dnssd;
pub mod domain;
pub mod lists;
mod load;
mod records;
mod resolve;
pub mod server;
mod setting;
mod sources;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod unit;
mod values;
mod words;

use std::{net::IpAddr, time::Duration};

use config_file::{files, syntax, wrong};
use hickory_proto::rr::{Name, RecordType};

pub use config_file::Diagnostic;
pub(crate) use config_file::files::try_read as read_file;

use crate::{
    mode::{CacheMode, DnsOverTls, Dnssec, Multicast, StubListener},
    server::{DnsServer, Domain},
};

pub(crate) use self::sources::ifindex_of;
pub use self::{
    load::{check, load},
    records::StaticRecords,
    sources::{Credential, Sources},
};

/// All of it. [`Config::default`] is what holds without any file.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `DNS=`.
    pub servers: Vec<DnsServer>,
    /// `FallbackDNS=`: if no other server is known at all.
    pub fallback_servers: Vec<DnsServer>,
    /// `Domains=`.
    pub domains: Vec<Domain>,
    /// Nothing set `DNS=` or `Domains=`: those of /etc/resolv.conf are taken, if another program writes it
    /// ([`Mode::Foreign`](crate::resolv_conf::Mode::Foreign)).
    pub read_resolv_conf: bool,
    /// `LLMNR=`.
    pub llmnr: Multicast,
    /// `MulticastDNS=`.
    pub mdns: Multicast,
    /// `DNSSEC=`.
    pub dnssec: Dnssec,
    /// `DNSOverTLS=`.
    pub dns_over_tls: DnsOverTls,
    /// `Cache=`.
    pub cache: CacheMode,
    /// `CacheSize=` (ours): bytes that the cache may take.
    pub cache_size: usize,
    /// `Lookaside=` (ours): answers are shared with every process.
    pub lookaside: bool,
    /// `CacheFromLocalhost=`.
    pub cache_from_localhost: bool,
    /// `DNSStubListener=`.
    pub stub_listener: StubListener,
    /// `DNSStubListenerExtra=`.
    pub extra_listeners: Vec<ExtraListener>,
    /// `ReadEtcHosts=`.
    pub read_etc_hosts: bool,
    /// `ReadStaticRecords=`.
    pub read_static_records: bool,
    /// `ResolveUnicastSingleLabel=`.
    pub resolve_unicast_single_label: bool,
    /// `StaleRetentionSec=`: how long answers are kept beyond their time; 0: not at all.
    pub stale_retention: Duration,
    /// `RefuseRecordTypes=`.
    pub refuse_record_types: Vec<RecordType>,
    /// dns-delegate.d/*.dns-delegate, in order of their names.
    pub delegates: Vec<Delegate>,
    /// dnssd/*.dnssd, in order of their names.
    pub services: Vec<DnssdService>,
    /// dnssec-trust-anchors.d/*.positive, with the root's that are built in unless there is one for the root.
    pub trust_anchors: Vec<TrustAnchor>,
    /// dnssec-trust-anchors.d/*.negative; those built in if no file has any.
    pub negative_trust_anchors: Vec<Name>,
}

/// The budget of the cache where none is set: 16 MiB.
const CACHE_SIZE: usize = 16 << 20;

impl Default for Config {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            fallback_servers: Vec::new(),
            domains: Vec::new(),
            read_resolv_conf: true,
            llmnr: Multicast::Yes,
            mdns: Multicast::Yes,
            dnssec: Dnssec::No,
            dns_over_tls: DnsOverTls::No,
            cache: CacheMode::Yes,
            cache_size: CACHE_SIZE,
            lookaside: true,
            cache_from_localhost: false,
            stub_listener: StubListener::Yes,
            extra_listeners: Vec::new(),
            read_etc_hosts: true,
            read_static_records: true,
            resolve_unicast_single_label: false,
            stale_retention: Duration::ZERO,
            refuse_record_types: Vec::new(),
            delegates: Vec::new(),
            services: Vec::new(),
            trust_anchors: anchors::of_the_root(),
            negative_trust_anchors: anchors::private_zones(),
        }
    }
}

/// One `DNSStubListenerExtra=`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExtraListener {
    /// Udp, Tcp or Yes.
    pub protocol: StubListener,
    /// It need not be the machine's yet (IP_FREEBIND).
    pub address: IpAddr,
    /// 53 where none was given.
    pub port: u16,
}

/// A `.dns-delegate` file: servers for some domains, beside the links.
#[derive(Clone, Debug, PartialEq)]
pub struct Delegate {
    /// The file's name without its ending.
    pub id: String,
    /// `DNS=`.
    pub servers: Vec<DnsServer>,
    /// `Domains=`.
    pub domains: Vec<Domain>,
    /// `DefaultRoute=`.
    pub default_route: bool,
    /// `FirewallMark=`; 0: none.
    pub firewall_mark: u32,
}

/// A service that this machine announces by mDNS: a `.dnssd` file or a call of RegisterService.
#[derive(Clone, Debug, PartialEq)]
pub struct DnssdService {
    /// The file's name without its ending, or what the caller named it.
    pub id: String,
    /// `Name=`, specifiers as written (`%H` …).
    pub name_template: String,
    /// `Type=`: `_http._tcp`.
    pub service_type: String,
    /// `SubType=`.
    pub subtype: Option<String>,
    /// `Port=`.
    pub port: u16,
    /// `Priority=`.
    pub priority: u16,
    /// `Weight=`.
    pub weight: u16,
    /// `TxtText=` and `TxtData=`: one TXT record each, key with value.
    pub txt: Vec<Vec<(String, Vec<u8>)>>,
    /// The caller's user id; 0 for files.
    pub owner: u32,
}

/// A record that needs no proof: a DS or DNSKEY.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustAnchor {
    /// Whose.
    pub name: Name,
    /// DS or DNSKEY.
    pub data: hickory_proto::dnssec::rdata::DNSSECRData,
}
