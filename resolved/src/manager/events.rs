//! What changed, for those who tell others (the bus, subscribers).

use std::cell::RefCell;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::server::DnsServer;

/// What changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Properties of the manager, by their names on the bus.
    Manager(Vec<&'static str>),
    /// Properties of a link.
    Link(u32, Vec<&'static str>),
    /// A link came.
    LinkAdded(u32),
    /// A link went.
    LinkRemoved(u32),
    /// Another machine has the name of this service.
    ServiceConflict(String),
    /// Who is asked for what: the answer of DumpDNSConfiguration.
    Configuration,
}

/// Where events arrive.
pub type Observed = UnboundedReceiver<Event>;

/// Those who want to know.
#[derive(Debug, Default)]
pub(super) struct Observers(RefCell<Vec<UnboundedSender<Event>>>);

impl Observers {
    fn tell(&self, event: &Event) {
        self.0
            .borrow_mut()
            .retain(|observer| observer.send(event.clone()).is_ok());
    }
}

/// What was last told of properties that announce their changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) servers: Vec<DnsServer>,
    pub(super) current: Option<DnsServer>,
    pub(super) llmnr_name: String,
    pub(super) links: std::collections::BTreeMap<u32, (Vec<DnsServer>, Option<DnsServer>)>,
}

impl super::Manager {
    /// Every change from now on.
    #[must_use]
    pub fn observe(&self) -> Observed {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.observers.0.borrow_mut().push(sender);
        receiver
    }

    /// Tells everyone who observes.
    pub fn tell(&self, event: &Event) {
        self.observers.tell(event);
    }
}
