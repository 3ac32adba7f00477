//! Who may connect, and who has to go for them.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use tokio::task::AbortHandle;

use crate::limits::Limits;

/// The connections of a socket.
#[derive(Debug)]
pub(crate) struct Admission {
    limits: Limits,
    /// Counts events, for "longest ago" without a clock.
    now: Cell<u64>,
    connections: RefCell<HashMap<u64, Entry>>,
    users: RefCell<HashMap<u32, usize>>,
}

#[derive(Debug)]
struct Entry {
    uid: u32,
    /// Since when no call is being answered; `None` while one is.
    idle_since: Option<u64>,
    task: Option<AbortHandle>,
}

/// A connection's place; dropping it gives the place free.
#[derive(Debug)]
pub(crate) struct Ticket {
    admission: Rc<Admission>,
    id: u64,
    uid: u32,
}

impl Admission {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            now: Cell::new(0),
            connections: RefCell::default(),
            users: RefCell::default(),
        }
    }

    /// A place for a connection of `uid`, if need be that of an idle one; `None` if all are busy.
    pub(crate) fn admit(self: &Rc<Self>, uid: u32) -> Option<Ticket> {
        let of_user = self.users.borrow().get(&uid).copied().unwrap_or(0);
        let room = if of_user >= self.limits.connections_per_user {
            self.evict(uid)
        } else if self.connections.borrow().len() >= self.limits.connections {
            self.evict_biggest()
        } else {
            true
        };
        room.then(|| {
            let id = self.tick();
            let entry = Entry {
                uid,
                idle_since: None,
                task: None,
            };
            self.connections.borrow_mut().insert(id, entry);
            *self.users.borrow_mut().entry(uid).or_default() += 1;
            Ticket {
                admission: Rc::clone(self),
                id,
                uid,
            }
        })
    }

    /// Closes all connections.
    pub(crate) fn close(&self) {
        for entry in self.connections.borrow().values() {
            if let Some(task) = &entry.task {
                task.abort();
            }
        }
    }

    fn tick(&self) -> u64 {
        self.now.set(self.now.get() + 1);
        self.now.get()
    }

    /// Closes the connection of `uid` that has been idle longest.
    fn evict(&self, uid: u32) -> bool {
        let id = self
            .connections
            .borrow()
            .iter()
            .filter(|(_, entry)| entry.uid == uid)
            .filter_map(|(id, entry)| entry.idle_since.map(|since| (since, *id)))
            .min()
            .map(|(_, id)| id);
        let Some(id) = id else { return false };
        if let Some(task) = self.remove(id) {
            task.abort();
        }
        true
    }

    /// Closes the idlest connection of the user who has most; where all of theirs are busy, of the next.
    fn evict_biggest(&self) -> bool {
        let mut users: Vec<(usize, u32)> = self
            .users
            .borrow()
            .iter()
            .map(|(uid, count)| (*count, *uid))
            .collect();
        users.sort_unstable();
        users.into_iter().rev().any(|(_, uid)| self.evict(uid))
    }

    fn remove(&self, id: u64) -> Option<AbortHandle> {
        let entry = self.connections.borrow_mut().remove(&id)?;
        let mut users = self.users.borrow_mut();
        if let Some(count) = users.get_mut(&entry.uid) {
            *count -= 1;
            if *count == 0 {
                users.remove(&entry.uid);
            }
        }
        entry.task
    }
}

impl Ticket {
    pub(crate) fn uid(&self) -> u32 {
        self.uid
    }

    /// Where to end the connection's task.
    pub(crate) fn task(admission: &Admission, id: u64, task: AbortHandle) {
        if let Some(entry) = admission.connections.borrow_mut().get_mut(&id) {
            entry.task = Some(task);
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// No call is being answered from now on.
    pub(crate) fn idle(&self) {
        self.set(Some(self.admission.tick()));
    }

    /// A call is being answered.
    pub(crate) fn busy(&self) {
        self.set(None);
    }

    fn set(&self, idle_since: Option<u64>) {
        if let Some(entry) = self.admission.connections.borrow_mut().get_mut(&self.id) {
            entry.idle_since = idle_since;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.admission.remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(per_user: usize, all: usize) -> Rc<Admission> {
        Rc::new(Admission::new(Limits {
            connections_per_user: per_user,
            connections: all,
            ..Limits::default()
        }))
    }

    #[test]
    fn busy_connections_keep_their_place_and_idle_ones_give_way() {
        let admission = admission(2, 10);
        let first = admission.admit(1000).unwrap();
        let second = admission.admit(1000).unwrap();
        assert!(admission.admit(1000).is_none(), "both are busy");
        assert!(admission.admit(1001).is_some(), "another user's are not");
        second.idle();
        first.idle();
        let third = admission.admit(1000).unwrap();
        let left: Vec<_> = admission.connections.borrow().keys().copied().collect();
        assert!(
            left.contains(&first.id) && left.contains(&third.id),
            "the idlest went"
        );
        drop(second);
        assert_eq!(
            admission.users.borrow()[&1000],
            2,
            "its place was given already"
        );
    }

    #[test]
    fn the_user_with_most_gives_way_to_others() {
        let admission = admission(5, 5);
        let many: Vec<_> = (0..4).map(|_| admission.admit(1).unwrap()).collect();
        many.iter().for_each(Ticket::idle);
        let one = admission.admit(2).unwrap();
        one.idle();
        let _new = admission.admit(3).unwrap();
        assert_eq!(admission.users.borrow()[&1], 3);
        assert_eq!(admission.users.borrow()[&2], 1);
    }

    #[test]
    fn places_are_given_free() {
        let admission = admission(2, 2);
        drop(admission.admit(1));
        assert!(admission.users.borrow().is_empty());
        assert!(admission.connections.borrow().is_empty());
    }
}
