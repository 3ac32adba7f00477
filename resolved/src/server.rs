//! A DNS server as configured.

use std::net::{IpAddr, SocketAddr};

/// How a server is spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Transport {
    /// No scheme: UDP and TCP, or TLS where `DNSOverTLS=` says so.
    #[default]
    Default,
    /// `udp://`: UDP and TCP, never encrypted.
    Plain,
    /// `tls://`: TLS (RFC 7858), the server proves who it is.
    Tls,
    /// `https://`: HTTPS (RFC 8484), by POST to this path.
    Https(String),
    /// `quic://`: QUIC (RFC 9250).
    Quic,
}

impl Transport {
    /// The port where none is given.
    #[must_use]
    pub const fn default_port(&self) -> u16 {
        match self {
            Self::Default | Self::Plain => 53,
            Self::Tls | Self::Quic => 853,
            Self::Https(_) => 443,
        }
    }
}

/// A DNS server as configured, by file, by a call or by the network.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DnsServer {
    /// Where it is.
    pub address: IpAddr,
    /// 0: the transport's own.
    pub port: u16,
    /// Reached by this link alone; 0 for any.
    pub ifindex: u32,
    /// The name it proves to be (SNI); none: its address.
    pub name: Option<String>,
    /// How it is spoken to.
    pub transport: Transport,
}

impl DnsServer {
    /// A plain server on the usual port.
    #[must_use]
    pub const fn new(address: IpAddr) -> Self {
        Self {
            address,
            port: 0,
            ifindex: 0,
            name: None,
            transport: Transport::Default,
        }
    }

    /// Where to send, with the scope of a link-local address.
    #[must_use]
    pub fn socket_address(&self, default_port: u16) -> SocketAddr {
        let port = if self.port == 0 {
            default_port
        } else {
            self.port
        };
        let mut address = SocketAddr::new(self.address, port);
        if let SocketAddr::V6(v6) = &mut address
            && v6.ip().is_unicast_link_local()
        {
            v6.set_scope_id(self.ifindex);
        }
        address
    }
}

/// A search or routing domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Domain {
    /// Absolute. The root with `route_only`: every name.
    pub name: hickory_proto::rr::Name,
    /// `~`: names below it come here, but it is not appended to single labels.
    pub route_only: bool,
}
