//! Link-local multicast name resolution (RFC 4795): resolver and responder.
//!
//! Answers are not kept here: they may be put into the machine's cache, for the time that they say.

use std::rc::Rc;

use crate::{
    failure::Failure,
    message::{Question, Response},
    multicast::MulticastLink,
    route::Family,
};

/// LLMNR on all links. Lives on one [`tokio::task::LocalSet`].
pub struct Llmnr {}

impl Llmnr {
    /// On no link yet; nothing is open.
    #[must_use]
    pub fn new() -> Rc<Self> {
        Rc::new(Self {})
    }

    /// The label that this machine answers to: what it was set to, unless another machine on some link had it.
    #[must_use]
    pub fn host_name(&self) -> String {
        String::new()
    }

    /// Has it answer to another label: the machine's name changed. The same label as now changes nothing.
    pub fn set_host_name(self: &Rc<Self>, _label: &str) {}

    /// Has `told` called after each change of [`Self::host_name`] that a conflict caused; not within a call of ours.
    pub fn on_change(&self, _told: Box<dyn Fn()>) {}

    /// Where it is spoken now: links that are up, can multicast, and are not the loopback. Opens and closes what that needs.
    /// Must be called in a [`tokio::task::LocalSet`].
    pub fn set_links(self: &Rc<Self>, _links: &[MulticastLink]) {}

    /// Asks on one link, over one family.
    ///
    /// Takes 1.1 s at most where nobody answers. Names of addresses are asked of the address itself, over TCP.
    ///
    /// # Errors
    /// [`Failure::TimedOut`] if nobody answers, which is how a name that nobody has looks like; [`Failure::NetworkDown`]
    /// where the link has no LLMNR; [`Failure::Rcode`] over TCP.
    pub async fn query(&self, _ifindex: u32, _family: Family, _question: &Question) -> Result<Response, Failure> {
        Err(Failure::NetworkDown)
    }

    /// Forgets what was learnt.
    pub fn flush(&self) {}
}
