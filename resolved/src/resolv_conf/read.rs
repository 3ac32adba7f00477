//! Servers and search domains out of a resolv.conf(5) that another program writes.

use std::{io, net::IpAddr, path::Path};

use crate::{
    config::{self, ExtraListener, domain, lists, server},
    server::{DnsServer, Domain},
};

/// What it says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Foreign {
    /// `nameserver`, without those that are this program itself.
    pub servers: Vec<DnsServer>,
    /// `search` and `domain`, all of them.
    pub domains: Vec<Domain>,
}

/// Reads it. What is wrong in it is passed over, as the C library does; so is what it says about this program itself:
/// the addresses of the stub, and `own` with the usual port.
///
/// # Errors
/// If it can't be read. One that is not there says nothing.
pub fn read_foreign(
    path: &Path,
    own: &[ExtraListener],
    ifindex_of: &dyn Fn(&str) -> Option<u32>,
) -> io::Result<Foreign> {
    match config::read_file(path) {
        Ok(bytes) => Ok(parse(&String::from_utf8_lossy(&bytes), own, ifindex_of)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Foreign::default()),
        Err(error) => Err(error),
    }
}

fn parse(text: &str, own: &[ExtraListener], ifindex_of: &dyn Fn(&str) -> Option<u32>) -> Foreign {
    let mut foreign = Foreign::default();
    let is_own = |address: IpAddr| {
        let is_it = |listener: &ExtraListener| listener.address == address && listener.port == 53;
        own.iter().any(is_it)
    };
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("nameserver") => {
                let server = words.next().and_then(|word| nameserver(word, ifindex_of));
                let server = server
                    .filter(|server| server::is_usable(server.address) && !is_own(server.address));
                if let Some(server) = server {
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
