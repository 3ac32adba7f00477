//! What comes on standard input: resolv.conf(5).

use crate::cli::Preference;

/// Every name, for routing.
const EVERY_NAME: &str = "~.";

/// Servers and domains, as written.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    pub servers: Vec<String>,
    pub domains: Vec<String>,
    /// Names outside of the domains are never asked of these servers.
    pub private: bool,
}

/// Reads `nameserver`, `domain` and `search`; the rest is for the C library's own resolver.
pub fn parse(text: &str, preference: Preference) -> Configuration {
    let mut configuration = Configuration {
        private: preference == Preference::Private,
        ..Configuration::default()
    };
    for line in text.lines().map(str::trim) {
        let mut words = line.split_whitespace();
        let values = match words.next() {
            Some("nameserver") => &mut configuration.servers,
            Some("domain" | "search") => &mut configuration.domains,
            // Comments, which begin a line, are no keyword either.
            _ => continue,
        };
        values.extend(words.map(str::to_owned));
    }
    if preference == Preference::Exclusive {
        configuration.domains.push(EVERY_NAME.to_owned());
    }
    configuration
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# a comment\n;another\n\
        nameserver 192.0.2.1 192.0.2.2\n  nameserver\t2001:db8::1  \n\
        domain one.example\nsearch two.example ~three.example\n\
        options edns0\nnameservers 192.0.2.9\nnameserver\n#nameserver 192.0.2.9\n";

    #[test]
    fn servers_and_domains() {
        let read = parse(FILE, Preference::Regular);
        assert_eq!(read.servers, ["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
        assert_eq!(
            read.domains,
            ["one.example", "two.example", "~three.example"]
        );
        assert!(!read.private);
        assert_eq!(parse(FILE, Preference::Exclusive).domains[3], "~.");
        assert!(parse(FILE, Preference::Private).private);
        assert_eq!(parse("", Preference::Regular), Configuration::default());
    }
}
