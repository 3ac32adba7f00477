//! Names that turn out to be another machine's. RFC 6762, 9

use std::{rc::Rc, time::Duration};

use super::Mdns;
use crate::clock::boottime;

impl Mdns {
    pub(super) fn lose_host_name(self: &Rc<Self>) {
        let pause = {
            let mut state = self.state.borrow_mut();
            let before = state.label.as_str().to_owned();
            let pause = state.label.yield_to_other(boottime());
            tracing::warn!(
                "Another machine has the name {before}.local: this one is {}.local from now on",
                state.label.as_str()
            );
            pause
        };
        self.announce(pause);
        if let Some(told) = self.on_change.borrow().clone() {
            tokio::task::spawn_local(async move { told() });
        }
    }

    pub(super) fn lose_service(self: &Rc<Self>, id: &str) {
        if !self.state.borrow_mut().lost.insert(id.to_owned()) {
            return;
        }
        tracing::warn!("Another machine has the name of the service {id}: it is announced no more");
        self.announce(Duration::ZERO);
        if let Some(told) = self.on_conflict.borrow().clone() {
            let id = id.to_owned();
            tokio::task::spawn_local(async move { told(&id) });
        }
    }
}
