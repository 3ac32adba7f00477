//! Lists of servers and domains: no doubles, no more than the original takes.

use crate::server::{DnsServer, Domain};

/// systemd's own limit for servers, of the machine and of each link.
const MOST_SERVERS: usize = 256;
/// systemd's own limit for domains, of the machine and of each link.
const MOST_DOMAINS: usize = 1024;

/// Adds a server, unless it is there already. `false`: there are too many.
pub fn add_server(servers: &mut Vec<DnsServer>, server: DnsServer) -> bool {
    if servers.contains(&server) {
        return true;
    }
    let fits = servers.len() < MOST_SERVERS;
    if fits {
        servers.push(server);
    }
    fits
}

/// Adds a domain; one that is there already keeps its place, and is for what the new one says. `false`: there are too many.
pub fn add_domain(domains: &mut Vec<Domain>, domain: Domain) -> bool {
    if let Some(known) = domains.iter_mut().find(|known| known.name == domain.name) {
        known.route_only = domain.route_only;
        return true;
    }
    let fits = domains.len() < MOST_DOMAINS;
    if fits {
        domains.push(domain);
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::domain;

    #[test]
    fn the_last_word_counts() {
        let mut domains = Vec::new();
        for text in ["a", "b", "~A"] {
            assert!(add_domain(&mut domains, domain::parse(text).unwrap()));
        }
        let texts: Vec<_> = domains.iter().map(domain::format).collect();
        assert_eq!(texts, ["~a", "b"]);
    }

    #[test]
    fn there_is_an_end() {
        let mut servers = Vec::new();
        for host in 0..300_u16 {
            let [high, low] = host.to_be_bytes();
            let server = DnsServer::new([192, 0, high, low].into());
            assert_eq!(add_server(&mut servers, server), host < 256);
        }
        let again = servers[0].clone();
        assert!(add_server(&mut servers, again));
        assert_eq!(servers.len(), 256);
    }
}
