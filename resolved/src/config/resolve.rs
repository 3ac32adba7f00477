//! `[Resolve]`: resolved.conf(5).

use std::{net::IpAddr, path::Path};

use hickory_proto::rr::RecordType;

use super::{
    Config, ExtraListener, Sources, server,
    setting::{self, Setting},
    values,
    wrong::Wrong,
};
use crate::mode::StubListener;

const SECTION: &str = "Resolve";

/// Reads one file, over what the files before it set.
pub(super) fn read(path: &Path, config: &mut Config, sources: &Sources, wrong: &mut Wrong) {
    setting::each(path, SECTION, sources, wrong, |setting| {
        apply(setting, config)
    });
}

fn apply(setting: &mut Setting<'_>, config: &mut Config) {
    match setting.key() {
        "DNS" => {
            setting.servers(&mut config.servers);
            config.read_resolv_conf = false;
        }
        "FallbackDNS" => setting.servers(&mut config.fallback_servers),
        "Domains" => {
            setting.domains(&mut config.domains);
            config.read_resolv_conf = false;
        }
        "LLMNR" => setting.mode(&mut config.llmnr, "yes, no or resolve"),
        "MulticastDNS" => setting.mode(&mut config.mdns, "yes, no or resolve"),
        "DNSSEC" => setting.mode(&mut config.dnssec, "yes, no or allow-downgrade"),
        "DNSOverTLS" => setting.mode(&mut config.dns_over_tls, "yes, no or opportunistic"),
        "Cache" => setting.mode(&mut config.cache, "yes, no or no-negative"),
        "CacheSize" => setting.put(
            &mut config.cache_size,
            values::size,
            "a number of bytes, with K, M or G behind it",
        ),
        "Lookaside" => setting.boolean(&mut config.lookaside),
        "CacheFromLocalhost" => setting.boolean(&mut config.cache_from_localhost),
        "DNSStubListener" => setting.mode(&mut config.stub_listener, "yes, no, udp or tcp"),
        "DNSStubListenerExtra" => setting.list(&mut config.extra_listeners, |listeners, word| {
            let listener = extra_listener(word)?;
            listeners.retain(|known| *known != listener);
            listeners.push(listener);
            Ok(())
        }),
        "ReadEtcHosts" => setting.boolean(&mut config.read_etc_hosts),
        "ReadStaticRecords" => setting.boolean(&mut config.read_static_records),
        "ResolveUnicastSingleLabel" => setting.boolean(&mut config.resolve_unicast_single_label),
        "StaleRetentionSec" => setting.put(
            &mut config.stale_retention,
            values::time_span,
            "a time span such as 1d or 90min",
        ),
        "RefuseRecordTypes" => setting.list(&mut config.refuse_record_types, |types, word| {
            let rtype = record_type(word).ok_or_else(|| format!("{word:?} is no record type"))?;
            types.retain(|known| *known != rtype);
            types.push(rtype);
            Ok(())
        }),
        _ => setting.unknown(SECTION),
    }
}

/// `[udp:|tcp:]ADDRESS[:PORT]`, IPv6 with a port in brackets.
fn extra_listener(word: &str) -> Result<ExtraListener, String> {
    let (protocol, rest) = match word.split_once(':') {
        Some(("udp", rest)) => (StubListener::Udp, rest),
        Some(("tcp", rest)) => (StubListener::Tcp, rest),
        _ => (StubListener::Yes, word),
    };
    let (address, port): (IpAddr, _) = server::address_and_port(rest)?;
    Ok(ExtraListener {
        protocol,
        address,
        port: port.unwrap_or(53),
    })
}

