//! What a link is told by a call: arguments checked and read.

use dbus_serve::Error;
use serde::de::DeserializeOwned;
use zbus::Type;

use super::{
    error::of_address,
    wire::{Address, LinkServerEx},
};
use crate::{
    access::Action,
    config::server::{is_usable, server_name},
    manager::LinkChange,
    name,
    request::parse_address,
    server::{DnsServer, Domain, Transport},
};

/// A setting of links: who may set it, what a call brings, and what that means.
pub(super) trait Setting: 'static {
    type Value: Type + DeserializeOwned + 'static;
    const ACTION: Action;
    fn change(value: Self::Value) -> Result<LinkChange, Error>;
}

/// SetDNS.
pub(super) struct Dns;

impl Setting for Dns {
    type Value = Vec<Address>;
    const ACTION: Action = Action::SetDnsServers;

    fn change(value: Self::Value) -> Result<LinkChange, Error> {
        let plain = |(family, bytes)| (family, bytes, 0, String::new());
        DnsEx::change(value.into_iter().map(plain).collect())
    }
}

/// SetDNSEx.
pub(super) struct DnsEx;

impl Setting for DnsEx {
    type Value = Vec<LinkServerEx>;
    const ACTION: Action = Action::SetDnsServers;

    fn change(value: Self::Value) -> Result<LinkChange, Error> {
        let mut servers = Vec::with_capacity(value.len());
        for one in value {
            let server = server(one)?;
            if !servers.contains(&server) {
                servers.push(server);
            }
        }
        Ok(LinkChange::Servers(servers))
    }
}

fn server((family, bytes, port, name): LinkServerEx) -> Result<DnsServer, Error> {
    let address = parse_address(family, &bytes).map_err(|failure| of_address(failure, family))?;
    if !is_usable(address) {
        return Err(Error::invalid_args("Invalid DNS server address"));
    }
    let name = match name.as_str() {
        "" => None,
        name => Some(
            server_name(name)
                .map_err(|what| Error::invalid_args(format!("Invalid DNS server name: {what}")))?,
        ),
    };
    Ok(DnsServer {
        address,
        // Both are usual: DNSOverTLS= says which it is.
        port: if matches!(port, 53 | 853) { 0 } else { port },
        ifindex: 0,
        name,
        transport: Transport::Default,
    })
}

/// SetDomains.
pub(super) struct Domains;

impl Setting for Domains {
    type Value = Vec<(String, bool)>;
    const ACTION: Action = Action::SetDomains;

    fn change(value: Self::Value) -> Result<LinkChange, Error> {
        let mut domains: Vec<Domain> = Vec::with_capacity(value.len());
        for (text, route_only) in value {
            let name = name::parse(&text)
                .map_err(|_| Error::invalid_args(format!("Invalid search domain {text}")))?;
            if name.is_root() && !route_only {
                let what = "Root domain is not suitable as search domain";
                return Err(Error::invalid_args(what));
            }
            // Said twice, the last word holds, at the place of the first.
            match domains.iter_mut().find(|known| known.name == name) {
                Some(known) => known.route_only = route_only,
                None => domains.push(Domain { name, route_only }),
            }
        }
        Ok(LinkChange::Domains(domains))
    }
}

/// SetDefaultRoute.
pub(super) struct DefaultRoute;

impl Setting for DefaultRoute {
    type Value = bool;
    const ACTION: Action = Action::SetDefaultRoute;

    fn change(value: bool) -> Result<LinkChange, Error> {
        Ok(LinkChange::DefaultRoute(Some(value)))
    }
}

