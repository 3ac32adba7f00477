//! MachineNew and MachineRemoved.
//!
//! Whoever made a machine come or go hears of it before the reply, as from systemd-machined: [`Signals::flush`] stands
//! before such replies.

use std::{cell::RefCell, collections::VecDeque, future::poll_fn};

use tokio::sync::{Mutex, Notify, mpsc::UnboundedReceiver};
use zbus::Connection;

use super::tree;
use crate::manager::{Event, Manager};

/// The signals of one connection, sent in the order of what they tell.
pub(super) struct Signals {
    connection: Connection,
    events: RefCell<UnboundedReceiver<Event>>,
    /// Member and name of machine: a waiting event does not hold the machine, which holds descriptors.
    waiting: RefCell<VecDeque<(&'static str, String)>>,
    more: Notify,
    /// Held while sending. First come, first served, so that the order holds.
    turn: Mutex<()>,
}

impl Signals {
    pub(super) fn new(connection: &Connection, manager: &Manager) -> Self {
        Self {
            connection: connection.clone(),
            events: RefCell::new(manager.observe()),
            waiting: RefCell::default(),
            more: Notify::new(),
            turn: Mutex::new(()),
        }
    }

    /// Sends signals as things happen. Never returns.
    pub(super) async fn run(&self) {
        let take_in = async {
            while let Some(event) = poll_fn(|cx| self.events.borrow_mut().poll_recv(cx)).await {
                self.push(event);
                self.more.notify_one();
            }
            std::future::pending::<()>().await
        };
        let send_out = async {
            loop {
                self.more.notified().await;
                self.flush().await;
            }
        };
        let ((), ()) = tokio::join!(take_in, send_out);
    }

    /// Sends what has happened so far; returns when it is sent.
    pub(super) async fn flush(&self) {
        let _turn = self.turn.lock().await;
        while let Some((member, name)) = self.next() {
            let body = (name.as_str(), tree::machine_path(&name));
            let sent = self.connection.emit_signal(
                None::<&str>,
                tree::MANAGER,
                "org.freedesktop.machine1.Manager",
                member,
                &body,
            );
            if let Err(error) = sent.await {
                tracing::debug!("Failed to send {member} of {name}: {error}");
            }
        }
    }

    fn next(&self) -> Option<(&'static str, String)> {
        while let Ok(event) = self.events.borrow_mut().try_recv() {
            self.push(event);
        }
        self.waiting.borrow_mut().pop_front()
    }

    fn push(&self, event: Event) {
        let signal = match event {
            Event::New(machine) => ("MachineNew", machine.name.to_string()),
            Event::Removed(machine) => ("MachineRemoved", machine.name.to_string()),
        };
        self.waiting.borrow_mut().push_back(signal);
    }
}