/// A mnemonic, in either case, or `TYPE` and a number (RFC 3597).
fn record_type(word: &str) -> Option<RecordType> {
    let word = word.to_ascii_uppercase();
    if let Some(number) = word.strip_prefix("TYPE") {
        return number.parse::<u16>().ok().map(RecordType::from);
    }
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;
    use crate::{
        config::{domain, wrong::Wrong},
        mode::{CacheMode, DnsOverTls, Dnssec, Multicast},
    };

    fn read_all(texts: &[&str]) -> (Config, Vec<(usize, String)>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resolved.conf");
        let sources = Sources {
            ifindex_of: |name| (name == "eth0").then_some(2),
            ..Sources::default()
        };
        let (mut config, mut wrong) = (Config::default(), Wrong::default());
        for text in texts {
            fs::write(&path, format!("[Resolve]\n{text}")).unwrap();
            read(&path, &mut config, &sources, &mut wrong);
        }
        let wrong = wrong.into_list().into_iter();
        (
            config,
            wrong.map(|wrong| (wrong.line, wrong.message)).collect(),
        )
    }

    fn right(text: &str) -> Config {
        let (config, wrong) = read_all(&[text]);
        assert_eq!(wrong, []);
        config
    }

    fn servers(config: &Config) -> Vec<String> {
        config.servers.iter().map(server::format).collect()
    }

    #[test]
    fn every_key() {
        let config = right(
            "DNS=192.0.2.1 fe80::1%eth0#dns.example\nDNS=https://192.0.2.2/q\nFallbackDNS=192.0.2.3\n\
             Domains=a.example ~b.example\nLLMNR=resolve\nMulticastDNS=no\nDNSSEC=allow-downgrade\n\
             DNSOverTLS=opportunistic\nCache=no-negative\nCacheSize=1M\nLookaside=no\nCacheFromLocalhost=yes\n\
             DNSStubListener=udp\nDNSStubListenerExtra=192.0.2.4\nDNSStubListenerExtra=tcp:[2001:db8::1]:5353\n\
             DNSStubListenerExtra=udp:2001:db8::2\nReadEtcHosts=no\nReadStaticRecords=no\n\
             ResolveUnicastSingleLabel=1\nStaleRetentionSec=1d\nRefuseRecordTypes=aaaa SRV TYPE65280\n",
        );
        assert_eq!(
            servers(&config),
            ["192.0.2.1", "fe80::1%2#dns.example", "https://192.0.2.2/q"]
        );
        assert_eq!(config.fallback_servers.len(), 1);
        let domains: Vec<_> = config.domains.iter().map(domain::format).collect();
        assert_eq!(domains, ["a.example", "~b.example"]);
        assert_eq!(config.llmnr, Multicast::Resolve);
        assert_eq!(config.mdns, Multicast::No);
        assert_eq!(config.dnssec, Dnssec::AllowDowngrade);
        assert_eq!(config.dns_over_tls, DnsOverTls::Opportunistic);
        assert_eq!(config.cache, CacheMode::NoNegative);
        assert_eq!(config.cache_size, 1 << 20);
        assert!(!config.lookaside);
        assert!(config.cache_from_localhost);
        assert_eq!(config.stub_listener, StubListener::Udp);
        let extra = |protocol, address: &str, port| ExtraListener {
            protocol,
            address: address.parse().unwrap(),
            port,
        };
        let expected = [
            extra(StubListener::Yes, "192.0.2.4", 53),
            extra(StubListener::Tcp, "2001:db8::1", 5353),
            extra(StubListener::Udp, "2001:db8::2", 53),
        ];
        assert_eq!(config.extra_listeners, expected);
        assert!(!config.read_etc_hosts && !config.read_static_records);
        assert!(config.resolve_unicast_single_label);
        assert_eq!(config.stale_retention, Duration::from_secs(86_400));
        let expected = [RecordType::AAAA, RecordType::SRV, RecordType::from(65280)];
        assert_eq!(config.refuse_record_types, expected);
    }

    #[test]
    fn a_later_file_adds_to_lists_and_an_empty_value_begins_them_anew() {
        let (config, wrong) =
            read_all(&["DNS=192.0.2.1", "DNS=192.0.2.2", "LLMNR=no", "LLMNR=yes"]);
        assert_eq!(wrong, []);
        assert_eq!(servers(&config), ["192.0.2.1", "192.0.2.2"]);
        assert_eq!(config.llmnr, Multicast::Yes);
        let (config, _) = read_all(&["DNS=192.0.2.1", "DNS=\nDNS=192.0.2.2"]);
        assert_eq!(servers(&config), ["192.0.2.2"]);
        assert!(!config.read_resolv_conf);
    }

    #[test]
    fn resolv_conf_counts_until_something_is_set() {
        assert!(right("FallbackDNS=192.0.2.1\nLLMNR=no").read_resolv_conf);
        assert!(!right("DNS=").read_resolv_conf);
        assert!(!right("Domains=a").read_resolv_conf);
    }

    #[test]
    fn wrong_values_are_named_and_the_rest_holds() {
        let (config, wrong) = read_all(&[
            "DNS=192.0.2.1 nonsense 192.0.2.2\nDNS=127.0.0.53\nDomains=a..b c\nLLMNR=maybe\nCache=\n\
             CacheSize=much\nDNSStubListenerExtra=x\nStaleRetentionSec=-1\nRefuseRecordTypes=NOPE A\n\
             Unknown=1\nDomains='d\ndns=192.0.2.3",
        ]);
        assert_eq!(servers(&config), ["192.0.2.1", "192.0.2.2"]);
        assert_eq!(config.domains.len(), 1);
        assert_eq!(config.refuse_record_types, [RecordType::A]);
        assert_eq!(config.llmnr, Multicast::Yes);
        let lines: Vec<_> = wrong.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, (2..=13).collect::<Vec<_>>(), "{wrong:#?}");
        assert!(
            wrong[0].1.starts_with("DNS= \"nonsense\" is no address"),
            "{wrong:#?}"
        );
    }
}
