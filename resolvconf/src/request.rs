//! What the resolver is asked to do, and what it says to it.

use crate::{
    resolv_conf::Configuration,
    server::{self, Server},
};

/// The longest label and the longest name as text. RFC 1035, 2.3.4
const LONGEST_LABEL: usize = 63;
const LONGEST_NAME: usize = 253;

/// A search domain, or with `route_only` one that only says which names these servers are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    pub name: String,
    pub route_only: bool,
}

/// What to do with a link.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    pub ifindex: u32,
    pub change: Change,
}

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// Forget all that was told.
    Revert,
    /// These in place of what was told.
    Set {
        servers: Vec<Server>,
        domains: Vec<Domain>,
        /// `Some(false)`: no names but those of the domains. `None`: as it is.
        default_route: Option<bool>,
    },
}

impl Request {
    pub const fn revert(ifindex: u32) -> Self {
        let change = Change::Revert;
        Self { ifindex, change }
    }

    /// All of it is checked before anything is asked for: nothing is half done for a typing error.
    ///
    /// # Errors
    /// The sentence for the user.
    pub fn set(ifindex: u32, configuration: Configuration) -> Result<Self, String> {
        if configuration.servers.is_empty() {
            return Err("No DNS servers specified, refusing operation.".to_owned());
        }
        let servers = configuration.servers.iter().map(|text| {
            server::parse(text).ok_or_else(|| format!("Failed to parse DNS server address: {text}"))
        });
        let domains = configuration
            .domains
            .iter()
            .map(|text| domain(text).ok_or_else(|| format!("Domain not valid: {text}")));
        Ok(Self {
            ifindex,
            change: Change::Set {
                servers: servers.collect::<Result<_, _>>()?,
                domains: domains.collect::<Result<_, _>>()?,
                default_route: configuration.private.then_some(false),
            },
        })
    }
}

fn domain(text: &str) -> Option<Domain> {
    let (name, route_only) = match text.strip_prefix('~') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let relative = name.strip_suffix('.').unwrap_or(name);
    let is_root = name == ".";
    let is_label = |label: &str| !label.is_empty() && label.len() <= LONGEST_LABEL;
    let is_name = relative.len() <= LONGEST_NAME && relative.split('.').all(is_label);
    (is_root || is_name).then(|| Domain {
        name: name.to_owned(),
        // The root is no suffix.
        route_only: route_only || is_root,
    })
}

/// It was not done.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    pub message: String,
    /// The resolver knows no such link.
    pub no_such_link: bool,
}

impl Failure {
    pub const fn other(message: String) -> Self {
        Self {
            message,
            no_such_link: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(servers: &[&str], domains: &[&str]) -> Result<Request, String> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let configuration = Configuration {
            servers: owned(servers),
            domains: owned(domains),
            private: false,
        };
        Request::set(3, configuration)
    }

    #[test]
    fn what_is_wrong_is_said_before_anything_is_done() {
        let said = |servers: &[&str], domains: &[&str]| set(servers, domains).unwrap_err();
        assert_eq!(
            said(&[], &["a.example"]),
            "No DNS servers specified, refusing operation."
        );
        assert_eq!(
            said(&["192.0.2.1", "x"], &[]),
            "Failed to parse DNS server address: x"
        );
        assert_eq!(said(&["192.0.2.1"], &["a..b"]), "Domain not valid: a..b");
        for wrong in ["", "~", "~~.", ".a", &"x".repeat(64)] {
            let allowed = wrong == "~~.";
            assert_eq!(set(&["192.0.2.1"], &[wrong]).is_ok(), allowed, "{wrong:?}");
        }
    }

    #[test]
    fn domains_for_searching_and_for_routing() {
        let request = set(&["192.0.2.1"], &["a.example.", "~b.example", "~.", "."]).unwrap();
        let Change::Set { domains, .. } = request.change else {
            panic!("{request:?}");
        };
        let domains: Vec<_> = domains
            .iter()
            .map(|domain| (domain.name.as_str(), domain.route_only))
            .collect();
        let expected = [
            ("a.example.", false),
            ("b.example", true),
            (".", true),
            (".", true),
        ];
        assert_eq!(domains, expected);
    }
}
