//! What LLMNR and mDNS share: links, sockets that know the link of each packet, and names that change in a conflict.

use crate::{links::Link, mode::Multicast};

/// A link that names are looked up on by multicast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MulticastLink {
    /// As the kernel has it.
    pub link: Link,
    /// How far it goes: [`Multicast::Resolve`] or [`Multicast::Yes`].
    pub mode: Multicast,
}
