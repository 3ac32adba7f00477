//! What is kept and counted: DumpCache, DumpServerState, DumpStatistics.

use std::rc::Rc;

use serde::Serialize;

use super::{configuration::Scope, record::Record, wire::Key};
use crate::{
    cache::{DumpEntry, DumpKind},
    config::server,
    manager::{Manager, ScopeView},
    message::Found,
    route::ScopeId,
    upstream::ServerState,
};

/// DumpCache's reply.
#[derive(Serialize)]
pub(super) struct Caches {
    dump: Vec<ScopeCache>,
}

#[derive(Serialize)]
struct ScopeCache {
    #[serde(flatten)]
    scope: Scope,
    cache: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    key: Key,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rrs: Vec<Record>,
    /// Of what is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    /// Microseconds on CLOCK_BOOTTIME.
    until: u64,
}

/// All caches, scope by scope.
pub(super) fn cache(manager: &Rc<Manager>) -> Caches {
    let of_scope = |view: &ScopeView| ScopeCache {
        scope: Scope::of(view),
        cache: kept(manager, view.id)
            .into_iter()
            .map(Entry::from)
            .collect(),
    };
    Caches {
        dump: manager.scope_views().iter().map(of_scope).collect(),
    }
}

/// mDNS keeps its own.
fn kept(manager: &Manager, id: ScopeId) -> Vec<DumpEntry> {
    match id {
        ScopeId::Mdns(ifindex, family) => manager.mdns.dump(ifindex, family),
        id => manager.cache.dump(id),
    }
}

impl From<DumpEntry> for Entry {
    fn from(entry: DumpEntry) -> Self {
        let record = |record| Record::of(&Found { ifindex: 0, record });
        Self {
            key: Key::new(&entry.name, entry.class, entry.rtype),
            rrs: entry.records.into_iter().filter_map(record).collect(),
            r#type: match entry.kind {
                DumpKind::Records => None,
                DumpKind::NoData => Some("NODATA"),
                DumpKind::NxDomain => Some("NXDOMAIN"),
                DumpKind::Failure => Some("SERVFAIL"),
            },
            until: u64::try_from(entry.until.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// DumpServerState's reply.
#[derive(Serialize)]
pub(super) struct ServerStates {
    dump: Vec<State>,
}

/// The names are systemd's, in another style than all others.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    server: String,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface_index: Option<u32>,
    verified_feature_level: &'static str,
    possible_feature_level: &'static str,
    #[serde(rename = "DNSSECMode")]
    dnssec_mode: &'static str,
    #[serde(rename = "DNSSECSupported")]
    dnssec_supported: bool,
    #[serde(rename = "ReceivedUDPFragmentMax")]
    received_udp_fragment_max: usize,
    #[serde(rename = "FailedUDPAttempts")]
    failed_udp_attempts: u32,
    #[serde(rename = "FailedTCPAttempts")]
    failed_tcp_attempts: u32,
    packet_truncated: bool,
    packet_bad_opt: bool,
    #[serde(rename = "PacketRRSIGMissing")]
    packet_rrsig_missing: bool,
    packet_invalid: bool,
    /// That is what a missing signature leads to here.
    packet_do_off: bool,
}

/// Every message of this size can be received. RFC 1035, 4.2.1
const UDP_MIN: usize = 512;

/// What is known of all servers.
pub(super) fn server_state(manager: &Rc<Manager>) -> ServerStates {
    let views = manager.scope_views();
    let configured = &manager.config().servers;
    let states = views
        .iter()
        .filter_map(|view| Some((view, view.upstream.as_ref()?)));
    let states = states.flat_map(|(view, upstream)| {
        let state = move |state: ServerState| State::of(view, configured.is_empty(), state);
        upstream.state().into_iter().map(state)
    });
    ServerStates {
        dump: states.collect(),
    }
}

impl State {
    fn of(view: &ScopeView, none_configured: bool, state: ServerState) -> Self {
        let ifindex = super::wire::ifindex(view.id.ifindex());
        Self {
            server: server::format(&state.server),
            r#type: match view.id {
                ScopeId::Link(_) => "link",
                ScopeId::Delegate(_) => "delegate",
                _ if none_configured => "fallback",
                _ => "system",
            },
            interface: view.interface.clone(),
            interface_index: ifindex,
            verified_feature_level: state.verified_feature_level.unwrap_or("n/a"),
            possible_feature_level: state.possible_feature_level,
            dnssec_mode: state.dnssec_mode.as_str(),
            dnssec_supported: state.dnssec_supported,
            received_udp_fragment_max: state.received_udp_max.max(UDP_MIN),
            failed_udp_attempts: state.failed_udp_attempts,
            failed_tcp_attempts: state.failed_tcp_attempts,
            packet_truncated: state.packet_truncated,
            packet_bad_opt: state.packet_bad_opt,
            packet_rrsig_missing: state.packet_rrsig_missing,
            packet_invalid: state.packet_invalid,
            packet_do_off: state.packet_rrsig_missing,
        }
    }
}

/// DumpStatistics' reply.
#[derive(Serialize)]
pub(super) struct Statistics {
    transactions: Transactions,
    cache: Cache,
    dnssec: Verdicts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transactions {
    current_transactions: u64,
    total_transactions: u64,
    total_timeouts: u64,
    total_timeouts_served_stale: u64,
    total_failed_responses: u64,
    total_failed_responses_served_stale: u64,
}

#[derive(Serialize)]
struct Cache {
    size: u64,
    hits: u64,
    misses: u64,
}

#[derive(Serialize)]
struct Verdicts {
    secure: u64,
    insecure: u64,
    bogus: u64,
    indeterminate: u64,
}

/// What was counted.
pub(super) fn statistics(manager: &Rc<Manager>) -> Statistics {
    let (counted, cache) = (&manager.statistics, manager.cache.statistics());
    Statistics {
        transactions: Transactions {
            current_transactions: counted.current_transactions.get(),
            total_transactions: counted.total_transactions.get(),
            total_timeouts: counted.total_timeouts.get(),
            total_timeouts_served_stale: counted.total_timeouts_served_stale.get(),
            total_failed_responses: counted.total_failed_responses.get(),
            total_failed_responses_served_stale: counted.total_failed_responses_served_stale.get(),
        },
        cache: Cache {
            size: cache.size,
            hits: cache.hits,
            misses: cache.misses,
        },
        dnssec: Verdicts {
            secure: counted.dnssec_secure.get(),
            insecure: counted.dnssec_insecure.get(),
            bogus: counted.dnssec_bogus.get(),
            indeterminate: counted.dnssec_indeterminate.get(),
        },
    }
}
