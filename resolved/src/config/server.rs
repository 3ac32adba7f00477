//! One DNS server as text: `ADDRESS[:PORT][%LINK][#NAME]`, with `SCHEME://` in front or not.
//!
//! Without a scheme it is systemd's form (resolved.conf(5), `DNS=`). `https://` has its path behind the link:
//! `https://192.0.2.1:443%eth0/dns-query#dns.example`.

use std::{
    fmt::Write,
    net::{IpAddr, Ipv4Addr},
};

use crate::{
    name,
    server::{DnsServer, Transport},
};

/// Where this program itself answers. A server there would be asked what it asks.
pub const OWN_ADDRESSES: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53)),
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 54)),
];

/// The path where none is given: the one of RFC 8484's examples, which everybody serves.
const PATH: &str = "/dns-query";

/// Whether a server can be at this address: neither nowhere in particular nor this program itself.
#[must_use]
pub fn is_usable(address: IpAddr) -> bool {
    !address.is_unspecified() && !OWN_ADDRESSES.contains(&address)
}

/// Reads a server. `ifindex_of` knows the links by name.
///
/// A port that is the transport's own is 0; without a scheme 53 and 853 both are, for `DNSOverTLS=` says which it is.
///
/// # Errors
/// What is wrong, for whoever wrote it.
pub fn parse(text: &str, ifindex_of: &dyn Fn(&str) -> Option<u32>) -> Result<DnsServer, String> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, text),
    };
    let (rest, name) = match rest.split_once('#') {
        Some((rest, name)) => (rest, Some(server_name(name)?)),
        None => (rest, None),
    };
    let (rest, path) = match rest.split_once('/') {
        Some((rest, path)) => (rest, Some(path)),
        None => (rest, None),
    };
    let transport = transport(scheme, path)?;
    let (rest, ifindex) = match rest.split_once('%') {
        Some((rest, link)) => (rest, link_index(link, ifindex_of)?),
        None => (rest, 0),
    };
    let (address, port) = address_and_port(rest)?;
    let is_usual = match port {
        Some(853) => transport == Transport::Default || transport.default_port() == 853,
        Some(port) => port == transport.default_port(),
        None => true,
    };
    Ok(DnsServer {
        address,
        port: if is_usual { 0 } else { port.unwrap_or(0) },
        ifindex,
        name,
        transport,
    })
}

fn transport(scheme: Option<&str>, path: Option<&str>) -> Result<Transport, String> {
    let transport = match scheme {
        None => Transport::Default,
        Some("udp") => Transport::Plain,
        Some("tls") => Transport::Tls,
        Some("quic") => Transport::Quic,
        Some("https") => return Ok(Transport::Https(https_path(path)?)),
        Some(other) => {
            return Err(format!(
                "unknown scheme {other:?}; there are udp, tls, https and quic"
            ));
        }
    };
    match path {
        None | Some("") if scheme.is_some() => Ok(transport),
        None => Ok(transport),
        Some(_) => Err("only https:// has a path".to_owned()),
    }
}

/// The path of a request by POST: that of a URI template (RFC 8484, 4.1) without its variable.
fn https_path(path: Option<&str>) -> Result<String, String> {
    let path = path.unwrap_or_default();
    let path = path.strip_suffix("{?dns}").unwrap_or(path);
    if path.is_empty() {
        return Ok(PATH.to_owned());
    }
    if path
        .bytes()
        .all(|byte| matches!(byte, b'!'..=b'~') && byte != b'{')
    {
        return Ok(format!("/{path}"));
    }
    Err(format!("/{path} is no path"))
}

/// Reads the name that a server proves to be.
///
/// # Errors
/// What is wrong, for whoever wrote it.
pub fn server_name(text: &str) -> Result<String, String> {
    let is_name = |name: &hickory_proto::rr::Name| !name.is_root();
    match name::parse(text).ok().as_ref().and_then(name::to_ascii) {
        Some(name) if is_name(&name) => Ok(name::format(&name)),
        _ => Err(format!("behind the # is no name: {text:?}")),
    }
}

fn link_index(link: &str, ifindex_of: &dyn Fn(&str) -> Option<u32>) -> Result<u32, String> {
    // The kernel's indices are ints.
    let is_index = |index: &u32| (1..=i32::MAX.unsigned_abs()).contains(index);
    let by_number = link.parse().ok().filter(is_index);
    by_number
        .or_else(|| ifindex_of(link))
        .ok_or_else(|| format!("there is no network interface {link:?}"))
}

