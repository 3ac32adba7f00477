//! What the handlers work on.

use std::{cell::OnceCell, rc::Rc};

use crate::{
    failure::Failure,
    manager::{DelegateView, GlobalView, LinkView, Manager},
};

/// The resolver on one connection.
pub(super) struct Service {
    pub(super) manager: Rc<Manager>,
}

/// The manager's object for one call.
pub(super) struct Root {
    pub(super) manager: Rc<Manager>,
    view: OnceCell<GlobalView>,
}

/// A link's object for one call.
pub(super) struct OneLink {
    pub(super) manager: Rc<Manager>,
    pub(super) view: LinkView,
}

/// The object of a service that is announced.
pub(super) struct OneService {
    pub(super) manager: Rc<Manager>,
    pub(super) id: String,
}

impl Service {
    pub(super) fn new(manager: &Rc<Manager>) -> Rc<Self> {
        Rc::new(Self {
            manager: Rc::clone(manager),
        })
    }

    pub(super) fn root(&self) -> Rc<Root> {
        Rc::new(Root {
            manager: Rc::clone(&self.manager),
            view: OnceCell::new(),
        })
    }

    pub(super) fn link(&self, ifindex: u32) -> Result<Rc<OneLink>, Failure> {
        OneLink::find(&self.manager, ifindex)
    }

    pub(super) fn service(&self, id: &str) -> Option<Rc<OneService>> {
        let known = self.manager.services();
        known
            .iter()
            .any(|service| service.id == id)
            .then(|| OneService::new(&self.manager, id))
    }

    pub(super) fn delegate(&self, id: &str) -> Option<Rc<DelegateView>> {
        self.manager.delegate(id).ok().map(Rc::new)
    }
}

impl Root {
    /// As it is at the time of the call.
    pub(super) fn view(&self) -> &GlobalView {
        self.view.get_or_init(|| self.manager.global())
    }
}

impl OneLink {
    pub(super) fn find(manager: &Rc<Manager>, ifindex: u32) -> Result<Rc<Self>, Failure> {
        Ok(Rc::new(Self {
            manager: Rc::clone(manager),
            view: manager.link(ifindex)?,
        }))
    }
}

impl OneService {
    pub(super) fn new(manager: &Rc<Manager>, id: &str) -> Rc<Self> {
        Rc::new(Self {
            manager: Rc::clone(manager),
            id: id.to_owned(),
        })
    }
}
