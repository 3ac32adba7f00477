//! Lookups that ended, for those who watch (`resolvectl monitor`).

use std::{cell::RefCell, rc::Rc};

use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::{
    failure::Failure,
    message::{Answer, Question},
};

/// A lookup that ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What the client asked.
    pub questions: Vec<Question>,
    /// What was asked on the way: the targets of CNAMEs, the search domains.
    pub collected: Vec<Question>,
    /// What it got.
    pub result: Result<Answer, Failure>,
}

/// More than this wait for a subscriber that does not read: the rest is lost for it.
const WAITING: usize = 1024;

/// Those who watch.
#[derive(Debug, Default)]
pub struct Queries(RefCell<Vec<Sender<Rc<Ended>>>>);

impl Queries {
    /// Every lookup that ends from now on.
    pub fn subscribe(&self) -> Receiver<Rc<Ended>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.0.borrow_mut().push(sender);
        receiver
    }

    /// Whether anyone watches: then no lookup may pass by.
    pub fn watched(&self) -> bool {
        let mut subscribers = self.0.borrow_mut();
        subscribers.retain(|subscriber| !subscriber.is_closed());
        !subscribers.is_empty()
    }

    /// Tells of one. `ended` is made only if anyone watches.
    pub fn tell(&self, ended: impl FnOnce() -> Ended) {
        if !self.watched() {
            return;
        }
        let ended = Rc::new(ended());
        for subscriber in self.0.borrow().iter() {
            // A subscriber that does not read loses lookups, not memory of ours.
            drop(subscriber.try_send(Rc::clone(&ended)));
        }
    }
}
