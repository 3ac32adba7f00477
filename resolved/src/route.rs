//! Which scopes are asked for a name.

/// A scope: what is asked for a name by one protocol, and what of the cache belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeId {
    /// The machine's DNS servers.
    Global,
    /// A link's DNS servers.
    Link(u32),
    /// A delegate's DNS servers; its place in [`crate::config::Config::delegates`].
    Delegate(u32),
    /// LLMNR on a link.
    Llmnr(u32, Family),
    /// mDNS on a link.
    Mdns(u32, Family),
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// AF_INET.
    V4,
    /// AF_INET6.
    V6,
}
