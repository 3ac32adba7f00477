//! One DNS server as text: `ADDRESS[:PORT][%INTERFACE][#NAME]`, an IPv6 address with a port in brackets.

use std::net::{IpAddr, SocketAddr};

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub address: IpAddr,
    /// 0: the usual one.
    pub port: u16,
    /// The name that it proves to have; empty: none.
    pub name: String,
    /// As written, without the interface.
    pub text: String,
}

/// Reads a server. The interface is the one that the request is about, whatever is written.
pub fn parse(text: &str) -> Option<Server> {
    let (rest, name) = match text.split_once('#') {
        Some((_, "")) => return None,
        Some((rest, name)) => (rest, name),
        None => (text, ""),
    };
    let (place, _interface) = rest.split_once('%').unwrap_or((rest, ""));
    let (address, port) = address_and_port(place)?;
    let text = match name {
        "" => place.to_owned(),
        name => format!("{place}#{name}"),
    };
    Some(Server {
        address,
        port,
        name: name.to_owned(),
        text,
    })
}

fn address_and_port(text: &str) -> Option<(IpAddr, u16)> {
    if let Ok(address) = text.parse() {
        return Some((address, 0));
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    if let Some(address) = bare.and_then(|text| text.parse().ok()) {
        return Some((IpAddr::V6(address), 0));
    }
    let socket: SocketAddr = text.parse().ok()?;
    (socket.port() != 0).then(|| (socket.ip(), socket.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let read = |text: &str| {
            parse(text).map(|server| (server.address.to_string(), server.port, server.name))
        };
        let is =
            |address: &str, port, name: &str| Some((address.to_owned(), port, name.to_owned()));
        assert_eq!(read("192.0.2.1"), is("192.0.2.1", 0, ""));
        assert_eq!(
            read("192.0.2.1:5353#a.example"),
            is("192.0.2.1", 5353, "a.example")
        );
        assert_eq!(read("[2001:db8::1]:53"), is("2001:db8::1", 53, ""));
        assert_eq!(read("[2001:db8::1]"), is("2001:db8::1", 0, ""));
        assert_eq!(read("fe80::1%wg0"), is("fe80::1", 0, ""));
        assert_eq!(
            parse("[fe80::1]:99%wg0#x").map(|server| server.text),
            Some("[fe80::1]:99#x".to_owned())
        );
        for wrong in [
            "",
            "garbage",
            "192.0.2.1:0",
            "192.0.2.1#",
            "192.0.2.1:x",
            "[192.0.2.1]:53",
            "2001:db8::1:g",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
