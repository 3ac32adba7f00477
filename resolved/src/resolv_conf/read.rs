//! Servers and search domains out of a resolv.conf(5) that another program writes.

use std::{io, net::IpAddr};

use super::Paths;
use crate::{
    config::{self, domain, lists, server},
    server::{DnsServer, Domain},
};

/// What it says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Foreign {
    /// `nameserver`, without the addresses of our own stub.
    pub servers: Vec<DnsServer>,
    /// `search` and `domain`, all of them.
    pub domains: Vec<Domain>,
}

/// Reads it. What is wrong in it is passed over, as the C library does. One that is not there says nothing.
#[must_use]
pub fn read_foreign(paths: &Paths) -> Foreign {
    match config::read_file(&paths.etc) {
        Ok(bytes) => parse(&String::from_utf8_lossy(&bytes), &config::ifindex_of),
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!("Failed to read {}: {error}", paths.etc.display());
            }
            Foreign::default()
        }
    }
}

fn parse(text: &str, ifindex_of: &dyn Fn(&str) -> Option<u32>) -> Foreign {
    let mut foreign = Foreign::default();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("nameserver") => {
                let server = words.next().and_then(|word| nameserver(word, ifindex_of));
                if let Some(server) = server.filter(|server| server::is_usable(server.address)) {
                    lists::add_server(&mut foreign.servers, server);
                }
            }
            Some("search" | "domain") => {
                // `search .` is how to say that there are none.
                let domains = words.filter_map(|word| domain::parse(word).ok());
                for domain in domains.filter(|domain| !domain.name.is_root()) {
                    lists::add_domain(&mut foreign.domains, domain);
                }
            }
            _ => {}
        }
    }
    foreign
}

/// `ADDRESS[%LINK]`: there are no ports and no names in this file.
fn nameserver(word: &str, ifindex_of: &dyn Fn(&str) -> Option<u32>) -> Option<DnsServer> {
    let address = word.split('%').next()?;
    address.parse::<IpAddr>().ok()?;
    let is_bare = !word.contains(['#', '/']);
    server::parse(word, ifindex_of).ok().filter(|_| is_bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Vec<String>) {
        let foreign = parse(text, &|link| (link == "eth0").then_some(2));
        (
            foreign.servers.iter().map(server::format).collect(),
            foreign.domains.iter().map(domain::format).collect(),
        )
    }

    #[test]
    fn servers_and_domains() {
        let (servers, domains) = read(
            "# nameserver 192.0.2.9\n; search no\n  nameserver\t192.0.2.1 # one\nnameserver fe80::1%eth0\n\
             nameserver 2001:db8::1\nnameserver fe80::2%3\noptions edns0\nsearch a.example b.example\ndomain c.example\n",
        );
        assert_eq!(
            servers,
            ["192.0.2.1", "fe80::1%2", "2001:db8::1", "fe80::2%3"]
        );
        assert_eq!(domains, ["a.example", "b.example", "c.example"]);
    }

    #[test]
    fn what_does_not_count() {
        let (servers, domains) = read(
            "nameserver 127.0.0.53\nnameserver 127.0.0.54\nnameserver 0.0.0.0\nnameserver\nnameserver 192.0.2.1:53\n\
             nameserver 192.0.2.1#x\nnameserver tls://192.0.2.1\nnameserver fe80::1%none\nnameservers 192.0.2.1\n\
             search .\nsearch a..b\ndomain\n",
        );
        assert_eq!(servers, [""; 0]);
        assert_eq!(domains, [""; 0]);
    }

    #[test]
    fn doubles() {
        let (servers, domains) = read("nameserver 192.0.2.1\nnameserver 192.0.2.1\nsearch a a.\n");
        assert_eq!(servers.len(), 1);
        assert_eq!(domains.len(), 1);
    }

    #[test]
    fn no_bytes_do_harm() {
        let pieces = [
            "nameserver ",
            "search ",
            "domain ",
            "options ",
            "\n",
            "\r",
            " ",
            "\t",
            "#",
            "192.0.2.1",
            "fe80::1%",
            "lo",
            "3",
            "..",
            "a",
            "é",
            "\0",
        ];
        let mut noise = crate::config::testing::Noise::new(3);
        for _ in 0..20_000 {
            let text = noise.text(&pieces);
            for server in read(&String::from_utf8_lossy(&text)).0 {
                assert!(!server.contains(['#', '/']));
            }
        }
    }
}
