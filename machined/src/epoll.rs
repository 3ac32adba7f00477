//! Descriptors that belong to machines, many of them watched as one.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::{
    event::{
        Timespec,
        epoll::{self, EventFlags},
    },
    io::Errno,
};
use tokio::io::unix::AsyncFd;

use crate::sys;

/// How many are told of at once.
const BATCH: usize = 128;

/// An epoll(7) of descriptors, each with the number of its machine's leader: no two machines have the same.
#[derive(Debug)]
pub(crate) struct Epoll(OwnedFd);

impl Epoll {
    pub fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(epoll::CreateFlags::CLOEXEC)?))
    }

    /// Begins to watch: for what comes in, and what `flags` say besides. What is ready already is told of, too.
    pub fn add(&self, fd: impl AsFd, leader: u32, flags: EventFlags) -> io::Result<()> {
        let data = epoll::EventData::new_u64(leader.into());
        Ok(epoll::add(&self.0, fd, data, EventFlags::IN | flags)?)
    }

    /// Ends it.
    pub fn remove(&self, fd: impl AsFd) {
        // It may never have been added.
        let _ = epoll::delete(&self.0, fd);
    }

    /// Hands over the leaders of all that are ready. A thousand at once shall not keep callers waiting.
    pub async fn take_in(&self, each: impl Fn(u32)) -> io::Result<()> {
        loop {
            let ready = self.ready()?;
            if ready.is_empty() {
                return Ok(());
            }
            ready.into_iter().for_each(&each);
            tokio::task::yield_now().await;
        }
    }

    /// The leaders of some of those that are ready.
    fn ready(&self) -> io::Result<Vec<u32>> {
        let mut events = Vec::with_capacity(BATCH);
        let buffer = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.0, buffer, Some(&Timespec::default())) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(events
            .iter()
            .filter_map(|event| event.data.u64().try_into().ok())
            .collect())
    }

    /// To be waited for by the runtime: readable when any of them is.
    pub fn awaited(&self) -> io::Result<AsyncFd<OwnedFd>> {
        self.0.try_clone().and_then(sys::async_fd)
    }
}
