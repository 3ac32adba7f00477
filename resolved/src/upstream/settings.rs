//! What the servers of a scope are told, and what they tell of themselves.

use std::{net::SocketAddr, path::PathBuf};

use hickory_proto::rr::Name;

use crate::{
    config::TrustAnchor,
    mode::{DnsOverTls, Dnssec},
    server::DnsServer,
};

/// Which servers, and how they are to be asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// In order of preference.
    pub servers: Vec<DnsServer>,
    /// Every socket is bound to this link; 0: to none, but a server's own [`DnsServer::ifindex`] holds.
    pub ifindex: u32,
    /// SO_MARK of every socket; 0: none.
    pub firewall_mark: u32,
    /// For servers without a scheme.
    pub dns_over_tls: DnsOverTls,
    /// Whether answers are validated.
    pub dnssec: Dnssec,
    /// Empty: the root's keys, built in.
    pub trust_anchors: Vec<TrustAnchor>,
    /// Nothing is validated at and below these.
    pub negative_trust_anchors: Vec<Name>,
    /// Where we listen ourselves: never asked ([`Failure::StubLoop`]).
    pub stub_addresses: Vec<SocketAddr>,
    /// The authorities that servers with TLS are checked by, PEM; `None`: the system's.
    pub certificates: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            ifindex: 0,
            firewall_mark: 0,
            dns_over_tls: DnsOverTls::No,
            dnssec: Dnssec::No,
            trust_anchors: Vec::new(),
            negative_trust_anchors: Vec::new(),
            stub_addresses: Vec::new(),
            certificates: None,
        }
    }
}

/// How one question is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// The signatures are wanted (the DO bit), validated or not.
    pub dnssec_ok: bool,
    /// As [`Settings::dnssec`] says; else not at all.
    pub validate: bool,
    /// The caller validates (the CD bit): not here.
    pub checking_disabled: bool,
}

/// What is known of a server, for io.systemd.Resolve.Monitor.DumpServerState.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerState {
    /// Which.
    pub server: DnsServer,
    /// The most that it has answered at; `None` before its first answer.
    pub verified_feature_level: Option<&'static str>,
    /// The most that is tried.
    pub possible_feature_level: &'static str,
    /// [`Settings::dnssec`].
    pub dnssec_mode: Dnssec,
    /// It answers with signatures, as far as known.
    pub dnssec_supported: bool,
    /// The largest datagram that came, in bytes.
    pub received_udp_max: usize,
    /// Lost in a row.
    pub failed_udp_attempts: u32,
    /// Failed in a row.
    pub failed_tcp_attempts: u32,
    /// An answer was truncated.
    pub packet_truncated: bool,
    /// An answer to EDNS came without.
    pub packet_bad_opt: bool,
    /// Signatures were missing.
    pub packet_rrsig_missing: bool,
    /// Something came that was no DNS message.
    pub packet_invalid: bool,
}