/// `ADDRESS`, `IPV4:PORT`, `[IPV6]:PORT`.
pub(super) fn address_and_port(text: &str) -> Result<(IpAddr, Option<u16>), String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok((address, None));
    }
    let no_address = || {
        format!("{text:?} is no address; a server's name goes behind a #: 192.0.2.1#dns.example")
    };
    let (address, port): (IpAddr, _) = if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']').ok_or_else(no_address)?;
        let address: std::net::Ipv6Addr = address.parse().map_err(|_| no_address())?;
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => return Ok((address.into(), None)),
            None => return Err(no_address()),
            Some(port) => port,
        };
        (address.into(), port)
    } else {
        let (address, port) = text.rsplit_once(':').ok_or_else(no_address)?;
        let address: Ipv4Addr = address.parse().map_err(|_| no_address())?;
        (address.into(), port)
    };
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(port) if is_number && port != 0 => Ok((address, Some(port))),
        _ => Err(format!("{port:?} is no port")),
    }
}

/// The text of a server; [`parse`] reads it back. The link is a number.
#[must_use]
pub fn format(server: &DnsServer) -> String {
    let (scheme, path) = match &server.transport {
        Transport::Default => ("", ""),
        Transport::Plain => ("udp://", ""),
        Transport::Tls => ("tls://", ""),
        Transport::Quic => ("quic://", ""),
        Transport::Https(path) => ("https://", path.as_str()),
    };
    let mut text = scheme.to_owned();
    // Writing to a String can't fail.
    let _ = match (server.address, server.port) {
        (address, 0) => write!(text, "{address}"),
        (IpAddr::V4(address), port) => write!(text, "{address}:{port}"),
        (IpAddr::V6(address), port) => write!(text, "[{address}]:{port}"),
    };
    if server.ifindex != 0 {
        let _ = write!(text, "%{}", server.ifindex);
    }
    text.push_str(path);
    if let Some(name) = &server.name {
        text.push('#');
        text.push_str(name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DnsServer, String> {
        parse(text, &|name| (name == "eth0").then_some(7))
    }

    fn again(text: &str) -> String {
        format(&read(text).unwrap())
    }

    #[test]
    fn the_form_of_systemd() {
        for text in [
            "192.0.2.1",
            "192.0.2.1:9953",
            "2001:db8::1",
            "[2001:db8::1]:9953",
            "[2001:db8::1]:9953%3#dns.example",
            "fe80::1%3",
        ] {
            assert_eq!(again(text), text);
        }
        assert_eq!(again("192.0.2.1:53"), "192.0.2.1");
        assert_eq!(again("192.0.2.1:853#x"), "192.0.2.1#x");
        assert_eq!(again("[2001:db8::1]"), "2001:db8::1");
        assert_eq!(again("fe80::1%eth0#Dns.Example."), "fe80::1%7#Dns.Example");
    }

    #[test]
    fn schemes() {
        for text in [
            "udp://192.0.2.1",
            "udp://192.0.2.1:853",
            "tls://192.0.2.1#dns.example",
            "tls://192.0.2.1:53",
            "quic://[2001:db8::1]:8853#dns.example",
            "https://192.0.2.1:8443%7/a/b%20c#dns.example",
        ] {
            assert_eq!(again(text), text);
        }
        assert_eq!(again("https://192.0.2.1"), "https://192.0.2.1/dns-query");
        assert_eq!(
            again("https://192.0.2.1:443/x{?dns}"),
            "https://192.0.2.1/x"
        );
        assert_eq!(again("tls://[2001:db8::1]:853"), "tls://2001:db8::1");
        assert_eq!(again("tls://192.0.2.1/"), "tls://192.0.2.1");
    }

    #[test]
    fn what_is_no_server() {
        for (text, said) in [
            ("", "is no address"),
            ("dns.example", "behind a #"),
            ("https://dns.example/dns-query", "behind a #"),
            ("192.0.2.1:", "is no port"),
            ("192.0.2.1:0", "is no port"),
            ("192.0.2.1:+53", "is no port"),
            ("192.0.2.1:65536", "is no port"),
            ("2001:db8::1:x", "is no address"),
            ("[192.0.2.1]:53", "is no address"),
            ("[2001:db8::1", "is no address"),
            ("[2001:db8::1]53", "is no address"),
            ("192.0.2.1%eth9", "no network interface"),
            ("192.0.2.1%0", "no network interface"),
            ("192.0.2.1#", "is no name"),
            ("192.0.2.1#a..b", "is no name"),
            ("192.0.2.1/x", "only https"),
            ("tls://192.0.2.1/x", "only https"),
            ("h3://192.0.2.1", "unknown scheme"),
            ("https://192.0.2.1/a b", "is no path"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_server_that_would_be_ourselves() {
        assert!(!is_usable("127.0.0.53".parse().unwrap()));
        assert!(!is_usable("::".parse().unwrap()));
        assert!(is_usable("127.0.0.1".parse().unwrap()));
    }
}
