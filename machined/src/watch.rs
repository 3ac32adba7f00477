//! Seeing machines end: one epoll for the pidfds of all leaders, so that a machine costs no task and no timer.

use std::{io, os::fd::OwnedFd, rc::Rc};

use rustix::{
    event::{Timespec, epoll},
    io::Errno,
};

use crate::{error::Error, leader::Leader, manager::Manager, sys};

/// How many ends are taken in at once.
const BATCH: usize = 128;

/// SD_MESSAGE_MACHINE_STOP of sd-messages.h.
const ENDED: &str = "58432bd3bace477cb514b56381b8a758";

/// The leaders that are watched, each by its number: no two machines have the same.
#[derive(Debug)]
pub(crate) struct Watch {
    epoll: OwnedFd,
}

impl Watch {
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self { epoll })
    }

    /// Begins to watch. One that has ended already is told of, too.
    pub fn add(&self, leader: &Leader) -> io::Result<()> {
        let data = epoll::EventData::new_u64(leader.pid.into());
        // Told once: a leader whose machine is gone must not keep us awake.
        let events = epoll::EventFlags::IN | epoll::EventFlags::ONESHOT;
        Ok(epoll::add(&self.epoll, &leader.pidfd, data, events)?)
    }

    /// Ends it.
    pub fn remove(&self, leader: &Leader) {
        // It may never have been added.
        let _ = epoll::delete(&self.epoll, &leader.pidfd);
    }

    /// Leaders that have ended since the last call, some of them.
    fn ended(&self) -> io::Result<Vec<u32>> {
        let mut events = Vec::with_capacity(BATCH);
        let buffer = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.epoll, buffer, Some(&Timespec::default())) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(events
            .iter()
            .filter_map(|event| event.data.u64().try_into().ok())
            .collect())
    }
}

impl Manager {
    /// Forgets machines as they end. Runs until it can't watch any more; inside a [`tokio::task::LocalSet`].
    ///
    /// # Errors
    /// Of the runtime, or of epoll. Both mean that ends would go unseen: better to end the daemon.
    pub async fn watch(self: Rc<Self>) -> Result<(), Error> {
        let failed = || Error::io("Failed to watch processes");
        let ends = self
            .watch
            .epoll
            .try_clone()
            .and_then(sys::async_fd)
            .map_err(failed())?;
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
                    self.take_in_ends().await.map_err(failed())?;
                }
                ready = cgroups.readable() => {
                    ready.map_err(failed())?.clear_ready();
                    self.scopes.take_in(&self.cgroups);
                }
            }
        }
    }

    async fn take_in_ends(&self) -> io::Result<()> {
        loop {
            let ended = self.watch.ended()?;
            if ended.is_empty() {
                return Ok(());
            }
            for pid in ended {
                self.collect(pid);
            }
            // A thousand ends at once shall not keep callers waiting.
            tokio::task::yield_now().await;
        }
    }

    fn collect(&self, pid: u32) {
        let machines = self.machines.borrow();
        let ended = machines
            .values()
            .find(|machine| machine.leader.pid == pid)
            .cloned();
        drop(machines);
        if let Some(machine) = ended {
            let name = &machine.name;
            tracing::info!(MESSAGE_ID = ENDED, NAME = %name, LEADER = pid, "Machine {name} terminated.");
            self.forget(&machine);
        }
    }
}