/// Makes the settings that are one word. The empty word means as the machine's.
macro_rules! words {
    ($($(#[$doc:meta])* $setting:ident $action:ident $change:ident $text:literal;)*) => {
        $($(#[$doc])*
        pub(super) struct $setting;

        impl Setting for $setting {
            type Value = String;
            const ACTION: Action = Action::$action;

            fn change(value: String) -> Result<LinkChange, Error> {
                if value.is_empty() {
                    return Ok(LinkChange::$change(None));
                }
                let mode = value.parse().map_err(|_| {
                    Error::invalid_args(format!("Invalid {} setting: {value}", $text))
                })?;
                Ok(LinkChange::$change(Some(mode)))
            }
        })*
    };
}

words! {
    /// SetLLMNR.
    Llmnr SetLlmnr Llmnr "LLMNR";
    /// SetMulticastDNS.
    MulticastDns SetMdns Mdns "MulticastDNS";
    /// SetDNSOverTLS.
    DnsOverTls SetDnsOverTls DnsOverTls "DNSOverTLS";
    /// SetDNSSEC.
    Dnssec SetDnssec Dnssec "DNSSEC";
}

/// SetDNSSECNegativeTrustAnchors.
pub(super) struct NegativeTrustAnchors;

impl Setting for NegativeTrustAnchors {
    type Value = Vec<String>;
    const ACTION: Action = Action::SetDnssecNegativeTrustAnchors;

    fn change(value: Self::Value) -> Result<LinkChange, Error> {
        let mut names = Vec::with_capacity(value.len());
        for text in value {
            let name = name::parse(&text).map_err(|_| {
                Error::invalid_args(format!("Invalid negative trust anchor domain: {text}"))
            })?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(LinkChange::NegativeTrustAnchors(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mode::{self, Multicast};
    use crate::request::{AF_INET, AF_INET6};

    fn servers(value: Vec<LinkServerEx>) -> Option<Vec<DnsServer>> {
        match DnsEx::change(value) {
            Ok(LinkChange::Servers(servers)) => Some(servers),
            _ => None,
        }
    }

    fn at(address: &[u8], port: u16, name: &str) -> LinkServerEx {
        let family = if address.len() == 16 {
            AF_INET6
        } else {
            AF_INET
        };
        (family, address.to_vec(), port, name.to_owned())
    }

    #[test]
    fn servers_are_addresses_with_port_and_name() {
        for (port, kept) in [(0, 0), (53, 0), (853, 0), (5353, 5353)] {
            let found = servers(vec![at(&[192, 0, 2, 1], port, "dns.example")]).unwrap();
            assert_eq!(
                (found[0].port, found[0].name.as_deref()),
                (kept, Some("dns.example"))
            );
        }
        let twice = vec![at(&[192, 0, 2, 1], 0, ""), at(&[192, 0, 2, 1], 53, "")];
        assert_eq!(servers(twice).unwrap().len(), 1);
    }

    #[test]
    fn what_can_be_no_server() {
        for wrong in [
            at(&[1, 2, 3], 0, ""),
            at(&[0, 0, 0, 0], 0, ""),
            at(&[0; 16], 0, ""),
            at(&[127, 0, 0, 53], 0, ""),
            at(&[127, 0, 0, 54], 0, ""),
            at(&[192, 0, 2, 1], 0, "a..b"),
            (0, vec![], 0, String::new()),
            (1, vec![1, 2, 3, 4], 0, String::new()),
            (AF_INET6, vec![1, 2, 3, 4], 0, String::new()),
        ] {
            assert!(servers(vec![wrong.clone()]).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn domains_and_the_root() {
        let change = |value: &[(&str, bool)]| {
            let value = value
                .iter()
                .map(|(name, route)| ((*name).to_owned(), *route));
            match Domains::change(value.collect()) {
                Ok(LinkChange::Domains(domains)) => Some(domains),
                _ => None,
            }
        };
        assert!(change(&[(".", true), ("", true)]).is_some());
        assert!(change(&[(".", false)]).is_none() && change(&[("a..b", true)]).is_none());
        let twice = change(&[("a", false), ("b", false), ("A.", true)]).unwrap();
        assert!(twice.len() == 2 && twice[0].route_only);
    }

    #[test]
    fn words() {
        let llmnr = |word: &str| Llmnr::change(word.to_owned());
        assert_eq!(llmnr(""), Ok(LinkChange::Llmnr(None)));
        assert_eq!(
            llmnr("resolve"),
            Ok(LinkChange::Llmnr(Some(Multicast::Resolve)))
        );
        assert!(llmnr("opportunistic").is_err());
        let dnssec = Dnssec::change("allow-downgrade".to_owned());
        let expected = LinkChange::Dnssec(Some(mode::Dnssec::AllowDowngrade));
        assert_eq!(dnssec, Ok(expected));
    }
}
