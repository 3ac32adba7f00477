//! What comes on standard input, through all that reads it, without a resolver: for fuzzing.

use std::net::IpAddr;

use crate::{
    cli::Preference,
    request::{Change, Request},
    resolv_conf,
};

/// What the resolver would be told.
#[derive(Debug, PartialEq, Eq)]
pub struct Trial {
    /// Address and port of each server, and its name.
    pub servers: Vec<(IpAddr, u16, String)>,
    /// Domains, with whether they are for routing alone.
    pub domains: Vec<(String, bool)>,
}

/// Reads it.
///
/// # Errors
/// What is wrong with it.
pub fn try_input(text: &str) -> Result<Trial, String> {
    let configuration = resolv_conf::parse(text, Preference::Regular);
    let request = Request::set(1, configuration)?;
    let Change::Set {
        servers, domains, ..
    } = request.change
    else {
        return Err("nothing is set".to_owned());
    };
    let servers = servers.into_iter();
    let domains = domains.into_iter();
    Ok(Trial {
        servers: servers
            .map(|server| (server.address, server.port, server.name))
            .collect(),
        domains: domains
            .map(|domain| (domain.name, domain.route_only))
            .collect(),
    })
}
