//! Seeing machines end: one epoll for the pidfds of all leaders, so that a machine costs no task and no timer.

use std::{io, rc::Rc};

use rustix::event::epoll::EventFlags;

use crate::{epoll::Epoll, error::Error, leader::Leader, machine::Machine, manager::Manager, sys};

/// SD_MESSAGE_MACHINE_STOP of sd-messages.h.
const ENDED: &str = "58432bd3bace477cb514b56381b8a758";

/// The leaders that are watched.
#[derive(Debug)]
pub(crate) struct Watch {
    epoll: Epoll,
}

impl Watch {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: Epoll::new()?,
        })
    }

    /// Begins to watch. One that has ended already is told of, too.
    pub fn add(&self, leader: &Leader) -> io::Result<()> {
        // Told once: a leader whose machine is gone must not keep us awake.
        self.epoll
            .add(&leader.pidfd, leader.pid, EventFlags::ONESHOT)
    }

    /// Ends it.
    pub fn remove(&self, leader: &Leader) {
        self.epoll.remove(&leader.pidfd);
    }
}

impl Manager {
    /// Forgets machines as they end. Runs until it can't watch any more; inside a [`tokio::runtime::LocalRuntime`].
    ///
    /// # Errors
    /// Of the runtime, or of epoll. Both mean that ends would go unseen: better to end the daemon.
    pub async fn watch(self: Rc<Self>) -> Result<(), Error> {
        let failed = || Error::io("Failed to watch processes");
        let ends = self.watch.epoll.awaited().map_err(failed())?;
        let networks = self.networks.stirring.awaited().map_err(failed())?;
        let cgroups = self
            .scopes
            .inotify()
            .try_clone()
            .and_then(sys::async_fd)
            .map_err(failed())?;
        loop {
            tokio::select! {
                ready = ends.readable() => {
                    // Cleared first: what comes from here on makes it ready again.
                    ready.map_err(failed())?.clear_ready();
                    self.watch.epoll.take_in(|leader| self.collect(leader)).await.map_err(failed())?;
                }
                ready = networks.readable() => {
                    ready.map_err(failed())?.clear_ready();
                    self.networks.stirring.take_in(|leader| self.stir(leader)).await.map_err(failed())?;
                }
                ready = cgroups.readable() => {
                    ready.map_err(failed())?.clear_ready();
                    self.scopes.take_in(&self.cgroups);
                }
            }
        }
    }

    fn collect(&self, pid: u32) {
        if let Some(machine) = self.machine_led_by(pid) {
            let name = &machine.name;
            tracing::info!(MESSAGE_ID = ENDED, NAME = %name, LEADER = pid, "Machine {name} terminated.");
            self.forget(&machine);
        }
    }

    pub(crate) fn machine_led_by(&self, pid: u32) -> Option<Rc<Machine>> {
        let machines = self.machines.borrow();
        let mut machines = machines.values();
        machines.find(|machine| machine.leader.pid == pid).cloned()
    }
}
