//! How much may go on at once.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use crate::error::Error;

/// Bounds on calls that are not answered yet ([`crate::Handler::Later`]): no user can make the daemon remember more, by however
/// many connections. Root is bounded with all the others only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of all users together.
    pub calls: usize,
    /// Of one user.
    pub calls_of_one: usize,
    /// Of methods marked as [`crate::Method::operation`], of all users together.
    pub operations: usize,
    /// Of those, of one user: less than all, so that nobody can keep everyone else out.
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

/// How many clients are remembered by their users. A bus never gives a unique name twice, so what is remembered stays
/// right, and is only to be kept from growing.
const CLIENTS: usize = 1024;

/// What goes on.
pub(crate) struct Load {
    limits: Limits,
    calls: Cell<usize>,
    operations: Cell<usize>,
    of_user: RefCell<HashMap<u32, (usize, usize)>>,
    /// Calls of clients of whom the bus is still to say who they are.
    asking: RefCell<HashMap<Box<str>, usize>>,
    users: RefCell<HashMap<Box<str>, u32>>,
}

impl Load {
    pub(crate) fn new(limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            limits,
            calls: Cell::new(0),
            operations: Cell::new(0),
            of_user: RefCell::default(),
            asking: RefCell::default(),
            users: RefCell::default(),
        })
    }

    /// The user behind a client, if that is known.
    pub(crate) fn user(&self, client: &str) -> Option<u32> {
        self.users.borrow().get(client).copied()
    }

    /// Takes a place for the question who a client is.
    pub(crate) fn ask(self: &Rc<Self>, client: &str) -> Result<Question, Error> {
        let mut asking = self.asking.borrow_mut();
        let calls = asking.entry(client.into()).or_default();
        if *calls >= self.limits.calls_of_one {
            return Err(too_many_calls());
        }
        *calls += 1;
        Ok(Question {
            load: self.clone(),
            client: client.into(),
        })
    }

    /// Takes a place for a call, held until the ticket is dropped.
    pub(crate) fn enter(self: &Rc<Self>, user: u32, operation: bool) -> Result<Ticket, Error> {
        let mut of_user = self.of_user.borrow_mut();
        let (calls, operations) = of_user.get(&user).copied().unwrap_or_default();
        let limits = &self.limits;
        let is_bounded = user != 0;
        if self.calls.get() >= limits.calls || (is_bounded && calls >= limits.calls_of_one) {
            return Err(too_many_calls());
        }
        let full = self.operations.get() >= limits.operations
            || (is_bounded && operations >= limits.operations_of_one);
        if operation && full {
            return Err(Error::limits_exceeded("Too many ongoing operations."));
        }
        self.calls.update(|n| n + 1);
        self.operations.update(|n| n + usize::from(operation));
        of_user.insert(user, (calls + 1, operations + usize::from(operation)));
        Ok(Ticket {
            load: self.clone(),
            user,
            operation,
        })
    }
}

fn too_many_calls() -> Error {
    Error::limits_exceeded("Too many calls are going on already.")
}

/// The question who a client is.
pub(crate) struct Question {
    load: Rc<Load>,
    client: Box<str>,
}

impl Question {
    /// Ends it with its answer.
    pub(crate) fn answer(self, user: u32) {
        let mut users = self.load.users.borrow_mut();
        if users.len() >= CLIENTS {
            users.clear();
        }
        users.insert(self.client.clone(), user);
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        let mut asking = self.load.asking.borrow_mut();
        if let Some(calls) = asking.get_mut(&self.client) {
            *calls = calls.saturating_sub(1);
            if *calls == 0 {
                asking.remove(&self.client);
            }
        }
    }
}

/// A place taken.
pub(crate) struct Ticket {
    load: Rc<Load>,
    user: u32,
    operation: bool,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let operation = usize::from(self.operation);
        self.load.calls.update(|n| n.saturating_sub(1));
        self.load.operations.update(|n| n.saturating_sub(operation));
        let mut of_user = self.load.of_user.borrow_mut();
        if let Some((calls, operations)) = of_user.get_mut(&self.user) {
            *calls = calls.saturating_sub(1);
            *operations = operations.saturating_sub(operation);
            if *calls == 0 {
                of_user.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CLIENTS, Limits, Load};

    const SMALL: Limits = Limits {
        calls: 4,
        calls_of_one: 3,
        operations: 2,
        operations_of_one: 1,
    };

    #[test]
    fn bounds() {
        let load = Load::new(SMALL);
        let first = load.enter(1, true).unwrap();
        assert!(load.enter(1, true).is_err());
        let _a = load.enter(1, false).unwrap();
        let _b = load.enter(1, false).unwrap();
        assert!(load.enter(1, false).is_err());
        let _c = load.enter(0, true).unwrap();
        assert!(load.enter(3, false).is_err() && load.enter(0, false).is_err());
        drop(first);
        assert!(load.enter(0, true).is_ok());
        drop((_a, _b, _c));
        assert!(load.of_user.borrow().is_empty());
        assert_eq!((load.calls.get(), load.operations.get()), (0, 0));
    }

    #[test]
    fn who_a_client_is_is_asked_once() {
        let load = Load::new(SMALL);
        let questions: Vec<_> = (0..3).map(|_| load.ask(":1.1").unwrap()).collect();
        assert!(load.ask(":1.1").is_err() && load.ask(":1.2").is_ok());
        assert_eq!(load.user(":1.1"), None);
        questions
            .into_iter()
            .for_each(|question| question.answer(7));
        assert_eq!(load.user(":1.1"), Some(7));
        assert!(load.asking.borrow().is_empty());
        for client in 0..3 * CLIENTS {
            load.ask(&format!(":2.{client}")).unwrap().answer(7);
        }
        assert!(load.users.borrow().len() <= CLIENTS);
    }
}
