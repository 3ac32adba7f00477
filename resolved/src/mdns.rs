//! Multicast DNS and DNS-SD (RFC 6762, RFC 6763): resolver, responder, browser.
//!
//! What is learnt is kept here, not in the machine's cache: a goodbye, a record that displaces another, and a browser that
//! needs an answer kept alive all act on single records.

use std::rc::Rc;

use hickory_proto::rr::Name;
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::{
    cache::DumpEntry,
    config::DnssdService,
    failure::Failure,
    message::{Question, Response},
    multicast::MulticastLink,
    route::Family,
};

/// A service, or a type of services, that came or went.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Browsed {
    /// It came; else it went.
    pub added: bool,
    /// On this link.
    pub ifindex: u32,
    /// Over this family.
    pub family: Family,
    /// The instance, `Office printer`; `None` where types are browsed.
    pub name: Option<String>,
    /// `_http._tcp`.
    pub service_type: String,
    /// `local`.
    pub domain: String,
}

/// mDNS on all links. Lives on one [`tokio::task::LocalSet`].
pub struct Mdns {}

impl Mdns {
    /// On no link yet; nothing is open.
    #[must_use]
    pub fn new() -> Rc<Self> {
        Rc::new(Self {})
    }

    /// The label below `local` that this machine answers to: what it was set to, unless another machine on some link had it.
    #[must_use]
    pub fn host_name(&self) -> String {
        String::new()
    }

    /// Has it answer to another label: the machine's name changed. The same label as now changes nothing.
    pub fn set_host_name(self: &Rc<Self>, _label: &str) {}

    /// Has `told` called after each change of [`Self::host_name`] that a conflict caused; not within a call of ours.
    pub fn on_change(&self, _told: Box<dyn Fn()>) {}

    /// Has `told` called with the id of a service whose name another machine has; it is announced no more, until
    /// [`Self::set_services`] says it anew.
    pub fn on_conflict(&self, _told: Box<dyn Fn(&str)>) {}

    /// Where it is spoken now: links that are up, can multicast, and are not the loopback. Opens and closes what that needs.
    /// Must be called in a [`tokio::task::LocalSet`].
    pub fn set_links(self: &Rc<Self>, _links: &[MulticastLink]) {}

    /// What is announced beside the host. Those that are gone are taken back.
    pub fn set_services(self: &Rc<Self>, _services: &[DnssdService]) {}

    /// What this machine itself announces on a link: for lookups that may be answered from the zone. `None`: nothing that
    /// answers the question, or others may know more (a type of services).
    #[must_use]
    pub fn zone(&self, _ifindex: u32, _family: Family, _question: &Question) -> Option<Response> {
        None
    }

    /// What was heard on a link and still holds: for lookups that may be answered from the cache. `None`: it must be asked.
    #[must_use]
    pub fn cached(&self, _ifindex: u32, _family: Family, _question: &Question) -> Option<Response> {
        None
    }

    /// Asks on one link, over one family. The response need not be put into a cache.
    ///
    /// Takes 3 s at most where nobody answers, and 1 s where many may (types of services).
    ///
    /// # Errors
    /// [`Failure::TimedOut`] if nobody answers, which is how a name that nobody has looks like; [`Failure::NetworkDown`]
    /// where the link has no mDNS.
    pub async fn query(&self, _ifindex: u32, _family: Family, _question: &Question) -> Result<Response, Failure> {
        Err(Failure::NetworkDown)
    }

    /// Tells which services of a type come and go, what is there already first. Ends when the receiver is dropped.
    ///
    /// `service_type`: `_http._tcp`, or `None` for the types themselves. `domain`: `local`. `ifindex`: one link, or 0 for all.
    pub fn browse(
        self: &Rc<Self>,
        _service_type: Option<&Name>,
        _domain: &Name,
        _ifindex: u32,
    ) -> UnboundedReceiver<Vec<Browsed>> {
        mpsc::unbounded_channel().1
    }

    /// What is kept for one link and family.
    #[must_use]
    pub fn dump(&self, _ifindex: u32, _family: Family) -> Vec<DumpEntry> {
        Vec::new()
    }

    /// Forgets what was heard.
    pub fn flush(&self) {}

    /// Takes back all that was announced: the daemon ends.
    pub fn goodbye(&self) {}
}
