//! How much may go on at once.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use crate::error::Error;

/// Bounds on calls that are not answered yet ([`crate::Handler::Later`]): no client can make the daemon remember more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of all clients together.
    pub calls: usize,
    /// Of one client.
    pub calls_of_one: usize,
    /// Of methods marked as [`crate::Method::operation`], of all clients together.
    pub operations: usize,
    /// Of those, of one client: less than all, so that nobody can keep everyone else out.
    pub operations_of_one: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: 1024,
            calls_of_one: 256,
            operations: 64,
            operations_of_one: 48,
        }
    }
}

/// What goes on.
pub(crate) struct Load {
    limits: Limits,
    calls: Cell<usize>,
    operations: Cell<usize>,
    of_one: RefCell<HashMap<Box<str>, (usize, usize)>>,
}

impl Load {
    pub(crate) fn new(limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            limits,
            calls: Cell::new(0),
            operations: Cell::new(0),
            of_one: RefCell::default(),
        })
    }

    /// Takes a place for a call, held until the ticket is dropped.
    pub(crate) fn enter(self: &Rc<Self>, sender: &str, operation: bool) -> Result<Ticket, Error> {
        let mut of_one = self.of_one.borrow_mut();
        let (calls, operations) = of_one.get(sender).copied().unwrap_or_default();
        let limits = &self.limits;
        if self.calls.get() >= limits.calls || calls >= limits.calls_of_one {
            return Err(Error::limits_exceeded(
                "Too many calls are going on already.",
            ));
        }
        let full =
            self.operations.get() >= limits.operations || operations >= limits.operations_of_one;
        if operation && full {
            return Err(Error::limits_exceeded("Too many ongoing operations."));
        }
        self.calls.update(|n| n + 1);
        self.operations.update(|n| n + usize::from(operation));
        of_one.insert(
            sender.into(),
            (calls + 1, operations + usize::from(operation)),
        );
        Ok(Ticket {
            load: self.clone(),
            sender: sender.into(),
            operation,
        })
    }
}

/// A place taken.
pub(crate) struct Ticket {
    load: Rc<Load>,
    sender: Box<str>,
    operation: bool,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let operation = usize::from(self.operation);
        self.load.calls.update(|n| n.saturating_sub(1));
        self.load.operations.update(|n| n.saturating_sub(operation));
        let mut of_one = self.load.of_one.borrow_mut();
        if let Some((calls, operations)) = of_one.get_mut(&self.sender) {
            *calls = calls.saturating_sub(1);
            *operations = operations.saturating_sub(operation);
            if *calls == 0 {
                of_one.remove(&self.sender);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Load};

    #[test]
    fn bounds() {
        let load = Load::new(Limits {
            calls: 4,
            calls_of_one: 3,
            operations: 2,
            operations_of_one: 1,
        });
        let first = load.enter(":1.1", true).unwrap();
        assert!(load.enter(":1.1", true).is_err());
        let _a = load.enter(":1.1", false).unwrap();
        let _b = load.enter(":1.1", false).unwrap();
        assert!(load.enter(":1.1", false).is_err());
        let _c = load.enter(":1.2", true).unwrap();
        assert!(load.enter(":1.3", false).is_err());
        drop(first);
        assert!(load.enter(":1.3", true).is_ok());
        drop((_a, _b, _c));
        assert!(load.of_one.borrow().is_empty());
        assert_eq!((load.calls.get(), load.operations.get()), (0, 0));
    }
}
