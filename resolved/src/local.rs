//! What this machine answers by itself: literal addresses, static records, /etc/hosts, hooks, its own names.
//!
//! [`Local::before`] comes before the cache and the network, [`Local::after`] once those have failed. Both are skipped
//! where [`Flags::NO_SYNTHESIZE`](crate::flags::Flags::NO_SYNTHESIZE) says so, but for the hooks: they are sources of
//! their own, like a server.

pub mod host_name;

use std::{net::IpAddr, path::PathBuf};

pub use host_name::HostName;

use hickory_proto::rr::Name;

use crate::{
    config::Config,
    failure::Failure,
    links::Network,
    message::{Answer, Lookup},
};

/// Where things stand; [`Paths::default`] is the machine's.
#[derive(Clone, Debug)]
pub struct Paths {
    /// hosts(5).
    pub hosts: PathBuf,
    /// The directory of the hooks' sockets.
    pub hooks: PathBuf,
    /// Directories of static records, the first preferred.
    pub static_records: Vec<PathBuf>,
}

impl Default for Paths {
    fn default() -> Self {
        let roots = ["/etc", "/run", "/usr/local/lib", "/usr/lib"];
        Self {
            hosts: "/etc/hosts".into(),
            hooks: "/run/systemd/resolve.hook".into(),
            static_records: roots
                .map(|root| format!("{root}/systemd/resolve/static.d").into())
                .into(),
        }
    }
}

/// What the answers depend on, as it is at the time of the lookup.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// Links, addresses, gateways.
    pub network: &'a Network,
    /// The machine's own name.
    pub host_name: &'a HostName,
    /// What is switched on.
    pub config: &'a Config,
}

/// The local sources.
#[derive(Debug)]
pub struct Local {}

impl Local {
    /// Nothing is read or connected to before the first lookup.
    #[must_use]
    pub fn new(_paths: Paths) -> Self {
        Self {}
    }

    /// Counts changes of what [`Self::before`] draws from (/etc/hosts, static records, the hooks' filters), so that who keeps
    /// answers for longer knows when to drop them. Files are looked at every 2 s at most; cheap otherwise.
    pub fn generation(&self, _world: &World<'_>) -> u64 {
        0
    }

    /// What is known here, and is not to be asked elsewhere: static records, /etc/hosts, hooks, and names that
    /// never leave the machine ([`stays_here`]).
    ///
    /// The answer may hold a CNAME in place of what was asked for (static records, hooks): the caller follows it. An error is
    /// a hook's verdict, and final as well.
    ///
    /// Takes no time, except where a hook wants to be asked for the name. Must be called in a [`tokio::task::LocalSet`]. The
    /// borrows of `world` end before the first `.await`.
    pub fn before<'s>(
        &'s self,
        _lookup: &'s Lookup,
        _world: &World<'_>,
    ) -> impl Future<Output = Option<Result<Answer, Failure>>> + use<'s> {
        async { None }
    }

    /// What stands in where the network has no answer: the machine's own name and addresses, the gateways' addresses.
    ///
    /// `outcome` is what the network said; there being no scope for the name is [`Failure::NoNameServers`].
    #[must_use]
    pub fn after(
        &self,
        _lookup: &Lookup,
        _world: &World<'_>,
        _outcome: &Result<Answer, Failure>,
    ) -> Option<Answer> {
        None
    }
}

/// An address written as one where a host name is expected; the network is never asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// The address.
    pub address: IpAddr,
    /// The link of its zone (`%eth0`, RFC 4007, 11), else the one asked for.
    pub ifindex: u32,
    /// How it is written best: the canonical name of the answer.
    pub text: String,
}

/// Reads an address; its zone is a link's name or number.
#[must_use]
pub fn literal(_text: &str, _ifindex: u32, _network: &Network) -> Option<Literal> {
    None
}

/// Whether a name must not be asked of any scope: `localhost`, `_gateway`, 127.in-addr.arpa, `.invalid` and their like. With
/// [`Flags::NO_SYNTHESIZE`](crate::flags::Flags::NO_SYNTHESIZE) there is nobody left to ask for it: no name servers.
#[must_use]
pub fn stays_here(_name: &Name) -> bool {
    false
}
