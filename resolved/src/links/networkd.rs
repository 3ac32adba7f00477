//! What systemd-networkd says of links, in its files of /run/systemd/netif/links.

pub use crate::watch::Watch;

use std::{
    fmt::Display,
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
    str::FromStr,
};

use super::{LinkSettings, words};
use crate::{config::domain, server::Domain};

/// No file of networkd's is longer.
const LONGEST: u64 = 512 * 1024;

/// What it says of one link.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// What the link was told, if networkd manages it.
    pub settings: Option<LinkSettings>,
    /// `OPER_STATE=`.
    operational_state: String,
}

impl State {
    /// Whether networkd holds the link for usable. It may be waiting for something that the kernel knows nothing of.
    #[must_use]
    pub fn is_operational(&self) -> bool {
        matches!(
            self.operational_state.as_str(),
            "" | "unknown" | "degraded-carrier" | "degraded" | "enslaved" | "routable"
        )
    }
}

/// What it says of a link; `None` if nothing.
#[must_use]
pub fn read(dir: &Path, ifindex: u32) -> Option<State> {
    let path = dir.join(ifindex.to_string());
    let read = || {
        let mut text = Vec::new();
        File::open(&path)?.take(LONGEST).read_to_end(&mut text)?;
        io::Result::Ok(text)
    };
    match read() {
        Ok(text) => Some(parse(&String::from_utf8_lossy(&text), ifindex)),
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                tracing::warn!("Failed to read {}: {error}", path.display());
            }
            None
        }
    }
}

fn parse(text: &str, ifindex: u32) -> State {
    let mut administrative_state = String::new();
    let mut operational_state = String::new();
    let mut settings = LinkSettings {
        managed: true,
        ..LinkSettings::default()
    };
    for (key, value) in env_file::parse(text) {
        match key {
            "ADMIN_STATE" => administrative_state = value,
            "OPER_STATE" => operational_state = value,
            "DNS" => {
                settings.servers =
                    those_that_are_right(key, &value, |word| words::server(word, ifindex))
            }
            "DOMAINS" => settings
                .domains
                .extend(those_that_are_right(key, &value, domain::parse)),
            "ROUTE_DOMAINS" => {
                settings
                    .domains
                    .extend(those_that_are_right(key, &value, route_domain))
            }
            "LLMNR" => settings.llmnr = mode(key, &value),
            "MDNS" => settings.mdns = mode(key, &value),
            "DNSSEC" => settings.dnssec = mode(key, &value),
            "DNS_OVER_TLS" | "DNSOVERTLS" => settings.dns_over_tls = mode(key, &value),
            "DNS_DEFAULT_ROUTE" => settings.default_route = crate::mode::parse_boolean(&value),
            "DNSSEC_NTA" => {
                settings.negative_trust_anchors = those_that_are_right(key, &value, words::name)
            }
            _ => {}
        }
    }
    // In these states it has not yet decided, or decided to leave the link alone.
    let is_managed = !matches!(
        administrative_state.as_str(),
        "" | "pending" | "initialized" | "unmanaged"
    );
    State {
        settings: is_managed.then_some(settings),
        operational_state,
    }
}

fn route_domain(word: &str) -> Result<Domain, String> {
    let domain = domain::parse(word)?;
    Ok(Domain {
        route_only: true,
        ..domain
    })
}

/// The file is not ours: what is wrong in it is skipped.
fn those_that_are_right<T>(
    key: &str,
    text: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let words = text.split_whitespace();
    words
        .filter_map(|word| read(word).map_err(|wrong| skip(key, &wrong)).ok())
        .collect()
}

fn mode<T: FromStr>(key: &str, word: &str) -> Option<T> {
    let mode = word.parse().ok();
    if mode.is_none() {
        skip(key, &format!("{word:?} means nothing"));
    }
    mode
}

fn skip(key: &str, wrong: &dyn Display) {
    tracing::warn!("systemd-networkd set {key} to what is skipped: {wrong}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mode::{DnsOverTls, Multicast};

    const CONFIGURED: &str = "# This is private data. Do not parse.\n\
        ADMIN_STATE=configured\n\
        OPER_STATE=routable\n\
        CARRIER_STATE=carrier\n\
        REQUIRED_FOR_ONLINE=yes\n\
        DNS=192.0.2.1 192.0.2.2#dns.example 192.0.2.3%9 dns.example\n\
        NTP=192.0.2.9\n\
        DOMAINS=a.example b..example\n\
        ROUTE_DOMAINS=. c.example\n\
        LLMNR=yes\n\
        MDNS=perhaps\n\
        DNS_DEFAULT_ROUTE=no\n\
        DNS_OVER_TLS=opportunistic\n\
        DNSSEC_NTA=n.example\n";

    #[test]
    fn a_link_it_manages() {
        let state = parse(CONFIGURED, 3);
        assert!(state.is_operational());
        let settings = state.settings.unwrap();
        assert!(settings.managed);
        assert_eq!(settings.servers.len(), 2);
        assert_eq!(settings.servers[1].name.as_deref(), Some("dns.example"));
        let domains: Vec<_> = settings.domains.iter().map(domain::format).collect();
        assert_eq!(domains, ["a.example", "~.", "~c.example"]);
        assert_eq!(
            (settings.llmnr, settings.mdns),
            (Some(Multicast::Yes), None)
        );
        assert_eq!(settings.default_route, Some(false));
        assert_eq!(settings.dns_over_tls, Some(DnsOverTls::Opportunistic));
        assert_eq!(settings.negative_trust_anchors.len(), 1);
    }

    #[test]
    fn links_it_does_not_manage() {
        for state in ["pending", "initialized", "unmanaged"] {
            let state = parse(
                &format!("ADMIN_STATE={state}\nOPER_STATE=carrier\nDNS=192.0.2.1\n"),
                3,
            );
            assert_eq!(state.settings, None);
            assert!(!state.is_operational());
        }
        assert!(parse("", 3).is_operational());
        assert_eq!(parse("", 3).settings, None);
    }

    #[test]
    fn no_file() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path(), 3), None);
        std::fs::write(dir.path().join("3"), CONFIGURED).unwrap();
        assert!(read(dir.path(), 3).is_some());
    }

    #[test]
    fn noise_is_survived() {
        let pieces = [
            "ADMIN_STATE=",
            "configured",
            "DNS=",
            "192.0.2.1",
            "[2001:db8::1]:53",
            "%3",
            "#a.b",
            "DOMAINS=",
            "~",
            "a.example",
            "..",
            "ROUTE_DOMAINS=",
            "LLMNR=",
            "yes",
            "DNSSEC_NTA=",
            "\n",
            " ",
            "\"",
            "\\x4",
            "\\",
            "'",
            "=",
            "#",
            ";",
        ];
        let mut noise = crate::config::testing::Noise::new(5);
        for _ in 0..20_000 {
            parse(&String::from_utf8_lossy(&noise.text(&pieces)), 3);
        }
    }
}
