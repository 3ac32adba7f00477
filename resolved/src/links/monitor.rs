//! The network as it is, followed by rtnetlink(7).

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rtnetlink::{Changes, DefaultRoute, Dump, Event, Groups, Questions, Received};
use tokio::io::{Interest, unix::AsyncFd};

use super::{Gateway, Network, apply};
use crate::sys;

/// Bytes of changes that the kernel may keep for us: what a thousand containers that start at once cause.
const ROOM: usize = 4 << 20;

/// Hears of changes. All of its sockets are opened at the start, while anything may be.
#[derive(Debug)]
pub struct Monitor {
    readiness: AsyncFd<OwnedFd>,
    changes: Changes,
    questions: Questions,
    /// Something was missed: all is to be asked for again.
    stale: bool,
}

impl Monitor {
    /// In the calling thread's network namespace, inside of a tokio runtime.
    ///
    /// # Errors
    /// Of the system.
    pub fn open() -> io::Result<(Self, Network)> {
        let groups = Groups::LINKS.and(Groups::ADDRESSES).and(Groups::ROUTES);
        // Before the first question: what changes in between is heard.
        let changes = Changes::open(groups, ROOM)?;
        let readiness = changes.as_fd().try_clone_to_owned()?;
        let mut monitor = Self {
            readiness: sys::async_fd(readiness, Interest::READABLE)?,
            changes,
            questions: Questions::open()?,
            stale: false,
        };
        let network = monitor.ask_for_all()?;
        Ok((monitor, network))
    }

    /// Waits for the next change and takes it in, with all that came with it.
    ///
    /// It may be given up at any time: nothing is lost.
    ///
    /// # Errors
    /// Of the system.
    pub async fn changed(&mut self, network: &mut Network) -> io::Result<()> {
        loop {
            self.ready().await?;
            if self.take_in(network)? {
                return Ok(());
            }
        }
    }

    /// Waits until there is something to take in: the first half of [`changed`](Self::changed), for who can't lend the network meanwhile.
    ///
    /// # Errors
    /// Of the system.
    pub async fn ready(&self) -> io::Result<()> {
        // Cleared first: what comes from here on makes it ready again.
        self.readiness.readable().await?.clear_ready();
        Ok(())
    }

    /// Takes in all that came; says whether the network is another now. Never waits for anything but the kernel's answer.
    ///
    /// # Errors
    /// Of the system.
    pub fn take_in(&mut self, network: &mut Network) -> io::Result<bool> {
        let mut changed = false;
        let mut ask_for_gateways = false;
        loop {
            match self.changes.receive()? {
                Received::Nothing => break,
                Received::Overrun => self.stale = true,
                Received::Events(events) => {
                    for event in events {
                        let effect = network.apply(event);
                        changed |= effect.changed;
                        ask_for_gateways |= effect.ask_for_gateways;
                    }
                }
            }
        }
        if self.stale {
            let now = self.ask_for_all()?;
            changed |= now != *network;
            *network = now;
        } else if ask_for_gateways {
            let now = self.ask_for_gateways()?;
            changed |= now != network.gateways;
            network.gateways = now;
        }
        Ok(changed)
    }

    fn ask_for_all(&mut self) -> io::Result<Network> {
        self.stale = false;
        let mut network = Network::default();
        for what in [Dump::Links, Dump::Addresses] {
            let found = self.questions.ask(what, Some)?;
            self.stale |= found.interrupted;
            for event in found.items {
                network.apply(event);
            }
        }
        network.gateways = self.ask_for_gateways()?;
        Ok(network)
    }

    fn ask_for_gateways(&mut self) -> io::Result<Vec<Gateway>> {
        let route = |event: Event| -> Option<DefaultRoute> {
            match event {
                Event::DefaultRoute(route) => Some(route),
                _ => None,
            }
        };
        let found = self.questions.ask(Dump::DefaultRoutes, route)?;
        // Changes interrupted it, and they are heard: the next one asks for all again.
        self.stale |= found.interrupted;
        Ok(apply::gateways(found.items))
    }
}
