//! What the handlers work on.

use std::rc::Rc;

use zbus::Connection;

use super::signals::Signals;
use crate::{error::Error, machine::Machine, manager::Manager};

/// The registry on one connection.
pub(super) struct Service {
    pub(super) manager: Rc<Manager>,
    pub(super) signals: Signals,
}

impl Service {
    pub(super) fn new(connection: &Connection, manager: &Rc<Manager>) -> Rc<Self> {
        Rc::new(Self {
            manager: manager.clone(),
            signals: Signals::new(connection, manager),
        })
    }

    /// The machine of this name, with what its methods need.
    pub(super) fn machine(self: &Rc<Self>, name: &str) -> Result<OneMachine, Error> {
        Ok(OneMachine {
            machine: self.manager.machine(name)?,
            service: self.clone(),
        })
    }
}

/// A machine on one connection.
#[derive(Clone)]
pub(super) struct OneMachine {
    pub(super) service: Rc<Service>,
    pub(super) machine: Rc<Machine>,
}
